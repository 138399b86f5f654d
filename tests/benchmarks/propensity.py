"""Propensity on real data and at size: rolling retraining, Caravan, permuted targets, a million rows."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel, metrics
from tests.benchmarks.common import measured, peak_mb, show

CASES = Path(__file__).parents[3] / "shared" / "cases" / "propensity"
STEP, FIRST, REPEATS, PERMUTED = 1_000, 6_000, 10, 100
WHY = "rows are sorted by customer type, not by time"


def figures(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Measure what all parts report."""
    weight = np.ones(len(y))
    return {name: metrics.METRICS[name](y, p, weight) for name in ("auc", "ece", "volume")}


def bank() -> None:
    """Retrain every 1,000 calls, foretell the next 1,000, judge all predictions together."""
    calls = pd.read_csv(CASES / "bank_marketing_uci.csv.gz")
    y, X = calls["y"].to_numpy(float), calls.drop(columns=["y", "row_order", "poutcome_derived"])
    try:
        PropensityModel("logistic").fit(X, y)
    except BadInput as refusal:
        print(refusal)
    X = X.drop(columns="duration")

    def rolling(**options: object) -> np.ndarray:
        parts = []
        for now in range(FIRST, len(y), STEP):
            model = PropensityModel(refresh=STEP, n_splits=6, **options).fit(X[:now], y[:now])
            parts.append(model.predict_proba(X[now : now + STEP])[:, 1])
        return np.concatenate(parts)

    rows = []
    for options in ({"algorithm": "logistic", "memory": 125}, {"algorithm": "logistic"}, {"algorithm": "auto"}):
        p, seconds = measured(lambda options=options: rolling(**options))
        rows.append({"memory": "auto", **options, **figures(y[FIRST:], p), "CPU_s": seconds})
    show("bank_marketing, retrained every 1,000 rows on all before", rows)


def caravan() -> None:
    """Cross-validate as the literature does, beside three usual models on the same folds."""
    home = importlib.util.find_spec("ISLP").submodule_search_locations[0]
    table = pd.read_csv(Path(home) / "data" / "Caravan.csv")
    y, X = (table["Purchase"] == "Yes").to_numpy(float), table.drop(columns="Purchase")
    models = {
        "PropensityModel boosting": lambda: PropensityModel("boosting", shuffled=WHY),
        "PropensityModel auto": lambda: PropensityModel(shuffled=WHY),
        "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)),
        "HistGradientBoosting": lambda: HistGradientBoostingClassifier(random_state=0),
        "xgboost": lambda: xgb.XGBClassifier(n_jobs=1),
    }
    folds = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=REPEATS, random_state=0).split(X, y))

    def repeats(make: object) -> np.ndarray:
        p = np.zeros((REPEATS, len(y)))
        for turn, (train, test) in enumerate(folds):
            p[turn // 5, test] = make().fit(X.iloc[train], y[train]).predict_proba(X.iloc[test])[:, 1]
        return p

    rows = []
    for name, make in models.items():
        p, seconds = measured(lambda make=make: repeats(make))
        top = [y[np.argsort(-one, kind="stable")[: len(y) // 5]].sum() for one in p]
        mean = pd.DataFrame([figures(y, one) for one in p]).mean().to_dict()
        rows.append({"model": name, **mean, "buyers_in_top_fifth": np.mean(top), "CPU_s": seconds})
    show(f"Caravan, stratified 5-fold, {REPEATS} times", rows)


def permuted() -> None:
    """Shuffle the outcomes: there must be no signal."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(2_000, 8))).add_prefix("x").assign(kind=rng.choice(list("abcd"), 2_000))
    p = 1 / (1 + np.exp(1.5 - X["x0"] - (X["kind"] == "a")))
    y = (rng.random(2_000) < p).astype(int).to_numpy()
    groups, times = rng.integers(500, size=2_000), np.repeat(pd.date_range("2025", periods=4, freq="90D"), 500)
    rows = []
    for algorithm in ("logistic", "auto"):
        fitted = [
            PropensityModel(algorithm).fit(X, rng.permutation(y), groups=groups, times=times) for _ in range(PERMUTED)
        ]
        planted = PropensityModel(algorithm).fit(X, y, groups=groups, times=times)
        none = sum(model.verdict == "no signal" for model in fitted)
        rows.append({"algorithm": algorithm, "no_signal": none, "of": PERMUTED, "planted": repr(planted.verdict)})
    show("Permuted target", rows)


def million() -> None:
    """Learn from 1,000,000 rows of 30 columns, compare, write the card; score 10,000,000 in chunks."""
    rng = np.random.default_rng(0)

    def drawn(size: int) -> pd.DataFrame:
        X = pd.DataFrame(rng.normal(size=(size, 26)).astype("float32")).add_prefix("x")
        kinds = [pd.Categorical.from_codes(rng.integers(4, size=size), list("abcd")) for _ in range(4)]
        return X.assign(**{f"kind{i}": kind for i, kind in enumerate(kinds)})

    X = drawn(1_000_000)
    log_odds = -2 + X["x0"] + 0.5 * X["x1"] * (X["x2"] > 0) + 0.5 * (X["kind0"] == "a")
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-log_odds))).astype(int)
    times = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(len(X)) // 100_000, unit="W")
    model, seconds = measured(lambda: PropensityModel().fit(X, y, times=times))
    chunk, count = drawn(250_000), 40
    _, scored = measured(lambda: [model.predict_proba(chunk) for _ in range(count)])
    row = {"learnt_CPU_s": seconds, "algorithm": model.algorithm_, "verdict": repr(model.verdict)}
    show("A million rows", [row | {"scored_10M_CPU_s": scored, "peak_MB": peak_mb()}])


warnings.simplefilter("ignore", UserWarning)
