"""From an export to the tables of a workspace: read, matched, made plain, joined, and every row accounted for."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from territory_lab import quality, schema, workspace
from territory_lab.crm import today, values
from territory_lab.crm.layout import FILE, LINKS, TABLES, Layout
from territory_lab.crm.sheets import Sheet, read_sheets
from territory_lab.errors import BadInput, Fault
from territory_lab.files import write_csv, write_whole

MONEY = {"revenue", "list_price", "amount", "quota"}
_YES = {"true", "1", "yes", "y", "wahr", "vrai", "verdadero"}
_ZIP_COUNTRIES = ("", "US", "USA", "United States", "United States of America")


class Aside(NamedTuple):
    """
    A row or a cell of an export that the workspace goes without.

    Parameters
    ----------
    table, file, line : str, str, int
        Where it stands.
    what : {"row", "cell"}
        Whether the row is left out, or the cell is emptied.
    column, value, reason, mend : str
        What is wrong, and what to do at the source.
    """

    table: str
    file: str
    line: int
    what: str
    column: str
    value: str
    reason: str
    mend: str


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
        Rows left out and cells emptied, as `Aside`.
    mapping : DataFrame
        table, column (ours), from (the export's), how (``known`` or how alike), example; what is not read has no
        column, or the proposed one with how alike it is.
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


def read(path: Path, layout: Layout, *, accept: bool = False) -> Intake:
    """
    Read an export.

    Parameters
    ----------
    path : Path
        A CSV or XLSX file, or a folder of them.
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
    return _Reading(layout, read_sheets(path)).intake(accept=accept)


def create(folder: Path, path: Path, layout: Layout, *, accept: bool = False) -> tuple[workspace.Workspace, Intake]:
    """
    Make a workspace from an export.

    Parameters
    ----------
    folder : Path
        A new or empty folder.
    path : Path
        The export.
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
    intake = read(path, layout, accept=accept)
    with tempfile.TemporaryDirectory() as building:
        draft = Path(building)
        for name, table in intake.tables.items():
            table.to_csv(draft / f"{name}.csv", index=False)
        for name, table in intake.links.items():
            write_csv(draft / today.FOLDER / f"{name}.csv", table)
        write_csv(draft / "set_aside.csv", intake.aside)
        write_csv(draft / "duplicates.csv", quality.twins(schema.inspect(intake.tables)[0]["accounts"]))
        write_csv(draft / "intake.csv", intake.ledger)
        write_whole(draft / FILE, intake.layout.to_toml())
        settings = workspace.Settings(name=folder.resolve().name, currency=intake.currency)
        return workspace.create(folder, draft, settings, whole=True), intake


class _Reading:
    """One export on its way in; rows keep a ticket from first to last, so that none is lost."""

    def __init__(self, layout: Layout, sheets: list[Sheet]) -> None:
        self.layout = layout
        self.sheets = {sheet.name: sheet for sheet in sheets}
        self.table_of = {sheet.name: layout.table_of(sheet.name, sheet.cells.columns) for sheet in sheets}
        self.place: dict[int, tuple[str, int]] = {}  # ticket -> file, line
        self.aside: list[Aside] = []
        self.preview: list[dict[str, object]] = []
        self.notes: list[str] = []

    def intake(self, *, accept: bool) -> Intake:
        """Go through all steps."""
        raw = self._matched(accept=accept)
        self._dates(raw)
        currency = self._numbers(raw)
        for name, frame in raw.items():
            self._coded(name, frame)
        self._resolve(raw)
        self._join(raw)
        for name in raw:
            self._keys(name, raw)
        if self.layout.units_by:
            raw["units"] = today.units_by(raw["accounts"], self.layout.units_by)
        tables = {name: frame for name, frame in raw.items() if name in schema.TABLES}
        self._settle(tables)
        links = {name: raw[name] for name in LINKS if name in raw}
        self._settle_links(links, tables)
        self.notes += today.add(tables, links)
        return Intake(
            tables={name: self._public(name, frame) for name, frame in tables.items() if len(frame)},
            links=links,
            ledger=self._ledger(),
            aside=pd.DataFrame(self.aside, columns=list(Aside._fields)),
            mapping=pd.DataFrame(self.preview, columns=["table", "column", "from", "how", "example"]),
            layout=self.layout,
            currency=currency,
            notes=self.notes,
        )

    def _matched(self, *, accept: bool) -> dict[str, pd.DataFrame]:
        """Rename what is known, propose what is not, and say all that is missing."""
        faults: list[Fault] = []
        raw: dict[str, list[pd.DataFrame]] = {}
        for sheet in self.sheets.values():
            name, header = self.table_of[sheet.name], list(sheet.cells.columns)
            if not name:
                continue
            found = self.layout.match(name, header)
            proposed = self.layout.propose(name, header, found)
            known = dict(found)
            if accept:
                found |= {ours: column for column, (ours, _) in proposed.items()}
            self.layout.keep(name, found)
            self._show(name, sheet, found, known, proposed)
            faults += [self._missing(sheet, name, ours, proposed) for ours in self.layout.lacking(name, found)]
            cells = {ours: _joined(sheet.cells, column) for ours, column in found.items()}
            frame = pd.DataFrame(cells, dtype="str", index=sheet.cells.index)
            frame.index = pd.RangeIndex(len(self.place), len(self.place) + len(frame))
            self.place |= {ticket: (sheet.name, line) for ticket, line in zip(frame.index, sheet.cells.index, strict=True)}
            self.aside += [
                Aside(name, sheet.name, line, "row", "", text, why, "correct the line, or leave it out if it is a footer")
                for line, (why, text) in sheet.odd.items()
            ]
            raw.setdefault(name, []).append(frame)
        if "accounts" not in raw and not faults:
            files = ", ".join(self.layout.tables["accounts"].files or ["accounts"])
            faults.append(Fault("accounts", "", "", "no file holds accounts", f"export {files}, with ids and names"))
        if faults:
            raise BadInput(faults)
        return {name: pd.concat(frames).fillna("") for name, frames in raw.items()}

    def _show(
        self,
        name: str,
        sheet: Sheet,
        found: dict[str, str],
        known: dict[str, str],
        proposed: dict[str, tuple[str, float]],
    ) -> None:
        """Add a sheet's columns to the preview."""
        rows = [(ours, column, "known" if ours in known else "") for ours, column in found.items()]
        used = {part for column in found.values() for part in column.split(" + ")}
        rows += [("", column, "") for column in sheet.cells if column not in used]
        for ours, column, how in rows:
            guess, score = proposed.get(column, ("", 0.0))
            filled = sheet.cells[column.split(" + ")[0]]
            example = next(iter(filled[filled != ""].head(1)), "")
            note = how or (f"looks like {guess} ({score:.0f})" if guess else "not read")
            self.preview.append({"table": name, "column": ours, "from": column, "how": note, "example": example[:60]})

    def _missing(self, sheet: Sheet, name: str, ours: str, proposed: dict[str, tuple[str, float]]) -> Fault:
        """Say that a column is not there, and which one might be it."""
        likely = [column for column, (guess, _) in proposed.items() if guess == ours]
        looks = f"{likely[0]!r} looks like it: read again with --accept" if likely else "no column looks like it"
        return Fault(sheet.name, ours, "", f"no such column for {name}", f"{looks}, or name yours in {FILE}")

    def _dates(self, raw: dict[str, pd.DataFrame]) -> None:
        """Write dates in ISO; a column that does not tell its order follows the others of the export."""
        there = [(name, column) for name in raw for column in raw[name] if _kind(name, column) == "date"]
        orders = {place: values.date_order(raw[place[0]][place[1]]) for place in there}
        told = {order for order in orders.values() if order in ("dmy", "mdy")}
        usual = self.layout.date_order or (next(iter(told)) if len(told) == 1 else "mdy")
        for (name, column), order in orders.items():
            stated = self.layout.date_order if order in ("mixed", "open") else order
            raw[name][column] = values.dates(raw[name][column], stated or (usual if order == "open" else ""))
            if order == "open" and not self.layout.date_order:
                self.notes.append(
                    f"{name}.{column}: no date tells day from month; read as {usual} (date_order in {FILE} states it)"
                )

    def _numbers(self, raw: dict[str, pd.DataFrame]) -> str:
        """Write numbers plainly, those of money in one currency, which is returned."""
        there = [(name, column) for name in raw for column in raw[name] if _kind(name, column) == "number"]
        for name, column in there:
            frame = raw[name]
            if column in MONEY and "currency" in frame:
                bare = (frame[column] != "") & (frame[column].map(values.currency_of) == "")
                frame[column] = frame[column].where(~bare, frame["currency"].str.upper() + " " + frame[column])
        signs = [raw[name][column].map(values.currency_of) for name, column in there if column in MONEY]
        counted = pd.concat(signs).loc[lambda sign: sign != ""].value_counts() if signs else pd.Series(dtype="int64")
        currency = self.layout.currency or (str(counted.index[0]) if len(counted) else "USD")
        if len(counted) > 1:
            self.notes.append(f"amounts in {', '.join(map(str, counted.index))}: those not in {currency} are not read")
        for name, column in there:
            comma = any(sheet.how.endswith("';'") for sheet in self.sheets.values() if self.table_of[sheet.name] == name)
            wanted = currency if column in MONEY else ""
            raw[name][column], said = values.numbers(raw[name][column], decimal_comma=comma, currency=wanted)
            if said:
                self.notes.append(f"{name}.{column}: {said}")
        return currency

    def _coded(self, name: str, frame: pd.DataFrame) -> None:
        """Turn the CRM's values into ours, its flags into a stage, its ids into their long form, ZIP codes to text."""
        for column, ours in self.layout.tables[name].values.items():
            if column in frame:
                folded = {key.casefold(): value for key, value in ours.items()}
                found = frame[column].str.casefold().map(folded).fillna(ours.get("*", frame[column]))
                frame[column] = found.where(frame[column] != "", "").astype("str")
        if {"won", "closed"} <= set(frame):
            won, closed = (frame[flag].str.casefold().isin(_YES) for flag in ("won", "closed"))
            frame["stage"] = pd.Series("open", frame.index).mask(closed, "lost").mask(won, "won").astype("str")
        if "sector" in frame:
            self._sectors(name, frame)
        if "postcode" in frame:
            american = frame["country"].isin(_ZIP_COUNTRIES) if "country" in frame else frame["postcode"] != ""
            short = american & frame["postcode"].str.fullmatch(r"\d{3,4}(-\d{4})?")
            if short.any():
                frame.loc[short, "postcode"] = frame["postcode"].str.replace(
                    r"^\d{3,4}", lambda code: code[0].zfill(5), regex=True
                )
                self.notes.append(f"{name}.postcode: {int(short.sum())} got their leading zeros back")
        if self.layout.crm == "salesforce":
            for column in frame.columns[frame.columns.str.endswith("_id")]:
                frame[column] = frame[column].map(_long_id)

    def _sectors(self, name: str, frame: pd.DataFrame) -> None:
        """Read NAICS codes of any length as their sector; what stands for none is emptied and named once."""
        sector = {part: whole for whole in schema.SECTORS for part in _span(whole)}
        found = frame["sector"].map({whole: whole for whole in schema.SECTORS} | {"": ""})
        found = found.fillna(frame["sector"].where(frame["sector"].str.fullmatch(r"\d{2,6}")).str[:2].map(sector))
        for word, count in frame["sector"][found.isna()].value_counts().items():
            self.notes.append(f"{name}.sector: {word!r} ({count} rows) is no sector; map it in {FILE}")
        frame["sector"] = found.fillna("").astype("str")

    def _resolve(self, raw: dict[str, pd.DataFrame]) -> None:
        """Replace names and e-mail addresses that stand for one row each by that row's id."""
        for name, frame in raw.items():
            links = {column: spec.refers for column, spec in TABLES[name].columns.items() if spec.refers}
            if name in ("accounts", "reps") and "territories" in raw:
                links["territory_id"] = "territories.territory_id"
            for column, refers in links.items():
                table, key = refers.split(".")
                if column not in frame or table not in raw or key not in raw[table]:
                    continue
                first = frame[column].str.split(";").str[0].str.strip()  # a list names the first one first
                frame[column] = first.where(first.isin(raw[table][key]), first.replace(_called(raw[table], key)))

    def _join(self, raw: dict[str, pd.DataFrame]) -> None:
        """Take what a line item lacks from its opportunity; only those of won ones are orders."""
        wanted = self.layout.tables.get("orders")
        if wanted is None or not wanted.join or "orders" not in raw:
            return
        if "opportunities" not in raw:
            raise BadInput([Fault("orders", "", "", "line items need their opportunities", "export those too")])
        orders, deals = raw["orders"], raw["opportunities"].drop_duplicates("opportunity_id").set_index("opportunity_id")
        stage = orders["opportunity_id"].map(deals["stage"])
        for ours, theirs in wanted.join.items():
            taken = orders["opportunity_id"].map(deals[theirs]) if theirs in deals else pd.Series("", orders.index)
            orders[ours] = (orders[ours].where(orders[ours] != "") if ours in orders else taken).fillna(taken).fillna("")
        self._rows("orders", orders[stage.isna()], "opportunity_id", "its opportunity is not there", "export that too")
        no_order = orders[stage.notna() & (stage != "won")]
        self._rows("orders", no_order, "opportunity_id", "its opportunity is not won", "nothing: it is no order")
        raw["orders"] = orders[stage == "won"]

    def _keys(self, name: str, raw: dict[str, pd.DataFrame]) -> None:
        """Set rows without a key aside, and all but the first of those that share one."""
        for column, spec in TABLES[name].columns.items():
            if spec.key:
                frame = raw[name]
                empty, double = frame[column] == "", frame[column].duplicated() & (frame[column] != "")
                self._rows(name, frame[empty], column, "has no id", "give it one")
                self._rows(name, frame[double], column, "its id stands in an earlier row", "keep one row for each")
                raw[name] = frame[~empty & ~double]

    def _settle(self, tables: dict[str, pd.DataFrame]) -> None:
        """Set aside what the schema finds fault with, row or cell, until it finds none."""
        while True:
            typed, faults = schema.inspect({name: frame for name, frame in tables.items() if len(frame)})
            faults += today.misplaced(typed["accounts"]) if "accounts" in typed else []
            if whole := [fault for fault in faults if not fault.row]:
                none_left = self.aside if tables["accounts"].empty else []
                raise BadInput(
                    [*whole, *(Fault(a.file, a.column, f"line {a.line}", a.reason, a.mend) for a in none_left)]
                )
            if not faults:
                return
            for name in tables:
                tables[name] = self._mended(name, tables[name], [fault for fault in faults if fault.table == name])

    def _mended(self, name: str, frame: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
        """Leave out the rows whose required cells are at fault, and empty other cells."""
        key = next((column for column, spec in TABLES[name].columns.items() if spec.key), None)
        tickets = dict(zip(quality.row_names(frame.reset_index(drop=True), key), frame.index, strict=True))
        gone: dict[int, Fault] = {}
        emptied: dict[str, list[int]] = {}
        for fault in faults:
            ticket = tickets[fault.row]
            if TABLES[name].columns[fault.column].required:
                gone.setdefault(ticket, fault)
                continue
            self._note(name, ticket, "cell", fault.column, str(frame.at[ticket, fault.column]), fault.problem, fault.mend)
            for column in ("lon", "lat") if fault.column in ("lon", "lat") else (fault.column,):
                emptied.setdefault(column, []).append(ticket)
        for column in emptied.keys() & set(frame):
            frame.loc[emptied[column], column] = ""
        for ticket, fault in gone.items():
            self._rows(name, frame.loc[[ticket]], fault.column, fault.problem, fault.mend)
        return frame.drop(index=list(gone))

    def _settle_links(self, links: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame]) -> None:
        """Set aside associations with what is not there."""
        for name in links:
            for column, spec in LINKS[name].columns.items():
                if spec.refers:
                    table, key = spec.refers.split(".")
                    there = (links | tables).get(table, pd.DataFrame(columns=[key]))[key]
                    lost = ~links[name][column].isin(there)
                    problem = f"is not in {spec.refers}"
                    self._rows(name, links[name][lost], column, problem, f"export {table} too")
                    links[name] = links[name][~lost]

    def _rows(self, name: str, frame: pd.DataFrame, column: str, reason: str, mend: str) -> None:
        """Set rows aside, with all they hold."""
        for ticket, *cells in frame.itertuples(name=None):
            self._note(name, ticket, "row", column, " | ".join(cells), reason, mend)

    def _note(self, name: str, ticket: int, what: str, column: str, value: str, reason: str, mend: str) -> None:
        """Remember what was set aside and why."""
        if ticket in self.place:  # units made of accounts have no line of their own
            file, line = self.place[ticket]
            self.aside.append(Aside(name, file, line, what, column, value, reason, mend))

    def _ledger(self) -> pd.DataFrame:
        """Count what came in, what is used and what is set aside, file by file."""
        lost = pd.Series([entry.file for entry in self.aside if entry.what == "row"], dtype="str").value_counts()
        rows = []
        for sheet in self.sheets.values():
            table, count = self.table_of[sheet.name], len(sheet.cells) + len(sheet.odd)
            out = int(lost.get(sheet.name, 0)) if table else count
            how = sheet.how if table else f"{sheet.how}; no table we know: left out whole"
            rows.append((sheet.name, table, count, count - out, out, how))
        return pd.DataFrame(rows, columns=["file", "table", "rows", "used", "set_aside", "how"])

    def _public(self, name: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Leave out what only served the reading."""
        served = {"currency", "won", "closed", "email", "opportunity_id" if name == "orders" else ""}
        return frame.drop(columns=[*served & set(frame), *(["postcode"] if name == "reps" and "postcode" in frame else [])])


def _kind(name: str, column: str) -> str:
    """Say what our column holds."""
    spec = TABLES[name].columns.get(column)
    return spec.kind if spec else "text"


def _joined(cells: pd.DataFrame, expression: str) -> pd.Series:
    """Return a column, or two joined by a space."""
    parts = [cells[part] for part in expression.split(" + ")]
    return parts[0] if len(parts) == 1 else (parts[0] + " " + parts[1]).str.strip()


def _called(frame: pd.DataFrame, key: str) -> dict[str, str]:
    """Ids by the names and addresses that only one row bears."""
    names = {}
    for column in ("email", "name"):
        if column in frame:
            single = frame[(frame[column] != "") & ~frame[column].duplicated(keep=False)]
            names |= dict(zip(single[column], single[key], strict=True))
    return names


def _span(sector: str) -> Iterator[str]:
    """Two-digit codes of a sector: 31-33 is 31, 32, 33."""
    low, _, high = sector.partition("-")
    return map(str, range(int(low), int(high or low) + 1))


def _long_id(text: str) -> str:
    """Complete a 15-character Salesforce id to 18: a letter for each five says which of them are capitals."""
    if len(text) != 15 or not (text.isascii() and text.isalnum()):
        return text
    five = [text[start : start + 5] for start in (0, 5, 10)]
    bits = [sum(1 << place for place, letter in enumerate(part) if letter.isupper()) for part in five]
    return text + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bit] for bit in bits)
