"""Where territories stand: a first spread by bisection, then centres that follow their units."""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix

from territory_lab.alignment.connect import islands
from territory_lab.alignment.costs import EARTH_RADIUS_KM, SPHERE, TABLE, Costs, Floats, Ints, distance_power
from territory_lab.alignment.prices import Bands, climb, consider
from territory_lab.alignment.problem import Problem

WIDTH = 16  # territories a unit considers while centres still move
KEEP = 3  # steps for which the list of these territories is kept
STILL = 1e-5  # centres that move less than this share of their coordinates have arrived


class Centres(NamedTuple):
    """Where k territories stand."""

    points: Floats  # in km, shape (k, 3)
    site: Ints  # unit or column of the matrix at which each centre stands, -1 for none, shape (k,)


def fixed(problem: Problem) -> Centres:
    """Read the fixed homes."""
    points = problem.arrays.homes if problem.kind != TABLE else np.zeros((len(problem.territory_ids), 3))
    return Centres(points, np.arange(len(points)) if problem.kind == TABLE else np.full(len(points), -1))


def costs_of(problem: Problem, centres: Centres) -> Costs:
    """Bind the true costs of these centres."""
    table = problem.arrays.table[:, centres.site] if problem.kind == TABLE else problem.arrays.table
    return problem.costs(centres.points, np.ascontiguousarray(table))


def search_costs(problem: Problem, centres: Centres, island: Ints) -> Costs:
    """
    Bind the costs that lead the search.

    They differ from the true ones where these leave the search undecided: homes on one point are drawn apart, so that
    the line between them exists, and a territory is kept to the piece of the map it was allotted.
    """
    costs = costs_of(problem, centres)
    if island.any():
        piece = islands(problem.arrays.starts, problem.arrays.ends)
        apart = piece[:, None] != island
        costs = costs._replace(banned=apart | costs.banned if costs.banned.size else apart)
    _, first, twin = np.unique(centres.points.round(6), axis=0, return_index=True, return_inverse=True)
    shared = np.flatnonzero(np.bincount(twin)[twin] > 1)
    if problem.kind == TABLE or shared.size == 0 or first.size == 1:
        return costs
    spread = np.sqrt(centres.points.var(axis=0).sum() / len(twin))
    angle = np.pi * (3 - np.sqrt(5)) * shared  # the golden angle: no two directions alike
    nudge = np.c_[np.cos(angle), np.sin(angle), np.zeros(shared.size)]
    points = centres.points.copy()
    points[shared] += 0.02 * spread * nudge
    return costs._replace(centres=points)


def bisect(points: Floats, mass: Floats, share: Floats) -> Ints:
    """Cut the units in two along the principal axis, in proportion to the territories' shares, until each has one."""
    assign = np.zeros(mass.size, np.int64)
    open_parts = [(np.arange(mass.size), np.arange(share.size))]
    while open_parts:
        units, territories = open_parts.pop()
        if territories.size == 1:
            assign[units] = territories[0]
            continue
        weight = mass[units] + 1e-12 * mass.sum()
        middle = np.average(points[units], axis=0, weights=weight)
        spread = points[units] - middle
        axis = np.linalg.eigh((spread * weight[:, None]).T @ spread)[1][:, -1]
        order = np.argsort(spread @ axis, kind="stable")
        half = territories.size // 2
        left = share[territories[:half]].sum() / share[territories].sum()
        cut = int(np.searchsorted(np.cumsum(weight[order]), left * weight.sum()))
        cut = min(max(cut, half), units.size - (territories.size - half))
        open_parts += [(units[order[:cut]], territories[:half]), (units[order[cut:]], territories[half:])]
    return assign


def spread_out(table: Floats, weight: Floats, k: int, rng: np.random.Generator) -> Ints:
    """Choose k sites of a matrix, each with a chance in proportion to the cost it saves (k-means++)."""
    nearest = np.full(len(table), np.inf)
    reachable = np.where(np.isfinite(table), table, np.nanmax(table[np.isfinite(table)]) * 4)
    sites: list[int] = []
    for _ in range(k):
        chance = weight * nearest if sites else weight.astype(float)
        total = chance.sum()
        unit = int(rng.choice(len(table), p=chance / total)) if total > 0 else int(rng.integers(len(table)))
        order = np.argsort(reachable[unit], kind="stable")
        site = next((int(s) for s in order if int(s) not in sites), int(order[0]))
        sites.append(site)
        nearest = np.minimum(nearest, reachable[:, site])
    return np.array(sites)


@njit(cache=True)
def _middle(near: Ints, mass: Floats, points: Floats, at: Floats, power: int) -> Floats:
    """Mean of the mass of each centre (power 2), or one step of Weiszfeld towards its median (power 1)."""
    total = np.zeros(at.shape[0])
    place = np.zeros(at.shape)
    for i in range(near.shape[0]):
        for s in range(near.shape[1]):
            j = near[i, s]
            part = mass[i, s]
            if part == 0:
                continue
            if power == 1:
                part /= np.sqrt(1e-6 + ((points[i] - at[j]) ** 2).sum())
            total[j] += part
            place[j] += part * points[i]
    for j in range(at.shape[0]):
        place[j] = place[j] / total[j] if total[j] > 0 else at[j]
    return place


def follow(problem: Problem, centres: Centres, near: Ints, share: Floats, rounds: int) -> Centres:
    """Move centres to the middle of the (fractional) mass of their units."""
    mass = share * problem.arrays.weight[:, None]
    if problem.kind == TABLE:
        table = problem.arrays.table**problem.power
        k = centres.site.size
        spots = np.repeat(np.arange(len(near)), near.shape[1])
        shares = csr_matrix((mass.ravel(), (near.ravel(), spots)), shape=(k, len(near)))
        shares.eliminate_zeros()
        return Centres(centres.points, np.asarray(shares @ table).argmin(axis=1))
    points = centres.points
    for _ in range(rounds):
        before, points = points, _middle(near, mass, problem.arrays.points, points, problem.power)
        if np.abs(points - before).max() < STILL * np.abs(points).max():
            break
    if problem.kind == SPHERE:
        points *= EARTH_RADIUS_KM / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return Centres(points, np.full(len(points), -1))


@njit(cache=True)
def _best_member(between: Costs, order: Ints, first: Ints, only: Ints) -> Ints:
    """Find the unit of each listed territory with the least weighted cost to all its units; -1 for the others."""
    site = np.full(first.size - 1, -1, np.int64)
    for j in only:
        best = np.inf
        for candidate in order[first[j] : first[j + 1]]:
            total = 0.0
            for i in order[first[j] : first[j + 1]]:
                total += between.weight[i] * distance_power(between, i, candidate)
                if total >= best:
                    break
            if total < best:
                best = total
                site[j] = candidate
    return site


def settle(problem: Problem, centres: Centres, assign: Ints, only: Ints | None = None) -> Centres:
    """Put each centre (or those of the listed territories) where its territory costs least, among the allowed sites."""
    if not problem.free:
        return centres
    a, k = problem.arrays, len(problem.territory_ids)
    only = np.arange(k) if only is None else only
    if problem.kind == TABLE or problem.sites == "anywhere":
        rounds = 200 if problem.power == 1 else 1
        moved = follow(problem, centres, assign[:, None], np.ones((assign.size, 1)), rounds)
        points, sites = centres.points.copy(), centres.site.copy()
        points[only], sites[only] = moved.points[only], moved.site[only]
        return Centres(points, sites)
    between = problem.costs(a.points, a.table)
    order = np.argsort(assign, kind="stable")
    first = np.searchsorted(assign[order], np.arange(k + 1))
    site = _best_member(between, order, first, only)
    stays = site < 0
    site = np.where(stays, centres.site, site)
    return Centres(np.where(stays[:, None], centres.points, a.points[site]), site)


def named(problem: Problem, assign: Ints) -> Ints:
    """
    Give groups of units (``assign``, 0 to k - 1) the territories that fit them best, by the Hungarian method.

    Locks, forbidden pairs and today's alignment say what fits, in this order.
    """
    a, k = problem.arrays, len(problem.territory_ids)
    fit = np.zeros((k, k))
    whole = float(a.weight.sum()) or 1.0
    for label, worth in ((a.owner, a.weight / whole), (a.pinned, np.ones(assign.size))):
        np.add.at(fit, (assign[label >= 0], label[label >= 0]), worth[label >= 0])
    if a.banned.size:
        np.add.at(fit, assign, -2.0 * a.banned)
    return np.asarray(linear_sum_assignment(-fit)[1])


def first_centres(problem: Problem, island: Ints, rng: np.random.Generator, *, today: bool) -> Centres:
    """Spread centres before anything is known of the plan: where they are today (if wanted), else by bisection."""
    a, k = problem.arrays, len(problem.territory_ids)
    nowhere = Centres(np.zeros((k, 3)), np.full(k, -1))
    if today and set(range(k)) <= set(a.owner):
        known = a.owner >= 0
        start = Centres(a.points[[int(np.flatnonzero(a.owner == j)[0]) for j in range(k)]], nowhere.site)
        return follow(problem, start, np.where(known, a.owner, 0)[:, None], known[:, None].astype(float), 20)
    if problem.kind == TABLE and not a.points.any():
        return Centres(nowhere.points, spread_out(a.table, a.weight, k, rng))
    mass = (a.loads / a.loads.sum(axis=1)[:, None]).mean(axis=0) + 1e-12
    turned = _turn(a.points, problem.kind, rng)
    piece = islands(a.starts, a.ends) if island.any() else np.zeros(len(mass), np.int64)
    assign = np.empty(len(mass), np.int64)
    for number in np.unique(island):
        units, territories = np.flatnonzero(piece == number), np.flatnonzero(island == number)
        part = bisect(turned[units], mass[units], problem.shares.mean(axis=0)[territories])
        assign[units] = territories[part]
    if not island.any():
        assign = named(problem, assign)[assign]
    means = np.array([np.average(a.points[assign == j], axis=0, weights=mass[assign == j]) for j in range(k)])
    return follow(problem, Centres(means, nowhere.site), assign[:, None], np.ones((assign.size, 1)), 3)


def _turn(points: Floats, kind: int, rng: np.random.Generator) -> Floats:
    """Stretch space a little in a random direction, so that seeds differ in where the first cuts fall."""
    axis = rng.normal(size=3) * (1.0 if kind == SPHERE else np.array([1.0, 1.0, 0.0]))
    axis /= np.linalg.norm(axis)
    return points + 0.5 * (points @ axis)[:, None] * axis


def relax(problem: Problem, bands: Bands, centres: Centres, island: Ints, heats: Floats) -> tuple[Centres, Floats]:
    """
    Move centres and prices together while the assignment sharpens (deterministic annealing, Rose 1998).

    ``heats`` fall, as shares of the cost of each unit's neighbourhood; gives the centres and the prices of the bands.
    """
    price = np.zeros(bands.lower.shape)
    near = None
    for step, heat in enumerate(heats):
        choice = consider(search_costs(problem, centres, island), bands, price, WIDTH, near if step % KEEP else None)
        near = choice.near
        price, share = climb(choice, bands, price, heat=float(heat), steps=4 if step else 12)
        centres = follow(problem, centres, choice.near, share, 2)
    return centres, price
