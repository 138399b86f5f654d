"""
Scenarios on disk: ``<folder>/<name>/<version>/`` with ``scenario.toml``, ``alignment.parquet`` and ``metrics.json``.

A version is written beside and renamed to the next free number, so that a save is there whole or not at all, nobody's
save replaces another's, and the versions are the audit trail. Saving what is there already makes no new version.
"""

import datetime as dt
import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w

from territory_lab.errors import BadInput, Fault
from territory_lab.files import alone

STATUSES = ("draft", "in review", "approved", "published")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,79}(?<! )")
_ABOUT = ("status", "author", "note", "seed", "data_hash")
_DRAFT = ".draft-"
_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True, eq=False)
class Scenario:
    """
    A plan with all that it takes to judge it and to make it again.

    Parameters
    ----------
    name : str
        Letters, digits, space, - and _; it is the name of its folder.
    alignment : Series
        ``territory_id`` by ``unit_id``.
    settings : mapping
        What the plan was made with; anything TOML holds.
    metrics : mapping
        What came out; anything JSON holds.
    data_hash : str
        Of the tables that it rests on.
    seed : int
        Of the solver.
    author, note : str
        Who and why.
    status : str
        draft, in review, approved or published.
    effective : date, optional
        The day from which it holds.
    """

    name: str
    alignment: pd.Series
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str = ""
    seed: int = 0
    author: str = ""
    note: str = ""
    status: str = "draft"
    effective: dt.date | None = None

    def __post_init__(self) -> None:
        faults = []
        if not _NAME.fullmatch(self.name):
            mend = "use up to 80 letters, digits, spaces, - and _, beginning with a letter or digit"
            faults.append(Fault("scenario", "name", "", f"{self.name!r}", mend))
        if self.status not in STATUSES:
            faults.append(Fault("scenario", "status", "", f"{self.status!r}", f"one of {', '.join(STATUSES)}"))
        if not self.alignment.index.is_unique:
            double = self.alignment.index[self.alignment.index.duplicated()].unique()
            faults += [Fault("scenario", "alignment", str(unit), "is there twice", "keep one") for unit in double]
        if faults:
            raise BadInput(faults)

    def data_note(self, data_hash: str) -> str:
        """
        Say whether the data has changed since the scenario was made.

        Parameters
        ----------
        data_hash : str
            Of today's tables.

        Returns
        -------
        str
            Empty where it has not.
        """
        if data_hash == self.data_hash:
            return ""
        return f"The data has changed since {self.name!r} was made: its figures are of the older data. Run it again."


def save(scenario: Scenario, folder: Path) -> Path:
    """
    Save a scenario as the next version of its name.

    Parameters
    ----------
    scenario : Scenario
        To be saved.
    folder : Path
        Holds all scenarios; made if it is not there.

    Returns
    -------
    Path
        The folder of the version, an older one where that holds the same.
    """
    files = _files(scenario)
    shelf = folder / scenario.name
    with alone(shelf), tempfile.TemporaryDirectory(dir=shelf, prefix=_DRAFT) as building:
        for left in set(shelf.glob(f"{_DRAFT}*")) - {Path(building)}:  # of a process that was killed
            shutil.rmtree(left)
        draft = Path(building) / "version"
        draft.mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        pd.DataFrame({"territory_id": scenario.alignment}).rename_axis("unit_id").sort_index().to_parquet(
            draft / "alignment.parquet", compression="zstd"
        )
        there = _versions(shelf)
        if there and _same(there[-1], draft):
            return there[-1]
        return draft.rename(shelf / f"{int(there[-1].name) + 1 if there else 1:04d}")


def load(folder: Path, name: str, number: int | None = None) -> Scenario:
    """
    Load a scenario.

    Parameters
    ----------
    folder : Path
        Holds all scenarios.
    name : str
        Of the scenario.
    number : int, optional
        Of the version; the latest without it.

    Returns
    -------
    Scenario
        As it was saved.
    """
    there = _versions(folder / name) if _NAME.fullmatch(name) else []
    chosen = [version for version in there if number is None or int(version.name) == number]
    if not chosen:
        known = ", ".join(names(folder)) or "none"
        wanted = name if number is None or not there else f"{name}, version {number}"
        raise BadInput([Fault("scenario", "name", "", f"{wanted!r} is not there", f"one of: {known}")])
    try:
        about = tomllib.loads((chosen[-1] / "scenario.toml").read_text(encoding="utf-8"))
        return Scenario(
            name=name,
            alignment=pd.read_parquet(chosen[-1] / "alignment.parquet")["territory_id"],
            metrics=json.loads((chosen[-1] / "metrics.json").read_text(encoding="utf-8")),
            settings=about["settings"],
            effective=about.get("effective"),
            **{key: about[key] for key in _ABOUT},
        )
    except BadInput:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        where, problem = f"{name}, version {int(chosen[-1].name)}", f"is damaged: {error!r}"
        raise BadInput(
            [Fault("scenario", "", where, problem, "restore its folder, or load another version")]
        ) from error


def names(folder: Path) -> list[str]:
    """
    List the scenarios that are there.

    Parameters
    ----------
    folder : Path
        Holds all scenarios.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    return sorted(shelf.name for shelf in folder.iterdir() if _versions(shelf)) if folder.is_dir() else []


def compare(scenarios: Sequence[Scenario], data_hash: str | None = None) -> pd.DataFrame:
    """
    Lay scenarios side by side.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Two or more; the first is what the others are measured against.
    data_hash : str, optional
        Of today's tables, to say which scenario is out of date.

    Returns
    -------
    DataFrame
        A column per scenario; rows by ``section`` and ``name``: about, the settings that differ, all metrics that are
        single values (nested names joined by dots), and the share of units that differ from the first.
    """
    first = scenarios[0]
    columns = {}
    for scenario in scenarios:
        about: dict[str, Any] = {"status": scenario.status, "author": scenario.author, "effective": scenario.effective}
        if data_hash is not None:
            about["data"] = "changed since" if scenario.data_note(data_hash) else "today's"
        both = pd.concat([first.alignment, scenario.alignment], axis=1, keys=["first", "this"])
        differs = (both["first"] != both["this"]) & both.notna().any(axis=1)
        sections = {"about": about, "settings": _flat(scenario.settings), "metrics": _flat(scenario.metrics)}
        sections["moved"] = {"units_share": float(differs.mean())}
        rows = {(section, key): value for section, part in sections.items() for key, value in part.items()}
        columns[scenario.name] = pd.Series(rows, dtype=object)
    table = pd.DataFrame(columns).rename_axis(["section", "name"])
    unlike = [len(set(map(repr, row))) > 1 for row in table.to_numpy()]
    table = table[unlike | (table.index.get_level_values("section") != "settings")]
    return table.reindex(["about", "settings", "metrics", "moved"], level="section")


def _files(scenario: Scenario) -> dict[str, bytes]:
    """Write what is text, or name everything in it that cannot be written."""
    about: dict[str, Any] = {key: getattr(scenario, key) for key in _ABOUT}
    if scenario.effective is not None:
        about["effective"] = scenario.effective
    about |= {"made_with": f"territory-lab {version('territory-lab')}", "settings": _plain(scenario.settings)}
    try:
        told = json.dumps(_plain(scenario.metrics), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        return {"scenario.toml": tomli_w.dumps(about).encode(), "metrics.json": f"{told}\n".encode()}
    except (TypeError, ValueError) as error:
        mend = "keep numbers, text, dates, lists and tables of them"
        raise BadInput([Fault("scenario", "settings, metrics", "", str(error), mend)]) from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a settings file may hold
    """Turn numpy's values into Python's, and a missing number in a table into its absence."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(part) for key, part in sorted(value.items())}
        return {key: part for key, part in plain.items() if part is not None}
    if isinstance(value, list | tuple | np.ndarray | pd.Index | pd.Series):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Join nested names with dots and leave lists out."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{key}.")
        elif not isinstance(value, list | tuple):
            flat[f"{above}{key}"] = value
    return flat


def _versions(shelf: Path) -> list[Path]:
    """List whole versions, oldest first."""
    if not shelf.is_dir():
        return []
    return sorted((path for path in shelf.iterdir() if _NUMBER.fullmatch(path.name)), key=lambda p: int(p.name))


def _same(one: Path, other: Path) -> bool:
    """Whether two versions hold the same bytes."""
    return all((one / file.name).read_bytes() == file.read_bytes() for file in other.iterdir())
