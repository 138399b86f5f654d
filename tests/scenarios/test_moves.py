"""The ranking of moves against plain recomputation and brute force."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from territory_lab.response import SalesResponse
from territory_lab.scenarios import at_risk, enough, explain, made


def series(values: list, index: list[str]) -> pd.Series:
    return pd.Series(values, index=pd.Index(index, name="unit_id"))


def case(seed: int = 0) -> tuple[SimpleNamespace, pd.Series, pd.Series]:
    generator = np.random.default_rng(seed)
    index = [f"u{row:02d}" for row in range(40)]
    potential = series(generator.lognormal(0, 1, 40).tolist(), index)
    today = series(generator.choice(["a", "b", "c"], 40, p=[0.7, 0.2, 0.1]).tolist(), index)
    plan = SimpleNamespace(alignment=series(generator.choice(["a", "b", "c"], 40).tolist(), index), problem=None)
    return plan, today, potential


def test_effects_add_up_to_the_lift_of_the_whole_plan():
    plan, today, potential = case()
    moves = explain(plan, today, potential=potential)
    lift = SalesResponse().lift(potential, today, plan.alignment, 1.0)["value"]
    assert moves["effect"].sum() == pytest.approx(lift["total"])
    assert moves["gain_share"].max() == pytest.approx(1)
    assert -0.05 * moves["moved_share"].iloc[-1] == pytest.approx(lift["disruption"])
    assert moves["units"].sum() == (plan.alignment != today).sum()


def test_each_step_is_the_best_of_all_that_are_left():
    plan, today, potential = case(1)
    moves = explain(plan, today, potential=potential, loss_share=0.0)
    response, state, left = SalesResponse(), today.copy(), set(moves.index)
    whole = response.expected_sales(potential, today, 1.0).sum()
    for rank, move in moves.iterrows():
        now = response.expected_sales(potential, state, 1.0).sum()
        gains = {}
        for other in left:
            moved = state.copy()
            moved[moves.loc[other, "unit_ids"]] = moves.loc[other, "to_territory"]
            gains[other] = (response.expected_sales(potential, moved, 1.0).sum() - now) / whole
        assert max(gains.values()) == pytest.approx(gains[rank]) == pytest.approx(move["effect"])
        state[move["unit_ids"]] = move["to_territory"]
        left.remove(rank)


def test_first_moves_bring_most_and_no_pair_beats_the_first_two_by_much():
    plan, today, potential = case(2)
    moves = explain(plan, today, potential=potential, loss_share=0.0, by_unit=True)
    some = enough(moves, 0.8)
    assert len(some) < len(moves) / 2
    response = SalesResponse()
    now = response.expected_sales(potential, today, 1.0).sum()
    best = 0.0
    for pair in itertools.combinations(moves["unit_ids"].explode(), 2):
        moved = today.copy()
        moved[list(pair)] = plan.alignment[list(pair)]
        best = max(best, response.expected_sales(potential, moved, 1.0).sum() / now - 1)
    assert moves["effect"].iloc[:2].sum() >= 0.9 * best


def test_travel_saved_counts_as_selling_time():
    index = ["u0", "u1"]
    plan = SimpleNamespace(alignment=series(["b", "a"], index), problem=None)
    travel = pd.DataFrame({"today": [200.0, 200.0], "proposed": [50.0, 50.0]}, index=index)
    moves = explain(
        plan,
        series(["a", "b"], index),
        potential=series([1.0, 1.0], index),
        hours=1_000.0,
        travel_h=travel,
        loss_share=0.0,
    )
    assert moves["effect"].sum() == pytest.approx((950 / 800) ** 0.34 - 1)


def test_potential_comes_from_the_problem_and_a_unit_without_owner_risks_nothing():
    index = ["u0", "u1"]
    problem = SimpleNamespace(units=pd.DataFrame({"p": [4.0, 4.0]}, index=index), activities=["p"])
    plan = SimpleNamespace(alignment=series(["a", "b"], index), problem=problem)
    moves = explain(plan, series(["a"], ["u0"]))
    assert moves["from_territory"].isna().tolist() == [True]
    assert moves["effect"].tolist() == pytest.approx([1.0])


def test_staying_as_today_has_no_moves():
    _, today, potential = case()
    moves = explain(SimpleNamespace(alignment=today, problem=None), today, potential=potential)
    assert moves.empty
    assert enough(moves).empty


def test_revenue_at_risk_is_moved_revenue_times_the_rate_and_long_ties_weigh_more():
    index = ["u0", "u1", "u2", "u3"]
    revenue = series([100.0, 200.0, 300.0, 50.0], index)
    today, proposed = series(["a", "a", "b", None], index), series(["b", "a", "a", "a"], index)
    table = at_risk(revenue, today, proposed, margin_share=0.4, retained_share=0.5)
    assert table.loc["a"].tolist() == pytest.approx([100, 0, 100 * 0.4 * 0.05 * 0.5, 100 * 0.4 * 0.176 * 0.5])
    assert table["revenue_moved"].tolist() == [100, 300]
    tied = at_risk(revenue, today, proposed, tenure_years=series([1.0, 2.0, 9.0, 2.0], index))
    mean = (100 + 400 + 2700 + 100) / 650
    assert tied["usual"].tolist() == pytest.approx([100 * 0.05 / mean, 300 * 0.05 * 9 / mean])


def test_first_moves_make_the_alignment_whose_lift_they_promise():
    plan, today, potential = case(3)
    moves = explain(plan, today, potential=potential)
    some = enough(moves)
    lift = SalesResponse().lift(potential, today, made(today, some), 1.0)["value"]
    assert lift["total"] == pytest.approx(some["effect"].sum())
    pd.testing.assert_series_equal(made(today, moves), plan.alignment, check_names=False, check_dtype=False)


def test_a_plan_that_loses_in_the_end_still_shows_the_moves_that_gain():
    index = ["u0", "u1", "u2", "u3"]
    today, potential = series(["a", "a", "a", "b"], index), series([2.0, 2.0, 2.0, 1.0], index)
    plan = SimpleNamespace(alignment=series(["b", "b", "b", "b"], index), problem=None)
    moves = explain(plan, today, potential=potential, by_unit=True)
    assert moves["effect"].iloc[0] > 0 > moves["effect"].sum()
    assert len(enough(moves, 1.0)) == 1
