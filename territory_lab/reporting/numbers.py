"""
The numbers of a report, and the words the first page makes of them.

``numbers`` is a plain dictionary that JSON holds. Money is in ``meta.currency``, shares are shares (0.1 for 10 %),
other units stand in the names; a table is a list of records. Every part but ``meta`` may be missing.

========================  ==============================================================================================
key                       what it holds
========================  ==============================================================================================
meta                      name, currency, as_of (ISO date), seed, data_hash, versions and settings (name -> value)
icp                       facts (customers, accounts, top_fifth_share), profile, pareto
tam                       totals (step, value, low, high), sectors and metros (label, tam, tam_low, tam_high, sam, ...)
propensity                cards (kind -> the model's card)
territories               facts (gap, bound_scope, tolerance_share, moved_<what>, violations), today and proposed (by
                          territory: units, workload_h, deviation_workload_h, potential, customers, revenue, mean_km),
                          moves (from, to, units, workload_h, revenue, customers; largest first), verdict (what, figure:
                          how good the plan is, in words), broken (message, remedy: the limits it does not keep)
resources                 facts (reps_needed, reps_today, quota_total), headcount, sizing, quotas
evaluation                facts (sales), performance, lift (part, value, low, high: shares of sales), triggers
off                       what this workspace cannot say: name -> reason
========================  ==============================================================================================
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from territory_lab.charts.words import band, best_possible, count, in_currency, number, percent, plural
from territory_lab.results import Result

Numbers = Mapping[str, Any]

_POINTS = 200
CARRIED: Mapping[str, tuple[str, ...]] = {
    "icp": ("profile", "pareto"),
    "tam": ("totals", "sectors", "metros"),
    "propensity": (),
    "territories": ("today", "proposed", "moves", "verdict", "broken"),
    "resources": ("headcount", "sizing", "quotas"),
    "evaluation": ("performance", "lift", "triggers"),
}


class KeyNumber(NamedTuple):
    """
    One figure of the first page.

    Parameters
    ----------
    label : str
        What it is.
    value : str
        The figure with its unit, and its band where there is one.
    note : str
        What it is held against.
    """

    label: str
    value: str
    note: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.label}: {self.value}{self.note and f' - {self.note}'}"


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
        gathered[step] = {"facts": dict(result.facts)} | {name: _records(frame) for name, frame in frames.items()}
        if "cards" in result.facts:
            gathered[step]["cards"] = gathered[step]["facts"].pop("cards")
        missing |= result.off
    plain: dict[str, Any] = _plain(gathered | {"off": missing})
    return plain


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


def decision(numbers: Numbers) -> str:
    """
    Say what is to be decided, in a sentence or two.

    Parameters
    ----------
    numbers : mapping
        See the module.

    Returns
    -------
    str
        The answer the report starts with.
    """
    proposed, facts = frame(numbers, "territories", "proposed"), numbers.get("territories", {}).get("facts", {})
    if proposed.empty:
        return "No territories are proposed: the tables do not allow it."
    ask = f"Adopt the proposed alignment of {plural(len(proposed), 'territory')}"
    today = frame(numbers, "territories", "today")
    if len(today):
        largest, then = (float(table["deviation_workload_h"].max()) for table in (today, proposed))
        side = f"{percent(abs(then))} {'above' if then >= 0 else 'below'}"
        ask += f": the heaviest workload falls from {percent(largest)} above its share to {side}"
    if "gap" in facts:
        ask += f". Its travel is {best_possible(facts['gap'], facts.get('bound_scope', ''))}"
    if facts.get("violations"):
        ask += f". {plural(int(facts['violations']), 'rule')} could not be kept; see How good the plan is"
    return f"{ask}."


def key_numbers(numbers: Numbers) -> list[KeyNumber]:
    """
    Choose the figures that matter most, at most five.

    Parameters
    ----------
    numbers : mapping
        See the module.

    Returns
    -------
    list of KeyNumber
        Those the numbers can tell, in the order of the page.
    """
    return list(_key_numbers(numbers))


def _key_numbers(numbers: Numbers) -> Iterator[KeyNumber]:
    """Tell gain, fairness, disruption, market and heads, each where it is known."""
    money = in_currency(numbers["meta"]["currency"])
    facts = numbers.get("territories", {}).get("facts", {})
    total = _record(numbers, "evaluation", "lift", "total")
    if total:
        sales = numbers["evaluation"].get("facts", {}).get("sales", math.nan)
        low, value, high = (sales * total[end] for end in ("low", "value", "high"))
        gain = band(total["value"], total["low"], total["high"], percent)
        yield KeyNumber("Expected gain in sales", gain, f"{band(value, low, high, money)} a year, estimated")
    proposed, today = frame(numbers, "territories", "proposed"), frame(numbers, "territories", "today")
    if len(proposed) and "tolerance_share" in facts:
        limit = float(facts["tolerance_share"])
        after, before = (_outside(table, limit) for table in (proposed, today))
        against = f"today {before} of {len(today)}" if len(today) else f"allowed: ±{percent(limit)}"
        label = f"Territories more than {percent(limit)} off their share"
        yield KeyNumber(label, f"{after} of {len(proposed)}", against)
    if "moved_workload_h" in facts:
        customers = facts.get("moved_customers")
        note = f"{percent(customers)} of the customers" if customers is not None else ""
        yield KeyNumber("Workload that changes hands", percent(facts["moved_workload_h"]), note)
    whole, reach = (_record(numbers, "tam", "totals", step) for step in ("TAM", "SOM"))
    if whole and reach:
        value = band(reach["value"], reach["low"], reach["high"], money)
        yield KeyNumber("Market within reach, a year", value, f"of {money(whole['value'])}, estimated")
    need = _record(numbers, "resources", "headcount", "all")
    if need:
        heads = band(need["reps"], need["low"], need["high"], lambda reps: number(reps, 2))
        yield KeyNumber(
            "Reps the workload asks for", heads, f"today {count(numbers['resources']['facts']['reps_today'])}"
        )


def _record(numbers: Numbers, step: str, name: str, key: str) -> Mapping[str, Any]:
    """Find a record by its first entry; empty where there is none."""
    records = numbers.get(step, {}).get(name) or []
    return next((record for record in records if next(iter(record.values())) == key), {})


def _outside(table: pd.DataFrame, limit: float) -> int:
    """Count the territories beyond the tolerance."""
    return int((table["deviation_workload_h"].abs() > limit + 5e-4).sum()) if len(table) else 0


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn a frame into records; a long curve keeps a few hundred points."""
    rows = table.reset_index() if table.index.name else table
    if len(rows) > 10 * _POINTS:
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, _POINTS).round().astype(int))]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


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
