"""Put the sample company together: its tables, and the truths planted in them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from territory_lab.sample import accounts, cast, trade
from territory_lab.sample.effort import Effort, effort
from territory_lab.sample.places import Places, homes, places, territory_ids

_PER_REP = 400  # accounts that one person can look after
_HISTORY = 0.92  # quotas follow last year's sales, a little behind
Tables = dict[str, pd.DataFrame]


def company(size: int = 12_000, seed: int = 0, *, orders_a_year: float = 7.0) -> tuple[Tables, dict[str, Any]]:
    """
    Make a company on real geography, with known truths in how it behaves.

    Parameters
    ----------
    size : int
        Number of accounts, 1,000 to 10,000,000. There are 30 territories at any size; behind each rep of a larger
        company stands a team, so that calls grow with the accounts.
    seed : int
        Same size and seed, same bytes.
    orders_a_year : float
        Orders of a middling customer; amounts shrink as it grows.

    Returns
    -------
    tables : dict of str to DataFrame
        accounts, products, orders, opportunities, reps, units, calls and alignment, as in ``schema``.
    truth : dict
        Everything planted, ready for JSON; only tests read it.
    """
    draws = [np.random.default_rng(child) for child in np.random.SeedSequence([seed, size]).spawn(7)]
    where = places()
    people = accounts.draw(draws[0], size, where)
    people["owner_id"] = _rep_ids().take(people["territory"]).array
    work = effort(draws[1], people)
    career = trade.careers(draws[2], people)
    held = trade.holdings(draws[3], people, career)
    tables = {
        "accounts": people[_ACCOUNT_COLUMNS],
        "products": _products(),
        "orders": trade.orders(draws[4], people, career, held, work, orders_a_year),
        "opportunities": trade.opportunities(draws[5], people, career, held, work),
        "units": where.units,
        "calls": trade.calls(draws[6], people, career, work, size / (_PER_REP * len(cast.TERRITORIES))),
        "alignment": pd.DataFrame(
            {"unit_id": where.units["unit_id"], "territory_id": territory_ids().take(where.territory).astype("str")}
        ),
    }
    tables["reps"] = _reps(people, work, tables["orders"])
    return tables, _truth(size, seed, where, people, career, work)


def write(tables: Mapping[str, pd.DataFrame], folder: str | os.PathLike[str], *, suffix: str = "parquet") -> None:
    """
    Write tables side by side, each whole or not at all.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables by name.
    folder : path
        Made where it is missing; other files in it stay.
    suffix : {"parquet", "csv"}
        Kind of file.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        draft = target / f".{name}.{suffix}"
        if suffix == "csv":
            frame.to_csv(draft, index=False, lineterminator="\n")
        else:
            frame.to_parquet(draft, index=False, compression="zstd", compression_level=19)
        draft.replace(target / f"{name}.{suffix}")


def write_truth(truth: Mapping[str, Any], folder: str | os.PathLike[str]) -> None:
    """
    Write what was planted beside the tables.

    Parameters
    ----------
    truth : mapping
        As ``company`` or ``messy`` gives it.
    folder : path
        It gets ``truth.json``.
    """
    draft = Path(folder) / ".truth.json"
    draft.write_text(json.dumps(truth, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    draft.replace(Path(folder) / "truth.json")


_ACCOUNT_COLUMNS = [
    *("account_id", "name", "parent_id", "sector", "employees", "revenue"),
    *("postcode", "state", "country", "lon", "lat", "owner_id", "created_date"),
]


def _rep_ids() -> pd.Series:
    """Name the reps like their territories."""
    return pd.Series(territory_ids().str.replace("T", "R"), dtype="str")


def _products() -> pd.DataFrame:
    """List what is sold."""
    frame = pd.DataFrame(cast.PRODUCTS.values()).assign(product_id=list(cast.PRODUCTS))
    frame = frame.rename(columns={"price": "list_price", "margin": "margin_share"})
    return frame[["product_id", "name", "category", "list_price", "margin_share", "sector"]].astype({"sector": "str"})


def _reps(people: pd.DataFrame, work: Effort, orders: pd.DataFrame) -> pd.DataFrame:
    """List the reps, then the managers they report to."""
    recent = orders[orders["order_date"] > pd.Timestamp(cast.END) - pd.DateOffset(years=1)]
    sold = recent["account_id"].map(people.set_index("account_id")["owner_id"])
    sales = recent.groupby(sold)["amount"].sum().reindex(_rep_ids(), fill_value=0.0)
    bosses = {district: f"M{number + 1}" for number, district in enumerate(cast.MANAGERS)}
    reps = pd.DataFrame(
        {
            "rep_id": _rep_ids(),
            "name": [territory.rep for territory in cast.TERRITORIES],
            "manager_id": [bosses[territory.district] for territory in cast.TERRITORIES],
            "territory_id": territory_ids(),
            "lon": homes()["lon"].to_numpy(),
            "lat": homes()["lat"].to_numpy(),
            "hired_date": pd.Timestamp("2021-11-01") - pd.to_timedelta(np.arange(len(sales)) * 377 % 3650, unit="D"),
            "quota": (sales.to_numpy() / _HISTORY).round(-3),
            "selling_h": work.selling_h,
        }
    )
    managers = pd.DataFrame(
        [(bosses[district], *person) for district, person in cast.MANAGERS.items()],
        columns=["rep_id", "name", "lon", "lat"],
    ).assign(hired_date=pd.Timestamp("2012-03-01"))
    return pd.concat([reps, managers], ignore_index=True).astype({"manager_id": "str", "territory_id": "str"})


def _truth(
    size: int, seed: int, where: Places, people: pd.DataFrame, career: pd.DataFrame, work: Effort
) -> dict[str, Any]:
    """Gather what was planted."""
    count = len(cast.TERRITORIES)
    territory, names = people["territory"].to_numpy(), list(territory_ids())
    fair = np.bincount(territory, work.fair_sales, count)
    by_unit = np.bincount(people["county"], work.fair_sales, len(where.units))
    balanced = (np.exp(cast.SKILL_ON_SALES * work.skill) * (work.selling_h / work.selling_h.mean()) ** cast.ELASTICITY * fair.mean()).sum()
    alike = ~people["customer"] & (people["chance"] >= cast.LOOK_ALIKE)
    home = homes().loc[list(cast.WRONG_HOMES), ["right_lon", "right_lat"]]

    def named(values: np.ndarray) -> dict[str, float]:
        """Values by territory."""
        return dict(zip(names, values.round(4).tolist(), strict=True))

    return {
        "company": cast.COMPANY,
        "size": size,
        "seed": seed,
        "customer": cast.CUSTOMER | {"sector": {code: sector.fit for code, sector in cast.SECTORS.items()}},
        "decoy": "median_income",
        "look_alikes": people.loc[alike, "account_id"].tolist(),
        "churned": people["account_id"].take(career.loc[career["churned"], "account"]).tolist(),
        "churn_a_year": cast.CHURN,
        "growth": {code: sector.growth for code, sector in cast.SECTORS.items()},
        "season": cast.SEASON,
        "affinity": dict(zip(["owns", "then", "times"], cast.AFFINITY, strict=True)),
        "only_sector": {product: item.sector for product, item in cast.PRODUCTS.items() if item.sector},
        "win": cast.WIN,
        "rep_skill": named(work.skill),
        "skill_on_sales": cast.SKILL_ON_SALES,
        "overload": named(work.overload),
        "place": named(np.array([t.place for t in cast.TERRITORIES])),
        "troubled": [name for name, t in zip(names, cast.TERRITORIES, strict=True) if t.place < 1],
        "strong": [name for name, t in zip(names, cast.TERRITORIES, strict=True) if t.place > 1],
        "wrong_homes": {name: home.loc[name].tolist() for name in home.index},
        "elasticity": cast.ELASTICITY,
        "selling_h": named(work.selling_h),
        "fair_sales": named(fair),
        "fair_sales_by_unit": {
            unit: round(sales) for unit, sales in zip(where.units["unit_id"], by_unit, strict=True) if sales
        },
        "gain_if_balanced": float((balanced / (fair * work.factor).sum() - 1).round(5)),
    }
