"""
The search behind `locate`: annealing over clusters whose median is implicit.

A cluster of units is worth the least, over the candidate sites it holds, of the distances of its members plus a price
for what exceeds the site's capacity; units shift to a cluster nearby or change places, and the best site follows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.improve import accept, draw

Shorts = npt.NDArray[np.int32]
LISTED = 16  # sites of a cluster that are weighed at each proposal: its best
SWAPS, EXCHANGES = 50, 8  # percent of the proposals that swap units, and that move a site where sites stand apart


class Ground(NamedTuple):
    """What does not change during a search, for n units and m sites."""

    far: npt.NDArray[np.float32]  # weighted distances, finite, shape (n, m)
    load: Floats  # of each unit, shape (n,)
    capacity: Floats  # of each site, shape (m,)
    fee: Floats  # fixed cost of each site, shape (m,)
    held: Flags  # sites that must be open, shape (m,)
    seat: Ints  # the site that stands where the unit stands and goes with it, -1 for none, shape (n,)
    host: Ints  # the unit nearest to each site, shape (m,)
    roams: Flags  # sites that no unit takes along, shape (m,)
    sites: Shorts  # near each unit, shape (n, width)
    units: Shorts  # likewise


class Chains(NamedTuple):
    """What each of p clusters holds, as linked lists of up to n items."""

    first: Ints  # of each cluster, -1 for none, shape (p,)
    after: Ints  # neighbours of each item in its list, -1 at the ends, shape (n,)
    before: Ints


class Lots(NamedTuple):
    """Clusters, written in place, for n units, m sites and p clusters."""

    cluster: Ints  # of each unit, shape (n,)
    owner: Ints  # cluster of each site, shape (m,)
    members: Chains
    held: Chains  # sites
    total: Floats  # sum of the distances of the members of its cluster to each site, shape (m,)
    load: Floats  # of each cluster, shape (p,)
    size: Ints  # number of members, shape (p,)
    cost: Floats  # least penalised cost, shape (p,)
    lock: Ints  # the site a cluster is bound to, -1 for none, shape (p,)
    best: Ints  # best site of each cluster, shape (p,)
    listed: Ints  # how many are listed, shape (p,)
    top: Ints  # the sites listed, best first, shape (p, LISTED)
    price: Floats  # price of a unit of load above capacity, shape (1,)
    state: npt.NDArray[np.uint64]  # the random generator, shape (1,)


def lay_out(ground: Ground, opened: Ints, cluster: Ints, price: float, seed: Sequence[int]) -> Lots:
    """Lay out a plan as clusters, every closed site in the cluster of the unit nearest to it."""
    (n, m), p = ground.far.shape, opened.size
    owner = cluster[ground.host]
    apart = ground.roams[opened]
    owner[opened[apart]] = np.flatnonzero(apart)
    lots = Lots(
        cluster=cluster.copy(),
        owner=owner,
        members=Chains(np.full(p, -1), np.full(n, -1), np.full(n, -1)),
        held=Chains(np.full(p, -1), np.full(m, -1), np.full(m, -1)),
        total=np.zeros(m),
        load=np.bincount(cluster, ground.load, p).astype(float),
        size=np.bincount(cluster, minlength=p),
        cost=np.zeros(p),
        lock=np.where(ground.held[opened], opened, -1),
        best=opened.copy(),
        listed=np.zeros(p, np.int64),
        top=np.zeros((p, LISTED), np.int64),
        price=np.array([price]),
        state=np.random.default_rng(seed).integers(1, 2**63, size=1, dtype=np.uint64),
    )
    _thread(ground, lots)
    return lots


@njit(cache=True)
def _thread(ground: Ground, lots: Lots) -> None:
    """Fill the lists, and rank every cluster."""
    for i in range(lots.cluster.size):
        _link(lots.members, lots.cluster[i], i)
    for j in range(lots.owner.size):
        _link(lots.held, lots.owner[j], j)
        lots.total[j] = _sum_to(ground, lots, lots.owner[j], j)
    rank_all(ground, lots)


@njit(cache=True)
def _link(chains: Chains, k: int, item: int) -> None:
    """Put an item at the head of a list."""
    head = chains.first[k]
    chains.after[item], chains.before[item] = head, -1
    if head >= 0:
        chains.before[head] = item
    chains.first[k] = item


@njit(cache=True)
def _unlink(chains: Chains, k: int, item: int) -> None:
    """Take an item out of its list."""
    before, after = chains.before[item], chains.after[item]
    if before >= 0:
        chains.after[before] = after
    else:
        chains.first[k] = after
    if after >= 0:
        chains.before[after] = before


@njit(cache=True)
def _sum_to(ground: Ground, lots: Lots, k: int, j: int) -> float:
    """Distances of the members of a cluster to a site."""
    total = 0.0
    i = lots.members.first[k]
    while i >= 0:
        total += ground.far[i, j]
        i = lots.members.after[i]
    return total


@njit(cache=True)
def _penalty(ground: Ground, lots: Lots, j: int, load: float) -> float:
    """Price of what a load exceeds the capacity of a site by."""
    over = load - ground.capacity[j]
    return lots.price[0] * over if over > 0 else 0.0


@njit(cache=True)
def _rank(ground: Ground, lots: Lots, k: int) -> None:
    """List the best sites of a cluster, best first, and its cost."""
    top, kept = lots.top[k], 0
    value = np.full(LISTED, np.inf)
    j = lots.held.first[k] if lots.lock[k] < 0 else lots.lock[k]
    while j >= 0:
        own = lots.total[j] + ground.fee[j] + _penalty(ground, lots, j, lots.load[k])
        if kept < LISTED or own < value[kept - 1]:
            s = kept if kept < LISTED else LISTED - 1
            while s > 0 and value[s - 1] > own:
                value[s], top[s] = value[s - 1], top[s - 1]
                s -= 1
            value[s], top[s] = own, j
            kept = min(kept + 1, LISTED)
        j = lots.held.after[j] if lots.lock[k] < 0 else -1
    lots.listed[k], lots.best[k] = kept, top[0]
    lots.cost[k] = value[0]


@njit(cache=True)
def rank_all(ground: Ground, lots: Lots) -> None:
    """Rank every cluster anew, as the price has changed."""
    for k in range(lots.cost.size):
        _rank(ground, lots, k)


@njit(cache=True)
def _worth(ground: Ground, lots: Lots, k: int, out: int, new: int) -> float:
    """Cost of a cluster without one unit and with another (-1 for none), at its best site then."""
    load, best = lots.load[k], np.inf
    leaving, coming = -1, -1
    if out >= 0:
        load -= ground.load[out]
        leaving = ground.seat[out]
    if new >= 0:
        load += ground.load[new]
        coming = ground.seat[new]
    for s in range(lots.listed[k]):
        j = lots.top[k, s]
        if j == leaving:
            continue
        value = lots.total[j] + ground.fee[j] + _penalty(ground, lots, j, load)
        if out >= 0:
            value -= ground.far[out, j]
        if new >= 0:
            value += ground.far[new, j]
        best = min(best, value)
    if coming >= 0 and lots.lock[k] < 0 and lots.size[k] <= LISTED:
        value = ground.fee[coming] + _penalty(ground, lots, coming, load)
        i = lots.members.first[k]
        while i >= 0 and value < best:
            if i != out:
                value += ground.far[i, coming]
            i = lots.members.after[i]
        best = min(best, value)
    return best


@njit(cache=True)
def _leave(ground: Ground, lots: Lots, i: int) -> None:
    """Take a unit, and the site where it stands, out of its cluster."""
    k, seat = lots.cluster[i], ground.seat[i]
    _unlink(lots.members, k, i)
    if seat >= 0:
        _unlink(lots.held, k, seat)
    lots.load[k] -= ground.load[i]
    lots.size[k] -= 1
    j = lots.held.first[k]
    while j >= 0:
        lots.total[j] -= ground.far[i, j]
        j = lots.held.after[j]


@njit(cache=True)
def _join(ground: Ground, lots: Lots, i: int, k: int) -> None:
    """Put a unit, and the site where it stands, into a cluster."""
    seat = ground.seat[i]
    j = lots.held.first[k]
    while j >= 0:
        lots.total[j] += ground.far[i, j]
        j = lots.held.after[j]
    _link(lots.members, k, i)
    lots.cluster[i] = k
    lots.load[k] += ground.load[i]
    lots.size[k] += 1
    if seat >= 0:
        _give(ground, lots, seat, k)


@njit(cache=True)
def _give(ground: Ground, lots: Lots, j: int, k: int) -> None:
    """Let a site that is in no list belong to a cluster."""
    lots.owner[j] = k
    lots.total[j] = _sum_to(ground, lots, k, j)
    _link(lots.held, k, j)


@njit(cache=True)
def _shift(ground: Ground, lots: Lots, i: int, b: int, heat: float) -> None:
    """Move a unit to another cluster if the change is accepted."""
    a = lots.cluster[i]
    change = _worth(ground, lots, a, i, -1) + _worth(ground, lots, b, -1, i) - lots.cost[a] - lots.cost[b]
    if accept(change, heat, lots.state):
        _leave(ground, lots, i)
        _join(ground, lots, i, b)
        _rank(ground, lots, a)
        _rank(ground, lots, b)


@njit(cache=True)
def _swap(ground: Ground, lots: Lots, i: int, other: int, heat: float) -> None:
    """Let two units of different clusters change places if the change is accepted."""
    a, b = lots.cluster[i], lots.cluster[other]
    change = _worth(ground, lots, a, i, other) + _worth(ground, lots, b, other, i) - lots.cost[a] - lots.cost[b]
    if accept(change, heat, lots.state):
        _leave(ground, lots, i)
        _leave(ground, lots, other)
        _join(ground, lots, i, b)
        _join(ground, lots, other, a)
        _rank(ground, lots, a)
        _rank(ground, lots, b)


@njit(cache=True)
def _exchange(ground: Ground, lots: Lots, j: int, a: int, heat: float) -> None:
    """Give a site of another cluster to cluster ``a``, in return for its best site where the other needs one."""
    b, mine = lots.owner[j], lots.best[a]
    needed = lots.best[b] == j
    if ground.held[j] or lots.lock[a] >= 0 or (needed and not ground.roams[mine]):
        return
    before = lots.cost[a] + (lots.cost[b] if needed else 0.0)
    after = _sum_to(ground, lots, a, j) + ground.fee[j] + _penalty(ground, lots, j, lots.load[a])
    if needed:
        after += _sum_to(ground, lots, b, mine) + ground.fee[mine] + _penalty(ground, lots, mine, lots.load[b])
    if not accept(after - before, heat, lots.state):
        return
    _unlink(lots.held, b, j)
    if needed:
        _unlink(lots.held, a, mine)
        _give(ground, lots, mine, b)
    _give(ground, lots, j, a)
    _rank(ground, lots, a)
    _rank(ground, lots, b)


@njit(cache=True)
def anneal(ground: Ground, lots: Lots, field: Ints, heat: float, proposals: int) -> float:
    """
    Propose shifts, swaps and, for sites that stand where no unit stands, exchanges of sites.

    Each proposal begins with a unit of ``field``; clusters change in place. Gives the load above capacity at the end.
    """
    apart = ground.roams.any()
    for _ in range(proposals):
        i, kind = field[draw(lots.state, field.size)], draw(lots.state, 100)
        if kind < SWAPS:
            other = ground.units[i, draw(lots.state, ground.units.shape[1])]
            if lots.cluster[other] != lots.cluster[i]:
                _swap(ground, lots, i, other, heat)
            continue
        j = ground.sites[i, draw(lots.state, ground.sites.shape[1])]
        if lots.owner[j] == lots.cluster[i]:
            continue
        if apart and kind >= 100 - EXCHANGES:
            if ground.roams[j]:
                _exchange(ground, lots, j, lots.cluster[i], heat)
        else:
            _shift(ground, lots, i, lots.owner[j], heat)
    over = 0.0
    for k in range(lots.load.size):
        over += max(0.0, lots.load[k] - ground.capacity[lots.best[k]])
    return over
