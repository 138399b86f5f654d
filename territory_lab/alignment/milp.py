"""Programmes whose variables are 0 or 1: stated row by row, relaxed, and solved with a bound that can be trusted."""

from typing import Any, NamedTuple

import highspy
import numpy as np
from scipy.sparse import csr_matrix, vstack

from territory_lab.alignment.costs import Flags, Floats, Ints

MARGIN = 1e-6  # share of a bound taken off for the tolerances of the solver
CLOSED = MARGIN / 2  # gap at which a programme counts as solved
HALF = 0.5  # what a variable above it means
SIZE = 1e4  # the solver sees optimal values of about this size
EMPTY = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


class Rows(NamedTuple):
    """Linear limits, for r rows and e variables."""

    matrix: csr_matrix  # shape (r, e)
    lower: Floats  # shape (r,)
    upper: Floats  # likewise


class Outcome(NamedTuple):
    """What a run found."""

    chosen: Flags | None  # the best solution, shape (e,), or None
    bound: float  # no solution costs less; infinite where there is none at all


def sparse(row: Ints, column: Ints, value: Floats, limits: tuple[Floats, Floats], width: int) -> Rows:
    """State rows by their entries, which add up where they share a place, and their lower and upper limits."""
    return Rows(csr_matrix((value, (row, column)), shape=(limits[0].size, width)), *limits)


def stack(*parts: Rows) -> Rows:
    """Put limits on the same variables one below the other."""
    matrices, lower, upper = zip(*parts, strict=True)
    return Rows(csr_matrix(vstack(matrices)), np.concatenate(lower), np.concatenate(upper))


def load(
    cost: Floats, rows: Rows, time_limit_s: float = np.inf, *, most: float = 1.0, whole: Flags | bool = False
) -> Any:  # noqa: ANN401 - the solver ships no types
    """Load a silent solver on one thread; variables lie between 0 and ``most``, and are whole where asked."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows.matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(cost.size), np.full(cost.size, most)
    lp.row_lower_, lp.row_upper_ = rows.lower, rows.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = rows.matrix.indptr, rows.matrix.indices
    lp.a_matrix_.value_ = rows.matrix.data
    if np.any(whole):
        kinds = np.array([highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger])
        lp.integrality_ = kinds[np.broadcast_to(whole, cost.size).astype(int)].tolist()
    solver = highspy._Highs()  # type: ignore[attr-defined]  # noqa: SLF001 - the public class prints its banner before it can be silenced
    options = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "time_limit": max(time_limit_s, 0.01),
        "mip_allow_restart": False,  # what presolve does after a restart does not always end
    }
    for option, setting in options.items():
        solver.setOptionValue(option, setting)
    solver.passModel(lp)
    return solver


def relax(cost: Floats, rows: Rows, time_limit_s: float) -> tuple[float, Floats]:
    """
    Bound a programme by its linear relaxation.

    The prices the solver finds are only a guess here: weak duality makes a bound of any prices, so that no tolerance
    can break it (but for the rounding of sums, far below `MARGIN`). The bound is infinite where even the relaxation has
    no solution, minus infinity where time ran out; any solution that uses variable e costs at least bound +
    max(0, reduced[e]).
    """
    level = float(cost.mean()) * np.sqrt(cost.size) / SIZE or 1.0
    solver = load(cost / level, rows, time_limit_s)
    solver.run()
    if solver.getModelStatus() in EMPTY:
        return np.inf, np.zeros(cost.size)
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return -np.inf, np.zeros(cost.size)
    price = np.array(solver.getSolution().row_dual) * level
    price = np.where(
        price > 0, np.where(np.isfinite(rows.lower), price, 0), np.where(np.isfinite(rows.upper), price, 0)
    )
    limit = np.where(price > 0, rows.lower, rows.upper)
    reduced = cost - rows.matrix.T @ price
    used = price != 0
    return float(price[used] @ limit[used] + np.minimum(reduced, 0).sum()), reduced


def choose(
    cost: Floats,
    rows: Rows,
    time_limit_s: float,
    start: Flags | None = None,
    *,
    gap: float = CLOSED,
    first: bool = False,
    nodes: int | None = None,
) -> Outcome:
    """
    Solve a programme whose variables are 0 or 1; the bound is what the solver proved less `MARGIN` of it.

    It stops at a ``gap`` between the best solution and the bound, at the ``first`` solution better than ``start``, or
    after so many ``nodes`` of the search tree.
    """
    level = float(cost @ start if start is not None else cost.mean() * np.sqrt(cost.size)) / SIZE or 1.0
    solver = load(cost / level, rows, time_limit_s, whole=True)
    solver.setOptionValue("mip_rel_gap", gap)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    if start is not None:
        given = highspy.HighsSolution()
        given.col_value = start.astype(float).tolist()
        solver.setSolution(given)
        if first:
            solver.setOptionValue("objective_target", SIZE * (1 - MARGIN))
    solver.run()
    if solver.getModelStatus() in EMPTY:
        return Outcome(None, np.inf)
    info = solver.getInfo()
    known = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    bound = info.mip_dual_bound * level
    bound = bound - MARGIN * abs(bound) if np.isfinite(bound) else -np.inf
    return Outcome(np.array(solver.getSolution().col_value) > HALF if known else None, bound)
