"""Priced local search: units and pairs of units change hands at borders, cooling down, never breaking a territory."""

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Costs, Floats, Ints, cost


@njit(cache=True)
def _draw(state: Ints, below: int) -> int:
    """Uniform integer by xorshift; ``state`` is the generator, so that a seed decides the run."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    return np.int64((s >> np.uint64(11)) % np.uint64(below))


@njit(cache=True)
def _fraction(state: Ints) -> float:
    """Uniform number in (0, 1]."""
    return (_draw(state, 1 << 30) + 1) / (1 << 30)


@njit(cache=True)
def _touches(starts: Ints, ends: Ints, assign: Ints, i: int, j: int, but: int) -> bool:
    """Whether unit ``i`` has a neighbour in territory ``j`` other than ``but``."""
    for e in range(starts[i], starts[i + 1]):
        if assign[ends[e]] == j and ends[e] != but:
            return True
    return False


@njit(cache=True)
def stays_whole(starts: Ints, ends: Ints, assign: Ints, i: int, mark: Ints, queue: Ints) -> bool:
    """Whether the territory of ``i`` stays connected (and not empty) without it; stops as soon as that is known."""
    j = assign[i]
    mark[0] += 1
    stamp = mark[0]
    wanted, first = 0, -1
    for e in range(starts[i], starts[i + 1]):
        u = ends[e]
        if assign[u] == j:
            wanted += 1
            first = u
    if wanted <= 1:
        return wanted == 1
    mark[1 + i] = stamp
    mark[1 + first] = stamp
    queue[0] = first
    head, tail = 0, 1
    found = 1
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(starts[v], starts[v + 1]):
            u = ends[e]
            if assign[u] != j or mark[1 + u] == stamp:
                continue
            mark[1 + u] = stamp
            queue[tail] = u
            tail += 1
            for f in range(starts[u], starts[u + 1]):
                if ends[f] == i:
                    found += 1
                    break
            if found == wanted:
                return True
    return False


@njit(cache=True)
def _strain(load: Floats, lower: Floats, upper: Floats, stiff: Floats, j: int) -> float:
    """Penalty of territory ``j``: linear plus quadratic outside its bands."""
    total = 0.0
    for a in range(load.shape[0]):
        out = max(load[a, j] - upper[a, j], lower[a, j] - load[a, j])
        if out > 0:
            total += stiff[a, j] * out * (1 + 40 * out / upper[a, j]) if upper[a, j] > 0 else stiff[a, j] * out
    return total


@njit(cache=True)
def _pay(loads: Floats, price: Floats, i: int, j: int) -> float:
    """Price of the load of unit ``i`` in territory ``j``."""
    total = 0.0
    for a in range(loads.shape[0]):
        total += loads[a, i] * price[a, j]
    return total


@njit(cache=True)
def _shift(load: Floats, loads: Floats, i: int, s: int, t: int) -> None:
    """Move the load of unit ``i`` from ``s`` to ``t``."""
    for a in range(load.shape[0]):
        load[a, s] -= loads[a, i]
        load[a, t] += loads[a, i]


@njit(cache=True)
def load_of(assign: Ints, loads: Floats, k: int) -> Floats:
    """Activities of each territory, shape (m, k)."""
    load = np.zeros((loads.shape[0], k))
    for i in range(assign.size):
        for a in range(loads.shape[0]):
            load[a, assign[i]] += loads[a, i]
    return load


@njit(cache=True)
def anneal(
    costs: Costs,
    starts: Ints,
    ends: Ints,
    near: Ints,
    loads: Floats,
    lower: Floats,
    upper: Floats,
    price: Floats,
    stiff: Floats,
    limit: float,
    assign: Ints,
    heat: float,
    proposals: int,
    seed: int,
) -> int:
    """
    Try ``proposals`` shifts and swaps at one temperature, in place.

    ``near`` proposes territories where there is no contiguity (``ends`` empty). ``limit`` is the weight that may
    leave its owner (infinite: no limit); a move beyond it is refused. Returns the number of moves accepted.
    """
    n, k = assign.size, lower.shape[1]
    bordered = ends.size > 0
    state = np.empty(1, np.uint64)
    state[0] = np.uint64(seed) * np.uint64(2685821657736338717) + np.uint64(88172645463325252)
    for _ in range(8):
        _draw(state, 2)
    mark = np.zeros(n + 1, np.int64)
    queue = np.empty(n, np.int64)
    load = load_of(assign, loads, k)
    strain = np.empty(k)
    for j in range(k):
        strain[j] = _strain(load, lower, upper, stiff, j)
    count = np.bincount(assign, minlength=k)
    moved = 0.0
    for i in range(n):
        if costs.owner[i] >= 0 and assign[i] != costs.owner[i]:
            moved += costs.weight[i]
    accepted = 0
    for _ in range(proposals):
        i = _draw(state, n)
        s = assign[i]
        u = -1
        if bordered:
            if starts[i] == starts[i + 1]:
                continue
            u = ends[starts[i] + _draw(state, starts[i + 1] - starts[i])]
            t = assign[u]
        else:
            t = near[i, _draw(state, near.shape[1])]
        if t == s or count[s] == 1:
            continue
        gain = cost(costs, i, t)
        if gain == np.inf:
            continue
        gain += _pay(loads, price, i, t) - cost(costs, i, s) - _pay(loads, price, i, s)
        if gain > heat * 40 and strain[s] == 0 and strain[t] == 0:
            continue
        drift = 0.0
        if costs.owner[i] >= 0:
            drift = costs.weight[i] * ((s == costs.owner[i]) * 1.0 - (t == costs.owner[i]) * 1.0)
        _shift(load, loads, i, s, t)
        after_s = _strain(load, lower, upper, stiff, s)
        after_t = _strain(load, lower, upper, stiff, t)
        change = gain + after_s + after_t - strain[s] - strain[t]
        allowed = drift <= 0 or moved + drift <= limit
        if allowed and (change <= 0 or (heat > 0 and change < -heat * np.log(_fraction(state)))):
            if not bordered or stays_whole(starts, ends, assign, i, mark, queue):
                assign[i] = t
                strain[s], strain[t] = after_s, after_t
                count[s] -= 1
                count[t] += 1
                moved += drift
                accepted += 1
            else:
                _shift(load, loads, i, t, s)
            continue
        # the way is barred: send a unit of the other side back
        v = -1
        if bordered:
            v = u
            for _step in range(_draw(state, 4)):
                w = ends[starts[v] + _draw(state, starts[v + 1] - starts[v])]
                if assign[w] == t:
                    v = w
            if v == i or not _touches(starts, ends, assign, v, s, i):
                v = -1
        else:
            w = _draw(state, n)
            if assign[w] == t:
                v = w
        if v < 0:
            _shift(load, loads, i, t, s)
            continue
        back = cost(costs, v, s)
        if back == np.inf:
            _shift(load, loads, i, t, s)
            continue
        back += _pay(loads, price, v, s) - cost(costs, v, t) - _pay(loads, price, v, t)
        if costs.owner[v] >= 0:
            drift += costs.weight[v] * ((t == costs.owner[v]) * 1.0 - (s == costs.owner[v]) * 1.0)
        _shift(load, loads, v, t, s)
        after_s = _strain(load, lower, upper, stiff, s)
        after_t = _strain(load, lower, upper, stiff, t)
        change = gain + back + after_s + after_t - strain[s] - strain[t]
        allowed = drift <= 0 or moved + drift <= limit
        good = allowed and (change <= 0 or (heat > 0 and change < -heat * np.log(_fraction(state))))
        if good and bordered:
            good = _touches(starts, ends, assign, i, t, v) and stays_whole(starts, ends, assign, i, mark, queue)
            if good:
                assign[i] = t
                good = stays_whole(starts, ends, assign, v, mark, queue)
                if not good:
                    assign[i] = s
        if good:
            assign[i] = t
            assign[v] = s
            strain[s], strain[t] = after_s, after_t
            moved += drift
            accepted += 1
        else:
            _shift(load, loads, v, s, t)
            _shift(load, loads, i, t, s)
    return accepted
