"""The two learners: logistic regression first, boosted trees where they prove themselves."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler

from territory_lab.propensity.metrics import Floats

_PRIOR_SPREAD = 0.17  # standard deviation of a weight before any data, columns having unit spread
_RECENT_SHARE = 0.2
_PATIENCE = 25
_BINS = 128
_ROUNDS, _FEW_ROUNDS = 400, 60
_RIDGE = 10.0  # prior precision of a weight of the recent past: with columns within +-1, most stay within +-0.6
_FORGOTTEN = 10  # half-lives


class Learner(Protocol):
    """What the model asks of a learner."""

    def fit(self, X: Floats, y: Floats, order: NDArray[np.intp]) -> Self:
        """
        Learn from rows; settings are chosen on the latest of them.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns, NaN where missing.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        order : array of int
            Rows from the earliest to the latest.

        Returns
        -------
        Learner
            Itself.
        """
        ...

    def predict(self, X: Floats) -> Floats:
        """
        Give the probability of the outcome.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns.

        Returns
        -------
        array of shape (n,)
            Probabilities, not calibrated.
        """
        ...


class Constant:
    """The base rate for everybody: where there is nothing to learn from."""

    rate = 0.5

    def fit(self, X: Floats, y: Floats, order: NDArray[np.intp]) -> Self:
        """
        Learn the base rate.

        Parameters
        ----------
        X : array
            Not used.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        order : array of int
            Not used.

        Returns
        -------
        Constant
            Itself.
        """
        del X, order
        self.rate = float(np.mean(y))
        return self

    def predict(self, X: Floats) -> Floats:
        """
        Give the base rate.

        Parameters
        ----------
        X : array of shape (n, columns)
            Only its length is used.

        Returns
        -------
        array of shape (n,)
            The same probability in every row.
        """
        return np.full(len(X), self.rate)


class Logistic:
    """
    Logistic regression on scaled columns; no class weights, which would spoil the probabilities.

    Heavy tails are tamed by the inverse hyperbolic sine: linear near the median, logarithmic far from it. Then columns
    get unit spread, so that the penalty bears on all alike, and are tamed again: a rare level is far from the others.
    """

    pipeline: Pipeline

    def fit(self, X: Floats, y: Floats, order: NDArray[np.intp]) -> Self:
        """
        Learn weights.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns, NaN where missing.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        order : array of int
            Not used.

        Returns
        -------
        Logistic
            Itself.
        """
        del order
        self.pipeline = _filled(FunctionTransformer(np.arcsinh), StandardScaler(), FunctionTransformer(np.arcsinh))
        ready = self.pipeline.fit_transform(X)
        weights = LogisticRegression(C=_PRIOR_SPREAD**2, solver="newton-cholesky", max_iter=200)
        self.pipeline.steps.append(("logistic", weights.fit(ready, y)))
        return self

    def predict(self, X: Floats) -> Floats:
        """
        Give the probability of the outcome.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns.

        Returns
        -------
        array of shape (n,)
            Probabilities.
        """
        return np.asarray(self.pipeline.predict_proba(X)[:, 1], dtype=float)


class Boosted:
    """
    Boosted trees (xgboost) grown upon logistic regression, the number of rounds chosen on the latest rows.

    The trees start from the log-odds of the regression and learn what no line can follow. With monotone constraints
    they start from the base rate, since the regression may not keep the directions.

    Parameters
    ----------
    seed : int
        For rows and columns sampled per tree.
    monotone : tuple of {-1, 0, 1}
        Direction each encoded column must act in; empty: none.
    """

    booster: xgb.Booster
    start: Logistic | Constant

    def __init__(self, seed: int = 0, monotone: tuple[int, ...] = ()) -> None:
        self.seed = seed
        self.monotone = monotone

    def fit(self, X: Floats, y: Floats, order: NDArray[np.intp]) -> Self:
        """
        Grow trees.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns, NaN where missing.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        order : array of int
            Rows from the earliest to the latest.

        Returns
        -------
        Boosted
            Itself.
        """
        early, late = _cut(y, order)
        rounds = _FEW_ROUNDS  # trees this small hardly overfit; fewer would follow the noise of few late buyers
        if len(late):
            turn = np.argsort(np.argsort(early))
            begun = self._begin().fit(X[early], y[early], turn)
            seen = _matrix(X[early], y[early], begun)
            unseen = _matrix(X[late], y[late], begun, seen)
            tried = xgb.train(
                self._settings(),
                seen,
                _ROUNDS,
                evals=[(unseen, "late")],
                early_stopping_rounds=_PATIENCE,
                verbose_eval=False,
            )
            rounds = max(rounds, tried.best_iteration + 1)
        self.start = self._begin().fit(X, y, order)
        self.booster = xgb.train(self._settings(), _matrix(X, y, self.start), rounds)
        return self

    def predict(self, X: Floats) -> Floats:
        """
        Give the probability of the outcome.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns.

        Returns
        -------
        array of shape (n,)
            Probabilities.
        """
        return np.asarray(self.booster.inplace_predict(X, base_margin=logit(self.start.predict(X))), dtype=float)

    def _begin(self) -> Logistic | Constant:
        """Set up what the trees start from."""
        return Constant() if any(self.monotone) else Logistic()

    def _settings(self) -> dict[str, Any]:
        """Keep trees small and slow: tables of a few thousand rows, with noise."""
        settings: dict[str, Any] = {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "max_depth": 3,
            "eta": 0.06,
            "min_child_weight": 10,
            "subsample": 0.8,
            "colsample_bytree": 0.7,
            "lambda": 5.0,
            "max_bin": _BINS,
            "nthread": 1,
            "seed": self.seed,
        }
        return settings | ({"monotone_constraints": self.monotone} if any(self.monotone) else {})


@dataclass(frozen=True)
class Recent:
    """
    What the recent past says beyond a learner: base rates jump, and effects change.

    A ridge regression of the outcome on the columns, added to the learner's log-odds; a row's weight halves with
    every ``memory`` rows that came after it (exponential forgetting, as in dynamic logistic regression, McCormick et
    al. 2012).

    Parameters
    ----------
    memory : float
        Half-life, in rows.
    scaler : Pipeline
        Holds columns within -1 and 1.
    weights : array of shape (1 + columns,)
        Intercept first.
    """

    memory: float
    scaler: Pipeline
    weights: Floats

    @classmethod
    def fit(cls, X: Floats, y: Floats, p: Floats, age: Floats, memory: float) -> "Recent":
        """
        Learn from the latest rows.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        p : array of shape (n,)
            What the learner says of them.
        age : array of shape (n,)
            How many rows came later.
        memory : float
            Half-life, in rows.

        Returns
        -------
        Recent
            Ready for use.
        """
        kept = age <= _FORGOTTEN * memory
        scaler = _filled(FunctionTransformer(np.tanh)).fit(X[kept])
        columns = _with_ones(scaler.transform(X[kept]))
        precision = np.r_[1.0, np.full(columns.shape[1] - 1, _RIDGE)]
        weight = 0.5 ** (age[kept] / memory)
        return cls(memory, scaler, ridge(columns, y[kept], logit(p[kept]), weight, precision))

    def __call__(self, X: Floats, p: Floats) -> Floats:
        """Mend probabilities."""
        return np.asarray(expit(logit(p) + _with_ones(self.scaler.transform(X)) @ self.weights))


def ridge(columns: Floats, y: Floats, offset: Floats, weight: Floats, precision: Floats) -> Floats:
    """
    Add columns to given log-odds by penalised maximum likelihood (Newton's method, steps halved while they climb).

    Parameters
    ----------
    columns : array of shape (n, k)
        What to weigh.
    y, offset, weight : array of shape (n,)
        Outcomes, log-odds to start from, and how much each row counts.
    precision : array of shape (k,)
        Of the normal prior of each weight, with mean zero.

    Returns
    -------
    array of shape (k,)
        Weights of the columns.
    """

    def cost(weights: Floats) -> float:
        log_odds = offset + columns @ weights
        return float(weight @ (np.logaddexp(0, log_odds) - y * log_odds) + precision @ weights**2 / 2)

    found = np.zeros(columns.shape[1])
    lowest = cost(found)
    for _ in range(100):
        p = expit(offset + columns @ found)
        slope = columns.T @ (weight * (y - p)) - precision * found
        curve = (columns.T * (weight * p * (1 - p))) @ columns + np.diag(precision)
        step = np.linalg.solve(curve, slope)
        while (reached := cost(found + step)) > lowest and np.abs(step).max() > 1e-9:
            step /= 2
        found, lowest = found + step, min(lowest, reached)
        if np.abs(step).max() < 1e-8:
            break
    return found


def _with_ones(columns: Floats) -> Floats:
    """Put a column of ones in front."""
    return np.column_stack([np.ones(len(columns)), columns])


def _cut(y: Floats, order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set the latest rows apart for choosing settings; none where either side would miss a class."""
    late = order[int(np.ceil(len(order) * (1 - _RECENT_SHARE))) :]
    early = order[: len(order) - len(late)]
    both = all(0 < y[rows].sum() < len(rows) for rows in (early, late))
    return (early, late) if both else (order, order[:0])


def _matrix(X: Floats, y: Floats, start: Learner, like: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
    """Bin columns for boosting, in the bins of an earlier table where given."""
    return xgb.QuantileDMatrix(X, y, base_margin=logit(start.predict(X)), ref=like, max_bin=_BINS, nthread=1)


def _filled(*steps: TransformerMixin) -> Pipeline:
    """Fill gaps, tell where they were, and centre columns on their median, before further steps."""
    return make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), RobustScaler(), *steps)


def logit(p: Floats) -> Floats:
    """
    Turn probabilities into log-odds.

    Parameters
    ----------
    p : array
        Probabilities, held within 1e-6 of the ends.

    Returns
    -------
    array
        Natural logarithm of the odds.
    """
    held = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(held / (1 - held)))
