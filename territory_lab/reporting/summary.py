"""The page leadership reads: numbers -> template -> one self-contained file, and the numbers beside it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from territory_lab.charts.words import MISSING, band, percent
from territory_lab.files import write_whole
from territory_lab.reporting.numbers import CARRIED, Numbers, decision, key_numbers
from territory_lab.reporting.page import Section, write_page

# The order of the story; a section is told where one of its parts is there.
_STORY = (
    ("change", "What changes", {"map_change", "map_proposed", "territories.moves"}),
    ("proof", "How good the plan is", {"territories.verdict", "territories.broken"}),
    ("gain", "What it brings", {"evaluation.lift"}),
    ("fair", "How fair it is", {"territories.proposed"}),
    ("customers", "Who buys", {"icp.profile"}),
    ("market", "How much there is to sell", {"tam.totals"}),
    ("next", "Who will buy next", {"propensity.cards"}),
    ("people", "How many people, with what quota", {"resources.headcount"}),
    ("performance", "How today's territories do", {"evaluation.performance"}),
)


def summary(numbers: Numbers, path: Path | str, figures: Mapping[str, str] | None = None) -> Path:
    """
    Write the summary for leadership.

    Parameters
    ----------
    numbers : mapping
        As documented in :mod:`territory_lab.reporting.numbers`.
    path : path
        The HTML file; the numbers go beside it, under the same name with ``.json``.
    figures : mapping of str to str, optional
        ``<svg>`` elements from :func:`territory_lab.reporting.pictures`.

    Returns
    -------
    Path
        The HTML file.
    """
    file, drawn = Path(path), dict(figures or {})
    told = {name for step, part in numbers.items() if isinstance(part, Mapping) for name in _named(step, part)} | set(
        drawn
    )
    sections = [Section(anchor, title) for anchor, title, parts in _STORY if parts & told]
    write_whole(file.with_suffix(".json"), json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    steps = {
        step: {"facts": {}, "cards": {}} | {name: [] for name in names} | numbers.get(step, {})
        for step, names in CARRIED.items()
    }
    return write_page(
        "summary.html.j2",
        file,
        title=f"{numbers['meta']['name']}: territory plan",
        sections=[*sections, Section("made", "How it was made")],
        numbers={"off": {}, **numbers, **steps},
        currency=numbers["meta"]["currency"],
        decision=decision(numbers),
        keys=key_numbers(numbers),
        gain=_gain(numbers),
        side_by_side=_side_by_side(numbers),
        figures={name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 - drawn and escaped by charts
        json_name=file.with_suffix(".json").name,
    )


def _named(step: str, part: Mapping[str, Any]) -> set[str]:
    """Name the filled tables of a step."""
    return {f"{step}.{name}" for name, value in part.items() if value}


def _side_by_side(numbers: Numbers) -> list[dict[str, Any]]:
    """Lay today's figures beside the proposed ones, by territory."""
    today, proposed = (numbers.get("territories", {}).get(name) or [] for name in ("today", "proposed"))
    was = {row["territory_id"]: {f"{name}_today": value for name, value in row.items()} for row in today}
    return [row | was.get(row["territory_id"], {}) for row in proposed]


def _gain(numbers: Numbers) -> list[dict[str, object]]:
    """Write the parts of the expected gain, with what they come to in money."""
    step = numbers.get("evaluation", {})
    sales = step.get("facts", {}).get("sales", math.nan)
    return [
        {
            "part": row["part"],
            "share": row["value"],
            "band": band(row["value"], row["low"], row["high"], percent).partition("(")[2].rstrip(")") or MISSING,
            "value": sales * row["value"],
        }
        for row in step.get("lift") or []
    ]
