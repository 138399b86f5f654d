"""What disruption buys: the best plan at each share of work that may change hands."""

import math
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.exact import small
from territory_lab.alignment.metrics import disruption
from territory_lab.alignment.plan import Infeasible, Plan
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.solve import carried, centres_of, search_of, solve
from territory_lab.errors import BadInput, Fault

SHARES = (0.0, 0.05, 0.1, 0.2, 1.0)
DEAR = 3.0  # times what the limit on moves is worth to the fractional plan


def frontier(
    problem: Problem,
    shares: Iterable[float] = SHARES,
    *,
    seed: int = 0,
    time_limit_s: float = 60.0,
    progress: bool = False,
    best: Plan | None = None,
) -> pd.DataFrame:
    """
    Find the best plan at each level of disruption.

    A plan that moves little is allowed wherever more may move, so the objective never rises along the frontier.

    Parameters
    ----------
    problem : Problem
        With today's alignment in ``current``; its own ``max_moved_share`` is not used.
    shares : iterable of float
        Shares of ``weight`` that may change territory, 0 to 1.
    seed : int
        As in `solve`.
    time_limit_s : float
        For each level.
    progress : bool
        Show a progress bar.
    best : Plan, optional
        What `solve` found where everything may move, not to be sought again.

    Returns
    -------
    DataFrame
        By ``max_moved_share``, ascending: ``moved_share`` (what does move), ``objective``, ``bound`` and ``gap`` (as in
        `Plan`), ``feasible``, ``plan`` and, where none exists, ``reason`` in words and no plan.

    Raises
    ------
    BadInput
        Where the problem has no ``current``, or a share is not between 0 and 1.
    """
    if problem.current is None:
        raise BadInput([Fault("problem", "current", "", "no alignment of today", "pass current")])
    levels = sorted(set(shares), reverse=True)
    found: dict[float, Plan] = {}
    last, floor, reason = best, -float("inf"), ""
    for share in tqdm(levels, desc="frontier", disable=not progress):
        level = replace(problem, max_moved_share=share)
        if last is not None and last.feasible and _moved_share(last) <= share:
            found[share] = replace(last, problem=level)  # the best where more may move, and its bound holds here too
            continue
        try:
            last = _priced(level, last, seed, time_limit_s) or solve(level, seed=seed, time_limit_s=time_limit_s)
        except Infeasible as proof:  # and then with fewer moves all the more
            reason = str(proof)
            break
        if not problem.free:  # what no plan from these homes can undercut, none that moves less can
            floor = max(floor, last.bound)
            last = replace(last, bound=floor)
        found[share] = last
    best = None
    for share in sorted(found):
        plan = found[share]
        if best is not None and not (plan.feasible and plan.objective <= best.objective):
            found[share] = (
                carried(best, plan.problem) if problem.free else replace(best, problem=plan.problem, bound=plan.bound)
            )
        best = found[share] if found[share].feasible else best
    rows = [_row(share, found.get(share), reason) for share in reversed(levels)]
    columns = ["max_moved_share", "moved_share", "objective", "bound", "gap", "feasible", "plan", "reason"]
    return pd.DataFrame(rows, columns=columns).set_index("max_moved_share")


def _priced(level: Problem, last: Plan | None, seed: int, time_limit_s: float) -> Plan | None:
    """
    Solve a large level with a price on every move instead of the limit: annealing passes a price, and no limit.

    Whole units in one piece ask for a higher price than the fractional plan does.
    """
    if last is None or small(level) or len(level.apart):
        return None
    search = search_of(level, seed, math.inf)
    price = DEAR * search.price_out(centres_of(last), last.prices.to_numpy(float).T.copy()).move_price
    free = replace(level, max_moved_share=None, move_price=level.move_price + price)
    return carried(solve(free, seed=seed, time_limit_s=time_limit_s), level)


def _row(share: float, plan: Plan | None, reason: str) -> tuple[object, ...]:
    """One level of the frontier."""
    if plan is None:
        return share, float("nan"), float("nan"), float("nan"), float("nan"), False, None, reason
    return share, _moved_share(plan), plan.objective, plan.bound, plan.gap, plan.feasible, plan, ""


def _moved_share(plan: Plan) -> float:
    """Share of the weight that has an owner today and gets another."""
    problem = plan.problem
    today = pd.Series(problem.current)
    moved = disruption(problem, plan.alignment, today.where(today.isin(problem.territory_ids)))
    return float(moved.fillna(0.0)[problem.weight_column])  # nothing owned today: nothing moves
