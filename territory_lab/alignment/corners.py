"""Units in a corner of the map: on the way to what their territory lacks it takes up more than it may carry."""

import time
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from territory_lab.alignment import milp
from territory_lab.alignment.costs import Floats, Ints
from territory_lab.alignment.milp import EMPTY, MARGIN, sparse, stack
from territory_lab.alignment.packing import limits
from territory_lab.alignment.plan import Infeasible
from territory_lab.alignment.problem import Problem

MOST_UNITS = 10_000  # beyond, the ways from every unit to every other take longer than they are worth
WIDE = 10.0  # a unit is no corner where this many times the minimum of every activity lies within its reach
MOST_CORNERS = 8  # to look at, the tightest first
AT_A_TIME = 500  # units whose ways are kept at once


class Corner(NamedTuple):
    """A unit from which little can be reached."""

    unit: int  # its position
    toll: int  # activity that the ways from it take up
    reach: float  # what lies within its reach of the scarcest other activity, in minima of a territory


def refuse_corner(problem: Problem, seconds: float) -> None:
    """Raise `Infeasible` for a unit that no connected territory within the bands of several activities can hold."""
    if problem.neighbours is None or len(problem.activities) == 1 or len(problem.units) > MOST_UNITS:
        return
    until = time.monotonic() + seconds
    band = np.array([limits(problem, row) for row in range(len(problem.activities))])
    load = problem.arrays.loads / (band[:, 1:] * (1 + MARGIN))
    least = band[:, 0] / band[:, 1] * (1 - 2 * MARGIN)
    for corner in _corners(problem, load, least):
        left = until - time.monotonic()
        if left > 0 and _hopeless(problem, corner, load, least, left):
            names, unit = problem.activities, str(problem.unit_ids[corner.unit])
            others = " and ".join(name for row, name in enumerate(names) if row != corner.toll)
            raise Infeasible(
                f"{unit} lies in a corner of the map: a connected territory that holds it and reaches the minimum of "
                f"{others} takes up more {names[corner.toll]} on the way there than a territory may have",
                units=[unit],
            )


def _ways(problem: Problem, toll: Floats, units: Ints) -> Floats:
    """Least toll from each listed unit to every unit, both included; infinite beyond a territory's most."""
    a = problem.arrays
    graph = csr_matrix((toll[a.ends], a.ends, a.starts), shape=(toll.size, toll.size))
    way = dijkstra(graph, indices=units, limit=1.0) + toll[units, None]
    return np.where(way <= 1, way, np.inf)


def _corners(problem: Problem, load: Floats, least: Floats) -> list[Corner]:
    """List the units from which little can be reached, the tightest first; loads in the most of a territory."""
    found = []
    for toll in range(len(load)):
        others = np.arange(len(load)) != toll
        for first in range(0, load.shape[1], AT_A_TIME):
            units = np.arange(first, min(first + AT_A_TIME, load.shape[1]))
            near = np.isfinite(_ways(problem, load[toll], units)).astype(float)
            reach = (near @ load[others].T / least[others]).min(axis=1)
            found += [Corner(int(units[q]), toll, float(reach[q])) for q in np.flatnonzero(reach < WIDE)]
    return sorted(found, key=lambda corner: corner.reach)[:MOST_CORNERS]


def _hopeless(problem: Problem, corner: Corner, load: Floats, least: Floats, seconds: float) -> bool:
    """
    Whether it is proven that no connected set of units round a corner keeps the bands.

    A programme that chooses units (0 or 1) and carries their toll to them from the corner through chosen units, as a
    single-commodity flow (Gavish and Graves 1978). Into a unit flows no more than the shortest way to it leaves of
    the most: that makes the programme tight. A unit without toll needs no way, which only allows more.
    """
    toll, a = load[corner.toll], problem.arrays
    way = _ways(problem, toll, np.array([corner.unit]))[0]
    kept = np.flatnonzero(np.isfinite(way))
    units, place = np.arange(kept.size), np.full(toll.size, -1)
    place[kept] = units
    tail, head = place[np.repeat(np.arange(toll.size), np.diff(a.starts))], place[a.ends]
    inside = (tail >= 0) & (head >= 0) & (head != place[corner.unit])
    tail, head = tail[inside], head[inside]
    flow, width = kept.size + np.arange(tail.size), kept.size + tail.size
    elsewhere, one = (kept != corner.unit).astype(float), np.ones(flow.size)
    nothing, unlimited = np.zeros(kept.size), np.full(kept.size, -np.inf)
    open_end = np.where(elsewhere > 0, 0.0, np.inf)
    rows = stack(
        sparse(nothing.astype(np.int64), units, 1 - elsewhere, (np.ones(1), np.ones(1)), width),
        *(
            sparse(nothing.astype(np.int64), units, amount[kept], (at_least[None], np.ones(1)), width)
            for amount, at_least in zip(load, least, strict=True)
        ),
        # what flows in and not out stays
        sparse(
            np.r_[head, tail, units],
            np.r_[flow, flow, units],
            np.r_[one, -one, -toll[kept]],
            (-open_end, open_end),
            width,
        ),
        # nothing flows into a unit that is not chosen
        sparse(
            np.r_[head, units], np.r_[flow, units], np.r_[one, -(1 - way + toll)[kept]], (unlimited, nothing), width
        ),
        # each but the corner has a neighbour
        sparse(np.r_[head, units], np.r_[tail, units], np.r_[-one, elsewhere], (unlimited, nothing), width),
    )
    solver = milp.load(np.zeros(width), rows, seconds, whole=np.arange(width) < kept.size)
    solver.run()
    return solver.getModelStatus() in EMPTY
