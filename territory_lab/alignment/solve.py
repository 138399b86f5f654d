"""From a problem to the best plan found in time, with its bound."""

import time
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.audit import audit
from territory_lab.alignment.bound import certificate
from territory_lab.alignment.centres import Centres, costs_of, first_centres, homes, relax, settle
from territory_lab.alignment.connect import gather
from territory_lab.alignment.costs import SPHERE, TABLE, Costs, Floats, Ints, reach, total_cost
from territory_lab.alignment.improve import anneal, load_of
from territory_lab.alignment.plan import Plan
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.proofs import refuse, refuse_flow
from territory_lab.alignment.transport import Flow, Limits, climb, limits, transport

COOLING = np.geomspace(0.3, 0.005, 18)  # temperatures while centres move, in mean costs per weight


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


def room_of(problem: Problem) -> float:
    """Weight that may leave its owner; infinite where nothing limits it."""
    if problem.max_moved_share is None:
        return float("inf")
    a = problem.arrays
    return problem.max_moved_share * float(a.weight[a.owner >= 0].sum())


def price_out(problem: Problem, bands: Limits, centres: Centres, price: Floats) -> Flow:
    """Solve the fractional problem for these centres, from the prices of a similar one."""
    costs = costs_of(problem, centres)
    near, far = reach(costs, bands.loads, price, min(24, price.shape[1]))
    level = float(np.where(np.isfinite(far), far, np.inf).min(axis=1).sum() / bands.scale.sum())
    for heat in (0.03, 0.01):
        price, _ = climb(near, far, bands, price, max(heat * level, 1e-12), 15)
    return transport(costs, bands, price, max(0.01 * level, 1e-12), room_of(problem))


def rounded(problem: Problem, flow: Flow) -> Ints:
    """Give each unit to the territory with its largest share."""
    order = np.lexsort((flow.territory, -flow.share, flow.unit))
    unit = flow.unit[order]
    assign = np.full(len(problem.units), -1, np.int64)
    firsts = order[np.r_[True, np.diff(unit) > 0]]
    assign[flow.unit[firsts]] = flow.territory[firsts]
    return assign


def excess_of(problem: Problem, assign: Ints) -> float:
    """Sum of what exceeds or lacks the bands, as a share of the targets."""
    a = problem.arrays
    load = load_of(assign, a.loads, a.lower.shape[1])
    target = np.maximum((a.lower + a.upper) / 2, 1e-300)
    out = np.maximum(load - a.upper * (1 + 1e-12), a.lower * (1 - 1e-12) - load)
    return float((np.maximum(out, 0) / target).sum())


def refine(
    problem: Problem, costs: Costs, flow: Flow, assign: Ints, heats: Floats, sweep: int, seed: int, deadline: float
) -> Ints:
    """Anneal at falling temperatures and return the best plan seen: first the bands, then the cost."""
    a = problem.arrays
    n, k = len(problem.units), len(problem.territory_ids)
    priced = costs._replace(move_price=costs.move_price + flow.move_price)
    near = reach(costs, a.loads, flow.price, min(8, k))[0] if a.ends.size == 0 else np.empty((0, 0), np.int64)
    level = total_cost(costs, assign) / n
    stiff = np.repeat((2 * total_cost(costs, assign) / a.loads.sum(axis=1))[:, None], k, axis=1)
    inner_upper, inner_lower = a.upper * (1 - 1e-11), a.lower * (1 + 1e-11)
    work, best = assign.copy(), assign.copy()
    score = (excess_of(problem, best), total_cost(costs, best))
    none = np.zeros_like(flow.price)
    for step, heat in enumerate(heats):
        last = heat == 0
        anneal(
            costs if last else priced,
            a.starts,
            a.ends,
            near,
            a.loads,
            inner_lower,
            inner_upper,
            none if last else flow.price,
            stiff,
            room_of(problem),
            work,
            float(heat) * level,
            sweep,
            seed * 1000 + step,
        )
        load = load_of(work, a.loads, k)
        out = (load > a.upper) | (load < a.lower)
        stiff[out] *= 1.5
        found = (excess_of(problem, work), total_cost(costs, work))
        if found < score:
            score, best = found, work.copy()
        elif last:
            work = best.copy()
        if time.monotonic() > deadline:
            break
    return best


def solve(problem: Problem, *, seed: int = 0, time_limit_s: float = 60.0, progress: bool = False) -> Plan:
    """
    Find a balanced, contiguous, compact plan and a lower bound on how good any could be.

    Homes are fixed, or centres are found by annealed balanced location; for given centres the fractional optimum
    comes from a linear programme, is rounded, made contiguous, and improved by a priced local search.

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

    Returns
    -------
    Plan
        With ``violations`` not empty where no plan within all limits was found in time.

    Raises
    ------
    Infeasible
        With the proof that there is no plan.
    """
    deadline = time.monotonic() + time_limit_s
    refuse(problem)
    a = problem.arrays
    bands = limits(a.weight, a.loads, a.lower, a.upper)
    rng = np.random.default_rng(seed)
    price = np.zeros(a.lower.shape)
    rounds = 3 if problem.free else 1
    with tqdm(total=rounds + 1, desc="alignment", disable=not progress) as bar:
        if problem.free:
            centres, price = relax(problem, bands, first_centres(problem, bands, rng), COOLING)
        else:
            centres = homes(problem)
        bar.update()
        state = None
        for turn in range(rounds):
            if state is not None:
                centres = settle(problem, state.centres, state.assign)
            flow = price_out(problem, bands, centres, price)
            price = flow.price
            costs = costs_of(problem, centres)
            if flow.excess > 1e-9:
                refuse_flow(problem, costs, bands, room_of(problem))
            assign = start_from(problem, bands, costs, flow) if state is None else state.assign
            heats = np.r_[np.geomspace(0.3, 0.01, 30) * 0.5**turn, np.zeros(6)]
            assign = refine(problem, costs, flow, assign, heats, 20 * len(problem.units), seed, deadline)
            state = State(centres, flow, assign)
            bar.update()
            if time.monotonic() > deadline:
                break
    return finish(problem, bands, state, seed)


def start_from(problem: Problem, bands: Limits, costs: Costs, flow: Flow) -> Ints:
    """Round the fractional plan and make every territory one piece."""
    a = problem.arrays
    assign = rounded(problem, flow)
    if a.ends.size:
        for _ in range(4):
            assign = gather(costs, bands.loads, flow.price, a.starts, a.ends, assign)
    return assign


def finish(problem: Problem, bands: Limits, state: State, seed: int) -> Plan:
    """Measure, certify and audit a plan."""
    costs = costs_of(problem, state.centres)
    bound = certificate(costs, bands, state.flow.price, state.flow.move_price, room_of(problem))
    alignment = pd.Series(problem.territory_ids[state.assign], index=problem.unit_ids, name="territory_id")
    return Plan(
        problem=problem,
        alignment=alignment,
        territories=describe(problem, state.centres),
        objective=float(total_cost(costs, state.assign)),
        bound=bound,
        bound_scope="these centres",
        seed=seed,
        violations=audit(problem, alignment),
    )


def describe(problem: Problem, centres: Centres) -> pd.DataFrame:
    """Centres in the caller's coordinates."""
    frame = pd.DataFrame(index=problem.territory_ids)
    points = centres.points
    if not problem.free:
        columns = [c for c in ("lon", "lat", "x_km", "y_km") if c in problem.territories]
        frame = problem.territories[columns].rename_axis("territory_id")
    elif problem.kind == SPHERE:
        frame["lon"] = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
        frame["lat"] = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    elif problem.kind != TABLE:
        frame["x_km"], frame["y_km"] = points[:, 0], points[:, 1]
    if problem.kind == TABLE:
        names = problem.distance.columns if problem.free else problem.territory_ids
        frame["site"] = names[centres.site]
    elif (centres.site >= 0).all() and problem.free:
        frame["site"] = problem.unit_ids[centres.site]
    return frame
