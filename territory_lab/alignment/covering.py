"""
The bound behind `locate`: every candidate site fills a knapsack with the units that are worth more than their distance.

Relaxing that each unit is served once, with a multiplier a unit, leaves one 0-1 knapsack a site, of which the best
number wanted are taken (Lorena and Senne 2004; Boccia, Sforza, Sterle and Vasilyev 2008): a lower bound for any
multipliers.
"""

import time
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.knapsack import knapsack

NODES = 4_000  # of the search tree of one knapsack; past them its fractional value stands
ROUNDING = 1e-11  # share of all terms that is taken off a bound
MARGIN = 0.2  # by which multipliers may grow before the lists are made anew
RELIST = 50  # steps after which they are
INERTIA, PATIENCE, COOLING, LEAST_STEP = 0.7, 20, 0.6, 1e-3  # of the ascent


class Siting(NamedTuple):
    """The question as numbers, for n units and m candidate sites."""

    far: Floats  # weighted distances, infinite out of reach, shape (n, m)
    load: Floats  # of each unit, above zero, shape (n,)
    capacity: Floats  # of each site, shape (m,)
    fee: Floats  # fixed cost of each site, shape (m,)
    held: Flags  # sites that must be open, shape (m,)
    wanted: int  # sites to open


class Book(NamedTuple):
    """The units each site may want, for m sites."""

    first: Ints  # site ``j`` may want the units ``unit[first[j]:first[j + 1]]``, shape (m + 1,)
    unit: Ints
    far: Floats  # weighted distance of each entry
    limit: Floats  # the multipliers up to which the lists are complete, shape (n,)


@njit(cache=True)
def list_below(far: Floats, limit: Floats) -> Book:
    """List the pairs nearer than the limit of each unit: a book complete for every multiplier up to it."""
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
def weigh_sites(siting: Siting, book: Book, multiplier: Floats, price: Floats) -> Floats:
    """
    Fill the fractional knapsack of every site: the least sum of distance - multiplier there plus its fixed cost.

    ``price`` is the marginal ratio of each site the last time, at most 0, changed in place.
    """
    worth = siting.fee.copy()
    longest = np.diff(book.first).max()
    ratio, load = np.empty(longest), np.empty(longest)
    for j in range(worth.size):
        count = 0
        for e in range(book.first[j], book.first[j + 1]):
            i = book.unit[e]
            gain = book.far[e] - multiplier[i]
            if gain < 0:
                ratio[count], load[count] = gain / siting.load[i], siting.load[i]
                count += 1
        price[j], _, sum_ = knapsack(ratio[:count], load[:count], 0.0, siting.capacity[j], price[j])
        worth[j] += sum_
    return worth


@njit(cache=True)
def _wishes(siting: Siting, book: Book, multiplier: Floats, j: int) -> tuple[Floats, Ints, Floats]:
    """Gain, unit and load of what is worth serving from a site, the best for its load first."""
    unit = book.unit[book.first[j] : book.first[j + 1]]
    gain = multiplier[unit] - book.far[book.first[j] : book.first[j + 1]]
    wanted = (gain > 0) & (siting.load[unit] <= siting.capacity[j])
    unit, gain = unit[wanted], gain[wanted]
    load = siting.load[unit]
    order = np.argsort(-gain / load)
    return gain[order], unit[order], load[order]


@njit(cache=True)
def _in_part(gain: Floats, load: Floats, at: int, room: float) -> float:
    """Most that the units from a place on can add where the last may be served in part."""
    total = 0.0
    while at < gain.size and load[at] <= room:
        total += gain[at]
        room -= load[at]
        at += 1
    return total + gain[at] * room / load[at] if at < gain.size else total


@njit(cache=True)
def _fill(siting: Siting, book: Book, multiplier: Floats, j: int) -> tuple[float, Ints]:
    """
    Fill the 0-1 knapsack of one site by depth-first search with the bound of Dantzig (1957).

    Gives a worth that no choice of units undercuts, the exact one unless the search was cut short, and the best choice.
    """
    gain, unit, load = _wishes(siting, book, multiplier, j)
    count = unit.size
    taken, best = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    most, have, room, at, whole = 0.0, 0.0, siting.capacity[j], 0, -1.0
    for _ in range(NODES):
        bound = have + _in_part(gain, load, at, room)
        whole = max(whole, bound)
        if bound > most * (1 + 1e-12):  # the rest, in part, can beat the best: take what fits
            while at < count:
                if load[at] <= room:
                    taken[at] = True
                    have, room = have + gain[at], room - load[at]
                at += 1
            if have > most:
                most, best = have, taken.copy()
        at -= 1
        while at >= 0 and not taken[at]:
            at -= 1
        if at < 0:
            return siting.fee[j] - most * (1 + 1e-12), unit[best]
        taken[at] = False
        have, room, at = have - gain[at], room + load[at], at + 1
    return siting.fee[j] - whole, unit[best]


class Answer(NamedTuple):
    """The relaxed plan for given multipliers, for n units and m sites."""

    value: float  # the bound
    cover: Floats  # how often each unit is served, shape (n,)
    worth: Floats  # of each site, never above the true one, shape (m,)
    fractional: Floats  # the same with fractional knapsacks


@njit(cache=True)
def relaxed(siting: Siting, book: Book, multiplier: Floats, price: Floats, whole: bool) -> Answer:
    """
    Solve the relaxation: the sites that must be open, and the best of the others.

    The bound holds for any multipliers up to the limit of the book, whether units are served ``whole`` by the sites
    that matter or not; ``price`` as in `weigh_sites`.
    """
    fractional = weigh_sites(siting, book, multiplier, price)
    worth = fractional.copy()
    key = np.where(siting.held, -np.inf, worth)
    order = np.argsort(key)
    chosen, cover = order[: siting.wanted].copy(), np.zeros(multiplier.size)
    if whole:  # in the order of the fractional values, until no later one can be among the best
        best = np.full(siting.wanted, np.inf)
        for j in order:
            if key[j] >= best[-1]:
                break
            worth[j] = max(worth[j], _fill(siting, book, multiplier, j)[0])
            own = -np.inf if siting.held[j] else worth[j]
            if own < best[-1]:
                s = siting.wanted - 1
                while s > 0 and best[s - 1] > own:
                    best[s], chosen[s] = best[s - 1], chosen[s - 1]
                    s -= 1
                best[s], chosen[s] = own, j
    for j in chosen:
        if whole:
            cover[_fill(siting, book, multiplier, j)[1]] += 1
            continue
        for e in range(book.first[j], book.first[j + 1]):
            i = book.unit[e]
            gain = (book.far[e] - multiplier[i]) / siting.load[i]
            if gain < 0 and gain <= price[j]:
                cover[i] += 1
    size = np.abs(multiplier).sum() + np.abs(worth[chosen]).sum()
    return Answer(multiplier.sum() + worth[chosen].sum() - ROUNDING * size, cover, worth, fractional)


@njit(cache=True)
def greedy(siting: Siting, book: Book, multiplier: Floats) -> tuple[Ints, Ints]:
    """
    Open one site after the other: the one whose knapsack of the units that are left is worth most.

    A worth only falls as units go, so that an old one is an upper limit and few are counted anew (Minoux 1978). Gives
    the sites, and the position among them of each unit's, -1 where no knapsack holds it.
    """
    left, m = multiplier.copy(), siting.held.size
    worth = weigh_sites(siting, book, left, np.zeros(m))
    worth[siting.held] = -np.inf
    opened, cluster = np.empty(siting.wanted, np.int64), np.full(left.size, -1)
    age = np.zeros(m, np.int64)
    for k in range(siting.wanted):
        j = int(worth.argmin())
        while age[j] < k and not siting.held[j]:
            worth[j], age[j] = _fill(siting, book, left, j)[0], k
            j = int(worth.argmin())
        unit = _fill(siting, book, left, j)[1]
        cluster[unit] = k
        left[unit] = 0.0
        opened[k], worth[j] = j, np.inf
    return opened, cluster


@dataclass
class Ascent:
    """Multipliers on their way up, by deflected subgradients with Polyak's step (Camerini et al. 1975)."""

    siting: Siting
    multiplier: Floats  # the best so far, shape (n,)
    bound: float = -np.inf  # what they prove
    worth: Floats = field(default_factory=lambda: np.empty(0))  # of each site, shape (m,)
    fractional: Floats = field(default_factory=lambda: np.empty(0))  # that of its fractional knapsack
    price: Floats = field(default_factory=lambda: np.empty(0))  # the marginal ratio there

    def book(self) -> Book:
        """List what the sites may want while multipliers grow a little."""
        return list_below(self.siting.far, (1 + MARGIN) * self.multiplier + MARGIN * self.multiplier.mean())

    def climb(self, target: float, rounds: int, until: float, *, whole: bool) -> None:
        """Raise the bound towards the cost of the best plan known, with 0-1 knapsacks (``whole``) or in fractions."""
        at, price = self.multiplier, np.zeros(self.worth.size or self.siting.capacity.size)
        way, theta, stalls, book = np.zeros(at.size), 1.0, 0, self.book()
        for turn in range(rounds):
            if turn % RELIST == RELIST - 1:
                at, book = self.multiplier, self.book()
            answer = relaxed(self.siting, book, at, price, whole)
            stalls += 1
            if answer.value > self.bound:
                self.bound, self.multiplier, self.price, stalls = answer.value, at, price.copy(), 0
                self.worth, self.fractional = answer.worth, answer.fractional
            elif stalls == PATIENCE:
                at, way, theta, stalls = self.multiplier, np.zeros(at.size), theta * COOLING, 0
            way = INERTIA * way + (1 - INERTIA) * (1 - answer.cover)
            steep = float(way @ way)
            if theta < LEAST_STEP or steep == 0 or target <= self.bound or time.monotonic() > until:
                return
            step = theta * max(target - answer.value, 0.0) / steep
            at = np.clip(at + step * way, 0.0, book.limit)
