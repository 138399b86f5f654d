"""Tables from a database: a query each, all of one moment, streamed to disk; the password stands in no file."""

import datetime as dt
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from territory_lab.crm import _matching
from territory_lab.crm._sheets import Sheet
from territory_lab.crm.layout import Layout
from territory_lab.errors import BadInput, Fault

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

USER, PASSWORD = "TERRITORY_LAB_SQL_USER", "TERRITORY_LAB_SQL_PASSWORD"
_CHUNK = 20_000  # rows held at a time
_SECRET = re.compile(r"pass|secret|token|key", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Whether that names a database rather than a file."""
    return "://" in source


def read_sheets(address: str, layout: Layout, folder: Path) -> list[Sheet]:
    """Run the layout's queries, or where it states none read the tables it knows and note the queries in it."""
    with _connected(address) as connection:
        stated = {name: table.query for name, table in layout.tables.items() if table.query}
        queries = stated or _found(connection, layout)
        if not queries:
            raise _refused("holds no table that we know", "state queries in the mapping: [tables.accounts] query = ...")
        for name, query in queries.items():
            layout.tables[name] = replace(layout.tables[name], query=query)
        return [_streamed(connection, name, query, folder / f"{name}.parquet") for name, query in queries.items()]


@contextmanager
def _connected(address: str) -> "Iterator[Connection]":
    """Open a connection that only reads; no error carries the password, and none the frames that held it."""
    try:
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an extra
    except ImportError:
        raise _refused("needs SQLAlchemy", "pip install territory-lab[sql]") from None
    problem = ""
    try:
        with _engine(address).connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection.execution_options(no_parameters=True)
    except (SQLAlchemyError, ImportError) as error:
        problem = str(getattr(error, "orig", None) or error)
    if problem:
        raise _refused(_redacted(problem), f"see the address and the queries; {USER} and {PASSWORD} say who you are")


def _engine(address: str) -> "Engine":
    """Refuse a password in the address, and take it from the environment."""
    from sqlalchemy import NullPool, create_engine, make_url  # noqa: PLC0415 - an extra
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise _refused("is no address", "write postgresql://host:port/database") from None
    if url.password is not None or any(map(_SECRET.search, url.query)):
        mend = f"set {PASSWORD} in the environment, and change the one that was shown"
        raise _refused("the address carries a password, which others can see", mend)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.host:
        url = url.set(username=os.environ.get(USER) or url.username, password=os.environ.get(PASSWORD))
    waiting = {"connect_timeout": 10} if url.get_backend_name() == "postgresql" else {}
    return create_engine(url, hide_parameters=True, connect_args=waiting, poolclass=NullPool)


def _found(connection: "Connection", layout: Layout) -> dict[str, str]:
    """Make a query for each table and view that the layout knows; a table of our own name comes first."""
    from sqlalchemy import inspect  # noqa: PLC0415 - an extra

    there = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote_identifier
    queries: dict[str, str] = {}
    for table in sorted(
        [*there.get_table_names(), *there.get_view_names()], key=lambda name: name not in layout.tables
    ):
        query = f"SELECT * FROM {quote(table)}"  # noqa: S608 - a name the database told us, quoted by its own rule
        header = connection.exec_driver_sql(f"{query} WHERE 1 = 0").keys()
        if name := _matching.table_of(layout, table, header):
            queries.setdefault(name, query)
    return {name: queries[name] for name in layout.tables if name in queries}


def _streamed(connection: "Connection", name: str, query: str, file: Path) -> Sheet:
    """Write what a query gives as text to a file, chunk by chunk, and open it."""
    if not re.match(r"\s*(select|with|table|values)\b", query, re.IGNORECASE):
        raise _refused(f"the query of {name} does not begin with SELECT or WITH", "state one that only reads")
    rows = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK).exec_driver_sql(query)
    header = list(rows.keys())
    first = [place for place, column in enumerate(header) if column not in header[:place]]
    schema = pa.schema([(header[place], pa.string()) for place in first])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for chunk in rows.partitions(_CHUNK):
            columns: Sequence[Sequence[Any]] = list(zip(*chunk, strict=True))
            writer.write_table(pa.table([_texts(columns[place]) for place in first], schema=schema))
    cells = pd.read_parquet(file).astype("str")
    cells.index = pd.RangeIndex(1, len(cells) + 1, name="line")
    return Sheet(name, cells, how="a query")


def _texts(values: Sequence[Any]) -> pa.Array:
    """Write a column as text; a number in a way that cannot be taken for another."""
    kinds = set(map(type, values)) - {type(None), str}
    if not kinds:
        return pa.array((value or "" for value in values), pa.string())
    return pa.array(map(_text, values), pa.string())


def _text(value: object) -> str:
    """Write one cell: nothing for none, ISO dates, bytes in hexadecimal."""
    if isinstance(value, float | Decimal):
        plain = format(value, "f") if isinstance(value, Decimal) else repr(value)
        return plain + "0" if re.search(r"\.\d{3}$", plain) else plain  # 1.234 alone may be a thousand
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return "" if value is None else str(value)


def _redacted(message: str) -> str:
    """Take the password out of what a driver says."""
    secrets: Iterable[str | None] = (os.environ.get(name) for name in (PASSWORD, "PGPASSWORD"))
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return " ".join(re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", message).split())


def _refused(problem: str, mend: str) -> BadInput:
    """Say what is wrong with the database; its address is not repeated."""
    return BadInput([Fault("database", "", "", problem, mend)])
