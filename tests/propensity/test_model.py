import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import check_estimator

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel
from territory_lab.propensity.learners import logit


def planted(rows: int = 3_000, seed: int = 0, *, bend: float = 0.0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Log-odds -1.2 + x + 0.8 if hot; a bend that no line can follow; noise beside it."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "z": rng.normal(size=rows),
            "kind": rng.choice(["cold", "hot"], rows),
            "noise": rng.normal(size=rows),
        }
    )
    log_odds = -1.2 + X["x"] + 0.8 * (X["kind"] == "hot") + bend * np.where(X["x"] * X["z"] > 0, 1.0, -1.0)
    p = 1 / (1 + np.exp(-log_odds.to_numpy()))
    return X, (rng.random(rows) < p).astype(int), p


@pytest.fixture(scope="module")
def fitted() -> PropensityModel:
    X, y, _ = planted()
    return PropensityModel(seed=1).fit(X, y)


def test_known_probabilities_come_back(fitted: PropensityModel) -> None:
    X, _, p = planted(seed=9)
    found = fitted.predict_proba(X)[:, 1]
    assert fitted.verdict == "signal"
    assert fitted.algorithm_ == "logistic"
    assert np.abs(found - p).mean() < 0.03
    assert fitted.metrics_.loc["volume", "low"] < 1 < fitted.metrics_.loc["volume", "high"]


def test_boosting_is_promoted_where_no_line_can_follow_and_nowhere_else(fitted: PropensityModel) -> None:
    X, y, _ = planted(bend=2.0)
    model = PropensityModel(seed=1).fit(X, y)
    assert model.algorithm_ == "boosting"
    assert model.promotion_.low > 0
    assert fitted.promotion_.low <= 0


def test_a_permuted_target_has_no_signal() -> None:
    X, y, _ = planted(1_000)
    rng = np.random.default_rng(0)
    verdicts = [PropensityModel("logistic").fit(X, rng.permutation(y)).verdict for _ in range(20)]
    assert verdicts.count("no signal") >= 19


def test_a_jump_of_the_base_rate_is_mended() -> None:
    X, y, p = planted(8_000, seed=5)
    later = np.arange(8_000) >= 5_500
    rng = np.random.default_rng(2)
    risen = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 1.5 * later)))
    y = (rng.random(8_000) < risen).astype(int)
    now = slice(7_000, 8_000)

    for memory in ("auto", 125):
        model = PropensityModel("logistic", refresh=500, memory=memory).fit(X[:7_000], y[:7_000])
        assert model.memory_ == 125
        unmended = model.learner_.predict(model.encoder_.transform(X[now]))
        assert unmended.sum() / y[now].sum() < 0.9
        assert 0.92 < model.predict_proba(X[now])[:, 1].sum() / y[now].sum() < 1.08


def test_where_nothing_changes_the_recent_past_is_not_corrected_for() -> None:
    fits = [PropensityModel("logistic").fit(*planted(2_000, seed=100 + turn)[:2]) for turn in range(40)]
    assert sum(model.memory_ is not None for model in fits) <= 2


def test_customers_with_a_level_of_their_own_are_no_news_in_any_snapshot() -> None:
    account, times = np.tile(np.arange(500), 4), np.repeat(pd.date_range("2025-01-01", periods=4, freq="90D"), 500)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame({"x": rng.normal(size=2_000), "mark": rng.normal(size=500)[account]})
        p = 1 / (1 + np.exp(1 - X["x"] - rng.normal(size=500)[account]))
        y = (rng.random(2_000) < p).astype(int)
        assert PropensityModel("logistic").fit(X, y, groups=account, times=times).memory_ is None


def test_a_level_that_drifts_is_no_signal() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"noise": rng.normal(size=4_000)})
    y = (rng.random(4_000) < np.linspace(0.05, 0.6, 4_000)).astype(int)
    assert PropensityModel("logistic", refresh=500, n_splits=6, memory=125).fit(X, y).verdict == "no signal"


def test_both_is_the_mean_of_the_log_odds() -> None:
    X, y, _ = planted(bend=2.0)
    fits = [PropensityModel(name, memory=None).fit(X, y) for name in ("both", "logistic", "boosting")]
    p = [model.learner_.predict(model.encoder_.transform(X)) for model in fits]
    assert logit(p[0]) == pytest.approx((logit(p[1]) + logit(p[2])) / 2, abs=1e-5)


def test_monotone_constraints_hold() -> None:
    X, y, _ = planted(bend=2.0)
    model = PropensityModel("boosting", monotone={"x": 1}).fit(X, y)
    steps = X.iloc[[0] * 50].assign(x=np.linspace(-3, 3, 50))
    assert (np.diff(model.predict_proba(steps)[:, 1]) >= 0).all()


def test_the_same_customers_in_every_snapshot_do_not_pass_for_signal() -> None:
    rng = np.random.default_rng(4)
    account = np.tile(np.arange(400), 4)
    X = pd.DataFrame({"mark": rng.normal(size=400)[account], "twin": rng.normal(size=400)[account]})
    y = (rng.random(400) < 0.3).astype(int)[account]  # stays with the account and follows from nothing
    times = np.repeat(pd.date_range("2025-01-01", periods=4, freq="90D"), 400)
    assert PropensityModel("boosting").fit(X, y, groups=account, times=times).verdict == "no signal"


def test_input_order_and_index_are_kept_and_two_fits_agree(fitted: PropensityModel) -> None:
    X, y, _ = planted()
    again = PropensityModel(seed=1).fit(X, y)
    some = X.sample(50, random_state=3)
    np.testing.assert_array_equal(fitted.predict_proba(some), again.predict_proba(X)[some.index])
    assert fitted.card.to_json() == again.card.to_json()


def test_the_card_is_json_and_safe_html() -> None:
    X, y, _ = planted()
    model = PropensityModel("logistic", shuffled="no dates exist").fit(X.rename(columns={"x": "<b>x"}), y)
    card = json.loads(model.card.to_json())
    assert card["rows"] == 3_000
    assert any("no dates exist" in limit for limit in card["limits"])
    assert "<b>x" not in model.card.to_html()
    assert "&lt;b&gt;x" in model.card.to_html()


def test_twenty_rows_are_not_judged_and_one_class_is_refused() -> None:
    X, y, _ = planted(20)
    with pytest.warns(UserWarning, match="too few to judge"):
        model = PropensityModel().fit(X, y)
    assert model.verdict == "no signal"
    with pytest.raises(BadInput, match="only one class"):
        PropensityModel().fit(X, np.ones(20))


def test_scikit_learn_takes_it_for_an_estimator() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(PropensityModel("logistic"))
