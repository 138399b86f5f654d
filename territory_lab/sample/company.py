"""Put the sample company together: its tables, and the truths planted in them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from territory_lab.sample import cast, trade
from territory_lab.sample.careers import Story
from territory_lab.sample.places import Floats, Places, homes, places, rep_ids, territory_ids

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
    telling, ordering, dealing, calling = (
        np.random.default_rng(child) for child in np.random.SeedSequence([seed, size]).spawn(4)
    )
    where = places()
    story = Story.tell(telling, size, where)
    orders = trade.orders(ordering, story, orders_a_year)
    tables = {
        "accounts": story.people[_ACCOUNT_COLUMNS],
        "products": _products(),
        "orders": orders,
        "opportunities": trade.opportunities(dealing, story),
        "reps": _reps(story, orders),
        "units": where.units,
        "calls": trade.calls(calling, story, size / (_PER_REP * len(cast.TERRITORIES))),
        "alignment": pd.DataFrame(
            {"unit_id": where.units["unit_id"], "territory_id": territory_ids()[where.territory].astype("str")}
        ),
    }
    return tables, {"size": size, "seed": seed, **_truth(story, where)}


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


def _products() -> pd.DataFrame:
    """List what is sold."""
    frame = pd.DataFrame(cast.PRODUCTS.values()).assign(product_id=list(cast.PRODUCTS))
    frame = frame.rename(columns={"price": "list_price", "margin": "margin_share"})
    return frame[["product_id", "name", "category", "list_price", "margin_share", "sector"]].astype({"sector": "str"})


def _reps(story: Story, orders: pd.DataFrame) -> pd.DataFrame:
    """List the reps, then the managers they report to."""
    recent = orders[orders["order_date"] > pd.Timestamp(cast.END) - pd.DateOffset(years=1)]
    owner = recent["account_id"].map(story.people.set_index("account_id")["owner_id"])
    sales = recent.groupby(owner)["amount"].sum().reindex(rep_ids(), fill_value=0.0)
    bosses = {district: f"M{number + 1}" for number, district in enumerate(cast.MANAGERS)}
    reps = homes()[["lon", "lat"]].reset_index()
    reps = reps.assign(
        rep_id=rep_ids(),
        name=[territory.rep for territory in cast.TERRITORIES],
        manager_id=[bosses[territory.district] for territory in cast.TERRITORIES],
        hired_date=pd.Timestamp("2021-11-01") - pd.to_timedelta(np.arange(len(reps)) * 377 % 3650, unit="D"),
        quota=(sales.to_numpy() / _HISTORY).round(-3),
        selling_h=story.work.selling_h,
    )
    managers = pd.DataFrame(
        [(bosses[district], *person) for district, person in cast.MANAGERS.items()],
        columns=["rep_id", "name", "lon", "lat"],
    ).assign(hired_date=pd.Timestamp("2012-03-01"))
    columns = ["rep_id", "name", "manager_id", "territory_id", "lon", "lat", "hired_date", "quota", "selling_h"]
    return pd.concat([reps, managers], ignore_index=True)[columns].astype({"manager_id": "str", "territory_id": "str"})


def _truth(story: Story, where: Places) -> dict[str, Any]:
    """Gather what was planted."""
    people, work, career = story.people, story.work, story.career
    fair = np.bincount(people["territory"], work.fair_sales, len(work.skill)).astype(float)
    by_unit = np.bincount(people["county"], work.fair_sales, len(where.units))
    alike = ~people["customer"] & (people["chance"] >= cast.LOOK_ALIKE)
    right = homes().loc[list(cast.WRONG_HOMES), ["right_lon", "right_lat"]]
    place = pd.Series([territory.place for territory in cast.TERRITORIES], index=territory_ids())
    return {
        "customer": cast.CUSTOMER | {"sector": {code: sector.fit for code, sector in cast.SECTORS.items()}},
        "decoy": "median_income",
        "look_alikes": people.loc[alike, "account_id"].tolist(),
        "churned": people["account_id"].array.take(career.loc[career["churned"], "account"].to_numpy()).tolist(),
        "churn_a_year": cast.CHURN,
        "growth": {code: sector.growth for code, sector in cast.SECTORS.items()},
        "season": cast.SEASON,
        "affinity": dict(zip(["owns", "then", "times"], cast.AFFINITY, strict=True)),
        "only_sector": {product: item.sector for product, item in cast.PRODUCTS.items() if item.sector},
        "win": cast.WIN,
        "rep_skill": _by_territory(work.skill),
        "skill_on_sales": cast.SKILL_ON_SALES,
        "held_by": [dict(zip(territory_ids(), rep_ids()[year], strict=True)) for year in work.holder],
        "overload": _by_territory(work.overload),
        "place": place.to_dict(),
        "troubled": list(place.index[place < 1]),
        "strong": list(place.index[place > 1]),
        "wrong_homes": dict(zip(right.index, right.to_numpy().tolist(), strict=True)),
        "elasticity": cast.ELASTICITY,
        "selling_h": _by_territory(work.selling_h),
        "fair_sales": _by_territory(fair),
        "fair_sales_by_unit": dict(zip(where.units["unit_id"], by_unit.round(2).tolist(), strict=True)),
        "gain_if_balanced": float(fair.mean() * work.balanced.sum() / (fair * work.factor).sum() - 1),
    }


def _by_territory(values: Floats) -> dict[str, float]:
    """Name values by their territory."""
    return dict(zip(territory_ids(), values.round(4).tolist(), strict=True))
