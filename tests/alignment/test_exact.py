"""Small problems solved to the end, held against every plan there is."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.alignment import Infeasible, Problem, audit, solve
from tests.alignment.grids import best_by_brute_force, best_with_any_centres, connected, grid
from tests.benchmarks.hess import CASES, question

SHAPES = [(2, 3), (3, 3), (4, 3)]


def lumpy(shape: tuple[int, int], seed: int) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    units, pairs = grid(*shape)
    rng = np.random.default_rng(seed)
    return units.assign(w=rng.integers(1, 6, len(units)).astype(float)), pairs


@settings(max_examples=24, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(SHAPES), st.integers(2, 3), st.sampled_from([1, 2]), st.booleans())
def test_free_centres_reach_the_best_of_all_plans(seed, shape, k, power, contiguous):
    units, pairs = lumpy(shape, seed)
    neighbours = pairs if contiguous else None
    problem = Problem(units, k, {"w": 0.2}, neighbours=neighbours, distance="euclidean", power=power)
    best = best_with_any_centres(problem)
    if best is None:
        with pytest.raises(Infeasible):
            solve(problem)
        return
    plan = solve(problem)
    assert plan.bound_scope == "any centres"
    assert plan.feasible
    assert plan.objective == pytest.approx(best, rel=1e-9)
    assert best * (1 - 1e-5) <= plan.bound <= best


@settings(max_examples=24, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(SHAPES[:2]), st.integers(2, 3), st.booleans())
def test_fixed_homes_reach_the_best_of_all_plans(seed, shape, k, contiguous):
    units, pairs = lumpy(shape, seed)
    rng = np.random.default_rng(seed)
    homes = pd.DataFrame(rng.uniform(0, 3, (k, 2)), columns=["x_km", "y_km"], index=[f"t{j}" for j in range(k)])
    problem = Problem(units, homes, {"w": 0.3}, neighbours=pairs if contiguous else None, distance="euclidean")
    best = best_by_brute_force(problem)
    if best is None:
        with pytest.raises(Infeasible):
            solve(problem)
        return
    plan = solve(problem)
    assert plan.feasible
    assert plan.objective == pytest.approx(best, rel=1e-9)
    assert best * (1 - 1e-5) <= plan.bound <= best


def test_two_activities_and_a_limit_on_moves_reach_the_best_of_all_plans():
    units, pairs = lumpy((3, 3), 5)
    units["v"] = units["w"].to_numpy()[::-1]
    current = pd.Series(["a"] * 4 + ["b"] * 5, index=units.index)
    homes = pd.DataFrame({"x_km": [2.0, 0.0], "y_km": [1.0, 1.0]}, index=["a", "b"])
    problem = Problem(
        units,
        homes,
        {"w": 0.2, "v": 0.3},
        neighbours=pairs,
        distance="euclidean",
        current=current,
        max_moved_share=0.5,
        move_price=0.1,
        locked={"u00": "a"},
        forbidden=[("u22", "a")],
    )
    apart = {
        (unit, home): np.hypot(*(units.loc[unit, ["x_km", "y_km"]] - homes.loc[home])) + 0.1 * (current[unit] != home)
        for unit in units.index
        for home in homes.index
    }
    values = []
    for owners in itertools.product(homes.index, repeat=len(units)):
        plan = pd.Series(owners, index=units.index)
        if audit(problem, plan).empty:
            values.append(sum(units.loc[unit, "w"] * apart[unit, home] for unit, home in plan.items()))
    assert solve(problem).objective == pytest.approx(min(values), rel=1e-9)


def test_a_matrix_of_distances_gives_the_same_plan_as_its_coordinates():
    units, pairs = lumpy((3, 3), 1)
    spots = units[["x_km", "y_km"]].to_numpy()
    matrix = pd.DataFrame(np.hypot(*(spots[:, None] - spots).T).T, index=units.index, columns=units.index)
    options = {"balance": {"w": 0.2}, "neighbours": pairs, "power": 2}
    plan = solve(Problem(units, 2, distance=matrix, **options))
    assert plan.objective == pytest.approx(solve(Problem(units, 2, distance="euclidean", **options)).objective)
    for territory, site in plan.territories["site"].items():
        assert plan.alignment[site] == territory


def test_a_grid_of_units_alike_is_solved_to_the_end():
    units, pairs = grid(4, 4)
    plan = solve(Problem(units, 4, {"w": 0.0}, neighbours=pairs, distance="euclidean", power=2))
    assert plan.objective == pytest.approx(12.0)  # four T of a centre and three neighbours
    assert plan.gap < 1e-5
    assert all(connected(set(part.index), pairs) for _, part in plan.alignment.groupby(plan.alignment))


@pytest.mark.skipif(not CASES.is_dir() and "CI" not in os.environ, reason=f"no cases at {CASES}")
@pytest.mark.parametrize("contiguous", [False, True])
def test_idaho_is_split_as_published(contiguous):
    case = json.loads((Path(CASES) / "ID_county_2010.json").read_text())
    plan = solve(question(case, contiguous=contiguous))
    assert plan.feasible
    assert plan.gap < 1e-5
    assert plan.objective / 1e6 == pytest.approx(case["contiguous"]["plan_value_here"], rel=1e-9)


@pytest.mark.skipif(not CASES.is_dir() and "CI" not in os.environ, reason=f"no cases at {CASES}")
def test_a_state_for_which_the_search_finds_no_plan_is_solved_all_the_same():
    case = json.loads((Path(CASES) / "KS_county_2010.json").read_text())
    plan = solve(question(case, contiguous=True), time_limit_s=300)
    assert plan.feasible
    assert plan.objective / 1e6 == pytest.approx(case["contiguous"]["plan_value_here"], rel=1e-9)


@pytest.mark.skipif(not CASES.is_dir() and "CI" not in os.environ, reason=f"no cases at {CASES}")
@pytest.mark.parametrize(("state", "unit"), [("AZ", "04019"), ("CT", "09001")])
def test_states_proven_infeasible_elsewhere_are_so_here(state, unit):
    case = json.loads((Path(CASES) / f"{state}_county_2010.json").read_text())
    with pytest.raises(Infeasible, match=unit):
        solve(question(case, contiguous=False))
