"""Penalised logistic regression with intervals, and how well a score separates two groups."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]

_STEPS = 100
_CLOSE = 1e-9  # log-odds
_HALF_95 = float(norm.ppf(0.975))  # standard errors


class Fitted(NamedTuple):
    """Coefficients and how well they are known."""

    coef: Floats  # log-odds; the intercept stands first
    cov: Floats  # their covariance (Laplace: the inverse of the penalised information)


def fit_logit(columns: Floats, won: Floats, spread: float) -> Fitted:
    """
    Fit a logistic regression by Newton's method, coefficients held by a normal prior.

    The prior keeps a level that nobody or everybody won at a finite weight with a wide interval (Gelman et al. 2008,
    "A weakly informative default prior distribution for logistic and other regression models").

    Parameters
    ----------
    columns : array of float64, shape (n, p)
        Centred columns without the intercept.
    won : array of float64, shape (n,)
        1 where won, else 0; both must occur.
    spread : float
        Standard deviation of the prior of each coefficient, in log-odds; the intercept has none.

    Returns
    -------
    Fitted
        Intercept first, then one coefficient for each column.
    """
    X = np.column_stack([np.ones(len(won)), columns])
    precision = np.r_[0.0, np.full(columns.shape[1], spread**-2)]
    coef = np.r_[logit(won.mean()), np.zeros(columns.shape[1])]
    value = _penalised(X, won, coef, precision)
    for _ in range(_STEPS):
        p = expit(X @ coef)
        information = _information(X, p, precision)
        step = np.linalg.solve(information, X.T @ (won - p) - precision * coef)
        while (ahead := _penalised(X, won, coef + step, precision)) < value and np.abs(step).max() > _CLOSE:
            step /= 2
        coef, value = coef + step, ahead
        if np.abs(step).max() <= _CLOSE:
            break
    return Fitted(coef, np.asarray(np.linalg.inv(_information(X, expit(X @ coef), precision)), np.float64))


def _information(X: Floats, p: Floats, precision: Floats) -> Floats:
    """Curvature of the penalised log-likelihood."""
    information: Floats = (X * (p * (1 - p))[:, None]).T @ X + np.diag(precision)
    return information


def _penalised(X: Floats, won: Floats, coef: Floats, precision: Floats) -> float:
    """Log-likelihood less the penalty."""
    eta = X @ coef
    return float(won @ eta - np.logaddexp(0, eta).sum() - (precision * coef**2).sum() / 2)


class Separation(NamedTuple):
    """Chance that a won account scores above one that was not (area under the ROC curve), with its interval."""

    auc: float
    low: float
    high: float


def separation(won: NDArray[np.bool_], score: Floats) -> Separation:
    """
    Measure how well a score, higher for the better account, tells won accounts from the others; ties count half.

    The interval is of 95 %, its error that of Hanley and McNeil (1982), "The meaning and use of the area under a ROC
    curve".
    """
    n_won, n_rest = int(won.sum()), int((~won).sum())
    auc = (rankdata(score)[won].sum() - n_won * (n_won + 1) / 2) / (n_won * n_rest)
    both_won, both_rest = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (n_won - 1) * (both_won - auc**2) + (n_rest - 1) * (both_rest - auc**2)
    error = np.sqrt((auc * (1 - auc) + spread) / (n_won * n_rest))
    reach = _HALF_95 * error
    return Separation(float(auc), float(max(0.0, auc - reach)), float(min(1.0, auc + reach)))
