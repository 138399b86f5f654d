"""How long the report that decides takes once the steps are done, and how large its page is, variant by variant."""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from territory_lab import geography, journey, scenarios, workspace
from territory_lab.charts.speech import speaking
from territory_lab.reporting.pictures import pictures
from territory_lab.reporting.report import report
from territory_lab.reporting.story import Story, computed, tell
from territory_lab.reporting.what_if import what_if
from territory_lab.workspace import Workspace
from tests.benchmarks.common import measured, show
from tests.browser.test_pages import nearest
from tests.browser.test_what_if import story as told_of

DEMO = Path("demo")  # `territory-lab new demo --sample`, `territory-lab run demo`


def page(story: Story, folder: Path) -> Path:
    """Draw and write one report."""
    drawn = pictures(story.numbers, **story.drawn)
    return report(story.numbers, folder / "report.html", drawn, live=what_if(story))


def row(variant: str, story: Story, told_s: float, folder: Path) -> Mapping[str, object]:
    """Time one report."""
    file, drawn_s = measured(lambda: page(story, folder))
    return {"variant": variant, "told_s": told_s, "drawn_s": drawn_s, "MB": file.stat().st_size / 1e6}


def named(space: Workspace, folder: Path) -> list[Mapping[str, object]]:
    """Tell of the proposal, of today, and of plans with one territory and with 300."""
    units = journey.territories(space)["units"]
    for count in (1, 300):
        owner = nearest(units, count, 0).rename("territory_id")
        scenarios.save(scenarios.Scenario(f"of {count}", owner, data_hash=space.data_hash), journey.shelf(space))
    rows = []
    for name, variant in {
        "proposal": "30 territories, as proposed",
        "today": "no moves",
        "of 1": "1 territory",
        "of 300": "300 territories",
    }.items():
        story, told_s = measured(lambda name=name: tell(space, name, "today"))
        rows.append(row(variant, story, told_s, folder))
    return rows


def lacking(space: Workspace, folder: Path) -> list[Mapping[str, object]]:
    """Tell of a workspace that cannot say everything."""
    results, off = computed(space)
    results.pop("propensity")
    some, told_s = measured(lambda: tell(space, made=(results, off | {"propensity": "it needs orders"})))
    flat, flat_s = measured(lambda: tell(space)._replace(drawn={}))
    return [row("no propensity", some, told_s, folder), row("no geography", flat, flat_s, folder)]


def abroad(folder: Path) -> Mapping[str, object]:
    """Draw the districts of South Korea, in won, without a workspace."""
    districts = geography.korea().set_index("unit_id")
    money = pd.Series(5e8, districts.index)
    units = districts.assign(workload_h=districts["population"] / 1000, potential=money)
    units = units.assign(owner=nearest(units, 17, 0))
    made = told_of(units)
    owner = units["owner"].rename("territory_id")
    numbers = {**made.numbers, "meta": {**made.numbers["meta"], "currency": "KRW"}}
    drawn = {"units": units, "today": None, "proposed": owner, "homes": made.results["territories"]["territories"]}
    with speaking("en_GB"):
        return row("South Korea, in won", made._replace(numbers=numbers, drawn=drawn), 0.0, folder)


def main() -> None:
    """Print the table."""
    if not (DEMO / "results" / "trade_off").is_dir():
        sys.exit("run `territory-lab new demo --sample` and `territory-lab run demo` first")
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "demo"
        shutil.copytree(DEMO, own)
        space = workspace.open_workspace(own)
        computed(space)
        rows = [*named(space, Path(folder)), *lacking(space, Path(folder)), abroad(Path(folder))]
    show("the report, CPU seconds to tell and to draw", rows)
