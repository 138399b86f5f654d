"""Small alignment problems as programmes over the pairs unit x territory (or unit x possible centre)."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit

from territory_lab.alignment.centres import costs_of, fixed
from territory_lab.alignment.costs import Costs, Flags, Floats, Ints, fill_row
from territory_lab.alignment.milp import Rows, sparse, stack
from territory_lab.alignment.problem import Problem

WIDER = 1e-9  # relative; the limits are this much wider, as the audit's are
THOUSAND = 1e3  # loads are stated in thousandths of a target: the solver's tolerance is then a billionth of one


class Pairs(NamedTuple):
    """A programme over e allowed pairs, for n units and s columns (possible centres, or fixed homes)."""

    unit: Ints  # of each pair, shape (e,)
    column: Ints  # likewise
    key: Ints  # position of each pair, -1 where it is not allowed, shape (n, s)
    cost: Floats  # of each pair, shape (e,)
    rows: Rows
    seat: Ints  # unit at which each column stands and which belongs to it, -1 where homes are fixed, shape (s,)


def seats_of(problem: Problem) -> Ints:
    """Name the unit at which each column stands; -1 where homes are fixed, or a site of the matrix is not a unit."""
    if not problem.free:
        return np.full(len(problem.territory_ids), -1)
    if isinstance(problem.distance, pd.DataFrame):
        return problem.unit_ids.get_indexer(problem.distance.columns).astype(np.int64)
    return np.arange(len(problem.units))


def cost_table(problem: Problem) -> Floats:
    """Tabulate the cost of every unit at every possible centre or home; infinite where a pair is not allowed."""
    a = problem.arrays
    costs = problem.costs(a.points, a.table) if problem.free else costs_of(problem, fixed(problem))
    return _rows_of(costs, seats_of(problem).size)


@njit(cache=True)
def _rows_of(costs: Costs, width: int) -> Floats:
    """Tabulate the cost of every pair."""
    table = np.empty((costs.weight.size, width))
    for i in range(costs.weight.size):
        fill_row(costs, i, table[i])
    return table


def state(problem: Problem, cost: Floats, seat: Ints, allowed: Flags, core: Ints | None = None) -> Pairs:
    """
    State a problem over the allowed pairs (Hess et al. 1965).

    A unit has one territory; every activity of a territory is in its band; a centre belongs to its own territory,
    k of them are open, and nobody is served from a closed one. Contiguity comes later, cut by cut. With a ``core`` only
    its units need a territory; what others may stay without is left to further territories, which need only be right
    in number and total load.
    """
    allowed = allowed & np.isfinite(cost)
    if problem.free:
        allowed &= allowed[seat, np.arange(seat.size)]
    unit, column = np.nonzero(allowed)
    key = np.full(cost.shape, -1)
    key[unit, column] = np.arange(unit.size)
    n, e = cost.shape[0], unit.size
    needed = np.ones(n) if core is None else np.isin(np.arange(n), core).astype(float)
    each = sparse(unit, np.arange(e), np.ones(e), (needed, np.ones(n)), e)
    parts = [each, _bands(problem, unit, column, key, seat)]
    parts.append(_openings(problem, unit, column, key, seat) if problem.free else _homes(problem, unit, column, seat))
    if core is not None:
        parts[-1].lower[0] = 0
        parts.append(_remainder(problem, unit, seat[column] == unit))
    return Pairs(unit, column, key, cost[unit, column], stack(*parts), seat)


def narrow(pairs: Pairs, keep: Flags) -> Pairs:
    """Leave pairs out, and with a centre all that it would serve."""
    seat = pairs.seat[pairs.column]
    if seat.size and seat[0] >= 0:
        keep = keep & keep[pairs.key[seat, pairs.column]]
    key = np.full(pairs.key.shape, -1)
    key[pairs.unit[keep], pairs.column[keep]] = np.arange(int(keep.sum()))
    rows = pairs.rows._replace(matrix=pairs.rows.matrix[:, np.flatnonzero(keep)])
    return Pairs(pairs.unit[keep], pairs.column[keep], key, pairs.cost[keep], rows, pairs.seat)


def _bands(problem: Problem, unit: Ints, column: Ints, key: Ints, seat: Ints) -> Rows:
    """Limits of every activity, in thousandths of a mean target; a closed centre has none of it."""
    a, e, s = problem.arrays, unit.size, seat.size
    parts = []
    for row, load in enumerate(a.loads):
        size = float(a.upper[row].mean()) / THOUSAND
        lower = np.broadcast_to(a.lower[row, : 1 if problem.free else s] * (1 - WIDER) / size, s)
        upper = np.broadcast_to(a.upper[row, : 1 if problem.free else s] * (1 + WIDER) / size, s)
        if not problem.free:
            parts.append(sparse(column, np.arange(e), load[unit] / size, (lower, upper), e))
            continue
        open_at = key[seat, np.arange(s)]
        there = np.flatnonzero(open_at >= 0)
        at = np.r_[column, there]
        across = np.r_[np.arange(e), open_at[there]]
        limits = np.zeros(s), np.full(s, np.inf)
        parts += [
            sparse(at, across, np.r_[load[unit] / size, -lower[there]], limits, e),
            sparse(at, across, np.r_[-load[unit] / size, upper[there]], limits, e),
        ]
    return stack(*parts)


def _openings(problem: Problem, unit: Ints, column: Ints, key: Ints, seat: Ints) -> Rows:
    """Open as many centres as there are territories, and serve from open ones only."""
    e, k = unit.size, float(len(problem.territory_ids))
    centres = np.flatnonzero(seat[column] == unit)
    served = np.flatnonzero(seat[column] != unit)
    count = sparse(np.zeros(centres.size, np.int64), centres, np.ones(centres.size), (np.array([k]), np.array([k])), e)
    row = np.r_[np.arange(served.size), np.arange(served.size)]
    at = np.r_[served, key[seat[column[served]], column[served]]]
    value = np.r_[-np.ones(served.size), np.ones(served.size)]
    return stack(count, sparse(row, at, value, (np.zeros(served.size), np.full(served.size, np.inf)), e))


def _remainder(problem: Problem, unit: Ints, opens: Flags) -> Rows:
    """Leave to the territories that are not opened a load they can share: (k - open) L <= rest <= (k - open) U."""
    a, e, k = problem.arrays, unit.size, len(problem.territory_ids)
    parts = []
    for row, load in enumerate(a.loads):
        size = float(a.upper[row].mean()) / THOUSAND
        total, there, at = load.sum() / size, np.zeros(e, np.int64), np.arange(e)
        lower, upper = a.lower[row, 0] * (1 - WIDER) / size, a.upper[row, 0] * (1 + WIDER) / size
        least, most = (
            (np.array([-np.inf]), np.array([total - k * lower])),
            (np.array([total - k * upper]), np.array([np.inf])),
        )
        parts += [
            sparse(there, at, load[unit] / size - lower * opens, least, e),
            sparse(there, at, load[unit] / size - upper * opens, most, e),
        ]
    return stack(*parts)


def _homes(problem: Problem, unit: Ints, column: Ints, seat: Ints) -> Rows:
    """Leave no territory empty, and move no more than is allowed."""
    a, e, s = problem.arrays, unit.size, seat.size
    some = sparse(column, np.arange(e), np.ones(e), (np.ones(s), np.full(s, np.inf)), e)
    if problem.max_moved_share is None:
        return some
    mass = float(a.weight[a.owner >= 0].sum()) / THOUSAND or 1.0
    moves = np.flatnonzero((a.owner[unit] >= 0) & (a.owner[unit] != column))
    limit = np.array([(problem.max_moved_share + WIDER) * THOUSAND])
    moved = sparse(np.zeros(moves.size, np.int64), moves, a.weight[unit[moves]] / mass, (np.array([-np.inf]), limit), e)
    return stack(some, moved)


def plan_of(pairs: Pairs, chosen: Flags) -> Ints:
    """Read the column of each unit from a solution; -1 for a unit that has none."""
    plan = np.full(pairs.key.shape[0], -1)
    plan[pairs.unit[chosen]] = pairs.column[chosen]
    return plan


def chosen_by(pairs: Pairs, plan: Ints) -> Flags | None:
    """Write a plan as a solution; None where it uses a pair that is not among them."""
    used = pairs.key[np.arange(plan.size), plan]
    if (used < 0).any():
        return None
    chosen = np.zeros(pairs.unit.size, np.bool_)
    chosen[used] = True
    return chosen


@njit(cache=True)
def within_reach(allowed: Flags, seat: Ints, load: Floats, most: float, graph: tuple[Ints, Ints]) -> Flags:
    """
    Keep the pairs that a contiguous territory within its limit can hold, shape (n, s).

    A unit is within reach of a centre where some path of allowed units joins them and does not weigh more than a
    territory may (Validi, Buchanan and Lykhovyd 2022 call it length-bounded). ``graph`` is the neighbours' ``starts``
    and ``ends``.
    """
    starts, ends = graph
    n = load.size
    kept = np.zeros(allowed.shape, np.bool_)
    for j in range(seat.size):
        far = np.full(n, np.inf)
        if allowed[seat[j], j]:
            far[seat[j]] = load[seat[j]]
        while True:
            i, least = -1, np.inf
            for v in range(n):
                if not kept[v, j] and far[v] < least:
                    i, least = v, far[v]
            if i < 0 or least > most:
                break
            kept[i, j] = True
            for u in ends[starts[i] : starts[i + 1]]:
                if allowed[u, j]:
                    far[u] = min(far[u], least + load[u])
    return kept
