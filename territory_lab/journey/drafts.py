"""Scenarios of a workspace: plans under other settings or drawn by hand, kept with what they bring and cost."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from territory_lab import alignment, proposal
from territory_lab.journey.territories import gain, territories
from territory_lab.scenarios import Scenario, save
from territory_lab.workspace import Workspace

SHELF = "scenarios"  # the folder in a workspace
TODAY, PROPOSAL = "today", "proposal"
Watch = Callable[[pd.Series, float], object]


def shelf(space: Workspace) -> Path:
    """
    Return the folder of a workspace's scenarios.

    Parameters
    ----------
    space : Workspace
        Any.

    Returns
    -------
    Path
        For ``scenarios.load``, ``names`` and ``remark``; it need not exist yet.
    """
    return space.folder / SHELF


def draft(
    space: Workspace,
    name: str,
    *,
    tolerance_share: float | None = None,
    count: int = 0,
    max_moved_share: float = 1.0,
    author: str = "",
    note: str = "",
    progress: bool | Watch = False,
) -> Scenario:
    """
    Solve under other settings and keep what comes out as a draft.

    Parameters
    ----------
    space : Workspace
        With accounts.
    name : str
        Of the scenario; a name that is there gets a new version.
    tolerance_share : float, optional
        How far a territory's workload may lie from its target; the workspace's own without it.
    count : int
        Number of territories, with free centres; 0: one at each rep's home.
    max_moved_share : float
        Share of today's workload that may change hands.
    author, note : str
        Who and why.
    progress : bool or callable
        As in ``alignment.solve``.

    Returns
    -------
    Scenario
        As saved.

    Raises
    ------
    Infeasible
        With the proof that these settings allow no plan.
    """
    step = territories(space)
    tolerance = space.settings.tolerance_share if tolerance_share is None else tolerance_share
    problem = proposal.question(
        space,
        step["units"],
        step["current"]["territory_id"] if "current" in step else None,
        tolerance,
        territories=count,
        max_moved_share=None if max_moved_share >= 1 else max_moved_share,
    )
    plan = alignment.solve(problem, seed=space.settings.seed, time_limit_s=proposal.PATIENCE_S, progress=progress)
    asked = {"tolerance_share": tolerance, "count": count, "max_moved_share": max_moved_share}
    scenario = Scenario(name, plan.alignment, asked, author=author, note=note)
    return _save(space, scenario, problem, plan.territories, proposal.figures(plan))


def keep(space: Workspace, name: str, owner: pd.Series, *, author: str = "", note: str = "") -> Scenario:
    """
    Keep an alignment drawn by hand as a draft, measured as a solved one is.

    Parameters
    ----------
    space : Workspace
        With accounts.
    name : str
        Of the scenario.
    owner : Series
        ``territory_id`` by ``unit_id``, such as ``TerritoryMap.alignment``.
    author, note : str
        Who and why.

    Returns
    -------
    Scenario
        As saved.
    """
    step = territories(space)
    load, tolerance = step["units"], float(step.facts["tolerance_share"])
    problem = proposal.question(space, load, None, tolerance)
    sites = problem.territories if isinstance(problem.territories, pd.DataFrame) else step["territories"]
    middle = load[["lon", "lat"]].groupby(owner.reindex(load.index)).median()
    if set(middle.index) != set(sites.index):  # a new territory stands amid its units and is due an average share
        fresh = middle[~middle.index.isin(sites.index)]
        sites = pd.concat([sites, fresh]).loc[middle.index].rename_axis("territory_id")
        sites = sites.fillna(sites.mean(numeric_only=True))
        problem = alignment.Problem(load, sites, problem.balance, neighbours=problem.neighbours)
    broken = {"violations": len(alignment.audit(problem, owner))}
    scenario = Scenario(name, owner, {"tolerance_share": tolerance}, author=author, note=note)
    return _save(space, scenario, problem, sites, broken)


def as_scenarios(space: Workspace) -> dict[str, Scenario]:
    """
    Give today's alignment and the proposal the form of scenarios, to hold others against them.

    Parameters
    ----------
    space : Workspace
        With accounts.

    Returns
    -------
    dict of str to Scenario
        ``today``, where there is an alignment, and ``proposal``; not saved.
    """
    step = territories(space)
    owners = {TODAY: step["current"]["territory_id"]} if "current" in step else {}
    owners[PROPOSAL] = step["alignment"]["territory_id"]
    problem = proposal.question(space, step["units"], None, float(step.facts["tolerance_share"]))
    return {
        name: Scenario(
            name,
            owner,
            metrics=_measured(space, problem, owner, step["territories"]),
            data_hash=space.data_hash,
            status="published" if name == TODAY else "draft",
        )
        for name, owner in owners.items()
    }


def _save(
    space: Workspace,
    scenario: Scenario,
    problem: alignment.Problem,
    centres: pd.DataFrame,
    figures: Mapping[str, Any],
) -> Scenario:
    """Measure and save."""
    metrics = _measured(space, problem, scenario.alignment, centres) | {"plan": dict(figures)}
    whole = replace(scenario, metrics=metrics, data_hash=space.data_hash, seed=space.settings.seed)
    save(whole, shelf(space))
    return whole


def _measured(space: Workspace, problem: alignment.Problem, owner: pd.Series, centres: pd.DataFrame) -> dict[str, Any]:
    """Measure an alignment: its balance and reach, what moves, and what that brings where the reps are the same."""
    step = territories(space)
    table = proposal.by_territory(problem, owner, centres)
    off, load = table["deviation_workload_h"], table["workload_h"]
    told: dict[str, Any] = {
        "territories": len(table),
        "largest_deviation_share": float(off.abs().max()),
        "mean_km": float((table["mean_km"] * load).sum() / load.sum()),
    }
    if problem.free or "current" not in step:  # free centres are nobody's yet
        return told
    current = step["current"]["territory_id"]
    told["moved"] = alignment.metrics.disruption(problem, owner, current).rename(lambda key: f"{key}_share").to_dict()
    if "orders" in space.tables and set(owner) <= set(current):
        told["gain"] = gain(space, owner, centres).add_suffix("_share").to_dict("index")
    return told
