"""From a workspace and a scenario to the numbers of a report, for one audience."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd

from territory_lab import affected, book, journey, scenarios
from territory_lab.errors import MissingTable
from territory_lab.journey.trade_off import point
from territory_lab.reporting.numbers import Numbers, gather
from territory_lab.results import Result
from territory_lab.workspace import Workspace

_ENGINES = ("territory-lab", "numpy", "pandas", "geopandas", "scikit-learn", "highspy")
KEY_ACCOUNTS, _PROSPECTS, _ROOMS = 10, 10, 12
_MEASURES = {
    "outside": ("key.outside", "count", -1),
    "heaviest": ("key.heaviest", "signed", -1),
    "mean_km": ("territories.facts.mean_km", "number", -1),
    "moved": ("territories.facts.moved_workload_h", "percent", -1),
    "gain": ("key.gain_share.value", "percent", 1),
    "gain_low": ("key.gain_share.low", "percent", 1),
    "gain_high": ("key.gain_share.high", "percent", 1),
    "at_risk": ("key.at_risk.usual", "money", -1),
}


class Story(NamedTuple):
    """
    What a report is made of.

    Parameters
    ----------
    numbers : dict
        See :mod:`territory_lab.reporting.numbers`.
    results : mapping of str to Result
        What the numbers were taken from.
    drawn : mapping
        What the maps need: units, today, proposed, homes; empty where there is no geometry.
    """

    numbers: Numbers
    results: Mapping[str, Result]
    drawn: Mapping[str, Any]


def computed(space: Workspace) -> tuple[dict[str, Result], dict[str, str]]:
    """
    Take every step's result, computing what is not there.

    Parameters
    ----------
    space : Workspace
        Any.

    Returns
    -------
    results : dict of str to Result
        By step.
    off : dict of str to str
        Steps that are switched off, and why.
    """
    results, off = {}, {}
    for step in journey.STEPS.values():
        try:
            results[step.__name__] = step(space)
        except MissingTable as reason:
            off[step.__name__] = str(reason)
    return results, off


def tell(
    space: Workspace,
    scenario: str = journey.drafts.PROPOSAL,
    compare: str = "",
    made: tuple[Mapping[str, Result], Mapping[str, str]] | None = None,
) -> Story:
    """
    Gather what there is to say of a scenario.

    Parameters
    ----------
    space : Workspace
        With accounts.
    scenario : str
        The name of one saved, or ``proposal``.
    compare : str
        Another one to hold it against; ``today`` too.
    made : tuple, optional
        What :func:`computed` gave.

    Returns
    -------
    Story
        Whole; :func:`territory_lab.reporting.audience.narrowed` cuts it to an audience.
    """
    results, off = computed(space) if made is None else made
    about = {"name": scenario, "status": "", "author": "", "note": "", "effective": "", "stale": False}
    told = _of(space, scenario, results)
    if scenario not in {journey.drafts.PROPOSAL, journey.drafts.TODAY}:
        saved = scenarios.load(journey.shelf(space), scenario)
        about |= {name: getattr(saved, name) or "" for name in ("status", "author", "note", "effective")}
        about["stale"] = bool(saved.data_note(space.data_hash))
    meta = _meta(space, results) | {"scenario": about}
    full = _enriched(space, told)
    if "trade_off" in full and scenario not in {journey.drafts.PROPOSAL, journey.drafts.TODAY}:
        full["trade_off"] = _with_this(full)
    numbers = dict(gather(full, meta, off))
    if compare:
        other = gather(_of(space, compare, results), meta, off)
        numbers["compare"] = {"name": compare, "rows": _beside(numbers, other)}
    return Story(numbers, full, _drawn(space, full))


def _of(space: Workspace, name: str, results: Mapping[str, Result]) -> Mapping[str, Result]:
    """Give the results the form they have for a scenario."""
    if name == journey.drafts.PROPOSAL or "territories" not in results:
        return results
    if name == journey.drafts.TODAY:
        return journey.chosen(space, results["territories"]["current"]["territory_id"], results)
    return journey.chosen(space, scenarios.load(journey.shelf(space), name).alignment, results)


def _enriched(space: Workspace, results: Mapping[str, Result]) -> dict[str, Result]:
    """Add the tables that only a report shows."""
    full = dict(results)
    if "territories" in full:
        step, today = full["territories"], full["territories"].frames.get("today")
        owner = step["alignment"]["territory_id"]
        current = step["current"]["territory_id"] if "current" in step else None
        moved = affected.accounts(
            space,
            step["accounts"],
            step["territories"],
            owner,
            current=current,
            off=None if today is None else today["deviation_workload_h"],
            tolerance=float(step.facts["tolerance_share"]),
        )
        changed = moved[(moved["reason"] != "") & moved["customer"]]
        shown = changed.sort_values(["spend", "potential"], ascending=False, kind="stable").head(KEY_ACCOUNTS)
        people = affected.people(space, step["units"], owner, current=current, today=today, proposed=step["proposed"])
        extra = {"moved": moved, "people": people, "key_accounts": shown, "fairness": _fairness(space, full)}
        full["territories"] = replace(step, frames={**step.frames, **extra})
    if "icp" in full:
        best = {"best_prospects": full["icp"]["prospects"].head(_PROSPECTS)}
        full["icp"] = replace(full["icp"], frames={**full["icp"].frames, **best})
    if "tam" in full:
        full["tam"] = replace(full["tam"], frames={**full["tam"].frames, **_places(full["tam"])})
    if "propensity" in full:
        full["propensity"] = replace(
            full["propensity"], frames={**full["propensity"].frames, **_next(full["propensity"], space.times)}
        )
    if "evaluation" in full and "explained" in full["evaluation"]:
        frames = {**full["evaluation"].frames}
        frames["explained"] = frames["explained"].drop(columns="unit_ids").rename(columns={"effect": "effect_change"})
        full["evaluation"] = replace(full["evaluation"], frames=frames)
        full["trade_off"] = journey.trade_off(space)
    return full


def _with_this(results: Mapping[str, Result]) -> Result:
    """Put the plan that is told of among those of the frontier, which knows today and the proposal only."""
    step, told = results["trade_off"], results["territories"]
    lift = results["evaluation"]["lift"].set_index("part")
    facts = told.facts
    this = point("this plan", facts["moved_workload_h"], told["proposed"], facts["tolerance_share"], lift)
    levels = pd.concat([step["frontier"], pd.DataFrame([this])]).sort_values("moved_share", kind="stable")
    return replace(step, frames={**step.frames, "frontier": levels.reset_index(drop=True)})


def _fairness(space: Workspace, results: Mapping[str, Result]) -> pd.DataFrame:
    """Say how far each territory is from the mean in work, in opportunity and in what its quota asks of that."""
    step = results["territories"]
    sides = {"": step["proposed"]} | ({"_today": step["today"]} if "today" in step else {})
    table = pd.DataFrame(index=step["proposed"].index)
    for suffix, side in sides.items():
        table[f"deviation_workload{suffix}"] = side["deviation_workload_h"]
        table[f"deviation_opportunity{suffix}"] = _off(side["potential"])
    if "resources" in results and "quotas" in results["resources"]:
        quotas = results["resources"]["quotas"]
        table["deviation_quota"] = _off(quotas["quota"] / quotas["potential"])
        stated = book.homes(space).get("quota") if {"lon", "territory_id"} <= set(space.tables["reps"]) else None
        if stated is not None and "today" in step:
            table["deviation_quota_today"] = _off(stated / step["today"]["potential"])
    return table


def _off(values: pd.Series) -> pd.Series:
    """Measure against the mean."""
    return values / values.mean() - 1


def _places(tam: Result) -> dict[str, pd.DataFrame]:
    """Say where the room is, and which plays suit which regions."""
    room = tam["penetration"].sort_values("white_space", ascending=False, kind="stable").head(_ROOMS)
    regions = tam["regions"].join(tam["penetration"]["white_space"])
    by_play = regions.groupby(["play", "description", "advice"], sort=False)
    plays = by_play.agg(regions=("area", "size"), white_space=("white_space", "sum"), largest=("area", "first"))
    room = room[
        ["area", "customers", "sam", "held", "held_share", "white_space", "white_space_low", "white_space_high"]
    ]
    return {
        "room": room.reset_index(drop=True),
        "plays": plays.reset_index().sort_values("white_space", ascending=False, kind="stable", ignore_index=True),
    }


def _next(step: Result, times: float) -> dict[str, pd.DataFrame]:
    """Sum up the gaps by product, as many times as the company is larger than its first part, and actions by play."""
    frames = {}
    if "white_space" in step:
        gaps = step["white_space"][step["white_space"]["status"] != "owned"]
        label = "product" if "product" in gaps else "product_id"
        sums = gaps.groupby(label).agg(accounts=("account_id", "nunique"), expected_revenue=("expected_revenue", "sum"))
        sums = sums.assign(
            accounts=(times * sums["accounts"]).round().astype(int), expected_revenue=times * sums["expected_revenue"]
        )
        frames["gaps"] = sums.sort_values("expected_revenue", ascending=False, kind="stable").reset_index(
            names="product"
        )
    if "actions" in step:
        sums = step["actions"].groupby("play").agg(actions=("account_id", "size"), value=("value", "sum"))
        frames["actions_by_play"] = sums.sort_values("value", ascending=False, kind="stable").reset_index()
    return frames


def _beside(numbers: Numbers, other: Numbers) -> list[dict[str, Any]]:
    """Set two plans side by side, measure by measure, and say which is better in each."""
    rows = []
    for measure, (key, form, way) in _MEASURES.items():
        this, that = _at(numbers, key), _at(other, key)
        if this is not None and that is not None:
            better = "neither" if this == that else "this" if (this - that) * way > 0 else "other"
            rows.append({"measure": measure, "form": form, "this": this, "other": that, "better": better})
    return rows


def _at(numbers: Numbers, key: str) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Look a number up; None where there is none."""
    at: Any = numbers
    for part in key.split("."):
        at = at.get(part) if isinstance(at, Mapping) else None
    return at


def _meta(space: Workspace, results: Mapping[str, Result]) -> dict[str, Any]:
    """Say what the numbers rest on, so that they can be made again."""
    settings, whole = asdict(space.settings), dict(space.deal.rows) if space.deal else {}
    return {
        **{name: settings.pop(name) for name in ("name", "currency", "seed")},
        "as_of": results["propensity"].facts["as_of"] if "propensity" in results else "",
        "data_hash": space.data_hash,
        "tables": {name: len(table) for name, table in space.tables.items()} | whole,
        **({} if space.deal is None else {"parts": space.deal.size}),
        "settings": settings,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _ENGINES},
    }


def _drawn(space: Workspace, results: Mapping[str, Result]) -> dict[str, Any]:
    """Give the maps what they need, where there is geometry."""
    places = book.units(space)
    if "territories" not in results or not isinstance(places, gpd.GeoDataFrame):
        return {}
    step = results["territories"]
    return {
        "units": places.join(step["units"][["workload_h"]]),
        "today": step["current"]["territory_id"] if "current" in step else None,
        "proposed": step["alignment"]["territory_id"],
        "homes": step["territories"],
    }
