"""Connected pieces: of the map, of a territory, and how stray pieces come home."""

from typing import NamedTuple

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Costs, Floats, Ints, priced


class Board(NamedTuple):
    """What stays while units change hands, for n units, k territories and m activities."""

    costs: Costs
    starts: Ints  # neighbours of unit i: ``ends[starts[i]:starts[i + 1]]``; ``ends`` is empty without contiguity
    ends: Ints
    near: Ints  # territories worth a try without contiguity, shape (n, width), or (0, 0)
    loads: Floats  # the activities, shape (m, n)
    lower: Floats  # limit of each activity in each territory, shape (m, k)
    upper: Floats  # likewise
    price: Floats  # shadow prices of the limits, shape (m, k)
    stiff: Floats  # penalty per unit of activity outside the limits, shape (m, k)
    limit: float  # weight that may leave its owner; infinite where nothing limits it


@njit(cache=True)
def pieces(starts: Ints, ends: Ints, assign: Ints) -> Ints:
    """Count off the connected pieces of equal ``assign``, in order of their first unit."""
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
            for u in ends[starts[i] : starts[i + 1]]:
                if piece[u] < 0 and assign[u] == assign[first]:
                    piece[u] = found
                    queue[tail] = u
                    tail += 1
        found += 1
    return piece


def islands(starts: Ints, ends: Ints) -> Ints:
    """Count off the connected pieces of the whole map, shape (units,)."""
    return pieces(starts, ends, np.zeros(starts.size - 1, np.int64))


def strays(board: Board, assign: Ints) -> Ints:
    """List the units outside the main piece of their territory: the one with most locked units, else the heaviest."""
    piece = pieces(board.starts, board.ends, assign)
    mass = (board.loads / board.loads.sum(axis=1)[:, None]).sum(axis=0)
    heavy, size = np.bincount(piece, weights=mass), np.bincount(piece)
    locked = np.bincount(piece, weights=board.costs.pinned >= 0)
    owner = np.empty(heavy.size, np.int64)
    owner[piece] = assign
    # then the one with more units, then the one that starts first
    order = np.lexsort((np.arange(heavy.size), -size, -heavy, -locked, owner))
    main = order[np.r_[True, np.diff(owner[order]) > 0]]
    return np.flatnonzero(~np.isin(piece, main))


@njit(cache=True)
def _cheapest_neighbour(board: Board, assign: Ints, i: int) -> int:
    """Cheapest priced territory among the neighbours of unit ``i``; -1 where none has one."""
    best, target = np.inf, -1
    for u in board.ends[board.starts[i] : board.starts[i + 1]]:
        if assign[u] >= 0:
            value = priced(board.costs, board.loads, board.price, i, assign[u])
            if value < best:
                best, target = value, assign[u]
    return target


@njit(cache=True)
def _flood(board: Board, assign: Ints) -> None:
    """Give each unit marked -1 to the cheapest neighbouring territory, ring by ring."""
    waiting = np.flatnonzero(assign < 0)
    while waiting.size:
        chosen = np.full(waiting.size, -1, np.int64)
        for q in range(waiting.size):
            chosen[q] = _cheapest_neighbour(board, assign, waiting[q])
        if chosen.max() < 0:
            return
        assign[waiting] = chosen
        waiting = waiting[chosen < 0]


def gather(board: Board, assign: Ints) -> Ints:
    """Keep the heaviest piece of each territory and let its neighbours take the rest, where nothing forbids it."""
    home = assign.copy()
    home[strays(board, assign)] = -1
    _flood(board, home)
    return np.where(home < 0, assign, home)
