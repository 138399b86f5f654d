"""The page leadership reads: numbers -> template -> one self-contained file, and the numbers beside it."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from babel.dates import format_date
from markupsafe import Markup

from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say, spoken, term
from territory_lab.charts.tables import table
from territory_lab.files import write_whole
from territory_lab.reporting.numbers import Numbers
from territory_lab.reporting.page import Section, write_page
from territory_lab.reporting.telling import Teller, decision, key_numbers, near_best, territories, told

TERMS: Mapping[str, str] = {
    "relieves": term("its old territory carries too much"),
    "fills": term("its new territory has too little"),
    "nearer": term("the new home is nearer"),
    "balances": term("makes room for other moves"),
    "balance": term("more even territories"),
    "travel": term("less time on the road"),
    "disruption": term("customers who lose their rep"),
    "total": term("In all"),
    "strong": term("strong"),
    "troubled": term("in trouble"),
    "as expected": term("within chance"),
    "outside": term("Territories beyond the tolerance"),
    "heaviest": term("Heaviest workload, off its share"),
    "mean_km": term("Mean distance to the work (km)"),
    "moved": term("Workload that changes hands"),
    "gain": term("Expected gain in sales"),
    "gain_low": term("The same, low end"),
    "gain_high": term("The same, high end"),
    "at_risk": term("Margin at risk, a year"),
    "this": term("this plan"),
    "other": term("the other plan"),
    "neither": term("neither"),
    "these homes": term("these homes"),
    "these centres": term("these centres"),
    "any centres": term("any centres"),
    "all": term("All"),
    "another district": term("another district"),
    "sector": term("Sector"),
    "employees": term("Employees"),
    "density": term("Density"),
    "revenue": term("Revenue"),
    "median_income": term("Median income"),
    "upsell": term("More of the same"),
    "cross_sell": term("Something new"),
    "visit": term("visit"),
    "call": term("call"),
    "today": term("today"),
    "as proposed": term("as proposed"),
    "this plan": term("this plan"),
    "solved": term("solved"),
    "not found in time": term("not found in time"),
    "proven impossible": term("proven impossible"),
    "average in everything": term("average in everything"),
    "as elsewhere": term("as elsewhere"),
    "the national plan": term("Nothing sets these regions apart: the national plan serves."),
}
FACTORS: Mapping[str, str] = {
    "establishments": term("number of firms"),
    "mean size": term("size of firms"),
    "goods share": term("share of goods"),
    "held share": term("share held"),
    "growth": term("growth"),
    "win rate": term("share of deals won"),
    "cycle days": term("length of deals"),
    "density": term("density"),
    "median income": term("income"),
    "price realisation": term("prices kept"),
    "competitor share": term("share of the rival"),
}
_SPOKEN_COLUMNS = frozenset(
    {"reason", "verdict", "play", "part", "region", "channel", "from", "to", "trait", "advice", "description", "status"}
)


def sections(numbers: Numbers, audience: str) -> list[Section]:
    """
    Choose what is told, in the order of the story.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.
    audience : str
        board, manager, rep or full.

    Returns
    -------
    list of Section
        Those whose numbers are there.
    """
    story = (
        ("change", say("What changes"), ("territories.proposed",)),
        ("gain", say("What it brings, what it costs"), ("evaluation.lift",)),
        ("fair", say("How fair it is"), ("territories.proposed",)),
        ("proof", say("How good the plan is"), ("territories.facts.objective",)),
        ("compare", say("Against the other plan"), ("compare.rows",)),
        ("accounts", say("Your accounts"), ("own.accounts",)),
        ("actions", say("What to do next"), ("own.actions",)),
        ("route", say("Your round"), ("own.route",)),
        ("quota", say("Your quota"), ("own.quota",)),
        ("market", say("How much there is to sell"), ("tam.totals",)),
        ("customers", say("Who buys"), ("icp.profile",)),
        ("room", say("Where the room is"), ("tam.room",)),
        ("next", say("Who will buy next"), ("propensity.cards",)),
        ("plays", say("What to do where"), ("tam.plays",)),
        ("people", say("How many people, with what quota"), ("resources.quotas", "resources.headcount")),
        ("risks", say("Risks, and what we do not know"), ("evaluation.performance", "off")),
        ("made", say("How it was made"), ("meta",)),
    )
    told_to = {
        "board": {"change", "gain", "fair", "proof", "made"},
        "manager": {"change", "fair", "people", "risks", "made"},
        "rep": {"accounts", "actions", "route", "quota", "made"},
    }
    tell = Teller(numbers)
    return [
        Section(anchor, title)
        for anchor, title, parts in story
        if anchor in told_to.get(audience, {anchor}) and any(tell.find(part) for part in parts)
    ]


def report(
    numbers: Numbers,
    path: Path | str,
    figures: Mapping[str, Picture] | None = None,
    *,
    audience: str = "full",
    live: Markup | None = None,
) -> Path:
    """
    Write a report in the language that is spoken, see :func:`territory_lab.charts.speaking`.

    Parameters
    ----------
    numbers : mapping
        As documented in :mod:`territory_lab.reporting.numbers`.
    path : path
        The HTML file; the numbers go beside it, under the same name with ``.json``.
    figures : mapping of str to Picture, optional
        From :func:`territory_lab.reporting.pictures`.
    audience : str
        board, manager, rep or full: how much is told.
    live : Markup, optional
        From :func:`territory_lab.reporting.what_if.what_if`: the map that the reader may change.

    Returns
    -------
    Path
        The HTML file.
    """
    file, tell = Path(path), Teller(numbers)
    write_whole(file.with_suffix(".json"), json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return write_page(
        "report.html.j2",
        file,
        title=f"{numbers['meta']['name']}: {say('territory plan')}",
        sections=sections(numbers, audience),
        numbers=numbers,
        audience=audience,
        tell=tell,
        find=tell.find,
        show=tell.show,
        text=lambda key: _text(tell, key),
        date=lambda key: _date(tell, key),
        said=lambda word: say(TERMS.get(word, word)),
        rows=lambda *args, **options: Markup(_rows(tell, *args, **options)),  # noqa: S704 - escaped cell by cell
        decision=decision(numbers),
        keys=key_numbers(numbers),
        near_best=near_best,
        how_many=territories(tell),
        told=told,
        figures={name: Markup(one.svg(f"fig-{name}")) for name, one in (figures or {}).items()},  # noqa: S704 - escaped there
        json_name=file.with_suffix(".json").name,
        live=live,
        map_too=live is not None,
    )


def _text(tell: Teller, key: str) -> Markup:
    """Write a text of the numbers as it stands."""
    return Markup("<span data-key='{}' data-form='text'>{}</span>").format(key, tell.find(key))


def _date(tell: Teller, key: str) -> Markup:
    """Write a day in the way of the locale."""
    day = tell.find(key)
    shown = format_date(dt.date.fromisoformat(day[:10]), "long", spoken()) if day else say("an unknown day")
    return Markup("<time data-key='{}' data-form='date'>{}</time>").format(key, shown)


def _rows(
    tell: Teller,
    key: str,
    columns: Mapping[str, str],
    caption: str,
    *,
    most: int = 10_000,
    total: bool = False,
    tolerance: float | None = None,
    shown: bool = False,
) -> str:
    """Set a table of the numbers, folded away where the story does not need it at once."""
    records = (tell.find(key) or [])[:most]
    if not records:
        return ""
    frame = pd.DataFrame(list(_translated(records)))
    caption, columns = Markup(caption).unescape(), {n: Markup(head).unescape() for n, head in columns.items()}  # noqa: S704
    currency = tell.numbers["meta"]["currency"]
    made = table(frame, columns, caption=caption, currency=currency, total=total, tolerance=tolerance, key=key)
    anchor, box = f"t-{key.replace('.', '-')}", f"<div class='wide'>{made.html}</div>"
    if shown:
        return f"<div id='{anchor}'>{box}</div>"
    word = say("Table")
    return f"<details id='{anchor}'><summary>{escape(f'{word}: {caption}')}</summary>{box}</details>"


def _translated(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Write what the program says in its own short words out in the language spoken."""
    for record in records:
        yield {
            name: _word(value) if name in _SPOKEN_COLUMNS and isinstance(value, str) else value
            for name, value in record.items()
        }


def _word(value: str) -> str:
    """Translate a short word of the program, or what a kind of region is like: high density, low growth."""
    parts = [part.partition(" ") for part in value.split(", ")]
    if all(side in {"high", "low"} for side, _, _ in parts):
        forms = {"high": say("high {factor}"), "low": say("low {factor}")}
        return ", ".join(forms[side].format(factor=say(FACTORS.get(name, name))) for side, _, name in parts)
    return say(TERMS.get(value, value))
