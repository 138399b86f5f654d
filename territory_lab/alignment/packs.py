"""
Small clusters of a region, all at once: which of the clusters that are good enough to matter partition its units.

With the multipliers of the bound, a cluster has a reduced cost of about 0 or more, and those of a plan add up to its
gap; a better plan of the region has only clusters whose reduced cost is below the gap of the region. They are listed
and a set-partitioning programme takes the best (Baldacci, Hadjiconstantinou, Maniezzo and Mingozzi 2002).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.covering import Book, Siting
from territory_lab.alignment.milp import choose, sparse, stack

MOST = 6_000  # clusters listed
WORK = 3_000_000  # steps of the listing
NARROWER = 0.6  # how the limit on reduced costs falls while too many are below it
LARGEST = 32  # units in a cluster that is listed


class Packs(NamedTuple):
    """
    Clusters that could be part of a plan, for c clusters.

    Parameters
    ----------
    site : Ints
        Of each, shape (c,).
    first, unit : Ints
        Cluster ``e`` holds the units ``unit[first[e]:first[e + 1]]``.
    cost : Floats
        Of each, shape (c,).
    """

    site: Ints
    first: Ints
    unit: Ints
    cost: Floats


@njit(cache=True)
def _enumerate(
    siting: Siting, book: Book, multiplier: Floats, sites: Ints, inside: Flags, limit: float
) -> tuple[bool, Packs]:
    """List all clusters of units inside whose distance - multiplier sums to less than a limit; whether it got to the end."""
    site, first, cost = np.empty(MOST, np.int64), np.zeros(MOST + 1, np.int64), np.empty(MOST)
    unit = np.empty(MOST * LARGEST, np.int64)
    found, work = 0, 0
    for j in sites:
        items, gains = np.empty(book.first[j + 1] - book.first[j], np.int64), np.empty(book.first[j + 1] - book.first[j])
        count = 0
        for e in range(book.first[j], book.first[j + 1]):
            i = book.unit[e]
            if inside[i] and siting.load[i] <= siting.capacity[j]:
                items[count], gains[count] = i, multiplier[i] - book.far[e]
                count += 1
        order = np.argsort(-gains[:count] / siting.load[items[:count]])
        items, gains = items[order], gains[order]
        load = siting.load[items]
        path, depth, at = np.empty(LARGEST, np.int64), 0, 0
        have, room = -siting.fee[j], siting.capacity[j]
        while True:
            work += 1
            # the most that what follows can add, in part
            bound, rest, s = have, room, at
            while s < count and gains[s] > 0 and load[s] <= rest:
                bound, rest, s = bound + gains[s], rest - load[s], s + 1
            if s < count and gains[s] > 0:
                bound += gains[s] * rest / load[s]
            if s == at and at < count and gains[at] <= 0:
                bound += gains[at]  # nothing that follows helps, and this one costs least
            while at < count and load[at] > room:
                at += 1
            if at < count and depth < LARGEST and bound > -limit:
                path[depth], depth = at, depth + 1
                have, room, at = have + gains[at], room - load[at], at + 1
                if have > -limit:
                    if found == MOST:
                        return False, Packs(site, first, unit, cost)
                    start = first[found]
                    total = siting.fee[j]
                    for d in range(depth):
                        unit[start + d] = items[path[d]]
                        total += multiplier[items[path[d]]] - gains[path[d]]
                    site[found], cost[found], first[found + 1] = j, total, start + depth
                    found += 1
                continue
            if work > WORK:
                return False, Packs(site, first, unit, cost)
            if depth == 0:
                break
            depth -= 1
            at = path[depth]
            have, room, at = have - gains[at], room + load[at], at + 1
    return True, Packs(site[:found].copy(), first[: found + 1].copy(), unit[: first[found]].copy(), cost[:found].copy())


def repack(
    siting: Siting, book: Book, multiplier: Floats, sites: Ints, now: Packs, level: float, time_limit_s: float
) -> Packs | None:
    """
    Find the best partition of the units of some clusters into as many others.

    Parameters
    ----------
    siting : Siting
        The question.
    book : Book
        Candidates of each site.
    multiplier : ndarray
        Worth of serving each unit, shape (n,).
    sites : ndarray of int
        Sites that the clusters may have.
    now : Packs
        The clusters of today.
    level : float
        Sum of distance - multiplier from which a site is worth to be open.
    time_limit_s : float
        For the programme.

    Returns
    -------
    Packs or None
        Better clusters, or None where none were found.
    """
    inside = np.zeros(multiplier.size, np.bool_)
    inside[now.unit] = True
    gap = now.cost.sum() - multiplier[now.unit].sum() - level * now.site.size
    if gap <= 0:
        return None
    done = False
    while not done:
        done, packs = _enumerate(siting, book, multiplier, sites, inside, level + gap)
        gap *= NARROWER
    count, today = packs.site.size, now.site.size
    site = np.r_[packs.site, now.site]
    unit = np.r_[packs.unit, now.unit]
    column = np.repeat(np.arange(site.size), np.r_[np.diff(packs.first), np.diff(now.first)])
    cost = np.r_[packs.cost, now.cost]
    row, units = np.unique(unit, return_inverse=True)[::-1][0], now.unit.size
    _, place = np.unique(site, return_inverse=True)
    every, ones = np.arange(site.size), np.ones(units)
    rows = stack(
        sparse(row, column, np.ones(unit.size), (ones, ones), site.size),
        sparse(place, every, np.ones(site.size), (np.zeros(place.max() + 1), np.ones(place.max() + 1)), site.size),
        sparse(0 * every, every, np.ones(site.size), (np.array([today]), np.array([today])), site.size),
    )
    start = every >= count
    chosen = choose(cost, rows, time_limit_s, start).chosen
    if chosen is None or cost @ chosen >= cost @ start * (1 - 1e-9):
        return None
    kept = np.flatnonzero(chosen)
    members = [unit[column == e] for e in kept]
    first = np.r_[0, np.cumsum([part.size for part in members])]
    return Packs(site[kept], first, np.concatenate(members), cost[kept])
