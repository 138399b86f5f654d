"""Where to open: starts from the multipliers of the bound, annealed as a whole and then region by region."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from territory_lab.alignment.costs import Floats, Ints
from territory_lab.alignment.covering import Ascent, Siting, greedy, list_below
from territory_lab.alignment.medians import Ground, anneal, lay_out, rank_all

FAR_AWAY = 1e3  # what a pair out of reach costs in the search, in the dearest pair within reach
QUICK, LONG, LOCAL = (0.3, 0.02, 50, 4), (1.2, 0.02, 300, 7), (0.6, 0.03, 25, 12)  # heats, steps, proposals per unit
STARTS, NOISE = 6, 0.03  # from multipliers shaken by this much
FRACTIONAL, WHOLE = 700, 400  # steps of the ascent
RISE, FALL = 1.1, 0.95  # of the price of overload, while there is some and while there is none
REGION = (3, 10)  # clusters, at least and at most
PROVEN = 2e-6  # gap at which the best plan counts as proven
CROWDED = 0.5  # share of sites that are open past which a unit does not take its site along
IDLE = 30  # times that regions cover the map, without any gain, before the search ends


class Opening(NamedTuple):
    """A plan."""

    opened: Ints  # site of each cluster, shape (p,)
    cluster: Ints  # cluster of each unit, shape (n,)
    broken: float = np.inf  # load above capacity in shares of all load, plus the number of units out of reach
    cost: float = np.inf  # weighted distance of the units within reach, and fixed costs

    @property
    def score(self) -> tuple[float, float]:
        """What is broken first, then the cost."""
        return self.broken, self.cost


def measure(siting: Siting, opened: Ints, cluster: Ints) -> Opening:
    """Measure a plan."""
    far = siting.far[np.arange(cluster.size), opened[cluster]]
    reached = np.isfinite(far)
    over = np.bincount(cluster, siting.load, opened.size) - siting.capacity[opened]
    broken = over[over > 0].sum() / siting.load.sum() + float((~reached).sum())
    return Opening(opened, cluster, broken, float(far[reached].sum() + siting.fee[opened].sum()))


def complete(siting: Siting, opened: Ints, cluster: Ints) -> Ints:
    """Give units without a site (-1) one with room, or else the nearest; first those whose second best is far off."""
    cluster = cluster.copy()
    served = cluster >= 0
    room = siting.capacity[opened] - np.bincount(cluster[served], siting.load[served], opened.size)
    left = np.flatnonzero(~served)
    far = siting.far[np.ix_(left, opened)]
    order = np.argsort(far, axis=1, kind="stable")
    nearest = np.take_along_axis(far, order[:, :2], axis=1)
    with np.errstate(invalid="ignore"):
        regret = nearest[:, -1] - nearest[:, 0]
    for row in np.argsort(-regret, kind="stable"):
        fits = np.flatnonzero(room[order[row]] >= siting.load[left[row]])
        k = order[row, fits[0] if fits.size else 0]
        cluster[left[row]] = k
        room[k] -= siting.load[left[row]]
    return cluster


def ground_of(siting: Siting, points: Floats, seat: Ints) -> Ground:
    """Prepare the search; ``points`` put near what is near, ``seat`` is the site where a unit stands, -1 for none."""
    n, m = siting.far.shape
    reached = np.isfinite(siting.far)
    dearest = siting.far[reached].max(initial=0.0) or 1.0
    far = np.where(reached, siting.far, FAR_AWAY * dearest).astype(np.float32)
    width = min(m, int(np.clip(3 * m / siting.wanted, 8, 48)))
    sites = np.argpartition(far, width - 1, axis=1)[:, :width]
    around = min(n, int(np.clip(3 * n / siting.wanted, 16, 48)) + 1)
    units = cKDTree(points).query(points, around)[1].reshape(n, around)
    seat = np.where((seat < 0) | siting.held[seat] | (siting.wanted > CROWDED * m), -1, seat)
    host = siting.far.argmin(axis=0)
    host[seat[seat >= 0]] = np.flatnonzero(seat >= 0)
    roams = ~np.isin(np.arange(m), seat)
    near = (np.ascontiguousarray(part, dtype=np.int32) for part in (sites, units))
    return Ground(far, siting.load, siting.capacity, siting.fee, siting.held, seat, host, roams, *near)


@dataclass
class Search:
    """A search under way; `best` is always a whole plan once the first start stands."""

    siting: Siting
    ground: Ground
    seed: int  # decides every random choice
    deadline: float  # time to stop, on the monotonic clock
    best: Opening = field(init=False)
    ascent: Ascent = field(init=False)
    price: float = field(init=False)  # price of a unit of load above capacity, where the last run ended
    proof: float = -np.inf  # what an integer programme has proven
    runs: int = 0  # how often a plan was annealed

    def __post_init__(self) -> None:
        """Begin with multipliers that reach the nearest few sites, and the plan they lead to."""
        siting = self.siting
        m = siting.capacity.size
        rank = min(m - 1, -(-m // siting.wanted))
        far = np.where(np.isfinite(siting.far), siting.far, FAR_AWAY)
        self.ascent = Ascent(siting, 1.5 * np.partition(far, rank, axis=1)[:, rank])
        self.best = self.start(self.ascent.multiplier)
        self.price = 2 * self.best.cost / siting.load.sum()

    @property
    def bound(self) -> float:
        """No plan costs less."""
        return max(self.ascent.bound, self.proof)

    def late(self) -> bool:
        """Whether time is up, or the best plan is proven to be so."""
        return time.monotonic() > self.deadline or self.proven()

    def proven(self) -> bool:
        """Whether the bound has reached the best plan."""
        return self.best.broken == 0 and self.best.cost <= self.bound * (1 + PROVEN)

    def start(self, multiplier: Floats) -> Opening:
        """Open greedily on multipliers, and give every unit a site."""
        siting = self.siting
        opened, cluster = greedy(siting, list_below(siting.far, multiplier), multiplier)
        return self.seated(opened, complete(siting, opened, cluster))

    def seated(self, opened: Ints, cluster: Ints) -> Opening:
        """Let units that stand at an open site belong to it."""
        units = np.flatnonzero(np.isin(self.ground.seat, opened))
        position = np.full(self.siting.capacity.size, -1)
        position[opened] = np.arange(opened.size)
        cluster[units] = position[self.ground.seat[units]]
        return measure(self.siting, opened, cluster)

    def cool(self, plan: Opening, units: Ints, schedule: tuple[float, float, int, int]) -> Opening:
        """Anneal a plan, these units first; gives the best plan met, and keeps it where it is the best of all."""
        hot, cold, steps, each = schedule
        self.runs += 1
        lots = lay_out(self.ground, plan.opened, plan.cluster, self.price, (self.seed, self.runs))
        level = plan.cost / plan.cluster.size
        least = plan
        for step in range(steps):
            heat = level * hot * (cold / hot) ** (step / (steps - 1))
            over = anneal(self.ground, lots, units, heat, each * units.size)
            if over <= least.broken * self.siting.load.sum():
                found = measure(self.siting, lots.best, lots.cluster)
                if found.score < least.score:
                    least = found._replace(opened=lots.best.copy(), cluster=lots.cluster.copy())
            lots.price[0] *= RISE if over > 0 else FALL
            rank_all(self.ground, lots)
            if self.late():
                break
        self.price = float(np.clip(lots.price[0], self.price / 2, self.price * 2))
        if least.score < self.best.score:
            self.best = least
        return least

    def rounds(self, dual_until: float) -> Iterator[str]:
        """Do the work, and say what was done after each part."""
        everyone = np.arange(self.siting.load.size)
        self.cool(self.best, everyone, QUICK)
        yield "first plan"
        served = self.siting.far[everyone, self.best.opened[self.best.cluster]]
        served = np.where(np.isfinite(served), served, self.ascent.multiplier)
        self.ascent.multiplier = served + served.mean()
        self.ascent.climb(self.best.cost, FRACTIONAL, dual_until, whole=False)
        yield "fractional bound"
        self.ascent.climb(self.best.cost, WHOLE, dual_until, whole=True)
        yield "bound"
        rng = np.random.default_rng(self.seed)
        starts = []
        for run in range(STARTS):
            shaken = self.ascent.multiplier * np.exp(NOISE * rng.normal(size=everyone.size) * (run > 0))
            starts.append(self.cool(self.start(shaken), everyone, QUICK))
            yield f"start {run}"
            if self.late():
                return
        self.cool(self.best, everyone, LONG)
        yield "annealed"
        idle, patience = 0, IDLE * max(1, self.siting.wanted // REGION[0])
        while idle < patience:
            known = self.best
            self.region(rng)
            idle = idle + 1 if self.best is known else 0
            yield "region"
            if self.late():
                return

    def region(self, rng: np.random.Generator) -> None:
        """Anneal a few clusters near each other, at times after one of them has moved its site elsewhere among them."""
        plan = self.best
        middle = int(rng.integers(plan.cluster.size))
        size = int(rng.integers(REGION[0], REGION[1] + 1))
        near = np.argsort(self.ground.far[middle, plan.opened], kind="stable")[:size]
        units = np.flatnonzero(np.isin(plan.cluster, near))
        if units.size == 0:
            return
        if rng.random() < 0.5:
            plan = self.moved(plan, near, units, rng)
        self.cool(plan, units, LOCAL)

    def moved(self, plan: Opening, near: Ints, units: Ints, rng: np.random.Generator) -> Opening:
        """Close one of the sites, open one near a unit of the region instead, and send its units to the nearest."""
        opened = plan.opened.copy()
        shut = near[~self.ground.held[opened[near]]]
        unit = int(rng.choice(units))
        sites = self.ground.sites[unit]
        sites = sites[~np.isin(sites, opened)]
        if shut.size == 0 or sites.size == 0:
            return plan
        opened[rng.choice(shut)] = rng.choice(sites)
        cluster = plan.cluster.copy()
        cluster[units] = near[self.ground.far[np.ix_(units, opened[near])].argmin(axis=1)]
        return self.seated(opened, cluster)
