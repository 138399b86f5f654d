"""How time and memory grow: accounts through the steps, units and territories through the alignment."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from territory_lab import book, sample, scoring
from territory_lab.alignment import solve
from territory_lab.propensity import Learned, apply, forecast_revenue, learn
from territory_lab.settings import Settings
from territory_lab.workload import TIERS, CallPlan, unit_workload
from territory_lab.workspace import Workspace
from tests.benchmarks.common import measured, peak_mb, proof, show, warm_up
from tests.benchmarks.jobs import scattered

ACCOUNTS = (10_000, 100_000, 1_000_000)
UNITS, FEW = (3_000, 10_000, 30_000, 100_000), 50
TERRITORIES, MIDDLING = (10, 30, 100, 300, 500), 10_000
LEARNT_ON = 10_000
PART = Settings().part_accounts
KINDS = ("upsell", "cross_sell")
Row = dict[str, Any]


def alone(work: Callable[..., Row], *arguments: object) -> Row:
    """Do one piece of work in a process of its own, so that its peak is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def made(size: int, folder: Path) -> Row:
    """Write a sample company as Parquet."""
    folder.mkdir()
    tables, cpu_s = measured(lambda: sample.company(size)[0])
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return {"orders": len(tables["orders"]), "CPU_s": cpu_s, "peak_MB": peak_mb()}


def learnt(folder: Path, models: Path) -> Row:
    """Learn what the propensity step scores with."""
    space = Workspace(folder)
    for kind, known in learn(space.tables, extra=book.local_market(space)).items():
        known.save(models / kind)
    return {}


def checked(space: Workspace, _: Path) -> Callable[[], object]:
    """Read every table and hold it against the schema."""
    return lambda: space.tables


def joined(space: Workspace, _: Path) -> Callable[[], object]:
    """Place the accounts in units and sum up their orders."""
    places, _ = book.units(space), space.tables
    return lambda: book.accounts(space, places)


def fitting(space: Workspace, _: Path) -> Callable[[], object]:
    """Score accounts by a profile learnt on the first of them."""
    known = book.accounts(space, book.units(space))
    first = known.head(LEARNT_ON)
    profile = scoring.IdealCustomerProfile().fit(first, first["customer"])
    return lambda: profile.assess(known)


def foretold(space: Workspace, models: Path) -> Callable[[], object]:
    """Build today's features and score them by models learnt before."""
    learned, extra = {kind: Learned.load(models / kind) for kind in KINDS}, book.local_market(space)
    return lambda: apply(learned, space.tables, extra=extra)


def expected(space: Workspace, _: Path, method: str | None = None) -> Callable[[], object]:
    """Forecast the revenue of every customer, by a method that is known or sought."""
    orders = space.tables["orders"]
    return lambda: forecast_revenue(orders, space.end, method=method)


def summed(space: Workspace, _: Path) -> Callable[[], object]:
    """Turn accounts into hours of work by unit."""
    places = book.units(space)
    known = book.accounts(space, places)
    known["tier"] = np.resize(TIERS, len(known))
    return lambda: unit_workload(known, places, CallPlan())


STEPS = {
    "open and check": checked,
    "place, sum orders": joined,
    "ideal customer": fitting,
    "propensity": foretold,
    "revenue, method sought": expected,
    "revenue, last year": partial(expected, method="last_year"),
    "workload by unit": summed,
}


def step(name: str, folder: Path, models: Path) -> Row:
    """Measure one step: CPU of the step alone, peak of the process, which has opened the workspace first."""
    work = STEPS[name](Workspace(folder), models)
    _, cpu_s = measured(work)
    return {"CPU_s": cpu_s, "peak_MB": peak_mb()}


def account_steps() -> Iterator[Row]:
    """Measure every step at every size."""
    with TemporaryDirectory() as place:
        home = Path(place)
        for size in ACCOUNTS:
            yield {"step": "make the sample", "accounts": size, **alone(made, size, home / f"{size}")}
        alone(learnt, home / f"{LEARNT_ON}", home / "models")
        for name in STEPS:
            for size in ACCOUNTS:
                yield {"step": name, "accounts": size, **alone(step, name, home / f"{size}", home / "models")}


def part() -> None:
    """Print what one part of a large company takes, step by step."""
    with TemporaryDirectory() as place:
        home, size = Path(place), PART
        for accounts in {LEARNT_ON, size}:
            alone(made, accounts, home / f"{accounts}")
        alone(learnt, home / f"{LEARNT_ON}", home / "models")
        rows = [{"step": name, **alone(step, name, home / f"{size}", home / "models")} for name in STEPS]
    show(f"One part of {size:,} accounts", rows)


def aligned(units: int, territories: int) -> Row:
    """Align scattered units with free centres, every territory in one piece."""
    warm_up()
    problem = scattered(units, territories)
    plan, cpu_s = measured(lambda: solve(problem, seed=0, time_limit_s=300))
    return {"CPU_s": cpu_s, **proof(plan), "peak_MB": peak_mb()}


def alignments(sizes: Iterable[tuple[int, int]]) -> Iterator[Row]:
    """Measure the alignment at pairs of units and territories."""
    for units, territories in sizes:
        yield {"step": "align", "units": units, "territories": territories, **alone(aligned, units, territories)}


def growth(part: pd.DataFrame, size: str) -> Row:
    """Fit seconds = a * size ** exponent over all sizes; give the exponent and the memory between the last two."""
    n, seconds = np.log(part[size]), np.log(part["CPU_s"])
    grown = part[["peak_MB", size]].diff().iloc[-1]
    return {
        "exponent": np.polyfit(n, seconds, 1)[0],
        "exponent_at_the_end": seconds.diff().iloc[-1] / n.diff().iloc[-1],
        "MB_per_1000": 1_000 * grown["peak_MB"] / grown[size],
    }


def main() -> None:
    """Print the tables, each with how it grows."""
    parts = {
        "accounts": account_steps(),
        "units": alignments([(units, FEW) for units in UNITS]),
        "territories": alignments([(MIDDLING, territories) for territories in TERRITORIES]),
    }
    for size, rows in parts.items():
        table = pd.DataFrame(rows)
        show(f"Against {size}", table.to_dict("records"))
        by_step = table.groupby("step", sort=False)
        show(f"Growth with {size}", [{"step": name} | growth(part, size) for name, part in by_step])
