"""Every number written in a picture stands in the JSON, is the scale's own, or is part of a name."""

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from territory_lab.charts.words import MINUS, SPACE, band, money, number, percent
from territory_lab.reporting import pictures, report

EXAMPLE = Path(__file__).parents[2] / "reports" / "example" / "report-proposal-full.json"
SVG = re.compile(r'<svg class="picture"[^>]* aria-labelledby="fig-(\w+)".*?</svg>', re.DOTALL)
UNITS = {"": 1.0, "%": 0.01, "\u00d7": 1.0, "k": 1e3, "M": 1e6, "B": 1e9}


@pytest.fixture(scope="module")
def example():
    """Read the numbers of the sample company's report."""
    return json.loads(EXAMPLE.read_text("utf-8"))


@pytest.fixture(scope="module")
def drawn(example):
    """Draw the charts of the example; its maps need places, which its numbers do not hold."""
    return pictures(example)


@pytest.fixture(scope="module")
def shown(example, drawn, tmp_path_factory):
    """Write the page and give the texts of each picture in it."""
    page = report(example, tmp_path_factory.mktemp("traced") / "report.html", drawn).read_text("utf-8")
    return {found[1]: texts(found[0]) for found in SVG.finditer(page)}


def texts(svg):
    """List the texts of one picture that hold a digit."""
    every = ("".join(one.itertext()) for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))  # noqa: S314 - our own
    return [text for text in every if re.search(r"\d", text)]


def scales(picture):
    """List each tick's label with its place, where the label is a number."""
    for ax in picture.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_visible():
                for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
                    if re.fullmatch(rf"[+{MINUS}]?\$?[\d,.]+{SPACE}?[%\u00d7kMB]?", label.get_text()):
                        yield label.get_text(), place


def read(label):
    """Read a number as people do."""
    sign, figures, unit = re.fullmatch(rf"([+{MINUS}]?)\$?([\d,.]+){SPACE}?(\D?)", label).groups()
    return float(figures.replace(",", "")) * UNITS[unit] * (-1 if sign == MINUS else 1)


def names(numbers):
    """Collect every text of the numbers."""
    if isinstance(numbers, str):
        return {numbers}
    held = numbers.values() if isinstance(numbers, dict) else numbers if isinstance(numbers, list) else []
    return set().union(*map(names, held))


def written(numbers):
    """Say which numbers each picture writes beside its marks, taken from the JSON."""
    tam, sizing = numbers["tam"], numbers["resources"]["sizing"]
    sectors = sorted(tam["sectors"], key=lambda row: -row["tam"])
    rest = sectors[12:]
    best = max(sizing, key=lambda row: row["profit"])
    today = next(row for row in sizing if row["territories"] == numbers["resources"]["facts"]["reps_today"])
    reached = {
        f"gains_{kind}": next(
            row["share_reached"] for row in card["gains"] if row["share_worked"] == pytest.approx(0.2)
        )
        for kind, card in numbers["propensity"]["cards"].items()
    }
    return {
        "pareto": [percent(numbers["icp"]["facts"]["top_fifth_share"])],
        "funnel": [band(row["value"], row["low"], row["high"], money) for row in tam["totals"]],
        "sectors": [
            *(band(row["tam"], row["tam_low"], row["tam_high"], money) for row in sectors[:12]),
            f"other ({len(rest)})",
            money(sum(row["tam"] for row in rest)),
        ],
        "room": [
            band(row["white_space"], row["white_space_low"], row["white_space_high"], money) for row in tam["room"]
        ],
        "quotas": [money(row["quota"]) for row in numbers["resources"]["quotas"]],
        "sizing": [
            f"best: {best['territories']}, {money(best['profit'])}",
            f"today: {today['territories']}, {money(today['profit'])}",
        ],
        "frontier": [
            f"{'today' if row['status'] == 'today' else percent(row['moved_share'])}: {number(row['mean_km'])} km"
            for row in numbers["trade_off"]["frontier"]
            if row["gain_share"] is not None
        ],
        "lift": [],
        "performance": [],
        "fairness": [],
        **{name: [percent(share)] for name, share in reached.items()},
    }


def test_every_chart_of_the_example_is_traced(example, shown):
    assert set(shown) == set(written(example))
    assert all(shown.values())


def test_every_number_in_a_picture_stands_in_the_json_or_on_the_scale_or_in_a_name(example, drawn, shown):
    known = names(example)
    for name, expected in written(example).items():
        loose = Counter(shown[name])
        assert not Counter(expected) - loose, name
        loose -= Counter(expected)
        loose -= Counter(label for label, _ in scales(drawn[name]))
        for text in loose:
            part = text.split(": ", 1)[-1]
            cut = [whole for whole in known if part.endswith("…") and whole.startswith(part[:-1])]
            assert part in known or cut, (name, text)


def test_every_number_on_a_scale_is_its_place(drawn):
    ticks = [(name, *tick) for name, picture in drawn.items() for tick in scales(picture)]
    assert len(ticks) > 40
    for name, label, place in ticks:
        assert read(label) == pytest.approx(place, rel=5e-3, abs=5e-4), (name, label)
