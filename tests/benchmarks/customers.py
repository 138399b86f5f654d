"""Who the customer is, how large the market: planted truths over many companies, and what a million accounts cost."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from territory_lab import geography, sample
from territory_lab.market import read_cbp
from territory_lab.scoring import IdealCustomerProfile, engagement, grade, key_accounts
from tests.benchmarks.common import measured, show
from tests.test_census import county_file

COMPANIES, SIZE = 50, 12_000
MILLION = 1_000_000
DECOY = "median_income"


def planted(seed: int) -> pd.DataFrame:
    """Fit a profile to one company and hold each weight against what was planted."""
    tables, truth = sample.company(SIZE, seed=seed)
    accounts = tables["accounts"].set_index("account_id")
    counties = geography.counties()
    unit = geography.unit_of(accounts, counties, geography.postcodes())
    counties = counties.set_index("unit_id")
    accounts["density"] = unit.map(counties["population"] / counties["area_km2"])
    accounts[DECOY] = unit.map(counties[DECOY])
    won = pd.Series(accounts.index.isin(tables["orders"]["account_id"]), accounts.index)
    found = IdealCustomerProfile(seed=seed).fit(accounts, won).weights()
    effects = truth["customer"]["sector"]
    average = accounts["sector"].map(effects).mean()
    values = {("sector", sector): effect - average for sector, effect in effects.items()}
    values[("employees", "per doubling")] = truth["customer"]["size"] * np.log(2)
    values[("density", "per doubling")] = truth["customer"]["density"] * np.log10(2)
    table = found.set_index(["trait", "part"]).join(pd.Series(values, name="planted").rename_axis(["trait", "part"]))
    return table.assign(covers=table["planted"].between(table["low"], table["high"])).reset_index()


def truths() -> Iterator[dict[str, object]]:
    """Count over all companies: how often an interval holds the truth, how often a trait is chosen."""
    found = pd.concat([planted(seed).assign(company=seed) for seed in range(COMPANIES)])
    chosen = found.groupby(["trait", "company"])["chosen"].any().groupby("trait").mean()
    known = found.dropna(subset="planted")
    by_part = known.groupby(["trait", "part"])["covers"].mean()
    for trait in chosen.index:
        row = {"trait": trait, "chosen_%": 100 * chosen[trait]}
        if trait in by_part:
            row |= {"covered_%": 100 * by_part[trait].mean(), "least_covered_part_%": 100 * by_part[trait].min()}
        yield row


def million() -> Iterator[dict[str, object]]:
    """Score, grade and rank a million accounts."""
    rng = np.random.default_rng(0)
    index = pd.RangeIndex(MILLION, name="account_id")
    accounts = pd.DataFrame(
        {
            "sector": pd.Series(rng.choice(["23", "31-33", "42", "62"], MILLION), index, dtype="str"),
            "employees": np.exp2(rng.normal(4, 2, MILLION)).clip(1),
        },
        index=index,
    )
    won = pd.Series(rng.random(MILLION) < 0.1 + 0.2 * (accounts["sector"] == "23"), index)
    profile = IdealCustomerProfile().fit(accounts.head(50_000), won.head(50_000))
    days = pd.to_timedelta(rng.integers(0, 700, 3 * MILLION), unit="D")
    events = pd.DataFrame(
        {"account_id": rng.integers(0, MILLION, 3 * MILLION), "date": pd.Timestamp("2026-06-30") - days}
    )
    score, cpu_s = measured(lambda: profile.score(accounts))
    yield {"step": "score", "cpu_s": cpu_s}
    touch, cpu_s = measured(lambda: engagement(events, pd.Timestamp("2026-07-01")))
    yield {"step": "engagement (3 M contacts)", "cpu_s": cpu_s}
    _, cpu_s = measured(lambda: grade(score, touch))
    yield {"step": "grade", "cpu_s": cpu_s}
    criteria = pd.DataFrame({"fit": score, "size": accounts["employees"], "touch": touch.reindex(index)})
    _, cpu_s = measured(lambda: key_accounts(criteria))
    yield {"step": "priority, 200 draws of the weights", "cpu_s": cpu_s}


def census() -> Iterator[dict[str, object]]:
    """Read a Census county file of full length."""
    with TemporaryDirectory() as folder:
        file = county_file(Path(folder))
        cells, cpu_s = measured(lambda: read_cbp(file))
        rows = sum(1 for _ in file.open(encoding="utf-8")) - 1  # the header
        yield {"rows": rows, "megabytes": file.stat().st_size / 1e6, "cells": len(cells), "cpu_s": cpu_s}


def main() -> None:
    """Print the tables."""
    show(f"Planted truths over {COMPANIES} companies of {SIZE:,} accounts", truths())
    show("A million accounts", million())
    show("A county file of full length", census())
