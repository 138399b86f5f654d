"""What goes wrong with tables in practice is refused by name, or mended with a warning, before any score is given."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel


def accounts(rows: int = 600, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "revenue": rng.lognormal(10, 1, rows),
            "sector": rng.choice(["a", "b"], rows),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"),
            "calls": rng.poisson(3, rows),
        },
        index=rng.permutation(rows) + 1_000,
    )
    return X, (rng.random(rows) < 0.2 + 0.1 * np.minimum(X["calls"], 5)).astype(int).to_numpy()


@pytest.fixture(scope="module")
def model() -> PropensityModel:
    return PropensityModel("logistic").fit(*accounts())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X.drop(columns="calls"), "calls.*the column is missing"),
        (lambda X: X.assign(revenue=X["revenue"] * 1_000), "the median was"),
        (lambda X: X.assign(revenue=-np.inf), "infinite"),
        (lambda X: X.assign(revenue=[np.inf, *X["revenue"][1:]]).astype({"revenue": object}), "infinite"),
        (lambda X: X.assign(calls="many"), "was numbers in training"),
        (lambda X: pd.concat([X, X[["calls"]]], axis=1), "stands twice"),
    ],
)
def test_what_cannot_be_mended_gives_no_score(model: PropensityModel, change: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        model.predict_proba(change(accounts(seed=1)[0]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X[X.columns[::-1]], "put in order"),
        (lambda X: X.assign(more=1), "left out: more"),
        (lambda X: X.assign(calls=X["calls"].astype(str)), "read as numbers"),
        (lambda X: X.assign(since=X["since"].astype(str)), None),
        (lambda X: X.assign(since=X["since"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")), None),
    ],
)
def test_what_can_be_mended_changes_no_score(model: PropensityModel, change: object, said: str | None) -> None:
    X, _ = accounts(seed=1)
    if said is None:
        found = model.predict_proba(change(X))
    else:
        with pytest.warns(UserWarning, match=said):
            found = model.predict_proba(change(X))
    np.testing.assert_array_equal(found, model.predict_proba(X))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X.assign(sector="z"), "levels unseen in training"),
        (lambda X: X.assign(calls=np.nan), "have none now: calls"),
    ],
)
def test_what_is_lost_is_scored_as_missing_with_a_warning(model: PropensityModel, change: object, said: str) -> None:
    with pytest.warns(UserWarning, match=said):
        p = model.predict_proba(change(accounts(seed=1)[0]))
    assert np.isfinite(p).all()


def test_scores_follow_the_rows_as_they_come(model: PropensityModel) -> None:
    X, _ = accounts(seed=1)
    turn = np.random.default_rng(3).permutation(len(X))
    np.testing.assert_array_equal(model.predict_proba(X.iloc[turn]), model.predict_proba(X)[turn])
    twice = pd.concat([X.iloc[:30], X.iloc[:30]])
    np.testing.assert_array_equal(model.predict_proba(twice)[:30], model.predict_proba(twice)[30:])


def test_the_same_rows_twice_are_named_when_learning() -> None:
    X, y = accounts()
    again = pd.concat([X, X.iloc[:7]])
    with pytest.warns(UserWarning, match="7 row"):
        PropensityModel("logistic").fit(again, np.append(y, y[:7]), groups=again.index)


def test_times_with_and_without_a_zone_are_not_compared() -> None:
    X, y = accounts()
    dates = list(pd.date_range("2024-01-01", periods=len(X), freq="h"))
    dates[0] = dates[0].tz_localize("Asia/Tokyo")
    with pytest.raises(BadInput, match="time zone"):
        PropensityModel("logistic").fit(X, y, times=pd.Series(dates, dtype=object))
