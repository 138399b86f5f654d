"""The same numbers for fewer eyes: a manager sees the own district, a rep the own territory, and nothing of others."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from territory_lab import affected, quota
from territory_lab.audience import Audience
from territory_lab.errors import TerritoryLabError
from territory_lab.reporting.numbers import key_figures, records
from territory_lab.reporting.story import Story
from territory_lab.results import Result
from territory_lab.workspace import Workspace

_ELSEWHERE = "another district"
_ABOUT = ("name", "currency", "seed", "as_of", "data_hash", "settings", "versions", "scenario")


PICTURES = {
    Audience.BOARD: frozenset({"map_change", "fairness"}),
    Audience.MANAGER: frozenset({"map_today", "map_proposed", "fairness", "quotas", "performance"}),
    Audience.REP: frozenset({"map_proposed"}),
    Audience.FULL: None,
}


def narrowed(space: Workspace, story: Story, audience: Audience, who: str = "") -> Story:
    """
    Cut a story to its audience; what is left out is not in the numbers either.

    Parameters
    ----------
    space : Workspace
        Gives reps and managers.
    story : Story
        Whole.
    audience : Audience
        Who reads it.
    who : str
        A manager by id or name; a rep by id, name or territory.

    Returns
    -------
    Story
        For manager and rep with their own numbers and places only.

    Raises
    ------
    TerritoryLabError
        If nobody is called so, with those who are.
    """
    if audience in {Audience.BOARD, Audience.FULL}:
        return story
    if "territories" not in story.results:
        raise TerritoryLabError("no territories are proposed: there is nothing to tell a manager or a rep")
    choices = _districts(space, story.results) if audience is Audience.MANAGER else _territories(space, story.results)
    if who not in choices:
        named = ", ".join(choices) or "none in reps"
        raise TerritoryLabError(f"--for {who!r} is no {audience.value} of this plan; there are: {named}")
    own, name = choices[who]
    about = {key: story.numbers["meta"][key] for key in _ABOUT} | {"for": name}
    numbers = _district(story, own) if audience is Audience.MANAGER else _rep(story, own[0])
    numbers = {"meta": about, **numbers}
    drawn = dict(story.drawn) | ({"today": None} if audience is Audience.REP and story.drawn else {})
    return Story(numbers | {"key": key_figures(numbers)}, story.results, _places(drawn, own))


def _districts(space: Workspace, results: Mapping[str, Result]) -> dict[str, tuple[list[str], str]]:
    """Give each manager's territories, by id and by name."""
    step, reps = results["territories"], space.tables.get("reps", pd.DataFrame())
    if "districts" in step:
        table = step["districts"].reset_index()
    elif {"manager_id", "territory_id"} <= set(reps):
        names = reps.set_index("rep_id")["name"]
        table = reps.dropna(subset=["manager_id", "territory_id"])[["territory_id", "manager_id"]]
        table = table.assign(manager=table["manager_id"].map(names))
    else:
        return {}
    table = table[table["territory_id"].isin(step["proposed"].index)]
    found: dict[str, tuple[list[str], str]] = {}
    for key, part in table.groupby("manager_id"):
        name = str(part["manager"].fillna(str(key)).iloc[0])
        found |= dict.fromkeys((str(key), name), (list(part["territory_id"]), name))
    return found


def _territories(space: Workspace, results: Mapping[str, Result]) -> dict[str, tuple[list[str], str]]:
    """Give each rep's territory, by its id and by the rep's id and name."""
    proposed, reps = results["territories"]["proposed"].index, space.tables.get("reps", pd.DataFrame())
    found = {str(key): ([key], str(key)) for key in proposed}
    if "territory_id" in reps:
        for row in reps[reps["territory_id"].isin(proposed)].itertuples():
            found |= dict.fromkeys((str(row.rep_id), str(row.name)), ([row.territory_id], str(row.name)))
    return found


def _district(story: Story, own: list[str]) -> dict[str, Any]:
    """Keep the rows of a district; what comes from or goes to others says so without a name."""
    numbers, mine = story.numbers, set(own)

    def kept(step: str, name: str) -> list[dict[str, Any]]:
        return [row for row in numbers.get(step, {}).get(name) or [] if row["territory_id"] in mine]

    def crossing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        near = [row for row in rows if {row["from"], row["to"]} & mine]
        return [row | {end: row[end] if row[end] in mine else _ELSEWHERE for end in ("from", "to")} for row in near]

    whole, moved = numbers["territories"], story.results["territories"]["moved"]
    leaving = moved[moved["customer"] & (moved["reason"] != "") & (moved["to"].isin(own) | moved["from"].isin(own))]
    leaving = leaving.sort_values(["spend", "potential"], ascending=False, kind="stable").head(
        len(whole["key_accounts"])
    )
    quotas = kept("resources", "quotas")
    return {
        "territories": {
            "facts": {"tolerance_share": whole["facts"]["tolerance_share"]},
            **{name: kept("territories", name) for name in ("today", "proposed", "people", "fairness")},
            "moves": crossing(whole.get("moves") or []),
            "key_accounts": crossing(records(leaving.drop(columns=["from_km", "to_km"]))),
        },
        "resources": {"facts": {"quota_total": sum(row["quota"] for row in quotas)}, "quotas": quotas},
        "evaluation": {"facts": {}, "performance": kept("evaluation", "performance")},
        "off": {},
    }


def _rep(story: Story, own: str) -> dict[str, Any]:
    """Keep one territory: its accounts, the actions on them, the round and the quota."""
    step = story.results["territories"]
    accounts = step["moved"][step["moved"]["to"] == own]
    accounts = accounts.sort_values(["spend", "potential"], ascending=False, kind="stable")
    new = accounts["from"].notna() & (accounts["from"] != accounts["to"])
    shown = accounts[["name", "tier", "spend", "potential", "to_km"]].rename(columns={"to_km": "distance_km"})
    told: dict[str, Any] = {"accounts": records(shown.assign(new=new.map({True: "●", False: ""})))}
    if "propensity" in story.results and "actions" in story.results["propensity"]:
        actions = story.results["propensity"]["actions"]
        actions = actions[actions["account_id"].isin(accounts.index)].sort_values(
            "value", ascending=False, kind="stable"
        )
        columns = ["account", "product", "probability", "value", "play", "channel", "angle", "timing", "reason_1"]
        told["actions"] = records(actions[[name for name in columns if name in actions]])
    units = step["units"][step["alignment"]["territory_id"] == own]
    columns = [name for name in ("name", "accounts", "workload_h", "lon", "lat") if name in units]
    route = affected.route(units[columns], step["territories"].T[own]).drop(columns=["lon", "lat"])
    told["route"] = records(route.assign(name=route.get("name", route.index)))
    quotas = story.results["resources"].frames.get("quotas") if "resources" in story.results else None
    if quotas is not None and own in quotas.index:
        of_all = (quotas / quotas.sum()).to_dict("index")[own]
        told["quota"] = {"quota": quotas["quota"].to_dict()[own], "share": of_all["quota"]}
        told["quota"] |= {f"{name.removesuffix('_h')}_share": of_all[name] for name in quota.WEIGHTS}
    kept = {
        name: [row for row in story.numbers["territories"].get(name) or [] if row["territory_id"] == own]
        for name in ("today", "proposed")
    }
    limit = story.numbers["territories"]["facts"]["tolerance_share"]
    return {"own": told, "territories": {"facts": {"tolerance_share": limit}, **kept}}


def _places(drawn: Mapping[str, Any], own: list[str]) -> dict[str, Any]:
    """Keep the places of some territories."""
    if not drawn:
        return {}
    sides = {
        name: drawn[name].where(drawn[name].isin(own)) for name in ("today", "proposed") if drawn[name] is not None
    }
    here = pd.concat(sides.values(), axis=1).notna().any(axis=1)
    homes = drawn["homes"][drawn["homes"].index.isin(own)]
    return {"today": None, **{name: side[here] for name, side in sides.items()}} | {
        "units": drawn["units"][here.reindex(drawn["units"].index)],
        "homes": homes,
    }
