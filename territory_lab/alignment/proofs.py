"""Reasons why there can be no plan, each a proof."""

import numpy as np
from scipy.sparse import csr_matrix, identity, kron, vstack

from territory_lab.alignment.connect import islands
from territory_lab.alignment.costs import TABLE, Costs, Floats, Ints
from territory_lab.alignment.milp import Rows, choose
from territory_lab.alignment.plan import Infeasible, some
from territory_lab.alignment.prices import Bands, certificate, consider
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.transport import transport

MOST_FILTERED = 60  # territories to try leaving out of a proof


def refuse(problem: Problem) -> None:
    """Raise `Infeasible` where a single unit or lock already rules every plan out."""
    a = problem.arrays
    ids, names = problem.unit_ids, problem.activities
    for row, activity in enumerate(names):
        most = a.upper[row].max() * (1 + 1e-9)
        for i in np.flatnonzero(a.loads[row] > most).tolist():
            raise Infeasible(
                f"{ids[i]} alone has {a.loads[row, i]:,.6g} of {activity}; no territory may exceed {most:,.6g}",
                units=[str(ids[i])],
            )
        for j in np.unique(a.pinned[a.pinned >= 0]):
            held = a.loads[row, a.pinned == j].sum()
            if held > a.upper[row, j] * (1 + 1e-9):
                territory = str(problem.territory_ids[j])
                raise Infeasible(
                    f"the units locked to {territory} have {held:,.6g} of {activity}; it may not exceed "
                    f"{a.upper[row, j]:,.6g}",
                    units=[str(u) for u in ids[a.pinned == j]],
                    territories=[territory],
                )
    if a.banned.size:
        for i in np.flatnonzero(a.banned.all(axis=1)).tolist():
            raise Infeasible(f"every territory is forbidden to {ids[i]}", units=[str(ids[i])])


def allot(problem: Problem) -> Ints:
    """
    Decide which piece of the map each territory lies in, as it cannot reach over water; zeros where there is one piece.

    A small integer programme: the territories of a piece must be able to make up its activities, and fixed homes go
    to the nearest piece that allows it. `Infeasible` where one piece, or all of them together, cannot be made up of
    whole territories.
    """
    a = problem.arrays
    k = len(problem.territory_ids)
    island = islands(a.starts, a.ends)
    count = int(island.max()) + 1
    if problem.neighbours is None or count == 1:
        return np.zeros(k, np.int64)
    held = np.array([np.bincount(island, weights=load, minlength=count) for load in a.loads])
    for number in range(count):
        units = [str(unit) for unit in problem.unit_ids[np.flatnonzero(island == number)]]
        for row, activity in enumerate(problem.activities):
            least = a.lower[row].min() * (1 - 1e-9)
            if held[row, number] < least:
                raise Infeasible(
                    f"an island ({some(units)}) has {held[row, number]:,.6g} of {activity} in all and no neighbour; "
                    f"a territory needs at least {least:,.6g}",
                    units=units,
                )
    rows = [kron(identity(k), np.ones((1, count)))]
    low, high = [np.ones(k)], [np.ones(k)]
    for row in range(len(a.loads)):
        rows += [kron(a.lower[row][None, :], identity(count)), kron(a.upper[row][None, :], identity(count))]
        slack = 1e-9 * held[row]
        low += [np.full(count, -np.inf), held[row] - slack]
        high += [held[row] + slack, np.full(count, np.inf)]
    far = np.zeros((k, count))
    if len(a.homes):
        middle = np.array([a.points[island == number].mean(axis=0) for number in range(count)])
        far = np.linalg.norm(a.homes[:, None] - middle, axis=2)
    limits = Rows(csr_matrix(vstack(rows)), np.concatenate(low), np.concatenate(high))
    chosen = choose(far.ravel(), limits, np.inf).chosen
    if chosen is None:
        raise Infeasible(f"the map is in {count} pieces, and no split of the {k} territories among them balances")
    return np.asarray(chosen.reshape(k, count).argmax(axis=1))


def refuse_flow(problem: Problem, costs: Costs, bands: Bands, room: float) -> None:
    """
    Raise `Infeasible` where not even a fractional plan keeps the bands.

    Farkas: with all costs zero, prices for which the dual bound is above zero are a proof.
    """
    free = np.zeros((costs.weight.size, bands.lower.shape[1]))
    if costs.kind == TABLE:
        free[np.isinf(costs.table)] = np.inf
    costless = costs._replace(kind=TABLE, table=free, move_price=0.0)
    price = np.zeros(bands.lower.shape)
    flow = transport(costless, bands, consider(costless, bands, price, 1), price, room)
    price = np.where(np.abs(flow.price) > 1e-9 * np.abs(flow.price).max(), flow.price, 0.0)
    if certificate(costless, bands, price, flow.move_price, room) <= 0:
        return
    move_price = flow.move_price
    if room == np.inf:  # too few moves are everybody's fault
        price, move_price = _fewest(costless, bands, price, move_price, room)
    names = problem.territory_ids
    starved, full = (names[np.flatnonzero((sign * price > 0).any(axis=0))].astype(str).tolist() for sign in (-1, 1))
    parts = [f"{some(starved)} cannot reach the minimum"] if starved else []
    parts += [f"{some(full)} must exceed the maximum"] if full else []
    limit = " with so few moves" if move_price > 0 else ""
    raise Infeasible(f"even if units could be split, {' and '.join(parts)}{limit}", territories=starved + full)


def _fewest(costless: Costs, bands: Bands, price: Floats, move_price: float, room: float) -> tuple[Floats, float]:
    """
    Find a proof that speaks of fewer territories, by leaving them out one at a time.

    A territory is left out by freeing its bands. What remains when none can be spared is a smallest conflicting set,
    not always the smallest.
    """
    for j in np.flatnonzero((price != 0).any(axis=0)).tolist()[:MOST_FILTERED]:
        kept = (price != 0).any(axis=0)
        kept[j] = False
        looser = Bands(
            bands.loads, np.where(kept, bands.lower, 0.0), np.where(kept, bands.upper, bands.loads.sum(axis=1)[:, None])
        )
        nothing = np.zeros(price.shape)
        flow = transport(costless, looser, consider(costless, looser, nothing, 1), nothing, room)
        fewer = np.where(kept & (np.abs(flow.price) > 1e-9 * np.abs(flow.price).max()), flow.price, 0.0)
        if certificate(costless, bands, fewer, flow.move_price, room) > 0:
            price, move_price = fewer, flow.move_price
    return price, move_price
