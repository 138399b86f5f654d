"""From a problem to the best plan found in time, with its bound."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.any_centres import any_centres, check_scope
from territory_lab.alignment.audit import audit
from territory_lab.alignment.centres import Centres, costs_of, fixed
from territory_lab.alignment.corners import refuse_corner
from territory_lab.alignment.costs import SPHERE, TABLE, total_cost
from territory_lab.alignment.exact import prove, seats, unproven
from territory_lab.alignment.packing import refuse_packing
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.polish import polished, worth_polishing
from territory_lab.alignment.prices import Bands, certificate
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.proofs import allot, refuse
from territory_lab.alignment.search import LARGE, Search, State

REPEATS, FAR_APART = 12, 1_000_003  # whole searches where the bound is for any centres, and between their seeds
SEARCHING = 0.6  # of the time limit: after it no further search begins, so that the bound has time as well
POLISHING = 0.5  # of the time then left, at most
CORNERS = 0.2  # of the time limit, at most, for the proof that some unit fits nowhere
RETRIES = 2  # whole searches where none has kept every band so far


def solve(
    problem: Problem,
    *,
    seed: int = 0,
    time_limit_s: float = 60.0,
    progress: bool | Callable[[pd.Series, float], object] = False,
    bound_scope: str = "these centres",
) -> Plan:
    """
    Find a balanced, contiguous, compact plan and a lower bound on how good any could be.

    Homes are fixed, or centres are found by annealed balanced location; for given centres the fractional optimum
    comes from a linear programme, is rounded, made contiguous, and improved by a local search. A problem small enough
    is then solved to the end: its bound is for any centres. Ctrl-C returns the best plan so far.

    Parameters
    ----------
    problem : Problem
        The question.
    seed : int
        Decides every random choice: same seed, same plan (unless the time limit cuts the run short).
    time_limit_s : float
        Stop improving after this many seconds.
    progress : bool or callable
        Show a progress bar; or what is told each better alignment, as it is found, and the share of the search done.
    bound_scope : str
        What the bound speaks of: ``these centres``, or ``any centres`` where they are free to stand at units or at the
        columns of a matrix; the time that is left then goes to that bound, and Ctrl-C ends it with what it has.

    Returns
    -------
    Plan
        With ``violations`` not empty where no plan within all limits was found in time.

    Raises
    ------
    Infeasible
        With the proof that there is no plan.
    BadInput
        Where there is no bound of that scope.
    """
    deadline = time.monotonic() + time_limit_s
    check_scope(problem, bound_scope)
    refuse(problem)
    if len(problem.apart):
        told = (lambda part, done: progress(whole(problem, part), done)) if callable(progress) else progress
        core = solve(problem.core, seed=seed, time_limit_s=time_limit_s, progress=told, bound_scope=bound_scope)
        return reunited(problem, core)
    search = search_of(problem, seed, deadline)
    refuse_packing(problem)
    refuse_corner(problem, CORNERS * time_limit_s)
    best, bar = None, progress is True
    until = time.monotonic() + SEARCHING * time_limit_s
    runs = REPEATS if bound_scope == "any centres" and len(problem.units) <= LARGE else 1
    try:
        for best, done in improving(search, runs, until, progress=bar):
            if callable(progress):
                progress(named(problem, best), done)
    except KeyboardInterrupt:
        if best is None:
            raise
        return finish(search, best)
    assert best is not None  # noqa: S101 - a search begins with a plan
    plan = finish(search, best)
    try:
        if worth_polishing(plan):
            plan = finish(search, best._replace(assign=polished(plan, deadline - (1 - POLISHING) * search.left())))
        if unproven(plan):
            plan = to_the_end(search, best, plan)
    except KeyboardInterrupt:
        return plan
    if bound_scope in {"these centres", plan.bound_scope}:
        return plan
    bound = any_centres(problem, best.centres, best.assign, deadline=deadline, progress=bar)
    return replace(plan, bound=bound, bound_scope=bound_scope)


def improving(search: Search, runs: int, until: float, *, progress: bool) -> Iterator[tuple[State, float]]:
    """Give each plan better than all before, with the share of the work done: some searches, more if none fits."""
    least, done, total = (np.inf, np.inf), 0, runs * (search.turns + 1)
    with tqdm(total=total, desc="alignment", disable=not progress) as bar:
        for run in range(max(runs, RETRIES)):
            if least[0] == 0 and (run >= runs or time.monotonic() > until):
                return
            for state in replace(search, seed=search.seed + run * FAR_APART).rounds():
                found = search.score(costs_of(search.problem, state.centres), state.assign)
                if found < least:
                    least = found
                    yield state, min(1.0, done / total)
                done += 1
                bar.update()
                if search.late():
                    return


def to_the_end(search: Search, state: State, plan: Plan) -> Plan:
    """Replace a plan of a small problem by the best there is, and its bound by one over any centres."""
    problem = search.problem
    proof = prove(problem, state.assign, search.deadline)
    if proof.plan is not None:
        centres, assign = seats(problem, proof.plan)
        plan = finish(search, state._replace(centres=centres, assign=assign))
    if not problem.free:
        return replace(plan, bound=max(plan.bound, proof.bound))
    if proof.bound == -np.inf:  # time ran out before anything was proven
        return plan
    return replace(plan, bound=proof.bound, bound_scope="any centres")


def search_of(problem: Problem, seed: int, deadline: float) -> Search:
    """Prepare a search."""
    a = problem.arrays
    share = problem.max_moved_share
    room = np.inf if share is None or share >= 1 else share * float(a.weight[a.owner >= 0].sum())
    return Search(problem, Bands(a.loads, a.lower, a.upper), allot(problem), room, seed, deadline)


def carried(plan: Plan, problem: Problem) -> Plan:
    """Put a plan before another problem in which it is allowed too, with the bound for its centres there."""
    search = search_of(problem, plan.seed, np.inf)
    centres = centres_of(plan)
    flow = search.price_out(centres, plan.prices.to_numpy(float).T.copy())
    return finish(search, State(centres, flow, problem.codes(plan.alignment)))


def finish(search: Search, state: State) -> Plan:
    """Measure, certify and audit a plan."""
    problem = search.problem
    costs = costs_of(problem, state.centres)
    alignment = named(problem, state)
    return Plan(
        problem=problem,
        alignment=alignment,
        territories=describe(problem, state.centres),
        objective=float(total_cost(costs, state.assign)),
        bound=certificate(costs, search.bands, state.flow.price, state.flow.move_price, search.room),
        bound_scope="these centres",
        seed=search.seed,
        violations=audit(problem, alignment),
        prices=pd.DataFrame(state.flow.price.T, index=problem.territory_ids, columns=problem.activities),
    )


def whole(problem: Problem, alignment: pd.Series) -> pd.Series:
    """Add the units that lie apart to an alignment of the others."""
    held = pd.Series(problem.locked, dtype=object).loc[problem.apart]
    owner: pd.Series = pd.concat([alignment.astype(object), held]).reindex(problem.unit_ids)
    return owner.astype(alignment.dtype).rename("territory_id")


def reunited(problem: Problem, core: Plan) -> Plan:
    """Add the units that lie apart to a plan of the others; what they cost is the same in every plan."""
    alignment = whole(problem, core.alignment)
    costs, assign = costs_of(problem, centres_of(core)), problem.codes(alignment)
    fixed_cost = float(total_cost(costs, assign)) - core.objective
    return replace(
        core,
        problem=problem,
        alignment=alignment,
        objective=core.objective + fixed_cost,
        bound=core.bound + fixed_cost,
        violations=audit(problem, alignment),
    )


def named(problem: Problem, state: State) -> pd.Series:
    """Give a state's alignment in the caller's names."""
    return pd.Series(problem.territory_ids[state.assign], index=problem.unit_ids, name="territory_id")


def centres_of(plan: Plan) -> Centres:
    """Read the centres of a plan: what `describe` wrote."""
    problem, territories = plan.problem, plan.territories
    if not problem.free:
        return fixed(problem)
    names = problem.distance.columns if isinstance(problem.distance, pd.DataFrame) else problem.unit_ids
    sites = names.get_indexer(pd.Index(territories["site"])) if "site" in territories else np.full(len(territories), -1)
    points = np.zeros((len(territories), 3)) if problem.kind == TABLE else problem.place(territories)
    return Centres(points, sites.astype(np.int64))


def describe(problem: Problem, centres: Centres) -> pd.DataFrame:
    """Centres in the caller's coordinates."""
    frame = pd.DataFrame(index=problem.territory_ids)
    points = centres.points
    if isinstance(problem.territories, pd.DataFrame):
        columns = [c for c in ("lon", "lat", "x_km", "y_km") if c in problem.territories]
        frame = problem.territories[columns].rename_axis("territory_id")
    elif problem.kind == SPHERE:
        frame["lon"] = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
        frame["lat"] = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    elif problem.kind != TABLE:
        frame["x_km"], frame["y_km"] = points[:, 0], points[:, 1]
    if isinstance(problem.distance, pd.DataFrame):
        names = problem.distance.columns if problem.free else problem.territory_ids
        frame["site"] = names[centres.site]
    elif (centres.site >= 0).all() and problem.free:
        frame["site"] = problem.unit_ids[centres.site]
    return frame
