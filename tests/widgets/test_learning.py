"""Models and money without a browser: the cut-off, learning again, sizes, quotas; what is kept stands in TOML."""

import asyncio
import tomllib

import ipywidgets
import numpy as np
import pytest

from territory_lab import journey, lifecycle, widgets, workspace
from territory_lab.charts import percent
from territory_lab.errors import BadInput
from tests.test_journey import space
from tests.widgets.test_shelf import found, press, right

__all__ = ["space"]


def stated(space) -> dict[str, object]:
    return tomllib.loads((space.folder / "workspace.toml").read_text(encoding="utf-8"))


def set_to(box, label, value):
    slider = found(box, ipywidgets.FloatSlider, label) or found(box, ipywidgets.IntSlider, label)
    slider.value = value


def test_the_cut_off_tells_what_the_curve_says_and_is_kept(space):
    box = widgets.cut_off(space)
    set_to(box, "Worked", 0.35)
    kind = found(box, ipywidgets.Dropdown, "Model").value
    curve = journey.propensity(space)[f"gains_{kind}"]
    assert percent(float(np.interp(0.35, curve["share_worked"], curve["share_reached"]))) in right(box)
    press(box, "Keep")
    assert stated(space)["capacity_share"] == pytest.approx(0.35)


def test_learning_again_says_what_serves_and_shows_as_code(space):
    async def asked():
        box = widgets.training(space)
        set_to(box, "Horizon (days)", 120)
        done = asyncio.Event()
        box.children[1].children[0].observe(lambda _: done.set(), "value")
        press(box, "Learn again")
        await asyncio.wait_for(done.wait(), 240)
        return box

    box = asyncio.run(asked())
    assert "the first of its kind" in right(box)
    assert "lifecycle.retrain(space)" in box.children[0].children[-1].value
    assert stated(space)["horizon_days"] == 120
    serving = lifecycle.listed(workspace.open_workspace(space.folder)).query("role == 'champion'")
    assert all(version in right(box) for version in serving["version"])


def test_a_dearer_rep_asks_for_fewer_territories(space):
    cheap, dear = (journey.sizes(space, cost) for cost in (20_000.0, 500_000.0))
    best = [table.loc[table["profit"].idxmax(), "territories"] for table in (cheap, dear)]
    assert best[0] >= best[1]
    box = widgets.sizes(space)
    set_to(box, "A rep costs", 120_000.0)
    press(box, "Keep")
    assert stated(space)["rep_cost"] == pytest.approx(120_000.0, rel=0.02)


def test_kept_quota_weights_decide_the_next_quotas(space):
    box = widgets.quotas(space)
    set_to(box, "History", 0.0)
    set_to(box, "Potential", 0.0)
    press(box, "Keep")
    later = workspace.open_workspace(space.folder)
    again, work = journey.resources(later)["quotas"], journey.territories(later)["proposed"]["workload_h"]
    np.testing.assert_allclose(again["share"], (work / work.sum()).reindex(again.index), atol=1e-6)


def test_a_setting_that_is_none_is_refused_and_nothing_is_written(space):
    before = (space.folder / "workspace.toml").read_bytes()
    with pytest.raises(BadInput, match="unknown setting"):
        workspace.state(space, colour="red")
    assert (space.folder / "workspace.toml").read_bytes() == before


def test_a_market_of_which_half_needs_the_product_is_half_as_large_and_stays_so(space):
    whole = journey.tam(space)["totals"]
    box = widgets.funnel(space)
    set_to(box, "Need the product", 0.5)
    press(box, "Keep")
    half = journey.tam(workspace.open_workspace(space.folder))["totals"]
    assert half.loc["TAM", "value"] == pytest.approx(0.5 * whole.loc["TAM", "value"], rel=0.02)
