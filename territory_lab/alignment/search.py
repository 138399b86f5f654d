"""The search for a good plan: centres, the fractional optimum, and rounds of annealing that mend and improve."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from territory_lab.alignment.centres import Centres, costs_of, first_centres, fixed, relax, search_costs, settle
from territory_lab.alignment.connect import Board, gather
from territory_lab.alignment.costs import Costs, Flags, Floats, Ints, confined, reach, total_cost
from territory_lab.alignment.improve import anneal, deal, load_of, moved_weight
from territory_lab.alignment.prices import Bands, climb, consider
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.proofs import refuse_flow
from territory_lab.alignment.rounding import rounded
from territory_lab.alignment.transport import Flow, transport

SHARPEN = np.geomspace(0.3, 0.005, 18)  # softness of the assignment while centres move
COOLING = np.r_[np.geomspace(0.07, 0.003, 14), np.zeros(2)]  # of the local search, in mean costs of a unit
STARTS = 40_000  # as many sets of first centres as units go into this number, at most MOST_STARTS
MOST_STARTS = 12
CROSSING = np.geomspace(10, 0.01, 160), np.geomspace(0.3, 0.01, 40)  # where homes lie far from the load
FAR = 0.01  # a plan further above the fractional one than this lets its territories cross the map
ROUNDS, FEWER = 8, 4  # searches of the neighbourhood; the fewer where centres, free, follow and bands are kept
PRICED, PLAIN = 2.0, 0.5  # penalty outside the bands, in mean costs, of the two kinds of search
MENDS, MOST_OUT = 6, 0.2  # attempts to mend a plan, where at most this share of the territories is outside a band
RESCUES = 2  # more where a plan is still outside its bands
LARGE = 10_000  # units
BESIDE = 3  # territories nearest to a unit that count as beside it where there are no neighbours
SLICES = 6  # part of the time left that one attempt at rounding may take
EFFORT = 8  # proposals per unit and temperature; up to four times as many below LARGE units


class State(NamedTuple):
    """A plan in the making."""

    centres: Centres  # where territories stand
    flow: Flow  # the fractional optimum for these centres
    assign: Ints  # territory of each unit


@dataclass(frozen=True)
class Search:
    """What every step of a search needs to know."""

    problem: Problem
    bands: Bands
    island: Ints  # piece of the map of each territory
    room: float  # weight that may leave its owner; infinite where nothing limits it
    seed: int  # decides every random choice
    deadline: float  # when to stop, on the monotonic clock

    @property
    def turns(self) -> int:
        """How many searches a plan within its bands gets."""
        return FEWER if self.problem.free else ROUNDS

    @property
    def scattered(self) -> bool:
        """Whether several activities are balanced where nothing need be contiguous: annealing alone seldom does it."""
        a = self.problem.arrays
        return len(a.loads) > 1 and a.ends.size == 0 and self.room == np.inf

    def left(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    def late(self) -> bool:
        """Whether time is up."""
        return self.left() < 0

    def price_out(self, centres: Centres, price: Floats) -> Flow:
        """Solve the fractional problem for these centres, from the prices of a similar one."""
        costs = search_costs(self.problem, centres, self.island)
        choice = consider(costs, self.bands, price, 16)
        for heat in (0.03, 0.01):
            price, _ = climb(choice, self.bands, price, heat=heat, steps=15)
        flow = transport(costs, self.bands, choice, price, self.room)
        if flow.excess > 1e-9:
            refuse_flow(self.problem, costs_of(self.problem, centres), self.bands, self.room)
        return flow

    def board(self, state: State, firm: Floats, *, priced: bool) -> Board:
        """
        Lay out the local search in one of two ways, which get stuck in different places.

        Priced: the load itself costs its shadow price, so that lumps may pass through a territory. Otherwise a true
        exact penalty: inside the bands only cost counts, outside a load costs its shadow price. Both add ``firm`` times
        the mean cost to what is outside.
        """
        a = self.problem.arrays
        costs, price = search_costs(self.problem, state.centres, self.island), state.flow.price
        mean = (total_cost(costs, state.assign) or 1.0) / a.loads.sum(axis=1)[:, None]
        return Board(
            costs=costs._replace(move_price=costs.move_price + state.flow.move_price),
            starts=a.starts,
            ends=a.ends,
            near=reach(costs, a.loads, price, min(8, price.shape[1])) if a.ends.size == 0 else a.ends[:0, None],
            loads=a.loads,
            lower=a.lower * (1 + 1e-11),
            upper=a.upper * (1 - 1e-11),
            price=price if priced else np.zeros_like(price),
            stiff=firm * mean if priced else np.abs(price) + firm * mean,
            limit=self.room,
        )

    def begin(self, centres: Centres, flow: Flow) -> State:
        """Round the fractional plan and make every territory one piece."""
        a = self.problem.arrays
        order = np.lexsort((flow.territory, -flow.share, flow.unit))
        largest = order[np.r_[True, np.diff(flow.unit[order]) > 0]]
        state = State(centres, flow, np.zeros(len(a.weight), np.int64))
        state.assign[flow.unit[largest]] = flow.territory[largest]
        if a.ends.size:
            board = self.board(state, np.ones_like(flow.price), priced=True)
            for _ in range(4):  # a piece that comes home may have cut off another
                state = state._replace(assign=gather(board, state.assign))
        return state

    def score(self, costs: Costs, assign: Ints) -> tuple[float, float]:
        """Judge a plan: first by what its limits lack, then by its cost."""
        a = self.problem.arrays
        load = load_of(assign, a.loads, a.lower.shape[1])
        out = np.maximum(load - a.upper * (1 + 1e-12), a.lower * (1 - 1e-12) - load)
        lacking = float((np.maximum(out, 0) / np.maximum(a.upper, 1e-300)).sum())
        if self.room < np.inf:
            lacking += max(0.0, moved_weight(costs, assign) - self.room) / max(float(a.weight.sum()), 1e-300)
        return lacking, float(total_cost(costs, assign))

    def refine(
        self, state: State, turn: int, heats: Floats = COOLING, *, firmness: float = 1.0, only: Flags | None = None
    ) -> Ints:
        """Anneal (``only`` these territories) and return the best plan seen; bands grow firm where not kept."""
        priced = turn % 2 == 1
        firm = np.full_like(state.flow.price, firmness * (PRICED if priced else PLAIN))
        board = self.board(state, firm, priced=priced)
        costs = costs_of(self.problem, state.centres)
        units = np.arange(state.assign.size) if only is None else np.flatnonzero(only[state.assign])
        if only is not None:
            board = board._replace(costs=confined(board.costs, units, only))
        tries = EFFORT * units.size * int(np.clip(LARGE / state.assign.size, 1, 4))
        level = total_cost(costs, state.assign) / state.assign.size
        work, best = state.assign.copy(), state.assign
        least = self.score(costs, best)
        for step, heat in enumerate(heats):
            if heat == 0 and heats[step - 1] > 0:
                work = best.copy()
            hand = deal(board, work, [self.seed, turn, step])
            anneal(board, hand, units, float(heat * level), tries)
            out = (hand.load > board.upper) | (hand.load < board.lower)
            board.stiff[out] *= 1.5  # in place
            found = self.score(costs, work)
            if found < least:
                least, best = found, work.copy()
            if self.late():
                break
        return best

    def locate(self) -> tuple[Centres, Flow]:
        """Choose centres: the homes, or the best of several starts by the value of the fractional plan."""
        problem = self.problem
        price = np.zeros(self.bands.lower.shape)
        if not problem.free:
            centres = fixed(problem)
            return centres, self.price_out(centres, price)
        best, least = None, (np.inf, np.inf)
        most = 1 if self.room < np.inf or problem.move_price > 0 else MOST_STARTS  # what moves is counted from today
        few = len(problem.units) * len(self.bands.loads) ** 2  # each start takes longer with every activity
        for start in range(int(np.clip(STARTS / few, 1, most))):
            rng = np.random.default_rng([self.seed, start])
            centres = first_centres(problem, self.island, rng, today=start == 0)
            centres, price = relax(problem, self.bands, centres, self.island, SHARPEN)
            flow = self.price_out(centres, price)
            if best is None or (flow.excess, flow.value) < least:
                best, least = (centres, flow), (flow.excess, flow.value)
            if self.late():
                break
        assert best is not None  # noqa: S101 - there is at least one start
        return best

    def rounds(self) -> Iterator[State]:
        """Improve a plan round by round."""
        problem = self.problem
        centres, flow = self.locate()
        state = self.begin(centres, flow)
        if problem.free and problem.sites == "units":
            state = self.settled(state)
            state = self.begin(state.centres, state.flow)
        yield state
        lacking, stuck = np.inf, False
        for turn in range(ROUNDS + RESCUES):
            state = self.mended(state._replace(assign=self.refine(state, turn)), turn)
            stuck = stuck or (self.scattered and self.score(costs_of(problem, state.centres), state.assign)[0] > 0)
            state = self.decided(state) if stuck else state
            if turn < (ROUNDS if lacking else self.turns) - 2:
                state = self.settled(state)
            yield state
            lacking, value = self.score(costs_of(problem, state.centres), state.assign)
            if turn + 1 >= self.turns and lacking == 0:
                break
        if not problem.free and self.room == np.inf and value > (1 + FAR) * state.flow.value:
            for turn, heats in enumerate(CROSSING, start=1):
                yield (state := self.mended(state._replace(assign=self.refine(state, turn, heats)), turn))

    def decided(self, state: State) -> State:
        """Round the fractional plan exactly, and keep what is better."""
        costs = search_costs(self.problem, state.centres, self.island)
        found = rounded(costs, self.bands, state.flow.price, self.left() / SLICES)
        better = found is not None and self.score(costs, found) < self.score(costs, state.assign)
        return state._replace(assign=found) if better and found is not None else state

    def mended(self, state: State, turn: int) -> State:
        """Bring territories that are a little outside their bands back, at the least cost to the ones beside them."""
        a = self.problem.arrays
        for attempt in range(MENDS):
            load = load_of(state.assign, a.loads, a.lower.shape[1])
            outside = (load > a.upper * (1 - 1e-11)) | (load < a.lower * (1 + 1e-11))
            out = np.asarray(outside.any(axis=0))
            if not 0 < out.sum() <= MOST_OUT * out.size or self.late():
                break
            ring = self.beside(state, out)
            ring = ring if attempt < MENDS / 2 else self.beside(state, ring)
            mended = self.refine(state, turn + attempt, firmness=2.0**attempt, only=ring)
            state = state._replace(assign=mended)
        return state

    def settled(self, state: State) -> State:
        """Put free centres in the middle of their territories."""
        if not self.problem.free:
            return state
        centres = settle(self.problem, state.centres, state.assign)
        return State(centres, self.price_out(centres, state.flow.price), state.assign)

    def beside(self, state: State, ring: Flags) -> Flags:
        """Add the territories that touch a ring or, without neighbours, that are nearest to its units."""
        a = self.problem.arrays
        wider = ring.copy()
        inside = ring[state.assign]
        if a.ends.size:
            wider[state.assign[a.ends[np.repeat(inside, np.diff(a.starts))]]] = True
        else:
            costs = costs_of(self.problem, state.centres)
            wider[reach(costs, a.loads, state.flow.price, min(BESIDE, ring.size))[inside]] = True
        return wider
