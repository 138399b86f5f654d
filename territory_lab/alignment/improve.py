"""Local search: units and pairs of units change hands at borders, cooling down, never breaking a territory."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from territory_lab.alignment.connect import Board
from territory_lab.alignment.costs import Costs, Floats, Ints, cost

CURVE = 40.0  # how much steeper the penalty is for a territory outside its band by its whole limit


class Hand(NamedTuple):
    """What changes while units change hands."""

    assign: Ints  # territory of each unit, shape (n,)
    load: Floats  # activities of each territory, shape (m, k)
    strain: Floats  # penalty of each territory, shape (k,)
    members: Ints  # units of each territory, shape (k,)
    moved: Floats  # weight that has left its owner, shape (1,)
    mark: Ints  # scratch of the search for a cut, shape (n + 1,)
    queue: Ints  # likewise, shape (n,)
    state: npt.NDArray[np.uint64]  # the random generator, shape (1,)


def load_of(assign: Ints, loads: Floats, k: int) -> Floats:
    """Activities of each territory, shape (m, k)."""
    return np.array([np.bincount(assign, load, k) for load in loads])


@njit(cache=True)
def moved_weight(costs: Costs, assign: Ints) -> float:
    """Weight that has left its owner."""
    total = 0.0
    for i in range(assign.size):
        if costs.owner[i] >= 0 and assign[i] != costs.owner[i]:
            total += costs.weight[i]
    return total


def deal(board: Board, assign: Ints, seed: Sequence[int]) -> Hand:
    """Lay out an assignment (changed in place) and seed the generator."""
    n, k = assign.size, board.lower.shape[1]
    load = load_of(assign, board.loads, k)
    out = np.maximum(np.maximum(load - board.upper, board.lower - load), 0.0)
    strain = (board.stiff * out * (1 + CURVE * out / np.maximum(board.upper, 1e-300))).sum(axis=0)
    state = np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64)
    moved = np.array([moved_weight(board.costs, assign)])
    return Hand(
        assign=assign,
        load=load,
        strain=strain,
        members=np.bincount(assign, minlength=k),
        moved=moved,
        mark=np.zeros(n + 1, np.int64),
        queue=np.empty(n, np.int64),
        state=state,
    )


@njit(cache=True)
def draw(state: npt.NDArray[np.uint64], below: int) -> int:
    """Uniform integer below a limit, by xorshift (Marsaglia 2003)."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    drawn: int = np.int64((s >> np.uint64(11)) % np.uint64(below))  # type: ignore[assignment]  # compiled: int64
    return drawn


@njit(cache=True)
def accept(change: float, heat: float, state: npt.NDArray[np.uint64]) -> bool:
    """Metropolis rule: improvements always, losses by chance while it is warm."""
    if change <= 0:
        return True
    return heat > 0 and change < -heat * np.log((draw(state, 1 << 30) + 1) / (1 << 30))


@njit(cache=True)
def _strain(board: Board, load: Floats, j: int) -> float:
    """Penalty of territory ``j``: linear plus quadratic outside its bands."""
    total = 0.0
    for a in range(load.shape[0]):
        out = max(load[a, j] - board.upper[a, j], board.lower[a, j] - load[a, j])
        if out > 0:
            total += board.stiff[a, j] * out * (1 + CURVE * out / max(board.upper[a, j], 1e-300))
    return total


@njit(cache=True)
def _gain(board: Board, i: int, s: int, t: int) -> float:
    """Change of priced cost when unit ``i`` goes from ``s`` to ``t``."""
    total = cost(board.costs, i, t)
    if total == np.inf:
        return total
    total -= cost(board.costs, i, s)
    for a in range(board.loads.shape[0]):
        total += board.loads[a, i] * (board.price[a, t] - board.price[a, s])
    return total


@njit(cache=True)
def _drift(costs: Costs, i: int, s: int, t: int) -> float:
    """Change of the weight that has left its owner when unit ``i`` goes from ``s`` to ``t``."""
    owner = costs.owner[i]
    if owner == s:
        return float(costs.weight[i])
    return -float(costs.weight[i]) if owner == t else 0.0


@njit(cache=True)
def _carry(load: Floats, loads: Floats, i: int, s: int, t: int) -> None:
    """Carry the load of unit ``i`` from ``s`` to ``t``."""
    for a in range(load.shape[0]):
        load[a, s] -= loads[a, i]
        load[a, t] += loads[a, i]


@njit(cache=True)
def _touches(board: Board, assign: Ints, i: int, j: int, but: int) -> bool:
    """Whether unit ``i`` has a neighbour in territory ``j`` other than ``but``."""
    touching = False
    for e in range(board.starts[i], board.starts[i + 1]):
        touching |= assign[board.ends[e]] == j and board.ends[e] != but
    return touching


@njit(cache=True)
def _stays_whole(board: Board, hand: Hand, i: int) -> bool:
    """Whether the territory of ``i`` stays connected (and not empty) without it; stops as soon as that is known."""
    starts, ends, assign, mark, queue = board.starts, board.ends, hand.assign, hand.mark, hand.queue
    j = assign[i]
    mark[assign.size] += 1  # the last cell counts the searches
    stamp = mark[assign.size]
    wanted = 0
    for e in range(starts[i], starts[i + 1]):
        if assign[ends[e]] == j:
            wanted += 1
            queue[0] = ends[e]
    if wanted <= 1:
        return wanted == 1
    mark[i] = stamp
    mark[queue[0]] = stamp
    head, tail, found = 0, 1, 1
    while head < tail and found < wanted:
        v = queue[head]
        head += 1
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if assign[u] == j and mark[u] != stamp:
                mark[u] = stamp
                queue[tail] = u
                tail += 1
                found += _linked(starts, ends, u, i)
    return found == wanted


@njit(cache=True)
def _linked(starts: Ints, ends: Ints, u: int, i: int) -> bool:
    """Whether units ``u`` and ``i`` are neighbours."""
    for e in range(starts[u], starts[u + 1]):  # noqa: SIM110 - compiled: a loop that stops early
        if ends[e] == i:
            return True
    return False


@njit(cache=True)
def _partner(board: Board, hand: Hand, i: int, near: int, t: int) -> int:
    """Walk a little from ``near`` to a unit of ``t`` that could go the other way; -1 for none."""
    if board.ends.size == 0:
        v = draw(hand.state, hand.assign.size)
        return v if hand.assign[v] == t else -1
    v = near
    for _ in range(draw(hand.state, 4)):
        w = board.ends[board.starts[v] + draw(hand.state, board.starts[v + 1] - board.starts[v])]
        if hand.assign[w] == t:
            v = w
    return v if _touches(board, hand.assign, v, hand.assign[i], i) else -1


@njit(cache=True)
def _hand_over(board: Board, hand: Hand, i: int, t: int, heat: float) -> bool:
    """Give unit ``i`` to ``t`` if that is accepted and breaks nothing."""
    s = hand.assign[i]
    gain, drift = _gain(board, i, s, t), _drift(board.costs, i, s, t)
    if gain == np.inf or (drift > 0 and hand.moved[0] + drift > board.limit):
        return False
    _carry(hand.load, board.loads, i, s, t)
    at_s, at_t = _strain(board, hand.load, s), _strain(board, hand.load, t)
    change = gain + at_s + at_t - hand.strain[s] - hand.strain[t]
    if not accept(change, heat, hand.state) or (board.ends.size and not _stays_whole(board, hand, i)):
        _carry(hand.load, board.loads, i, t, s)
        return False
    hand.assign[i] = t
    hand.strain[s], hand.strain[t] = at_s, at_t
    hand.members[s] -= 1
    hand.members[t] += 1
    hand.moved[0] += drift
    return True


@njit(cache=True)
def _swap(board: Board, hand: Hand, i: int, v: int, heat: float) -> bool:
    """Exchange units ``i`` and ``v`` if that is accepted and breaks nothing."""
    s, t = hand.assign[i], hand.assign[v]
    gain = _gain(board, i, s, t) + _gain(board, v, t, s)
    drift = _drift(board.costs, i, s, t) + _drift(board.costs, v, t, s)
    if gain == np.inf or (drift > 0 and hand.moved[0] + drift > board.limit):
        return False
    _carry(hand.load, board.loads, i, s, t)
    _carry(hand.load, board.loads, v, t, s)
    at_s, at_t = _strain(board, hand.load, s), _strain(board, hand.load, t)
    change = gain + at_s + at_t - hand.strain[s] - hand.strain[t]
    good = accept(change, heat, hand.state)
    if good and board.ends.size:
        good = _touches(board, hand.assign, i, t, v) and _stays_whole(board, hand, i)
        if good:
            hand.assign[i] = t
            good = _stays_whole(board, hand, v)
            hand.assign[i] = s
    if not good:
        _carry(hand.load, board.loads, v, s, t)
        _carry(hand.load, board.loads, i, t, s)
        return False
    hand.assign[i], hand.assign[v] = t, s
    hand.strain[s], hand.strain[t] = at_s, at_t
    hand.moved[0] += drift
    return True


@njit(cache=True)
def anneal(board: Board, hand: Hand, among: Ints, heat: float, proposals: int) -> int:
    """Try shifts, and swaps where a shift is barred, of the units ``among``; count the ones made."""
    made = 0
    for _ in range(proposals):
        i = among[draw(hand.state, among.size)]
        u = -1
        if board.ends.size == 0:
            t = board.near[i, draw(hand.state, board.near.shape[1])]
        elif board.starts[i] < board.starts[i + 1]:
            u = board.ends[board.starts[i] + draw(hand.state, board.starts[i + 1] - board.starts[i])]
            t = hand.assign[u]
        else:
            continue
        s = hand.assign[i]
        if t == s:
            continue
        if hand.members[s] > 1 and _hand_over(board, hand, i, t, heat):
            made += 1
            continue
        v = _partner(board, hand, i, u, t)
        if v >= 0 and _swap(board, hand, i, v, heat):
            made += 1
    return made
