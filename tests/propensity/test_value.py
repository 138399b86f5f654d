import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity.value import BuyTillYouDie, Spend, fit_purchases, fit_spend, forecast_revenue


def lives(rng: np.random.Generator, size: int, weeks: float) -> pd.DataFrame:
    """Live customers of the BG/NBD model with r .5, alpha 6, a .9, b 2.5, each purchase gamma distributed."""
    rows = []
    rates, leave = rng.gamma(0.5, 1 / 6, size), rng.beta(0.9, 2.5, size)
    for account in range(size):
        week = rng.uniform(0, 10)
        worth = 6 * rng.gamma(1, 1, 1)[0] + 4
        while week < weeks:
            rows.append((f"c{account}", week, worth * rng.gamma(6, 1 / 6)))
            if len(rows) > 1 and rows[-1][0] == rows[-2][0] and rng.random() < leave[account]:
                break
            week += rng.exponential(1 / rates[account])
    return pd.DataFrame(rows, columns=["account_id", "week", "amount"])


def test_expected_purchases_are_those_of_simulated_lives() -> None:
    """Fader, Hardie and Lee: E[Y(t)] for x = 2, t_x = 30.43, T = 38.86 on CDNOW is 1.226 over 39 weeks."""
    model = BuyTillYouDie(0.243, 4.414, 0.793, 2.426)
    found = model.expected(np.array([2.0]), np.array([30.43]), np.array([38.86]), 39.0)
    assert found[0] == pytest.approx(1.226, abs=0.002)


def test_parameters_come_back_from_simulated_customers() -> None:
    events = lives(np.random.default_rng(2), 4_000, 52.0)
    account = events.groupby("account_id")["week"]
    first, last, count = account.min(), account.max(), account.size()
    fitted = fit_purchases(*(np.asarray(v, float) for v in (count - 1, last - first, 52 - first)))
    assert fitted.r == pytest.approx(0.5, rel=0.15)
    assert fitted.alpha == pytest.approx(6, rel=0.2)
    assert fitted.a / (fitted.a + fitted.b) == pytest.approx(0.9 / 3.4, abs=0.05)


def test_the_value_of_a_purchase_leans_on_everybody_where_little_was_seen() -> None:
    """CDNOW's published p 6.25, q 3.74, scale 15.44: a mean of 22.35 over 2 purchases is expected to be 24.65."""
    spend = Spend(6.25, 3.74, 15.44)
    assert spend.expected(np.array([2.0]), np.array([22.35]))[0] == pytest.approx(24.6, abs=0.3)
    assert spend.expected(np.array([1e6]), np.array([22.35]))[0] == pytest.approx(22.35, rel=1e-4)
    rng = np.random.default_rng(1)
    count = rng.integers(1, 8, 5_000).astype(float)
    mean = rng.gamma(6.25 * count, 1 / (rng.gamma(3.74, 1 / 15.44, 5_000) * count))
    fitted = fit_spend(count, mean)
    assert fitted.p == pytest.approx(6.25, rel=0.15)
    assert fitted.q == pytest.approx(3.74, rel=0.15)


def histories(seed: int) -> pd.DataFrame:
    """Write three years of simulated lives as orders."""
    events = lives(np.random.default_rng(seed), 3_000, 156.0)
    when = START + pd.to_timedelta(events["week"] * 7, unit="D")
    return pd.DataFrame({"account_id": events["account_id"], "order_date": when, "amount": events["amount"]})


START = pd.Timestamp("2023-01-02")
TODAY = START + pd.Timedelta(weeks=104)


def test_the_total_of_later_orders_is_met_and_the_better_method_taken() -> None:
    orders = histories(3)
    forecast = forecast_revenue(orders, TODAY)
    actual = orders[orders["order_date"] >= TODAY]["amount"].sum()
    assert forecast.method == "buy_till_you_die"
    assert forecast.expected.sum() == pytest.approx(actual, rel=0.25)
    assert forecast.holdout.loc["buy_till_you_die", "mae"] <= forecast.holdout.loc["last_year", "mae"] * 1.2


def test_a_method_that_is_asked_for_is_the_one_used() -> None:
    orders = histories(3)
    forecast = forecast_revenue(orders, TODAY, method="last_year")
    year = orders[(orders["order_date"] < TODAY) & (orders["order_date"] >= TODAY - pd.Timedelta(days=365))]
    assert forecast.expected.sum() == pytest.approx(year["amount"].sum())
    assert forecast.holdout.index.tolist() == [forecast.method] == ["last_year"]


def test_nine_in_ten_customers_and_units_come_out_within_their_intervals() -> None:
    orders = histories(3)
    forecast = forecast_revenue(orders, TODAY)
    later = orders[(orders["order_date"] >= TODAY) & (orders["order_date"] < TODAY + pd.Timedelta(days=365))]
    actual = later.groupby("account_id")["amount"].sum().reindex(forecast.expected.index, fill_value=0.0)
    inside = (actual >= forecast.interval["low"]) & (actual <= forecast.interval["high"])
    assert 0.86 < inside.mean() < 0.97
    units = pd.Series(np.arange(len(actual)) % 40, actual.index)
    found, sums = forecast.summed(units), actual.groupby(units).sum()
    assert ((sums >= found["low"]) & (sums <= found["high"])).mean() >= 0.85
    assert found["expected"].sum() == pytest.approx(forecast.expected.sum())


def test_a_history_without_a_holdout_has_no_interval() -> None:
    orders = histories(3)
    forecast = forecast_revenue(orders, START + pd.Timedelta(weeks=30))
    assert forecast.interval.isna().all(axis=None)
    assert forecast.interval.index.equals(forecast.expected.index)


def test_no_orders_are_refused() -> None:
    orders = pd.DataFrame({"account_id": ["a"], "order_date": [pd.Timestamp("2025-01-01")], "amount": [1.0]})
    with pytest.raises(BadInput, match="no orders before"):
        forecast_revenue(orders, pd.Timestamp("2024-01-01"))
