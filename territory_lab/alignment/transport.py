"""The fractional plan for given centres: prices first by a smoothed dual, then exactly by a linear programme."""

from typing import NamedTuple

import highspy
import numpy as np
from numba import njit
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from territory_lab.alignment.costs import Costs, Floats, Ints, lowest, pair_costs, tempting

DENSE = 300  # prices up to which a dense factorisation is the faster one


class Limits(NamedTuple):
    """
    The bands, for n units, k territories and m activities.

    Parameters
    ----------
    loads : Floats
        Shape (m, n).
    lower, upper : Floats
        Shape (m, k).
    scale : Floats
        Weight of each unit in the smoothing, shape (n,).
    """

    loads: Floats
    lower: Floats
    upper: Floats
    scale: Floats


def limits(weight: Floats, loads: Floats, lower: Floats, upper: Floats) -> Limits:
    """Bind the bands; a unit counts by its shares of weight and of the activities."""
    totals = loads.sum(axis=1)
    mass = weight.sum()
    part = weight / mass if mass > 0 else np.zeros(weight.size)
    scale = (part + (loads / totals[:, None]).mean(axis=0)) / 2
    scale = np.maximum(scale, 1e-9 / scale.size) * (mass if mass > 0 else 1.0)
    return Limits(loads, lower, upper, scale)


@njit(cache=True)
def _soften(
    near: Ints, far: Floats, loads: Floats, scale: Floats, price: Floats, heat: float, curve: bool
) -> tuple[float, Floats, Floats, Floats]:
    """Smoothed dual value, the shares of each unit, the loads and (``curve``) the matrix of second derivatives."""
    n, width = near.shape
    m, k = price.shape
    share = np.zeros((n, width))
    load = np.zeros((m, k))
    size = m * k if curve else 0
    second = np.zeros((size, size))
    row = np.empty(width)
    value = 0.0
    for i in range(n):
        least = np.inf
        for s in range(width):
            total = far[i, s]
            for a in range(m):
                total += loads[a, i] * price[a, near[i, s]]
            row[s] = total / scale[i]
            least = min(least, row[s])
        norm = 0.0
        for s in range(width):
            gap = (row[s] - least) / heat
            share[i, s] = np.exp(-gap) if gap < 30 else 0.0
            norm += share[i, s]
        value += scale[i] * (least - heat * np.log(norm))
        for s in range(width):
            share[i, s] /= norm
        for s in range(width):
            part = share[i, s]
            if part == 0.0:
                continue
            for a in range(m):
                load[a, near[i, s]] += loads[a, i] * part
            if not curve or part < 1e-5:
                continue
            for q in range(width):
                both = part * ((1.0 if q == s else 0.0) - share[i, q])
                if share[i, q] < 1e-5:
                    continue
                for a in range(m):
                    for b in range(m):
                        pull = loads[a, i] * loads[b, i] / (scale[i] * heat) * both
                        second[a * k + near[i, s], b * k + near[i, q]] += pull
    return value, share, load, second


def _solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive system, sparse where it is large."""
    if right.size <= DENSE:
        return np.asarray(cho_solve(cho_factor(matrix), right))
    return np.asarray(splu(csc_matrix(matrix)).solve(right))


def climb(near: Ints, far: Floats, bands: Limits, price: Floats, heat: float, steps: int) -> tuple[Floats, Floats]:
    """
    Maximise the smoothed dual by damped Newton steps.

    The dual of the transportation problem is sum of softmin(c_ij + load_i p_j) - sum of (target p_j + slack |p_j|),
    with |p| rounded off near zero in proportion to ``heat``.

    Parameters
    ----------
    near, far : ndarray
        Territories each unit considers and their costs, shape (n, width).
    bands : Limits
        Activities and their limits.
    price : ndarray
        Where to start, shape (m, k).
    heat : float
        Width of the smoothing, in cost per weight.
    steps : int
        At most this many Newton steps.

    Returns
    -------
    price, share : ndarray
        The prices, shape (m, k), and the share of each unit in each territory it considers, shape (n, width).
    """
    loads, scale = bands.loads, bands.scale
    target, slack = (bands.upper + bands.lower) / 2, (bands.upper - bands.lower) / 2
    round_off = heat * (scale.sum() / loads.sum(axis=1))[:, None]
    size = price.size

    def value_at(p: Floats, curve: bool) -> tuple[float, Floats, Floats, Floats]:
        """Value, shares, gradient, curvature."""
        value, share, load, second = _soften(near, far, loads, scale, p, heat, curve)
        root = np.sqrt(p * p + round_off**2)
        value -= float((target * p + slack * (root - round_off)).sum())
        gradient = load - target - slack * p / root
        if curve:
            second[np.diag_indices(size)] += (slack * round_off**2 / root**3).ravel()
        return value, share, gradient, second

    value, share, gradient, second = value_at(price, True)
    for _ in range(steps):
        ridge = 1e-9 * np.trace(second) / size + 1e-300
        second[np.diag_indices(size)] += ridge + 1e-3 * second.diagonal()
        step = _solve(second, gradient.ravel()).reshape(price.shape)
        longest = np.abs(step / round_off).max()
        step *= min(1.0, 50 / longest) if longest > 0 else 0.0
        rise = float((step * gradient).sum())
        length = 1.0
        for _ in range(12):
            trial = price + length * step
            reached = value_at(trial, False)[0]
            if reached >= value + 1e-4 * length * rise:
                break
            length /= 2
        else:
            break
        price = trial
        value, share, gradient, second = value_at(price, True)
        if np.abs(gradient / (target + 1e-300)).max() < 1e-3:
            break
    return price, share


class Flow(NamedTuple):
    """
    A fractional plan.

    Parameters
    ----------
    unit, territory : Ints
        Pairs used.
    share : Floats
        Part of the unit that goes there.
    price : Floats
        Shadow prices of the bands, shape (m, k).
    move_price : float
        Shadow price of the disruption limit.
    excess : float
        What the bands lack, as a share of the target; above zero the bands cannot be met even fractionally.
    """

    unit: Ints
    territory: Ints
    share: Floats
    price: Floats
    move_price: float
    excess: float


def transport(costs: Costs, bands: Limits, price: Floats, heat: float, room: float = np.inf) -> Flow:
    """
    Solve the transportation problem exactly, by column generation from good prices.

    Parameters
    ----------
    costs : Costs
        Cost of every pair; the disruption limit must not be in its price of moved weight.
    bands : Limits
        Activities and their limits.
    price : ndarray
        Starting prices, shape (m, k); pairs within a few ``heat`` of the cheapest enter first.
    heat : float
        How far the starting prices may be off, in cost per weight.
    room : float
        Weight that may leave its owner.

    Returns
    -------
    Flow
        Optimal shares and prices; ``excess`` is positive where no fractional plan keeps the bands.
    """
    slack = 8 * heat * bands.scale
    _, floor = lowest(costs, bands.loads, price)
    rows, columns = tempting(costs, bands.loads, price, floor + slack)
    if room < np.inf:
        rows, columns = _with_owners(costs, rows, columns, price.shape[1])
    while True:
        flow, floor = _restricted(costs, bands, rows, columns, room)
        owned = costs._replace(move_price=costs.move_price + flow.move_price)
        tolerance = -1e-7 * (np.abs(floor) + heat * bands.scale)
        new = tempting(owned, bands.loads, flow.price, floor + tolerance)
        known = np.isin(new[0] * price.shape[1] + new[1], rows * price.shape[1] + columns)
        if known.all():
            return flow
        rows, columns = np.r_[rows, new[0][~known]], np.r_[columns, new[1][~known]]


def _with_owners(costs: Costs, rows: Ints, columns: Ints, k: int) -> tuple[Ints, Ints]:
    """Add every unit's own territory to the pairs, where it is allowed."""
    owned = np.flatnonzero(costs.owner >= 0)
    owned = owned[np.isfinite(pair_costs(costs, owned, costs.owner[owned]))]
    keys = np.unique(np.r_[rows * k + columns, owned * k + costs.owner[owned]])
    return keys // k, keys % k


def _restricted(costs: Costs, bands: Limits, rows: Ints, columns: Ints, room: float) -> tuple[Flow, Floats]:
    """Optimise over the listed pairs only; also the priced cost of each unit's cheapest listed pair."""
    m, k = bands.lower.shape
    n, e = costs.weight.size, rows.size
    value = pair_costs(costs, rows, columns)
    steep = (1e3 * np.abs(value).sum() or 1.0) / bands.loads.sum(axis=1)
    width = m * k
    moved = costs.owner >= 0
    tie = np.where(columns == costs.owner[rows], costs.weight[rows], 0.0) if room < np.inf else np.empty(0)
    entries = [
        (np.ones(e), rows, np.arange(e)),
        *((bands.loads[a, rows], n + a * k + columns, np.arange(e)) for a in range(m)),
        (np.ones(width), n + np.arange(width), e + np.arange(width)),
        (-np.ones(width), n + np.arange(width), e + width + np.arange(width)),
    ]
    lower, upper = np.r_[np.ones(n), bands.lower.ravel()], np.r_[np.ones(n), bands.upper.ravel()]
    spare = 2 * width
    elastic = np.tile(np.repeat(steep, k), 2)
    if room < np.inf:
        entries += [
            (tie, np.full(e, n + width), np.arange(e)),
            (np.ones(1), np.array([n + width]), np.array([e + spare])),
        ]
        lower, upper = np.r_[lower, costs.weight[moved].sum() - room], np.r_[upper, np.inf]
        spare, elastic = spare + 1, np.r_[elastic, steep.max() * bands.loads.sum(axis=1).max() / costs.weight.sum()]
    data, at_row, at_column = (np.concatenate(part) for part in zip(*entries, strict=True))
    matrix = csc_matrix((data, (at_row, at_column)), shape=(lower.size, e + spare))
    solution = minimise(np.r_[value, elastic], matrix, lower, upper)
    share, dual = np.array(solution.col_value), np.array(solution.row_dual)
    price = -dual[n : n + width].reshape(m, k)
    used = share[:e] > 1e-9
    excess = float((share[e : e + 2 * width].reshape(2, m, k).sum(axis=0) / bands.upper.max(axis=1)[:, None]).max())
    excess = max(excess, float(share[e + 2 * width :].sum()) / costs.weight.sum())
    return Flow(
        rows[used], columns[used], share[:e][used], price, max(0.0, float(dual[-1])) if room < np.inf else 0.0, excess
    ), dual[:n]


def minimise(
    objective: Floats, matrix: csc_matrix, lower: Floats, upper: Floats, top: float = np.inf
) -> highspy.HighsSolution:
    """Minimise a linear programme with non-negative variables, silently and on one thread."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = objective, np.zeros(objective.size), np.full(objective.size, top)
    lp.row_lower_, lp.row_upper_ = lower, upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy._Highs()  # noqa: SLF001 - the public class prints its banner before it can be silenced
    for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        solver.setOptionValue(option, setting)
    solver.passModel(lp)
    solver.run()
    return solver.getSolution()
