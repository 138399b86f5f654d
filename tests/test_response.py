"""Response against closed forms, a numerical optimiser and random plans."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from territory_lab.errors import BadInput
from territory_lab.response import Adbudg, SalesResponse


def units(values: list[float]) -> pd.Series:
    index = pd.Index([f"u{row}" for row in range(len(values))], name="unit_id")
    return pd.Series(values, index=index, name="potential")


def aligned(potential: pd.Series, territories: list[str]) -> pd.Series:
    return pd.Series(territories, index=potential.index, name="territory_id", dtype="str")


def test_best_split_is_what_a_numerical_optimiser_finds():
    potential, hours, response = units([1.0, 3.0, 6.0]), 100.0, SalesResponse()

    def lost(time: np.ndarray) -> float:
        return -float((potential ** (1 - response.elasticity) * time**response.elasticity).sum())

    found = minimize(
        lost,
        np.full(3, hours / 3),
        bounds=[(1e-3, hours)] * 3,
        constraints={"type": "eq", "fun": lambda t: t.sum() - hours},
    )
    split = response.best_split(potential, hours)
    np.testing.assert_allclose(split, found.x, rtol=1e-2)
    one = response.expected_sales(potential, aligned(potential, ["t"] * 3), hours)["t"]
    assert one == pytest.approx(-found.fun, rel=1e-6)
    assert one == pytest.approx(-lost(split.to_numpy()))


def test_cutting_a_unit_in_two_changes_nothing():
    whole, cut, response = units([4.0, 2.0]), units([1.0, 3.0, 2.0]), SalesResponse()
    before = response.expected_sales(whole, aligned(whole, ["s", "t"]), 10.0)
    after = response.expected_sales(cut, aligned(cut, ["s", "s", "t"]), 10.0)
    pd.testing.assert_series_equal(before, after)


@given(
    seed=st.integers(0, 10_000),
    elasticity=st.floats(0.05, 0.95),
    potential=st.lists(st.floats(0.01, 1e6), min_size=3, max_size=30),
)
@settings(max_examples=50, deadline=None)
def test_no_random_plan_exceeds_the_bound(seed, elasticity, potential):
    generator = np.random.default_rng(seed)
    values, names = units(potential), [f"t{row}" for row in range(4)]
    hours = pd.Series(generator.uniform(1, 2_000, 4), index=names)
    response = SalesResponse(elasticity, elasticity, elasticity)
    bound = response.bound(values, hours)
    for _ in range(20):
        plan = aligned(values, generator.choice(names, len(values)).tolist())
        assert response.expected_sales(values, plan, hours).sum() <= bound * (1 + 1e-9)


def test_the_bound_is_reached_where_potential_follows_hours():
    potential, response = units([2.0, 4.0, 6.0]), SalesResponse()
    hours = pd.Series({"r": 100.0, "s": 200.0, "t": 300.0})
    sold = response.expected_sales(potential, aligned(potential, ["r", "s", "t"]), hours).sum()
    assert sold == pytest.approx(response.bound(potential, hours))
    assert response.bound(potential, 200.0, 3) == pytest.approx(response.bound(potential, hours))


def test_calibrated_response_expects_what_was_sold():
    potential = units([2.0, 4.0, 9.0])
    plan = aligned(potential, ["s", "t", "t"])
    response = SalesResponse().calibrate(1_234.5, potential, plan, 900.0)
    assert response.expected_sales(potential, plan, 900.0).sum() == pytest.approx(1_234.5)


def test_balancing_attractiveness_beats_balancing_unequal_slopes():
    slopes = units([1.0, 1.0, 1.0, 8.0])
    response = SalesResponse(0.5, 0.2, 0.6)
    weight = response.attractiveness(slopes)
    assert weight.tolist() == [1, 1, 1, 64]
    split = response.best_split(weight, 67.0)
    marginal = slopes * 0.5 * split**-0.5
    np.testing.assert_allclose(marginal, marginal.iloc[0])


def test_the_price_of_fairness_is_what_the_plan_balanced_by_attractiveness_sells_more():
    slopes, response = units([1.0, 1.0, 1.0, 2.0]), SalesResponse(0.5, 0.2, 0.6)
    fair, best = aligned(slopes, ["s", "s", "t", "t"]), aligned(slopes, ["s", "s", "s", "t"])
    price = response.price_of_fairness(response.attractiveness(slopes), fair, best, 1.0)
    assert price["fair"] == pytest.approx(2**0.5 + 5**0.5)
    assert price["best"] == pytest.approx(3**0.5 + 4**0.5)
    assert price["price"] == pytest.approx(1 - price["fair"] / price["best"])
    assert price["at_most"] == pytest.approx(1 - price["fair"] / 14**0.5)


def test_lift_of_a_known_case_has_its_closed_form_and_parts_that_add():
    potential = units([9.0, 1.0])
    revenue = units([90.0, 10.0])
    today, proposed = aligned(potential, ["s", "t"]), aligned(potential, ["t", "s"])
    balanced = units([3.0, 3.0, 3.0, 1.0])
    response = SalesResponse()
    swap = response.lift(potential, today, proposed, 10.0, revenue=revenue)
    assert swap.loc["balance", "value"] == pytest.approx(0)
    assert swap.loc["disruption", "value"] == pytest.approx(-0.05)
    worse = aligned(balanced, ["s", "s", "s", "t"])
    better = aligned(balanced, ["s", "s", "t", "t"])
    table = response.lift(balanced, worse, better, 10.0, 12.0, retained_share=0.5)
    b = 0.34
    gain = (6 ** (1 - b) + 4 ** (1 - b)) / (9 ** (1 - b) + 1) - 1
    assert table.loc["balance", "value"] == pytest.approx(gain)
    assert table.loc["travel", "value"] == pytest.approx((1 + gain) * (1.2**b - 1))
    assert table.loc["disruption", "value"] == pytest.approx(-0.05 * 0.5 * 0.3)
    assert table.loc["total", "value"] == pytest.approx(table["value"].drop("total").sum())
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    pd.testing.assert_frame_equal(table, response.lift(balanced, worse, better, 10.0, 12.0, retained_share=0.5))


def test_at_the_break_even_of_each_elasticity_nothing_is_gained():
    potential = units([3.0, 3.0, 3.0, 1.0])
    today, proposed = aligned(potential, ["s", "s", "s", "t"]), aligned(potential, ["s", "s", "t", "t"])
    swept = SalesResponse().swept(potential, today, proposed, 10.0, revenue=potential)
    assert list(swept.index) == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
    for b, row in swept.iterrows():
        gain = (6 ** (1 - b) + 4 ** (1 - b)) / (9 ** (1 - b) + 1) - 1
        assert row["break_even_loss_share"] * 0.3 == pytest.approx(gain)
        assert row["gain_share"] == pytest.approx(gain - 0.05 * 0.3)


def test_staying_as_today_lifts_nothing():
    potential = units([9.0, 1.0, 5.0])
    today = aligned(potential, ["s", "t", "t"])
    assert (SalesResponse().lift(potential, today, today, 10.0).abs() < 1e-12).all(axis=None)


def test_lift_does_not_depend_on_money_hours_or_the_order_of_units():
    potential = units([9.0, 1.0, 5.0, 2.0])
    today, proposed = aligned(potential, ["s", "t", "t", "t"]), aligned(potential, ["s", "s", "t", "t"])
    response = SalesResponse()
    table = response.lift(potential, today, proposed, 10.0)["value"]
    other = response.lift(potential * 1_300, today, proposed.sample(frac=1, random_state=1), 700.0)["value"]
    pd.testing.assert_series_equal(table, other)


def test_adbudg_passes_through_points_of_its_own_form():
    curve = Adbudg(0.4, 1.6, 1.5, 1.0)
    effort = np.array([0.5, 1.0, 1.5])
    fitted = Adbudg.judged(0.4, *curve.sales(effort), 1.6)
    assert (fitted.shape, fitted.half) == pytest.approx((1.5, 1.0))
    step = 1e-6
    slope = (curve.sales(np.array(1 + step)) - curve.sales(np.array(1 - step))) / (2 * step)
    assert fitted.elasticity() == pytest.approx(float(slope / curve.sales(np.array(1.0))), rel=1e-6)


def test_faults_are_named_together():
    with pytest.raises(BadInput):
        SalesResponse(elasticity=0.6)
    with pytest.raises(BadInput):
        Adbudg.judged(0.5, 0.4, 1.0, 1.2, 1.5)
    potential = units([1.0, -1.0, np.nan])
    with pytest.raises(BadInput) as raised:
        SalesResponse().expected_sales(potential, aligned(potential, ["s", "t", "t"]), 1.0)
    assert len(raised.value.faults) == 2
    with pytest.raises(BadInput, match="t"):
        SalesResponse().expected_sales(
            potential.abs().fillna(1), aligned(potential, ["s", "t", "t"]), pd.Series({"s": 1.0})
        )
