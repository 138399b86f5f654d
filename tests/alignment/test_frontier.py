"""What disruption buys: more may move, never worse."""

import pandas as pd
import pytest

from territory_lab.alignment import Problem, audit, frontier, solve
from territory_lab.errors import BadInput
from tests.alignment.grids import grid
from tests.alignment.jobs import homes, job, needs_jobs
from tests.alignment.test_options import best_of_all

SHARES = (0.0, 0.25, 0.5, 1.0)


def halves(tolerance: float = 0.3) -> tuple[Problem, list[tuple[str, str]]]:
    """Cut a grid of nine the wrong way today: north and south, where homes lie west and east."""
    units, pairs = grid(3, 3)
    today = pd.Series(["west"] * 5 + ["east"] * 4, index=units.index)
    sites = pd.DataFrame({"x_km": [0.0, 2.0], "y_km": [1.0, 1.0]}, index=["west", "east"])
    return Problem(units, sites, {"w": tolerance}, neighbours=pairs, distance="euclidean", current=today), pairs


def test_every_level_of_a_grid_is_the_best_of_all_plans():
    problem, pairs = halves()
    table = frontier(problem, SHARES)
    assert table.index.tolist() == list(SHARES)
    for plan in table["plan"]:
        best = best_of_all(plan.problem, pairs)
        assert plan.objective == pytest.approx(best)
        assert plan.bound <= best * (1 + 1e-9)
        assert audit(plan.problem, plan.alignment).empty


def test_every_bound_holds_for_the_centres_of_its_plan():
    problem, pairs = halves()
    free = Problem(**(vars_of(problem) | {"territories": 2}))
    for share, plan in frontier(free, SHARES)["plan"].items():
        standing = {"territories": plan.territories[["x_km", "y_km"]], "max_moved_share": share}
        assert plan.bound <= best_of_all(Problem(**(vars_of(free) | standing)), pairs) * (1 + 1e-9)
        assert plan.bound > 0


def test_nothing_may_move_is_todays_plan():
    problem, _ = halves()
    row = frontier(problem, [0.0]).loc[0.0]
    pd.testing.assert_series_equal(row["plan"].alignment, problem.current, check_names=False)
    assert row["moved_share"] == 0


def test_a_level_that_cannot_be_had_says_why():
    problem, _ = halves()
    lopsided = pd.Series(["west"] * 8 + ["east"], index=problem.unit_ids)
    table = frontier(Problem(**(vars_of(problem) | {"current": lopsided})), [0.0, 1.0])
    assert table["feasible"].tolist() == [False, True]
    assert table.loc[0.0, "plan"] is None
    assert table.loc[0.0, "reason"]
    assert table.loc[1.0, "reason"] == ""


def test_a_plan_that_is_known_is_not_sought_again():
    problem, _ = halves()
    known = solve(problem)
    assert frontier(problem, [1.0], best=known).loc[1.0, "plan"].alignment is known.alignment


def vars_of(problem: Problem) -> dict[str, object]:
    """Give the arguments of a problem."""
    return {name: getattr(problem, name) for name in problem.__dataclass_fields__}


def test_without_today_there_is_no_frontier():
    problem, _ = halves()
    with pytest.raises(BadInput, match="current"):
        frontier(Problem(**(vars_of(problem) | {"current": None})))


@needs_jobs
@pytest.mark.parametrize("free", [False, True])
def test_the_frontier_of_real_counties_falls_and_every_level_is_kept(free):
    units, pairs = job("S")
    sites = homes(units, 12)
    today = solve(Problem(units, sites, {"w": 0.2}, neighbours=pairs, distance="euclidean")).alignment
    where = 12 if free else sites.sample(frac=1, random_state=1).set_axis(sites.index)  # homes swapped: much to gain
    problem = Problem(units, where, {"w": 0.2}, neighbours=pairs, distance="euclidean", current=today)
    table = frontier(problem, (0.0, 0.1, 1.0))
    assert table["feasible"].all()
    assert (table["objective"].diff().dropna() <= 0).all()
    assert (table["moved_share"] <= table.index + 1e-9).all()
    assert (table["bound"] <= table["objective"]).all()
    for plan in table["plan"]:
        assert audit(plan.problem, plan.alignment).empty
    pd.testing.assert_series_equal(table.loc[0.0, "plan"].alignment, today, check_names=False)
    assert table.loc[1.0, "objective"] <= solve(problem).objective * (1 + 1e-9)
