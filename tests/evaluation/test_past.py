"""Past changes against planted effects."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.evaluation import backtest


def test_backtest_recovers_a_planted_effect_and_its_interval_covers():
    covered = 0
    for seed in range(50):
        generator = np.random.default_rng(seed)
        index = pd.Index([f"a{row}" for row in range(1_500)], name="account_id")
        moved = pd.Series(generator.random(1_500) < 0.4, index=index)
        size = generator.lognormal(0, 1, 1_500)
        years = [pd.Series(size * generator.gamma(4, 0.25, 1_500) * growth, index=index) for growth in (1.0, 1.1, 1.3)]
        later = years[2].where(~moved, years[2] * 0.85)
        table = backtest(years[1], later, moved, years[0])
        covered += int(table.loc["effect", "low"] <= -0.15 <= table.loc["effect", "high"])
        covered += int(table.loc["placebo", "low"] <= 0 <= table.loc["placebo", "high"])
    assert 0.82 <= covered / 100 <= 0.98


def test_without_a_comparison_there_is_no_backtest():
    sales = pd.Series({"a": 1.0, "b": 2.0})
    with pytest.raises(BadInput):
        backtest(sales, sales, pd.Series({"a": True, "b": True}))
