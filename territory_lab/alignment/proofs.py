"""Reasons why there can be no plan, each a proof."""

import numpy as np

from territory_lab.alignment.bound import certificate
from territory_lab.alignment.connect import islands
from territory_lab.alignment.costs import TABLE, Costs
from territory_lab.alignment.plan import Infeasible
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.transport import Limits, transport


def refuse(problem: Problem) -> None:
    """Raise `Infeasible` where a single unit, lock or island already rules every plan out."""
    a = problem.arrays
    ids, names = problem.unit_ids, problem.activities
    for row, activity in enumerate(names):
        most = a.upper[row].max() * (1 + 1e-9)
        for i in np.flatnonzero(a.loads[row] > most):
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
        for i in np.flatnonzero(a.banned.all(axis=1)):
            raise Infeasible(f"every territory is forbidden to {ids[i]}", units=[str(ids[i])])
    if a.ends.size or problem.neighbours is not None:
        _refuse_islands(problem)


def _refuse_islands(problem: Problem) -> None:
    """Every piece of the map must be made up of whole territories."""
    a = problem.arrays
    island = islands(a.starts, a.ends)
    if island.max() == 0:
        return
    for number in range(island.max() + 1):
        inside = island == number
        units = [str(u) for u in problem.unit_ids[inside]]
        for row, activity in enumerate(problem.activities):
            held, least = a.loads[row, inside].sum(), a.lower[row].min() * (1 - 1e-9)
            if held < least:
                shown = ", ".join(units[:5]) + (", ..." if len(units) > 5 else "")
                raise Infeasible(
                    f"an island ({shown}) has {held:,.6g} of {activity} in all and no neighbour; a territory needs "
                    f"at least {least:,.6g}",
                    units=units,
                )


def refuse_flow(problem: Problem, costs: Costs, bands: Limits, room: float) -> None:
    """
    Raise `Infeasible` where not even a fractional plan keeps the bands.

    Farkas: with all costs zero, prices for which the dual bound is above zero are a proof.
    """
    free = np.zeros((costs.weight.size, bands.lower.shape[1]))
    if costs.kind == TABLE:
        free[np.isinf(costs.table)] = np.inf
    costless = costs._replace(kind=TABLE, table=free, move_price=0.0)
    flow = transport(costless, bands, np.zeros(bands.lower.shape), 1.0, room)
    price = np.where(np.abs(flow.price) > 1e-9 * np.abs(flow.price).max(), flow.price, 0.0)
    if certificate(costless, bands, price, flow.move_price, room) <= 0:
        return
    names = problem.territory_ids
    starved, full = (names[(sign * price > 0).any(axis=0)].astype(str).tolist() for sign in (-1, 1))
    parts = [f"{', '.join(starved)} cannot reach the minimum"] if starved else []
    parts += [f"{', '.join(full)} must exceed the maximum"] if full else []
    limit = " with so few moves" if flow.move_price > 0 else ""
    raise Infeasible(f"even if units could be split, {' and '.join(parts)}{limit}", territories=starved + full)
