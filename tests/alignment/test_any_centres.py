"""The bound over any centres, beside every choice of centres and every assignment on small grids."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.alignment import Problem, any_centres, solve
from territory_lab.alignment.centres import Centres
from territory_lab.alignment.knapsack import Aim, certified_worth
from territory_lab.errors import BadInput
from tests.alignment.grids import best_with_any_centres, grid


def bound_from_anywhere(problem: Problem) -> float:
    """The bound from a start that is no plan: the first sites, and units dealt out in turn."""
    k = problem.territories
    centres = Centres(problem.arrays.points[:k], np.arange(k))
    return any_centres.any_centres(problem, centres, np.arange(len(problem.units)) % k)


def bound_of(problem: Problem) -> float:
    return solve(problem, bound_scope="any centres").bound


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(2, 3), (3, 3), (2, 5), (3, 4)]),
    st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2)]),
    st.sampled_from(["euclidean", "great_circle", "matrix"]),
    st.sampled_from(["", "contiguous", "two activities", "contiguous, two activities"]),
)
def test_bound_never_exceeds_the_best_over_all_centres(seed, shape, number_and_power, distance, rules):
    rng, (k, power) = np.random.default_rng(seed), number_and_power
    units, neighbours = grid(*shape)
    units["w"] = rng.integers(1, 6, len(units)).astype(float)
    units["v"] = rng.integers(0, 4, len(units)).astype(float)
    units["lon"], units["lat"] = units["x_km"] / 10, units["y_km"] / 10
    if distance == "matrix":
        values = rng.integers(0, 9, (len(units), 4)).astype(float)
        values[rng.random(values.shape) < 0.1] = np.nan
        values[:, 0] = np.where(np.isnan(values[:, 0]), 9.0, values[:, 0])
        distance = pd.DataFrame(values, index=units.index, columns=list("abcd"))
    problem = Problem(
        units,
        k,
        balance={"w": 0.4, "v": 0.6} if "two" in rules else {"w": 0.4},
        weight="v" if "two" in rules else None,
        neighbours=neighbours if "contiguous" in rules else None,
        distance=distance,
        power=power,
    )
    best = best_with_any_centres(problem)
    assert 0 <= bound_from_anywhere(problem) <= (np.inf if best is None else best * (1 + 1e-9))


def test_bound_never_exceeds_the_best_on_a_square_of_sixteen():
    units, neighbours = grid(4, 4)
    problem = Problem(units, 2, {"w": 0.0}, neighbours=neighbours, distance="euclidean")
    best = best_with_any_centres(problem)
    assert best * 0.9 < bound_of(problem) <= best * (1 + 1e-12)


def test_far_towns_of_one_load_are_their_own_territories():
    # three towns of four units in a row 1 km apart: the middle costs 0 + 1 + 1 + 2 in each, and nothing is shared
    places = [1000.0 * town + step for town in range(3) for step in range(4)]
    units = pd.DataFrame({"x_km": places, "y_km": 0.0, "w": 1.0}, index=[f"u{i}" for i in range(12)])
    plan = solve(Problem(units, 3, {"w": 0.0}, distance="euclidean"), bound_scope="any centres")
    assert plan.bound_scope == "any centres"
    assert plan.objective == pytest.approx(12.0)
    assert plan.bound == pytest.approx(12.0, rel=1e-3)


def test_two_territories_may_share_a_column():
    units, _ = grid(1, 4)
    hours = pd.DataFrame({"depot": 1.0, "farm": 5.0}, index=units.index)
    assert bound_of(Problem(units, 2, {"w": 0.0}, distance=hours)) == pytest.approx(4.0, rel=1e-3)


def test_names_and_order_of_units_do_not_matter():
    units, _ = grid(5, 6)
    units["w"] = 1 + np.arange(30) % 4.0
    plan = bound_of(Problem(units, 4, {"w": 0.1}, distance="euclidean"))
    other = units.iloc[::-1].rename(index=lambda name: f"x{name}")
    assert bound_of(Problem(other, 4, {"w": 0.1}, distance="euclidean")) == pytest.approx(plan, rel=0.01)


@pytest.mark.parametrize("power", [1, 2])
def test_units_of_measure_do_not_matter(power):
    units, _ = grid(5, 6)
    larger = units.assign(w=units["w"] * 1e5, x_km=units["x_km"] * 1e3, y_km=units["y_km"] * 1e3)
    bounds = [bound_of(Problem(frame, 4, {"w": 0.1}, distance="euclidean", power=power)) for frame in (units, larger)]
    assert bounds[1] == pytest.approx(bounds[0] * 1e5 * 1e3**power, rel=0.01)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_absurd_multipliers_certify_nothing_false(size, power):
    units, _ = grid(3, 3)
    problem = Problem(units, 3, {"w": 0.4}, distance="euclidean", power=power)
    best, rng = best_with_any_centres(problem), np.random.default_rng(0)
    for _ in range(50):
        multiplier, scale, guess = size * rng.normal(size=9), rng.uniform(1e-9, 1, 9), size * rng.normal(size=9)
        worth = certified_worth(any_centres.field_of(problem), Aim(multiplier, scale, 0.5), guess)
        assert multiplier.sum() + np.sort(worth)[:3].sum() <= best * (1 + 1e-12)


def test_same_problem_same_bound():
    units, _ = grid(4, 5)
    problem = Problem(units, 3, {"w": 0.1}, distance="euclidean")
    assert bound_of(problem) == bound_of(problem)


def test_units_without_weight_or_load_are_carried_along():
    units, _ = grid(3, 4)
    units["hours"], units["calls"] = [0.0, 2.0, 1.0] * 4, [1.0, 0.0, 0.0, 3.0] * 3
    problem = Problem(units, 2, {"hours": 0.3}, weight="calls", distance="euclidean")
    assert 0 < bound_of(problem) <= best_with_any_centres(problem) * (1 + 1e-9)


def test_everything_on_one_spot_costs_nothing():
    units, _ = grid(2, 2)
    assert bound_of(Problem(units.assign(x_km=0.0, y_km=0.0), 2, {"w": 0.0}, distance="euclidean")) == 0.0


def test_one_territory_costs_what_its_best_centre_costs():
    units, _ = grid(1, 5)
    assert bound_of(Problem(units, 1, {"w": 0.0}, distance="euclidean")) == pytest.approx(6.0, rel=1e-3)


def test_ctrl_c_keeps_the_plan_and_what_is_certified(monkeypatch):
    units, _ = grid(4, 5)
    problem = Problem(units, 3, {"w": 0.1}, distance="euclidean")
    whole, climb, seen = solve(problem, bound_scope="any centres"), any_centres.Ascent.climb, []

    def interrupted(self, softness):
        seen.append(softness)
        if len(seen) == 20:
            raise KeyboardInterrupt
        climb(self, softness)

    monkeypatch.setattr(any_centres.Ascent, "climb", interrupted)
    plan = solve(problem, bound_scope="any centres")
    pd.testing.assert_series_equal(plan.alignment, whole.alignment)
    assert 0 < plan.bound <= whole.bound


def test_large_maps_are_seen_from_fewer_sites(monkeypatch):
    units, _ = grid(6, 6)
    problem = Problem(units, 3, {"w": 0.1}, distance="euclidean")
    whole = bound_of(problem)
    monkeypatch.setattr(any_centres, "ENTRIES", 18 * 36)
    assert 0.9 * whole < bound_of(problem) <= whole * 1.01


@pytest.mark.parametrize("change", [{"sites": "anywhere"}, {"territories": pd.DataFrame({"x_km": [0.0], "y_km": 0.0})}])
def test_no_bound_where_centres_are_not_a_finite_choice(change):
    units, _ = grid(2, 2)
    problem = Problem(units, **{"territories": 2, "balance": {"w": 0.5}, "distance": "euclidean"} | change)
    with pytest.raises(BadInput, match="any centres"):
        solve(problem, bound_scope="any centres")


def test_an_unknown_scope_is_refused():
    units, _ = grid(2, 2)
    with pytest.raises(BadInput, match="all centres"):
        solve(Problem(units, 2, {"w": 0.5}, distance="euclidean"), bound_scope="all centres")
