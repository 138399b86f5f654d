"""What is lost if less changes hands than the proposal moves."""

from dataclasses import replace

import pandas as pd

from territory_lab import alignment, proposal
from territory_lab.journey.territories import gain, territories
from territory_lab.journey.territories import plan as proposed
from territory_lab.results import Result, kept
from territory_lab.workspace import Workspace

LEVELS = (0.8, 0.4)  # of the work that the proposal moves
ROUNDING = 5e-4  # so that a territory at its limit is not called beyond it


@kept
def trade_off(space: Workspace) -> Result:
    """
    Seek the best plan at some levels of disruption, from today's alignment to the proposal.

    Parameters
    ----------
    space : Workspace
        With accounts, today's alignment and, for the gain, orders.

    Returns
    -------
    Result
        Frame frontier, by level: ``status`` (today, as proposed, solved, not found in time, proven impossible),
        ``moved_share`` (of the work; what may move where there is no plan), ``mean_km``, ``outside`` (territories
        beyond the tolerance), ``deviation_most`` (the largest, either way), and ``gain_share``, ``gain_low``,
        ``gain_high`` (of sales).
    """
    space.need("alignment", step="the trade-off between gain and disruption")
    step, best = territories(space), proposed(space)
    current, most = step["current"]["territory_id"], float(step.facts["moved_workload_h"])
    rows = [
        _point(space, "today", 0.0, replace(best, alignment=current)),
        _point(space, "as proposed", most, best),
    ]
    levels = [most * level for level in LEVELS] if most > 0 and best.feasible else []
    found = alignment.frontier(
        best.problem, levels, seed=space.settings.seed, time_limit_s=proposal.PATIENCE_S, best=best
    )
    for level, moved, feasible, told in found[["moved_share", "feasible", "plan"]].itertuples(name=None):
        if feasible:
            rows.append(_point(space, "solved", moved, told))
        else:
            rows.append({"status": "proven impossible" if told is None else "not found in time", "moved_share": level})
    return Result({"frontier": pd.DataFrame(rows).sort_values("moved_share", kind="stable", ignore_index=True)})


def point(
    status: str, moved_share: float, table: pd.DataFrame, tolerance: float, lift: pd.DataFrame
) -> dict[str, object]:
    """
    Place a plan on the frontier.

    Parameters
    ----------
    status : str
        As :func:`trade_off` has it, or another name.
    moved_share : float
        Of the work.
    table : DataFrame
        By territory: workload_h, deviation_workload_h, mean_km.
    tolerance : float
        How far a territory's workload may lie from its target, as a share.
    lift : DataFrame
        As `journey.territories.gain` has it; empty where it is not known.

    Returns
    -------
    dict of str to object
        By column.
    """
    off = table["deviation_workload_h"].abs()
    told = {
        "status": status,
        "moved_share": moved_share,
        "mean_km": (table["mean_km"] * table["workload_h"]).sum() / table["workload_h"].sum(),
        "outside": int((off > tolerance + ROUNDING).sum()),
        "deviation_most": off.max(),
    }
    if lift.empty:
        return told
    total = lift.loc["total"]
    return told | {"gain_share": total["value"], "gain_low": total["low"], "gain_high": total["high"]}


def _point(space: Workspace, status: str, moved_share: float, plan: alignment.Plan) -> dict[str, object]:
    """Lay out a plan of the proposal's question."""
    table = proposal.by_territory(plan.problem, plan.alignment, plan.territories)
    lift = gain(space, plan.alignment, plan.territories) if "orders" in space.tables else pd.DataFrame()
    return point(status, moved_share, table, plan.problem.balance["workload_h"], lift)
