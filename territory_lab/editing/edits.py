"""Edits by hand: each takes a plan and gives another one, measured anew."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from territory_lab.alignment import Plan, Problem, audit, metrics, reoptimise
from territory_lab.alignment.plan import some
from territory_lab.errors import BadInput, Fault, TerritoryLabError

MEND_S = 0.45  # for each of at most two tries
_PLACES = ["lon", "lat", "x_km", "y_km"]


def started(problem: Problem, alignment: pd.Series | None = None) -> Plan:
    """
    Take an alignment that nobody solved for as a plan, to be edited.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment : Series, optional
        territory_id by unit_id; today's by default.

    Returns
    -------
    Plan
        Centres are the homes, or else the weighted middles; the bound is not known (NaN) and no price is set.
    """
    owner = problem.current if alignment is None else alignment
    if owner is None:
        raise BadInput([Fault("problem", "current", "", "is missing", "give an alignment to begin with")])
    owner = owner.reindex(problem.unit_ids).rename("territory_id")
    if isinstance(problem.territories, pd.DataFrame):
        centres = problem.territories.filter(_PLACES)
    else:
        middles = {name: _middle(problem, owner.index[owner == name]) for name in problem.territory_ids}
        centres = pd.DataFrame.from_dict(middles, orient="index").rename_axis("territory_id")
    prices = pd.DataFrame(0.0, index=problem.territory_ids, columns=problem.activities)
    return _measured(Plan(problem, owner, centres, np.nan, np.nan, "these centres", 0, pd.DataFrame(), prices))


def assign(plan: Plan, units: Iterable[str], territory_id: str) -> Plan:
    """
    Give units to a territory; locked ones stay where they are.

    Parameters
    ----------
    plan : Plan
        To be edited.
    units : iterable of str
        Unit ids.
    territory_id : str
        A territory of the plan.

    Returns
    -------
    Plan
        With its objective and violations measured anew.

    Raises
    ------
    BadInput
        Naming what is not known, or every unit where all are locked.
    """
    names = known(plan, units, territory_id)
    held = locks(plan)
    free = [name for name in names if held.get(name, territory_id) == territory_id]
    if names and not free:
        raise BadInput(
            Fault("units", "locked", name, f"is locked to {held[name]}", "unlock it first") for name in names
        )
    owner = plan.alignment.copy()
    owner.loc[free] = territory_id
    return _measured(replace(plan, alignment=owner))


def locks(plan: Plan) -> dict[str, str]:
    """
    Read the locks of a plan.

    Parameters
    ----------
    plan : Plan
        Any plan.

    Returns
    -------
    dict of str to str
        territory_id by unit_id.
    """
    return {
        str(unit): str(owner)
        for unit, owner in dict(plan.problem.locked if plan.problem.locked is not None else {}).items()
    }


def lock(plan: Plan, units: Iterable[str]) -> Plan:
    """
    Hold units where they are, against edits and solver alike.

    Parameters
    ----------
    plan : Plan
        To be edited.
    units : iterable of str
        Unit ids; one without a territory cannot be held.

    Returns
    -------
    Plan
        With the locks in its problem.
    """
    owned = plan.alignment.loc[known(plan, units)].dropna()
    return _measured(
        replace(
            plan,
            problem=replace(plan.problem, locked=locks(plan) | {str(unit): str(name) for unit, name in owned.items()}),
        )
    )


def unlock(plan: Plan, units: Iterable[str]) -> Plan:
    """
    Release units.

    Parameters
    ----------
    plan : Plan
        To be edited.
    units : iterable of str
        Unit ids.

    Returns
    -------
    Plan
        Without the locks; its bound, which rested on them, is not known where there were any.
    """
    released = set(known(plan, units))
    left = {name: owner for name, owner in locks(plan).items() if name not in released}
    bound = plan.bound if len(left) == len(locks(plan)) else np.nan
    return _measured(replace(plan, problem=replace(plan.problem, locked=left), bound=bound))


def split_off(plan: Plan, units: Iterable[str], name: str = "") -> Plan:
    """
    Make a territory of some units, its centre at their weighted middle; of one unit, the home of a new one to mend.

    Parameters
    ----------
    plan : Plan
        To be edited.
    units : iterable of str
        Unit ids.
    name : str
        The new territory_id; the next free number by default.

    Returns
    -------
    Plan
        With one territory more; centres are homes from then on, and shares of the target stay in proportion.
    """
    names = known(plan, units)
    if not names:
        raise BadInput([Fault("units", "", "", "none is named", "choose the units of the new territory")])
    return _founded(plan, names, _middle(plan.problem, pd.Index(names)), name)


def merge(plan: Plan, into: str, other: str) -> Plan:
    """
    Join two territories.

    Parameters
    ----------
    plan : Plan
        To be edited.
    into : str
        The territory that stays, with its centre.
    other : str
        The one that goes; its locks go with its units.

    Returns
    -------
    Plan
        With one territory less; the one that stays has the sum of their target shares.
    """
    faults = [
        Fault("territories", "territory_id", name, "is not a territory", "name one")
        for name in (into, other)
        if name not in plan.problem.territory_ids
    ]
    if into == other:
        faults.append(Fault("territories", "territory_id", into, "is named twice", "name two territories"))
    if faults:
        raise BadInput(faults)
    homes = _homes(plan)
    summed = homes.filter(regex="^(share|given)_")
    homes.loc[into, list(summed)] = summed.loc[[into, other]].sum()
    owner = plan.alignment.replace({other: into})
    held = {unit: into if held == other else held for unit, held in locks(plan).items()}
    return _rehomed(plan, homes.drop(index=other), owner, held)


def mend(plan: Plan, around: Iterable[str], keep: Iterable[str] = ()) -> Plan:
    """
    Bring a plan back within its limits around some units, and leave the rest as it is.

    Parameters
    ----------
    plan : Plan
        As edited.
    around : iterable of str
        Unit ids; see `alignment.reoptimise`.
    keep : iterable of str
        Units to be held where they are while it is mended, as far as the limits can then be kept.

    Returns
    -------
    Plan
        Mended.
    """
    names, fixed = list(around), plan.alignment.loc[list(keep)].dropna()
    if len(fixed):
        kept = {str(unit): str(name) for unit, name in fixed.items()}
        held = replace(plan, problem=replace(plan.problem, locked=kept | locks(plan)))
        try:
            found = reoptimise(held, names, time_limit_s=MEND_S)
        except TerritoryLabError:  # these holds forbid every plan: the second try goes without
            found = held
        if found is not held and found.feasible:
            bound = np.nan if plan.problem.free else plan.bound  # the bound found rests on what was held
            return _measured(replace(found, problem=plan.problem, bound=bound))
    return reoptimise(plan, names, time_limit_s=MEND_S)


def known(plan: Plan, units: Iterable[str], territory_id: str | None = None) -> list[str]:
    """Take unit ids once each; refuse every one that is not there, and the territory where it is not."""
    names = list(dict.fromkeys(units))
    faults = [
        Fault("units", "unit_id", str(name), "is not a unit of this plan", "name a known one")
        for name in names
        if name not in plan.problem.unit_ids
    ]
    if territory_id is not None and territory_id not in plan.problem.territory_ids:
        mend_ = f"name one of {some([str(name) for name in plan.problem.territory_ids])}"
        faults.append(Fault("territories", "territory_id", str(territory_id), "is not a territory", mend_))
    if faults:
        raise BadInput(faults)
    return names


def _measured(plan: Plan) -> Plan:
    """Measure objective and violations anew."""
    problem = plan.problem
    away = metrics.distances(problem, plan.alignment, plan.territories).to_numpy() ** problem.power
    codes, owner = problem.codes(plan.alignment), problem.arrays.owner
    moves = (owner >= 0) & (codes != owner)
    objective = float(np.nansum(problem.arrays.weight * (away + problem.move_price * moves)))
    return replace(plan, objective=objective, violations=audit(problem, plan.alignment))


def _middle(problem: Problem, units: pd.Index) -> pd.Series:
    """Choose the unit nearest to the weighted mean of some units, and give its place."""
    places = problem.units.loc[units]
    columns = [name for name in _PLACES if name in places]
    if not columns or isinstance(problem.distance, pd.DataFrame):
        mend_ = "give units lon and lat, and a formula of distance rather than a matrix"
        raise BadInput([Fault("problem", "distance", "", "a new centre cannot be placed", mend_)])
    weight = places[problem.weight_column].to_numpy(float)
    points = places[columns].to_numpy(float)
    middle = np.average(points, axis=0, weights=weight if weight.sum() > 0 else None)
    return places[columns].iloc[int(((points - middle) ** 2).sum(axis=1).argmin())]


def _homes(plan: Plan) -> pd.DataFrame:
    """Take the centres of a plan as homes, with the target shares where these differ, and what is given."""
    problem = plan.problem
    homes: pd.DataFrame = plan.territories.filter(_PLACES).loc[problem.territory_ids].copy()
    for activity, share, given in zip(problem.activities, problem.shares, problem.given, strict=True):
        homes[f"share_{activity}"] = share
        if given.any():
            homes[f"given_{activity}"] = given
    return homes


def _founded(plan: Plan, units: list[str], place: pd.Series, name: str) -> Plan:
    """Add a territory at a place and give it units."""
    taken = set(plan.problem.territory_ids)
    number = 1 + len(taken)
    while f"T{number}" in taken:
        number += 1
    name = name or f"T{number}"
    if name in taken:
        raise BadInput([Fault("territories", "territory_id", name, "is there already", "choose another name")])
    homes = _homes(plan)
    shares = homes.filter(like="share_").mean()
    fresh = pd.concat([place, shares]).astype(float).to_frame(name).T
    homes = pd.concat([homes, fresh.reindex(columns=homes.columns, fill_value=0.0)])
    held = {unit: owner for unit, owner in locks(plan).items() if unit not in set(units)}
    owner = plan.alignment.copy()
    owner.loc[units] = name
    return _rehomed(plan, homes, owner, held)


def _rehomed(plan: Plan, homes: pd.DataFrame, owner: pd.Series, held: dict[str, str]) -> Plan:
    """Put a plan before the problem with other homes; its bound is not known there, and a new home has no price."""
    homes = homes.rename_axis("territory_id")
    problem = replace(plan.problem, territories=homes, locked=held)
    prices = plan.prices.reindex(problem.territory_ids, fill_value=0.0)
    centres = homes.filter(_PLACES)
    return _measured(replace(plan, problem=problem, alignment=owner, territories=centres, prices=prices, bound=np.nan))
