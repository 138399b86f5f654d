"""Where the sample company's market lies: the lower 48 states, their postcodes, and who does business there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from territory_lab import geography
from territory_lab.sample.cast import SECTORS, TERRITORIES, WRONG_HOMES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """The reference geography, cut to the states the company sells in."""

    units: pd.DataFrame  # counties with the contract's columns, without geometry, sorted by ``unit_id``
    territory: Ints  # number of the territory of each county, today
    # postcode, lon, lat, county (its row in ``units``), area (a number), sorted by area; ``reach`` is the area's
    # number plus the share of its workers at this postcode and those before it
    postcodes: pd.DataFrame
    cells: pd.DataFrame  # area, sector (numbers), establishments and employees of each area and sector


def places() -> Places:
    """Read the counties of the lower 48 states and the District of Columbia, and who does business there."""
    state_territory = {state: t for t, territory in enumerate(TERRITORIES) for state in territory.states.split()}
    counties = pd.DataFrame(geography.counties().drop(columns="geometry"))
    counties = counties[counties["state"].isin(list(state_territory))].sort_values("unit_id", ignore_index=True)
    codes = geography.postcodes().dropna(subset="unit_id")[["postcode", "lon", "lat", "unit_id"]]
    county = pd.Index(counties["unit_id"]).get_indexer(codes["unit_id"])
    codes = codes.assign(county=county)[county >= 0]
    area_of, areas = pd.factorize(counties["area_id"].iloc[codes["county"]], sort=True)
    workers = counties["labor_force"].fillna(counties["population"] / 2)
    each = workers.iloc[codes["county"]].to_numpy() / codes.groupby("county")["county"].transform("size").to_numpy()
    codes = codes.assign(area=area_of, workers=each).sort_values(["area", "postcode"], ignore_index=True)
    within = codes.groupby("area")["workers"]
    codes["reach"] = codes["area"] + within.cumsum() / within.transform("sum")

    cells = geography.market_reference()
    area, sector = pd.Index(areas).get_indexer(pd.Index(cells["area_id"])), list(SECTORS)
    cells = cells.assign(area=area, sector=pd.Index(sector).get_indexer(pd.Index(cells["sector"])))
    cells = cells[(cells["area"] >= 0) & (cells["sector"] >= 0) & (cells["establishments"] > 0)]
    columns = "unit_id name lon lat area_id state area_km2 population households median_income".split()  # noqa: SIM905 - reads as the list it is
    return Places(
        units=counties[columns],
        territory=np.array([state_territory[state] for state in counties["state"]]),
        postcodes=codes[["postcode", "lon", "lat", "county", "area", "reach"]],
        cells=cells[["area", "sector", "establishments", "employees"]].reset_index(drop=True),
    )


def homes() -> pd.DataFrame:
    """Say by territory_id where the reps live (lon, lat), and where they ought to (right_lon, right_lat)."""
    cities = [(territory.lon, territory.lat) for territory in TERRITORIES]
    right = pd.DataFrame(cities, columns=["right_lon", "right_lat"], index=territory_ids())
    actual = right.set_axis(["lon", "lat"], axis=1)
    for territory, home in WRONG_HOMES.items():
        actual.loc[territory] = home
    return actual.join(right)


def territory_ids() -> pd.Index:
    """Name the territories T01 to T30, in the order of the cast."""
    return pd.Index([f"T{t + 1:02}" for t in range(len(TERRITORIES))], name="territory_id")


def rep_ids() -> pd.Index:
    """Name the reps R01 to R30, as their territories."""
    return territory_ids().str.replace("T", "R").rename("rep_id")


def pick_within(rng: np.random.Generator, group: Ints, reach: Floats) -> Ints:
    """
    Draw one member of each given group; gives positions in ``reach``.

    ``reach`` holds the members in the order of their groups: the group's number plus the cumulative chance within it.
    """
    last = np.searchsorted(reach, np.arange(int(reach[-1]) + 2), side="right") - 1
    found = np.searchsorted(reach, group + rng.random(len(group)), side="right")
    return np.minimum(found, last[group + 1])
