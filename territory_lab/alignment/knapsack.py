"""What every possible centre would take: the knapsacks under the bound over any centres, and their certificate."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from territory_lab.alignment.costs import TABLE, Costs, Floats, Ints, distance_power

WIDEST = 1e4  # margin, in scales of a unit, past which a list holds every unit within reach
TRIFLE = 1e-6  # share up to which a site counts as closed


class Field(NamedTuple):
    """Every possible centre before every unit, for s sites, n units and the one activity that is kept in its band."""

    costs: Costs  # parts swapped: its points are the sites, its centres the units; no weights, no labels
    axes: Floats  # the units' coordinates in km, shape (3, n)
    weight: Floats  # what multiplies distance, shape (n,)
    load: Floats  # the activity, shape (n,)
    size: Floats  # the load, lifted above zero so that multipliers can be measured per unit of it, shape (n,)
    lower: float  # end of the band, the same for every territory
    upper: float  # likewise


class Lists(NamedTuple):
    """The units each site may want, for s sites and n units."""

    first: Ints  # site ``j`` owns the entries ``first[j]`` to ``first[j + 1]``, shape (s + 1,)
    unit: npt.NDArray[np.int32]  # unit of each entry
    far: npt.NDArray[np.float32]  # weighted cost per unit of size of each entry


class Prices(NamedTuple):
    """How each knapsack is filled, for s sites; written in place."""

    price: Floats  # cost less multiplier, per unit of size, up to which a site takes units; 0 inside the band, (s,)
    part: Floats  # share taken of the unit that stands exactly at the price, (s,)
    worth: Floats  # least reduced cost of a territory here, (s,)


class Aim(NamedTuple):
    """What decides which units a site may want, for n units."""

    multiplier: Floats  # worth of each unit per unit of its size, shape (n,)
    scale: Floats  # cost per unit of size of each unit's neighbourhood, shape (n,)
    margin: float  # how far above its price, in scales of the unit, a site still lists it


class Near(NamedTuple):
    """Scratch for the units near one site, for n units."""

    row: Floats  # distance ** power to every unit, or a little less, shape (n,)
    unit: Ints  # units listed, shape (n,)
    far: Floats  # weighted cost per unit of size of each of them, shape (n,)


@njit(cache=True)
def _fill_floor(field: Field, j: int, row: Floats) -> None:
    """Write distance ** power from a site to every unit; on the globe that of the chord, which the arc exceeds."""
    costs = field.costs
    if costs.kind == TABLE:
        row[:] = costs.table[j]
        if costs.power == 2:
            row *= row
        return
    x, y, z = costs.points[j]
    east, north, up = field.axes
    for i in range(row.size):
        row[i] = (east[i] - x) ** 2 + (north[i] - y) ** 2 + (up[i] - z) ** 2
    if costs.power == 1:
        for i in range(row.size):
            row[i] = np.sqrt(row[i])


@njit(cache=True)
def _gather(field: Field, j: int, aim: Aim, price: float, near: Near) -> int:
    """List the units that site ``j`` takes at the price or a margin above it, enough to overfill a territory."""
    enough = min(1.2 * field.upper, (1 - 1e-9) * field.size.sum())
    margin = aim.margin
    while True:
        count, held = 0, 0.0
        for i in range(near.row.size):
            limit = field.size[i] * (aim.multiplier[i] + price + margin * aim.scale[i])
            if field.weight[i] * near.row[i] < limit:
                exact = field.weight[i] * distance_power(field.costs, j, i)
                if exact < limit:
                    near.unit[count], near.far[count] = i, exact / field.size[i]
                    held += field.size[i]
                    count += 1
        if held >= enough or margin > WIDEST:
            return count
        margin *= 2


@njit(cache=True)
def _split(ratio: Floats, load: Floats, low: int, high: int, pivot: float) -> tuple[int, float, float]:
    """Bring the ratios below the pivot to the front; where they end, their load and their worth."""
    cut, mass, worth = low, 0.0, 0.0
    for s in range(low, high):
        if ratio[s] < pivot:
            mass += load[s]
            worth += load[s] * ratio[s]
            ratio[s], ratio[cut] = ratio[cut], ratio[s]
            load[s], load[cut] = load[cut], load[s]
            cut += 1
    return cut, mass, worth


@njit(cache=True)
def knapsack(ratio: Floats, load: Floats, lower: float, upper: float, guess: float) -> tuple[float, float, float]:
    """Fill one continuous knapsack exactly by quickselect; gives its price, the part of the unit there, its worth."""
    _, free, worth = _split(ratio, load, 0, ratio.size, 0.0)
    if lower <= free <= upper or ratio.size == 0:
        return 0.0, 0.0, worth
    goal = upper if free > upper else lower
    low, high, below, worth = 0, ratio.size, 0.0, 0.0
    cut, mass, gain = _split(ratio, load, low, high, guess)
    if mass > goal:
        high = cut
    else:
        low, below, worth = cut, mass, gain
    while low < high:
        last, middle = high - 1, (low + high) // 2
        a, b, c = ratio[low], ratio[middle], ratio[last]
        pick = low if min(b, c) <= a <= max(b, c) else middle if min(a, c) <= b <= max(a, c) else last
        ratio[pick], ratio[last] = ratio[last], ratio[pick]
        load[pick], load[last] = load[last], load[pick]
        pivot, own = ratio[last], load[last]
        cut, mass, gain = _split(ratio, load, low, last, pivot)
        ratio[cut], ratio[last] = pivot, ratio[cut]
        load[cut], load[last] = own, load[cut]
        if below + mass > goal:
            high = cut
        elif below + mass + own > goal:
            rest = goal - below - mass
            return pivot, rest / own, worth + gain + rest * pivot
        else:
            low, below, worth = cut + 1, below + mass + own, worth + gain + own * pivot
    return ratio.max(), 1.0, worth


@njit(cache=True)
def list_units(field: Field, sites: Ints, aim: Aim, price: Floats) -> Lists:
    """List for each site the units it takes at its price or a margin above it, by a pass over all units."""
    n = field.weight.size
    near = Near(np.empty(n), np.empty(n, np.int64), np.empty(n))
    first = np.zeros(sites.size + 1, np.int64)
    unit, far = np.empty(64 * sites.size + n, np.int32), np.empty(64 * sites.size + n, np.float32)
    for s in range(sites.size):
        _fill_floor(field, sites[s], near.row)
        count = _gather(field, sites[s], aim, price[s], near)
        start, end = first[s], first[s] + count
        if end > unit.size:
            unit = np.concatenate((unit, np.empty(unit.size + n, np.int32)))
            far = np.concatenate((far, np.empty(far.size + n, np.float32)))
        unit[start:end], far[start:end] = near.unit[:count], near.far[:count]
        first[s + 1] = end
    return Lists(first, unit[: first[-1]].copy(), far[: first[-1]].copy())


@njit(cache=True)
def weigh(field: Field, lists: Lists, multiplier: Floats, prices: Prices) -> None:
    """Fill the knapsack of every listed site, from the prices of the last time."""
    longest = np.diff(lists.first).max()
    ratio, load = np.empty(longest), np.empty(longest)
    for s in range(prices.price.size):
        start, count = lists.first[s], lists.first[s + 1] - lists.first[s]
        for e in range(count):
            i = lists.unit[start + e]
            ratio[e], load[e] = lists.far[start + e] - multiplier[i], field.size[i]
        found = knapsack(ratio[:count], load[:count], field.lower, field.upper, prices.price[s])
        prices.price[s], prices.part[s], prices.worth[s] = found


@njit(cache=True)
def coverage(lists: Lists, multiplier: Floats, prices: Prices, share: Floats) -> Floats:
    """How often each unit is taken when every site is open to a share, shape (n,)."""
    cover = np.zeros(multiplier.size)
    for s in range(share.size):
        if share[s] <= 0:
            continue
        for e in range(lists.first[s], lists.first[s + 1]):
            i = lists.unit[e]
            ratio = lists.far[e] - multiplier[i]
            if ratio < prices.price[s]:
                cover[i] += share[s]
            elif ratio == prices.price[s]:
                cover[i] += share[s] * prices.part[s]
    return cover


@njit(cache=True)
def taken(lists: Lists, multiplier: Floats, prices: Prices, share: Floats) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Units taken by each site that is open to more than a trifle: where each site begins, and the units."""
    first = np.zeros(share.size + 1, np.int64)
    unit = np.empty(lists.unit.size, np.int32)
    end = 0
    for s in range(share.size):
        if share[s] > TRIFLE:
            for e in range(lists.first[s], lists.first[s + 1]):
                if lists.far[e] - multiplier[lists.unit[e]] < prices.price[s]:
                    unit[end] = lists.unit[e]
                    end += 1
        first[s + 1] = end
    return first, unit[:end].copy()


@njit(cache=True)
def bend(first: Ints, unit: npt.NDArray[np.int32], size: Floats, stir: Floats, along: Floats) -> Floats:
    """Change of demand when multipliers move: X' (S - s s' / sum s) X along, X the sizes taken and s the stir."""
    move = size * along
    seen = np.zeros(stir.size)
    for s in range(stir.size):
        for e in range(first[s], first[s + 1]):
            seen[s] += move[unit[e]]
    mean = (stir * seen).sum() / max(stir.sum(), 1e-300)
    out = np.zeros(along.size)
    for s in range(stir.size):
        change = stir[s] * (seen[s] - mean)
        for e in range(first[s], first[s + 1]):
            out[unit[e]] += change
    return out * size


@njit(cache=True)
def certified_worth(field: Field, aim: Aim, guess: Floats) -> Floats:
    """
    Least reduced cost of a territory at every site, over all units, never above the true one.

    For a price q of the activity and multipliers lambda, weak duality gives sum_i min(0, w_i c_ij - lambda_i - l_i q)
    + (q L where q > 0, else q U) as a lower bound, whatever q is; q is that of the exact knapsack. Taken off is the
    rounding: of the sum, whose terms have one sign, at most its count of terms in units in the last place; of each
    term and of every pair left out for its sign, at most 16 of |lambda_i| + l_i |q|.
    """
    n, s = field.weight.size, guess.size
    near = Near(np.empty(n), np.empty(n, np.int64), np.empty(n))
    row = near.row
    value = field.size * aim.multiplier
    whole, all_loads = np.abs(value).sum(), field.load.sum() + field.upper
    worth = np.empty(s)
    for j in range(s):
        _fill_floor(field, j, row)
        if field.costs.kind == TABLE and field.load[row < np.inf].sum() < field.lower * (1 - 1e-9):
            worth[j] = np.inf
            continue
        unit = near.unit[: _gather(field, j, aim, guess[j], near)]
        ratio = near.far[: unit.size] - aim.multiplier[unit]
        price = knapsack(ratio, field.size[unit], field.lower, field.upper, guess[j])[0]
        total, absolute, terms = 0.0, 0.0, 0
        for i in range(n):
            if field.weight[i] * row[i] - value[i] - field.load[i] * price < 0:
                term = field.weight[i] * distance_power(field.costs, j, i) - value[i] - field.load[i] * price
                if term < 0:
                    total += term
                    absolute += abs(value[i]) + field.load[i] * abs(price)
                    terms += 1
        rounding = (terms + 16) * absolute + 16 * (whole + abs(price) * all_loads)
        total += price * field.lower if price > 0 else price * field.upper
        worth[j] = total - np.finfo(np.float64).eps * rounding
    return worth


@njit(cache=True)
def spread(worth: Floats, prior: Floats, heat: Floats, most: float, count: float) -> Floats:
    """Open sites to shares min(most, prior exp((v - worth) / heat)) that add up to the count, by Newton in log v."""
    low, high = np.inf, -np.inf
    for s in range(worth.size):
        low = min(low, worth[s] + heat[s] * np.log(count / (worth.size * prior[s])))
    for s in range(worth.size):
        high = max(high, worth[s] + heat[s] * np.log(most / prior[s]))
    share = np.empty(worth.size)
    level = low
    for _ in range(100):
        total, rise = 0.0, 0.0
        for s in range(worth.size):
            grown = prior[s] * np.exp(min(60.0, (level - worth[s]) / heat[s]))
            share[s] = min(most, grown)
            total += share[s]
            rise += grown / heat[s] if grown < most else 0.0
        if abs(total - count) < 1e-9 * count:
            break
        low, high = (level, high) if total < count else (low, level)
        step = level + np.log(count / total) * total / rise if total > 0 and rise > 0 else high
        level = step if low < step < high else (low + high) / 2
    return share
