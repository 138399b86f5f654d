"""Exports as text: any usual encoding and separator, CSV or XLSX, every line accounted for and nothing guessed at."""

import codecs
import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

from territory_lab.errors import BadInput, Fault

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_SEPARATORS = ",;\t|"
_MAPS = (".geojson", ".gpkg", ".shp", ".parquet")
_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", *_MAPS)
_WIDEST = 16_384  # columns, as in the widest workbook
_UNPACKED = 2**30  # bytes that a file may unpack to
_CELL = 32  # bytes that a cell takes at least, once it is read
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Sheet:
    """One file of an export, or one sheet of a workbook."""

    name: str
    cells: pd.DataFrame
    odd: dict[int, tuple[str, str]] = field(default_factory=dict)
    how: str = ""


def read_sheets(path: Path) -> list[Sheet]:
    """Read a file, or every CSV and XLSX in a folder."""
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES) if path.is_dir() else [path]
    sheets: list[Sheet] = []
    faults: list[Fault] = []
    for file in found:
        try:
            kind = file.suffix.lower()
            sheets += _workbook(file) if kind.startswith(".xls") else [_map(file) if kind in _MAPS else _text(file)]
        except BadInput as error:
            faults += error.faults
        except OSError as error:
            faults.append(Fault(file.name, "", "", error.strerror or str(error), "name a file or folder you may read"))
    if not found:
        faults.append(Fault(path.name, "", "", "holds no CSV or XLSX", "name the folder of the export"))
    if faults:
        raise BadInput(faults)
    return sheets


def _text(file: Path) -> Sheet:
    """Read delimited text."""
    text, encoding = _decoded(file)
    separator = _separator(text)
    stated = text.lower().startswith("sep=")  # Excel's own line, before the header
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(_numbered(reader))[stated:]
    except csv.Error as error:
        mend = "close the quotes of that cell, and shorten it to 100,000 letters"
        raise BadInput([Fault(file.name, "", f"line {reader.line_num}", str(error), mend)]) from error
    return _sheet(file.name, rows, f"{encoding}, separated by {separator!r}")


def _decoded(file: Path) -> tuple[str, str]:
    """Turn bytes into text by their mark, else as UTF-8, else as Windows-1252."""
    raw = file.read_bytes()
    marked = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), None)
    if marked is None and raw[:100].count(0) > len(raw[:100]) / 4:  # every other byte, and not a stray one
        marked = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    for encoding in [marked] if marked else ["utf-8", "cp1252"]:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    problem = f"is not {marked or 'UTF-8, UTF-16 or Windows-1252'}"
    raise BadInput([Fault(file.name, "", "", problem, "save it as UTF-8 CSV")])


def _separator(text: str) -> str:
    """Find the separator that cuts the first lines into the most cells, alike on every line."""
    if text.lower().startswith("sep=") and text[4:5] in _SEPARATORS:
        return text[4]
    csv_lines = io.StringIO(text[:50_000], newline="").readlines()[:20]

    def cells(separator: str) -> int:
        widths = [len(row) for row in islice(csv.reader(csv_lines, delimiter=separator), 20) if row]
        return sum(width - 1 for width in widths if width == widths[0])

    return max(_SEPARATORS, key=cells)


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Give each row the number of the line it begins on."""
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1  # type: ignore[attr-defined]  # csv's reader has it, its protocol does not


def _workbook(file: Path) -> list[Sheet]:
    """Read every sheet of a workbook that has a header and a row."""
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra
    except ImportError as error:
        mend = "pip install territory-lab[excel], or save it as CSV"
        raise BadInput([Fault(file.name, "", "", "XLSX needs openpyxl", mend)]) from error
    try:
        with zipfile.ZipFile(file) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        _bounded(file, unpacked)
        book = load_workbook(file, read_only=True, data_only=True)
        pages = {page.title: _filled(file, page) for page in book.worksheets}
        book.close()
    except (BadInput, OSError):
        raise
    except Exception as error:  # a damaged workbook raises whatever its XML leads to
        raise BadInput([Fault(file.name, "", "", f"cannot be read: {error!r}", "save it as CSV")]) from error
    names = {title: file.name if len(pages) == 1 else f"{file.name}:{title}" for title in pages}
    return [_sheet(names[title], rows, "XLSX") for title, rows in pages.items() if len(rows) > 1]


def _filled(file: Path, page: "ReadOnlyWorksheet") -> list[tuple[int, list[str]]]:
    """List the rows that hold anything, as wide as the header at least; never trust the size that the page states."""
    page.reset_dimensions()
    rows: list[tuple[int, list[str]]] = []
    cells = 0
    for line, values in enumerate(page.values, 1):
        cells += len(values)
        _bounded(file, cells * _CELL)
        row = [_cell(value) for value in values]
        if any(row):
            rows.append((line, row + [""] * (len(rows[0][1]) - len(row)) if rows else row))
    return rows


def _map(file: Path) -> Sheet:
    """Read a file of shapes, or a table in Parquet; shapes become WKB in hexadecimal, in degrees."""
    try:
        if file.suffix.lower() != ".parquet":
            frame = gpd.read_file(file)
        else:
            stored = pq.read_metadata(file)
            _bounded(file, stored.num_rows * stored.num_columns * _CELL)
            frame = gpd.read_parquet(file) if b"geo" in (stored.metadata or {}) else pd.read_parquet(file)
        shapes = isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name
        if shapes:
            there = frame.geometry if frame.crs else frame.geometry.set_crs("EPSG:4326")
            frame = pd.DataFrame(frame).assign(**{shapes: there.to_crs("EPSG:4326").to_wkb(hex=True)})
    except (BadInput, OSError):
        raise
    except Exception as error:  # a damaged file raises whatever its reader comes upon
        raise BadInput([Fault(file.name, "", "", f"cannot be read: {error!r}", "save it anew, as GeoJSON")]) from error
    header = [shapes and "geometry" if column == shapes else str(column) for column in frame]
    columns = [["" if pd.isna(v) is True else _cell(v) for v in frame[column].array] for column in frame]
    rows = [header, *map(list, zip(*columns, strict=True))]
    return _sheet(file.name, enumerate(rows, 0), file.suffix[1:].lower())


def _bounded(file: Path, unpacked: int) -> None:
    """Refuse a file that grows beyond measure when it is opened."""
    if unpacked > _UNPACKED:
        raise BadInput([Fault(file.name, "", "", f"unpacks to {unpacked:,} bytes", "save it as CSV")])


def _cell(value: object) -> str:
    """Write a cell as text: dates in ISO, whole numbers without a point."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _sheet(name: str, rows: Iterable[tuple[int, list[str]]], how: str) -> Sheet:
    """Put rows under their header; those of another width are odd."""
    full = [(line, [cell.strip() for cell in row]) for line, row in rows if any(cell.strip() for cell in row)]
    if not full:
        raise BadInput([Fault(name, "", "", "is empty", "export it again with its header")])
    header = full[0][1]
    while header and not header[-1]:
        header.pop()
    width, fitting = len(header), []
    if width > _WIDEST:
        raise BadInput([Fault(name, "", "", f"has {width:,} columns", "export the ones that are needed")])
    odd: dict[int, tuple[str, str]] = {}
    for line, row in full[1:]:
        if len(row) < width or any(row[width:]):
            odd[line] = (f"has {len(row)} cells where the header has {width}", " | ".join(row))
        else:
            fitting.append((line, row[:width]))
    cells = pd.DataFrame([row for _, row in fitting], columns=header, dtype="str")
    cells.index = pd.Index([line for line, _ in fitting], dtype="int64", name="line")
    return Sheet(name, cells.loc[:, ~cells.columns.duplicated() & (cells.columns != "")], odd, how)
