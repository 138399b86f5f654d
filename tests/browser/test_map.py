"""The territory map as an analyst works on it: JupyterLab, a real browser, mouse and keyboard."""

import math
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.jupyter import open_notebook, pixels, run_all, tinted

MADE = """
import numpy as np, pandas as pd
from territory_lab import alignment, geography
from territory_lab.widgets import TerritoryMap
units = geography.counties().set_index("unit_id")
units = units[~units["state"].isin(["AK", "HI", "PR"])].assign(workload_h=lambda frame: frame["population"] / 1000)
pairs = geography.neighbours()[["unit_a", "unit_b"]]
pairs = pairs[pairs["unit_a"].isin(units.index) & pairs["unit_b"].isin(units.index)]
problem = alignment.Problem(units.drop(columns="geometry"), 30, {"workload_h": 0.1}, neighbours=pairs)
plan = alignment.solve(problem, seed=0)
near = np.random.default_rng(0).normal(0, 0.2, (len(units), 2))
accounts = pd.DataFrame({"lon": units["lon"] + near[:, 0], "lat": units["lat"] + near[:, 1]})
the_map = TerritoryMap(plan, units, today=plan.alignment, accounts=accounts, who="Ada")
the_map
"""
ASKED = """
print("selected", len(the_map.selection), "moved", int((the_map.alignment != plan.alignment).sum()))
print("steps", [step.what for step in the_map.steps], {step.who for step in the_map.steps})
print("feasible", the_map.plan.feasible, "locked", len(the_map.locked))
"""
ROUND_TRIP = """async (name) => {
    const said = document.querySelector(".tl-map .said");
    const button = [...document.querySelectorAll(".tl-map button")].find((one) => one.textContent === name);
    const began = performance.now();
    const done = new Promise((resolve) => {
        const watcher = new MutationObserver(() => { watcher.disconnect(); resolve(performance.now() - began); });
        watcher.observe(document.querySelector(".tl-map .bars"), { childList: true });
    });
    button.click();
    return [await done, said.textContent];
}"""


@pytest.fixture(scope="module")
def opened(browser, lab):
    """Open a notebook with the map, run it, and keep what was asked for and what was complained of."""
    address, folder = lab
    page, asked, said = browser.new_page(viewport={"width": 1500, "height": 1100}), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    open_notebook(page, address, folder, MADE, ASKED)
    run_all(page)
    page.wait_for_selector(".stage[data-painted]", timeout=120_000)
    page.wait_for_function("!document.body.innerText.includes('[*]')", timeout=60_000)
    page.set_default_timeout(15_000)
    yield page, asked, said
    page.close()


@pytest.fixture
def page(opened):
    """Give the map as it was solved: nothing selected, edited or chosen."""
    page = opened[0]
    page.locator(".tl-map").scroll_into_view_if_needed()
    while page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "false":
        press(page, "Undo")
    page.get_by_role("radio", name="Move").check()
    page.get_by_role("button", name="Fit").click()
    page.locator(".stage").focus()
    page.keyboard.press("Escape")
    return page


def press(page, name):
    """Press a button whose answer comes from Python; give the milliseconds until it shows, and what is said."""
    return page.evaluate(ROUND_TRIP, name)


def lasso(page, x, y, radius):
    """Draw a circle of a centre and a radius given as shares of the stage's width and height."""
    page.get_by_role("radio", name="Lasso").check()
    box = page.locator(".stage").bounding_box()
    ring = [(math.cos(turn / 12 * math.pi), math.sin(turn / 12 * math.pi)) for turn in range(25)]
    for step, (across, down) in enumerate(ring):
        page.mouse.move(
            box["x"] + box["width"] * (x + radius * across), box["y"] + box["height"] * y + box["width"] * radius * down
        )
        if step == 0:
            page.mouse.down()
    page.mouse.up()


def selected(page):
    """Read how many units are selected."""
    found = re.match(r"([\d,]+) unit", page.locator(".holds").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def asked_of_python(page):
    """Run the second cell and read what it prints."""
    cell = page.locator(".jp-CodeCell").nth(1)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function("!document.body.innerText.includes('[*]')")
    page.wait_for_timeout(300)
    return cell.locator(".jp-OutputArea-output").first.inner_text()


def test_the_map_is_painted_in_many_tints(page):
    seen = pixels(page)
    coloured = tinted(seen)
    assert coloured.mean() > 0.4
    assert len(np.unique(seen[coloured] // 16, axis=0)) > 8


def test_a_lasso_over_400_counties_changes_the_balance(page):
    lasso(page, 0.5, 0.55, 0.16)
    assert selected(page) >= 400
    before = page.locator(".bars").inner_text()
    _, said = press(page, "Assign")
    assert said.startswith("Assign")
    assert page.locator(".bars").inner_text() != before
    assert page.locator(".bars li.off").count() > 0
    assert "feasible False" in asked_of_python(page)
    press(page, "Undo")
    assert "moved 0" in asked_of_python(page)


def test_a_cell_goes_on_from_a_click_and_an_edit_has_who_and_what(page):
    box = page.locator(".stage").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    assert selected(page) == 1
    press(page, "Lock")
    told = asked_of_python(page)
    assert "selected 1 " in told
    assert "steps ['lock'] {'Ada'}" in told
    assert "locked 1" in told


def test_a_break_is_drawn_and_mended_by_mouse(page):
    box = page.locator(".stage").bounding_box()
    page.get_by_label("Territory to assign to").select_option("T01")
    page.mouse.click(box["x"] + 0.62 * box["width"], box["y"] + 0.45 * box["height"])
    before = pixels(page)
    _, said = press(page, "Assign")
    assert "broken" in said
    change = pixels(page) - before
    assert (change[:, :, 0] - change[:, :, 1] > 60).any()  # redder than it was
    _, said = press(page, "Mend this")
    assert "Every limit is kept" in said
    assert "feasible True" in asked_of_python(page)


def test_the_whole_of_it_by_keyboard_only(page):
    page.locator(".stage").focus()
    for key in ["ArrowRight", "ArrowDown", "Space", "Shift+ArrowRight", "Shift+ArrowRight"]:
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('.holds').textContent.startsWith('3 units')")
    page.keyboard.press("t")
    page.wait_for_function("parseInt(document.querySelector('.holds').textContent) > 3")
    page.keyboard.press("l")
    page.wait_for_function("document.querySelector('.said').textContent.startsWith('Lock')")
    page.keyboard.press("Control+z")
    page.wait_for_function("document.querySelector('.said').textContent.startsWith('Undone: lock')")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Territory to assign to"
    page.keyboard.press("T")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.said').textContent.startsWith('Assign')")
    page.locator(".stage").focus()
    page.keyboard.press("m")
    page.wait_for_function("document.querySelector('.said').textContent.startsWith('Mend:')", timeout=20_000)
    page.keyboard.press("Control+z")
    page.wait_for_function("document.querySelector('.said').textContent.startsWith('Undone: mend')")
    page.keyboard.press("e")
    page.wait_for_selector(".why table")
    assert page.locator(".jp-Cell").count() == 2  # no key went through to the notebook


def tab_to(page, name):
    """Go from the stage, by keys alone, to a button beside the map and press it."""
    page.locator(".stage").focus()
    page.keyboard.press("a")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == name:
            return page.keyboard.press("Enter")
    raise AssertionError(name)


def said(page, words):
    """Wait until the map says that something was done."""
    page.wait_for_function(f"document.querySelector('.said').textContent.startsWith('{words}')")


def test_split_off_merge_and_redo_by_keyboard_only(page):
    page.locator(".stage").focus()
    for key in ["ArrowRight", "ArrowDown", "Space", "Shift+ArrowRight", "Shift+ArrowRight"]:
        page.keyboard.press(key)
    page.wait_for_function("document.querySelector('.holds').textContent.startsWith('3 units')")
    tab_to(page, "Split off")
    said(page, "Split")
    assert "moved 3" in asked_of_python(page)
    page.locator(".stage").focus()
    page.keyboard.press("Control+z")
    said(page, "Undone: split off")
    assert "moved 0" in asked_of_python(page)
    page.locator(".stage").focus()
    page.keyboard.press("Control+y")
    said(page, "Done again: split off")
    assert "moved 3" in asked_of_python(page)
    page.locator(".stage").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("document.querySelector('.holds').textContent.startsWith('4 units')")
    tab_to(page, "Merge")
    said(page, "Merge")
    assert "steps ['split off', 'merge'] {'Ada'}" in asked_of_python(page)


def test_tables_say_what_the_map_shows_and_select(page):
    page.get_by_text("The map as tables").click()
    page.locator(".books tbody tr").nth(29).wait_for()
    assert page.locator(".books tbody tr").count() == 30
    row = page.locator(".books tbody tr").first
    units = int(row.locator("td").first.inner_text().replace(",", ""))
    row.get_by_role("button").click()
    page.wait_for_function(f"document.querySelector('.holds').textContent.startsWith('{units} unit')")
    assert page.locator(".books table").nth(1).locator("tbody tr").count() == units
    page.get_by_text("The map as tables").click()


@pytest.mark.parametrize("light", ["true", "false"])
def test_axe_finds_nothing_in_the_map(page, light):
    page.evaluate(f"document.body.dataset.jpThemeLight = '{light}'")
    page.get_by_text("The map as tables").click()
    found = Axe().run(page, context=".tl-map")
    page.get_by_text("The map as tables").click()
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert found.violations_count == 0, found.generate_report()


def test_nothing_was_asked_of_the_world_and_nothing_complained(opened, lab):
    _, asked, said = opened
    strange = [url for url in asked if not url.startswith((lab[0], "data:", "blob:"))]
    assert strange == []
    assert said == []
