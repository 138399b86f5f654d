"""Good prices for the bands, by Newton's method on the smoothed dual of the transportation problem; what they prove."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from territory_lab.alignment.costs import Costs, Floats, Ints, listed, lowest, reach

DENSE = 300  # prices up to which a dense factorisation is the faster one
AROUND = 4  # territories that make up the neighbourhood of a unit


class Bands(NamedTuple):
    """The limits, for n units, k territories and m activities."""

    loads: Floats  # shape (m, n)
    lower: Floats  # shape (m, k)
    upper: Floats  # likewise


class Choice(NamedTuple):
    """The territories each unit considers."""

    near: Ints  # territories, shape (n, width)
    far: Floats  # their costs, shape (n, width)
    scale: Floats  # cost of each unit's neighbourhood, (n,): temperatures are pure numbers, in West and East alike


def consider(costs: Costs, bands: Bands, price: Floats, width: int, near: Ints | None = None) -> Choice:
    """List the territories each unit considers at these prices, or take the list ``near`` from a moment ago."""
    width = min(width, price.shape[1])
    near = reach(costs, bands.loads, price, width) if near is None else near
    far = listed(costs, near)
    around = far[:, : min(AROUND, width)]
    finite = np.isfinite(around)
    scale = np.where(finite, around, 0.0).sum(axis=1) / np.maximum(finite.sum(axis=1), 1)
    return Choice(near, far, np.maximum(scale, 1e-6 * scale.mean() if scale.any() else 1.0))


@njit(cache=True)
def _shares(choice: Choice, loads: Floats, price: Floats, heat: float, share: Floats) -> float:
    """Write the softened shares of each unit and return the sum of soft minima."""
    n, width = choice.near.shape
    value = 0.0
    for i in range(n):
        least = np.inf
        for s in range(width):
            total = choice.far[i, s]
            for a in range(loads.shape[0]):
                total += loads[a, i] * price[a, choice.near[i, s]]
            share[i, s] = total / choice.scale[i]
            least = min(least, share[i, s])
        norm = 0.0
        for s in range(width):
            gap = (share[i, s] - least) / heat
            share[i, s] = np.exp(-gap) if gap < 30 else 0.0
            norm += share[i, s]
        value += choice.scale[i] * (least - heat * np.log(norm))
        for s in range(width):
            share[i, s] /= norm
    return value


@njit(cache=True)
def _loads(choice: Choice, loads: Floats, share: Floats, k: int) -> Floats:
    """Activities of each territory under fractional shares, shape (m, k)."""
    load = np.zeros((loads.shape[0], k))
    for i in range(share.shape[0]):
        for s in range(share.shape[1]):
            for a in range(loads.shape[0]):
                load[a, choice.near[i, s]] += loads[a, i] * share[i, s]
    return load


@njit(cache=True)
def _bend(choice: Choice, loads: Floats, share: Floats, heat: float, k: int) -> Floats:
    """Second derivatives of the soft minima, with the sign turned, shape (m k, m k)."""
    m = loads.shape[0]
    second = np.zeros((m * k, m * k))
    for i in range(share.shape[0]):
        used = np.flatnonzero(share[i] > 1e-5)
        for s in used:
            for q in used:
                both = share[i, s] * ((s == q) - share[i, q]) / (choice.scale[i] * heat)
                for a in range(m):
                    for b in range(m):
                        pull = loads[a, i] * loads[b, i] * both
                        second[a * k + choice.near[i, s], b * k + choice.near[i, q]] += pull
    return second


def _solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive system, sparse where it is large."""
    if right.size <= DENSE:
        return np.asarray(cho_solve(cho_factor(matrix), right))
    return np.asarray(splu(csc_matrix(matrix)).solve(right))


def _round_off(choice: Choice, bands: Bands, heat: float) -> Floats:
    """Prices that count as near zero: what the heat is worth in each territory, shape (m, k)."""
    m, k = bands.lower.shape
    cost = np.bincount(choice.near[:, 0], weights=choice.scale, minlength=k)
    load = np.array([np.bincount(choice.near[:, 0], weights=bands.loads[a], minlength=k) for a in range(m)])
    level = choice.scale.sum() / bands.loads.sum(axis=1)[:, None]
    local = np.divide(cost, load, out=np.repeat(level, k, axis=1), where=load > 0)
    small: Floats = heat * np.clip(local, 1e-3 * level, 1e3 * level)
    return small


def climb(choice: Choice, bands: Bands, price: Floats, *, heat: float, steps: int) -> tuple[Floats, Floats]:
    """
    Maximise the smoothed dual by damped Newton steps; gives the prices, and the share of each unit where it considers.

    The dual of the transportation problem is sum of min_j (c_ij + load_i p_j) - sum of (target p_j + slack |p_j|); its
    minima are softened and its corners at p = 0 rounded off in proportion to ``heat``, a share of the cost of each
    unit's neighbourhood.
    """
    target, slack = (bands.upper + bands.lower) / 2, (bands.upper - bands.lower) / 2
    small = _round_off(choice, bands, heat)
    share = np.empty(choice.far.shape)

    def value_at(p: Floats) -> float:
        """Smoothed dual; leaves the shares behind."""
        value: float = _shares(choice, bands.loads, p, heat, share)
        return value - float((target * p + slack * (np.hypot(p, small) - small)).sum())

    value = value_at(price)
    for _ in range(steps):
        root = np.hypot(price, small)
        gradient = _loads(choice, bands.loads, share, price.shape[1]) - target - slack * price / root
        if np.abs(gradient).max() < 1e-3 * target.max():
            break
        second = _bend(choice, bands.loads, share, heat, price.shape[1])
        corner = second.ravel()[:: price.size + 1]
        corner += (slack * small**2 / root**3).ravel()
        corner += 1e-3 * corner + 1e-9 * corner.mean() + 1e-300
        step = _solve(second, gradient.ravel()).reshape(price.shape)
        step *= min(1.0, 50 / max(np.abs(step / small).max(), 1e-300))
        rise = float((step * gradient).sum())
        for halvings in range(12):
            length = 0.5**halvings
            reached = value_at(price + length * step)
            if reached >= value + 1e-4 * length * rise:
                break
        else:
            value_at(price)
            break
        price, value = price + length * step, reached
    return price, share


def certificate(costs: Costs, bands: Bands, price: Floats, move_price: float = 0.0, room: float = np.inf) -> float:
    """
    Lower bound on the cost of any plan with these centres, contiguous or not, for any prices.

    By weak duality sum_i min_j (c_ij + load_i p_j) - U p+ + L p- over *all* centres bounds every plan within the
    bands from below. The sum is exact (`math.fsum`); what is left is the rounding of each term, at most a few units
    in the last place, and a margin of 64 of them times the sum of absolute terms is taken off. ``move_price`` is the
    price of the limit ``room`` on the weight that may leave its owner. Infinite where a unit has no allowed territory.
    """
    owned = costs._replace(move_price=costs.move_price + move_price)
    _, value = lowest(owned, bands.loads, price)
    if not np.isfinite(value).all():
        return np.inf
    paid = np.where(price > 0, price * bands.upper, price * bands.lower).ravel()
    terms = [*value, *-paid]
    size = math.fsum(np.abs(value)) + 2 * math.fsum(np.abs(bands.loads).sum(axis=1) * np.abs(price).max(axis=1))
    if move_price > 0:
        terms.append(-move_price * room)
        size += move_price * room
    return math.fsum(terms) - 64 * np.finfo(float).eps * size
