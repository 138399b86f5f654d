"""Verdicts against planted truths."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from territory_lab.evaluation import outcomes, performance, territory_sales


def planted(seed: int, count: int = 30, spread: float = 0.0, noise: float = 0.08) -> tuple[pd.DataFrame, np.ndarray]:
    """Territories whose sales follow potential at 0.66, with two that sell 40 % less and two 50 % more."""
    generator = np.random.default_rng(seed)
    potential = generator.lognormal(0, 0.6, count)
    effect = generator.normal(0, spread, count)
    effect[:2], effect[2:4] = np.log(0.6), np.log(1.5)
    sales = 100 * potential**0.66 * np.exp(effect + generator.normal(0, noise, count))
    index = pd.Index([f"t{row:02d}" for row in range(count)], name="territory_id")
    hours = generator.uniform(900, 1_500, count)
    hours[:2] = 3_000
    table = pd.DataFrame(
        {"sales": sales, "sales_sd": noise * sales, "potential": potential, "workload_h": hours}, index=index
    )
    return table, effect


def test_planted_troubled_and_strong_territories_are_found_without_false_calls():
    found = false = 0
    for seed in range(20):
        table, _ = planted(seed)
        verdict = performance(table.assign(workload_h=1_000.0))["verdict"]
        found += (verdict.iloc[:2] == "troubled").sum() + (verdict.iloc[2:4] == "strong").sum()
        false += (verdict.iloc[4:] != "as expected").sum()
    assert found >= 0.95 * 80
    assert false <= 0.05 * 20 * 26


def test_noise_alone_is_not_called_trouble():
    calls = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        index = pd.Index([f"t{row}" for row in range(30)], name="territory_id")
        sales = 100 * np.exp(generator.normal(0, 0.3, 30))
        calls += (
            performance(
                pd.DataFrame({"sales": sales, "sales_sd": 0.3 * sales, "potential": 1.0, "workload_h": 1.0}, index)
            )["verdict"]
            != "as expected"
        ).sum()
    assert calls <= 0.02 * 600


def test_intervals_hold_the_planted_effect_nine_times_in_ten():
    inside = []
    for seed in range(40):
        table, effect = planted(seed, spread=0.2, noise=0.15)
        result = performance(table.assign(workload_h=1.0))
        usual = np.exp(effect.mean())
        inside += ((result["low"] <= np.exp(effect) / usual) & (np.exp(effect) / usual <= result["high"])).tolist()
    assert 0.85 <= np.mean(inside) <= 0.97


def test_reasons_name_what_differs():
    table, _ = planted(3)
    table["win_rate"] = [0.1] + [0.25] * 29
    result = performance(table)
    assert result.loc["t00", "verdict"] == "troubled"
    assert "3,000 h of work" in result.loc["t00", "reason"]
    assert "wins 10% of its opportunities against 25%" in result.loc["t00", "reason"]
    assert "more than" in result.loc["t02", "reason"]


def test_verdicts_do_not_depend_on_currency_or_order():
    table, _ = planted(5)
    shuffled = table.sample(frac=1, random_state=0).assign(
        sales=lambda t: t["sales"] * 1e3, sales_sd=lambda t: t["sales_sd"] * 1e3
    )
    one, other = performance(table), performance(shuffled).reindex(table.index)
    pd.testing.assert_frame_equal(
        one[["ratio", "low", "high", "verdict"]], other[["ratio", "low", "high", "verdict"]], rtol=1e-4
    )


def test_a_territory_that_sold_nothing_is_troubled_and_the_rest_judged():
    table, _ = planted(1)
    table.loc["t09", ["sales", "sales_sd"]] = 0.0
    result = performance(table)
    assert result.loc["t09", ["verdict", "reason"]].tolist() == ["troubled", "Sold nothing."]
    assert np.isfinite(result.drop("t09")["ratio"]).all()


def test_a_territory_that_holds_nothing_is_not_judged_and_the_rest_is():
    table, _ = planted(1)
    table.loc["t10", ["sales", "sales_sd", "potential"]] = 0.0
    result = performance(table)
    assert result.loc["t10", ["expected", "verdict", "reason"]].tolist() == [
        0.0,
        "as expected",
        "Holds nothing to be judged by.",
    ]
    pd.testing.assert_frame_equal(result.drop("t10"), performance(table.drop("t10")))


def test_sales_sum_by_territory_with_the_noise_of_their_accounts():
    territory = pd.Series({"a": "s", "b": "s", "c": "t", "d": "t"}, name="territory_id")
    table = territory_sales(pd.Series({"a": 3.0, "b": 4.0, "c": 5.0}), territory, territories=pd.Index(["s", "t", "u"]))
    assert table["sales"].tolist() == [7, 5, 0]
    assert table["sales_sd"].tolist() == [5, 5, 0]
    assert table["customers"].tolist() == [2, 1, 0]


def accounts(seed: int, effect: np.ndarray) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Sales of accounts with heavy tails, a territory's effect on them, and their potential."""
    generator = np.random.default_rng(seed)
    territory = pd.Series(generator.integers(0, len(effect), 6_000), name="territory_id")
    potential = pd.Series(generator.lognormal(0, 1.3, 6_000))
    buys = generator.random(6_000) < 0.2 + 0.3 * potential.rank(pct=True)
    sales = potential * np.exp(effect[territory] + generator.normal(0, 0.8, 6_000))
    return sales.where(buys, 0.0), territory.map("t{:02d}".format).astype("str"), potential


def test_reach_and_depth_leave_out_the_luck_of_a_few_large_accounts():
    effect = np.r_[-0.5, -0.5, 0.5, 0.5, np.zeros(26)]
    found, false, depth, ratio = 0, 0, [], []
    for seed in range(10):
        sales, territory, potential = accounts(seed, effect)
        table = territory_sales(sales, territory, potential)
        table["potential"] = potential.groupby(territory).sum()
        result = performance(table.assign(workload_h=1.0))
        found += (result["verdict"].iloc[:2] == "troubled").sum() + (result["verdict"].iloc[2:4] == "strong").sum()
        false += (result["verdict"].iloc[4:] != "as expected").sum()
        depth += (np.log(table["depth"]) - effect).tolist()
        ratio += (np.log(table["sales"] / table["potential"]) - effect).tolist()
    assert found >= 0.9 * 40
    assert false <= 0.05 * 260
    assert np.std(depth) < 0.6 * np.std(ratio)


def test_reach_counts_buyers_against_those_expected_of_their_potential():
    effect = np.zeros(3)
    sales, territory, potential = accounts(0, effect)
    table = territory_sales(sales, territory, potential)
    tenth = pd.qcut(potential, 10, labels=False)
    chance = (sales > 0).groupby(tenth).mean().reindex(tenth).to_numpy()
    expected = (sales > 0).groupby(territory).sum() / pd.Series(chance).groupby(territory).sum()
    np.testing.assert_allclose(table["reach"], expected, rtol=0.02)


def test_win_rates_have_wilson_intervals_and_trends_compare_two_years():
    territory = pd.Series({"a": "s", "b": "s", "c": "t", "d": None}, dtype="str")
    deals = pd.DataFrame(
        {"account_id": ["a"] * 8 + ["b"] * 4 + ["d"], "stage": ["won"] * 3 + ["lost"] * 7 + ["open"] * 3}
    )
    table = outcomes(deals, territory, pd.Series({"a": 60.0, "c": 5.0}), pd.Series({"a": 30.0, "b": 20.0}))
    exact = binomtest(3, 10).proportion_ci(0.9, method="wilson")
    assert table.loc["s", ["closed", "win_rate"]].tolist() == [10, 0.3]
    assert table.loc["s", ["win_low", "win_high"]].tolist() == pytest.approx([exact.low, exact.high], abs=1e-4)
    assert table.loc["s", "trend"] == pytest.approx(0.2)
    assert table.loc["t"].drop("closed").isna().all()
