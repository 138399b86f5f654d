"""The report's map that the reader may change: worked by mouse and keyboard, its sums held against pandas."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from territory_lab import geography
from territory_lab.charts.tokens import TERRITORIES
from territory_lab.charts.words import percent
from territory_lab.reporting import gather, report
from territory_lab.reporting.story import Story
from territory_lab.reporting.what_if import what_if
from territory_lab.results import Result
from tests.reporting.conftest import NASTY

STATES = {"CO": "CO", "KS": "KS", "NE": "NE", "WY": NASTY}
DUE = pd.Series({"CO": 0.4, "KS": 0.3, "NE": 0.2, NASTY: 0.1})  # of the work
TOLERANCE = 0.1


@pytest.fixture(scope="module")
def units():
    """Take the counties of four states, their people as work."""
    counties = geography.counties().set_index("unit_id")
    counties = counties[counties["state"].isin(STATES)]
    money = np.random.default_rng(0).uniform(1e3, 1e5, len(counties))
    return counties.assign(
        workload_h=counties["population"] / 1000, potential=money, owner=counties["state"].map(STATES)
    )


def story(units):
    """Tell of a plan that leaves every unit with its owner."""
    owner = units["owner"].rename("territory_id")
    held = units.groupby(owner)[["workload_h", "potential"]].sum()
    due = DUE.reindex(held.index).fillna(1 / len(held)) * held["workload_h"].sum()
    held["deviation_workload_h"] = held["workload_h"] / due - 1
    homes = units.groupby(owner)[["lon", "lat"]].median()
    frames = {"units": pd.DataFrame(units), "alignment": owner.to_frame(), "proposed": held, "territories": homes}
    results = {"territories": Result(frames, {"tolerance_share": TOLERANCE, "moved_workload_h": 0.0})}
    meta = {"name": "Plains", "currency": "USD", "as_of": "2025-09-30", "seed": 0, "data_hash": "x"}
    return Story(gather(results, meta | {"scenario": {"name": "proposal"}}), results, {"units": units})


@pytest.fixture(scope="module")
def report_file(units, tmp_path_factory):
    """Write a report of a plan that makes each state a territory, one of them with a hostile name."""
    told = story(units)
    return report(told.numbers, tmp_path_factory.mktemp("report") / "report.html", live=what_if(told))


@pytest.fixture
def opened(browser, report_file):
    """Open the report once its map is painted; keep what it asked for and what it complained of."""
    page, asked, said = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report_file.as_uri())
    page.wait_for_selector(".stage[data-painted]")
    yield page, asked, said
    page.close()


def balance(page):
    """Read the table of the balance: by territory, workload before and now, potential before and now."""
    rows = page.locator(".what-if tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.cells].map((cell) => cell.textContent.replace(/^[▲▼] /, '')))"
    )
    return {name: cells for name, *cells in rows}


def wanted(units, owner):
    """Work the same out in pandas."""
    columns = [
        units[name].groupby(side).sum() / (units[name].sum() * due) - 1
        for name, due in (("workload_h", DUE), ("potential", 1 / len(STATES)))
        for side in (units["owner"], owner)
    ]
    return {name: [percent(column[name], signed=True) for column in columns] for name in STATES.values()}


def test_the_map_is_painted_and_the_page_asks_for_nothing(opened, report_file):
    page, asked, said = opened
    pixels = np.asarray(Image.open(io.BytesIO(page.locator(".stage").screenshot())).convert("RGB")).reshape(-1, 3)
    tints = [np.array([int(tint[i : i + 2], 16) for i in (1, 3, 5)]) for tint in TERRITORIES]
    shares = sorted(float((np.abs(pixels - tint).max(axis=1) < 3).mean()) for tint in tints)
    assert all(share > 0.05 for share in shares[-4:])
    assert [url for url in asked if not url.startswith("data:")] == [report_file.as_uri()]
    assert said == []


def test_a_place_given_by_keyboard_changes_the_balance_as_pandas_has_it(opened, units):
    page, _, said = opened
    assert balance(page) == wanted(units, units["owner"])
    page.locator(".what-if .stage").focus()
    for key in ("n", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    name, state = re.search(r"Place: (.*), ([A-Z]{2}) ", page.locator(".about").inner_text()).groups()
    (unit,) = units.index[(units["name"] == name) & (units["state"] == state)]
    target = "KS" if units["owner"][unit] != "KS" else "NE"
    page.get_by_label("Territory that gets the places").select_option(target)
    page.get_by_role("button", name="Give").focus()
    page.keyboard.press("Enter")
    moved = wanted(units, units["owner"].where(units.index != unit, target))
    assert moved != wanted(units, units["owner"])
    assert balance(page) == moved
    assert page.locator(".weighed").inner_text().startswith("Places given: 1.")
    assert f"Territory: {target} " in page.locator(".about").inner_text()
    page.get_by_role("button", name="As planned").press("Enter")
    assert balance(page) == wanted(units, units["owner"])
    assert said == []


def test_a_click_chooses_the_place_under_it_and_given_places_are_painted_anew(opened, units):
    page, _, _ = opened
    stage = page.locator(".stage")
    box = stage.bounding_box()
    at = {"x": box["width"] / 2, "y": box["height"] / 2}
    stage.click(position=at)
    owner = re.search(r"Territory: (\S+) ", page.locator(".about").inner_text()).group(1)
    assert owner in STATES
    stage.click(position=at, modifiers=["Shift"])
    assert page.locator(".about").inner_text().startswith("Place: \N{EN DASH}")
    stage.press("t")
    count = int(re.search(r"Place: (\d+) ", page.locator(".about").inner_text()).group(1))
    assert count == (units["owner"] == owner).sum()
    page.get_by_label("Territory that gets the places").select_option(index=2)
    before = stage.screenshot()
    painted = stage.get_attribute("data-painted")
    stage.press("a")
    page.wait_for_function("(before) => document.querySelector('.stage').dataset.painted > before", arg=painted)
    after = stage.screenshot()
    first, second = (np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int) for shot in (before, after))
    assert (np.abs(first - second).max(axis=2) > 15).mean() > 0.02


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_everybody_can_work_it(browser, report_file, scheme, width):
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(report_file.as_uri())
    page.wait_for_selector(".stage[data-painted]")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_paper_has_no_map_to_work_on_and_no_script_leaves_it_out(browser, opened, report_file):
    page, _, _ = opened
    assert page.locator(".what-if").is_visible()
    page.emulate_media(media="print")
    assert not page.locator(".what-if").is_visible()
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(report_file.as_uri())
    assert not still.locator(".what-if").is_visible()
    context.close()


def test_a_page_carries_a_country_of_counties_and_no_more_than_its_budget(monkeypatch):
    counties = geography.counties().set_index("unit_id")
    owner = pd.Series(pd.factorize(counties["state"])[0] * 6 + np.arange(len(counties)) % 6, counties.index)
    units = counties.assign(workload_h=1.0, potential=1.0, owner="T" + owner.astype(str))
    assert units["owner"].nunique() > 300
    live = what_if(story(units))
    assert live is not None
    monkeypatch.setattr("territory_lab.reporting.what_if.MOST", len(live) - 1)
    assert what_if(story(units)) is None
    assert what_if(story(units)._replace(drawn={})) is None
