"""What a CRM calls its tables and columns: read from TOML, kept as TOML for next month's file."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

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


@dataclass(frozen=True)
class TableLayout:
    """One table of a CRM."""

    files: list[str] = field(default_factory=list)  # what its exports are called
    # our column -> the CRM's names for it, the best first; ``A + B`` joins two with a space
    columns: dict[str, list[str]] = field(default_factory=dict)
    # our column -> the CRM's values -> ours; ``*`` stands for any other
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    # our columns that the row takes from its opportunity where it has none -> the opportunity's
    join: dict[str, str] = field(default_factory=dict)
    query: str = ""  # what asks a database for it


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
        except (OSError, ValueError, RecursionError) as error:
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
        plain = asdict(self)
        plain["tables"] = {name: {k: v for k, v in table.items() if v} for name, table in plain["tables"].items()}
        return tomli_w.dumps(plain, multiline_strings=True)


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
    "codes": lambda value: isinstance(value, dict) and all(map(_pairs, value.values())),
    "join": _pairs,
    "query": lambda value: isinstance(value, str),
}


def _misfits(where: str, stated: Mapping[str, Any], known: Mapping[str, Any]) -> Iterable[Fault]:
    """Name the keys that are not known, and the values that do not fit theirs."""
    for key, value in stated.items():
        if key not in known:
            yield Fault(where, key, "", "is not known", "one of " + ", ".join(known))
        elif not known[key](value):
            yield Fault(where, key, "", f"{value!r} does not fit", "see the README's example")
