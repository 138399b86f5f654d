"""Pages in a real browser: they ask for nothing, complain of nothing, show the map and print whole."""

import re
import shutil
import subprocess

import pytest

from territory_lab import geography
from territory_lab.charts.tokens import TERRITORIES
from territory_lab.reporting import pictures, summary
from tests.conftest import needs

COUNT_FILLS = """(colours) => colours.map(
    (colour) => document.querySelectorAll(`svg.picture path[style*="${colour}"]`).length)"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Write a report of the states as territories."""
    units = geography.counties().set_index("unit_id")
    units["workload_h"] = units["population"] / 1000
    load = units.groupby("state")["workload_h"].sum()
    rows = [
        {"territory_id": name, "workload_h": h, "deviation_workload_h": h / load.mean() - 1} for name, h in load.items()
    ]
    meta = {"name": "Browser", "currency": "USD", "as_of": "2025-09-30", "seed": 0, "data_hash": "x"}
    facts = {"tolerance_share": 0.1}
    numbers = {"meta": meta, "territories": {"facts": facts, "today": rows, "proposed": rows[::-1]}}
    figures = pictures(numbers, units, units["state"].where(units["state"] != "KS", "NE"), units["state"])
    return summary(numbers, tmp_path_factory.mktemp("report") / "summary.html", figures)


@pytest.fixture
def opened(browser, report):
    """Open the report and keep what it asked for and what it complained of."""
    page, asked, said = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report.as_uri())
    yield page, asked, said
    page.close()


def test_a_report_asks_for_nothing_and_complains_of_nothing(opened, report):
    page, asked, said = opened
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert said == []


def test_the_map_is_painted_in_many_tints(opened):
    page, _, _ = opened
    fills = page.evaluate(COUNT_FILLS, list(TERRITORIES))
    assert sum(fills) >= 2 * 52
    assert min(fills) > 0
    box = page.locator("svg.picture").first.bounding_box()
    assert box["width"] > 600


def test_a_heading_sorts_its_table_by_keyboard(opened):
    page, _, _ = opened
    table = page.locator("table.tl").first
    table.locator("th button").nth(1).focus()
    page.keyboard.press("Enter")
    hours = [
        float(text.replace(",", "")) for text in table.locator("tbody tr:not(.total) td:nth-child(2)").all_inner_texts()
    ]
    assert hours == sorted(hours, reverse=True)
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_spills_over_the_edge(opened, width):
    page, _, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_print_repeats_headings_and_keeps_every_row(opened, tmp_path, paper):
    page, _, _ = opened
    needs(shutil.which("pdftotext"), "pdftotext")
    page.pdf(path=tmp_path / "report.pdf", format=paper)
    command = ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own file
    pages = [part for part in text.split("\f") if re.search(r"^ *[A-Z]{2} +[\d,]+ ", part, re.MULTILINE)]
    assert len(pages) > 1
    assert all("Workload proposed" in part for part in pages)
    states = set(re.findall(r"^ *([A-Z]{2}) +[\d,]+ ", text, re.MULTILINE))
    assert len(states) == 52
