"""Quotas that sum to the cent, keep their bounds, and are judged by textbook measures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.errors import BadInput
from territory_lab.quota import allocate, attainment_shares, fairness, gini


def series(values: list[float]) -> pd.Series:
    return pd.Series(
        values, index=pd.Index([f"t{row}" for row in range(len(values))], name="territory_id"), dtype=float
    )


@given(
    history=st.lists(st.floats(0, 1e6), min_size=2, max_size=40),
    total=st.integers(10_000, 10**10),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=80, deadline=None)
def test_quotas_sum_to_the_cent_and_follow_the_wish(history, total, seed):
    generator = np.random.default_rng(seed)
    potential, hours = series(generator.uniform(1, 9, len(history))), series(generator.uniform(1, 9, len(history)))
    known = series(history) + 1
    table = allocate(known, potential, hours, total / 100, weights={"history": 1, "potential": 2})
    assert round(table["quota"] * 100).sum() == total
    wish = (known / known.sum() + 2 * potential / potential.sum()) / 3
    assert (abs(table["quota"] - wish * total / 100) <= 0.0101).all()
    assert table["share"].sum() == pytest.approx(1)


def test_three_equal_territories_share_a_euro_with_the_odd_cent_named():
    table = allocate(series([1, 1, 1]), series([1, 1, 1]), series([1, 1, 1]), 1.0)
    assert table["quota"].tolist() == [0.34, 0.33, 0.33]


@given(seed=st.integers(0, 5_000))
@settings(max_examples=60, deadline=None)
def test_floor_and_cap_hold_and_the_others_stay_in_proportion(seed):
    generator = np.random.default_rng(seed)
    history, potential = series(generator.uniform(1e3, 1e5, 12)), series(generator.lognormal(0, 1, 12))
    total = round(float(history.sum()) * 1.05, 2)
    table = allocate(history, potential, series([1] * 12), total, weights={"potential": 1}, floor=0.9, cap=1.3)
    growth = table["quota"] / history
    assert growth.min() >= 0.9 - 1e-9
    assert growth.max() <= 1.3 + 1e-9
    assert round(table["quota"].sum() * 100) == round(total * 100)
    free = (growth > 0.9 + 1e-4) & (growth < 1.3 - 1e-4)
    level = (table["quota"] / potential)[free]
    if len(level):
        assert np.ptp(level) / level.mean() < 1e-3
        held_low, held_high = (
            (table["quota"] / potential)[growth <= 0.9 + 1e-6],
            (table["quota"] / potential)[growth >= 1.3 - 1e-6],
        )
        assert (held_low >= level.min() * (1 - 1e-3)).all()
        assert (held_high <= level.max() * (1 + 1e-3)).all()


def test_new_hires_ramp_up_and_the_others_carry_the_rest():
    table = allocate(
        series([0, 5, 5]),
        series([1, 1, 1]),
        series([1, 1, 1]),
        100.0,
        weights={"potential": 1},
        ramp=pd.Series({"t0": 0.5}),
    )
    assert table["quota"].tolist() == [20, 40, 40]


def test_what_cannot_be_shared_out_is_named():
    with pytest.raises(BadInput, match="caps to"):
        allocate(series([10, 10]), series([1, 1]), series([1, 1]), 100.0, cap=2)
    with pytest.raises(BadInput) as raised:
        allocate(series([10, -1]), series([0, 0]), series([1, 1]), 1.001, weights={"potential": 1, "luck": 1})
    assert len(raised.value.faults) == 4


def test_gini_is_half_the_mean_difference():
    values = np.random.default_rng(0).lognormal(size=50)
    assert gini(values) == pytest.approx(abs(values[:, None] - values).mean() / (2 * values.mean()))
    assert gini(np.ones(5)) == pytest.approx(0)


def test_quota_in_proportion_to_potential_is_fair():
    potential = series([10, 20, 30, 40, 50, 60])
    table = fairness(allocate(potential, potential, potential, 10_000_000.0))
    assert table["fair"].all()
    assert table.loc["spread", "value"] == pytest.approx(1, abs=1e-4)


def test_a_territory_without_potential_is_left_out_of_fairness():
    potential = series([10, 20, 0])
    quotas = pd.DataFrame({"quota": [10.0, 20.0, 5.0], "potential": potential})
    assert fairness(quotas).loc["spread", "value"] == pytest.approx(1)
    with pytest.raises(BadInput):
        fairness(quotas.assign(potential=0.0))


def test_quota_by_history_alone_asks_the_small_for_more():
    potential = series(np.arange(1.0, 31.0).tolist())
    quotas = allocate(potential**0.3, potential, potential, 1_000.0, weights={"history": 1})
    table = fairness(quotas, attainment=potential / quotas["quota"])
    assert not table["fair"].any()
    assert table.loc["size", "value"] == pytest.approx(-1)
    assert table.loc["attainment", "value"] == pytest.approx(1)
    assert "falls with size" in table.loc["size", "words"]


def attained(seed: int, *, moves: bool = True) -> pd.DataFrame:
    """Three years of 30 territories; of the variance half lies in the territory, 0.3 in the rep."""
    generator = np.random.default_rng(seed)
    place, skill = generator.normal(0, 0.5**0.5, 30), generator.normal(0, 0.3**0.5, 30)
    years = []
    for year in range(3):
        rep = generator.permutation(30) if moves and year else np.arange(30)
        value = 1 + 0.1 * (place + skill[rep] + generator.normal(0, 0.2**0.5, 30)) + 0.05 * year
        years.append(pd.DataFrame({"territory_id": np.arange(30), "rep_id": rep, "period": year, "attainment": value}))
    return pd.concat(years).astype({"territory_id": "str", "rep_id": "str"})


def test_shares_of_territory_and_rep_cover_the_planted_split():
    inside, truth = 0, np.array([0.5, 0.3, 0.2])
    for seed in range(12):
        table = attainment_shares(attained(seed), steps=16)
        inside += ((table["low"] <= truth) & (truth <= table["high"])).sum()
        assert table["share"].sum() == pytest.approx(1)
    assert inside >= 0.8 * 36


def test_where_no_rep_has_moved_territory_and_rep_stay_apart_only_in_name():
    table = attainment_shares(attained(0, moves=False), steps=16)
    assert (table.loc[["territory", "rep"], "high"] - table.loc[["territory", "rep"], "low"]).min() > 0.5
    assert table.loc["territory", "share"] == pytest.approx(table.loc["rep", "share"])
    with pytest.raises(BadInput):
        attainment_shares(attained(0).head(3))
