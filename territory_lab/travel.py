"""Travel times as routers give them: a table of one's own, or the answer of OSRM, Valhalla or Google as it came."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
LAYOUTS = "unit_id, territory_id and hours, minutes or seconds; or unit_id and a column of hours for each territory"
ANSWERS = "keep the answer of an OSRM table, a Valhalla matrix, or Google's distance or route matrix as it came"


def read(file: Path, units: pd.Index, territories: pd.Index) -> pd.DataFrame:
    """
    Read the hours it takes from each home to each unit.

    Parameters
    ----------
    file : Path
        ``travel.csv`` or ``travel.parquet``: ``unit_id``, ``territory_id`` and ``hours``, ``minutes`` or ``seconds``;
        or ``unit_id`` and, for each territory, a column of hours. ``travel.json``: a router's answer for all units as
        sources and all homes as destinations, both in the order given here, or the other way round.
    units, territories : Index
        Ids, in order.

    Returns
    -------
    DataFrame
        Hours, units by territories; missing where the file has none. Other units and territories are left out.

    Raises
    ------
    BadInput
        Naming each value that is no time, or what the file lacks.
    """
    try:
        if file.suffix == ".json":
            times = _answered(json.loads(file.read_text(encoding="utf-8")))
        else:
            table = pd.read_csv(file, dtype="str") if file.suffix == ".csv" else pd.read_parquet(file)
            return _tabled(table, file.name).reindex(index=units, columns=territories)
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput([Fault(file.name, "", "", f"cannot be read: {error}", _mend(file))]) from error
    if times.shape == (len(territories), len(units)) != (len(units), len(territories)):
        times = times.T
    if times.shape != (len(units), len(territories)):
        found = f"{' by '.join(map(str, times.shape))} times, where {len(units)} by {len(territories)} are asked for"
        mend = "ask for the points that `territory-lab travel` writes, in their order"
        raise BadInput([Fault(file.name, "", "", found, mend)])
    return _checked(pd.DataFrame(times / 3600.0, units, territories), file.name)


def _mend(file: Path) -> str:
    """Say what the file should hold."""
    return ANSWERS if file.suffix == ".json" else LAYOUTS


def _tabled(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Turn a long or a wide table into hours by unit and territory."""
    unit = next(iter(SECONDS.keys() & set(table)), "")
    if not {"unit_id"} <= set(table) or ("territory_id" in table and not unit):
        raise BadInput([Fault(name, "", "", f"the columns {', '.join(map(str, table))} tell no times", LAYOUTS)])
    keys = ["unit_id", "territory_id"] if "territory_id" in table else ["unit_id"]
    table = table.assign(**{key: table[key].astype("str") for key in keys})
    twice = table[table.duplicated(keys)]
    if len(twice):
        ids = twice[keys].agg(" to ".join, axis=1)
        raise BadInput(Fault(name, "", row, "stands there twice", "keep one row") for row in ids)
    stated = table.set_index(keys)
    given = (stated[unit].unstack() if "territory_id" in table else stated).rename(columns=str)  # noqa: PD010 - keys are unique
    return _checked(given, name) * (SECONDS[unit] if unit else 3600.0) / 3600.0


def _checked(given: pd.DataFrame, name: str) -> pd.DataFrame:
    """Name every value that is no time; an empty one is a pair without a road."""
    hours: pd.DataFrame = given.apply(pd.to_numeric, errors="coerce").astype("float64")
    empty = given.isna() | (given == "")
    wrong = np.argwhere((~empty & ~(np.isfinite(hours) & (hours >= 0))).to_numpy())
    if len(wrong):
        raise BadInput(
            Fault(
                name, str(given.columns[j]), str(given.index[i]), f"{given.iloc[i, j]!r} is no time", "give 0 or more"
            )
            for i, j in wrong
        )
    return hours


def _answered(answer: Any) -> np.ndarray:  # noqa: ANN401 - JSON of three makers
    """Take the seconds out of a router's answer, sources by destinations; missing where there is no road."""
    if isinstance(answer, list):  # Google, route matrix
        rows, columns = (1 + max(part.get(key, 0) for part in answer) for key in ("originIndex", "destinationIndex"))
        if rows * columns != len(answer):
            raise ValueError(f"{len(answer)} routes for {rows} origins and {columns} destinations")
        times = np.full((rows, columns), np.nan)
        for part in answer:
            if part.get("condition") == "ROUTE_EXISTS":
                times[part.get("originIndex", 0), part.get("destinationIndex", 0)] = float(part["duration"].rstrip("s"))
        return times
    if "durations" in answer:  # OSRM
        return np.array(answer["durations"], dtype=float)
    if "sources_to_targets" in answer:  # Valhalla, with a row of cells a source, or in its compact form
        cells = answer["sources_to_targets"]
        durations = cells["durations"] if "durations" in cells else [[cell["time"] for cell in row] for row in cells]
        return np.array(durations, dtype=float)
    lines = [row["elements"] for row in answer["rows"]]  # Google, distance matrix
    return np.array([[cell.get("duration", {}).get("value") for cell in line] for line in lines], dtype=float)
