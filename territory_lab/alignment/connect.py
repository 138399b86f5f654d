"""Connected pieces: of the map, of a territory, and how stray pieces come home."""

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Costs, Floats, Ints, priced


@njit(cache=True)
def pieces(starts: Ints, ends: Ints, assign: Ints) -> Ints:
    """Number the connected pieces of equal ``assign``, in order of their first unit."""
    n = assign.size
    piece = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int64)
    found = 0
    for first in range(n):
        if piece[first] >= 0:
            continue
        piece[first] = found
        queue[0] = first
        head, tail = 0, 1
        while head < tail:
            i = queue[head]
            head += 1
            for e in range(starts[i], starts[i + 1]):
                u = ends[e]
                if piece[u] < 0 and assign[u] == assign[first]:
                    piece[u] = found
                    queue[tail] = u
                    tail += 1
        found += 1
    return piece


def islands(starts: Ints, ends: Ints) -> Ints:
    """Number the connected pieces of the whole map, shape (units,)."""
    return pieces(starts, ends, np.zeros(starts.size - 1, np.int64))


def strays(starts: Ints, ends: Ints, assign: Ints, mass: Floats) -> Ints:
    """List the units outside the heaviest piece of their territory."""
    piece = pieces(starts, ends, assign)
    heavy = np.bincount(piece, weights=mass)
    size = np.bincount(piece)
    owner = np.empty(heavy.size, np.int64)
    owner[piece] = assign
    # heaviest piece first, then the one with more units, then the one that starts first
    order = np.lexsort((np.arange(heavy.size), -size, -heavy, owner))
    main = order[np.r_[True, np.diff(owner[order]) > 0]]
    return np.flatnonzero(~np.isin(piece, main))


@njit(cache=True)
def _flood(costs: Costs, loads: Floats, price: Floats, starts: Ints, ends: Ints, assign: Ints) -> None:
    """Give each unit marked -1 to the cheapest neighbouring territory, ring by ring."""
    waiting = np.flatnonzero(assign < 0)
    chosen = np.empty(waiting.size, np.int64)
    while waiting.size:
        given = 0
        for q in range(waiting.size):
            i = waiting[q]
            best, target = np.inf, -1
            for e in range(starts[i], starts[i + 1]):
                j = assign[ends[e]]
                if j >= 0:
                    value = priced(costs, loads, price, i, j)
                    if value < best:
                        best, target = value, j
            chosen[q] = target
            given += target >= 0
        if given == 0:
            return
        for q in range(waiting.size):
            if chosen[q] >= 0:
                assign[waiting[q]] = chosen[q]
        waiting = waiting[chosen[: waiting.size] < 0]


def gather(costs: Costs, loads: Floats, price: Floats, starts: Ints, ends: Ints, assign: Ints) -> Ints:
    """Keep the heaviest piece of each territory and let its neighbours take the rest, where a lock does not forbid."""
    lost = strays(starts, ends, assign, loads.sum(axis=0) + 1e-12 * loads.sum())
    home = assign.copy()
    home[lost] = -1
    _flood(costs, loads, price, starts, ends, home)
    return np.where(home < 0, assign, home)
