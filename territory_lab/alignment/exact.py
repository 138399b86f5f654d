"""Small problems to the end: the best plan there is, a bound on any plan, or the proof that there is none."""

from typing import NamedTuple

import numpy as np

from territory_lab.alignment.centres import Centres, fixed
from territory_lab.alignment.closing import Closing
from territory_lab.alignment.costs import Ints
from territory_lab.alignment.milp import MARGIN
from territory_lab.alignment.pairs import seats_of
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.problem import Problem

MOST_PAIRS = 40_000  # free centres: up to some 200 units the linear relaxation takes seconds
MOST_HOME_PAIRS = 4_000  # fixed homes: beyond, the local search is within a fraction of a percent and far quicker


class Proof(NamedTuple):
    """What is known of the best plan."""

    plan: Ints | None  # the column of each unit: its home, or the possible centre that serves it
    cost: float  # infinite without a plan
    bound: float  # no plan within all limits costs less


def small(problem: Problem) -> bool:
    """
    Say whether a problem is one for `prove`.

    With free centres only where these stand at units and no territory has a name (nothing locked, forbidden, owned).
    """
    if not problem.free:
        return len(problem.units) * len(problem.territory_ids) <= MOST_HOME_PAIRS
    a = problem.arrays
    if problem.sites != "units" or a.banned.size or max(a.pinned.max(), a.owner.max()) >= 0:
        return False
    seat = seats_of(problem)
    return bool((seat >= 0).all()) and len(a.weight) * seat.size <= MOST_PAIRS


def unproven(plan: Plan) -> bool:
    """Say whether `prove` could tell more about a plan than the local search did."""
    closed = not plan.problem.free and plan.feasible and plan.objective <= plan.bound + MARGIN * abs(plan.bound)
    return small(plan.problem) and not closed


def seats(problem: Problem, plan: Ints) -> tuple[Centres, Ints]:
    """Read the centres, and the territory of each unit, of a proven plan."""
    if not problem.free:
        return fixed(problem), plan
    site, assign = np.unique(plan, return_inverse=True)
    return Centres(problem.arrays.points[seats_of(problem)[site]], site), assign


def prove(problem: Problem, known: Ints | None, deadline: float) -> Proof:
    """
    Find the best plan of a `small` problem and prove it so, as far as the time allows, or raise `Infeasible`.

    The model of Hess et al. (1965) as a programme of zeros and ones. Pairs that no better plan uses are left out, by
    reduced costs and by paths heavier than a territory; contiguity is stated only where a solution breaks it. The best
    plan ``known`` may number its territories in any way (fixed homes: by their positions).
    """
    search = Closing(problem, deadline)
    if known is not None:
        search.offer(known)
        search.descend(known)
    search.tighten()
    if search.plan is None:
        search.scout()
    if search.plan is None:
        search.pack()
        search.tighten()
    search.close()
    return Proof(search.plan, search.best, min(search.bound, search.best))
