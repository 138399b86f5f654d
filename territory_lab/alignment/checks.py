"""What makes a problem unusable as stated: every fault, with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from territory_lab.errors import Fault

if TYPE_CHECKING:
    from territory_lab.alignment.problem import Problem


def check(problem: Problem) -> list[Fault]:
    """List the faults of a problem; none where it can be solved as stated."""
    faults = [
        *_options(problem),
        *_disruption(problem),
        *index_faults("units", problem.units),
        *_territories(problem),
        *_columns(problem),
    ]
    if faults:
        return faults  # what follows reads those columns
    return [*_places(problem), *_pairs(problem), *_labels(problem)]


def _options(problem: Problem) -> Iterator[Fault]:
    """Find settings outside their range."""
    if problem.power not in (1, 2):
        yield Fault("problem", "power", "", f"{problem.power} is neither 1 nor 2", "choose 1 (distance) or 2 (inertia)")
    if problem.sites not in ("units", "anywhere"):
        yield Fault("problem", "sites", "", f"unknown: {problem.sites!r}", "choose 'units' or 'anywhere'")
    if isinstance(problem.distance, str) and problem.distance not in ("great_circle", "euclidean"):
        mend = "choose 'great_circle', 'euclidean' or pass a frame units x sites"
        yield Fault("problem", "distance", "", f"unknown: {problem.distance!r}", mend)
    if not problem.balance:
        yield Fault("problem", "balance", "", "no activity to balance", "name at least one, e.g. {'workload_h': 0.05}")
    for name, tolerance in problem.balance.items():
        if not 0 <= tolerance <= 1:
            yield Fault("problem", "balance", name, f"tolerance {tolerance}", "give a share between 0 and 1")


def _disruption(problem: Problem) -> Iterator[Fault]:
    """Find limits on what may move that make no sense."""
    if problem.max_moved_share is not None:
        if not 0 <= problem.max_moved_share <= 1:
            yield Fault("problem", "max_moved_share", "", f"{problem.max_moved_share}", "give a share from 0 to 1")
        if problem.current is None:
            yield Fault("problem", "current", "", "max_moved_share without today's alignment", "pass current")
    if not (np.isfinite(problem.move_price) and problem.move_price >= 0):
        yield Fault("problem", "move_price", "", f"{problem.move_price}", "give a price of 0 or more")


def index_faults(table: str, frame: pd.DataFrame) -> Iterator[Fault]:
    """Find ids that are missing or twice there."""
    if not len(frame):
        yield Fault(table, "", "", "no row", "give at least one")
    for key in frame.index[frame.index.duplicated()].unique():
        yield Fault(table, str(frame.index.name or "index"), str(key), "stands there twice", "keep one row")
    if frame.index.hasnans:
        yield Fault(table, str(frame.index.name or "index"), "", "a missing id", "give every row an id")


def _territories(problem: Problem) -> Iterator[Fault]:
    """Find a number or a frame of homes that cannot be met."""
    homes = problem.territories
    if not isinstance(homes, pd.DataFrame):
        if not 1 <= homes <= max(1, len(problem.units)):
            mend = f"give a number from 1 to {len(problem.units)}, the number of units"
            yield Fault("territories", "", "", f"{homes} territories", mend)
        return
    yield from index_faults("territories", homes)
    for name in problem.balance:
        column = f"share_{name}"
        if column in homes:
            yield from number_faults("territories", homes, column)
            if homes[column].sum() <= 0:
                yield Fault("territories", column, "", "shares add up to nothing", "give at least one above 0")
        if f"given_{name}" in homes:
            yield from number_faults("territories", homes, f"given_{name}")


def number_faults(table: str, frame: pd.DataFrame, column: str) -> Iterator[Fault]:
    """Find values of an amount that are missing, negative or endless."""
    if column not in frame:
        yield Fault(table, column, "", "the column is missing", f"add it to {table}")
        return
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    for row in np.flatnonzero(~(np.isfinite(values) & (values >= 0))).tolist():
        yield Fault(table, column, str(frame.index[row]), f"{frame[column].iloc[row]}", "give a number of 0 or more")


def _columns(problem: Problem) -> Iterator[Fault]:
    """Check the activities and the weight of the units."""
    names = dict.fromkeys([*problem.balance, *([problem.weight] if problem.weight else [])])
    for name in names:
        yield from number_faults("units", problem.units, name)
        if name in problem.balance and name in problem.units and problem.units[name].sum() == 0:
            yield Fault("units", name, "", "adds up to nothing", "balance an activity that some unit has")


def _places(problem: Problem) -> Iterator[Fault]:
    """Check coordinates, or the matrix that stands for them."""
    if isinstance(problem.distance, pd.DataFrame):
        yield from _matrix(problem)
        return
    wanted = ["lon", "lat"] if problem.distance == "great_circle" else ["x_km", "y_km"]
    frames = {"units": problem.units}
    if isinstance(problem.territories, pd.DataFrame):
        frames["territories"] = problem.territories
    for table, frame in frames.items():
        if wanted[0] == "lon" and "geometry" in frame and "lon" not in frame:
            continue
        yield from place_faults(table, frame, str(problem.distance))


def place_faults(table: str, frame: pd.DataFrame, distance: str) -> Iterator[Fault]:
    """Find coordinates that are missing or off the map."""
    for column in ["lon", "lat"] if distance == "great_circle" else ["x_km", "y_km"]:
        if column not in frame:
            mend = f"add it, or choose another distance than {distance!r}"
            yield Fault(table, column, "", "the column is missing", mend)
            continue
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
        limit = {"lon": 180.0, "lat": 90.0}.get(column, np.inf)
        for row in np.flatnonzero(~(np.isfinite(values) & (np.abs(values) <= limit))).tolist():
            mend = f"give a number within +-{limit:g}" if limit < np.inf else "give a number of km"
            yield Fault(table, column, str(frame.index[row]), f"{frame[column].iloc[row]}", mend)


def _matrix(problem: Problem) -> Iterator[Fault]:
    """Find what a matrix of distances lacks, and its negative values."""
    frame = pd.DataFrame(problem.distance)
    for unit in problem.units.index.difference(frame.index):
        yield Fault("distance", "", str(unit), "no row for this unit", "add its distances")
    for site in frame.index[frame.index.duplicated()]:
        yield Fault("distance", "", str(site), "stands there twice", "keep one row")
    if isinstance(problem.territories, pd.DataFrame):
        for home in problem.territories.index.difference(frame.columns):
            yield Fault("distance", str(home), "", "no column for this territory", "add the distances to its home")
    elif frame.shape[1] < problem.territories:
        yield Fault("distance", "", "", f"{frame.shape[1]} sites", f"give at least {problem.territories}")
    values = frame.to_numpy(float)
    for row, column in np.argwhere(values < 0):
        yield Fault("distance", str(frame.columns[column]), str(frame.index[row]), "negative", "give 0 or more")
    for row in np.flatnonzero(np.isnan(values).all(axis=1)).tolist():
        yield Fault("distance", "", str(frame.index[row]), "no site within reach", "give at least one distance")


def _pairs(problem: Problem) -> Iterator[Fault]:
    """Find neighbours and forbidden pairs that name nothing known."""
    for name, known in (
        ("neighbours", (problem.units.index, problem.units.index)),
        ("forbidden", (problem.units.index, problem.territory_ids)),
    ):
        value = getattr(problem, name)
        if value is None:
            continue
        for position, ids in enumerate(known):
            column = value.iloc[:, position]
            for key in pd.unique(column[~column.isin(ids)]):
                yield Fault(name, str(value.columns[position]), str(key), "is not known", "drop the pair or add the id")


def _labels(problem: Problem) -> Iterator[Fault]:
    """Find locks that name nothing known, or contradict a forbidden pair."""
    if problem.current is not None:
        for key in problem.current.index[problem.current.index.duplicated()].unique():
            yield Fault("current", "unit_id", str(key), "stands there twice", "keep one row")
    if problem.locked is None:
        return
    locked = pd.Series(problem.locked, dtype=object)
    for unit in locked.index.difference(problem.units.index):
        yield Fault("locked", "unit_id", str(unit), "is not a unit", "drop the lock")
    unknown = locked[~locked.isin(problem.territory_ids)]
    for unit, territory in unknown.items():
        yield Fault("locked", "territory_id", str(unit), f"{territory} is not a territory", "name an existing one")
    if problem.forbidden is not None:
        pairs = set(pd.DataFrame(problem.forbidden).iloc[:, :2].itertuples(index=False, name=None))
        for unit, territory in locked.items():
            if (unit, territory) in pairs:
                yield Fault(
                    "locked", "territory_id", str(unit), f"{territory} is also forbidden", "drop one of the two"
                )
