"""From a fractional plan to a whole one within several bands at once, where nothing need be contiguous."""

import numpy as np

from territory_lab.alignment.costs import Costs, Flags, Floats, Ints, listed, pair_costs, reach
from territory_lab.alignment.milp import choose, sparse
from territory_lab.alignment.prices import Bands, consider
from territory_lab.alignment.transport import transport

INNER = 0.1  # share of its width by which a band is narrowed on either side while fractions are allowed
WHOLE = 1 - 1e-6  # share from which a unit counts as undivided
WIDTH, BESIDE = 16, 8  # territories that a unit considers at first, and those it may still go to when decided about
FREED = (15, 30, 60)  # units of each territory that are decided about as well, more where that is not enough
ROUGH = 0.1  # gap at which the decision may stop: a local search follows


def rounded(costs: Costs, bands: Bands, price: Floats, seconds: float) -> Ints | None:
    """
    Keep what the fractional plan leaves whole and far from a border, and decide exactly about the rest; None in vain.

    A fractional plan at a corner of its limits divides at most one unit for each limit that binds; with these, the
    units that lose least elsewhere are decided about (relax and fix; Wolsey, Integer Programming, 2nd ed., 13.4).
    ``seconds`` are for each attempt.
    """
    n, k = bands.loads.shape[1], price.shape[1]
    step = INNER * (bands.upper - bands.lower)
    inner = Bands(bands.loads, bands.lower + step, bands.upper - step)
    flow = transport(costs, inner, consider(costs, inner, price, WIDTH), price)
    near = reach(costs, bands.loads, flow.price, min(BESIDE, k))
    priced = listed(costs, near)
    priced += (bands.loads[:, :, None] * flow.price[:, near]).sum(axis=0)
    loss = (priced[:, 1] - priced[:, 0]) / (bands.loads / bands.loads.sum(axis=1, keepdims=True)).sum(axis=0)
    whole = flow.share > WHOLE
    home = np.full(n, -1)
    home[flow.unit[whole]] = flow.territory[whole]
    rank = np.full(n, -1)
    for territory in range(k):
        own = np.flatnonzero(home == territory)
        rank[own[np.argsort(loss[own], kind="stable")]] = np.arange(own.size)
    options = np.zeros((n, k), bool)
    options[np.arange(n)[:, None], near] = True
    options[home < 0] = True
    for freed in FREED:
        free = rank < freed
        assign = decided(costs, bands, np.where(free, -1, home), options, seconds)
        if assign is not None:
            return assign
    return None


def decided(costs: Costs, bands: Bands, assign: Ints, options: Flags, seconds: float) -> Ints | None:
    """Give every unit that has none (-1) one of its options, all bands kept, at nearly the least cost; None in vain."""
    m, k = bands.lower.shape
    open_: Flags = assign < 0
    size: Floats = bands.upper.mean(axis=1)[:, None]
    unit, territory = np.nonzero(options & open_[:, None])
    cost = pair_costs(costs, unit, territory)
    allowed = np.isfinite(cost)
    unit, territory, cost = unit[allowed], territory[allowed], cost[allowed]
    held = np.array([np.bincount(assign[~open_], load[~open_], k) for load in bands.loads])
    once, count = np.ones(open_.sum()), int(open_.sum())
    rows = sparse(
        np.r_[np.cumsum(open_)[unit] - 1, *(count + a * k + territory for a in range(m))],
        np.tile(np.arange(unit.size), m + 1),
        np.r_[np.ones(unit.size), (bands.loads / size)[:, unit].ravel()],
        (np.r_[once, ((bands.lower - held) / size).ravel()], np.r_[once, ((bands.upper - held) / size).ravel()]),
        unit.size,
    )
    chosen = choose(cost, rows, seconds, gap=ROUGH).chosen
    if chosen is None:
        return None
    plan = assign.copy()
    plan[unit[chosen]] = territory[chosen]
    return plan
