"""From the account book to a plan: loads by unit, the plan within the tolerance that can be had, what it changes."""

from pathlib import Path

import pandas as pd

from territory_lab import alignment, book, travel
from territory_lab.charts.words import best_possible, number, percent, plural
from territory_lab.errors import MissingTable, TerritoryLabError
from territory_lab.workload import CallPlan, headcount, workload_parts
from territory_lab.workspace import TRAVEL, Workspace

PATIENCE_S = 300.0  # far beyond what a plan takes, so that the clock does not decide what comes out
WIDER = 1.25  # how much the tolerance grows where a smaller one is proven impossible
WIDEST = 0.99
SCOPES = {
    "these homes": "no plan from the same homes and limits can have less travel than that; other homes might allow one",
    "these centres": "no plan round the same centres can have less travel than that; other centres might allow one",
    "any centres": "no plan within the same limits can have less travel than that, wherever its centres stand",
}
REMEDIES = {
    "complete": "give the territory a unit of its own, or drop its rep",
    "locked": "release the lock",
    "forbidden": "allow the pair, or give the unit a rep within reach",
    "balance": "widen tolerance_share in workspace.toml, or split the largest unit there",
    "contiguous": "add the bridge or ferry that joins the pieces to neighbours, or widen tolerance_share",
    "moved": "allow more to change hands, or widen tolerance_share",
}
WAYS_OUT = "join islands in neighbours, split the units named, or change the number or the homes of the reps"


def activities(known: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """
    Sum accounts to units: what is to be balanced, and what is to be looked at.

    Parameters
    ----------
    known : DataFrame
        By account_id: unit_id, tier, customer, spend, potential.
    places : DataFrame
        Units by unit_id.

    Returns
    -------
    DataFrame
        The units with ``accounts``, ``customers``, ``revenue`` and ``potential`` (money a year), ``calls`` a year and
        ``workload_h``.
    """
    sums = known.groupby("unit_id").agg(
        customers=("customer", "sum"), revenue=("spend", "sum"), potential=("potential", "sum")
    )
    area = places["area_km2"] if "area_km2" in places else pd.Series(0.0, index=places.index, name="area_km2")
    asked = workload_parts(known, area.to_frame(), CallPlan())
    load = pd.DataFrame(places.drop(columns="geometry", errors="ignore"))
    load = load.join(sums.reindex(places.index, fill_value=0.0).astype("float64")).join(asked[["accounts", "calls"]])
    load["workload_h"] = asked["call_h"] + asked["local_travel_h"]
    return load.rename_axis("unit_id")


def propose(
    space: Workspace, load: pd.DataFrame, current: pd.Series | None
) -> tuple[alignment.Plan, dict[str, object]]:
    """
    Solve within the stated tolerance; where that is proven impossible, say why and widen it until it is not.

    Parameters
    ----------
    space : Workspace
        Gives tolerance, homes, neighbours and seed.
    load : DataFrame
        From :func:`activities`.
    current : Series or None
        Today's alignment.

    Returns
    -------
    plan : Plan
        With the reps' homes as centres, or as many free ones as the workload asks for.
    facts : dict
        What the plan costs and proves, and what stood in the way of a narrower tolerance.

    Raises
    ------
    TerritoryLabError
        Where no tolerance helps, with the proof.
    """
    tolerance, reasons = space.settings.tolerance_share, []
    while True:
        try:
            plan = alignment.solve(
                question(space, load, current, tolerance), seed=space.settings.seed, time_limit_s=PATIENCE_S
            )
            break
        except alignment.Infeasible as proof:
            reasons.append(f"within {tolerance:.0%}: {proof}")
            if tolerance >= WIDEST:
                raise TerritoryLabError(f"there is no alignment: {'; '.join(reasons)}; {WAYS_OUT}") from proof
            tolerance = min(WIDER * tolerance, WIDEST)
    told = _road_file(space) if isinstance(plan.problem.distance, pd.DataFrame) else None
    stated = {"tolerance_share": tolerance, "infeasible": "; ".join(reasons), "road": told.name if told else ""}
    return plan, figures(plan) | stated


def question(
    space: Workspace,
    load: pd.DataFrame,
    current: pd.Series | None,
    tolerance: float,
    *,
    territories: int = 0,
    max_moved_share: float | None = None,
) -> alignment.Problem:
    """
    Ask for a plan of this workspace.

    Parameters
    ----------
    space : Workspace
        Gives homes and neighbours.
    load : DataFrame
        From :func:`activities`.
    current : Series or None
        Today's alignment.
    tolerance : float
        How far a territory's workload may lie from its target, as a share.
    territories : int
        How many, with free centres; 0: one at each rep's home, or as many as the workload asks for.
    max_moved_share : float, optional
        Share of today's workload that may change hands.

    Returns
    -------
    Problem
        Balanced on workload, contiguous where neighbours are known.
    """
    sites = territories or _sites(space, load)
    road = road_km(space, load, sites) if isinstance(sites, pd.DataFrame) else None
    pairs, own = book.neighbours(space, book.units(space)), book.named(space)
    if not isinstance(sites, pd.DataFrame) and pairs is not None and len(own):  # nobody's yet: each goes with its place
        pairs = pd.concat([pairs, load["stands_in"].dropna().rename("unit_b").rename_axis("unit_a").reset_index()])
    return alignment.Problem(
        load,
        sites,
        {"workload_h": tolerance},
        neighbours=pairs,
        locked=own["territory_id"] if isinstance(sites, pd.DataFrame) and len(own) else None,
        distance="great_circle" if road is None else road,
        current=current,
        max_moved_share=max_moved_share,
    )


def road_km(space: Workspace, load: pd.DataFrame, centres: pd.DataFrame) -> pd.DataFrame | None:
    """
    Turn the travel times of the workspace, where it has any, into the kilometres that take as long.

    An hour on the road counts as the kilometres, as the crow flies, that the call plan covers in it. A pair that the
    file leaves out counts its great circle, and so does a centre that is no rep's home.

    Parameters
    ----------
    space : Workspace
        With ``travel.csv``, ``travel.parquet`` or ``travel.json``, and homes; else there is nothing to turn.
    load : DataFrame
        Units by unit_id: ``lon, lat``.
    centres : DataFrame
        By territory_id: ``lon, lat``.

    Returns
    -------
    DataFrame or None
        Km, units by territories.

    Raises
    ------
    BadInput
        Naming what the file lacks.
    """
    file, homes = _road_file(space), _sites(space, load)
    if file is None or not isinstance(homes, pd.DataFrame):
        return None
    plan, places = CallPlan(), ["lon", "lat"]
    told = travel.read(file, load.index, homes.index) * plan.speed_km_h / plan.circuity
    at_home = homes[places].reindex(centres.index).eq(centres[places]).all(axis=1)
    km = {}
    for territory, lon, lat in centres[places].itertuples():
        direct = pd.Series(alignment.great_circle_km(load["lon"], load["lat"], lon, lat), load.index)
        km[territory] = told[territory].fillna(direct) if at_home[territory] else direct
    return pd.DataFrame(km)


def figures(plan: alignment.Plan) -> dict[str, object]:
    """
    Say what a plan costs and proves.

    Parameters
    ----------
    plan : Plan
        As solved.

    Returns
    -------
    dict
        objective, bound, gap, bound_scope, mean_km and the number of violations.
    """
    return {
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "bound_scope": plan.bound_scope if plan.problem.free else "these homes",
        "mean_km": plan.objective / float(plan.problem.units["workload_h"].sum()),
        "violations": len(plan.violations),
    }


def verdict(facts: dict[str, object]) -> pd.DataFrame:
    """
    Say in words what the plan minimises, how good it is, and what it had to give up.

    Parameters
    ----------
    facts : dict
        From :func:`propose`.

    Returns
    -------
    DataFrame
        By ``what``: ``figure``, in words.
    """
    told = pd.Series(facts)
    scope, lacking, reasons = told["bound_scope"], told["violations"], told["infeasible"]
    rows = {
        "What it keeps small": f"travel: every hour of work times its distance from the "
        f"{'home' if scope == 'these homes' else 'centre'} that serves it",
        "How it measures distance": _measure(str(told["road"])),
        "Travel of the plan": f"{number(told['objective'])} h km a year; {number(told['mean_km'])} km for a mean hour",
        "Least travel any plan could have": f"{number(told['bound'])} h km a year, proven for {scope}",
        "So the plan is": best_possible(told["gap"], scope),
        "What that proves": SCOPES[scope],
        "Tolerance round a fair share": f"±{percent(told['tolerance_share'])}",
        "Limits it breaks": f"{plural(lacking, 'limit')}, listed below" if lacking else "none",
        "In the way of a narrower tolerance": f"{reasons}. To get it: {WAYS_OUT}" if reasons else "nothing",
    }
    return pd.DataFrame({"figure": rows}).rename_axis("what")


def broken(plan: alignment.Plan) -> pd.DataFrame:
    """
    Name the limits a plan breaks, and what would help.

    Parameters
    ----------
    plan : Plan
        As solved.

    Returns
    -------
    DataFrame
        ``message`` and ``remedy``; empty where every limit is kept.
    """
    found = plan.violations
    return pd.DataFrame({"message": found["message"], "remedy": found["rule"].map(REMEDIES)}, dtype=object)


def by_territory(problem: alignment.Problem, owner: pd.Series, centres: pd.DataFrame) -> pd.DataFrame:
    """
    Say the size, load, reach and worth of every territory.

    Parameters
    ----------
    problem : Problem
        The question.
    owner : Series
        territory_id by unit_id.
    centres : DataFrame
        By territory_id, as in ``Plan.territories``.

    Returns
    -------
    DataFrame
        ``alignment.metrics.by_territory`` with potential, customers and revenue.
    """
    table = alignment.metrics.by_territory(problem, owner, centres)
    extra = [name for name in ("potential", "customers", "revenue") if name not in table]
    return table.join(problem.units[extra].groupby(owner).sum()).fillna(dict.fromkeys(extra, 0.0))


def moves(load: pd.DataFrame, current: pd.Series, proposed: pd.Series) -> pd.DataFrame:
    """
    Sum what changes hands by the territories it leaves and joins.

    Parameters
    ----------
    load : DataFrame
        From :func:`activities`.
    current, proposed : Series
        territory_id by unit_id.

    Returns
    -------
    DataFrame
        from, to, units, workload_h, revenue, customers; the largest workload first.
    """
    owners = pd.DataFrame({"from": current, "to": proposed.reindex(load.index)})
    moved = load.join(owners)[owners["from"].notna() & (owners["from"] != owners["to"])]
    sums = moved.groupby(["from", "to"])[["workload_h", "revenue", "customers"]].sum()
    sums.insert(0, "units", moved.groupby(["from", "to"]).size())
    return sums.sort_values("workload_h", ascending=False, kind="stable").reset_index()


def _road_file(space: Workspace) -> Path | None:
    """Find the travel times that a router told."""
    return next((space.folder / name for name in TRAVEL if (space.folder / name).is_file()), None)


def _measure(road: str) -> str:
    """Say what a kilometre is."""
    if not road:
        return "as the crow flies"
    plan = CallPlan()
    return f"by the travel times of {road}: an hour on the road counts as {plan.speed_km_h / plan.circuity:.0f} km"


def _sites(space: Workspace, load: pd.DataFrame) -> pd.DataFrame | int:
    """Give the reps' homes, or as many free centres as the workload asks for."""
    try:
        return book.homes(space)
    except MissingTable:
        return max(1, round(float(headcount(float(load["workload_h"].sum()), CallPlan().rep_h)["reps"].iloc[0])))
