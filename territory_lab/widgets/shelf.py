"""The shelf of scenarios: two side by side, and the review round of one."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

import geopandas as gpd
import ipywidgets as w
import pandas as pd
from IPython.display import HTML

from territory_lab import book, journey, maps, scenarios
from territory_lab.charts.tables import table
from territory_lab.charts.words import band, best_possible, count, number, percent, plural
from territory_lab.errors import TerritoryLabError
from territory_lab.scenarios import Scenario
from territory_lab.scenarios.review import DECISIONS
from territory_lab.scenarios.store import STATUSES
from territory_lab.widgets.panel import Shown, as_code, blank, choice, frame, line, panel, show, told, values
from territory_lab.workspace import Workspace

_GRID = "display:grid;grid-template-columns:repeat(auto-fit,minmax(22em,1fr));gap:1em"
_REMARKS = {"when": "When", "author": "Who", "territory_id": "Territory", "unit_id": "Unit", "decision": "Decision"}
_REMARKS |= {"message": "What was said"}


def shelf(space: Workspace) -> w.Box:
    """
    Hold two scenarios side by side: figures, maps, and what lies between them.

    Parameters
    ----------
    space : Workspace
        With accounts; today's alignment and the proposal stand on the shelf beside what was saved.

    Returns
    -------
    Box
        Controls left, the comparison right; scenarios saved later come with *Look again*.
    """
    given = journey.as_scenarios(space)
    places = book.units(space)
    page = maps.sheet(places) if isinstance(places, gpd.GeoDataFrame) else None
    controls = {"first": choice("Hold", [*given]), "second": choice("Against", [*given], [*given][-1])}

    def pick(name: str) -> Scenario:
        return given[name] if name in given else scenarios.load(journey.shelf(space), name)

    def draw(first: str, second: str) -> Shown:
        both = [pick(first), pick(second)]
        shown: list[Shown] = [compared(both, space.data_hash)]
        if page is not None:
            drawn = [maps.territories(page, one.alignment, title=one.name).svg() for one in both]
            drawn.append(maps.change(page, *(one.alignment for one in both)).svg())
            shown.append(HTML(f"<div style='{_GRID}'>{''.join(drawn)}</div>"))
        return shown

    def refresh(_: object = None) -> None:
        there = [*given, *(name for name in scenarios.names(journey.shelf(space)) if name not in given)]
        for control in controls.values():
            chosen = control.value
            control.options = there
            control.value = chosen

    refresh()
    box = panel(controls, draw, code=_comparison)
    again = w.Button(description="Look again", tooltip="scenarios saved since")
    again.on_click(refresh)
    box.children[0].children += (again,)
    return box


def compared(chosen: list[Scenario], data_hash: str) -> Shown:
    """Set two or more scenarios side by side: a row a figure, a column a scenario."""
    columns = {str(place): scenario.name for place, scenario in enumerate(chosen)}
    told_of = pd.DataFrame({place: _figures(chosen[int(place)], data_hash) for place in columns}, dtype=object)
    return table(told_of.rename_axis("what").reset_index(), {"what": "", **columns})


def review(space: Workspace) -> w.Box:
    """
    Review one scenario: say what you think of a territory, take or refuse moves with a reason, set its status.

    Parameters
    ----------
    space : Workspace
        With scenarios on its shelf.

    Returns
    -------
    Box
        Controls left; what was said, by whom and when, right. Nothing said is ever changed.
    """
    folder = journey.shelf(space)
    there = scenarios.names(folder)
    if not there:
        return w.VBox([w.HTML("<p>No scenario is on the shelf yet: keep one in step 4.</p>")])
    controls = {
        "name": choice("Scenario", there),
        "author": line("Your name"),
        "territory_id": line("Territory", note="T01, or empty for the whole plan"),
        "unit_id": line("Unit", note="of the move decided on"),
        "decision": choice("Decision", {decision or "none, a remark": decision for decision in DECISIONS}),
        "text": line("Reason", note="or a remark"),
        "status": choice("Status", STATUSES),
    }
    result = blank()

    def draw(_: object = None) -> None:
        controls["status"].value = scenarios.load(folder, controls["name"].value).status
        result.value = show(_said(space, controls["name"].value))

    def acting(act: Callable[[Mapping[str, str]], object]) -> Callable[[w.Button], None]:
        def pressed(_: w.Button) -> None:
            try:
                act(values(controls))
                draw()
            except (TerritoryLabError, ValueError) as error:
                result.value = told(error)

        return pressed

    def say(asked: Mapping[str, str]) -> None:
        words = {key: value for key, value in asked.items() if key not in {"name", "status"}}
        scenarios.remark(folder, asked["name"], when=dt.datetime.now(dt.UTC), **words)

    def set_status(asked: Mapping[str, str]) -> None:
        scenarios.save(replace(scenarios.load(folder, asked["name"]), status=asked["status"]), folder)

    def take_back(asked: Mapping[str, str]) -> None:
        scenario = scenarios.load(folder, asked["name"])
        current = journey.territories(space)["current"]["territory_id"]
        left = scenarios.revised(scenario, current, scenarios.remarks(folder, asked["name"]))
        journey.keep(space, asked["name"], left.alignment, author=asked["author"], note="rejected moves taken back")

    acts = {"Say it": say, "Set the status": set_status, "Take rejected moves back": take_back}
    buttons = [w.Button(description=label, layout=w.Layout(width="100%")) for label in acts]
    for button, act in zip(buttons, acts.values(), strict=True):
        button.on_click(acting(act))
    controls["name"].observe(draw, "value")
    draw()
    return frame([*controls.values(), *buttons, *as_code({"name": controls["name"]}, _reading)], result)


def _said(space: Workspace, name: str) -> list[Shown]:
    """Show a scenario's state, its figures beside today's, and its remarks."""
    scenario = scenarios.load(journey.shelf(space), name)
    said = scenarios.remarks(journey.shelf(space), name)
    said["when"] = said["when"].dt.strftime("%Y-%m-%d %H:%M")
    about = f"{name} is {scenario.status}"
    return [
        f"{about}{f', by {scenario.author}' if scenario.author else ''}. {scenario.note}".strip(),
        compared([next(iter(journey.as_scenarios(space).values())), scenario], space.data_hash),
        table(said.rename(columns={"text": "message"}), _REMARKS, caption="What was said"),
    ]


def _figures(scenario: Scenario, data_hash: str) -> dict[str, str]:
    """Write a scenario's figures as people say them."""
    metrics = scenario.metrics
    plan, gain = metrics.get("plan", {}), metrics.get("gain", {}).get("total")
    rows = {
        "Status": scenario.status,
        "Territories": count(metrics["territories"]),
        "Furthest from a fair share": percent(metrics["largest_deviation_share"]),
        "Mean distance of an hour's work": f"{number(metrics['mean_km'])} km",
    }
    if "moved" in metrics:
        rows["Workload that changes hands"] = percent(metrics["moved"]["workload_h_share"])
    if gain is not None and metrics["moved"]["units_share"]:
        span = (gain["value_share"], gain["low_share"], gain["high_share"])
        rows["Expected change of sales"] = band(*span, form=lambda share: percent(share, signed=True))
    if "gap" in plan:
        rows["Travel"] = best_possible(plan["gap"])
    if "violations" in plan:
        rows["Limits broken"] = plural(plan["violations"], "limit") if plan["violations"] else "none"
    if scenario.data_note(data_hash):
        rows["Data"] = "changed since; run it again"
    return rows


def _comparison(first: str, second: str) -> str:
    """Write the comparison as code."""
    return (
        f"kept = journey.as_scenarios(space)\npick = lambda name: kept.get(name) or "
        f"scenarios.load(journey.shelf(space), name)\nscenarios.compare([pick({first!r}), pick({second!r})])"
    )


def _reading(name: str) -> str:
    """Write the reading of remarks as code."""
    return f"scenarios.remarks(journey.shelf(space), {name!r})"
