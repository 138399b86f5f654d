"""From a problem to the best plan found in time, with its bound."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.any_centres import any_centres, check_scope
from territory_lab.alignment.audit import audit
from territory_lab.alignment.bound import certificate
from territory_lab.alignment.centres import Centres, costs_of, first_centres, fixed, relax, search_costs, settle
from territory_lab.alignment.connect import Board, gather
from territory_lab.alignment.costs import SPHERE, TABLE, Costs, Floats, Ints, reach, total_cost
from territory_lab.alignment.improve import anneal, deal, load_of, moved_weight
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.prices import Bands, climb, consider
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.proofs import allot, refuse, refuse_flow
from territory_lab.alignment.transport import Flow, transport

SHARPEN = np.geomspace(0.3, 0.005, 18)  # softness of the assignment while centres move
COOLING = np.r_[np.geomspace(0.3, 0.01, 30), np.zeros(6)]  # of the local search, in mean costs of a unit
CROSSING = np.geomspace(
    0.9, 0.01, 40
)  # hotter where homes are fixed: far from the load, territories must cross the map
ROUNDS = 3  # free centres: search, recentre, search again with half the heat
RESCUES = 8  # further rounds where a plan is still outside its bands


class State(NamedTuple):
    """
    A plan in the making.

    Parameters
    ----------
    centres : Centres
        Where territories stand.
    flow : Flow
        The fractional optimum for these centres.
    assign : Ints
        Territory of each unit.
    """

    centres: Centres
    flow: Flow
    assign: Ints


@dataclass(frozen=True)
class Search:
    """
    What every step of a search needs to know.

    Parameters
    ----------
    problem : Problem
        The question.
    bands : Bands
        Its limits.
    island : Ints
        Piece of the map of each territory.
    room : float
        Weight that may leave its owner; infinite where nothing limits it.
    seed : int
        Decides every random choice.
    deadline : float
        When to stop, on the monotonic clock.
    """

    problem: Problem
    bands: Bands
    island: Ints
    room: float
    seed: int
    deadline: float

    def late(self) -> bool:
        """Whether time is up."""
        return time.monotonic() > self.deadline

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

    def board(self, centres: Centres, flow: Flow, assign: Ints) -> Board:
        """Lay out the local search."""
        a = self.problem.arrays
        costs = search_costs(self.problem, centres, self.island)
        costs = costs._replace(move_price=costs.move_price + flow.move_price)
        near = reach(costs, a.loads, flow.price, min(8, a.lower.shape[1]))[0] if a.ends.size == 0 else a.ends[:0, None]
        stiff = 2 * (total_cost(costs, assign) or 1.0) / a.loads.sum(axis=1)[:, None]
        return Board(
            costs=costs,
            starts=a.starts,
            ends=a.ends,
            near=near,
            loads=a.loads,
            lower=a.lower * (1 + 1e-11),
            upper=a.upper * (1 - 1e-11),
            price=flow.price,
            stiff=np.repeat(stiff, a.lower.shape[1], axis=1),
            limit=self.room,
        )

    def begin(self, centres: Centres, flow: Flow) -> Ints:
        """Round the fractional plan and make every territory one piece."""
        a = self.problem.arrays
        order = np.lexsort((flow.territory, -flow.share, flow.unit))
        largest = order[np.r_[True, np.diff(flow.unit[order]) > 0]]
        assign = np.zeros(len(a.weight), np.int64)
        assign[flow.unit[largest]] = flow.territory[largest]
        if a.ends.size:
            board = self.board(centres, flow, assign)
            for _ in range(4):  # a piece that comes home may have cut off another
                assign = gather(board, assign)
        return assign

    def score(self, costs: Costs, assign: Ints) -> tuple[float, float]:
        """Judge a plan: first by what its limits lack, then by its cost."""
        a = self.problem.arrays
        load = load_of(assign, a.loads, a.lower.shape[1])
        out = np.maximum(load - a.upper * (1 + 1e-12), a.lower * (1 - 1e-12) - load)
        lacking = float((np.maximum(out, 0) / np.maximum(a.upper, 1e-300)).sum())
        if self.room < np.inf:
            lacking += max(0.0, moved_weight(costs, assign) - self.room) / max(float(a.weight.sum()), 1e-300)
        return lacking, float(total_cost(costs, assign))

    def refine(self, centres: Centres, flow: Flow, assign: Ints, heats: Floats, seed: int) -> Ints:
        """Anneal at falling temperatures and return the best plan seen."""
        board = self.board(centres, flow, assign)
        plain = board._replace(costs=costs_of(self.problem, centres), price=np.zeros_like(flow.price))
        level = total_cost(plain.costs, assign) / assign.size
        sweep = 8 * assign.size * int(np.clip(30_000 / assign.size, 1, 4))
        everyone = np.arange(assign.size)
        work, best = assign.copy(), assign
        least = self.score(plain.costs, best)
        for step, heat in enumerate(heats):
            if heat == 0 and heats[step - 1] > 0:
                work = best.copy()
            now = board if heat > 0 else plain
            hand = deal(now, work, seed * 1000 + step)
            anneal(now, hand, everyone, float(heat * level), sweep)
            out = (hand.load > board.upper) | (hand.load < board.lower)
            board.stiff[out] *= 1.5  # in place: the penalty of whoever stays outside grows
            found = self.score(plain.costs, work)
            if found < least:
                least, best = found, work.copy()
            if self.late():
                break
        return best

    def rounds(self) -> Iterator[State]:
        """Improve a plan round by round."""
        problem = self.problem
        price = np.zeros(self.bands.lower.shape)
        if problem.free:
            start = first_centres(problem, self.island, np.random.default_rng(self.seed))
            centres, price = relax(problem, self.bands, start, self.island, SHARPEN)
            if problem.sites == "units" and problem.kind != TABLE:
                centres = settle(problem, centres, self.begin(centres, self.price_out(centres, price)))
        else:
            centres = fixed(problem)
        flow = self.price_out(centres, price)
        assign = self.begin(centres, flow)
        slowly = int(np.clip(15_000 / assign.size, 1, 4))
        cooling = COOLING if problem.free else np.r_[np.repeat(CROSSING, slowly), np.zeros(6)]
        for turn in range(ROUNDS + RESCUES):
            assign = self.refine(centres, flow, assign, cooling * 0.5 ** min(turn, 2), self.seed * 100 + turn)
            yield State(centres, flow, assign)
            within = self.score(costs_of(problem, centres), assign)[0] == 0
            if within and (turn + 1 >= ROUNDS or not problem.free):
                return
            if problem.free:
                centres = settle(problem, centres, assign)
                flow = self.price_out(centres, flow.price)


def solve(
    problem: Problem,
    *,
    seed: int = 0,
    time_limit_s: float = 60.0,
    progress: bool = False,
    bound_scope: str = "these centres",
) -> Plan:
    """
    Find a balanced, contiguous, compact plan and a lower bound on how good any could be.

    Homes are fixed, or centres are found by annealed balanced location; for given centres the fractional optimum
    comes from a linear programme, is rounded, made contiguous, and improved by a priced local search. Ctrl-C returns
    the best plan so far.

    Parameters
    ----------
    problem : Problem
        The question.
    seed : int
        Decides every random choice: same seed, same plan (unless the time limit cuts the run short).
    time_limit_s : float
        Stop improving after this many seconds.
    progress : bool
        Show a progress bar.
    bound_scope : str
        What the bound speaks of: ``these centres``, or ``any centres`` where they are free to stand at units or at the
        columns of a matrix; the time that is left then goes to that bound, and Ctrl-C ends it with what it has.

    Returns
    -------
    Plan
        With ``violations`` not empty where no plan within all limits was found in time.

    Raises
    ------
    Infeasible
        With the proof that there is no plan.
    BadInput
        Where there is no bound of that scope.
    """
    deadline = time.monotonic() + time_limit_s
    check_scope(problem, bound_scope)
    refuse(problem)
    search = search_of(problem, seed, deadline)
    best, least = None, (np.inf, np.inf)
    with tqdm(total=ROUNDS if problem.free else 1, desc="alignment", disable=not progress) as bar:
        try:
            for state in search.rounds():
                found = search.score(costs_of(problem, state.centres), state.assign)
                if found < least:
                    best, least = state, found
                bar.update()
                if search.late():
                    break
        except KeyboardInterrupt:
            if best is None:
                raise
            bound_scope = "these centres"
    assert best is not None  # noqa: S101 - every round yields
    plan = finish(search, best)
    if bound_scope == "these centres":
        return plan
    bound = any_centres(problem, best.centres, best.assign, deadline=deadline, progress=progress)
    return replace(plan, bound=bound, bound_scope=bound_scope)


def search_of(problem: Problem, seed: int, deadline: float) -> Search:
    """Prepare a search."""
    a = problem.arrays
    share = problem.max_moved_share
    room = np.inf if share is None else share * float(a.weight[a.owner >= 0].sum())
    return Search(problem, Bands(a.loads, a.lower, a.upper), allot(problem), room, seed, deadline)


def finish(search: Search, state: State) -> Plan:
    """Measure, certify and audit a plan."""
    problem = search.problem
    costs = costs_of(problem, state.centres)
    alignment = pd.Series(problem.territory_ids[state.assign], index=problem.unit_ids, name="territory_id")
    return Plan(
        problem=problem,
        alignment=alignment,
        territories=describe(problem, state.centres),
        objective=float(total_cost(costs, state.assign)),
        bound=certificate(costs, search.bands, state.flow.price, state.flow.move_price, search.room),
        bound_scope="these centres",
        seed=search.seed,
        violations=audit(problem, alignment),
    )


def describe(problem: Problem, centres: Centres) -> pd.DataFrame:
    """Centres in the caller's coordinates."""
    frame = pd.DataFrame(index=problem.territory_ids)
    points = centres.points
    if isinstance(problem.territories, pd.DataFrame):
        columns = [c for c in ("lon", "lat", "x_km", "y_km") if c in problem.territories]
        frame = problem.territories[columns].rename_axis("territory_id")
    elif problem.kind == SPHERE:
        frame["lon"] = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
        frame["lat"] = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    elif problem.kind != TABLE:
        frame["x_km"], frame["y_km"] = points[:, 0], points[:, 1]
    if isinstance(problem.distance, pd.DataFrame):
        names = problem.distance.columns if problem.free else problem.territory_ids
        frame["site"] = names[centres.site]
    elif (centres.site >= 0).all() and problem.free:
        frame["site"] = problem.unit_ids[centres.site]
    return frame
