"""From an export to a workspace: read, matched, made plain, joined, and every row accounted for."""

import tempfile
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from territory_lab import quality, schema, workspace
from territory_lab.crm import _alignment, _database, _live, _matching, _shapes, today
from territory_lab.crm._ledger import Aside, Ledger
from territory_lab.crm._plain import Raw, write_plainly
from territory_lab.crm._sheets import Sheet, read_sheets
from territory_lab.crm.layout import FILE, LINKS, Layout
from territory_lab.errors import BadInput, Fault
from territory_lab.files import write_csv, write_whole
from territory_lab.settings import Settings

_MANY = 200_000  # rows
_SERVED = ["currency", "won", "closed", "email"]  # what only the reading needs


@dataclass(frozen=True)
class Intake:
    """
    An export, read.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Tables of a workspace, as text.
    links : dict of str to DataFrame
        The CRM's territories and who and what stands in them today, with the CRM's ids.
    ledger : DataFrame
        By file: table, rows, used, set_aside, how it was read; rows = used + set_aside.
    aside : DataFrame
        Rows left out and cells emptied: table, file, line, what (``row`` or ``cell``), column, value, reason, mend.
    mapping : DataFrame
        table, column (ours), from (the export's), how (``known``, ``not read``, or what it looks like), example.
    layout : Layout
        With the names that were found, for next month.
    currency : str
        ISO 4217.
    notes : list of str
        What had to be assumed.
    """

    tables: dict[str, pd.DataFrame]
    links: dict[str, pd.DataFrame]
    ledger: pd.DataFrame
    aside: pd.DataFrame
    mapping: pd.DataFrame
    layout: Layout
    currency: str
    notes: list[str]


def read(source: Path | str, layout: Layout, *, accept: bool = False) -> Intake:
    """
    Read an export.

    Parameters
    ----------
    source : Path or str
        A CSV or XLSX file, or a folder of them, the address of a database (``postgresql://host/name``) or of
        a Salesforce organisation (``https://yours.my.salesforce.com``).
    layout : Layout
        The CRM's, or the analyst's own.
    accept : bool
        Take columns that only look like one of ours as that one.

    Returns
    -------
    Intake
        Tables that `schema.inspect` finds no fault with; each row of the export is in one of them or in ``aside``.

    Raises
    ------
    BadInput
        For files that cannot be read and required columns that are not there, all at once.
    """
    layout = deepcopy(layout)
    if _live.is_address(str(source)):
        return _understood(_live.read_sheets(str(source), layout), layout, accept=accept)
    if not _database.is_address(str(source)):
        return _understood(read_sheets(Path(source)), layout, accept=accept)
    with tempfile.TemporaryDirectory() as staging:
        return _understood(_database.read_sheets(str(source), layout, Path(staging)), layout, accept=accept)


def _understood(sheets: list[Sheet], layout: Layout, *, accept: bool) -> Intake:
    """Match, make plain, join, and account for every row."""
    ledger = Ledger()
    table_of = {sheet.name: _matching.table_of(layout, sheet.name, sheet.cells.columns) for sheet in sheets}
    raw, mapping = _matched(sheets, table_of, layout, ledger, accept=accept)
    semicolons = {table_of[sheet.name] for sheet in sheets if sheet.how.endswith("';'")}
    currency, notes = write_plainly(raw, layout, semicolons)
    if "orders" in raw:
        ledger.join(raw, layout.tables["orders"].join)
    ledger.keys(raw)
    _shapes.place(raw, ledger)
    if layout.units_by:
        raw["units"] = _alignment.units_by(raw["accounts"], layout.units_by)
    tables = {name: frame.copy() for name, frame in raw.items() if name in schema.TABLES}
    ledger.settle(tables)
    if _shapes.COLUMN in tables.get("units", ()):
        tables["units"] = _shapes.drawn(tables["units"])
    links = {name: raw[name].copy() for name in LINKS if name in raw}
    ledger.settle_links(links, tables)
    notes += _alignment.add(tables, links)
    return Intake(
        tables={name: frame.drop(columns=_SERVED, errors="ignore") for name, frame in tables.items() if len(frame)},
        links=links,
        ledger=ledger.count(sheets, table_of),
        aside=pd.DataFrame(ledger.aside, columns=list(Aside._fields)),
        mapping=mapping,
        layout=layout,
        currency=currency,
        notes=notes,
    )


def create(
    folder: Path, source: Path | str, layout: Layout, *, accept: bool = False
) -> tuple[workspace.Workspace, Intake]:
    """
    Make a workspace from an export.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    source : Path or str
        As in `read`.
    layout : Layout
        The CRM's, or the analyst's own.
    accept : bool
        As in `read`.

    Returns
    -------
    space : Workspace
        With ``mapping.toml``, ``set_aside.csv``, ``duplicates.csv``, ``intake.csv`` and ``crm/`` beside its tables.
    intake : Intake
        What was found.
    """
    intake = read(source, layout, accept=accept)
    with tempfile.TemporaryDirectory() as building:
        draft = Path(building)
        for name, table in intake.tables.items():
            _kept(table, draft / name)
        for name, table in intake.links.items():
            write_whole(draft / today.FOLDER / f"{name}.csv", table.to_csv(index=False))
        write_csv(draft / "set_aside.csv", intake.aside)
        write_csv(draft / "duplicates.csv", quality.twins(intake.tables["accounts"].replace("", None)))
        write_csv(draft / "intake.csv", intake.ledger)
        write_whole(draft / FILE, intake.layout.to_toml())
        settings = Settings(name=folder.resolve().name, currency=intake.currency)
        return workspace.create(folder, draft, settings, whole=True), intake


def _kept(table: pd.DataFrame, file: Path) -> None:
    """Write a table: as CSV, which anybody can open, but with shapes or a great many rows as Parquet."""
    if isinstance(table, gpd.GeoDataFrame):
        table.to_parquet(file.with_suffix(".parquet"), index=False)
    elif len(table) > _MANY:
        table.to_parquet(file.with_suffix(".parquet"), index=False, compression="zstd")
    else:
        table.to_csv(file.with_suffix(".csv"), index=False)


def _matched(
    sheets: list[Sheet], table_of: dict[str, str], layout: Layout, ledger: Ledger, *, accept: bool
) -> tuple[Raw, pd.DataFrame]:
    """Rename what is known, propose what is not, and say all that is missing."""
    faults: list[Fault] = []
    raw: dict[str, list[pd.DataFrame]] = {}
    preview = []
    for sheet in sheets:
        if not (name := table_of[sheet.name]):
            continue
        header = [str(column) for column in sheet.cells]
        found = _matching.match(layout, name, header)
        looks = _matching.propose(layout, name, header, found)
        if accept:
            found |= {ours: column for column, (ours, _) in looks.items()}
        preview.append(_preview(name, sheet.cells, found, looks))
        faults += [_missing(sheet.name, name, ours, looks) for ours in _matching.lacking(layout, name, found)]
        _matching.keep(layout, name, found)
        cells = {ours: _joined(sheet.cells, column) for ours, column in found.items()}
        frame = pd.DataFrame(cells, dtype="str", index=sheet.cells.index)
        raw.setdefault(name, []).append(ledger.enter(name, sheet, frame))
    if "accounts" not in raw:
        files = ", ".join(layout.tables["accounts"].files or ["accounts"])
        faults.append(Fault("accounts", "", "", "no file holds accounts", f"export {files}, with ids and names"))
    if faults:
        raise BadInput(faults)
    return {name: pd.concat(frames).fillna("") for name, frames in raw.items()}, pd.concat(preview, ignore_index=True)


def _preview(
    name: str, cells: pd.DataFrame, found: dict[str, str], looks: dict[str, tuple[str, float]]
) -> pd.DataFrame:
    """Lay a sheet's columns beside ours."""
    ours = {part: column for column, expression in found.items() for part in expression.split(" + ")}
    rows = []
    for column in map(str, cells):
        guess, score = looks.get(column, ("", 0.0))
        how = f"looks like {guess} ({score:.0f})" if guess else "known" if column in ours else "not read"
        example = next(iter(cells[column][cells[column] != ""].head(1)), "")
        rows.append((name, ours.get(column, ""), column, how, example[:60]))
    return pd.DataFrame(rows, columns=["table", "column", "from", "how", "example"])


def _missing(sheet: str, name: str, ours: str, looks: dict[str, tuple[str, float]]) -> Fault:
    """Say that a column is not there, and which one might be it."""
    likely = [column for column, (guess, _) in looks.items() if guess == ours]
    mend = f"{likely[0]!r} looks like it: read again with --accept" if likely else "no column looks like it"
    return Fault(sheet, ours, "", f"no such column for {name}", f"{mend}, or name yours in {FILE}")


def _joined(cells: pd.DataFrame, expression: str) -> pd.Series:
    """Return a column, or two joined by a space."""
    first, *more = (cells[part] for part in expression.split(" + "))
    return (first + " " + more[0]).str.strip() if more else first
