"""`territory-lab demo` as a newcomer runs it, and every page it leaves opened in a real browser."""

import html
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pptx
import pytest
from PIL import Image

from territory_lab import shipped
from tests.conftest import needs

PAGES = ["1_icp", "2_tam", "3_propensity", "4_territories", "5_resources", "6_evaluation", "summary"]
LETTER_PX = 720  # 7.5 inches of text at 96 dots


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run the demo once in an empty folder; give the folder and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-c", "from territory_lab.cli import main; main()", "demo"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert ran.returncode == 0, ran.stderr
    return folder, ran.stdout


def test_it_says_where_the_pages_are_and_the_five_numbers_that_matter(demo):
    folder, said = demo
    lines = said.splitlines()
    assert lines[:7] == [f"reports/{page}.html" for page in PAGES]
    assert all((folder / line).is_file() for line in lines[:7])
    assert len(lines[7:]) == 5
    assert all(re.search(r": .*\d", line) for line in lines[7:])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_complains_of_nothing_and_fits_the_paper(demo, browser, name):
    file = demo[0] / "reports" / f"{name}.html"
    page, asked, said = browser.new_page(viewport={"width": 1280, "height": 900}), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert said == []
    assert page.locator("svg.picture").count() > 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": LETTER_PX, "height": 900})
    right = "Math.max(0, ...[...document.querySelectorAll('table, svg')].map((x) => x.getBoundingClientRect().right))"
    assert page.evaluate(right) <= LETTER_PX
    page.close()


@pytest.mark.parametrize(
    ("name", "map_of"),
    [
        ("4_territories", "aria-label*='Units by territory'"),
        ("summary", "aria-labelledby=fig-map_proposed"),
        ("summary", "aria-labelledby=fig-map_change"),
    ],
)
def test_maps_are_painted_in_colour(demo, browser, name, map_of):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((demo[0] / "reports" / f"{name}.html").as_uri())
    picture = page.locator(f"svg.picture[{map_of}]").first.screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
    coloured = pixels.max(axis=2) - pixels.min(axis=2) > 15
    assert coloured.mean() > 0.1
    assert len(np.unique(pixels[coloured] // 16, axis=0)) > 8
    page.close()


def test_the_printed_summary_holds_every_territory_of_its_numbers(demo, browser):
    needs(shutil.which("pdftotext"), "pdftotext")
    reports = demo[0] / "reports"
    page = browser.new_page()
    page.goto((reports / "summary.html").as_uri())
    page.pdf(path=reports / "summary.pdf", format="Letter")
    page.close()
    command = ["pdftotext", "-layout", str(reports / "summary.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own file
    numbers = json.loads((reports / "summary.json").read_text(encoding="utf-8"))
    for row in numbers["territories"]["proposed"]:
        shown = f"{float(format(row['workload_h'], '.3g')):,.0f}"  # as the tables write it: three significant digits
        assert re.search(rf"^ *{row['territory_id']} .* {shown} ", text, re.MULTILINE), row
    assert (reports / "summary.html").stat().st_size < 1.5e6


@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_the_board_reads_two_pages(demo, browser, tmp_path, paper):
    needs(shutil.which("pdfinfo"), "pdfinfo")
    page = browser.new_page()
    page.goto(command("report", demo, "--audience", "board").as_uri())
    page.pdf(path=tmp_path / "board.pdf", format=paper)
    page.close()
    told = subprocess.run(["pdfinfo", str(tmp_path / "board.pdf")], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    assert re.search(r"Pages: +2\n", told)


def test_a_rep_finds_the_own_accounts_and_nothing_of_others(demo):
    page = command("report", demo, "--audience", "rep", "--for", "T05")
    results = demo[0] / "demo" / "results" / "territories"
    accounts = pd.read_parquet(results / "accounts.parquet")
    owner = accounts["unit_id"].map(pd.read_parquet(results / "alignment.parquet")["territory_id"])
    names = pd.read_parquet(shipped.data("sample", "accounts.parquet")).set_index("account_id")["name"]
    own, others = (set(names[owner.index[owner == "T05"]]), set(names[owner.index[owner != "T05"]]))
    for file in (page, page.with_suffix(".json")):
        text = html.unescape(file.read_text("utf-8"))
        assert all(name in text for name in own)
        assert [name for name in others - own if f">{name}<" in text or f'"{name}"' in text] == []
        assert re.search(r"\bT0[1-46-9]\b|\bT[123]\d\b", text) is None


def test_a_manager_finds_the_own_district_and_nothing_of_others(demo):
    page = command("report", demo, "--audience", "manager", "--for", "M1")
    districts = pd.read_parquet(demo[0] / "demo" / "results" / "territories" / "districts.parquet")["manager_id"]
    for file in (page, page.with_suffix(".json")):
        named = set(re.findall(r"\bT\d\d\b", file.read_text("utf-8")))
        assert named == set(districts.index[districts == "M1"])


def test_the_report_comes_as_pdf_workbook_and_slides(demo):
    needs(shutil.which("pdfinfo"), "pdfinfo")
    page = command("report", demo, "--compare", "today", "--pdf", "--xlsx", "--pptx")
    told = subprocess.run(["pdfinfo", str(page.with_suffix(".pdf"))], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    assert re.search(r"Tagged: +yes", told)
    slides = pptx.Presentation(str(page.with_suffix(".pptx"))).slides
    assert len(slides) == 6
    assert all(slide.shapes.title.text for slide in slides)
    assert len(openpyxl.load_workbook(page.with_suffix(".xlsx")).sheetnames) > 15


def command(name, demo, *options):
    """Run a command on the demo's workspace and give the page it names first."""
    call = [sys.executable, "-c", "from territory_lab.cli import main; main()", name, str(demo[0] / "demo"), *options]
    ran = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    assert ran.returncode == 0, ran.stderr
    return Path(ran.stdout.splitlines()[0])


def test_the_demo_plan_keeps_every_limit_near_the_best(demo):
    step = json.loads((demo[0] / "demo" / "results" / "territories" / "facts.json").read_text(encoding="utf-8"))
    assert step["facts"]["violations"] == 0
    assert step["facts"]["gap"] < 0.1


def test_the_demo_finds_what_was_planted_in_the_sample(demo):
    results = demo[0] / "demo" / "results"
    truth = json.loads(shipped.data("sample", "truth.json").read_text(encoding="utf-8"))
    weights = pd.read_parquet(results / "icp" / "weights.parquet")
    assert set(weights.loc[weights["chosen"], "trait"]) == {"sector", "employees", "density"}
    assert truth["decoy"] not in set(weights.loc[weights["chosen"], "trait"])
    over = pd.read_parquet(results / "propensity" / "metrics.parquet").xs("auc_over_base", level="metric")
    assert (over["low"] > 0).all()
    orders = pd.read_parquet(shipped.data("sample", "orders.parquet"))
    listed = pd.read_parquet(results / "propensity" / "propensity.parquet")
    chance = listed[listed["product_id"] == truth["affinity"]["then"]].set_index("account_id")["probability"]
    owners = orders.loc[orders["product_id"] == truth["affinity"]["owns"], "account_id"].unique()
    assert chance[chance.index.isin(owners)].mean() > 1.5 * chance[~chance.index.isin(owners)].mean()
