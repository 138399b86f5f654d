"""Tables too large for memory, dealt into parts: each is a random sample of the accounts, with all of their events."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from territory_lab import files, quality, reading, schema
from territory_lab.errors import Fault
from territory_lab.timeline import EVENTS

DEALT = tuple(name for name, table in schema.TABLES.items() if "account_id" in table.columns)
_BATCH = 250_000  # rows read at once
_GROUP = 50_000  # rows of a part that are held back to be written together
_LINKS = "links"  # accounts that have a parent, by parent
_KEYS = "keys-"  # and the name of a table of events: its keys, by key
_LINK = ["account_id", "parent_id"]
_PART = pa.field("part", pa.int16())
_FACTS = "facts.json"


class Deal(NamedTuple):
    """
    What was dealt.

    Parameters
    ----------
    folder : Path
        One folder for each table, in it one for each part.
    size : int
        Number of parts.
    rows : mapping of str to int
        Rows by table.
    end : Timestamp or None
        The start of the day after the last event; None without events.
    """

    folder: Path
    size: int
    rows: Mapping[str, int]
    end: pd.Timestamp | None

    def file(self, name: str, part: int) -> Path | None:
        """
        Find a table of a part.

        Parameters
        ----------
        name : str
            One of ``DEALT``.
        part : int
            From 0.

        Returns
        -------
        Path or None
            A Parquet file; None where no row of the table falls to the part.
        """
        file = self.folder / name / str(part) / "0.parquet"
        return file if file.is_file() else None

    def faults(self, part: int) -> list[Fault]:
        """
        Find what no part can see by itself: keys of events that stand twice, and parents that are not there.

        Parameters
        ----------
        part : int
            From 0; the keys and the parents that fall to it are looked at.

        Returns
        -------
        list of Fault
            Over all parts, every such fault.
        """
        keys = {name: self._read(_KEYS + name, part) for name in EVENTS}
        found = [fault for name, frame in keys.items() for fault in schema.repeated(name, frame)]
        links, there = self._read(_LINKS, part), self._read("accounts", part)
        return found + schema.orphans("accounts", links, {"accounts": there})

    def loops(self) -> list[Fault]:
        """
        Find accounts that are their own parent, at whatever remove.

        Returns
        -------
        list of Fault
            One for each account of a loop.
        """
        return quality.loops(pd.concat([self._read(_LINKS, part) for part in range(self.size)], ignore_index=True))

    def _read(self, name: str, part: int) -> pd.DataFrame:
        """Read the ids of a table of a part as text."""
        file = self.file(name, part)
        table = pa.table({}) if file is None else pq.read_table(file)
        wanted = [column for column in table.column_names if column in _LINK or name.startswith(_KEYS)]
        found: pd.DataFrame = pa.table({column: _text(table[column]) for column in wanted}).to_pandas()
        return found.reindex(columns=_LINK).astype("str") if name == _LINKS else found


def rows(file: Path) -> int:
    """
    Count the rows of a table without holding it.

    Parameters
    ----------
    file : Path
        CSV or Parquet.

    Returns
    -------
    int
        Of a CSV, its lines below the header.

    Raises
    ------
    BadInput
        Where the file is damaged.
    """
    if file.suffix == ".parquet":
        try:
            return int(pq.read_metadata(file).num_rows)
        except ValueError as error:
            raise reading.unreadable(file.stem, error) from error
    with file.open("rb") as lines:
        return max(sum(chunk.count(b"\n") for chunk in iter(lambda: lines.read(1 << 20), b"")) - 1, 0)


def deal(tables: Mapping[str, Path], folder: Path, size: int) -> Deal:
    """
    Deal tables into parts by a hash of the account; once for the files as they are.

    Parameters
    ----------
    tables : mapping of str to Path
        CSV or Parquet by name, accounts among them; tables that are not in ``DEALT`` are left alone.
    folder : Path
        Replaced whole where it was dealt from other files.
    size : int
        Accounts of one part, about.

    Returns
    -------
    Deal
        Each account with all of its rows in one part; the same for the same bytes on every machine.

    Raises
    ------
    BadInput
        Naming a table that is damaged; nothing is left of the parts then.

    Notes
    -----
    No more than a batch of rows is held, and for each part a group of rows that is not written yet.
    """
    tables = {name: file for name, file in tables.items() if name in DEALT}
    about = {name: [file.name, file.stat().st_size, file.stat().st_mtime_ns] for name, file in tables.items()}
    stamp = {"files": about, "size": size}
    told = _told(folder)
    if told.get("stamp") != stamp:
        with files.writing(folder) as draft:
            count = max(1, -(-rows(tables["accounts"]) // size))
            ends = [end for name, file in tables.items() if (end := _dealt(name, file, draft, count)) is not None]
            stop = str((max(ends) + pd.Timedelta(days=1)).date()) if ends else None
            sizes = {name: rows(file) for name, file in tables.items()}
            told = {"stamp": stamp, "count": count, "rows": sizes, "end": stop}
            (draft / _FACTS).write_text(json.dumps(told) + "\n", encoding="utf-8")
    return Deal(folder, told["count"], told["rows"], None if told["end"] is None else pd.Timestamp(told["end"]))


def _told(folder: Path) -> dict[str, Any]:
    """Read what a folder was dealt from; nothing where it was not, or not wholly."""
    try:
        told = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _dealt(name: str, file: Path, folder: Path, count: int) -> pd.Timestamp | None:
    """Deal one table, if it can be read; give the time of its last event."""
    try:
        return _written(name, file, folder, count)
    except ValueError as error:
        raise reading.unreadable(name, error) from error


def _written(name: str, file: Path, folder: Path, count: int) -> pd.Timestamp | None:
    """Deal one table, and what is looked up across parts; give the time of its last event."""
    last: list[pd.Timestamp] = []

    def watched() -> Iterator[pa.RecordBatch]:
        for batch in _batches(file):
            if EVENTS.get(name) in batch.schema.names:
                last.append(reading.dates(batch.column(EVENTS[name]).unique().to_pandas()).max())
            yield batch

    _write(watched(), folder / name, "account_id", count)
    key = next((column for column, spec in schema.TABLES[name].columns.items() if spec.key), "")
    if name in EVENTS and key in _names(file):
        _write(_batches(file, [key]), folder / (_KEYS + name), key, count)
    if name == "accounts" and set(_LINK) <= set(_names(file)):
        links = (batch.filter(_text(batch["parent_id"]).is_valid()) for batch in _batches(file, _LINK))
        _write(links, folder / _LINKS, "parent_id", count)
    return max((day for day in last if pd.notna(day)), default=None)


def _write(batches: Iterable[pa.RecordBatch], folder: Path, column: str, count: int) -> None:
    """Write batches as one file for each part."""
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return
    parted = (batch.append_column("part", _part(batch, column, count)) for batch in chain([first], batches))
    ds.write_dataset(
        parted,
        folder,
        schema=first.schema.append(_PART),
        format="parquet",
        file_options=ds.ParquetFileFormat().make_write_options(compression="zstd"),
        partitioning=ds.partitioning(pa.schema([_PART])),
        basename_template="{i}.parquet",
        max_partitions=count,
        max_open_files=count + 8,  # one file for each part, from its first row to its last
        min_rows_per_group=_GROUP,
        max_rows_per_group=2 * _BATCH,
        use_threads=False,
    )


def _part(batch: pa.RecordBatch, column: str, count: int) -> pa.Array:
    """Say which part each row falls to; rows without an id fall to one."""
    if column not in batch.schema.names:
        return pa.array(np.zeros(len(batch), dtype="int16"))
    ids = _text(batch[column]).fill_null("").dictionary_encode()
    hashed = pd.util.hash_array(ids.dictionary.to_numpy(zero_copy_only=False), categorize=False)
    return pa.array((hashed % count).astype("int16")).take(ids.indices)


def _text(ids: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Read ids as the schema does: trimmed, empty is missing."""
    trimmed = pc.utf8_trim_whitespace(ids.cast(pa.large_string()))
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _names(file: Path) -> list[str]:
    """Read the names of a table's columns."""
    return list(next(_batches(file)).schema.names) if file.suffix == ".csv" else list(pq.read_schema(file).names)


def _batches(file: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Read a table batch by batch, a CSV as text."""
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as table:
            yield from table.iter_batches(_BATCH, columns=columns)
        return
    with pd.read_csv(file, usecols=columns, chunksize=_BATCH, **reading.CSV) as chunks:
        for chunk in chunks:
            yield pa.RecordBatch.from_pandas(chunk, preserve_index=False)
