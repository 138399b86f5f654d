"""Plans on grids small enough to try every alternative."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.alignment import Infeasible, Problem, audit, solve
from tests.alignment.grids import best_by_brute_force, grid


def test_two_homes_split_a_row_in_the_middle():
    units, neighbours = grid(1, 4)
    homes = pd.DataFrame({"x_km": [0.0, 3.0], "y_km": [0.0, 0.0]}, index=["west", "east"])
    problem = Problem(units, homes, balance={"w": 0.0}, neighbours=neighbours, distance="euclidean")
    plan = solve(problem)
    assert plan.alignment.tolist() == ["west", "west", "east", "east"]
    assert plan.objective == pytest.approx(2.0)
    assert plan.bound == pytest.approx(2.0)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(2, 3, 2), (2, 3, 3), (3, 3, 2), (3, 3, 3), (2, 4, 2), (2, 4, 3), (4, 4, 2)]),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_bound_never_exceeds_the_best_of_all_plans(seed, shape, power, contiguous):
    (rows, columns, k), rng = shape, np.random.default_rng(seed)
    units, neighbours = grid(rows, columns)
    units["w"] = rng.integers(1, 6, len(units)).astype(float)
    homes = pd.DataFrame(rng.uniform(0, 3, (k, 2)), columns=["x_km", "y_km"], index=[f"t{j}" for j in range(k)])
    problem = Problem(
        units,
        homes,
        balance={"w": 0.4},
        neighbours=neighbours if contiguous else None,
        distance="euclidean",
        power=power,
    )
    best = best_by_brute_force(problem)
    try:
        plan = solve(problem, seed=seed)
    except Infeasible:
        assert best is None
        return
    if best is None:
        assert not plan.feasible
        return
    assert plan.bound <= best * (1 + 1e-12)
    if plan.feasible:
        assert plan.objective >= best * (1 - 1e-12)


def test_same_seed_same_plan():
    units, neighbours = grid(6, 6)
    problem = Problem(units, 4, balance={"w": 0.1}, neighbours=neighbours, distance="euclidean")
    first, second = solve(problem, seed=3), solve(problem, seed=3)
    pd.testing.assert_series_equal(first.alignment, second.alignment)
    assert first.bound == second.bound


def test_a_unit_larger_than_any_territory_is_named():
    units, _ = grid(2, 2)
    units["w"] = [10.0, 1.0, 1.0, 1.0]
    with pytest.raises(Infeasible, match="u00 alone"):
        solve(Problem(units, 2, balance={"w": 0.1}, distance="euclidean"))


def test_an_island_too_small_for_a_territory_is_named():
    units, _ = grid(1, 5)
    chain = [("u00", "u01"), ("u01", "u02"), ("u02", "u03")]
    with pytest.raises(Infeasible, match=r"island.*u04"):
        solve(Problem(units, 2, balance={"w": 0.1}, neighbours=chain, distance="euclidean"))


def test_bands_out_of_reach_are_proven_so():
    units, _ = grid(1, 4)
    homes = pd.DataFrame({"x_km": [0.0, 3.0], "y_km": [0.0, 0.0]}, index=["west", "east"])
    forbidden = [(unit, "east") for unit in ("u00", "u01", "u02")]
    with pytest.raises(Infeasible, match="east cannot reach the minimum"):
        solve(Problem(units, homes, balance={"w": 0.1}, distance="euclidean", forbidden=forbidden))


def test_locks_and_forbidden_pairs_are_kept():
    units, neighbours = grid(4, 4)
    homes = pd.DataFrame({"x_km": [0.0, 3.0], "y_km": [1.5, 1.5]}, index=["west", "east"])
    problem = Problem(
        units,
        homes,
        balance={"w": 0.25},
        neighbours=neighbours,
        distance="euclidean",
        locked={"u02": "west"},
        forbidden=[("u11", "west")],
    )
    plan = solve(problem)
    assert plan.alignment["u02"] == "west"
    assert plan.alignment["u11"] == "east"
    assert audit(problem, plan.alignment).empty


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_unit_of_measure_does_not_matter(scale):
    units, neighbours = grid(5, 5)
    options = {"neighbours": neighbours, "distance": "euclidean", "balance": {"w": 0.15}}
    plan = solve(Problem(units, 3, **options))
    other = solve(Problem(units.assign(w=units["w"] * scale), 3, **options))
    assert plan.feasible
    assert other.feasible
    assert other.objective == pytest.approx(plan.objective * scale, rel=0.02)


def test_disruption_stays_within_its_limit():
    units, neighbours = grid(4, 4)
    current = pd.Series(["north"] * 8 + ["south"] * 8, index=units.index)
    homes = pd.DataFrame({"x_km": [0.0, 3.0], "y_km": [1.5, 1.5]}, index=["north", "south"])
    options = {"balance": {"w": 0.25}, "neighbours": neighbours, "distance": "euclidean", "current": current}
    limited = solve(Problem(units, homes, max_moved_share=0.25, **options))
    assert limited.feasible
    assert (limited.alignment != current).mean() <= 0.25
    assert limited.bound <= limited.objective
    assert solve(Problem(units, homes, **options)).objective <= limited.objective


def test_every_unit_is_counted_once_by_relabelling():
    units, neighbours = grid(3, 4)
    renamed = {old: f"x{number}" for number, old in enumerate(reversed(units.index))}
    plan = solve(Problem(units, 3, balance={"w": 0.0}, neighbours=neighbours, distance="euclidean", power=2))
    other = solve(
        Problem(
            units.rename(index=renamed),
            3,
            balance={"w": 0.0},
            distance="euclidean",
            power=2,
            neighbours=[(renamed[a], renamed[b]) for a, b in neighbours],
        )
    )
    assert other.objective == pytest.approx(plan.objective)
    assert sorted(itertools.chain(other.alignment.value_counts())) == sorted(plan.alignment.value_counts())
