"""How good any plan could be, wherever its centres stand: a lower bound by Lagrangian relaxation."""

import math
import time
from dataclasses import dataclass, field

import numpy as np
from scipy.special import xlogy
from tqdm import tqdm

from territory_lab.alignment.centres import Centres, costs_of
from territory_lab.alignment.costs import TABLE, Costs, Floats, Ints, listed, pair_costs, reach
from territory_lab.alignment.knapsack import (
    Aim,
    Field,
    Lists,
    Prices,
    bend,
    certified_worth,
    coverage,
    list_units,
    spread,
    taken,
    weigh,
)
from territory_lab.alignment.problem import Problem
from territory_lab.errors import BadInput, Fault

SCOPES = ("these centres", "any centres")
SOFTNESS = np.geomspace(0.3, 2e-5, 50)  # of the choice of sites, in costs of a territory nearby
SHARP, IDLE = 1e-3, 3e-6  # below this softness a bound that rises by less than this share has arrived
STEPS = 20  # of Newton's method at each softness, at most
EVEN = 0.1  # share of the load that may be covered too often or too seldom before the softness falls
LOOSEST, STIFFEST = 0.02, 1e5  # damping of a step, in what the knapsacks of a uniform map bend by
DRIFT = 0.02  # of the units may have moved by half the margin of the lists before these are made anew
FARTHEST = 0.5  # that a multiplier moves in one step, in costs of its neighbourhood
AROUND = 6  # territories that make up the neighbourhood of a unit
FLOOR = 1e-3  # of the cost of a neighbourhood, in usual ones
ENTRIES = 20_000_000  # of all lists together: 160 MB; more units than that allows are seen from fewer sites


@dataclass
class Ascent:
    """
    The dual function on its way up, for n units and the s sites that are searched.

    Multipliers lambda_i are measured per unit of load. The choice of the k sites of least worth is softened: shares
    y_j = prior_j exp((v - worth_j) / heat_j) that add up to k. This makes the dual nearly smooth, with the curvature
    X' (y / heat) X of the sites' takings X, and what the knapsacks themselves bend by is the diagonal that damps it.
    """

    ground: Field
    sites: Ints  # the sites searched, shape (s,)
    count: int  # territories
    most: int  # of them that may share a site
    scale: Floats  # cost per load of each unit's neighbourhood, shape (n,)
    heat: Floats  # cost of a territory near each searched site, shape (s,)
    prior: Floats  # share to which each searched site is open before costs are known, shape (s,)
    multiplier: Floats  # per unit of load, shape (n,)
    deadline: float  # when to stop, on the monotonic clock
    damping: float = 1.0
    prices: Prices = field(init=False)
    lists: Lists = field(init=False)
    listed: Floats = field(init=False)
    margin: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin with wide lists, as prices are not known yet."""
        self.prices = Prices(*np.zeros((3, self.sites.size)))
        self.relist(2.0)

    def relist(self, margin: float) -> None:
        """List anew what each site may want."""
        aim = Aim(self.multiplier, self.scale, margin)
        self.lists = list_units(self.ground, self.sites, aim, self.prices.price)
        self.listed, self.margin = self.multiplier, margin
        weigh(self.ground, self.lists, self.multiplier, self.prices)

    def drifted(self) -> float:
        """Share of the units that have moved so far that a list may lack what its site now wants."""
        return float((np.abs(self.multiplier - self.listed) > self.margin / 2 * self.scale).mean())

    def late(self) -> bool:
        """Whether time is up."""
        return time.monotonic() > self.deadline

    def softened(self, multiplier: Floats, softness: float) -> tuple[float, Floats]:
        """Value of the softened dual, and the shares to which sites are open; leaves the prices behind."""
        weigh(self.ground, self.lists, multiplier, self.prices)
        heat, worth = softness * self.heat, self.prices.worth
        share = spread(worth, self.prior, heat, self.most, self.count)
        warmth = heat @ (xlogy(share, share / self.prior) - share + self.prior)
        return float(self.ground.size @ multiplier + share @ worth + warmth), share

    def listed_value(self) -> float:
        """Value of the dual as far as the lists know: what a certificate will find, or close to it."""
        least = np.sort(self.prices.worth)[: -(-self.count // self.most)]
        return float(self.ground.size @ self.multiplier + self.most * least.sum())

    def step(self, slope: Floats, share: Floats, softness: float) -> Floats:
        """Newton's step by conjugate gradients, damped by the bend of the knapsacks."""
        first, unit = taken(self.lists, self.multiplier, self.prices, share)
        stir = np.where(share < self.most, share, 0.0) / (softness * self.heat)
        power = self.ground.costs.power
        damp = self.damping * self.ground.size * (2 / power) / self.scale
        move, rest = np.zeros(slope.size), slope.copy()
        eased = rest / damp
        along, left = eased, float(rest @ eased)
        enough = 1e-3 * left
        for _ in range(25):
            bent = bend(first, unit, self.ground.size, stir, along) + damp * along
            length = left / float(along @ bent)
            move += length * along
            rest -= length * bent
            eased = rest / damp
            left, before = float(rest @ eased), left
            if left <= enough:
                break
            along = eased + left / before * along
        return np.clip(move, -FARTHEST * self.scale, FARTHEST * self.scale)

    def climb(self, softness: float) -> None:
        """Raise the dual at one softness until units are covered evenly, in at most `STEPS` steps."""
        size = self.ground.size
        if self.drifted() > 0:
            self.relist(1.0)
        value, share = self.softened(self.multiplier, softness)
        for _ in range(STEPS):
            slope = size * (1 - coverage(self.lists, self.multiplier, self.prices, share))
            if np.abs(slope).sum() <= EVEN * size.sum() or self.late():
                return
            step = self.step(slope, share, softness)
            for halvings in range(8):
                length = 0.5**halvings
                reached, opened = self.softened(self.multiplier + length * step, softness)
                if reached > value + 1e-4 * length * abs(slope @ step):
                    break
            else:
                self.damping = min(4 * self.damping, STIFFEST)
                self.softened(self.multiplier, softness)
                continue
            self.damping *= 0.5 if halvings == 0 else 2.0 if halvings > 1 else 1.0
            self.damping = float(np.clip(self.damping, LOOSEST, STIFFEST))
            self.multiplier, value, share = self.multiplier + length * step, reached, opened
            if self.drifted() > DRIFT:
                self.relist(1.0)
                value, share = self.softened(self.multiplier, softness)

    def certificate(self) -> float:
        """Lower bound over all units and all sites, for the multipliers as they are."""
        sites = self.ground.costs.points.shape[0]
        guess = np.interp(np.arange(sites), self.sites, self.prices.price)
        worth = np.sort(certified_worth(self.ground, Aim(self.multiplier, self.scale, 0.5), guess))
        least = np.repeat(worth[: -(-self.count // self.most)], self.most)[: self.count]
        if np.isinf(least).any():
            return np.inf
        terms = [*(self.ground.size * self.multiplier), *least]
        return math.fsum(terms) - 4 * np.finfo(float).eps * math.fsum(np.abs(terms))


def check_scope(problem: Problem, scope: str) -> None:
    """Refuse a scope for which there is no bound, saying what to ask instead."""
    if scope not in SCOPES:
        raise BadInput([Fault("bound_scope", "", "", f"{scope!r} is not known", f"choose one of {SCOPES}")])
    if scope == SCOPES[1] and not (problem.free and (problem.sites == "units" or problem.kind == TABLE)):
        mend = "give a number of territories with sites='units' or a matrix, or keep 'these centres'"
        raise BadInput([Fault("bound_scope", "", "", "any centres: there is no finite choice of them", mend)])


def any_centres(
    problem: Problem, centres: Centres, assign: Ints, *, deadline: float = np.inf, progress: bool = False
) -> float:
    """
    Lower bound on the cost of any plan within the bands, wherever its centres stand.

    The assignment of units is relaxed with multipliers lambda_i (Christofides and Beasley 1982 for the p-median); what
    is left is one continuous knapsack for each possible centre, its load within [L, U], and the choice of the k of
    least worth: sum lambda_i + sum of the k least worths bounds every plan. Possible centres are all units, no two
    territories at one, or the columns of a matrix, which territories may share. Contiguity, locks, forbidden pairs,
    the price and limit of moves, and every activity but the one with the narrowest band are dropped, and the bound
    stays valid. The dual is raised by damped Newton steps on a softened choice of sites while the softness falls, and
    certified over all pairs, with a margin for rounding, whenever it has risen by 5 % and at the end; it stops early
    where two low softnesses in a row raise it by less than `IDLE` of it. Work is counted in steps: the deadline
    only cuts. Ctrl-C ends it with the best bound certified so far.

    The plan (``centres``, ``assign``) is only where to start from. The bound is 0 where nothing better was certified
    in time, infinite where no site reaches the minimum.
    """
    best, idle, before = 0.0, 0, -np.inf
    try:
        ascent = _begin(problem, centres, assign, deadline)
        if ascent is None or ascent.late():
            return best
        for softness in tqdm(SOFTNESS, desc="bound", disable=not progress):
            if ascent.late():
                break
            ascent.climb(float(softness))
            value = ascent.listed_value()
            if value > 1.05 * best:
                best = max(best, ascent.certificate())
            idle = idle + 1 if softness < SHARP and value - before < IDLE * abs(value) else 0
            before = value
            if idle == 2:
                break
        best = max(best, ascent.certificate())
    except KeyboardInterrupt:
        pass
    return best


def field_of(problem: Problem) -> Field:
    """Set every possible centre before every unit, with the activity whose band is narrowest."""
    a = problem.arrays
    row = int(np.argmin([problem.balance[name] for name in problem.activities]))
    table = np.ascontiguousarray(a.table.T)
    sites = np.zeros((len(table), 3)) if problem.kind == TABLE else a.points
    ones, nobody = np.ones(len(sites)), np.full(len(sites), -1)
    allowed = np.zeros((0, 0), np.bool_)
    load = a.loads[row]
    return Field(
        costs=Costs(problem.kind, problem.power, sites, a.points, table, ones, nobody, 0.0, nobody, allowed),
        axes=np.ascontiguousarray(a.points.T),
        weight=a.weight,
        load=load,
        size=np.maximum(load, 1e-6 * load.mean()),
        lower=float(a.lower[row, 0]),
        upper=float(a.upper[row, 0]),
    )


def _neighbourhood(problem: Problem, centres: Centres, assign: Ints) -> tuple[Floats, Floats]:
    """Cost per weight and cost of a whole territory near each unit: of the plan's nearest territories, blended."""
    a, k = problem.arrays, len(problem.territory_ids)
    plain = costs_of(problem, centres)._replace(
        weight=np.ones(assign.size),
        owner=np.full(assign.size, -1),
        move_price=0.0,
        pinned=np.full(assign.size, -1),
        banned=np.zeros((0, 0), np.bool_),
    )
    own = pair_costs(plain, np.arange(assign.size), assign)
    whole = np.bincount(assign, weights=a.weight * np.where(np.isfinite(own), own, 0.0), minlength=k)
    held = np.bincount(assign, weights=a.weight, minlength=k)
    mean = np.divide(whole, held, out=np.zeros(k), where=held > 0)
    near = reach(plain, a.loads, np.zeros(a.lower.shape), min(AROUND, k))
    far = listed(plain, near)
    beyond = 10 * far[np.isfinite(far)].max(initial=1e-100)
    square = np.where(np.isfinite(far), far, beyond) ** (2 / problem.power)
    pull = 1 / (square + 0.25 * square[:, :1] + 1e-9 * beyond ** (2 / problem.power))
    pull /= pull.sum(axis=1, keepdims=True)
    blended = (pull * mean[near]).sum(axis=1), (pull * whole[near]).sum(axis=1)
    return np.maximum(blended[0], FLOOR * mean.mean()), np.maximum(blended[1], FLOOR * whole.mean())


def _begin(problem: Problem, centres: Centres, assign: Ints, deadline: float) -> Ascent | None:
    """Start at lambda_i = the cost of i in its neighbourhood + half a usual cost of its load; None without costs."""
    mean, whole = _neighbourhood(problem, centres, assign)
    if whole.max() == 0:
        return None
    kept, k = field_of(problem), len(problem.territory_ids)
    slope = kept.weight / kept.size
    load = float(kept.size.sum())
    multiplier = slope * mean + float(np.median(whole)) * k / load / 2
    scale = mean * (slope + kept.weight.sum() / load) / 2
    home = problem.arrays.table.argmin(axis=0) if problem.kind == TABLE else np.arange(assign.size)
    some = np.unique(np.linspace(0, home.size - 1, 64).astype(np.int64))
    length = list_units(kept, some, Aim(multiplier, scale, 2.0), np.zeros(some.size)).first[-1] / some.size
    seen = int(min(home.size, max(ENTRIES / length, 4 * k)))
    sites = np.linspace(0, home.size - 1, seen).astype(np.int64)
    prior = 1 / np.bincount(assign[home[sites]], minlength=k)[assign[home[sites]]]
    return Ascent(
        ground=kept,
        sites=sites,
        count=k,
        most=k if problem.kind == TABLE else 1,
        scale=scale,
        heat=whole[home[sites]],
        prior=prior * k / prior.sum(),
        multiplier=multiplier,
        deadline=deadline,
    )
