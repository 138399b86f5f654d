"""One proof in the making: a programme, its cuts, the best plan and the bound so far."""

import time

import numpy as np

from territory_lab.alignment.connect import pieces
from territory_lab.alignment.costs import Ints
from territory_lab.alignment.milp import CLOSED, MARGIN, choose, relax, stack
from territory_lab.alignment.packing import no_plan, packing, reachable, too_crowded
from territory_lab.alignment.pairs import Pairs, chosen_by, cost_table, narrow, plan_of, seats_of, state
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.separate import band_cuts, contiguity_cuts

ROUGH = 0.12  # gap at which to stop while no contiguous plan is known: what comes next is a cut
ENOUGH = 0.9  # share of the pairs left by a round of fixing above which another is not worth its time
SCOUTING = 0.2  # share of the time for a first plan that is also good, where none is known
PACKING = 0.9  # share of the time for finding any plan at all, where none is known
TWENTIETHS = 20  # part of the time left that one choice of centres may take
CORES = (1, 2, 4)  # heavy units among which a small conflict is looked for
CROWDED_S = 2.0  # seconds for each such look


class Closing:
    """One proof in the making: the programme of a `small` problem with its cuts, the best plan and the bound so far."""

    def __init__(self, problem: Problem, deadline: float) -> None:
        self.problem, self.deadline = problem, deadline
        self.contiguous = problem.neighbours is not None
        self.table = cost_table(problem)
        self.pairs = state(problem, self.table, seats_of(problem), np.isfinite(self.table))
        self.plan: Ints | None = None
        self.best, self.bound = np.inf, -np.inf
        self.tried: set[tuple[int, ...]] = set()

    def left(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    def done(self) -> bool:
        """Whether time is up or nothing is left to prove."""
        return self.left() <= 0 or self.best <= self.bound + 2 * MARGIN * abs(self.bound)

    def recentre(self, label: Ints) -> Ints | None:
        """Serve each territory from the one of its own units that does it best; None where none can."""
        if not self.problem.free:
            return label
        plan, seat = np.empty(label.size, np.int64), self.pairs.seat
        for number in np.unique(label):
            own = np.flatnonzero(label == number)
            sites = np.flatnonzero(np.isin(seat, own))
            total = self.table[np.ix_(own, sites)].sum(axis=0)
            if not np.isfinite(total).any():
                return None
            plan[own] = sites[total.argmin()]
        return plan

    def offer(self, label: Ints) -> bool:
        """Keep a plan that is within all limits and better than the best."""
        plan = self.recentre(label)
        if plan is None or not self.keeps(plan):
            return False
        value = float(self.table[np.arange(plan.size), plan].sum())
        if value >= self.best:
            return False
        self.plan, self.best = plan, value
        return True

    def keeps(self, plan: Ints) -> bool:
        """Whether a plan is within all limits."""
        a, used = self.problem.arrays, np.unique(plan)
        if used.size != len(self.problem.territory_ids) or outside(self.problem, plan).size:
            return False
        if self.contiguous and int(pieces(a.starts, a.ends, plan).max()) + 1 > used.size:
            return False
        if self.problem.max_moved_share is None:
            return True
        owned = a.owner >= 0
        moved = a.weight[owned & (a.owner != plan)].sum()
        return bool(moved <= (self.problem.max_moved_share + 1e-9) * a.weight[owned].sum())

    def learn(self, pairs: Pairs, plan: Ints) -> Pairs | None:
        """State the limits that a solution breaks; None where it breaks none."""
        cuts = [band_cuts(pairs, plan, outside(self.problem, plan))]
        if self.contiguous:
            cuts.append(contiguity_cuts(self.problem, pairs, plan))
        new = [rows for rows in cuts if rows is not None]
        return pairs._replace(rows=stack(pairs.rows, *new)) if new else None

    def tighten(self) -> None:
        """Leave out the pairs that no better plan uses."""
        size = np.inf
        while self.pairs.unit.size < ENOUGH * size and not self.done():
            size = self.pairs.unit.size
            if self.problem.free:
                self.pairs = reachable(self.problem, self.pairs)
            floor, reduced = relax(self.pairs.cost, self.pairs.rows, self.left())
            self.raise_to(floor)
            if np.isfinite(self.best):
                self.pairs = narrow(self.pairs, floor + np.maximum(reduced, 0) <= self.best * (1 + 1e-9))

    def raise_to(self, bound: float) -> None:
        """Take note of a bound on any plan better than the best; without any plan an infinite one is a proof."""
        if bound == np.inf and self.plan is None:
            raise no_plan(self.problem)
        self.bound = max(self.bound, min(bound, self.best))

    def descend(self, label: Ints) -> None:
        """Assign to given centres exactly, put each centre where it serves best, and so on while that is new."""
        plan = self.recentre(label) if self.problem.free else None
        while plan is not None and not self.done():
            centres = np.unique(plan)
            if tuple(centres.tolist()) in self.tried:
                return
            self.tried.add(tuple(centres.tolist()))
            plan = self.assign(centres)
            if plan is not None:
                self.offer(plan)
                plan = self.recentre(plan)

    def assign(self, centres: Ints) -> Ints | None:
        """Find the best plan for given centres, if there is any in reasonable time."""
        until = time.monotonic() + self.left() / TWENTIETHS
        while time.monotonic() < until:
            part = narrow(self.pairs, np.isin(self.pairs.column, centres))
            outcome = choose(part.cost, part.rows, until - time.monotonic())
            if outcome.chosen is None:
                return None
            plan = plan_of(part, outcome.chosen)
            wiser = self.learn(self.pairs, plan)
            if wiser is None:
                return plan
            self.pairs = wiser
        return None

    def pack(self) -> None:
        """Find any plan at all, whatever it costs, or prove that there is none."""
        pairs = packing(self.problem) if self.problem.free else self.pairs
        plan, bound = self.any_plan(pairs, PACKING * self.left())
        self.raise_to(bound)
        if plan is not None:
            self.offer(plan)
            self.descend(plan)

    def any_plan(self, pairs: Pairs, seconds: float) -> tuple[Ints | None, float]:
        """Find a plan of a programme without regard to cost; without one, an infinite bound says there is none."""
        costless, until = np.zeros(pairs.unit.size), time.monotonic() + seconds
        while time.monotonic() < until:
            outcome = choose(costless, pairs.rows, until - time.monotonic())
            if outcome.chosen is None:
                return None, outcome.bound
            plan = plan_of(pairs, outcome.chosen)
            wiser = self.learn(pairs, plan)
            if wiser is None:
                return plan, -np.inf
            pairs = wiser
        return None, -np.inf

    def blame(self) -> None:
        """Look for a few heavy units that no territories can hold side by side, and for the fewest of them."""
        heaviest = np.argsort(-self.problem.arrays.loads[0], kind="stable")
        for size in CORES:
            core = heaviest[:size]
            if not self.crowded(core):
                continue
            for unit in core:
                fewer = core[core != unit]
                core = fewer if fewer.size and self.crowded(fewer) else core
            raise too_crowded(self.problem, core)

    def crowded(self, core: Ints) -> bool:
        """Whether it is proven that no territories can hold these units, whatever becomes of the others."""
        seconds = min(CROWDED_S, self.left() / 10)
        return self.any_plan(packing(self.problem, core), seconds)[1] == np.inf

    def scout(self) -> None:
        """Look for a first plan where a good one would be: near the optimum, cut by cut."""
        if self.problem.free:
            self.blame()
        until = time.monotonic() + SCOUTING * self.left()
        while self.plan is None and self.step(until - time.monotonic()) and time.monotonic() < until:
            continue

    def close(self) -> None:
        """Solve, cut off what is not contiguous, and solve again, until the best plan is proven."""
        while not self.done() and self.step(self.left()):
            continue

    def step(self, seconds: float) -> bool:
        """Solve once, and learn from the solution; False where nothing came of it."""
        start = None if self.plan is None else chosen_by(self.pairs, self.plan)
        gap = ROUGH if self.contiguous and self.plan is None else CLOSED
        outcome = choose(self.pairs.cost, self.pairs.rows, seconds, start, gap=gap, first=self.contiguous)
        self.raise_to(outcome.bound)
        if outcome.chosen is None:
            return False
        plan = plan_of(self.pairs, outcome.chosen)
        before, wiser = self.best, self.learn(self.pairs, plan)
        self.offer(plan)
        if wiser is not None:
            self.pairs = wiser
            self.descend(plan)
        if self.best < before:
            self.tighten()
        return wiser is not None or self.best < before


def outside(problem: Problem, plan: Ints) -> Ints:
    """Find the columns whose load is outside a band by more than rounding; ``plan`` is -1 for a unit that has none."""
    a = problem.arrays
    placed = plan >= 0
    used = np.unique(plan[placed])
    held = np.array([np.bincount(plan[placed], weights=load[placed])[used] for load in a.loads])
    at = np.zeros(used.size, np.int64) if problem.free else used
    slack = 1e-9 * (a.lower + a.upper)[:, at] / 2
    wrong = (held > a.upper[:, at] + slack) | (held < a.lower[:, at] - slack)
    return used[wrong.any(axis=0)]
