"""The start, the plan that runs beside the kernel, the shelf and the review, without a browser."""

import asyncio

import ipywidgets
import pytest

from territory_lab import journey, scenarios, widgets, workspace
from tests.test_journey import space

__all__ = ["space"]


def found(box, kind, label):
    """Find a control by what a person reads on it."""
    for child in getattr(box, "children", ()):
        if isinstance(child, kind) and child.description == label:
            return child
        inside = found(child, kind, label)
        if inside is not None:
            return inside
    return None


def press(box, label):
    found(box, ipywidgets.Button, label).click()


def write(box, label, words):
    found(box, ipywidgets.Text, label).value = words


def right(box):
    return box.children[1].children[0].value


def test_a_plan_is_found_beside_the_kernel_and_stands_on_the_shelf(space):
    seen = []

    async def asked():
        box = widgets.another_plan(space, watch=seen.append)
        write(box, "Name", "Loose")
        found(box, ipywidgets.FloatSlider, "Tolerance").value = 0.4
        assert "tolerance_share=0.4" in box.children[0].children[-1].value
        press(box, "Find a plan")
        assert found(box, ipywidgets.Button, "Find a plan").disabled
        done = asyncio.Event()
        box.children[1].children[0].observe(lambda _: done.set(), "value")
        await asyncio.wait_for(done.wait(), 240)
        await asyncio.sleep(0)
        assert not found(box, ipywidgets.Button, "Find a plan").disabled
        return right(box)

    assert "Loose is on the shelf" in asyncio.run(asked())
    kept = scenarios.load(journey.shelf(space), "Loose")
    assert kept.settings["tolerance_share"] == pytest.approx(0.4)
    assert set(seen[-2].index) == set(kept.alignment.index)
    assert seen[-1] is None  # the map goes back to the plan under edit
    box = widgets.shelf(space)
    found(box, ipywidgets.Dropdown, "Against").value = "Loose"
    assert right(box).count("<svg") == 3
    assert "changed since" not in right(box)


def test_a_rejected_move_goes_back_and_every_word_is_kept(space):
    journey.keep(space, "Round", journey.as_scenarios(space)["proposal"].alignment)
    today = journey.territories(space)["current"]["territory_id"]
    plan = scenarios.load(journey.shelf(space), "Round").alignment
    unit = next(unit for unit in plan.index if today.get(unit) not in (None, plan[unit]))
    box = widgets.review(space)
    found(box, ipywidgets.Dropdown, "Scenario").value = "Round"
    found(box, ipywidgets.Dropdown, "Decision").value = "rejected"
    write(box, "Your name", "Ann")
    press(box, "Say it")
    assert "names no unit or no reason" in right(box)
    write(box, "Unit", unit)
    write(box, "Reason", "<b>hers</b> for ten years")
    press(box, "Say it")
    assert "&lt;b&gt;hers&lt;/b&gt; for ten years" in right(box)
    press(box, "Take rejected moves back")
    found(box, ipywidgets.Dropdown, "Status").value = "approved"
    press(box, "Set the status")
    last = scenarios.load(journey.shelf(space), "Round")
    assert last.alignment[unit] == today[unit]
    assert last.status == "approved"
    assert len(scenarios.remarks(journey.shelf(space), "Round")) == 1
    assert scenarios.load(journey.shelf(space), "Round", 1).alignment[unit] == plan[unit]


def test_the_start_says_what_is_there_what_is_wrong_and_what_comes_next(space, tmp_path):
    journey.icp(space)
    assert "<td>done</td>" in widgets.next_steps(space).html
    empty = workspace.create(tmp_path / "mine")
    (empty.folder / "accounts.csv").write_text("account_id,name,lon,lat\na1,Acme,200,50\n", encoding="utf-8")
    assert "propensity (upsell, cross-sell)" in widgets.there(empty).html
    assert "1 fault to mend" in widgets.wrong(empty).value
    assert "not run yet" in widgets.next_steps(empty).html


def test_an_export_becomes_a_workspace_beside_this_one(tmp_path):
    here = workspace.create(tmp_path / "here")
    export = tmp_path / "export.csv"
    export.write_text("account_id,name,lon,lat\na1,Acme,-90,40\n", encoding="utf-8")
    box = widgets.import_export(here)
    found(box, ipywidgets.Dropdown, "From").value = "csv"
    write(box, "Export", str(tmp_path / "nowhere.csv"))
    write(box, "New workspace", "mine")
    press(box, "Import")
    assert "role='alert'" in right(box)
    assert not (tmp_path / "mine").exists()
    write(box, "Export", str(export))
    press(box, "Import")
    assert "mine is ready" in right(box)
    assert list(workspace.open_workspace(tmp_path / "mine").tables["accounts"]["name"]) == ["Acme"]
