"""A plan mended in one place: after a lock or an edit by hand, the territories around it and no other."""

import time
from collections.abc import Iterable

import numpy as np
import pandas as pd

from territory_lab.alignment.centres import Centres, costs_of, fixed, settle
from territory_lab.alignment.connect import gather
from territory_lab.alignment.costs import TABLE
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.search import Search, State, beside
from territory_lab.alignment.solve import finish, search_of
from territory_lab.alignment.transport import Flow
from territory_lab.errors import BadInput, Fault

RINGS = 3  # how far to reach out while a limit is not kept
TURNS = 4


def reoptimise(plan: Plan, around: Iterable[str], *, time_limit_s: float = 10.0) -> Plan:
    """
    Improve a plan around some units and leave the rest as it is.

    Only the territories of these units and the ones beside them change; where that cannot keep every limit, the ring
    beyond, at most three. To lock or to edit first, pass ``dataclasses.replace(plan, problem=..., alignment=...)``.

    Parameters
    ----------
    plan : Plan
        With the problem as it now stands, and the alignment as edited.
    around : iterable of str
        Unit ids.
    time_limit_s : float
        Stop improving after this many seconds.

    Returns
    -------
    Plan
        Never worse than the one given (with its locks obeyed); its bound is for its own centres.

    Raises
    ------
    BadInput
        Where a unit is not known.
    """
    problem = plan.problem
    units = problem.unit_ids.get_indexer(pd.Index(list(around)))
    if (units < 0).any():
        unknown = [name for name, at in zip(around, units, strict=True) if at < 0]
        raise BadInput(Fault("around", "unit_id", str(name), "is not a unit", "name a known one") for name in unknown)
    search = search_of(problem, plan.seed, time.monotonic() + time_limit_s)
    state = _state(search, plan)
    ring = np.zeros(len(problem.territory_ids), np.bool_)
    ring[problem.codes(plan.alignment)[units]] = ring[state.assign[units]] = True
    for _ in range(RINGS):
        ring = beside(problem, state.assign, ring)
        for turn in range(TURNS):
            state = state._replace(assign=search.refine(state, turn, firmness=4.0, only=ring))
            state = state._replace(centres=settle(problem, state.centres, state.assign, np.flatnonzero(ring)))
        if search.score(costs_of(problem, state.centres), state.assign)[0] == 0 or search.late():
            break
    return finish(search, state)


def _state(search: Search, plan: Plan) -> State:
    """Take up a plan where it was left, locks obeyed and stray pieces brought home."""
    problem = search.problem
    price = plan.prices.loc[problem.territory_ids, problem.activities].to_numpy(float).T.copy()
    nothing = np.empty(0, np.int64)
    flow = Flow(nothing, nothing, np.empty(0), price, move_price=0.0, value=np.nan, excess=0.0)
    pinned = problem.arrays.pinned
    assign = np.where(pinned >= 0, pinned, problem.codes(plan.alignment))
    state = State(_centres(plan), flow, assign)
    if problem.neighbours is None:
        return state
    return state._replace(assign=gather(search.board(state, np.ones_like(price), priced=True), assign))


def _centres(plan: Plan) -> Centres:
    """Read the centres of a plan."""
    problem, territories = plan.problem, plan.territories
    if not problem.free:
        return fixed(problem)
    names = problem.distance.columns if isinstance(problem.distance, pd.DataFrame) else problem.unit_ids
    sites = names.get_indexer(pd.Index(territories["site"])) if "site" in territories else np.full(len(territories), -1)
    points = np.zeros((len(territories), 3)) if problem.kind == TABLE else problem.place(territories)
    return Centres(points, sites.astype(np.int64))
