"""The sample company's accounts: who they are, which of them are customers, and what they could buy."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from territory_lab.sample.cast import CUSTOMER, LEGAL_FORMS, NEW_SHARE, SECTORS, STEMS, TERRITORIES
from territory_lab.sample.places import Floats, Ints, Places, pick_within, rep_ids

_SIZE_SPREAD = 1.3  # of log employees within a sector
_SPEND_ON_SIZE = 0.75  # elasticity of what a firm could spend to its employees
_CHILDREN, _PARENTS = 0.08, 0.02  # shares of the accounts
_JITTER = 0.01  # degrees, about a kilometre
_REVENUE_GAPS = 0.06  # share of the accounts whose revenue is not known


def draw(rng: np.random.Generator, size: int, where: Places) -> pd.DataFrame:
    """
    Draw accounts in proportion to the establishments of each sector and area.

    Columns of ``accounts``, and what only the generator knows: sector_row, county, territory, chance (of being a
    customer), fit, customer, new, could_spend (money a year).
    """
    weight = where.cells["establishments"].cumsum().to_numpy()
    cell = np.searchsorted(weight, rng.random(size) * weight[-1], side="right")
    sector = where.cells["sector"].to_numpy()[cell]
    spot = pick_within(rng, where.cells["area"].to_numpy()[cell], where.postcodes["reach"].to_numpy())
    county = where.postcodes["county"].to_numpy()[spot]
    employees = _employees(rng, sector, where)
    revenue = pd.Series(employees * rng.lognormal(np.log(170_000), 0.45, size)).round(-4).clip(lower=20_000)
    people = pd.DataFrame(
        {
            "account_id": ids("A", size),
            "name": _names(rng, sector, spot),
            "parent_id": _parents(rng, employees),
            "sector": pd.Series(list(SECTORS), dtype="str").take(sector).to_numpy(),
            "employees": employees,
            "revenue": revenue.mask(rng.random(size) < _REVENUE_GAPS),
            "postcode": where.postcodes["postcode"].take(spot).to_numpy(),
            "state": where.units["state"].take(county).to_numpy(),
            "country": "US",
            "lon": (where.postcodes["lon"].to_numpy()[spot] + rng.normal(0, _JITTER, size)).round(3),
            "lat": (where.postcodes["lat"].to_numpy()[spot] + rng.normal(0, _JITTER, size)).round(3),
            "created_date": pd.Timestamp("2014-01-01") + pd.to_timedelta(rng.integers(0, 3286, size), unit="D"),
            "owner_id": rep_ids()[where.territory[county]],
            "sector_row": sector,
            "county": county,
            "territory": where.territory[county],
        }
    )
    return people.astype({"country": "str", "owner_id": "str"}).assign(**_demand(rng, people, where))


def ids(letter: str, count: int) -> pd.Series:
    """Give running numbers as ids of one length, such as A00001."""
    numbers = pc.utf8_lpad(pa.array(np.arange(1, count + 1)).cast(pa.string()), len(str(count)), "0")
    return pd.Series(pc.binary_join_element_wise(letter, numbers, "").to_pandas(), dtype="str")


def _employees(rng: np.random.Generator, sector: Ints, where: Places) -> Floats:
    """Lognormal about the sector's mean employees an establishment, whole and at least one."""
    totals = where.cells.groupby("sector")[["employees", "establishments"]].sum().reindex(range(len(SECTORS)))
    mean = (totals["employees"] / totals["establishments"]).fillna(10).to_numpy()
    centre = np.log(mean[sector]) - _SIZE_SPREAD**2 / 2
    employees: Floats = np.maximum(1, rng.lognormal(centre, _SIZE_SPREAD).round())
    return employees


def _demand(rng: np.random.Generator, people: pd.DataFrame, where: Places) -> dict[str, np.ndarray]:
    """Plant who is a customer, who is a new one, and what each could spend."""
    kinds = pd.DataFrame(SECTORS.values()).take(people["sector_row"].to_numpy())
    density = (where.units["population"] / where.units["area_km2"]).to_numpy()[people["county"]]
    fit = (
        kinds["fit"].to_numpy()
        + CUSTOMER["size"] * np.log(people["employees"].to_numpy() / 10)
        + CUSTOMER["density"] * np.log10(density / 100)
    )
    chance = 1 / (1 + np.exp(-(CUSTOMER["intercept"] + fit)))
    customer = rng.random(len(people)) < chance
    place = np.array([territory.place for territory in TERRITORIES])[people["territory"]]
    size = people["employees"].to_numpy() ** _SPEND_ON_SIZE
    return {
        "fit": fit,
        "chance": chance,
        "customer": customer,
        "new": customer & (rng.random(len(people)) < NEW_SHARE),
        "could_spend": kinds["spend"].to_numpy() * size * place * rng.lognormal(0, 0.3, len(people)),
    }


def _names(rng: np.random.Generator, sector: Ints, spot: Ints) -> pd.Series:
    """Name firms so that those at one postcode have different stems (while there are enough stems)."""
    stems = rng.permutation(np.array(STEMS))
    seen = pd.Series(spot).groupby(spot).cumcount().to_numpy()
    stem = (rng.integers(len(stems), size=int(spot.max()) + 1)[spot] + seen) % len(stems)
    trades = np.array([kind.trades.split("|") for kind in SECTORS.values()])
    trade = 5 * sector + rng.integers(5, size=len(sector))
    form = rng.integers(len(LEGAL_FORMS), size=len(sector))
    parts = [pa.array(words).take(pa.array(at)) for words, at in ((stems, stem), (trades.ravel(), trade))]
    named = pc.binary_join_element_wise(*parts, " ")
    full = pc.binary_join_element_wise(named, pa.array(LEGAL_FORMS).take(pa.array(form)), "")
    return pd.Series(full.to_pandas(), dtype="str")


def _parents(rng: np.random.Generator, employees: Floats) -> pd.Series:
    """Give some accounts a parent among the larger ones; parents have none, so nothing loops."""
    size = len(employees)
    parents = rng.choice(size, round(_PARENTS * size), replace=False, p=employees / employees.sum(), shuffle=False)
    children = np.setdiff1d(rng.choice(size, round(_CHILDREN * size), replace=False, shuffle=False), parents)
    parent = np.full(size, -1)
    parent[children] = rng.choice(np.sort(parents), len(children))
    return ids("A", size).take(np.maximum(parent, 0)).reset_index(drop=True).where(parent >= 0)
