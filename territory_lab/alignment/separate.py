"""Limits that a solution in pieces breaks and no contiguous plan does."""

from typing import NamedTuple

import numpy as np

from territory_lab.alignment.connect import pieces
from territory_lab.alignment.costs import Flags, Ints
from territory_lab.alignment.milp import Rows, sparse
from territory_lab.alignment.pairs import Pairs
from territory_lab.alignment.problem import Problem

Entries = list[tuple[list[int], list[float], float]]  # columns, values, upper limit


def contiguity_cuts(problem: Problem, pairs: Pairs, plan: Ints) -> Rows | None:
    """
    Cut off a plan in which a territory is in pieces; None where each is in one.

    A centre belongs to its territory: a unit i cut off from centre j must bring along some unit of any set C that
    separates the two, x_ij <= sum of x_cj over C (Oehrlein and Haunert 2017; Validi, Buchanan and Lykhovyd 2022).
    A fixed home need not lie in its own territory; there two units a, b are in one territory only with some unit of a
    set that separates them, x_aj + x_bj <= 1 + sum of x_cj over C (Wang, Buchanan and Butenko 2017). Each is stated
    for every territory, as it holds for all of them.
    """
    a = problem.arrays
    piece = pieces(a.starts, a.ends, plan)
    entries: Entries = []
    for column in np.unique(plan[plan >= 0]).tolist():
        parts = np.unique(piece[plan == column])
        if parts.size == 1:
            continue
        held = np.bincount(piece, weights=a.loads[0])[parts]
        root = int(piece[pairs.seat[column]] if problem.free else parts[held.argmax()])
        for part in parts[parts != root]:
            inside, main = piece == part, piece == root
            walled = [_wall(a.starts, a.ends, inside, main), _wall(a.starts, a.ends, main, inside)]
            sides = [(walled[0].wall, inside, walled[0].beyond), (walled[1].wall, walled[1].beyond, main)]
            for wall, near, far in sides:
                lone = np.flatnonzero(inside & near)
                heavy = int(lone[a.loads[0][lone].argmax()])
                if problem.free:
                    entries += _rooted(pairs, lone, column, wall)
                    for other in np.flatnonzero(far[pairs.seat]).tolist():
                        entries += _rooted(pairs, np.array([heavy]), other, wall)
                else:
                    anchor = np.flatnonzero(main)
                    anchor = anchor[[a.loads[0][anchor].argmax()]]
                    entries += _paired(pairs, lone, int(anchor[0]), column, wall)
                    for other in range(pairs.key.shape[1]):
                        entries += _paired(pairs, np.array([heavy]), int(anchor[0]), other, wall)
    return _rows(entries, pairs.unit.size) if entries else None


def band_cuts(pairs: Pairs, plan: Ints, columns: Ints) -> Rows | None:
    """Cut off territories that only the tolerance of a solver let pass; None where there is no column."""
    entries: Entries = []
    for column in columns.tolist():
        there = np.flatnonzero(pairs.column == column)
        held = plan[pairs.unit[there]] == column
        entries.append((there.tolist(), np.where(held, 1.0, -1.0).tolist(), float(held.sum()) - 1))
    return _rows(entries, pairs.unit.size) if entries else None


class Wall(NamedTuple):
    """Units that separate a piece from the rest, and what lies beyond them; flags by unit."""

    wall: Flags
    beyond: Flags


def _wall(starts: Ints, ends: Ints, near: Flags, far: Flags) -> Wall:
    """Take the neighbours of ``near`` that ``far`` reaches without crossing another of them."""
    edge = np.zeros(near.size, np.bool_)
    for i in np.flatnonzero(near).tolist():
        edge[ends[starts[i] : starts[i + 1]]] = True
    edge &= ~near
    seen, touched, waiting = far.copy(), np.zeros(near.size, np.bool_), np.flatnonzero(far).tolist()
    while waiting:
        i = waiting.pop()
        for u in ends[starts[i] : starts[i + 1]].tolist():
            if edge[u]:
                touched[u] = True
            elif not seen[u]:
                seen[u] = True
                waiting.append(u)
    return Wall(touched, seen)


def _rooted(pairs: Pairs, units: Ints, column: int, wall: Flags) -> Entries:
    """Bar each unit from a centre beyond the wall unless a unit of the wall comes along."""
    bridge = pairs.key[wall, column]
    bridge = bridge[bridge >= 0].tolist()
    keys = pairs.key[units, column]
    return [([key, *bridge], [1.0] + [-1.0] * len(bridge), 0.0) for key in keys[keys >= 0].tolist()]


def _paired(pairs: Pairs, units: Ints, anchor: int, column: int, wall: Flags) -> Entries:
    """Bar each unit from sharing a territory with the anchor unless a unit of the wall comes along."""
    bridge = pairs.key[wall, column]
    bridge = bridge[bridge >= 0].tolist()
    held = int(pairs.key[anchor, column])
    keys = pairs.key[units, column]
    keys = keys[keys >= 0].tolist() if held >= 0 else []
    return [([key, held, *bridge], [1.0, 1.0] + [-1.0] * len(bridge), 1.0) for key in keys]


def _rows(entries: Entries, width: int) -> Rows:
    """State the cuts as rows."""
    count = np.array([len(columns) for columns, _, _ in entries])
    column = np.concatenate([np.array(columns, np.int64) for columns, _, _ in entries])
    value = np.concatenate([np.array(values) for _, values, _ in entries])
    upper = np.array([limit for _, _, limit in entries])
    return sparse(np.repeat(np.arange(count.size), count), column, value, (np.full(count.size, -np.inf), upper), width)
