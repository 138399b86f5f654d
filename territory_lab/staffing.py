"""Who gets what: reps matched to territories, managers and specialists over them, the road at each number of reps."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from tqdm import tqdm

from territory_lab.alignment import Infeasible, Plan, Problem, solve
from territory_lab.alignment.problem import great_circle_km
from territory_lab.errors import BadInput, Fault
from territory_lab.workload import CallPlan, travel_h


def match(
    territories: pd.DataFrame,
    reps: pd.DataFrame,
    known: pd.DataFrame | None = None,
    *,
    skill_km: float = 200.0,
    known_km: float = 300.0,
) -> pd.DataFrame:
    """
    Give every territory the rep who suits it best, all taken together (the assignment problem, solved exactly).

    All that counts is put in kilometres: the way from home to the territory's centre, plus ``skill_km`` for each need
    that the rep does not meet, less ``known_km`` times the share of the territory's revenue that the rep has already.

    Parameters
    ----------
    territories : DataFrame
        By ``territory_id``: ``lon``, ``lat`` of the centre in degrees and, where it matters, ``needs`` (skills and
        languages, parted by semicolons).
    reps : DataFrame
        By ``rep_id``: ``lon``, ``lat`` of the home and, where it matters, ``skills`` (likewise).
    known : DataFrame, optional
        Share of each territory's revenue (rows) with accounts that each rep (columns) serves today.
    skill_km : float, default 200
        What a need not met weighs.
    known_km : float, default 300
        What knowing all customers weighs.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``rep_id`` (missing where reps are too few), ``km`` from home, ``lacks`` (needs not met,
        parted by semicolons), ``known_share`` and ``cost_km`` (all of it together).
    """
    faults = [
        Fault(name, "lon, lat", str(row), "is not known", "give both in degrees")
        for name, table in (("territories", territories), ("reps", reps))
        for row in table.index[table[["lon", "lat"]].isna().any(axis=1)]
    ]
    if faults:
        raise BadInput(faults)
    km = great_circle_km(
        territories["lon"].to_numpy()[:, None], territories["lat"].to_numpy()[:, None], reps["lon"], reps["lat"]
    )
    needs, skills = _words(territories, "needs"), _words(reps, "skills")
    lacks = [[need - skill for skill in skills] for need in needs]
    given = pd.DataFrame() if known is None else known
    shared = given.reindex(index=territories.index, columns=reps.index).astype(float).fillna(0.0).to_numpy()
    cost = km + skill_km * np.array([[len(words) for words in row] for row in lacks]) - known_km * shared
    rows, columns = linear_sum_assignment(cost)
    chosen = pd.DataFrame(
        {
            "rep_id": reps.index[columns],
            "km": km[rows, columns],
            "lacks": ["; ".join(sorted(lacks[row][column])) for row, column in zip(rows, columns, strict=True)],
            "known_share": shared[rows, columns],
            "cost_km": cost[rows, columns],
        },
        index=territories.index[rows],
    )
    return chosen.reindex(territories.index).rename_axis("territory_id")


def districts(
    plan: Plan,
    managers: pd.DataFrame | int,
    *,
    load: pd.Series | None = None,
    tolerance: float = 0.2,
    seed: int = 0,
    time_limit_s: float = 10.0,
) -> Plan:
    """
    Gather a plan's territories into managers' districts, or lay specialists over them, by the engine that made them.

    Territories are the units, at their centres, with their loads; they are neighbours where any of their units are. A
    specialist so works with the same few generalists all over their territories.

    Parameters
    ----------
    plan : Plan
        Of territories, on the globe or in the plane.
    managers : DataFrame or int
        By manager's (or specialist's) name ``lon``, ``lat`` (or ``x_km``, ``y_km``) of the home, or how many.
    load : Series, optional
        What is to be balanced, by ``unit_id``, such as the specialists' hours; the plan's first activity without it.
    tolerance : float, default 0.2
        Allowed deviation of a district's load from its target. Loads are few and lumpy: a narrow one may not be had.
    seed : int, default 0
        Of the solver.
    time_limit_s : float, default 10
        For the solver.

    Returns
    -------
    Plan
        Whose ``alignment`` is the district of each territory.
    """
    problem = plan.problem
    asked = problem.units[problem.activities[0]] if load is None else load.reindex(problem.unit_ids, fill_value=0.0)
    held = asked.groupby(plan.alignment.reindex(problem.unit_ids).to_numpy()).sum()
    places = [name for name in ("lon", "lat", "x_km", "y_km") if name in plan.territories]
    centres = plan.territories[places].join(held.rename("load"), how="inner").rename_axis("unit_id")
    beside = None
    if isinstance(problem.neighbours, pd.DataFrame):
        beside = borders(plan.alignment, problem.neighbours)
    upper = Problem(
        centres,
        managers,
        balance={"load": tolerance},
        neighbours=beside,
        distance="great_circle" if "lon" in centres else "euclidean",
    )
    return solve(upper, seed=seed, time_limit_s=time_limit_s)


def travel_by_size(
    units: pd.DataFrame,
    sizes: Iterable[int],
    plan: CallPlan,
    neighbours: pd.DataFrame | None = None,
    *,
    tolerance: float = 0.1,
    seed: int = 0,
    time_limit_s: float = 2.5,
    progress: bool = False,
) -> pd.Series:
    """
    Measure on real plans how the road shrinks as territories become more.

    For each number of territories the engine places balanced ones with free centres, where the reps then live.

    Parameters
    ----------
    units : DataFrame
        By ``unit_id``: ``lon``, ``lat``, ``calls`` a year, ``workload_h``.
    sizes : iterable of int
        Numbers of territories, today's among or between them.
    plan : CallPlan
        Speed, trips, nights.
    neighbours : DataFrame, optional
        ``unit_a``, ``unit_b``; with them territories are contiguous.
    tolerance : float, default 0.1
        Of workload, around the mean; where one unit alone exceeds it, as much as that unit needs.
    seed : int, default 0
        Of the solver.
    time_limit_s : float, default 2.5
        For each plan.
    progress : bool, default False
        Show a bar.

    Returns
    -------
    Series
        ``travel_share`` (of all hours: workload and travel from home) by ``territories``, for ``sizing.sweep``; numbers
        for which no balanced plan can exist are left out.
    """
    shares = {}
    work = float(units["workload_h"].sum())
    lump = float(units["workload_h"].max()) / work
    for size in tqdm(sorted(set(sizes)), desc="territories", disable=not progress):
        band = max(tolerance, lump * size * 1.01 - 1)
        try:
            problem = Problem(units, size, balance={"workload_h": band}, neighbours=neighbours)
            solved = solve(problem, seed=seed, time_limit_s=time_limit_s)
        except Infeasible:
            continue
        road = float(travel_h(units["calls"], units, solved.alignment, solved.territories, plan).sum())
        shares[size] = road / (road + work)
    return pd.Series(shares, name="travel_share").rename_axis("territories")


def borders(alignment: pd.Series, neighbours: pd.DataFrame) -> pd.DataFrame:
    """
    Return which territories lie side by side.

    Parameters
    ----------
    alignment : Series
        Territory of each ``unit_id``.
    neighbours : DataFrame
        Pairs of units in its first two columns.

    Returns
    -------
    DataFrame
        ``territory_a`` < ``territory_b``, each pair once, in order.
    """
    sides = neighbours.iloc[:, :2].apply(lambda side: side.map(alignment)).dropna().to_numpy(dtype=object)
    pairs = pd.DataFrame(np.sort(sides, axis=1), columns=["territory_a", "territory_b"]).drop_duplicates()
    return pairs[pairs["territory_a"] != pairs["territory_b"]].sort_values(
        ["territory_a", "territory_b"], ignore_index=True
    )


def _words(table: pd.DataFrame, column: str) -> list[set[str]]:
    """Read lists of words; upper and lower case are the same."""
    if column not in table:
        return [set() for _ in range(len(table))]
    return [
        {word.strip().lower() for word in str(text).split(";") if word.strip()} for text in table[column].fillna("")
    ]
