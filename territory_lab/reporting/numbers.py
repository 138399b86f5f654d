"""
The numbers of a report.

``numbers`` is a plain dictionary that JSON holds. Money is in ``meta.currency``, shares are shares (0.1 for 10 %),
other units stand in the names; a table is a list of records. Every part but ``meta`` may be missing.

========================  ==============================================================================================
key                       what it holds
========================  ==============================================================================================
meta                      name, scenario (name, status, author, note, effective), currency, as_of (ISO date), seed,
                          data_hash, versions and settings (name -> value)
key                       what the first page says, see :func:`key_figures`
icp                       facts (customers, accounts, top_fifth_share), profile, pareto, best_prospects
tam                       totals (step, value, low, high), sectors and metros (label, tam, tam_low, tam_high, sam, ...),
                          room (white space by area), plays (by segment of regions), check (two ways of sizing)
propensity                cards (kind -> the model's card), gaps (white space by product), actions_by_play
territories               facts (gap, bound_scope, tolerance_share, moved_<what>, violations), today and proposed (by
                          territory: units, workload_h, deviation_workload_h, potential, customers, revenue, mean_km),
                          moves (from, to, units, workload_h, revenue, customers; largest first), people, key_accounts
                          (that change hands, with the reason), fairness (deviations from the mean, today and proposed)
resources                 facts (reps_needed, reps_today, quota_total), headcount, sizing, quotas, fairness
evaluation                facts (sales), performance, lift (part, value, low, high: shares of sales), triggers,
                          explained (the moves, ranked by what each adds), at_risk (by territory), swept (by elasticity:
                          gain_share, break_even_loss_share)
trade_off                 frontier: by level of disruption, as :func:`territory_lab.journey.trade_off` has it
compare                   name of the other plan, and rows (measure, form, this, other)
own                       one rep's accounts, actions and route
off                       what this workspace cannot say: name -> reason
========================  ==============================================================================================
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from territory_lab.response import LOSS_SHARE
from territory_lab.results import Result

Numbers = Mapping[str, Any]

_POINTS = 200
ENOUGH = 0.8  # of the gain
CARRIED: Mapping[str, tuple[str, ...]] = {
    "icp": ("profile", "pareto", "best_prospects"),
    "tam": ("totals", "sectors", "metros", "room", "plays", "check"),
    "propensity": ("gaps", "actions_by_play"),
    "territories": ("today", "proposed", "moves", "people", "key_accounts", "fairness"),
    "resources": ("headcount", "sizing", "quotas", "fairness"),
    "evaluation": ("performance", "lift", "triggers", "explained", "at_risk", "swept"),
    "trade_off": ("frontier",),
    "own": ("accounts", "actions", "route"),
}


def gather(results: Mapping[str, Result], meta: Mapping[str, Any], off: Mapping[str, str] | None = None) -> Numbers:
    """
    Take from the steps' results what the report shows.

    Parameters
    ----------
    results : mapping of str to Result
        By step: icp, tam, propensity, territories, resources, evaluation; those there are.
    meta : mapping
        See the table above.
    off : mapping of str to str, optional
        Whole steps that are switched off, and why; what a result lacks is added.

    Returns
    -------
    dict
        Numbers, ready for JSON: missing is None.
    """
    gathered: dict[str, Any] = {"meta": dict(meta)}
    missing = dict(off or {})
    for step, result in results.items():
        frames = {name: result.frames[name] for name in CARRIED.get(step, ()) if name in result.frames}
        gathered[step] = {"facts": dict(result.facts)} | {name: records(frame) for name, frame in frames.items()}
        if "cards" in result.facts:
            gathered[step]["cards"] = gathered[step]["facts"].pop("cards")
        missing |= result.off
    plain: dict[str, Any] = _plain(gathered | {"off": missing})
    return plain | {"key": _plain(key_figures(plain))}


def key_figures(numbers: Numbers) -> dict[str, Any]:
    """
    Sum up what the first page says.

    Parameters
    ----------
    numbers : mapping
        See the module.

    Returns
    -------
    dict
        Those that can be told of: territories, outside, outside_today (territories beyond the tolerance), heaviest,
        lightest and the same of today (deviations, as shares), gain and gain_share (value, low, high), at_risk (low,
        usual, high: margin a year), moved_revenue, break_even_loss_share (of moved sales lost, at which nothing is
        gained; only where something is), moves, enough (the first moves that bring four fifths of the gain: moves,
        gain_share, moved_share), less (the plan that moves least: moved_share, gain_share, mean_km).
    """
    told: dict[str, Any] = {}
    proposed, today = (frame(numbers, "territories", name) for name in ("proposed", "today"))
    limit = numbers.get("territories", {}).get("facts", {}).get("tolerance_share", math.nan)
    for suffix, table in (("", proposed), ("_today", today)):
        if len(table):
            off = table["deviation_workload_h"]
            told |= {f"territories{suffix}": len(table), f"heaviest{suffix}": off.max(), f"lightest{suffix}": off.min()}
            told[f"outside{suffix}"] = int((off.abs() > limit + 5e-4).sum())
    step = numbers.get("evaluation", {})
    lift = {row["part"]: row for row in step.get("lift") or []}
    if "total" in lift:
        sales = step["facts"].get("sales", math.nan)
        ends = ("value", "low", "high")
        told["gain_share"] = {end: lift["total"][end] for end in ends}
        told["gain"] = {end: sales * lift["total"][end] for end in ends}
        risk = frame(numbers, "evaluation", "at_risk")
        if len(risk):
            sums = risk[["revenue_moved", "low", "usual", "high"]].sum()
            told["moved_revenue"] = sums["revenue_moved"]
            told["at_risk"] = sums.drop("revenue_moved").to_dict()
            kept = lift["total"]["value"] - lift.get("disruption", {"value": 0.0})["value"]
            if kept > 0 and sums["revenue_moved"]:  # else today is better, whatever is lost
                told["break_even_loss_share"] = kept * sales / sums["revenue_moved"]
            told["usual_loss_share"], told["high_loss_share"] = LOSS_SHARE[1:]
    moves = frame(numbers, "evaluation", "explained")
    if len(moves):
        reached = np.flatnonzero(moves["gain_share"] >= ENOUGH)
        told["moves"] = len(moves)
        if len(reached):
            row = moves.iloc[reached[0]]
            told["enough"] = {"moves": int(reached[0]) + 1} | row[["gain_share", "moved_share"]].to_dict()
    levels = frame(numbers, "trade_off", "frontier")
    solved = levels[levels["status"] == "solved"] if len(levels) else levels
    if len(solved) and solved["gain_share"].notna().all():
        told["less"] = solved.iloc[0][["moved_share", "gain_share", "mean_km"]].to_dict()
    return told


def frame(numbers: Numbers, step: str, name: str) -> pd.DataFrame:
    """
    Give a table of the numbers as a frame.

    Parameters
    ----------
    numbers : mapping
        See the module.
    step, name : str
        Where the table stands.

    Returns
    -------
    DataFrame
        Empty where there is none.
    """
    return pd.DataFrame(numbers.get(step, {}).get(name) or [])


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """
    Turn a frame into records; a long curve keeps a few hundred points.

    Parameters
    ----------
    table : DataFrame
        Any; a named index becomes the first entry.

    Returns
    -------
    list of dict
        Ready for JSON.
    """
    rows = table.reset_index() if table.index.name else table
    if len(rows) > 10 * _POINTS:
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, _POINTS).round().astype(int))]
    return [_plain(row) for row in rows.to_dict("records")]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Make a value JSON can hold, the same everywhere: nine significant digits, None for missing, ISO dates."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, str | int | bool | None) else str(value)
