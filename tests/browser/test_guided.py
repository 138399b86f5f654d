"""The guided journey as people walk it: seven notebooks in JupyterLab, by mouse and by keyboard, and as an app."""

import shutil
import socket
import subprocess
import sys

import pytest
from axe_playwright_python.sync_playwright import Axe

from territory_lab import shipped
from tests.browser.jupyter import answers, pixels, run_all, tinted, visit, wait
from tests.test_journey import company

NOTEBOOKS = [
    "0_start",
    "1_icp",
    "2_tam",
    "3_propensity",
    "4_territories",
    "5_resources",
    "6_evaluation",
]
BROKEN = "[data-mime-type='application/vnd.jupyter.error'], [role='alert']:not(:empty)"
IDLE = "!document.body.innerText.includes('[*]')"
A_LONG_TIME_MS = 300_000


@pytest.fixture(scope="module")
def place(lab):
    """Put a small company where JupyterLab looks."""
    address, folder = lab
    company(folder)
    return address


@pytest.fixture(autouse=True)
def without_outputs(request, lab):
    """Put the notebooks back as they ship: what JupyterLab saved of a run shows widgets that went with their kernel."""
    request.getfixturevalue("place")
    notebooks = lab[1] / "space" / "notebooks"
    shutil.copytree(shipped.notebooks(), notebooks, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))


@pytest.fixture
def page(browser):
    """Open a page that keeps what it asked for and what it complained of."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    page.close()


def ran_whole(page, address):
    """Check that a notebook ran to its end, without an error, and without asking anybody else."""
    page.wait_for_timeout(1_000)
    page.wait_for_function(IDLE, timeout=A_LONG_TIME_MS)
    assert page.locator(BROKEN).all_inner_texts() == []
    assert page.locator(".jp-OutputArea-output").count() > 0
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []
    assert page.said == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_by_mouse(place, page, name):
    visit(page, place, f"space/notebooks/{name}.ipynb")
    run_all(page)
    ran_whole(page, place)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_runs_by_keyboard(place, page, name):
    visit(page, place, f"space/notebooks/{name}.ipynb")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+Enter")
    ran_whole(page, place)


def test_a_plan_is_asked_for_kept_and_found_again_after_the_kernel_is_gone(place, page):
    visit(page, place, "space/notebooks/4_territories.ipynb")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+Enter")
    ran_whole(page, place)
    page.get_by_label("Name", exact=True).fill("Kept over night")
    page.get_by_role("button", name="Find a plan").click()
    page.get_by_text("Kept over night is on the shelf").wait_for(timeout=A_LONG_TIME_MS)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_timeout(2_000)
    ran_whole(page, place)
    page.get_by_label("Against").select_option("Kept over night")
    page.get_by_role("columnheader", name="Kept over night").wait_for(timeout=A_LONG_TIME_MS)


def painted(page):
    """Wait for a map that is not the one seen before, and check that much of it has a colour."""
    stage = page.locator(".stage[data-painted]:not([data-old])")
    stage.wait_for(timeout=A_LONG_TIME_MS)
    stage.scroll_into_view_if_needed()
    assert tinted(pixels(page)).mean() > 0.2


def test_the_map_is_painted_again_after_the_kernel_is_gone(place, page):
    visit(page, place, "space/notebooks/4_territories.ipynb")
    run_all(page)
    ran_whole(page, place)
    painted(page)
    page.evaluate("document.querySelector('.stage').dataset.old = 'yes'")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_text("Restart Kernel and Run All Cells…", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    painted(page)


def test_the_map_is_painted_in_the_app(app, page):
    page.goto(f"{app}/voila/render/4_territories.ipynb", timeout=A_LONG_TIME_MS)
    painted(page)
    assert page.said == []


@pytest.mark.parametrize("name", ["0_start", "1_icp", "3_propensity", "4_territories", "5_resources", "6_evaluation"])
def test_panels_can_be_used_by_everybody(place, page, name):
    visit(page, place, f"space/notebooks/{name}.ipynb")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+Enter")
    ran_whole(page, place)
    for number in range(page.locator(".panel").count()):
        page.locator(".panel").nth(number).scroll_into_view_if_needed()
    found = Axe().run(page, context=".panel")
    assert [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found.response["violations"]
    ] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_is_an_app(app, page, name):
    page.goto(f"{app}/voila/render/{name}.ipynb", timeout=A_LONG_TIME_MS)
    page.wait_for_function("document.querySelector('#rendered_cells')?.style.display === ''", timeout=A_LONG_TIME_MS)
    page.locator(".jp-OutputArea-output").first.wait_for(timeout=A_LONG_TIME_MS)
    assert page.locator(BROKEN).all_inner_texts() == []
    assert page.locator(".jp-InputArea-editor").count() == 0
    assert [url for url in page.asked if not url.startswith((app, "data:", "blob:"))] == []
    assert page.said == []


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """Start the notebooks as an app, as `territory-lab app` does."""
    folder = tmp_path_factory.mktemp("app")
    company(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from territory_lab.cli import main; main()"
    command = [sys.executable, "-c", start, "app", str(folder / "space"), "--port", str(port), "--no-browser"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own program
    address = f"http://127.0.0.1:{port}"
    wait(lambda: server.poll() is not None or answers(address))
    assert server.poll() is None, (folder / "log").read_text(encoding="utf-8")
    yield address
    server.terminate()
    server.wait(timeout=30)
