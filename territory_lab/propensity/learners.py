"""The learners: logistic regression first, boosted trees upon it where they prove themselves."""

from copy import copy
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
_MANY_ROWS = 200_000  # from here on trees are grown on two threads


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
        self.pipeline = filled(FunctionTransformer(np.arcsinh), StandardScaler(), FunctionTransformer(np.arcsinh))
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
    share : float
        How much the trees count: 1 in full; 0.5 for the mean of the log-odds of the regression and of the whole.
    """

    booster: xgb.Booster
    start: Logistic | Constant

    def __init__(self, seed: int = 0, monotone: tuple[int, ...] = (), share: float = 1.0) -> None:
        self.seed = seed
        self.monotone = monotone
        self.share = share

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
                self._settings(len(X)),
                seen,
                _ROUNDS,
                evals=[(unseen, "late")],
                early_stopping_rounds=_PATIENCE,
                verbose_eval=False,
            )
            rounds = max(rounds, tried.best_iteration + 1)
        self.start = self._begin().fit(X, y, order)
        self.booster = xgb.train(self._settings(len(X)), _matrix(X, y, self.start), rounds)
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
        begun = logit(self.start.predict(X))
        grown = self.booster.inplace_predict(X, predict_type="margin", base_margin=begun)
        return np.asarray(expit(begun + self.share * (grown - begun)), dtype=float)

    def shared(self, share: float) -> "Boosted":
        """
        Let the same trees count less.

        Parameters
        ----------
        share : float
            As in the constructor.

        Returns
        -------
        Boosted
            Fitted; the trees are not grown again.
        """
        found = copy(self)
        found.share = share
        return found

    def _begin(self) -> Logistic | Constant:
        """Set up what the trees start from."""
        return Constant() if any(self.monotone) else Logistic()

    def _settings(self, rows: int) -> dict[str, Any]:
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
            "nthread": _threads(rows),
            "seed": self.seed,
        }
        return settings | ({"monotone_constraints": self.monotone} if any(self.monotone) else {})


def _cut(y: Floats, order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set the latest rows apart for choosing settings; none where either side would miss a class."""
    late = order[int(np.ceil(len(order) * (1 - _RECENT_SHARE))) :]
    early = order[: len(order) - len(late)]
    both = all(0 < y[rows].sum() < len(rows) for rows in (early, late))
    return (early, late) if both else (order, order[:0])


def _matrix(X: Floats, y: Floats, start: Learner, like: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
    """Bin columns for boosting, in the bins of an earlier table where given."""
    return xgb.QuantileDMatrix(
        X, y, base_margin=logit(start.predict(X)), ref=like, max_bin=_BINS, nthread=_threads(len(X))
    )


def _threads(rows: int) -> int:
    """Say on how many threads trees are grown: a fixed number, since sums differ in their last bits with it."""
    return 2 if rows >= _MANY_ROWS else 1


def filled(*steps: TransformerMixin) -> Pipeline:
    """
    Fill gaps, tell where they were, and centre columns on their median, before further steps.

    Parameters
    ----------
    *steps : transformer
        What follows.

    Returns
    -------
    Pipeline
        Not fitted.
    """
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
