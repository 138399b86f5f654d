"""What it costs to serve a unit from a centre, in the form the compiled loops read."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EARTH_RADIUS_KM = 6371.0088
PLANE, SPHERE, TABLE = 0, 1, 2


class Costs(NamedTuple):
    """Everything that decides the cost of a unit in a territory, for n units and k centres."""

    kind: int  # how distance is measured: ``PLANE``, ``SPHERE`` (chords of a globe in km) or ``TABLE``
    power: int  # exponent of the distance, 1 or 2
    points: Floats  # units in km, shape (n, 3)
    centres: Floats  # centres in km, shape (k, 3)
    table: Floats  # distances, shape (n, k); shape (0, 0) unless ``kind`` is ``TABLE``. Infinite: out of reach
    weight: Floats  # what multiplies distance, shape (n,)
    owner: Ints  # today's territory, -1 for none, shape (n,)
    move_price: float  # price of a unit of weight that leaves its owner
    pinned: Ints  # the only territory allowed, -1 for any, shape (n,)
    banned: Flags  # forbidden pairs, shape (n, k), or (0, 0) where nothing is forbidden


@njit(cache=True)
def distance_power(costs: Costs, i: int, j: int) -> float:
    """Distance from unit ``i`` to centre ``j``, raised to the power."""
    if costs.kind == TABLE:
        far = costs.table[i, j]
        return float(far * far if costs.power == 2 else far)
    x = costs.points[i, 0] - costs.centres[j, 0]
    y = costs.points[i, 1] - costs.centres[j, 1]
    square = x * x + y * y
    if costs.kind == SPHERE:
        z = costs.points[i, 2] - costs.centres[j, 2]
        half_chord = np.sqrt(square + z * z) / (2 * EARTH_RADIUS_KM)
        arc = 2 * EARTH_RADIUS_KM * np.arcsin(min(1.0, half_chord))
        return float(arc * arc if costs.power == 2 else arc)
    return float(square if costs.power == 2 else np.sqrt(square))


@njit(cache=True)
def cost(costs: Costs, i: int, j: int) -> float:
    """Weighted cost of unit ``i`` in territory ``j``; infinite where the pair is not allowed."""
    if costs.pinned[i] >= 0 and costs.pinned[i] != j:
        return np.inf
    if costs.banned.size and costs.banned[i, j]:
        return np.inf
    far = distance_power(costs, i, j)
    if far == np.inf:
        return np.inf
    if costs.owner[i] >= 0 and costs.owner[i] != j:
        far += costs.move_price
    return float(costs.weight[i] * far)


@njit(cache=True)
def _fill_distance(costs: Costs, i: int, row: Floats) -> None:
    """Write the distance of unit ``i`` to every centre, raised to the power."""
    centres = costs.centres
    x, y = costs.points[i, 0], costs.points[i, 1]
    if costs.kind != PLANE:
        for j in range(row.size):
            row[j] = distance_power(costs, i, j)
    elif costs.power == 2:
        for j in range(row.size):
            row[j] = (x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2
    else:
        for j in range(row.size):
            row[j] = np.sqrt((x - centres[j, 0]) ** 2 + (y - centres[j, 1]) ** 2)


@njit(cache=True)
def fill_row(costs: Costs, i: int, row: Floats) -> None:
    """Write the cost of unit ``i`` in every territory; one call a unit, as calls are what takes the time."""
    _fill_distance(costs, i, row)
    owner, pin = costs.owner[i], costs.pinned[i]
    if owner >= 0:
        stays = row[owner]
        row += costs.move_price
        row[owner] = stays
    for j in range(row.size):
        row[j] = costs.weight[i] * row[j] if row[j] < np.inf else np.inf
    if pin >= 0:
        kept = row[pin]
        row[:] = np.inf
        row[pin] = kept
    if costs.banned.size:
        row[costs.banned[i]] = np.inf


@njit(cache=True)
def fill_priced(costs: Costs, loads: Floats, price: Floats, i: int, row: Floats) -> None:
    """Write the cost of unit ``i`` in every territory plus the price of the load it brings (the reduced cost)."""
    fill_row(costs, i, row)
    for a in range(loads.shape[0]):
        load = loads[a, i]
        for j in range(row.size):
            row[j] += load * price[a, j]


@njit(cache=True)
def priced(costs: Costs, loads: Floats, price: Floats, i: int, j: int) -> float:
    """Cost of one pair plus the price of the load it brings."""
    total = cost(costs, i, j)
    for a in range(loads.shape[0]):
        total += loads[a, i] * price[a, j]
    return total


@njit(cache=True)
def total_cost(costs: Costs, assign: Ints) -> float:
    """Sum the cost of an assignment."""
    total = 0.0
    for i in range(assign.size):
        total += cost(costs, i, assign[i])
    return total


@njit(cache=True)
def reach(costs: Costs, loads: Floats, price: Floats, width: int) -> Ints:
    """Find the ``width`` cheapest priced territories of each unit, in order."""
    n, k = costs.weight.size, price.shape[1]
    near = np.zeros((n, width), np.int64)
    row, least = np.empty(k), np.empty(width)
    for i in range(n):
        fill_priced(costs, loads, price, i, row)
        least[:] = np.inf
        for j in range(k):
            if row[j] >= least[-1] and j >= width:
                continue
            s = min(j, width - 1)
            while s > 0 and least[s - 1] > row[j]:
                least[s], near[i, s] = least[s - 1], near[i, s - 1]
                s -= 1
            least[s], near[i, s] = row[j], j
    return near


@njit(cache=True)
def listed(costs: Costs, near: Ints) -> Floats:
    """Cost of each unit in the territories listed for it, shape (n, width)."""
    far = np.empty(near.shape)
    for i in range(near.shape[0]):
        for s in range(near.shape[1]):
            far[i, s] = cost(costs, i, near[i, s])
    return far


@njit(cache=True)
def lowest(costs: Costs, loads: Floats, price: Floats) -> tuple[Ints, Floats]:
    """Cheapest priced territory of each unit over all territories, and its priced cost."""
    n, k = costs.weight.size, price.shape[1]
    best, value = np.zeros(n, np.int64), np.full(n, np.inf)
    row = np.empty(k)
    for i in range(n):
        fill_priced(costs, loads, price, i, row)
        best[i] = row.argmin()
        value[i] = row[best[i]]
    return best, value


@njit(cache=True)
def tempting(costs: Costs, loads: Floats, price: Floats, bar: Floats) -> tuple[Ints, Ints]:
    """Pairs whose priced cost is less than the ``bar`` of the unit."""
    n, k = costs.weight.size, price.shape[1]
    rows, columns = [], []
    row = np.empty(k)
    for i in range(n):
        fill_priced(costs, loads, price, i, row)
        for j in range(k):
            if row[j] < bar[i]:
                rows.append(i)
                columns.append(j)
    return np.array(rows, np.int64), np.array(columns, np.int64)


def confined(costs: Costs, units: Ints, territories: Flags) -> Costs:
    """Forbid these units every territory that is not flagged."""
    banned = costs.banned.copy() if costs.banned.size else np.zeros((costs.weight.size, territories.size), np.bool_)
    banned[units] |= ~territories
    return costs._replace(banned=banned)


@njit(cache=True)
def pair_costs(costs: Costs, rows: Ints, columns: Ints) -> Floats:
    """Cost of each listed pair."""
    out = np.empty(rows.size)
    for e in range(rows.size):
        out[e] = cost(costs, rows[e], columns[e])
    return out
