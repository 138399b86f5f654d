"""Fixed homes: from a good plan to a better one, deciding exactly about the borders of a few territories at a time."""

import time

import numpy as np

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.milp import choose, stack
from territory_lab.alignment.pairs import chosen_by, cost_table, plan_of, seats_of, state
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.separate import contiguity_cuts

LARGE = 500_000  # pairs of units and homes
TOGETHER = 3  # neighbouring territories that are decided about together
BORDER = 25  # units of each that take part: those that lose least elsewhere
TRIES = 10  # sets of territories, for each territory
CUTS = 8  # times a set is solved again because a territory fell apart
NODES, GAP, RING_S = 1, 1e-5, 2.0  # of the search tree for one set: the clock is only for what goes astray
ENOUGH, FAR = 0.004, 0.01  # gaps at which a plan is left as it is: close, or with territories that cross the map
BETTER = 1 - 1e-9  # share of the cost that a better plan has at most


def worth_polishing(plan: Plan) -> bool:
    """Say whether `polished` could better a plan: it keeps every limit, and is neither near its bound nor far off."""
    pairs = len(plan.problem.units) * len(plan.problem.territory_ids)
    return not plan.problem.free and pairs <= LARGE and plan.feasible and ENOUGH < plan.gap < FAR


def polished(plan: Plan, deadline: float) -> Ints:
    """
    Better a plan for fixed homes along its borders: within all limits, and never dearer.

    Each step frees the units beside the borders of a few neighbouring territories and solves for them as a programme
    of zeros and ones, cutting off what falls apart (a large neighbourhood search; Shaw 1998).
    """
    problem, loads = plan.problem, plan.problem.arrays.loads
    table, assign = cost_table(problem), problem.codes(plan.alignment)
    priced = table + loads.T @ plan.prices.to_numpy(float).T
    size = np.maximum((loads / loads.sum(axis=1, keepdims=True)).sum(axis=0), 1e-12)  # an idle unit costs nothing
    units, k, rng = np.arange(assign.size), priced.shape[1], np.random.default_rng(plan.seed)
    known: set[tuple[bytes, ...]] = set()  # what was decided about before
    close = plan.bound + ENOUGH * abs(plan.bound)
    for _ in range(TRIES * k):
        if time.monotonic() > deadline or table[units, assign].sum() <= close:
            break
        elsewhere = priced.copy()
        elsewhere[units, assign] = np.inf
        ring = _ring(assign, elsewhere.argmin(axis=1), k, rng)
        question = ring.tobytes(), np.flatnonzero(np.isin(assign, ring)).tobytes()
        if question in known:
            continue
        known.add(question)
        loss = (elsewhere[:, ring].min(axis=1) - priced[units, assign]) / size
        loss[~np.isin(assign, ring)] = np.inf
        free = np.argsort(loss, kind="stable")[: BORDER * ring.size]
        allowed = np.zeros(table.shape, np.bool_)
        allowed[units, assign] = True
        allowed[np.ix_(free[np.isfinite(loss[free])], ring)] = True
        assign = _decided(problem, table, allowed, assign, deadline)
    return assign


def _ring(assign: Ints, second: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Draw a territory and some that its units, or theirs, would go to next."""
    beside = np.zeros((k, k), np.bool_)
    beside[assign, second] = beside[second, assign] = True
    ring = rng.integers(k, size=1)
    while ring.size < min(TOGETHER, k):
        next_to = np.setdiff1d(np.flatnonzero(beside[ring].any(axis=0)), ring)
        if not next_to.size:
            break
        ring = np.r_[ring, rng.choice(next_to)]
    return np.sort(ring)


def _decided(problem: Problem, table: Floats, allowed: Flags, assign: Ints, deadline: float) -> Ints:
    """Take the best plan over the allowed pairs, or the one there was."""
    pairs, cost = state(problem, table, seats_of(problem), allowed), table[np.arange(assign.size), assign].sum()
    start = chosen_by(pairs, assign)
    for _ in range(CUTS):
        left = deadline - time.monotonic()
        chosen = (
            choose(pairs.cost, pairs.rows, min(left, RING_S), start, gap=GAP, nodes=NODES).chosen if left > 0 else None
        )
        if chosen is None or pairs.cost[chosen].sum() >= BETTER * cost:
            break
        plan = plan_of(pairs, chosen)
        cuts = contiguity_cuts(problem, pairs, plan) if problem.neighbours is not None else None
        if cuts is None:
            return plan
        pairs = pairs._replace(rows=stack(pairs.rows, cuts))
    return assign
