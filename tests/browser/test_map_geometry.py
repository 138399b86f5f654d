"""The geometry of the map's scripts, run in a real browser and held against shapely."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from territory_lab.canvas.scripts import FOLDER, bundle
from tests.conftest import needs

ROOT = Path(__file__).resolve().parents[2]
LIB = "es2022,dom,dom.iterable"


@pytest.fixture(scope="module")
def page(browser):
    """Open an empty page that knows the geometry."""
    page = browser.new_page()
    script = (FOLDER / "geometry.js").read_text(encoding="utf-8")
    page.add_script_tag(content=f"{script}\nwindow.geometry = {{ inRing, Shapes }};", type="module")
    page.wait_for_function("window.geometry !== undefined")
    yield page
    page.close()


def star(rng, corners=9):
    """Draw a ring that winds once round (5, 5), in and out."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    return 5 + rng.uniform(1, 5, corners)[:, None] * np.c_[np.cos(turn), np.sin(turn)]


def shapes(rings, owners, count):
    """Write the constructor of `Shapes` for rings and the units that they belong to; the middles are of no account."""
    xy = np.concatenate(rings).ravel().tolist()
    ends = np.cumsum([len(ring) for ring in rings]).tolist()
    middles = [0.0] * 2 * count
    return (
        f"new geometry.Shapes(new Float32Array({xy}), new Uint32Array({ends}), "
        f"new Uint32Array({owners}), new Float32Array({middles}))"
    )


def scattered(middles):
    """Write the constructor of `Shapes` for units of which only the middle counts."""
    return f"new geometry.Shapes(new Float32Array(), new Uint32Array(), new Uint32Array(), new Float32Array({middles}))"


@pytest.mark.parametrize("seed", range(5))
def test_a_lasso_holds_what_shapely_says_it_holds(page, seed):
    rng = np.random.default_rng(seed)
    lasso, points = star(rng), rng.uniform(0, 10, (400, 2))
    made = scattered(points.ravel().tolist())
    found = page.evaluate(f"{made}.inside({lasso.tolist()})")
    assert found == np.flatnonzero(shapely.contains_xy(shapely.Polygon(lasso), points.astype("f4"))).tolist()


def test_a_box_holds_what_lies_between_its_corners_whichever_come_first(page):
    made = scattered([1, 1, 5, 5, 9, 2])
    assert page.evaluate(f"{made}.between([6, 0], [0, 6])") == [0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_a_point_is_found_in_the_unit_that_holds_it(page, seed):
    rng = np.random.default_rng(100 + seed)
    rings = [star(rng) + np.array([12 * unit, 0]) for unit in range(3)]
    points = rng.uniform([0, 0], [36, 10], (300, 2))
    found = page.evaluate(
        f"(() => {{ const s = {shapes(rings, [0, 1, 2], 3)};"
        f" return {points.tolist()}.map(([x, y]) => s.at(x, y)); }})()"
    )
    inside = np.array([shapely.contains_xy(shapely.Polygon(ring.astype("f4")), points) for ring in rings])
    assert found == np.where(inside.any(axis=0), inside.argmax(axis=0), -1).tolist()


def test_an_enclave_is_found_and_not_its_host(page):
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]])
    hole = np.array([[4, 4], [6, 4], [6, 6], [4, 6]])
    made = shapes([square, hole, hole], [0, 0, 1], 2)
    assert page.evaluate(f"[{made}.at(5, 5), {made}.at(1, 1), {made}.at(11, 5)]") == [1, 0, -1]


def test_arrows_lead_to_the_nearest_unit_ahead_and_stay_where_there_is_none(page):
    made = scattered([5, 5, 6, 5, 8, 5, 5, 2, 9, 9])
    asked = f"[{made}.next(0, 1, 0), {made}.next(0, 0, -1), {made}.next(0, -1, 0), {made}.next(1, 1, 0)]"
    assert page.evaluate(asked) == [1, 3, 0, 2]


def test_the_scripts_joined_are_one_module_that_imports_nothing(page):
    text = bundle()
    assert "import " not in {line[:7] for line in text.splitlines()}
    assert text.count("\nexport ") == 1
    address = "URL.createObjectURL(new Blob([text], {type: 'text/javascript'}))"
    kind = page.evaluate(f"async (text) => typeof (await import({address})).default.render", text)
    assert kind == "function"


def test_types_hold():
    compiler = shutil.which("tsc")
    needs(compiler, "tsc (Debian's node-typescript)")
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--module", "es2022"]
    command = [compiler, *options, "--lib", LIB, str(FOLDER / "widget.js"), str(FOLDER / "what_if.js")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own files
    assert ran.returncode == 0, ran.stdout


def test_the_scripts_are_formatted_and_lint_finds_nothing():
    checker = shutil.which("biome", path=f"{sys.prefix}/bin")
    needs(checker, "biome")
    ran = subprocess.run([checker, "check", str(FOLDER)], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    assert ran.returncode == 0, ran.stderr + ran.stdout
