"""One company's folder: its tables, its settings, and the results of each step."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import tomli_w

from territory_lab import files, parts, quality, reading, schema, shipped
from territory_lab.errors import BadInput, Fault, MissingTable, TerritoryLabError
from territory_lab.settings import SETTINGS, Settings
from territory_lab.timeline import data_end

RULES = "icp.toml"  # the rule card of the ideal customer, where the analyst states one
TRAVEL = ("travel.csv", "travel.parquet", "travel.json")  # travel times, where a router told them
_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class Workspace:
    """
    An open workspace: tables by name on the left, results by name on the right.

    Parameters
    ----------
    folder : Path
        Holds the tables as CSV or Parquet, ``workspace.toml``, ``notebooks/``, ``results/`` and ``reports/``.
    part : int or None
        Which part of a company too large for memory; None: the company, which shows the tables of its first part.
    """

    folder: Path
    part: int | None = None

    @cached_property
    def settings(self) -> Settings:
        """What the analyst states."""
        return Settings.read(self.folder / SETTINGS)

    @cached_property
    def files(self) -> dict[str, Path]:
        """The file of each table that is there, by table name."""
        there = {name: [self.folder / (name + suffix) for suffix in _SUFFIXES] for name in schema.TABLES}
        found = {name: [file for file in files if file.is_file()] for name, files in there.items()}
        twice = [name for name, files in found.items() if len(files) > 1]
        if twice:
            raise BadInput([Fault(name, "", "", "is there as CSV and as Parquet", "keep one") for name in twice])
        return {name: files[0] for name, files in found.items() if files}

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """
        Every table that is there, typed and checked.

        A table with a header and no rows counts as not there.
        """
        tables, faults = self._inspected
        if faults:
            raise BadInput(faults)
        return tables

    @cached_property
    def deal(self) -> parts.Deal | None:
        """How a company of more than ``part_accounts`` accounts is dealt into parts; None for a smaller one."""
        size, table = self.settings.part_accounts, self.files.get("accounts")
        if table is None or parts.rows(table) <= size:
            return None
        return parts.deal(self.files, self.result("parts"), size)

    @property
    def parts(self) -> "Iterator[Workspace]":
        """The parts of a large company, one at a time so that each can be let go, else the workspace itself."""
        if self.deal is None or self.part is not None:
            return iter([self])
        return (Workspace(self.folder, part) for part in range(self.deal.size))

    @property
    def times(self) -> float:
        """How many times as many accounts the company has as the tables show."""
        return 1.0 if self.deal is None else self.deal.rows["accounts"] / len(self.tables["accounts"])

    @cached_property
    def end(self) -> pd.Timestamp:
        """The start of the day after the last event of the whole company; BadInput where there is none."""
        return self.deal.end if self.deal is not None and self.deal.end is not None else data_end(self.tables)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of the tables, the settings, the stated rule card and travel times: what a result rests on."""
        total = hashlib.sha256(json.dumps(asdict(self.settings), sort_keys=True).encode())
        stated = {name: self.folder / name for name in (RULES, *TRAVEL) if (self.folder / name).is_file()}
        for name, file in sorted((self.files | stated).items()):
            total.update(f"\0{name}\0".encode() + bytes.fromhex(digest(file)))
        return total.hexdigest()

    @property
    def missing(self) -> dict[str, str]:
        """The optional tables that are not there, and what each switches off."""
        return {name: table.without for name, table in schema.TABLES.items() if name not in self._raw and table.without}

    def need(self, *names: str, step: str) -> list[pd.DataFrame]:
        """
        Return tables that a step cannot do without.

        Parameters
        ----------
        *names : str
            Names of tables.
        step : str
            What is being done, for the message.

        Returns
        -------
        list of DataFrame
            In the order of the names.

        Raises
        ------
        MissingTable
            Naming every table that is not there.
        """
        lacking = [name for name in names if name not in self.tables]
        if lacking:
            raise MissingTable(f"{step} is switched off: it needs {', '.join(lacking)} (add {lacking[0]}.csv)")
        return [self.tables[name] for name in names]

    def faults(self) -> tuple[list[Fault], list[Fault]]:
        """
        Say what is wrong with the tables and what is doubtful.

        Returns
        -------
        faults : list of Fault
            What stops every step.
        doubts : list of Fault
            What a person should look at; of a large company, in its first part.
        """
        found = [fault for part in self.parts for fault in part._inspected[1]]  # noqa: SLF001 - our own parts
        if self.deal is not None:
            found += self.deal.loops()
        faults = sorted(dict.fromkeys(found), key=lambda fault: list(schema.TABLES).index(fault.table))
        tables = self._inspected[0]
        return faults, quality.doubts(tables["accounts"]) if "accounts" in tables else []

    def alone(self) -> AbstractContextManager[None]:
        """
        Keep other runs out of the workspace for a while.

        Returns
        -------
        context manager
            Raises TimeoutError, without waiting, where another run is at work.
        """
        return files.alone(self.folder, patience_s=0)

    def result(self, step: str) -> Path:
        """
        Return the folder of a step's results.

        Parameters
        ----------
        step : str
            Name of the step.

        Returns
        -------
        Path
            It need not exist yet.
        """
        return self.folder / "results" / step

    @property
    def _bounds(self) -> quality.Bounds | None:
        """Limits of the map in degrees, where they are stated."""
        return self.settings.bounds or None  # type: ignore[return-value]  # Settings.read counts them

    @cached_property
    def _raw(self) -> dict[str, pd.DataFrame]:
        """Tables as read: CSV as text, so that nothing is guessed."""
        frames = {name: _read(name, file) for name, file in self.sources.items()}
        return {name: frame for name, frame in frames.items() if len(frame)}

    @property
    def sources(self) -> dict[str, Path]:
        """The files that are read: those of a part where the company is large."""
        if self.deal is None:
            return self.files
        own = {name: self.deal.file(name, self.part or 0) for name in parts.DEALT}
        return {name: file for name, file in (self.files | own).items() if file is not None}

    @cached_property
    def _inspected(self) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
        """Typed tables, and every fault in them."""
        if self.deal is None:
            return schema.inspect(self._raw, bounds=self._bounds)
        part = self.part or 0
        tables, faults = schema.inspect(self._raw, bounds=self._bounds, part=True)
        faults = [fault._replace(row=fault.row.replace("row ", f"part {part}, row ")) for fault in faults]
        return tables, faults + self.deal.faults(part)


def open_workspace(folder: str | os.PathLike[str] | None = None) -> Workspace:
    """
    Open a workspace.

    Parameters
    ----------
    folder : path or None
        Its folder; None: the nearest one at or above the working directory, so that a notebook finds its own.

    Returns
    -------
    Workspace
        Nothing is read yet.

    Raises
    ------
    TerritoryLabError
        If there is none.
    """
    if folder is not None:
        if not Path(folder).is_dir():
            raise TerritoryLabError(f"{folder} is not a folder")
        return Workspace(Path(folder).resolve())
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / SETTINGS).is_file():
            return Workspace(place)
    raise TerritoryLabError("no workspace.toml here or above; `territory-lab demo` makes one with the sample company")


def create(
    folder: str | os.PathLike[str],
    tables: str | os.PathLike[str] | None = None,
    settings: Settings | None = None,
    *,
    whole: bool = False,
) -> Workspace:
    """
    Make a workspace: settings, the guided notebooks, and tables copied in or as empty templates.

    Parameters
    ----------
    folder : path
        A new or empty folder.
    tables : path or None
        A folder of CSV or Parquet files named as the tables; None: a CSV with the header of each table.
    settings : Settings or None
        None: those beside the tables, else defaults with the folder's name.
    whole : bool
        Copy all that stands in the folder, not its tables only.

    Returns
    -------
    Workspace
        The new workspace.

    Raises
    ------
    TerritoryLabError
        If the folder holds something already, or there is no table to copy.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TerritoryLabError(f"{target} is not an empty folder; nothing was changed")
    source = None if tables is None else open_workspace(tables)
    if source is not None and not source.files:
        raise TerritoryLabError(f"no table in {source.folder}; expected {', '.join(schema.TABLES)} as .csv or .parquet")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as building:
        draft = Path(building) / "workspace"
        shutil.copytree(shipped.notebooks(), draft / "notebooks", ignore=shutil.ignore_patterns(".*"))
        if source is None:
            for name, table in schema.TABLES.items():
                (draft / f"{name}.csv").write_text(",".join(table.columns) + "\n", encoding="utf-8")
        else:
            settings = settings or (source.settings if (source.folder / SETTINGS).exists() else None)
            for file in source.folder.iterdir() if whole else source.files.values():
                (shutil.copytree if file.is_dir() else shutil.copy2)(file, draft / file.name)
        settings = settings or Settings(name=target.resolve().name)
        (draft / SETTINGS).write_text(tomli_w.dumps(asdict(settings)), encoding="utf-8")
        if target.exists():
            target.rmdir()
        draft.rename(target)
    return Workspace(target.resolve())


def state(space: Workspace, **changes: object) -> Workspace:
    """
    State settings anew in ``workspace.toml``; the others stay as they are.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    **changes : object
        Settings by name.

    Returns
    -------
    Workspace
        The same folder with the new settings; steps computed under the old ones are computed anew.

    Raises
    ------
    BadInput
        For a name that is unknown or a value of the wrong kind; nothing is written then.
    """
    stated = asdict(Settings.read(space.folder / SETTINGS)) | changes
    settings = Settings.of({key: list(value) if isinstance(value, tuple) else value for key, value in stated.items()})
    files.write_whole(space.folder / SETTINGS, tomli_w.dumps(asdict(settings)))
    return Workspace(space.folder)


def write_frames(folder: Path, frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any]) -> None:
    """
    Save frames as Parquet and facts as JSON, all or nothing.

    Parameters
    ----------
    folder : Path
        Replaced whole.
    frames : mapping of str to DataFrame
        One file each.
    facts : mapping of str to anything JSON holds
        Kept in ``facts.json``, with the SHA-256 of each frame's file.
    """
    with files.writing(folder) as draft:
        for name, frame in frames.items():
            frame.to_parquet(draft / f"{name}.parquet", compression="zstd")
        told = {**facts, "sha256": {name: digest(draft / f"{name}.parquet") for name in frames}}
        (draft / "facts.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def digest(file: Path) -> str:
    """
    Sum up a file.

    Parameters
    ----------
    file : Path
        Any file.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(name: str, file: Path) -> pd.DataFrame:
    """Read one table, CSV as text only."""
    try:
        if file.suffix == ".parquet":
            drawn = b"geo" in (pq.read_schema(file).metadata or {})  # the mark of GeoParquet
            return gpd.read_parquet(file) if drawn else pd.read_parquet(file)
        texts: pd.DataFrame = pd.read_csv(file, **reading.CSV)
    except (OSError, ValueError) as error:
        raise reading.unreadable(name, error) from error
    return texts
