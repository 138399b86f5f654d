"""Propensity on real data and at size: rolling retraining, Caravan, permuted targets, a million rows."""

import importlib.util
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from territory_lab.errors import BadInput
from territory_lab.propensity import LOOKBACK, Comparison, PropensityModel, metrics
from territory_lab.propensity.contest import judge
from territory_lab.propensity.learning import builders, parents
from territory_lab.sample import company
from territory_lab.timeline import data_end, rolling
from tests.benchmarks.common import measured, peak_mb, show

CASES = Path(__file__).parents[3] / "shared" / "cases" / "propensity"
STEP, FIRST, REPEATS, PERMUTED, CHUNK = 1_000, 6_000, 10, 100, 100_000
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
            model = PropensityModel(refresh=STEP, **options).fit(X[:now], y[:now])
            parts.append(model.predict_proba(X[now : now + STEP])[:, 1])
        return np.concatenate(parts)

    rows = []
    for options in ({}, {"algorithm": "logistic"}, {"algorithm": "logistic", "memory": None}):
        p, seconds = measured(lambda options=options: rolling(**options))
        rows.append({"algorithm": "auto", "memory": "auto", **options, **figures(y[FIRST:], p), "CPU_s": seconds})
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
    """Shuffle who bought more in a sample company of 2,500 accounts: there must be no signal."""
    tables, _ = company(2_500, seed=0)
    horizon, today = pd.Timedelta(days=90), data_end(tables)
    past = rolling(tables, [today - turn * horizon for turn in range(1, 5)], LOOKBACK, horizon)
    rows = past.frame(builders()["upsell"].labelled)
    X, y = rows.drop(columns=["account_id", "bought", "extra", "as_of"]), rows["bought"].to_numpy()
    known = {"groups": parents(tables, rows["account_id"]), "times": rows["as_of"]}
    rng = np.random.default_rng(0)

    def verdicts() -> list[str]:
        models = (PropensityModel(embargo=horizon).fit(X, rng.permutation(y), **known) for _ in range(PERMUTED))
        return [model.verdict for model in models]

    found, seconds = measured(verdicts)
    truth = PropensityModel(embargo=horizon).fit(X, y, **known).verdict
    row = {"rows": len(y), "no_signal": found.count("no signal"), "of": PERMUTED, "as_it_is": repr(truth)}
    show("Permuted target, sample company, upsell", [row | {"CPU_s": seconds}])


def million() -> None:
    """Learn from 1,000,000 rows, then score 10,000,000, each in a process of its own."""
    with TemporaryDirectory() as home:
        alone = ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1)
        row = alone.submit(learnt, home).result()
        show("A million rows", [row | alone.submit(scored, home).result()])
        alone.shutdown()


def learnt(home: str) -> dict[str, object]:
    """Learn from 1,000,000 rows of 30 columns to the card; hold trees against the regression as its challenger."""
    X = drawn(1_000_000)
    log_odds = -2 + X["x0"] + 0.5 * X["x1"] * (X["x2"] > 0) + 0.5 * (X["kind0"] == "a")
    y = (np.random.default_rng(1).random(len(X)) < 1 / (1 + np.exp(-log_odds))).astype(int)
    times = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(len(X)) // 100_000, unit="W")

    def work() -> tuple[PropensityModel, Comparison]:
        model = PropensityModel().fit(X, y, times=times)
        later = model.evidence_
        return model, judge(later.by["logistic"], later.by[model.algorithm_], later.y, times=later.block)

    wall = time.perf_counter()
    (model, contest), seconds = measured(work)
    wall = time.perf_counter() - wall
    model.save(Path(home) / "model")
    row = {"learnt_s": wall, "CPU_s": seconds, "algorithm": model.algorithm_, "verdict": repr(model.verdict)}
    return row | {"contest": contest.why, "peak_MB": peak_mb()}


def scored(home: str) -> dict[str, float]:
    """Score 10,000,000 rows in chunks."""
    model, chunk = PropensityModel.load(Path(home) / "model"), drawn(CHUNK)
    _, seconds = measured(lambda: [model.predict_proba(chunk) for _ in range(10_000_000 // CHUNK)])
    return {"scored_10M_CPU_s": seconds, "scoring_peak_MB": peak_mb()}


def drawn(size: int) -> pd.DataFrame:
    """Draw 26 columns of numbers and 4 of levels."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(size, 26)).astype("float32")).add_prefix("x")
    kinds = [pd.Categorical.from_codes(rng.integers(4, size=size), list("abcd")) for _ in range(4)]
    return X.assign(**{f"kind{i}": kind for i, kind in enumerate(kinds)})


warnings.simplefilter("ignore", UserWarning)
