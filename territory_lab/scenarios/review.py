"""The review round: remarks on a scenario, decisions on its moves, and the plan that is left."""

import datetime as dt
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.scenarios.store import Scenario, load

DECISIONS = ("", "accepted", "rejected")
_COLUMNS = ["when", "author", "territory_id", "unit_id", "decision", "text"]


def remark(
    folder: Path,
    name: str,
    *,
    author: str,
    when: dt.datetime,
    text: str,
    territory_id: str = "",
    unit_id: str = "",
    decision: str = "",
) -> Path:
    """
    Put a remark, or a decision on a move, beside a scenario; nothing is ever changed or taken away.

    Parameters
    ----------
    folder : Path
        Holds all scenarios.
    name : str
        Of the scenario.
    author : str
        Who says it.
    when : datetime
        When it was said.
    text : str
        What is said; a decision needs a reason.
    territory_id, unit_id : str
        What it is about; a decision is about a unit.
    decision : str
        accepted, rejected or nothing.

    Returns
    -------
    Path
        The file; the same remark twice is one file.
    """
    load(folder, name)
    said = dict(zip(_COLUMNS, (when.isoformat(), author, territory_id, unit_id, decision, text), strict=True))
    faults = []
    if decision not in DECISIONS:
        faults.append(Fault("review", "decision", "", f"{decision!r}", "accepted, rejected or nothing"))
    if decision and not (unit_id and text.strip()):
        faults.append(Fault("review", "decision", "", "names no unit or no reason", "give both"))
    if faults:
        raise BadInput(faults)
    content = json.dumps(said, indent=1, ensure_ascii=False).encode()
    key = hashlib.sha256(content).hexdigest()[:20]
    file = folder / name / "review" / f"{key}.json"
    file.parent.mkdir(exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    return draft.replace(file)


def remarks(folder: Path, name: str) -> pd.DataFrame:
    """
    Return all that was said about a scenario.

    Parameters
    ----------
    folder : Path
        Holds all scenarios.
    name : str
        Of the scenario.

    Returns
    -------
    DataFrame
        ``when``, ``author``, ``territory_id``, ``unit_id``, ``decision``, ``text``; the oldest first.
    """
    load(folder, name)
    files = sorted((folder / name / "review").glob("*.json"))
    table = pd.DataFrame([json.loads(file.read_text(encoding="utf-8")) for file in files], columns=_COLUMNS)
    table = table.astype("str").sort_values(["when", "author", "unit_id", "text"], ignore_index=True)
    return table.assign(when=pd.to_datetime(table["when"], format="ISO8601"))


def revised(scenario: Scenario, today: pd.Series, said: pd.DataFrame) -> Scenario:
    """
    Take the rejected moves back; the last decision on a unit counts.

    Parameters
    ----------
    scenario : Scenario
        As it was reviewed.
    today : Series
        Today's alignment, ``territory_id`` by ``unit_id``.
    said : DataFrame
        As ``remarks`` returns.

    Returns
    -------
    Scenario
        With today's territory for every rejected unit, without metrics (they are of the other plan), as a draft.
    """
    last = said[said["decision"] != ""].groupby("unit_id")["decision"].last()
    units = last.index[last == "rejected"].intersection(scenario.alignment.index)
    unknown = units.difference(today.index)
    if len(unknown):
        raise BadInput(
            Fault("review", "unit_id", str(unit), "has no territory today to go back to", "withdraw the rejection")
            for unit in unknown
        )
    alignment = scenario.alignment.copy()
    alignment.loc[units] = today.loc[units]
    return replace(scenario, alignment=alignment, metrics={}, status="draft")
