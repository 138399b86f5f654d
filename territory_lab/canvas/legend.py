"""What the territory map says in words and numbers: names, quantities by unit, and why a unit is where it is."""

from typing import Any

import pandas as pd

from territory_lab.alignment import Plan, Problem
from territory_lab.charts.words import number, percent
from territory_lab.editing import explain, locks

LAYERS = {
    "workload_h": "Workload (hours)",
    "potential": "Potential",
    "revenue": "Revenue",
    "customers": "Customers",
    "propensity": "Propensity",
    "penetration": "Penetration",
}


def why(plan: Plan, unit: str) -> dict[str, Any]:
    """
    Put into words why a unit is where it is.

    Parameters
    ----------
    plan : Plan
        Any plan.
    unit : str
        A unit id.

    Returns
    -------
    dict
        The answer, and a row for each territory that might have it.
    """
    table = explain(plan, unit)
    own, measure = plan.alignment.get(unit), plan.problem.activities[0]
    here = float(table["total"].iloc[0])
    rows = [
        {
            "id": str(name),
            "distance": number(row["distance"]),
            "travel": number(row["travel"]),
            "more": "\N{EN DASH}" if name == own else _more(row["total"] - here),
            "deviation": percent(row[f"deviation_{measure}"], signed=True),
            "touches": bool(row["touches"]),
        }
        for name, row in table.iterrows()
    ]
    least = table["total"].idxmin()
    if pd.isna(own):
        told = "It belongs to nobody."
    elif least == own:
        told = f"{own} serves it at the least cost of all, travel and balance together."
    else:
        told = (
            f"{least} would serve it for less by itself; {own} has it for the sake of balance, contiguity or an edit."
        )
    held = " It is locked." if unit in locks(plan) else ""
    return {"unit": unit, "told": told + held, "rows": rows, "measure": LAYERS.get(measure, measure)}


def _more(cost: float) -> str:
    """Write a difference with its sign."""
    return f"{'+' if cost > 0 else chr(0x2212) if cost < 0 else ''}{number(abs(cost))}"


def quantities(problem: Problem, units: pd.DataFrame | None, accounts: pd.DataFrame | None) -> pd.DataFrame:
    """
    Gather what can be looked at by unit.

    Parameters
    ----------
    problem : Problem
        Its units are drawn.
    units : DataFrame, optional
        More about them.
    accounts : DataFrame, optional
        With ``unit_id`` and ``propensity`` the mean by unit is one of the quantities.

    Returns
    -------
    DataFrame
        By unit_id: columns of `LAYERS`, and others.
    """
    known = pd.DataFrame(problem.units)
    if units is not None:
        own = units.set_index("unit_id") if "unit_id" in units else units
        known = known.join(pd.DataFrame(own)[[name for name in own if name in LAYERS and name not in known]])
    if {"customers", "accounts"} <= set(known) and "penetration" not in known:
        known = known.assign(penetration=known["customers"] / known["accounts"].where(known["accounts"] > 0))
    if accounts is not None and {"unit_id", "propensity"} <= set(accounts):
        known = known.assign(propensity=accounts.groupby("unit_id")["propensity"].mean().reindex(known.index))
    return known


def named(units: pd.DataFrame) -> dict[str, str]:
    """
    Find what units are called, with their state where known.

    Parameters
    ----------
    units : DataFrame
        By unit_id, or with a column of it: ``name`` and ``state``.

    Returns
    -------
    dict of str to str
        Name by unit_id; empty where there is none.
    """
    frame = units.set_index("unit_id") if "unit_id" in units else units
    if "name" not in frame:
        return {}
    state_ = ", " + frame["state"].astype("str") if "state" in frame else ""
    return dict(zip(map(str, frame.index), frame["name"].astype("str") + state_, strict=True))
