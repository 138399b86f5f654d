"""A report in a real browser: it asks for nothing, can be read by everybody, sorts by keyboard and prints whole."""

import html
import io
import json
import re
import shutil
import subprocess
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from territory_lab import geography
from territory_lab.charts import speaking
from territory_lab.charts.tokens import TERRITORIES
from territory_lab.charts.words import band, count, money, number, percent
from territory_lab.reporting import gather, pictures, report
from territory_lab.reporting.paper import pdf
from territory_lab.results import Result
from tests.conftest import needs
from tests.reporting.conftest import NASTY

COUNT_FILLS = """(colours) => colours.map(
    (colour) => document.querySelectorAll(`svg.picture path[style*="${colour}"]`).length)"""
LOOKS = {"light": ("screen", "light"), "dark": ("screen", "dark"), "print": ("print", "light")}
FORMS = {
    "count": count,
    "money": money,
    "number": number,
    "heads": lambda x: number(x, 2),
    "percent": percent,
    "size": lambda x: percent(abs(x)),
    "signed": lambda x: percent(x, signed=True),
}


@pytest.fixture(scope="module")
def units():
    """Take the counties, their people as work."""
    counties = geography.counties().set_index("unit_id")
    return counties.assign(workload_h=counties["population"] / 1000)


@pytest.fixture(scope="module")
def report_file(units, tmp_path_factory):
    """Write a report of the states as territories, one of them with a hostile name."""
    today = units["state"].where(units["state"] != "KS", "NE")
    return fabricated(units, today, units["state"].replace({"WY": NASTY}), tmp_path_factory.mktemp("report"))


def fabricated(units, today, proposed, folder):
    """Write a report of an alignment, without a workspace."""
    tables = {}
    for name, owner in {"today": today, "proposed": proposed}.items():
        load = units.groupby(owner)["workload_h"].agg(workload_h="sum", units="size").rename_axis("territory_id")
        off = load["workload_h"] / load["workload_h"].mean() - 1
        tables[name] = load.assign(deviation_workload_h=off, mean_km=100.5, customers=10, revenue=5e5, potential=9e5)
    fairness = tables["proposed"][["deviation_workload_h"]].set_axis(["deviation_workload"], axis=1)
    accounts = pd.DataFrame(
        {"name": [NASTY, "😀" * 150], "spend": [5e4, 3e4], "from": ["NE", "NE"], "to": ["KS", "KS"]}
    )
    moves = pd.DataFrame({"from": ["NE"], "to": ["KS"], "units": [105], "workload_h": [2900.0], "revenue": [2e6]})
    lift = pd.DataFrame(
        {"part": ["balance", "total"], "value": [0.02, 0.02], "low": [0.01, 0.01], "high": [0.03, 0.03]}
    )
    facts = {"tolerance_share": 0.1, "moved_workload_h": 0.01, "moved_units": 0.03, "gap": 0.02, "objective": 1.0}
    facts |= {"bound_scope": "these homes", "mean_km": 100.5, "violations": 0}
    frames = tables | {"fairness": fairness, "key_accounts": accounts, "moves": moves}
    results = {"territories": Result(frames, facts), "evaluation": Result({"lift": lift}, {"sales": 5e7})}
    meta = {
        "name": "A company whose name takes more than one line on paper",
        "currency": "USD",
        "as_of": "2025-09-30",
        "seed": 0,
        "data_hash": "x",
    }
    numbers = gather(results, meta | {"scenario": {"name": "proposal"}})
    drawn = pictures(numbers, units, today, proposed)
    return report(numbers, folder / "report.html", drawn)


@pytest.fixture
def opened(browser, report_file):
    """Open the report and keep what it asked for and what it complained of."""
    page, asked, said = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report_file.as_uri())
    yield page, asked, said
    page.close()


def test_a_report_asks_for_nothing_and_complains_of_nothing(opened, report_file):
    page, asked, said = opened
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [report_file.as_uri()]
    assert said == []


def test_the_policy_is_in_force(opened):
    page, _, said = opened
    page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'https://example.org/x'}))")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in line for line in said)


@pytest.mark.parametrize(("look", "width"), [*((look, 1280) for look in LOOKS), ("light", 390), ("dark", 390)])
def test_everybody_can_read_it(browser, report_file, look, width):
    media, scheme = LOOKS[look]
    size = {"width": width, "height": 900}
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=size)  # axe is put into the page
    page = context.new_page()
    page.emulate_media(media=media, color_scheme=scheme)
    page.goto(report_file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found] == []
    context.close()


def test_every_number_of_the_text_is_the_one_in_the_json(opened, report_file):
    page, _, _ = opened
    numbers = json.loads(report_file.with_suffix(".json").read_text("utf-8"))

    def at(key: str) -> object:
        place = numbers
        for part in key.split("."):
            place = place[int(part)] if isinstance(place, list) else place[part]
        return place

    shown = page.eval_on_selector_all(
        "span[data-key]", "(all) => all.map((x) => ({...x.dataset, text: x.textContent}))"
    )
    assert len(shown) > 15
    written: dict[tuple[str, str], set[str]] = {}
    for one in shown:
        value = at(one["key"])
        if one["form"] == "text":
            assert one["text"] == str(value)
            continue
        form = FORMS[one["form"]]
        ends = [value[end] for end in one["band"].split()] if "band" in one else [value]
        assert one["text"] == (band(*ends, form) if "band" in one else form(value)), one
        written.setdefault((one["key"], one.get("band", "")), set()).add(one["text"].lstrip("+"))
    assert all(len(texts) == 1 for texts in written.values())
    cells = page.eval_on_selector_all(
        "table[data-key] tbody tr[data-row] td",
        """(all) => all.map((x) => [x.closest('table').dataset.key, x.parentNode.dataset.row,
            x.closest('table').tHead.rows[0].cells[x.cellIndex].dataset.col, x.dataset.v ?? null])""",
    )
    assert len(cells) > 300
    for key, row, column, value in cells:
        held = at(f"{key}.{row}").get(column)
        assert (value is None) == (held is None or isinstance(held, str))
        assert value is None or float(value) == pytest.approx(held, rel=1e-8)
    sums = page.eval_on_selector_all(
        "table[data-key] tr.total td[data-v]",
        """(all) => all.map((x) => [x.closest('table').dataset.key,
            x.closest('table').tHead.rows[0].cells[x.cellIndex].dataset.col, x.dataset.v])""",
    )
    assert len(sums) > 5
    for key, column, value in sums:
        assert float(value) == pytest.approx(sum(row[column] for row in at(key)), rel=1e-8)
    loose = page.evaluate(
        """() => { const main = document.querySelector('main').cloneNode(true);
            main.querySelectorAll('svg, [data-key]').forEach((x) => x.remove()); return main.textContent; }"""
    )
    assert re.findall(r"\d+", loose) == []


def test_a_map_writes_the_names_of_territories_and_no_number(opened, report_file):
    page, _, _ = opened
    held = json.loads(report_file.with_suffix(".json").read_text("utf-8"))["territories"]
    names = {row["territory_id"] for name in ("today", "proposed") for row in held[name]}
    written = page.eval_on_selector_all("svg[aria-labelledby^=fig-map] text", "(all) => all.map((x) => x.textContent)")
    assert len(written) > 3 * 40
    assert set(written) <= names


def test_the_map_is_painted_in_many_tints(opened):
    page, _, _ = opened
    fills = page.evaluate(COUNT_FILLS, list(TERRITORIES))
    assert sum(fills) >= 2 * 52
    assert min(fills) > 0
    picture = page.locator("svg[aria-labelledby=fig-map_proposed]").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    coloured = pixels.max(axis=2) - pixels.min(axis=2) > 15
    assert coloured.mean() > 0.2
    assert len(np.unique(pixels[coloured] // 16, axis=0)) > 8


def test_the_keyboard_reaches_text_tables_and_sorting(opened):
    page, _, _ = opened
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "top"
    page.locator("figure a[href='#t-territories-proposed']").first.focus()
    page.keyboard.press("Enter")
    table = page.locator("table[data-key='territories.proposed']")
    table.wait_for(state="visible")
    table.locator("th button").nth(2).focus()
    page.keyboard.press("Enter")
    hours = [
        float(cell)
        for cell in table.locator("tbody tr:not(.total) td:nth-child(3)").evaluate_all(
            "(all) => all.map((x) => x.dataset.v)"
        )
    ]
    assert hours == sorted(hours, reverse=True)
    assert table.locator("th").nth(2).get_attribute("aria-sort") == "descending"


def test_hostile_names_are_text_and_long_ones_are_cut(opened):
    page, _, _ = opened
    names = page.locator("table[data-key='territories.key_accounts'] td:first-child")
    assert NASTY.startswith(names.nth(0).inner_text().rstrip("…"))
    assert len(names.nth(1).inner_text()) < 100
    assert page.locator("[onmouseover]").count() == 0


@pytest.mark.parametrize(("count", "most"), [(1, 1.5e6), (30, 1.5e6), (300, 3e6)])
def test_a_page_stays_within_its_budget(units, tmp_path, count, most):
    today, proposed = (nearest(units, count, seed) for seed in (0, 1))
    assert proposed.nunique() == count
    assert fabricated(units, today, proposed, tmp_path).stat().st_size < most


def nearest(units, count, seed):
    """Give each unit to the nearest of some units drawn by lot."""
    seats = units.sample(count, random_state=seed)
    away = (units[["lon"]].to_numpy() - seats["lon"].to_numpy()) ** 2
    away += (units[["lat"]].to_numpy() - seats["lat"].to_numpy()) ** 2
    return pd.Series([f"T{i:03}" for i in away.argmin(axis=1)], index=units.index)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_spills_over_the_edge(opened, width):
    page, _, _ = opened
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_words_in_charts_and_maps_are_large_enough_on_a_phone(opened):
    page, _, _ = opened
    page.set_viewport_size({"width": 390, "height": 900})
    sizes = page.eval_on_selector_all(
        "svg.picture text",
        "(all) => all.map((x) => x.getScreenCTM().a * parseFloat(getComputedStyle(x).fontSize))",
    )
    assert min(sizes) >= 9


def test_the_pdf_is_tagged_and_outlined_by_its_headings(opened, report_file):
    page, _, _ = opened
    needs(shutil.which("pdftohtml"), "pdftohtml")
    printed = str(pdf(report_file))
    tagged, parts, outline = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own file
        for command in (
            ["pdfinfo", printed],
            ["pdfinfo", "-struct", printed],
            ["pdftohtml", "-xml", "-i", "-stdout", printed],
        )
    )
    assert re.search(r"Tagged: +yes", tagged)
    counted = Counter(re.findall(r"^ *(H[123]|Figure|Table|TH)\b", parts, re.MULTILINE))
    shown = page.evaluate("(tags) => tags.map((tag) => document.querySelectorAll(tag).length)", ["h1", "h2", "table"])
    assert [counted[tag] for tag in ("H1", "H2", "Table")] == shown
    assert counted["Figure"] >= page.locator("svg.picture").count()
    assert counted["TH"] >= shown[2]
    headings = page.eval_on_selector_all("h1, h2, h3", "(all) => all.map((x) => x.textContent)")
    assert [html.unescape(text) for text in re.findall(r"<item [^>]*>(.*)</item>", outline)] == headings


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_print_opens_the_tables_repeats_headings_and_keeps_every_row(opened, tmp_path, paper):
    page, _, _ = opened
    needs(shutil.which("pdftotext"), "pdftotext")
    page.pdf(path=tmp_path / "report.pdf", format=paper)
    command = ["pdftotext", "-layout", str(tmp_path / "report.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own file
    row = re.compile(r"^ *([A-Z]{2}) +[\d,]+ +[\d,]+ +[\d,]+ +[\d,.]+", re.MULTILINE)
    pages = [part for part in text.split("\f") if row.search(part)]
    assert len(pages) > 1
    assert all("Places" in part for part in pages)
    assert len(set(row.findall(text))) >= 51


def test_a_page_in_russian_says_so(report_file, tmp_path):
    numbers = json.loads(report_file.with_suffix(".json").read_text("utf-8"))
    with speaking("ru"):
        text = report(numbers, tmp_path / "ru.html").read_text("utf-8")
    assert '<html lang="ru">' in text
    assert "Что меняется" in text
    assert "What changes" not in text
