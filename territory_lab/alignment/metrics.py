"""Numbers people ask of an alignment, computed when asked."""

import numpy as np
import pandas as pd

from territory_lab.alignment.costs import Floats
from territory_lab.alignment.problem import Problem, degrees_of, great_circle_km


def distances(problem: Problem, alignment: pd.Series, territories: pd.DataFrame) -> pd.Series:
    """
    Distance of each unit to the centre of its territory.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment : Series
        Territory by unit_id.
    territories : DataFrame
        Centres by territory_id, as in `Plan.territories`.

    Returns
    -------
    Series
        ``distance`` by unit_id, in km (or what the matrix is in).
    """
    owner = alignment.reindex(problem.unit_ids)
    values = between(problem, problem.unit_ids, territories.reindex(owner.to_numpy()))
    return pd.Series(values, index=problem.unit_ids, name="distance")


def between(problem: Problem, units: pd.Index, centres: pd.DataFrame) -> Floats:
    """
    Distance of units to centres, one by one.

    Parameters
    ----------
    problem : Problem
        The question.
    units : Index
        Unit ids, repeats allowed.
    centres : DataFrame
        As many rows, as in `Plan.territories`.

    Returns
    -------
    ndarray
        In km (or what the matrix is in).
    """
    if isinstance(problem.distance, pd.DataFrame):
        columns = problem.distance.columns.get_indexer(pd.Index(centres["site"]) if problem.free else centres.index)
        table: Floats = problem.distance.loc[problem.unit_ids].to_numpy(float)
        return table[problem.unit_ids.get_indexer(units), columns]
    places = problem.units.loc[units]
    if problem.distance == "euclidean":
        x, y = (places[name].to_numpy(float) - centres[name].to_numpy(float) for name in ("x_km", "y_km"))
        return np.asarray(np.hypot(x, y))
    lon, lat = degrees_of(places)
    return great_circle_km(lon, lat, centres["lon"], centres["lat"])


def by_territory(problem: Problem, alignment: pd.Series, territories: pd.DataFrame) -> pd.DataFrame:
    """
    Size, load and reach of every territory.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment : Series
        Territory by unit_id.
    territories : DataFrame
        Centres by territory_id, as in `Plan.territories`.

    Returns
    -------
    DataFrame
        By territory_id: ``units``, each activity and the weight, ``deviation_<activity>`` (share of the target above
        or below it) and ``mean_km`` (weighted mean distance to the centre; hours where the matrix is in hours).
    """
    owner = alignment.reindex(problem.unit_ids)
    columns = list(dict.fromkeys([*problem.activities, problem.weight_column]))
    groups = problem.units[columns].groupby(owner.to_numpy())
    table = groups.sum().reindex(problem.territory_ids, fill_value=0.0)
    table.insert(0, "units", groups.size().reindex(problem.territory_ids, fill_value=0))
    for row, activity in enumerate(problem.activities):
        target = problem.shares[row] * (problem.units[activity].sum() + problem.given[row].sum())
        table[activity] += problem.given[row]
        table[f"deviation_{activity}"] = table[activity] / np.where(target > 0, target, np.nan) - 1
    weight = problem.units[problem.weight_column]
    travel = (weight * distances(problem, owner, territories)).groupby(owner.to_numpy()).sum()
    table["mean_km"] = travel.reindex(problem.territory_ids) / table[problem.weight_column].where(lambda sum_: sum_ > 0)
    return table.rename_axis("territory_id")


def disruption(problem: Problem, alignment: pd.Series, current: pd.Series) -> pd.Series:
    """
    Share of each activity whose territory changes.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment, current : Series
        Territory by unit_id, tomorrow and today; units without an owner today do not count.

    Returns
    -------
    Series
        By activity (and ``units``): share that moves, 0 to 1.
    """
    today = current.reindex(problem.unit_ids)
    known = today.notna().to_numpy()
    moves = known & (alignment.reindex(problem.unit_ids).to_numpy() != today.to_numpy())
    columns = list(dict.fromkeys([*problem.activities, problem.weight_column]))
    amounts = problem.units[columns].assign(units=1)
    moved: pd.Series = amounts[moves].sum() / amounts[known].sum()
    return moved.rename("moved_share")
