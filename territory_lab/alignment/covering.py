"""
The bound behind `locate`: every candidate site fills a knapsack with the units that are worth more than their distance.

Relaxing that each unit is served once, with a multiplier a unit, leaves one 0-1 knapsack a site, of which the best
``count`` are taken (Lorena and Senne 2004; Boccia, Sforza, Sterle and Vasilyev 2008): a lower bound for any
multipliers.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.knapsack import _knapsack

NODES = 4_000  # of the search tree of one knapsack; past them its fractional value stands


class Book(NamedTuple):
    """
    The units each site may want, for m sites.

    Parameters
    ----------
    first, unit : Ints
        Site ``j`` may want the units ``unit[first[j]:first[j + 1]]``.
    far : Floats
        Weighted distance of each entry.
    limit : Floats
        The multipliers up to which the lists are complete, shape (n,).
    """

    first: Ints
    unit: Ints
    far: Floats
    limit: Floats


@njit(cache=True)
def list_below(far: Floats, limit: Floats) -> Book:
    """
    List the pairs nearer than a limit.

    Parameters
    ----------
    far : ndarray
        Weighted distances, shape (n, m).
    limit : ndarray
        Of each unit, shape (n,).

    Returns
    -------
    Book
        Complete for every multiplier up to the limit.
    """
    n, m = far.shape
    first = np.zeros(m + 1, np.int64)
    for i in range(n):
        for j in range(m):
            if far[i, j] < limit[i]:
                first[j + 1] += 1
    first = np.cumsum(first)
    end = first[:-1].copy()
    unit, near = np.empty(first[-1], np.int64), np.empty(first[-1])
    for i in range(n):
        for j in range(m):
            if far[i, j] < limit[i]:
                unit[end[j]], near[end[j]] = i, far[i, j]
                end[j] += 1
    return Book(first, unit, near, limit)


@njit(cache=True)
def weigh_sites(book: Book, size: Floats, capacity: Floats, multiplier: Floats, price: Floats) -> Floats:
    """
    Fill the fractional knapsack of every site.

    Parameters
    ----------
    book : Book
        Candidates of each site.
    size, capacity : ndarray
        Load of each unit, above zero, shape (n,), and capacity of each site, shape (m,).
    multiplier : ndarray
        Worth of serving each unit, shape (n,).
    price : ndarray
        Marginal ratio of each site the last time, changed in place, shape (m,).

    Returns
    -------
    ndarray
        Least reduced cost of each site, at most 0, shape (m,).
    """
    worth = np.empty(capacity.size)
    longest = np.diff(book.first).max()
    ratio, load = np.empty(longest), np.empty(longest)
    for j in range(capacity.size):
        count = 0
        for e in range(book.first[j], book.first[j + 1]):
            i = book.unit[e]
            gain = book.far[e] - multiplier[i]
            if gain < 0:
                ratio[count], load[count] = gain / size[i], size[i]
                count += 1
        price[j], _, worth[j] = _knapsack(ratio[:count], load[:count], 0.0, capacity[j], price[j])
    return worth


@njit(cache=True)
def fill(book: Book, size: Floats, capacity: float, multiplier: Floats, j: int) -> tuple[float, Ints]:
    """
    Fill the 0-1 knapsack of one site by depth-first search with the bound of Dantzig (1957).

    Parameters
    ----------
    book : Book
        Candidates of each site.
    size : ndarray
        Load of each unit, above zero, shape (n,).
    capacity : float
        Of the site.
    multiplier : ndarray
        Worth of serving each unit, shape (n,).
    j : int
        The site.

    Returns
    -------
    worth : float
        No choice of units has a lower sum of distance - multiplier; the least sum unless the search was cut short.
    units : ndarray of int
        The best units found.
    """
    start, end = book.first[j], book.first[j + 1]
    gain, unit, count = np.empty(end - start), np.empty(end - start, np.int64), 0
    for e in range(start, end):
        i = book.unit[e]
        if book.far[e] < multiplier[i] and size[i] <= capacity:
            gain[count], unit[count] = multiplier[i] - book.far[e], i
            count += 1
    gain, unit = gain[:count], unit[:count]
    load = size[unit]
    order = np.argsort(-gain / load)
    gain, unit, load = gain[order], unit[order], load[order]
    taken, best = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    most, have, room, at, nodes, whole = 0.0, 0.0, capacity, 0, 0, np.inf
    while True:
        # dive: take what fits, as long as the fractional rest can beat the best
        bound, rest, s = have, room, at
        while s < count and load[s] <= rest:
            bound, rest, s = bound + gain[s], rest - load[s], s + 1
        if s < count:
            bound += gain[s] * rest / load[s]
        if whole == np.inf:
            whole = bound
        if bound > most * (1 + 1e-12):
            while at < count:
                if load[at] <= room:
                    taken[at] = True
                    have, room = have + gain[at], room - load[at]
                at += 1
            if have > most:
                most, best = have, taken.copy()
        nodes += 1
        if nodes > NODES:
            return -whole, unit[best]
        at -= 1
        while at >= 0 and not taken[at]:
            at -= 1
        if at < 0:
            return -most * (1 + 1e-12), unit[best]
        taken[at] = False
        have, room, at = have - gain[at], room + load[at], at + 1


class Answer(NamedTuple):
    """
    The relaxed plan for given multipliers.

    Parameters
    ----------
    value : float
        The bound.
    sites : Ints
        The sites taken, shape (count,).
    cover : Floats
        How often each unit is served, shape (n,).
    worth : Floats
        Least reduced cost of each site with its fixed cost, at most the true one, shape (m,).
    """

    value: float
    sites: Ints
    cover: Floats
    worth: Floats


@njit(cache=True)
def relaxed(
    book: Book,
    size: Floats,
    capacity: Floats,
    fee: Floats,
    held: Flags,
    count: int,
    multiplier: Floats,
    price: Floats,
    whole: bool,
) -> Answer:
    """
    Solve the relaxation: the sites that must be open, and the best of the others.

    Parameters
    ----------
    book : Book
        Candidates of each site.
    size, capacity, fee, held : ndarray
        Loads, shape (n,); capacities, fixed costs and which sites must be open, shape (m,).
    count : int
        Sites to take.
    multiplier : ndarray
        Not above the limit of the book, shape (n,).
    price : ndarray
        Marginal ratios of the last time, changed in place, shape (m,).
    whole : bool
        Serve units whole in the sites that matter.

    Returns
    -------
    Answer
        The bound is true for any multipliers, whole or not.
    """
    worth = weigh_sites(book, size, capacity, multiplier, price) + fee
    chosen, cover = np.empty(count, np.int64), np.zeros(multiplier.size)
    key = np.where(held, -np.inf, worth)
    if whole:
        # sites in the order of their fractional values, until no later one can be among the best
        order = np.argsort(key)
        best = np.full(count, np.inf)
        for j in order:
            if key[j] >= best[-1]:
                break
            worth[j] = max(worth[j], fill(book, size, capacity[j], multiplier, j)[0] + fee[j])
            own = -np.inf if held[j] else worth[j]
            if own < best[-1]:
                s = count - 1
                while s > 0 and best[s - 1] > own:
                    best[s], chosen[s] = best[s - 1], chosen[s - 1]
                    s -= 1
                best[s], chosen[s] = own, j
    else:
        chosen = np.argsort(key)[:count]
    value = multiplier.sum() + worth[chosen].sum()
    for j in chosen:
        if whole:
            for i in fill(book, size, capacity[j], multiplier, j)[1]:
                cover[i] += 1
            continue
        for e in range(book.first[j], book.first[j + 1]):
            i = book.unit[e]
            gain = (book.far[e] - multiplier[i]) / size[i]
            if gain < 0 and gain <= price[j]:
                cover[i] += 1
    return Answer(value, chosen, cover, worth)


@njit(cache=True)
def greedy(
    book: Book, size: Floats, capacity: Floats, fee: Floats, held: Flags, count: int, multiplier: Floats
) -> tuple[Ints, Ints]:
    """
    Open one site after the other: the one whose knapsack of the units that are left is worth most.

    A worth only falls as units go, so that an old one is an upper limit and few are counted anew (Minoux 1978).

    Parameters
    ----------
    book : Book
        Candidates of each site.
    size, capacity, fee, held : ndarray
        Loads, shape (n,); capacities, fixed costs and which sites must be open, shape (m,).
    count : int
        Sites to open.
    multiplier : ndarray
        Worth of serving each unit, shape (n,).

    Returns
    -------
    opened : ndarray of int
        The sites, shape (count,).
    cluster : ndarray of int
        Position in ``opened`` of each unit's site, -1 where no knapsack holds it, shape (n,).
    """
    left = multiplier.copy()
    price = np.zeros(capacity.size)
    worth = np.where(held, -np.inf, weigh_sites(book, size, capacity, left, price) + fee)
    opened, cluster = np.empty(count, np.int64), np.full(size.size, -1)
    age = np.zeros(capacity.size, np.int64)
    for k in range(count):
        while True:
            j = worth.argmin()
            if age[j] == k:
                break
            worth[j] = fill(book, size, capacity[j], left, j)[0] + fee[j] if not held[j] else -np.inf
            age[j] = k
        for i in fill(book, size, capacity[j], left, j)[1]:
            cluster[i] = k
            left[i] = 0.0
        opened[k] = j
        worth[j] = np.inf
    return opened, cluster
