import numpy as np
import pandas as pd
import pytest

from territory_lab.propensity import profit, stability
from territory_lab.propensity.evidence import Evidence, _blocks
from territory_lab.timeline import OutOfTimeSplit


def test_profit_is_buyers_times_margin_less_calls_times_cost() -> None:
    y, p = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0]), np.linspace(1, 0.1, 10)
    curve = profit(y, p, margin=50.0, cost=10.0, steps=10)
    by_hand = [(y[:worked].sum() * 50 - worked * 10) * 100 for worked in range(11)]
    assert curve["profit"].tolist() == pytest.approx(by_hand)
    assert curve["any_order"].iloc[-1] == pytest.approx(curve["profit"].iloc[-1])


def test_parts_of_one_time_that_differ_by_group_are_one_block() -> None:
    times, groups = np.repeat([0, 1, 2, 3], 40), np.tile(np.arange(40), 4)
    folds = list(OutOfTimeSplit(3, seed=1).split(times, groups=groups, times=times))
    assert len(folds) == 6
    assert [int(times[test].min()) - 1 for _, test in folds] == _blocks(folds, np.arange(160)).tolist()


def test_each_snapshot_is_measured_by_itself() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(900) < 0.4).astype(float)
    block = np.repeat([1, 2, 3], 300)
    p = np.where(block == 2, 0.9 * y + 0.05, 0.4)
    dates = tuple(pd.Timestamp("2025-01-01") + pd.Timedelta(days=90 * turn) for turn in range(4))
    found = stability(Evidence(y, np.arange(900), block, {"logistic": p}, {"logistic": None}, 0), "logistic", dates)
    assert found["as_of"].tolist() == list(dates[1:])
    assert found["auc"].tolist() == [0.5, 1.0, 0.5]
    halves = Evidence(y, np.arange(900), np.arange(900) // 150, {"logistic": p}, {"logistic": None}, 0)
    pd.testing.assert_frame_equal(stability(halves, "logistic", dates), found)
    assert found["bought"].tolist() == pytest.approx([y[:300].mean(), y[300:600].mean(), y[600:].mean()])
