"""The two learners: logistic regression first, boosted trees where they prove themselves."""

from typing import Any, Protocol, Self

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler

from territory_lab.propensity.metrics import Floats

_PENALTIES = (0.003, 0.03, 0.3)
_RECENT_SHARE = 0.2
_PATIENCE = 25
_BINS = 128


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
    Logistic regression on scaled columns, the penalty chosen on the latest rows.

    Heavy tails are tamed by the inverse hyperbolic sine: linear near the median, logarithmic far from it.
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
            Rows from the earliest to the latest.

        Returns
        -------
        Logistic
            Itself.
        """
        self.pipeline = make_pipeline(
            SimpleImputer(add_indicator=True, keep_empty_features=True), RobustScaler(), FunctionTransformer(np.arcsinh)
        )
        ready = self.pipeline.fit_transform(X)
        early, late = _cut(y, order)
        losses = [
            _loss(y[late], _weights(penalty).fit(ready[early], y[early]).predict_proba(ready[late])[:, 1])
            for penalty in (_PENALTIES if len(late) else ())
        ]
        best = _PENALTIES[int(np.argmin(losses))] if losses else _PENALTIES[1]
        self.pipeline.steps.append(("logistic", _weights(best).fit(ready, y)))
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
    Boosted trees (xgboost), the number of rounds chosen on the latest rows.

    Parameters
    ----------
    seed : int
        For rows and columns sampled per tree.
    monotone : tuple of {-1, 0, 1}
        Direction each encoded column must act in; empty: none.
    """

    booster: xgb.Booster

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
        rounds = 60
        if len(late):
            seen = _matrix(X[early], y[early])
            unseen = _matrix(X[late], y[late], seen)
            tried = xgb.train(
                self._settings(),
                seen,
                400,
                evals=[(unseen, "late")],
                early_stopping_rounds=_PATIENCE,
                verbose_eval=False,
            )
            rounds = tried.best_iteration + 1
        self.booster = xgb.train(self._settings(), _matrix(X, y), rounds)
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
        return np.asarray(self.booster.inplace_predict(X), dtype=float)

    def _settings(self) -> dict[str, Any]:
        """Keep trees small and slow: tables of a few thousand rows, with noise."""
        settings: dict[str, Any] = {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            "max_depth": 4,
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


def _cut(y: Floats, order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Set the latest rows apart for choosing settings; none where either side would miss a class."""
    late = order[int(np.ceil(len(order) * (1 - _RECENT_SHARE))) :]
    early = order[: len(order) - len(late)]
    both = all(0 < y[rows].sum() < len(rows) for rows in (early, late))
    return (early, late) if both else (order, order[:0])


def _matrix(X: Floats, y: Floats, like: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
    """Bin columns for boosting, in the bins of an earlier table where given."""
    return xgb.QuantileDMatrix(X, y, ref=like, max_bin=_BINS, nthread=1)


def _weights(penalty: float) -> LogisticRegression:
    """Set up the regression; no class weights, which would spoil the probabilities."""
    return LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=200)


def _loss(y: Floats, p: Floats) -> float:
    """Measure the log loss."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log1p(-p)))


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
