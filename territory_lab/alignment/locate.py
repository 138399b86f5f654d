"""Where to hire: which candidate sites to open, and which units each serves, with a proof of how good that is."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.checks import index_faults, number_faults, place_faults
from territory_lab.alignment.costs import EARTH_RADIUS_KM, Floats, Ints
from territory_lab.alignment.covering import Siting
from territory_lab.alignment.deciding import PAIRS, decide, largest, pack, undecided
from territory_lab.alignment.plan import Infeasible, gap_between, some
from territory_lab.alignment.problem import great_circle_km
from territory_lab.alignment.siting import WHOLE, Opening, Search, ground_of
from territory_lab.errors import BadInput, Fault

ROUNDING = 1e-9  # relative; what sums of loads in another order may differ by
BOUND_SHARE, EARLY_SHARE, FINAL_SHARE = 0.3, 0.1, 0.3  # of the time: the bound, the programmes before and after
LAST_SHARE = 0.05  # of the time, for the bound at the end where no programme is solved
HOPELESS = 2  # times the pairs that a programme bears: so many left, and the search has all the time
COLUMNS = ["rule", "site_id", "unit_id", "found", "limit", "message"]


@dataclass(frozen=True, eq=False)
class Located:
    """
    Open sites and who is served from where.

    Parameters
    ----------
    sites : Index
        Ids of the open sites, in the order of the candidates.
    alignment : Series
        ``site_id`` by unit_id.
    objective : float
        Sum of weight x distance to the unit's site, plus the cost of the open sites.
    bound : float
        No choice of sites and no alignment within capacity has a lower objective.
    use : DataFrame
        By open site: ``units`` (number), ``load``, ``capacity`` and ``distance`` (sum of weight x distance).
    violations : DataFrame
        Not empty where no plan within all limits was found in time: ``rule`` (capacity, reach), ``site_id``,
        ``unit_id``, ``found``, ``limit`` and ``message``.
    seed : int
        Seed of the run.
    """

    sites: pd.Index
    alignment: pd.Series
    objective: float
    bound: float
    use: pd.DataFrame
    violations: pd.DataFrame
    seed: int

    @property
    def gap(self) -> float:
        """How far the objective is above the bound, as a share of the bound; NaN where the bound is not positive."""
        return gap_between(self.objective, self.bound)

    @property
    def feasible(self) -> bool:
        """Whether the plan keeps every limit."""
        return self.violations.empty


def locate(
    units: pd.DataFrame,
    sites: pd.DataFrame,
    count: int,
    *,
    load: str = "demand",
    capacity: str | None = "capacity",
    weight: str | None = None,
    distance: str | pd.DataFrame = "euclidean",
    fixed: list[str] | pd.Index | None = None,
    cost: str | None = None,
    seed: int = 0,
    time_limit_s: float = 60.0,
    progress: bool = False,
) -> Located:
    """
    Choose the sites to open and give every unit one of them: the capacitated p-median problem.

    Each unit is served whole, each open site within its capacity, and exactly ``count`` sites are open. The bound is
    Lagrangian with 0-1 knapsacks; its multipliers give the starts of the search. Ctrl-C returns the best so far.

    Parameters
    ----------
    units : DataFrame
        Indexed by unit_id; ``x_km, y_km`` or ``lon, lat``, and the load.
    sites : DataFrame
        Candidates, indexed by site_id; ``x_km, y_km`` or ``lon, lat``, and the capacity.
    count : int
        Sites to open, those that are fixed among them.
    load : str
        Column of ``units`` that uses capacity.
    capacity : str, optional
        Column of ``sites``; None: unlimited.
    weight : str, optional
        Column of ``units`` that multiplies distance; None: each unit counts once.
    distance : str or DataFrame
        ``euclidean`` or ``great_circle`` (km), or a frame units x sites in km or hours; a missing value is a pair out
        of reach.
    fixed : list of str, optional
        Sites that must be open, such as the homes of today's reps.
    cost : str, optional
        Column of ``sites``: what opening one adds to the objective, such as a relocation.
    seed : int
        Decides every random choice: same seed, same plan (unless the time limit cuts the run short).
    time_limit_s : float
        Stop after this many seconds.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Located
        With ``violations`` not empty where no plan within all limits was found in time.

    Raises
    ------
    BadInput
        Naming every fault at once.
    Infeasible
        With the proof that there is no plan.
    """
    deadline = time.monotonic() + time_limit_s
    held = list(fixed) if fixed is not None else []
    faults = [
        *_table_faults(units, sites, {load, weight}, {capacity, cost}),
        *_distance_faults(units, sites, distance),
        *_choice_faults(sites, count, held),
    ]
    if faults:
        raise BadInput(faults)
    siting = numbers(
        units, sites, count, load=load, capacity=capacity, weight=weight, distance=distance, fixed=held, cost=cost
    )
    _refuse(siting, units.index, sites.index)
    points, seat = _map(siting, units, sites, distance)
    search = Search(siting, ground_of(siting, points, seat), seed, deadline)
    try:
        for _ in tqdm(_work(search, time_limit_s), desc="sites", disable=not progress):
            pass
    except KeyboardInterrupt:
        pass
    return _located(search, units, sites, load, capacity)


def numbers(
    units: pd.DataFrame,
    sites: pd.DataFrame,
    count: int,
    *,
    load: str = "demand",
    capacity: str | None = "capacity",
    weight: str | None = None,
    distance: str | pd.DataFrame = "euclidean",
    fixed: list[str] | None = None,
    cost: str | None = None,
) -> Siting:
    """Read the question of `locate` as numbers: loads a trifle above zero, capacities that let rounding pass."""
    amount = units[load].to_numpy(float)
    return Siting(
        far=_weighted(units, sites, weight, distance),
        load=np.where(amount > 0, amount, 1e-15 * max(float(amount.max()), 1e-300)),
        capacity=np.full(len(sites), np.inf) if capacity is None else sites[capacity].to_numpy(float) * (1 + ROUNDING),
        fee=np.zeros(len(sites)) if cost is None else sites[cost].to_numpy(float),
        held=sites.index.isin(fixed or []),
        wanted=int(count),
    )


def _work(search: Search, time_limit_s: float) -> Iterator[None]:
    """Search; put what is undecided to an integer programme when the whole map is annealed, and again at the end."""
    end = search.deadline
    search.deadline = end - FINAL_SHARE * time_limit_s
    for part in search.rounds(time.monotonic() + BOUND_SHARE * time_limit_s):
        if part == "annealed":
            decide(search, EARLY_SHARE * time_limit_s)
            if undecided(search.ascent, search.best.cost).sum() > HOPELESS * PAIRS:
                search.deadline = end - LAST_SHARE * time_limit_s
        yield
    search.deadline = end
    search.ascent.climb(search.best.cost, WHOLE, end, whole=True)
    yield
    decide(search, end - time.monotonic())
    if search.best.broken > 0:
        pack(search)


def _table_faults(
    units: pd.DataFrame, sites: pd.DataFrame, of_units: set[str | None], of_sites: set[str | None]
) -> Iterator[Fault]:
    """Find ids and amounts that cannot be used."""
    for table, frame, names in (("units", units, of_units), ("sites", sites, of_sites)):
        yield from index_faults(table, frame)
        for name in sorted(str(name) for name in names if name is not None):
            yield from number_faults(table, frame, name)


def _distance_faults(units: pd.DataFrame, sites: pd.DataFrame, distance: str | pd.DataFrame) -> Iterator[Fault]:
    """Find distances that are missing, negative or unknown."""
    if isinstance(distance, str):
        if distance not in ("euclidean", "great_circle"):
            mend = "choose 'euclidean', 'great_circle' or pass a frame units x sites"
            yield Fault("distance", "", "", f"unknown: {distance!r}", mend)
            return
        yield from place_faults("units", units, distance)
        yield from place_faults("sites", sites, distance)
        return
    for unit in units.index.difference(distance.index):
        yield Fault("distance", "", str(unit), "no row for this unit", "add its distances")
    for site in sites.index.difference(distance.columns):
        yield Fault("distance", str(site), "", "no column for this site", "add the distances to it")
    for row, column in np.argwhere(distance.to_numpy(float) < 0):
        place = str(distance.columns[column]), str(distance.index[row])
        yield Fault("distance", *place, "negative", "give 0 or more")
    for label in [*distance.index[distance.index.duplicated()], *distance.columns[distance.columns.duplicated()]]:
        yield Fault("distance", "", str(label), "stands there twice", "keep one")


def _choice_faults(sites: pd.DataFrame, count: int, fixed: list[str]) -> Iterator[Fault]:
    """Find a number of sites, or sites that must be open, that cannot be."""
    for site in pd.Index(fixed).difference(sites.index):
        yield Fault("fixed", "", str(site), "is not a site", "name an existing one")
    least = max(1, len(set(fixed)))
    if not least <= count <= len(sites):
        yield Fault("count", "", "", f"{count} sites", f"give a number from {least} (those fixed) to {len(sites)}")


def _weighted(units: pd.DataFrame, sites: pd.DataFrame, weight: str | None, distance: str | pd.DataFrame) -> Floats:
    """Weight x distance of every pair, infinite out of reach, shape (n, m)."""
    if isinstance(distance, pd.DataFrame):
        far = distance.loc[units.index, sites.index].to_numpy(float)
        far = np.where(np.isnan(far), np.inf, far)
    elif distance == "euclidean":
        east, north = (np.subtract.outer(units[c].to_numpy(float), sites[c].to_numpy(float)) for c in ("x_km", "y_km"))
        far = np.hypot(east, north)
    else:
        there = sites["lon"].to_numpy(float), sites["lat"].to_numpy(float)
        far = great_circle_km(units[["lon"]].to_numpy(float), units[["lat"]].to_numpy(float), *there)
    if weight is not None:
        far = np.where(np.isinf(far), np.inf, np.where(np.isinf(far), 0.0, far) * units[[weight]].to_numpy(float))
    return np.ascontiguousarray(far)


def _map(siting: Siting, units: pd.DataFrame, sites: pd.DataFrame, distance: str | pd.DataFrame) -> tuple[Floats, Ints]:
    """Units in space, and the site that stands where each stands; for a matrix, space is the way to a few far sites."""
    seat = np.full(len(units), -1)
    if isinstance(distance, pd.DataFrame):
        far = np.where(np.isfinite(siting.far), siting.far, 0.0)
        marks = [int(far.sum(axis=0).argmax())]
        for _ in range(min(5, len(sites) - 1)):
            marks.append(int(np.abs(far[:, :, None] - far[:, None, marks]).sum(axis=0).min(axis=1).argmax()))
        return far[:, marks], seat
    places = ["x_km", "y_km"] if distance == "euclidean" else ["lon", "lat"]
    at, there = (pd.MultiIndex.from_frame(frame[places].astype(float)) for frame in (units, sites))
    ours, theirs = (pd.Series(np.arange(len(index)), index).groupby(level=[0, 1]).cumcount() for index in (at, there))
    seat = pd.MultiIndex.from_arrays([*zip(*there, strict=True), theirs]).get_indexer(
        pd.MultiIndex.from_arrays([*zip(*at, strict=True), ours])
    )
    points = units[places].to_numpy(float)
    if distance == "great_circle":
        lon, lat = np.radians(points.T)
        points = EARTH_RADIUS_KM * np.c_[np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    return points, seat


def _refuse(siting: Siting, unit_ids: pd.Index, site_ids: pd.Index) -> None:
    """Look for reasons, each a proof, why there is no plan."""
    allowed = np.isfinite(siting.far)
    stranded = np.flatnonzero(~allowed.any(axis=1))
    if stranded.size:
        names = [str(unit) for unit in unit_ids[stranded]]
        raise Infeasible(f"no site is within reach of {some(names)}", units=names)
    fits = allowed & (siting.load[:, None] <= siting.capacity)
    heavy = np.flatnonzero(~fits.any(axis=1))
    if heavy.size:
        names = [str(unit) for unit in unit_ids[heavy]]
        raise Infeasible(f"no site within reach has the capacity for {some(names)}, even alone", units=names)
    biggest = largest(siting)
    room = siting.capacity[biggest].sum()
    if siting.load.sum() > room * (1 + ROUNDING):
        raise Infeasible(
            f"the load is {siting.load.sum():,.6g}, but the {siting.wanted} largest sites that may be open together "
            f"hold {room:,.6g}",
            territories=[str(site) for site in site_ids[biggest]],
        )


def _located(search: Search, units: pd.DataFrame, sites: pd.DataFrame, load: str, capacity: str | None) -> Located:
    """Measure and audit the plan in the caller's words."""
    best: Opening = search.best
    siting = search.siting
    at = best.opened[best.cluster]
    alignment = pd.Series(sites.index[at], index=units.index, name="site_id")
    far = pd.Series(siting.far[np.arange(at.size), at], units.index)
    ids = sites.index[np.sort(best.opened)].rename("site_id")
    use = pd.DataFrame(
        {
            "units": alignment.value_counts().reindex(ids, fill_value=0),
            "load": units[load].astype(float).groupby(alignment.to_numpy()).sum().reindex(ids, fill_value=0.0),
            "capacity": np.inf if capacity is None else sites[capacity].astype(float).reindex(ids),
            "distance": far.groupby(alignment.to_numpy()).sum().reindex(ids, fill_value=0.0),
        },
        index=ids,
    )
    over = use[use["load"] > use["capacity"] * (1 + ROUNDING)]
    rows = [
        ("capacity", site, None, held, most, f"{site} has {held:,.6g} for a capacity of {most:,.6g}")
        for site, held, most in zip(over.index, over["load"], over["capacity"], strict=True)
    ]
    rows += [
        ("reach", alignment[unit], unit, None, None, f"{unit} is out of reach of {alignment[unit]}")
        for unit in far.index[np.isinf(far)]
    ]
    objective = float(far.sum() + siting.fee[best.opened].sum())
    return Located(
        sites=ids,
        alignment=alignment,
        objective=objective,
        bound=float(search.bound),
        use=use,
        violations=pd.DataFrame(rows, columns=COLUMNS),
        seed=search.seed,
    )
