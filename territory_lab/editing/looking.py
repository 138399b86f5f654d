"""Questions put to a plan under edit: what is cut off, and why a unit is where it is."""

import numpy as np
import pandas as pd

from territory_lab.alignment import Plan, metrics
from territory_lab.alignment.connect import pieces
from territory_lab.editing.edits import known


def strays(plan: Plan) -> pd.Series:
    """
    Find the units that are cut off from the largest piece of their territory.

    Parameters
    ----------
    plan : Plan
        Any plan.

    Returns
    -------
    Series of bool
        By unit_id; never true where the problem has no neighbours, or a unit no territory.
    """
    codes, arrays = plan.problem.codes(plan.alignment), plan.problem.arrays
    if plan.problem.neighbours is None:
        return pd.Series(data=False, index=plan.problem.unit_ids)
    piece = pieces(arrays.starts, arrays.ends, codes)
    rank = pd.Series(piece - np.bincount(piece)[piece] * (len(codes) + 1))  # the largest first, ties to the first piece
    apart = plan.problem.unit_ids.isin(plan.problem.apart)
    cut = (codes >= 0) & ~apart & (rank != rank.groupby(codes).transform("min")).to_numpy()
    return pd.Series(cut, index=plan.problem.unit_ids)


def explain(plan: Plan, unit: str, others: int = 3) -> pd.DataFrame:
    """
    Say why a unit is where it is, and what it would cost elsewhere.

    The cost of a unit in a territory is its weight x distance ** power, with the price of a move from today's owner,
    and what its activities cost there at the plan's shadow prices; the solver gives a unit to the least sum, as far as
    the limits allow.

    Parameters
    ----------
    plan : Plan
        Any plan.
    unit : str
        A unit id.
    others : int
        How many territories to show beside its own and those it touches.

    Returns
    -------
    DataFrame
        By territory_id, its own first, then by total: ``distance`` (km, or what the matrix is in), ``travel`` and
        ``load_price`` (in the measure of the objective), ``total``, ``deviation_<activity>`` of that territory if the
        unit were there, ``touches`` (whether a neighbour of the unit is there) and ``moved_from`` (the same deviations
        of its own territory without it are ``left_<activity>``).
    """
    problem, (name,) = plan.problem, known(plan, [unit])
    row, arrays = int(problem.unit_ids.get_indexer(pd.Index([name]))[0]), problem.arrays
    k = problem.territory_ids
    away = metrics.between(problem, pd.Index([name] * len(k)), plan.territories.loc[k])
    moved = (arrays.owner[row] >= 0) & (np.arange(len(k)) != arrays.owner[row])
    travel = arrays.weight[row] * (away**problem.power + problem.move_price * moved)
    load_price = plan.prices.loc[k, problem.activities].to_numpy(float) @ arrays.loads[:, row]
    table = pd.DataFrame({"distance": away, "travel": travel, "load_price": load_price}, index=k)
    table["total"] = table["travel"] + table["load_price"]
    codes = problem.codes(plan.alignment)
    own = codes[row]
    for activity, load, share, given in zip(
        problem.activities, arrays.loads, problem.shares, problem.given, strict=True
    ):
        held = np.bincount(codes[codes >= 0], weights=load[codes >= 0], minlength=len(k)) + given
        target = share * (load.sum() + given.sum())
        inside = held + np.where(np.arange(len(k)) == own, 0.0, load[row])
        table[f"deviation_{activity}"] = inside / np.where(target > 0, target, np.nan) - 1
        without = (held[own] - load[row]) / target[own] - 1 if own >= 0 else np.nan
        table[f"left_{activity}"] = without
    beside = codes[arrays.ends[arrays.starts[row] : arrays.starts[row + 1]]]
    table["touches"] = np.isin(np.arange(len(k)), beside)
    mine = np.arange(len(k)) == own
    near = table["total"].where(~mine).rank() <= others
    shown: pd.DataFrame = table[mine | table["touches"] | near].rename_axis("territory_id")
    order = np.lexsort((shown["total"], shown.index != plan.alignment.get(name)))
    return shown.iloc[order]
