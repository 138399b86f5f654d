"""Every table of a workspace: its columns, types, ranges, keys and references, and the faults found against them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from territory_lab import quality
from territory_lab.errors import BadInput, Fault
from territory_lab.reading import READERS, Kind, texts
from territory_lab.timeline import EVENTS

SECTORS = (
    "11 21 22 23 31-33 42 44-45 48-49 51 52 53 54 55 56 61 62 71 72 81 92".split()  # noqa: SIM905 - reads as the list it is
)


@dataclass(frozen=True)
class Column:
    """
    What a column holds.

    Parameters
    ----------
    kind : {"text", "number", "date"}
        Ids and postcodes are text; money is in the workspace's currency; dates have no time zone.
    required : bool
        The column must be there and have no gaps.
    key : bool
        No two rows share its value.
    refers : str or None
        ``table.column`` whose values it must repeat.
    low, high : float
        Limits of a number, both allowed.
    allowed : sequence of str
        The only values a text may take; empty: any.
    """

    kind: Kind = "text"
    required: bool = False
    key: bool = False
    refers: str | None = None
    low: float = -np.inf
    high: float = np.inf
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """
    What a table holds, and what is switched off without it.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns by name; others are carried along untouched.
    without : str
        What cannot be said where the table is missing; empty for the table that every workspace needs.
    """

    columns: Mapping[str, Column]
    without: str = ""


_KEY = Column(required=True, key=True)
_TEXT = Column()
_DATE = Column("date")
_PAST = Column("date", required=True)
_LON = Column("number", low=-180, high=180)
_LAT = Column("number", low=-90, high=90)
_AMOUNT = Column("number", low=0)
_SHARE = Column("number", low=0, high=1)

TABLES: dict[str, Table] = {
    "accounts": Table(
        {
            "account_id": _KEY,
            "name": Column(required=True),
            "parent_id": Column(refers="accounts.account_id"),
            "sector": Column(allowed=tuple(SECTORS)),
            "employees": _AMOUNT,
            "revenue": _AMOUNT,
            "postcode": _TEXT,
            "city": _TEXT,
            "state": _TEXT,
            "country": _TEXT,
            "lon": _LON,
            "lat": _LAT,
            "unit_id": _TEXT,
            "owner_id": Column(refers="reps.rep_id"),
            "created_date": _DATE,
        },
    ),
    "products": Table(
        {
            "product_id": _KEY,
            "name": Column(required=True),
            "category": _TEXT,
            "list_price": _AMOUNT,
            "margin_share": _SHARE,
            "sector": Column(allowed=tuple(SECTORS)),
        },
        without="product names and margins; cross-sell speaks of product ids",
    ),
    "orders": Table(
        {
            "order_id": _KEY,
            "account_id": Column(required=True, refers="accounts.account_id"),
            "product_id": Column(refers="products.product_id"),
            "order_date": _PAST,
            "quantity": _AMOUNT,
            "amount": Column("number", required=True),
        },
        without="propensity (upsell, cross-sell), the Pareto curve, spend by sector and performance against sales",
    ),
    "opportunities": Table(
        {
            "opportunity_id": _KEY,
            "account_id": Column(required=True, refers="accounts.account_id"),
            "owner_id": Column(refers="reps.rep_id"),
            "product_id": Column(refers="products.product_id"),
            "stage": Column(required=True, allowed=("open", "won", "lost")),
            "created_date": _PAST,
            "close_date": _DATE,
            "amount": _AMOUNT,
        },
        without="win rate; SOM takes a stated one",
    ),
    "reps": Table(
        {
            "rep_id": _KEY,
            "name": Column(required=True),
            "manager_id": Column(refers="reps.rep_id"),
            "territory_id": _TEXT,
            "lon": _LON,
            "lat": _LAT,
            "hired_date": _DATE,
            "quota": _AMOUNT,
            "selling_h": Column("number", low=0, high=8784),
        },
        without="fixed homes: territories get free centres, as many as the workload asks for",
    ),
    "units": Table(
        {
            "unit_id": _KEY,
            "name": _TEXT,
            "lon": Column("number", required=True, low=-180, high=180),
            "lat": Column("number", required=True, low=-90, high=90),
            "area_id": _TEXT,
            "state": _TEXT,
            "area_km2": _AMOUNT,
            "population": _AMOUNT,
            "households": _AMOUNT,
            "median_income": _AMOUNT,
        },
        without="own units: the counties of the United States are used",
    ),
    "neighbours": Table(
        {
            "unit_a": Column(required=True, refers="units.unit_id"),
            "unit_b": Column(required=True, refers="units.unit_id"),
        },
        without="own neighbours: taken from the shipped counties where the units are counties, else no contiguity",
    ),
    "named_accounts": Table(
        {
            "account_id": Column(required=True, key=True, refers="accounts.account_id"),
            "territory_id": Column(refers="reps.territory_id"),
        },
        without="named accounts: each account goes with the place it stands in",
    ),
    "calls": Table(
        {
            "call_id": _KEY,
            "account_id": Column(required=True, refers="accounts.account_id"),
            "rep_id": Column(required=True, refers="reps.rep_id"),
            "call_date": _PAST,
            "duration_h": Column("number", low=0, high=24),
        },
        without="the use of time: workload rests on the call plan alone",
    ),
    "alignment": Table(
        {"unit_id": Column(required=True, key=True, refers="units.unit_id"), "territory_id": Column(required=True)},
        without="today's alignment: nothing to compare the proposal with, no disruption, no performance by territory",
    ),
}


def parse(raw: Mapping[str, pd.DataFrame], *, bounds: quality.Bounds | None = None) -> dict[str, pd.DataFrame]:
    """
    Turn tables as read into typed tables, or name every fault in them.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        Tables by name, text where they come from CSV, typed where they come from Parquet.
    bounds : (west, south, east, north) or None
        Degrees outside which no account or unit can lie; None: the whole world.

    Returns
    -------
    dict of str to DataFrame
        The same rows in the same order: ids and text as ``str``, numbers as ``float64``, dates as ``datetime64``.

    Raises
    ------
    BadInput
        With every fault found in any table.
    """
    tables, faults = inspect(raw, bounds=bounds)
    if faults:
        raise BadInput(faults)
    return tables


def inspect(
    raw: Mapping[str, pd.DataFrame], *, bounds: quality.Bounds | None = None, part: bool = False
) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    """
    Turn tables as read into typed tables and list what is wrong with them.

    Parameters
    ----------
    raw : mapping of str to DataFrame
        Tables by name.
    bounds : (west, south, east, north) or None
        Degrees outside which no account can lie.
    part : bool
        The rows are those of some accounts only: what they refer to among accounts, and whether keys of events stand
        elsewhere too, is for the caller to look up (:func:`orphans`, :func:`repeated`).

    Returns
    -------
    tables : dict of str to DataFrame
        Typed tables; a value that could not be read is missing in them.
    faults : list of Fault
        Every fault, in the order of the tables.
    """
    faults: list[Fault] = []
    if "accounts" not in raw:
        faults.append(Fault("accounts", "", "", "the table is missing", "add accounts.csv or accounts.parquet"))
    tables = {name: _typed(name, raw[name], faults) for name in TABLES if name in raw}
    unread = {fault[:3] for fault in faults}  # left missing, and named already
    for name, frame in tables.items():
        shared = part and name in EVENTS
        specs = {column: replace(spec, key=spec.key and not shared) for column, spec in TABLES[name].columns.items()}
        faults += [fault for fault in _column_faults(name, frame, specs) if fault[:3] not in unread]
        faults += orphans(name, frame.drop(columns="parent_id", errors="ignore") if part else frame, tables)
    if "accounts" in tables:
        faults += quality.faults(tables["accounts"], bounds)
    return tables, faults


def repeated(name: str, raw: pd.DataFrame) -> list[Fault]:
    """
    Find keys that stand in more than one row.

    Parameters
    ----------
    name : str
        Name of the table.
    raw : DataFrame
        With its key, as read.

    Returns
    -------
    list of Fault
        One for each of those rows.
    """
    return _column_faults(name, _typed(name, raw, []), dict.fromkeys(raw.columns, Column(key=True)))


def orphans(name: str, frame: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> list[Fault]:
    """
    Find ids that stand for nothing in the table they point to.

    Parameters
    ----------
    name : str
        Name of the table.
    frame : DataFrame
        Typed.
    tables : mapping of str to DataFrame
        Typed tables; a reference to one that is not there is let be.

    Returns
    -------
    list of Fault
        One for each row and column.
    """
    faults = []
    for column, spec in TABLES[name].columns.items():
        if spec.refers is None or column not in frame:
            continue
        table, key = spec.refers.split(".")
        if table not in tables or key not in tables[table]:
            continue
        known = pc.is_in(pa.array(frame[column]), value_set=pa.array(tables[table][key]))  # pandas' isin makes objects
        lost = frame[column].notna() & ~known.to_numpy(zero_copy_only=False)
        mend = f"add it to {table}, correct it, or leave it empty"
        faults += [
            Fault(name, column, str(row), f"{value!r} is not in {spec.refers}", mend)
            for row, value in zip(_named(name, frame)[lost], frame[column][lost], strict=True)
        ]
    return faults


def _typed(name: str, raw: pd.DataFrame, faults: list[Fault]) -> pd.DataFrame:
    """Read each known column by its kind; what cannot be read is named and left missing."""
    frame = raw.reset_index(drop=True).copy()
    for column, spec in TABLES[name].columns.items():
        if column not in frame:
            continue
        read, mend = READERS[spec.kind]
        values = read(frame[column])
        lost = frame[column][values.isna()]
        wrong = lost[texts(lost).notna()]
        rows = _named(name, frame)[wrong.index]
        faults += [
            Fault(name, column, str(row), f"{value!r} is not a {spec.kind}", mend)
            for row, value in zip(rows, wrong, strict=True)
        ]
        frame[column] = values
    return frame


def _named(name: str, frame: pd.DataFrame) -> pd.Index:
    """Name the rows of a table by its key."""
    return quality.row_names(frame, next((column for column, spec in TABLES[name].columns.items() if spec.key), None))


def _column_faults(name: str, frame: pd.DataFrame, specs: Mapping[str, Column]) -> list[Fault]:
    """Check presence, gaps, keys, ranges and allowed values, all at once."""
    missing = [
        Fault(name, column, "", "the column is missing", f"add it: a {spec.kind} in every row")
        for column, spec in specs.items()
        if spec.required and column not in frame
    ]
    checks = pandera.DataFrameSchema({column: _pandera(spec) for column, spec in specs.items() if column in frame})
    try:
        checks.validate(frame, lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as found:
        cases = found.failure_cases.dropna(subset="index").sort_values("index", kind="stable")
        rows = _named(name, frame)[cases["index"].astype(int)]
        return missing + [
            Fault(name, str(case.column), str(row), *_words(str(case.check), case.failure_case))
            for row, case in zip(rows, cases.itertuples(index=False), strict=True)
        ]
    return missing


def _pandera(spec: Column) -> pandera.Column:
    """Turn our words for a column into pandera's."""
    checks = []
    if np.isfinite(spec.low) or np.isfinite(spec.high):
        limits = f"between {spec.low:g} and {spec.high:g}" if np.isfinite(spec.high) else f"at least {spec.low:g}"
        checks.append(pandera.Check.in_range(spec.low, spec.high, error=limits))
    if spec.allowed:
        checks.append(pandera.Check.isin(spec.allowed, error="one of " + ", ".join(spec.allowed)))
    return pandera.Column(checks=checks, nullable=not spec.required, unique=spec.key, report_duplicates="all")


def _words(check: str, value: object) -> tuple[str, str]:
    """Say what a failed check means and what to do."""
    match check:
        case "not_nullable":
            return "the value is missing", "fill it in, or leave the row out"
        case "field_uniqueness":
            return f"{value!r} stands in more than one row", "keep one row for each"
        case _:
            return f"{value!r} is out of range", f"must be {check}"
