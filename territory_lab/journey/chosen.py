"""What the last three steps say of another alignment than the proposal."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from territory_lab import alignment, proposal, quota
from territory_lab.journey.territories import target, territories, weighed
from territory_lab.results import Result
from territory_lab.workspace import Workspace


def chosen(space: Workspace, owner: pd.Series, results: Mapping[str, Result]) -> dict[str, Result]:
    """
    Put another alignment in the place of the proposal.

    Parameters
    ----------
    space : Workspace
        With accounts.
    owner : Series
        ``territory_id`` by ``unit_id``.
    results : mapping of str to Result
        The steps' results for the proposal.

    Returns
    -------
    dict of str to Result
        The same with territories, resources and evaluation telling of ``owner``. Its bound is that of the homes, where
        it keeps every limit; districts and sizing are those of the proposal.
    """
    step, load = territories(space), territories(space)["units"]
    tolerance = float(step.facts["tolerance_share"])
    current = step["current"]["territory_id"] if "current" in step else None
    owner = owner.reindex(load.index).rename("territory_id")
    problem = proposal.question(space, load, current, tolerance)
    homes = step["territories"]
    fresh = load[["lon", "lat"]].groupby(owner).median()
    centres = pd.concat([homes, fresh[~fresh.index.isin(homes.index)]]).rename_axis("territory_id")
    centres = centres[centres.index.isin(fresh.index)]
    same = set(centres.index) == set(homes.index)
    if not same:  # territories were added or dropped: each is due an equal share
        problem = alignment.Problem(load, centres[["lon", "lat"]], problem.balance, neighbours=problem.neighbours)
    proposed = proposal.by_territory(problem, owner, centres)
    kept = {name: frame for name, frame in step.frames.items() if name not in {"verdict", "broken", "moves"}}
    frames = kept | {"alignment": owner.to_frame(), "territories": centres, "proposed": proposed}
    wrong = alignment.audit(problem, owner)
    road = float((proposed["mean_km"] * proposed["workload_h"]).sum())
    work = float(proposed["workload_h"].sum())
    facts = {"tolerance_share": tolerance, "violations": len(wrong), "mean_km": road / work, "objective": road}
    if wrong.empty and same:
        facts |= {name: step.facts[name] for name in ("bound", "bound_scope")}
        facts["gap"] = max(0.0, road / float(step.facts["bound"]) - 1)
    if current is not None:
        frames["moves"] = proposal.moves(load, current, owner)
        moved = alignment.metrics.disruption(problem, owner, current)
        facts |= {f"moved_{name}": float(share) for name, share in moved.items()}
    told = {**results, "territories": Result(frames, facts, step.off)}
    if "resources" in results and "quotas" in results["resources"]:
        told["resources"] = _resources(space, results["resources"], proposed, load)
    if "evaluation" in results and "lift" in results["evaluation"]:
        before = results["evaluation"]
        told["evaluation"] = replace(before, frames={**before.frames, **weighed(space, owner, centres)})
    return told


def _resources(space: Workspace, result: Result, proposed: pd.DataFrame, load: pd.DataFrame) -> Result:
    """Share the quotas out anew."""
    total = round(target(space, float(load["revenue"].sum())), 2)
    basis = (proposed["revenue"], proposed["potential"], proposed["workload_h"])
    quotas = quota.allocate(*basis, total, weights=space.settings.quota_weights)
    return replace(result, frames={**result.frames, "quotas": quotas, "fairness": quota.fairness(quotas)})
