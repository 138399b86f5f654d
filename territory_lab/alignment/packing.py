"""Why units do not fit into territories: reasons that name a few of them, and a programme where none does."""

import numpy as np

from territory_lab.alignment.connect import islands, pieces
from territory_lab.alignment.costs import Ints
from territory_lab.alignment.pairs import Pairs, narrow, state, within_reach
from territory_lab.alignment.plan import Infeasible, some
from territory_lab.alignment.problem import Problem

LARGEST_SUM = 10**8  # up to here sums of whole numbers are tabulated one by one
MOST_ENCLOSED = 2_000  # units; beyond, a look behind each of them takes longer than it is worth
SLACK = 1e-9  # relative; what the audit lets pass


def refuse_packing(problem: Problem) -> None:
    """
    Raise `Infeasible` for a unit that no company brings into the band.

    A heavy unit reaches the minimum with no set of others, or what lies behind a unit must join it and together they
    exceed the maximum.
    """
    for row, activity in enumerate(problem.activities):
        _stranded(problem, row, activity)
        if problem.neighbours is not None and len(problem.units) <= MOST_ENCLOSED:
            _enclosed(problem, row, activity)


def limits(problem: Problem, row: int) -> tuple[float, float]:
    """Give the band of an activity that holds every territory's, with the slack that the audit allows."""
    a = problem.arrays
    return float(a.lower[row].min()) * (1 - SLACK), float(a.upper[row].max()) * (1 + SLACK)


def _stranded(problem: Problem, row: int, activity: str) -> None:
    """Find a heavy unit of which every company weighs too little or too much (sums of whole numbers, all of them)."""
    a, ids = problem.arrays, problem.unit_ids
    load = a.loads[row]
    least, most = limits(problem, row)
    if most > LARGEST_SUM or (load != np.round(load)).any():
        return
    for i in np.flatnonzero((load >= least / 2) & (load < least)).tolist():
        others = np.flatnonzero((load > 0) & (load <= most - load[i]))
        others = others[others != i]
        if problem.neighbours is not None:
            near = within_reach(np.ones((load.size, 1), np.bool_), np.array([i]), load, most, (a.starts, a.ends))
            others = others[near[others, 0]]
        if not _sums_to(load[others].astype(int).tolist(), int(np.ceil(least - load[i])), int(most - load[i])):
            raise Infeasible(
                f"{ids[i]} has {load[i]:,.6g} of {activity}, and no set of the {others.size} units that could join it "
                f"brings it to between {least:,.6g} and {most:,.6g}",
                units=[str(ids[i])],
            )


def _sums_to(parts: list[int], least: int, most: int) -> bool:
    """Whether some of the parts sum to between ``least`` and ``most``; bit s of ``sums`` says that s can be had."""
    sums, mask = 1, (1 << (most + 1)) - 1
    for part in parts:
        sums |= (sums << part) & mask
        if sums >> least:
            return True
    return bool(sums >> least)


def _enclosed(problem: Problem, row: int, activity: str) -> None:
    """
    Find a unit that must take in more of what lies behind it than a territory may carry.

    What a unit cuts off, of load w, holds m whole territories for some m and leaves at least w - m U to it.
    """
    a, ids = problem.arrays, problem.unit_ids
    load = a.loads[row]
    least, most = limits(problem, row)
    whole = islands(a.starts, a.ends)
    for i in range(load.size):
        apart = np.zeros(load.size, np.int64)
        apart[i] = 1
        piece = pieces(a.starts, a.ends, apart)
        behind = np.setdiff1d(np.unique(piece[whole == whole[i]]), piece[i])
        held = np.bincount(piece, weights=load)
        count = np.floor(held / least) if least > 0 else np.full(held.size, np.inf)
        left = np.maximum(held - np.where(held > 0, count, 0) * most, 0.0)
        if load[i] + left[behind].sum() <= most:
            continue
        behind = behind[np.argsort(-left[behind], kind="stable")]
        total = load[i] + np.cumsum(left[behind])
        needed = int(np.argmax(total > most)) + 1
        names = [str(unit) for unit in ids[np.isin(piece, behind[:needed])]]
        raise Infeasible(
            f"{ids[i]} cuts off {some(names)}, which cannot make up whole territories: with what must join it, it has "
            f"{total[needed - 1]:,.6g} of {activity}; a territory may not exceed {most:,.6g}",
            units=[str(ids[i]), *names],
        )


def packing(problem: Problem, core: Ints | None = None) -> Pairs:
    """
    Ask for any plan at all, led by one unit of each territory: the first in an order, here the heaviest.

    With a leader and no cost the model of Hess has no symmetry left: one solution a plan, whatever its centres. With a
    ``core``, for the territories of these units only: they come first in the order, so that they lead them.
    """
    a = problem.arrays
    n = len(a.weight)
    leaders = np.arange(n) if core is None else core
    order = np.lexsort((-a.loads[0], ~np.isin(np.arange(n), leaders)))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    allowed = (rank[:, None] >= rank) & np.isin(np.arange(n), leaders)
    return reachable(problem, state(problem, np.zeros((n, n)), np.arange(n), allowed, core))


def reachable(problem: Problem, pairs: Pairs) -> Pairs:
    """Leave out the pairs that no contiguous territory can hold."""
    a = problem.arrays
    if problem.neighbours is None:
        return pairs
    for row, load in enumerate(a.loads):
        most = limits(problem, row)[1]
        near = within_reach(pairs.key >= 0, pairs.seat, load, most, (a.starts, a.ends))
        pairs = narrow(pairs, near[pairs.unit, pairs.column])
    return pairs


def too_crowded(problem: Problem, core: Ints) -> Infeasible:
    """Say that a few units have no territories, whatever becomes of the others."""
    names = [str(unit) for unit in problem.unit_ids[np.sort(core)]]
    kind = "contiguous territories" if problem.neighbours is not None else "territories"
    reason = f"no {kind} within the bands can hold {', '.join(names)} and leave a load that makes up the others"
    return Infeasible(f"{reason} (an integer programme, solved to the end, has no solution)", units=names)


def no_plan(problem: Problem) -> Infeasible:
    """Say that the programme over all pairs has no solution."""
    kind = "contiguous plan" if problem.neighbours is not None else "plan, contiguous or not,"
    k = len(problem.territory_ids)
    bands = ", ".join(f"{name} within {tolerance:.3g} of its target" for name, tolerance in problem.balance.items())
    reason = f"no {kind} of {len(problem.units)} units in {k} territories keeps {bands}"
    return Infeasible(f"{reason}: an integer programme over all pairs, solved to the end, has no solution")
