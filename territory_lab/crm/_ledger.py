"""Every row of an export accounted for: it keeps a ticket from its line to a table, or is set aside with a reason."""

from typing import NamedTuple

import pandas as pd

from territory_lab import quality, schema
from territory_lab.crm._alignment import misplaced
from territory_lab.crm._plain import Raw
from territory_lab.crm._sheets import Sheet
from territory_lab.crm.layout import LINKS, TABLES
from territory_lab.errors import BadInput, Fault


class Aside(NamedTuple):
    """A row that is left out, or a cell that is emptied: where, what, why, and what to do at the source."""

    table: str
    file: str
    line: int
    what: str
    column: str
    value: str
    reason: str
    mend: str


class Ledger:
    """Where each row came from, and what is set aside; frames are indexed by ticket."""

    def __init__(self) -> None:
        self.places: list[tuple[range, str, pd.Index]] = []  # tickets, their file, their lines
        self.aside: list[Aside] = []

    def enter(self, name: str, sheet: Sheet, frame: pd.DataFrame) -> pd.DataFrame:
        """Give each row of a sheet a ticket, and set aside the lines that did not fit its header."""
        first = self.places[-1][0].stop if self.places else 0
        tickets = range(first, first + len(frame))
        self.places.append((tickets, sheet.name, frame.index))
        mend = "correct the line, or leave it out if it is a footer"
        self.aside += [
            Aside(name, sheet.name, line, "row", "", text, why, mend) for line, (why, text) in sheet.odd.items()
        ]
        return frame.set_axis(pd.Index(tickets))

    def rows(self, name: str, frame: pd.DataFrame, column: str, reason: str, mend: str) -> None:
        """Set rows aside, with all they hold."""
        for ticket, *cells in frame.itertuples(name=None):
            self.note(name, ticket, "row", " | ".join(cells), Fault(name, column, "", reason, mend))

    def note(self, name: str, ticket: int, what: str, value: str, fault: Fault) -> None:
        """Remember what was set aside and why."""
        for tickets, file, lines in self.places:  # units made of accounts have no line of their own
            if ticket in tickets:
                line = int(lines[ticket - tickets.start])
                self.aside.append(Aside(name, file, line, what, fault.column, value, fault.problem, fault.mend))

    def count(self, sheets: list[Sheet], table_of: dict[str, str]) -> pd.DataFrame:
        """Count what came in, what is used and what is set aside, file by file."""
        lost = pd.Series([entry.file for entry in self.aside if entry.what == "row"], dtype="str").value_counts()
        rows = []
        for sheet in sheets:
            table, count = table_of[sheet.name], len(sheet.cells) + len(sheet.odd)
            out = int(lost.get(sheet.name, 0)) if table else count
            how = sheet.how if table else f"{sheet.how}; no table we know: left out whole"
            rows.append((sheet.name, table, count, count - out, out, how))
        return pd.DataFrame(rows, columns=["file", "table", "rows", "used", "set_aside", "how"])

    def join(self, raw: Raw, lines: dict[str, str]) -> None:
        """Take what a line item lacks from its opportunity; only those of won ones are orders."""
        if not lines or "orders" not in raw:
            return
        if "opportunities" not in raw:
            raise BadInput([Fault("orders", "", "", "line items need their opportunities", "export those too")])
        orders, deals = (
            raw["orders"],
            raw["opportunities"].drop_duplicates("opportunity_id").set_index("opportunity_id"),
        )
        stage = orders["opportunity_id"].map(deals["stage"])
        for ours, theirs in lines.items():
            taken = orders["opportunity_id"].map(deals.get(theirs, pd.Series(dtype="str"))).fillna("").astype("str")
            orders[ours] = orders[ours].mask(orders[ours] == "", taken) if ours in orders else taken
        self.rows("orders", orders[stage.isna()], "opportunity_id", "its opportunity is not there", "export that too")
        no_order = orders[stage.notna() & (stage != "won")]
        self.rows("orders", no_order, "opportunity_id", "its opportunity is not won", "nothing: it is no order")
        raw["orders"] = orders[stage == "won"].drop(columns="opportunity_id")

    def keys(self, raw: Raw) -> None:
        """Set rows without a key aside, and all but the first of those that share one."""
        keys = [(name, column) for name in raw for column, spec in TABLES[name].columns.items() if spec.key]
        for name, column in keys:
            frame = raw[name]
            empty = frame[column] == ""
            double = frame[column].duplicated() & ~empty
            self.rows(name, frame[empty], column, "has no id", "give it one")
            self.rows(name, frame[double], column, "its id stands in an earlier row", "keep one row for each")
            raw[name] = frame[~empty & ~double]

    def settle(self, tables: Raw) -> None:
        """Set aside what the schema finds fault with, row or cell, until it finds none."""
        while True:
            typed, faults = schema.inspect({name: frame for name, frame in tables.items() if len(frame)})
            faults += misplaced(typed["accounts"]) if "accounts" in typed else []
            if whole := [fault for fault in faults if not fault.row]:
                lost = self.aside if tables["accounts"].empty else []
                raise BadInput([*whole, *(Fault(a.file, a.column, f"line {a.line}", a.reason, a.mend) for a in lost)])
            if not faults:
                return
            for name in tables:
                tables[name] = self._mended(name, tables[name], [fault for fault in faults if fault.table == name])

    def _mended(self, name: str, frame: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
        """Leave out the rows whose required cells are at fault, and empty other cells."""
        key = next((column for column, spec in TABLES[name].columns.items() if spec.key), None)
        tickets = dict(zip(quality.row_names(frame.reset_index(drop=True), key), frame.index, strict=True))
        gone = {tickets[fault.row]: fault for fault in reversed(faults) if TABLES[name].columns[fault.column].required}
        emptied: dict[str, list[int]] = {}
        for fault in faults:
            ticket = tickets[fault.row]
            if ticket not in gone:
                self.note(name, ticket, "cell", str(frame.loc[ticket, fault.column]), fault)
                for column in ("lon", "lat") if fault.column in ("lon", "lat") else (fault.column,):
                    emptied.setdefault(column, []).append(ticket)
        for column in emptied.keys() & set(frame):
            frame.loc[emptied[column], column] = ""
        for ticket, fault in gone.items():
            self.rows(name, frame.loc[[ticket]], fault.column, fault.problem, fault.mend)
        return frame.drop(index=list(gone))

    def settle_links(self, links: Raw, tables: Raw) -> None:
        """Set aside associations with what is not there."""
        for name in links:
            for column, spec in LINKS[name].columns.items():
                if spec.refers:
                    table, key = spec.refers.split(".")
                    there = (links | tables).get(table, pd.DataFrame(columns=[key]))[key]
                    lost = ~links[name][column].isin(there)
                    self.rows(name, links[name][lost], column, f"is not in {spec.refers}", f"export {table} too")
                    links[name] = links[name][~lost]
