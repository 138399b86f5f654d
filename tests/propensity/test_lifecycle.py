"""Champion against challenger, and drift: decisions held against brute force, closed forms and planted truths."""

import math

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel, Terms, compare, drift
from territory_lab.propensity.contest import judge
from territory_lab.propensity.watch import _judged, profiled, psi

Rng = np.random.Generator


class Oracle:
    """Foretells by a column of the table."""

    def __init__(self, column: str) -> None:
        self.column = column

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.column_stack([1 - X[self.column], X[self.column]])


def planted(seed: int, rows: int = 4_000) -> tuple[pd.DataFrame, np.ndarray]:
    """Chances known to "truth"; "rate" knows their mean only, "blind" shuffles them."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1, 6, rows)
    table = pd.DataFrame({"truth": truth, "rate": 1 / 7, "blind": rng.permutation(truth)})
    return table, (rng.random(rows) < truth).astype(float)


def test_a_better_challenger_is_promoted() -> None:
    X, y = planted(0)
    for champion in ("rate", "blind"):
        found = compare(Oracle(champion), Oracle("truth"), X, y, terms=Terms(100.0, 5.0, 0.1))
        assert found.promote
        assert found.why.startswith("promote")


def test_an_equal_challenger_is_hardly_ever_promoted() -> None:
    promoted = 0
    for seed in range(40):
        X, y = planted(seed, 1_500)
        X["twin"] = np.random.default_rng(seed + 99).permutation(X["blind"])
        promoted += compare(Oracle("blind"), Oracle("twin"), X, y, draws=200).promote
    assert promoted <= 4  # 2.5 % are expected; binomial: above 4 of 40 once in 300


def test_the_same_model_gains_nothing() -> None:
    X, y = planted(1)
    found = compare(Oracle("truth"), Oracle("truth"), X, y)
    assert tuple(found.gain) == (0, 0, 0)
    assert not found.promote


def test_a_challenger_that_ranks_better_but_lies_about_its_chances_is_kept_out() -> None:
    X, y = planted(2)
    found = compare(Oracle("rate"), Oracle("double"), X.assign(double=(2 * X["truth"]).clip(upper=1)), y)
    assert found.gain.low > 0
    assert not found.promote
    assert "the calibration is worse" in found.why


def test_profit_is_that_of_taking_the_best_of_each_period_one_by_one() -> None:
    rng = np.random.default_rng(3)
    size = 600
    y, p, q = (rng.random(size) < 0.3).astype(float), rng.random(size), rng.random(size)
    margin, times = rng.gamma(2.0, 50.0, size), rng.integers(0, 3, size)
    found = judge(p, q, y, times=times, terms=Terms(margin, 20.0, 0.1))

    def profit(score: np.ndarray) -> float:
        total = 0.0
        for period in range(3):
            rows = [i for i in range(size) if times[i] == period]
            best = sorted(rows, key=lambda i: score[i] * margin[i] - 20, reverse=True)[: round(0.1 * len(rows))]
            total += sum(y[i] * margin[i] - 20 for i in best if score[i] * margin[i] > 20)
        return total

    assert found.champion_profit == pytest.approx(profit(p))
    assert found.challenger_profit == pytest.approx(profit(q))
    assert found.gain.value == pytest.approx(profit(q) - profit(p))
    assert found.periods == 3


def test_rows_that_tie_for_the_last_places_share_them() -> None:
    y = np.array([1.0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    p = np.array([0.9, *[0.5] * 4, *[0.1] * 5])
    found = judge(p, p, y, terms=Terms(8.0, 0.0, 0.3))
    assert found.champion_profit == pytest.approx(8 + 2 / 4 * 8)  # one of four ties buys, two of four are worked
    shuffled = np.random.default_rng(0).permutation(10)
    assert judge(p[shuffled], p[shuffled], y[shuffled], terms=Terms(8.0, 0.0, 0.3)).champion_profit == pytest.approx(12)


def test_nothing_is_worked_that_is_expected_to_lose() -> None:
    y = np.ones(10)
    found = judge(np.full(10, 0.1), np.full(10, 0.9), y, terms=Terms(10.0, 5.0, 0.5))
    assert (found.champion_profit, found.challenger_profit) == (0, 5 * 5)


def test_the_interval_is_that_of_the_central_limit_theorem() -> None:
    X, y = planted(4, 5_000)
    found = judge(X["blind"], X["truth"], y, terms=Terms(1.0, 0.0, 0.2), draws=2_000)
    best = [X[side] >= np.sort(X[side])[-1_000] for side in ("blind", "truth")]
    gain = (best[1].astype(float) - best[0]) * y
    half = 1.96 * gain.std() * math.sqrt(5_000)
    assert found.gain.value == pytest.approx(gain.sum())
    assert (found.gain.high - found.gain.low) / 2 == pytest.approx(half, rel=0.1)


def test_an_account_that_comes_back_counts_once() -> None:
    X, y = planted(5, 1_000)
    once = judge(X["blind"], X["truth"], y)
    four = [np.tile(part, 4) for part in (X["blind"], X["truth"], y, np.arange(1_000))]
    together = judge(*four)
    assert together.gain.value == pytest.approx(4 * once.gain.value)
    assert together.gain.high - together.gain.low == pytest.approx(4 * (once.gain.high - once.gain.low), rel=0.01)
    assert together.groups == 1_000


def test_a_gain_of_one_good_month_is_not_beyond_doubt() -> None:
    X, y = planted(6, 6_000)
    months = np.arange(6_000) // 1_500
    lucky = X["truth"].where(months == 0, X["blind"])
    assert judge(X["blind"], lucky, y).promote
    assert not judge(X["blind"], lucky, y, times=months).promote


def test_every_fault_of_a_comparison_is_named_at_once() -> None:
    with pytest.raises(BadInput) as error:
        judge([0.5, 1.5], [0.5], [1, 2], groups=["a"], times=[1, 2, 3])
    assert {fault.table for fault in error.value.faults} == {"challenger", "groups", "times", "y", "champion"}
    with pytest.raises(BadInput, match="not 0 and 1"):
        judge([0.5, 0.5], [0.5, 0.5], ["yes", "no"])
    with pytest.raises(BadInput) as error:
        Terms(margin=np.nan, cost=-1.0, capacity_share=0.0)
    assert [fault.column for fault in error.value.faults] == ["margin", "cost", "capacity_share"]


def test_psi_is_that_of_a_sum_by_hand() -> None:
    # (0.4 - 0.5) ln(0.4 / 0.5) + (0.4 - 0.3) ln(0.4 / 0.3) + 0 = 0.0223144 + 0.0287682
    assert psi([0.5, 0.3, 0.2], [0.4, 0.4, 0.2]) == pytest.approx(0.0510826, abs=1e-7)
    assert psi([0.4, 0.4, 0.2], [0.5, 0.3, 0.2]) == pytest.approx(0.0510826, abs=1e-7)


def test_psi_of_a_shifted_normal_is_nearly_the_square_of_the_shift() -> None:
    # Jeffreys' divergence of N(0, 1) and N(d, 1) is d^2; ten bins lose a little of it
    rng = np.random.default_rng(0)
    profile = profiled(pd.DataFrame({"x": rng.normal(size=100_000)}))
    found = drift(profile, pd.DataFrame({"x": rng.normal(0.5, 1, 100_000)}))
    assert 0.22 < found["value"].item() < 0.25


def mixed(rng: Rng, rows: int = 3_000) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "zero": np.where(rng.random(rows) < 0.9, 0.0, rng.random(rows)),
            "full": np.where(rng.random(rows) < 0.9, 1.0, 0.0),
            "kind": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, rows), unit="D"),
            "gaps": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows)),
        }
    )


def test_the_profile_is_that_of_plain_pandas() -> None:
    X = mixed(np.random.default_rng(1))
    profile = profiled(X)
    assert profile.rows == 3_000
    assert profile.columns["x"].quantiles == pytest.approx(X["x"].quantile(np.arange(11) / 10).tolist())
    assert profile.columns["gaps"].missing_share == X["gaps"].isna().mean()
    assert profile.columns["kind"].levels == pytest.approx(X["kind"].value_counts(normalize=True).to_dict())
    assert profile.columns["zero"].shares[1] == pytest.approx((X["zero"] == 0).mean())
    assert [column.kind for column in profile.columns.values()] == [*["number"] * 3, "category", "date", "number"]


def test_a_column_that_always_moves_in_lumps_is_no_news() -> None:
    rng = np.random.default_rng(5)
    lumps = rng.random((5, 12))  # every period has its own twelve values, as the popularity of twelve products has
    periods = [pd.DataFrame({"popularity": rng.choice(values, 2_000)}) for values in lumps]
    found = drift(profiled(pd.concat(periods[:4])), periods[4])
    assert found["value"].item() > 0.1
    calm = drift(profiled(pd.concat(periods[:4]).sample(frac=1, random_state=0)), periods[4])
    assert (found["finding"].item(), calm["finding"].item()) == ("steady", "shifted")


def test_what_has_not_moved_is_steady_even_in_a_small_sample() -> None:
    rng = np.random.default_rng(2)
    profile = profiled(mixed(rng))
    found = pd.concat([drift(profile, mixed(rng, 60)) for _ in range(50)])
    assert (found["value"] > found["chance"]).mean() < 0.1
    assert (found["finding"] == "steady").mean() > 0.9


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("x", lambda values: values + 1),
        ("zero", lambda values: values + 0.5 * (values == 0)),
        ("full", lambda values: 0 * values),
        ("kind", lambda values: values.replace("a", "new")),
        ("day", lambda values: values + pd.Timedelta(days=60)),
        ("gaps", lambda values: values.where(values > 0.5)),
        ("x", lambda values: values.astype("str") + "?"),
    ],
)
def test_a_column_that_moves_is_the_one_that_is_found(column: str, change: object) -> None:
    rng = np.random.default_rng(3)
    profile, X = profiled(mixed(rng)), mixed(rng)
    found = drift(profile, X.assign(**{column: change(X[column])})).set_index("column")["finding"]
    assert found[column] == "shifted"
    assert (found.drop(column) == "steady").all()
    assert drift(profile, X.drop(columns=column)).set_index("column")["finding"][column] == "absent"


def test_probabilities_are_watched_by_period_and_unripe_rows_left_out() -> None:
    rng = np.random.default_rng(4)
    X = pd.DataFrame({"x": rng.normal(size=12_000)})
    y = (rng.random(12_000) < 1 / (1 + np.exp(1 - X["x"]))).astype(float)
    model = PropensityModel("logistic").fit(X[:4_000], y[:4_000])
    later, outcome = X[4_000:].reset_index(drop=True), y[4_000:].reset_index(drop=True)
    outcome[2_000:4_000] = np.maximum(outcome[2_000:4_000], rng.random(2_000) < 0.5)  # a boom
    outcome[6_000:] = np.nan
    times = np.repeat(pd.date_range("2026-01-01", periods=4, freq="MS"), 2_000)
    found = drift(model, later, y=outcome, times=times)
    judged = found[found["measure"] != "psi"].set_index(["measure", "period"])
    p = model.predict_proba(later)[:, 1]
    months = pd.Series(times).unique()
    for i in range(3):
        rows = slice(2_000 * i, 2_000 * (i + 1))
        assert judged.loc[("volume", months[i]), "value"] == pytest.approx(p[rows].sum() / outcome[rows].sum())
    assert judged.loc["volume", "finding"].tolist() == ["steady", "off", "steady"]
    assert judged.loc["ece", "finding"].tolist() == ["steady", "off", "steady"]
    assert (found["measure"] == "psi").sum() == 4


def test_luck_alone_stays_within_its_bounds_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(6)
    beyond = []
    for _ in range(400):
        p = rng.beta(1, 4, 500)
        rows = list(_judged((rng.random(500) < p).astype(float), p))
        beyond.append([abs(rows[0][2] - 1) > rows[0][3], rows[1][2] > rows[1][3]])
    assert (np.abs(np.mean(beyond, axis=0) - 0.05) < 0.03).all()  # 2.8 standard errors
