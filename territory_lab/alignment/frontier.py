"""What disruption buys: the best plan at each share of work that may change hands."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
from tqdm import tqdm

from territory_lab.alignment.plan import Infeasible, Plan
from territory_lab.alignment.problem import Problem
from territory_lab.alignment.solve import solve
from territory_lab.errors import BadInput, Fault

SHARES = (0.0, 0.05, 0.1, 0.2, 1.0)


def frontier(
    problem: Problem,
    shares: Iterable[float] = SHARES,
    *,
    seed: int = 0,
    time_limit_s: float = 60.0,
    progress: bool = False,
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
    reason = ""
    for share in tqdm(levels, desc="frontier", disable=not progress):
        try:
            found[share] = solve(replace(problem, max_moved_share=share), seed=seed, time_limit_s=time_limit_s)
        except Infeasible as proof:  # and then with fewer moves all the more
            reason = str(proof)
            break
    best: Plan | None = None
    for share in sorted(found):
        plan = found[share]
        if best is not None and not (plan.feasible and plan.objective <= best.objective):
            found[share] = replace(best, problem=plan.problem, bound=min(plan.bound, best.objective))
        best = found[share] if found[share].feasible else best
    rows = [_row(share, found.get(share), reason) for share in reversed(levels)]
    columns = ["max_moved_share", "moved_share", "objective", "bound", "gap", "feasible", "plan", "reason"]
    return pd.DataFrame(rows, columns=columns).set_index("max_moved_share")


def _row(share: float, plan: Plan | None, reason: str) -> tuple[object, ...]:
    """One level of the frontier."""
    if plan is None:
        return share, float("nan"), float("nan"), float("nan"), float("nan"), False, None, reason
    return share, _moved_share(plan), plan.objective, plan.bound, plan.gap, plan.feasible, plan, ""


def _moved_share(plan: Plan) -> float:
    """Share of the weight that has an owner today and gets another."""
    problem = plan.problem
    weight = problem.units[problem.weight_column]
    today = pd.Series(problem.current).reindex(problem.unit_ids)
    known = today.isin(problem.territory_ids)
    moves = known & (plan.alignment != today)
    return float(weight[moves].sum() / weight[known].sum()) if known.any() else 0.0
