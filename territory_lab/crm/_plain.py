"""Cells of an export made plain in place: dates, numbers, the CRM's values, ids, and names that stand for ids."""

from collections.abc import Collection, Iterator

import pandas as pd

from territory_lab import schema
from territory_lab.crm import _values
from territory_lab.crm.layout import FILE, TABLES, Layout
from territory_lab.geography import AMERICAN
from territory_lab.reading import Kind

Raw = dict[str, pd.DataFrame]

_MONEY = {"revenue", "list_price", "amount", "quota"}
_YES = {"true", "1", "yes", "y", "wahr", "vrai", "verdadero"}


def write_plainly(raw: Raw, layout: Layout, semicolons: Collection[str]) -> tuple[str, list[str]]:
    """Do all of it; return the currency and what had to be assumed. ``semicolons``: tables of files cut by them."""
    notes = _dates(raw, layout)
    currency = _numbers(raw, layout, semicolons, notes)
    for name, frame in raw.items():
        _coded(name, frame, layout)
        if "sector" in frame:
            _sectors(name, frame, notes)
        if "postcode" in frame:
            _postcodes(name, frame, notes)
        if layout.crm == "salesforce":
            for column in frame.columns[frame.columns.str.endswith("_id")]:
                frame[column] = frame[column].map(long_id)
    _resolve(raw)
    return currency, notes


def _of_kind(raw: Raw, kind: Kind) -> list[tuple[str, str]]:
    """List the columns that hold numbers, or dates."""
    known = ((name, column, spec) for name in raw for column, spec in TABLES[name].columns.items())
    return [(name, column) for name, column, spec in known if column in raw[name] and spec.kind == kind]


def _dates(raw: Raw, layout: Layout) -> list[str]:
    """Write dates in ISO; a column that does not tell its order follows the others, and is not read if they differ."""
    orders = {(name, column): _values.date_order(raw[name][column]) for name, column in _of_kind(raw, "date")}
    told = set(orders.values()) - {"open", ""}
    usual = layout.date_order or (next(iter(told - {"mixed"}), "") if len(told) == 1 else "" if told else "mdy")
    for (name, column), order in orders.items():
        stated = layout.date_order if order in ("mixed", "open") else order
        raw[name][column] = _values.dates(raw[name][column], stated or (usual if order == "open" else ""))
    assumed = [".".join(place) for place, order in orders.items() if order == "open" and not layout.date_order]
    said = (
        f"no date tells day from month; {f'read as {usual}' if usual else 'not read'} (date_order in {FILE} states it)"
    )
    return [f"{place}: {said}" for place in assumed]


def _numbers(raw: Raw, layout: Layout, semicolons: Collection[str], notes: list[str]) -> str:
    """Write numbers plainly, those of money in one currency, which is returned."""
    there = _of_kind(raw, "number")
    money = [(name, column) for name, column in there if column in _MONEY]
    for name, column in money:
        frame = raw[name]
        if "currency" in frame:
            bare = (frame[column] != "") & (frame[column].map(_values.currency_of) == "")
            frame[column] = frame[column].where(~bare, frame["currency"].str.upper() + " " + frame[column])
    signed = [raw[name][column][~_values.plain(raw[name][column])] for name, column in money]
    signs = pd.Series([_values.currency_of(cell) for cells in signed for cell in cells], dtype="str")
    counted = signs[signs != ""].value_counts()
    currency = layout.currency or (str(counted.index[0]) if len(counted) else "USD")
    if len(counted) > 1:
        notes.append(f"amounts in {', '.join(map(str, counted.index))}: those not in {currency} are not read")
    for name, column in there:
        wanted = currency if column in _MONEY else ""
        plain, said = _values.numbers(raw[name][column], decimal_comma=name in semicolons, currency=wanted)
        raw[name][column] = plain
        notes += [f"{name}.{column}: {said}"] if said else []
    return currency


def _coded(name: str, frame: pd.DataFrame, layout: Layout) -> None:
    """Turn the CRM's values into ours, and its flags into a stage."""
    for column, ours in layout.tables[name].codes.items():
        if column in frame:
            folded = {key.casefold(): value for key, value in ours.items()}
            found = frame[column].str.casefold().map(folded).fillna(ours.get("*", frame[column]))
            frame[column] = found.where(frame[column] != "", "").astype("str")
    if {"won", "closed"} <= set(frame):
        won, closed = (frame[flag].str.casefold().isin(_YES) for flag in ("won", "closed"))
        frame["stage"] = pd.Series("open", frame.index).mask(closed, "lost").mask(won, "won").astype("str")


def _sectors(name: str, frame: pd.DataFrame, notes: list[str]) -> None:
    """Read NAICS codes of any length as their sector; what stands for none is emptied and named once."""
    sector = {part: whole for whole in schema.SECTORS for part in _span(whole)}
    found = frame["sector"].map({whole: whole for whole in schema.SECTORS} | {"": ""})
    found = found.fillna(frame["sector"].where(frame["sector"].str.fullmatch(r"[0-9]{2,6}")).str[:2].map(sector))
    for word, count in frame["sector"][found.isna()].value_counts().items():
        notes.append(f"{name}.sector: {word!r} ({count} rows) is no sector and left empty; map it in {FILE}")
    frame["sector"] = found.fillna("").astype("str")


def _span(sector: str) -> Iterator[str]:
    """Two-digit codes of a sector: 31-33 is 31, 32, 33."""
    low, _, high = sector.partition("-")
    return map(str, range(int(low), int(high or low) + 1))


def _postcodes(name: str, frame: pd.DataFrame, notes: list[str]) -> None:
    """Give American postcodes back the zeros that a spreadsheet took."""
    american = frame["country"].isin(["", *AMERICAN]) if "country" in frame else frame["postcode"] != ""
    short = american & frame["postcode"].str.fullmatch(r"[0-9]{3,4}(-[0-9]{4})?")
    if short.any():
        code, dash, more = (frame["postcode"].str.partition("-")[part] for part in range(3))
        frame["postcode"] = (code.str.zfill(5) + dash + more).where(short, frame["postcode"])
        notes.append(f"{name}.postcode: {int(short.sum())} got their leading zeros back")


def long_id(text: str) -> str:
    """Complete a 15-character Salesforce id to 18: a letter for each five says which of them are capitals."""
    if len(text) != 15 or not (text.isascii() and text.isalnum()):
        return text
    five = [text[start : start + 5] for start in (0, 5, 10)]
    bits = [sum(1 << place for place, letter in enumerate(part) if letter.isupper()) for part in five]
    return text + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bit] for bit in bits)


def _resolve(raw: Raw) -> None:
    """Replace names and e-mail addresses that stand for one row each by that row's id."""
    for name, frame in raw.items():
        links = {column: spec.refers for column, spec in TABLES[name].columns.items() if spec.refers}
        if name in ("accounts", "reps") and "territories" in raw:
            links["territory_id"] = "territories.territory_id"
        for column, refers in links.items():
            table, key = refers.split(".")
            if column in frame and key in raw.get(table, ()):
                unknown = frame[column][(frame[column] != "") & ~frame[column].isin(raw[table][key])]
                first = unknown.str.split(";").str[0].str.strip()  # a list names the first one first
                called = _called(raw[table], key, first)
                frame.loc[unknown.index, column] = [called.get(name, name) for name in first]


def _called(frame: pd.DataFrame, key: str, wanted: pd.Series) -> dict[str, str]:
    """Ids by the wanted names and addresses that only one row bears."""
    names: dict[str, str] = {}
    for column in ("email", "name"):
        if column in frame:
            single = frame[frame[column].isin(wanted) & ~frame[column].duplicated(keep=False)]
            names |= dict(zip(single[column], single[key], strict=True))
    return names
