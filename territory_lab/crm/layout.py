"""What a CRM calls its tables and columns: read from TOML, matched to an export, kept for next month's file."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w
from rapidfuzz import fuzz, process

from territory_lab import schema
from territory_lab.errors import BadInput, Fault

FILE = "mapping.toml"
LINKS = {  # what a CRM says of its territories, beside the tables of a workspace
    "territories": schema.Table({"territory_id": schema.Column(required=True, key=True)}),
    "user_territories": schema.Table(
        {
            "rep_id": schema.Column(required=True, refers="reps.rep_id"),
            "territory_id": schema.Column(required=True, refers="territories.territory_id"),
        }
    ),
    "account_territories": schema.Table(
        {
            "account_id": schema.Column(required=True, refers="accounts.account_id"),
            "territory_id": schema.Column(required=True, refers="territories.territory_id"),
        }
    ),
}
TABLES = schema.TABLES | LINKS
CRMS = ("salesforce", "hubspot", "dynamics", "csv")
_LIKELY = 82  # similarity (0-100) from which a name is proposed


@dataclass(frozen=True)
class TableLayout:
    """
    One table of a CRM.

    Parameters
    ----------
    files : list of str
        What its exports are called.
    columns : mapping of str to list of str
        Our column -> the CRM's names for it, the best first; ``A + B`` joins two with a space.
    values : mapping of str to mapping of str to str
        Our column -> the CRM's values -> ours; ``*`` stands for any other.
    join : mapping of str to str
        Our columns that the row takes from its opportunity where it has none -> the opportunity's.
    """

    files: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    join: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """
    How a CRM's exports are read; the analyst's own stands in ``mapping.toml``.

    Parameters
    ----------
    crm : str
        Whose exports they are.
    tables : mapping of str to TableLayout
        By our name of the table.
    date_order : str
        ``dmy`` or ``mdy``, where the dates do not tell.
    currency : str
        ISO 4217; empty: the one most amounts are in.
    units_by : list of str
        Columns of accounts that name a unit together; empty: unit_id, else the counties of the United States.
    """

    crm: str
    tables: dict[str, TableLayout]
    date_order: str = ""
    currency: str = ""
    units_by: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, crm: str) -> Self:
        """
        Return the layout that comes with the package.

        Parameters
        ----------
        crm : str
            One of ``CRMS``.

        Returns
        -------
        Layout
            Names as in the vendors' object references.
        """
        if crm not in CRMS:
            raise BadInput([Fault("--from", "", "", f"{crm!r} is not a CRM we know", "one of " + ", ".join(CRMS))])
        return cls.load(Path(__file__).with_name("layouts") / f"{crm}.toml")

    @classmethod
    def load(cls, file: Path) -> Self:
        """
        Read a layout from TOML.

        Parameters
        ----------
        file : Path
            A ``mapping.toml``.

        Returns
        -------
        Layout
            As stated.

        Raises
        ------
        BadInput
            Naming every key that is not known or not of its kind.
        """
        try:
            stated = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput([Fault(file.name, "", "", str(error), "correct the TOML")]) from error
        tables = stated.pop("tables", {})
        faults = list(_misfits(file.name, stated, _TOP)) if isinstance(tables, dict) else []
        faults += [Fault(file.name, "crm", "", "is missing", "say whose export it is")] * ("crm" not in stated)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if name not in TABLES or not isinstance(table, dict):
                mend = "one of " + ", ".join(TABLES)
                faults.append(Fault(file.name, f"tables.{name}", "", "is not a table we know", mend))
            else:
                faults += _misfits(f"{file.name}: tables.{name}", table, _TABLE)
        if faults or not isinstance(tables, dict):
            raise BadInput(faults or [Fault(file.name, "tables", "", "is no table", "write [tables.accounts]")])
        return cls(tables={name: TableLayout(**table) for name, table in tables.items()}, **stated)

    def to_toml(self) -> str:
        """
        Write the layout down.

        Returns
        -------
        str
            What ``load`` reads.
        """
        return tomli_w.dumps(asdict(self))

    def table_of(self, sheet: str, columns: Iterable[str]) -> str:
        """
        Say which table a sheet holds.

        Parameters
        ----------
        sheet : str
            Its file's name.
        columns : iterable of str
            Its header.

        Returns
        -------
        str
            By its name, else by its columns, of which all required ones must be there; empty where neither tells.
        """
        stem, columns = plain(re.sub(r"\.\w+(?=:|$)", "", sheet)), list(columns)
        called = {plain(alias): name for name, table in self.tables.items() for alias in [*table.files, name]}
        if exact := called.get(stem.rstrip("0123456789")) or called.get(stem):
            return exact
        full = {name for name in self.tables if not self.lacking(name, self.match(name, columns))}
        inside = [alias for alias in called if alias in stem and called[alias] in full]
        if inside:
            return called[max(inside, key=len)]
        found = {name: len(self.match(name, columns)) for name in full}
        best = [name for name, count in found.items() if count == max(found.values())]
        return best[0] if len(best) == 1 else ""

    def match(self, table: str, columns: Iterable[str]) -> dict[str, str]:
        """
        Find our columns in a header.

        Parameters
        ----------
        table : str
            Our name of the table.
        columns : iterable of str
            The header.

        Returns
        -------
        dict of str to str
            Our column -> the header's, or two of them joined by `` + ``.
        """
        there = {plain(column): column for column in reversed(list(columns))}
        found = {}
        for ours, names in self.tables[table].columns.items():
            for name in [*names, ours]:
                parts = [there.get(plain(part)) for part in name.split(" + ")]
                if all(parts):
                    found[ours] = " + ".join(filter(None, parts))
                    break
        return found

    def lacking(self, table: str, found: Mapping[str, str]) -> list[str]:
        """
        Say which required columns are not there.

        Parameters
        ----------
        table : str
            Our name of the table.
        found : mapping
            From `match`.

        Returns
        -------
        list of str
            Ours; those that are joined or told by flags do not count.
        """
        told = {*found, *self.tables[table].join, *(["stage"] if {"won", "closed"} <= set(found) else [])}
        return [name for name, spec in TABLES[table].columns.items() if spec.required and name not in told]

    def propose(self, table: str, columns: Iterable[str], found: Mapping[str, str]) -> dict[str, tuple[str, float]]:
        """
        Guess what columns that are not known may be.

        Parameters
        ----------
        table : str
            Our name of the table.
        columns : iterable of str
            The header.
        found : mapping
            From `match`.

        Returns
        -------
        dict of str to (str, float)
            The header's column -> ours and how alike the names are (0 to 100); each of ours once, the likeliest first.
        """
        used = {part for expression in found.values() for part in expression.split(" + ")}
        open_ = {ours: [*names, ours] for ours, names in self.tables[table].columns.items() if ours not in found}
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

    def keep(self, table: str, found: Mapping[str, str]) -> None:
        """
        Put the names that were found first, so that next month's file is read alike.

        Parameters
        ----------
        table : str
            Our name of the table.
        found : mapping
            Our column -> the header's.
        """
        columns = self.tables[table].columns
        for ours, name in found.items():
            columns[ours] = [name, *(other for other in columns.get(ours, []) if other != name)]


def plain(name: str) -> str:
    """
    Reduce a name to what does not change between exports.

    Parameters
    ----------
    name : str
        Of a file or column.

    Returns
    -------
    str
        Small letters and digits only.
    """
    return re.sub(r"[\W_]", "", name.casefold())


def _words(name: str) -> str:
    """Cut a name into words: BillingPostalCode, billing_postal_code and Billing Postal-Code are the same."""
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).casefold().split())


def _texts(value: object) -> bool:
    """Whether it is a list of texts."""
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _pairs(value: object) -> bool:
    """Whether it is a table of texts."""
    return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())


_TOP = {
    "crm": lambda value: isinstance(value, str),
    "date_order": lambda value: value in ("", "dmy", "mdy"),
    "currency": lambda value: isinstance(value, str) and re.fullmatch("|[A-Z]{3}", value),
    "units_by": _texts,
}
_TABLE = {
    "files": _texts,
    "columns": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
    "values": lambda value: isinstance(value, dict) and all(map(_pairs, value.values())),
    "join": _pairs,
}


def _misfits(where: str, stated: Mapping[str, Any], known: Mapping[str, Any]) -> Iterable[Fault]:
    """Name the keys that are not known, and the values that do not fit theirs."""
    for key, value in stated.items():
        if key not in known:
            yield Fault(where, key, "", "is not known", "one of " + ", ".join(known))
        elif not known[key](value):
            yield Fault(where, key, "", f"{value!r} does not fit", "see the README's example")
