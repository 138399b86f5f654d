"""Sheets matched to a layout: which table, which columns, and what those that are not known look like."""

import re
from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process

from territory_lab.crm.layout import TABLES, Layout

_LIKELY = 82  # similarity (0-100) from which a name is proposed


def table_of(layout: Layout, sheet: str, columns: Iterable[str]) -> str:
    """Say which table a sheet holds."""
    stem, columns = plain(re.sub(r"^.*:|\.\w+$", "", sheet)), list(columns)
    called = {plain(alias): name for name, table in layout.tables.items() for alias in [*table.files, name]}
    if exact := called.get(stem.rstrip("0123456789")) or called.get(stem):
        return exact
    full = {name for name in layout.tables if not lacking(layout, name, match(layout, name, columns))}
    inside = [alias for alias in called if alias in stem and called[alias] in full]
    if inside:
        return called[max(inside, key=len)]
    found = {name: len(match(layout, name, columns)) for name in full}
    best = [name for name, count in found.items() if count == max(found.values())]
    return best[0] if len(best) == 1 else ""


def match(layout: Layout, table: str, columns: Iterable[str]) -> dict[str, str]:
    """Find our columns in a header."""
    there = {plain(column): column for column in reversed(list(columns))}
    found = {}
    for ours, names in layout.tables[table].columns.items():
        for name in [*names, ours]:
            parts = [there.get(plain(part)) for part in name.split(" + ")]
            if all(parts):
                found[ours] = " + ".join(filter(None, parts))
                break
    return found


def lacking(layout: Layout, table: str, found: Mapping[str, str]) -> list[str]:
    """Say which required columns are not there."""
    told = {*found, *layout.tables[table].join, *(["stage"] if {"won", "closed"} <= set(found) else [])}
    told |= {"lon", "lat"} if "geometry" in found else set()
    return [name for name, spec in TABLES[table].columns.items() if spec.required and name not in told]


def propose(
    layout: Layout, table: str, columns: Iterable[str], found: Mapping[str, str]
) -> dict[str, tuple[str, float]]:
    """Guess what columns that are not known may be."""
    used = {part for expression in found.values() for part in expression.split(" + ")}
    open_ = {ours: [*names, ours] for ours, names in layout.tables[table].columns.items() if ours not in found}
    names = [(ours, name) for ours, aliases in open_.items() for name in aliases if " + " not in name]
    spelt = [_words(name) for _, name in names]
    guesses = [
        (score, column, names[place][0])
        for column in columns
        if column not in used
        for _, score, place in process.extract(
            _words(column), spelt, scorer=fuzz.token_sort_ratio, score_cutoff=_LIKELY, limit=3
        )
    ]
    chosen: dict[str, tuple[str, float]] = {}
    for score, column, ours in sorted(guesses, key=lambda guess: -guess[0]):
        if column not in chosen and ours not in {taken for taken, _ in chosen.values()}:
            chosen[column] = (ours, round(score, 1))
    return chosen


def keep(layout: Layout, table: str, found: Mapping[str, str]) -> None:
    """Put the names that were found first, so that next month's file is read alike."""
    columns = layout.tables[table].columns
    for ours, name in found.items():
        columns[ours] = [name, *(other for other in columns.get(ours, []) if other != name)]


def plain(name: str) -> str:
    """Reduce a name to what does not change between exports."""
    return re.sub(r"[\W_]", "", name.casefold())


def _words(name: str) -> str:
    """Cut a name into words: BillingPostalCode, billing_postal_code and Billing Postal-Code are the same."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).casefold().split())
