"""The fractional plan for given centres, exactly: a linear programme solved by column generation."""

from typing import NamedTuple

import numpy as np

from territory_lab.alignment.costs import Costs, Floats, Ints, lowest, pair_costs, tempting
from territory_lab.alignment.milp import load, sparse
from territory_lab.alignment.prices import Bands, Choice

OPENING = 0.05  # share of the cost of its neighbourhood by which a pair may be dearer to enter first


class Flow(NamedTuple):
    """A fractional plan."""

    unit: Ints  # of each pair used
    territory: Ints  # likewise
    share: Floats  # part of the unit that goes there
    price: Floats  # shadow prices of the bands, shape (m, k)
    move_price: float  # shadow price of the disruption limit
    value: float  # cost of the fractional plan
    excess: float  # what the bands lack, as a share of the target; above zero the bands cannot be met even fractionally


def transport(costs: Costs, bands: Bands, choice: Choice, price: Floats, room: float = np.inf) -> Flow:
    """
    Solve the transportation problem exactly, by column generation from good prices.

    The scale of ``choice`` says how much dearer than its cheapest a pair may be to enter first. ``room`` limits the
    weight that may leave its owner; its price must not be in ``costs``.
    """
    k = price.shape[1]
    _, floor = lowest(costs, bands.loads, price)
    rows, columns = tempting(costs, bands.loads, price, floor + OPENING * choice.scale)
    if room < np.inf:
        rows, columns = _with_owners(costs, rows, columns, k)
    while True:
        flow, floor = _restricted(costs, bands, rows, columns, room)
        owned = costs._replace(move_price=costs.move_price + flow.move_price)
        bar = floor - 1e-7 * (np.abs(floor) + choice.scale)
        new_rows, new_columns = tempting(owned, bands.loads, flow.price, bar)
        unknown = ~np.isin(new_rows * k + new_columns, rows * k + columns)
        if not unknown.any():
            return flow
        rows, columns = np.r_[rows, new_rows[unknown]], np.r_[columns, new_columns[unknown]]


def _with_owners(costs: Costs, rows: Ints, columns: Ints, k: int) -> tuple[Ints, Ints]:
    """Add every unit's own territory to the pairs, where it is allowed."""
    owned = np.flatnonzero(costs.owner >= 0)
    owned = owned[np.isfinite(pair_costs(costs, owned, costs.owner[owned]))]
    keys = np.unique(np.r_[rows * k + columns, owned * k + costs.owner[owned]])
    return keys // k, keys % k


def _restricted(costs: Costs, bands: Bands, rows: Ints, columns: Ints, room: float) -> tuple[Flow, Floats]:
    """Optimise over the listed pairs only; also the priced cost of each unit's cheapest listed pair."""
    m, k = bands.lower.shape
    n, e = costs.weight.size, rows.size
    value = pair_costs(costs, rows, columns)
    # the solver sees costs near 1 and loads in targets, whatever they are measured in
    level = float(np.abs(value).mean()) or 1.0
    size = bands.upper.mean(axis=1)[:, None]
    mass = max(float(costs.weight.sum()) / k, 1e-300)
    width, steep = m * k, 1e3 * max(n / k, 1.0)
    entries = [
        (np.ones(e), rows, np.arange(e)),
        *(((bands.loads / size)[a, rows], n + a * k + columns, np.arange(e)) for a in range(m)),
        (np.ones(width), n + np.arange(width), e + np.arange(width)),
        (-np.ones(width), n + np.arange(width), e + width + np.arange(width)),
    ]
    lower = np.r_[np.ones(n), (bands.lower / size).ravel()]
    upper = np.r_[np.ones(n), (bands.upper / size).ravel()]
    spare = 2 * width
    if room < np.inf:
        stay = np.where(columns == costs.owner[rows], costs.weight[rows] / mass, 0.0)
        entries += [
            (stay, np.full(e, n + width), np.arange(e)),
            (np.ones(1), np.array([n + width]), np.array([e + spare])),
        ]
        lower = np.r_[lower, (costs.weight[costs.owner >= 0].sum() - room) / mass]
        upper, spare = np.r_[upper, np.inf], spare + 1
    data, at_row, at_column = (np.concatenate(part) for part in zip(*entries, strict=True))
    limits = sparse(at_row, at_column, data, (lower, upper), e + spare)
    solver = load(np.r_[value / level, np.full(spare, steep)], limits, most=np.inf)
    solver.run()
    solution = solver.getSolution()  # there always is one: the limits give way
    share, dual = np.array(solution.col_value), np.array(solution.row_dual) * level
    used = share[:e] > 1e-9
    flow = Flow(
        unit=rows[used],
        territory=columns[used],
        share=share[:e][used],
        price=-dual[n : n + width].reshape(m, k) / size,
        move_price=max(0.0, float(dual[-1])) / mass if room < np.inf else 0.0,
        value=float(share[:e] @ value),
        excess=float(share[e:].max(initial=0.0)),
    )
    return flow, dual[:n]
