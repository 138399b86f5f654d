"""What the recent past says beyond a learner: base rates jump, and effects change."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from territory_lab.propensity.learners import Learner, filled, logit
from territory_lab.propensity.metrics import Floats

_RIDGE = 10.0  # prior precision of a weight of the recent past: with columns within +-1, most stay within +-0.6
_FORGOTTEN = 10  # half-lives
_MOST_ROWS = 10_000  # of many that count, every second, third, ... is enough


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
    def fit(cls, X: Floats, y: Floats, learner: Learner, age: Floats, memory: float) -> "Recent":
        """
        Learn from the latest rows.

        Parameters
        ----------
        X : array of shape (n, columns)
            Encoded columns.
        y : array of shape (n,)
            Outcomes, 0 or 1.
        learner : Learner
            Fitted.
        age : array of shape (n,)
            How many rows came later.
        memory : float
            Half-life, in rows; infinite: all rows count alike.

        Returns
        -------
        Recent
            Ready for use.
        """
        kept = np.flatnonzero(age <= _FORGOTTEN * memory)
        kept = kept[:: 1 + len(kept) // _MOST_ROWS]
        scaler = filled(FunctionTransformer(np.tanh)).fit(X[kept])
        columns = _with_ones(scaler.transform(X[kept]))
        precision = np.r_[1.0, np.full(columns.shape[1] - 1, _RIDGE)]
        weight = 0.5 ** (age[kept] / memory)
        return cls(memory, scaler, ridge(columns, y[kept], logit(learner.predict(X[kept])), weight, precision))

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
