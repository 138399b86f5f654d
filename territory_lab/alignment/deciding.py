"""What is left to decide about sites once bounds have ruled out most pairs, put to an integer programme."""

import time

import numpy as np

from territory_lab.alignment.costs import Flags, Floats, Ints
from territory_lab.alignment.covering import Ascent, Siting
from territory_lab.alignment.milp import Outcome, choose, sparse, stack
from territory_lab.alignment.plan import Infeasible
from territory_lab.alignment.siting import Opening, Search, measure

PAIRS = 40_000  # pairs of unit and site that a programme bears


def undecided(ascent: Ascent, cost: float) -> Flags:
    """
    Find the pairs that a plan below a cost may have, shape (n, m).

    A site that is opened against its worth costs the difference to the last that is taken; a unit forced into its
    fractional knapsack costs at least its distance - multiplier - price x load.
    """
    siting, worth = ascent.siting, ascent.worth
    order = np.argsort(np.where(siting.held, -np.inf, worth), kind="stable")
    taken, last = order[: siting.wanted], order[siting.wanted - 1]
    opening = np.where(siting.held, 0.0, np.maximum(worth - worth[last], 0.0))
    opening[taken] = 0.0
    slack = cost - ascent.bound - opening + (worth - ascent.fractional)
    forced = siting.far - ascent.multiplier[:, None] - siting.load[:, None] * ascent.price
    return np.isfinite(siting.far) & (opening < cost - ascent.bound) & (forced <= slack * (1 + 1e-9))


def programme(siting: Siting, allowed: Flags, cost: Floats, time_limit_s: float, start: Opening | None) -> Outcome:
    """Solve the problem over some pairs; the variables and their costs are the pairs, unit by unit, then the sites."""
    unit, site = np.nonzero(allowed)
    (n, m), e = allowed.shape, unit.size
    every, width, level = np.arange(e), e + m, float(siting.load.max())
    room = np.minimum(siting.capacity, siting.load.sum()) / level
    total = np.array([float(siting.wanted)])
    rows = stack(
        sparse(unit, every, np.ones(e), (np.ones(n), np.ones(n)), width),
        sparse(
            np.r_[site, np.arange(m)],
            np.r_[every, e + np.arange(m)],
            np.r_[siting.load[unit] / level, -room],
            (np.full(m, -np.inf), np.zeros(m)),
            width,
        ),
        sparse(
            np.r_[every, every],
            np.r_[every, e + site],
            np.r_[np.ones(e), -np.ones(e)],
            (np.full(e, -np.inf), np.zeros(e)),
            width,
        ),
        sparse(np.zeros(m, np.int64), e + np.arange(m), np.ones(m), (total, total), width),
        sparse(np.arange(m), e + np.arange(m), np.ones(m), (siting.held.astype(float), np.ones(m)), width),
    )
    chosen = None
    if start is not None:
        chosen = np.r_[start.opened[start.cluster[unit]] == site, np.isin(np.arange(m), start.opened)]
    return choose(cost, rows, time_limit_s, chosen)


def plan_of(siting: Siting, allowed: Flags, chosen: Flags) -> Opening:
    """Read a plan off a programme's choice."""
    unit, site = np.nonzero(allowed)
    kept = np.flatnonzero(chosen[: unit.size])
    opened = np.flatnonzero(chosen[unit.size :])
    cluster = np.zeros(allowed.shape[0], np.int64)
    cluster[unit[kept]] = np.searchsorted(opened, site[kept])
    return measure(siting, opened, cluster)


def decide(search: Search, seconds: float) -> None:
    """Improve or prove the best plan of a search, where the bound leaves few enough pairs."""
    siting, ascent, best = search.siting, search.ascent, search.best
    if best.broken > 0 or search.proven():
        return
    allowed = undecided(ascent, best.cost)
    allowed[np.arange(best.cluster.size), best.opened[best.cluster]] = True
    if allowed.sum() > PAIRS:
        return
    outcome = programme(siting, allowed, np.r_[siting.far[allowed], siting.fee], seconds, best)
    if outcome.chosen is not None:
        search.best = min(best, plan_of(siting, allowed, outcome.chosen), key=lambda plan: plan.score)
    # what was left out costs at least as much as the plan that was known
    search.proof = max(search.proof, min(outcome.bound, best.cost))


def largest(siting: Siting) -> Ints:
    """Choose the sites that must be open and the largest others."""
    return np.lexsort((-siting.capacity, ~siting.held))[: siting.wanted]


def pack(search: Search) -> None:
    """
    Ask for any plan at all, where none was found; `Infeasible` where the programme proves that there is none.

    Where every pair is within reach, units fit into some sites only if they fit into the largest.
    """
    siting = search.siting
    allowed = np.isfinite(siting.far) & (siting.load[:, None] <= siting.capacity)
    if np.isfinite(siting.far).all():
        allowed &= np.isin(np.arange(siting.capacity.size), largest(siting))
    if allowed.sum() > PAIRS:
        return
    seconds = max(1.0, search.deadline - time.monotonic())
    outcome = programme(siting, allowed, np.zeros(int(allowed.sum()) + siting.capacity.size), seconds, None)
    if outcome.chosen is not None:
        search.best = min(search.best, plan_of(siting, allowed, outcome.chosen), key=lambda plan: plan.score)
    elif outcome.bound == np.inf:
        raise Infeasible(
            f"{siting.load.size} units do not fit whole into {siting.wanted} sites: "
            "an integer programme over all pairs, solved to the end, has no solution"
        )
