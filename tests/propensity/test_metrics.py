import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from territory_lab.propensity import metrics


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = rng.beta(1, 4, 800).round(2)  # rounded: many ties
    return (rng.random(800) < p).astype(float), p, rng.integers(0, 4, 800).astype(float)


def test_weighted_figures_are_those_of_scikit_learn(drawn: tuple[np.ndarray, ...]) -> None:
    y, p, weight = drawn
    assert metrics.auc(y, p, weight) == pytest.approx(roc_auc_score(y, p, sample_weight=weight))
    assert metrics.average_precision(y, p, weight) == pytest.approx(average_precision_score(y, p, sample_weight=weight))
    assert metrics.brier(y, p, weight) == pytest.approx(brier_score_loss(y, p, sample_weight=weight))


def test_ece_is_zero_where_every_bin_is_right_and_the_offset_where_all_are_wrong() -> None:
    p = np.repeat(np.arange(1, 11) / 20, 200)
    y = np.concatenate([np.arange(200) < 200 * share for share in np.arange(1, 11) / 20]).astype(float)
    ones = np.ones(len(p))
    assert metrics.ece(y, p, ones) == pytest.approx(0, abs=1e-12)
    assert metrics.ece(y, p + 0.1, ones) == pytest.approx(0.1)
    assert metrics.volume(y, 2 * p, ones) == pytest.approx(2)


def test_gains_of_a_perfect_and_of_a_blind_ranking() -> None:
    y = np.repeat([1.0, 0.0], [100, 300])
    assert metrics.gains_table(y, y)["share_reached"].iloc[4] == 1
    blind = metrics.gains_table(y, np.full(400, 0.3))
    np.testing.assert_allclose(blind["lift"], 1)


def test_calibration_bins_hold_everybody_once_and_wilson_covers(drawn: tuple[np.ndarray, ...]) -> None:
    y, p, _ = drawn
    table = metrics.calibration_table(y, p)
    assert table["n"].sum() == 800
    assert (table["n"] @ table["observed"]) == pytest.approx(y.sum())
    assert ((table["low"] <= table["predicted"]) & (table["predicted"] <= table["high"])).sum() >= 8


def test_the_interval_of_the_mean_is_the_textbook_one_and_wider_for_whole_groups() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(100), 10)
    y = np.repeat(rng.random(100) < 0.3, 10).astype(float)  # groups of ten that act as one
    mean = dict(metric=lambda y, _, w: float(np.average(y, weights=w)), draws=400)  # noqa: C408 - reads as the call
    alone, whole = (metrics.interval(y, y, g, **mean) for g in (None, groups))
    error = np.sqrt(alone.value * (1 - alone.value) / 1000)
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert (whole.high - whole.low) / (alone.high - alone.low) == pytest.approx(np.sqrt(10), rel=0.2)


def test_pairs_are_compared_on_the_same_draws(drawn: tuple[np.ndarray, ...]) -> None:
    y, p, _ = drawn
    same = metrics.difference(y, p, 2 * p)
    assert same == pytest.approx((0, 0, 0), abs=1e-12)
    worse = metrics.difference(y, p, np.random.default_rng(0).random(800))
    assert worse.low > 0
    pd.testing.assert_frame_equal(metrics.evaluate(y, p, seed=1), metrics.evaluate(y, p, seed=1))
