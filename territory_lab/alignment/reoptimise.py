"""A plan mended in one place: after a lock or an edit by hand, the territories around it and no other."""

import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from territory_lab.alignment.centres import costs_of, settle
from territory_lab.alignment.connect import gather
from territory_lab.alignment.costs import Ints
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.search import Search, State
from territory_lab.alignment.solve import centres_of, finish, reunited, search_of
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
        With a bound for its own centres.

    Raises
    ------
    BadInput
        Naming every unit that is not known, or has no territory of the problem.
    """
    problem, names = plan.problem, pd.Index(list(around))
    units, owner = problem.unit_ids.get_indexer(names), problem.codes(plan.alignment)
    faults = [Fault("around", "unit_id", str(name), "is not a unit", "name a known one") for name in names[units < 0]]
    for unit in problem.unit_ids[owner < 0]:
        given = plan.alignment.get(unit)
        faults.append(Fault("alignment", "territory_id", str(unit), f"{given} is not a territory", "name one"))
    if faults:
        raise BadInput(faults)
    touched = np.unique(owner[units])
    if len(problem.apart):
        core = problem.core
        inner = replace(plan, problem=core, alignment=plan.alignment.reindex(core.unit_ids))
        return reunited(problem, _mended(inner, names.difference(problem.apart), touched, time_limit_s))
    return _mended(plan, names, touched, time_limit_s)


def _mended(plan: Plan, names: pd.Index, touched: Ints, time_limit_s: float) -> Plan:
    """Improve the territories touched and those of some units, and what lies beside them while a limit is not kept."""
    problem = plan.problem
    search = search_of(problem, plan.seed, time.monotonic() + time_limit_s)
    state = _state(search, plan)
    ring = np.zeros(len(problem.territory_ids), np.bool_)
    ring[touched] = ring[state.assign[problem.unit_ids.get_indexer(names)]] = True
    for _ in range(RINGS):
        ring = search.beside(state, ring)
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
    state = State(centres_of(plan), flow, assign)
    if problem.neighbours is None:
        return state
    return state._replace(assign=gather(search.board(state, np.ones_like(price), priced=True), assign))
