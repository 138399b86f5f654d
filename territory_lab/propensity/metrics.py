"""How good probabilities are: ranking, calibration and gains, with intervals that keep groups together."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from territory_lab.timeline import group_codes

Floats = NDArray[np.float64]
Metric = Callable[[Floats, Floats, Floats], float]
_DRAWS, _LEAST_DRAWS, _MANY_ROWS = 200, 60, 100_000


class Interval(NamedTuple):
    """
    A figure with its interval.

    Parameters
    ----------
    value : float
        The estimate.
    low, high : float
        Ends of the interval.
    """

    value: float
    low: float
    high: float


def auc(y: Floats, p: Floats, weight: Floats) -> float:
    """
    Measure the chance that a buyer is ranked above a non-buyer (Mann-Whitney, ties count half).

    Parameters
    ----------
    y, p, weight : array of shape (n,)
        Outcome 0 or 1, score, and weight of each row.

    Returns
    -------
    float
        Between 0 and 1; NaN where one class is missing.
    """
    bought, passed = _by_score(y, p, weight)
    pairs = bought.sum() * passed.sum()
    below = passed.sum() - passed.cumsum()
    return float(bought @ (below + passed / 2) / pairs) if pairs > 0 else np.nan


def average_precision(y: Floats, p: Floats, weight: Floats) -> float:
    """
    Average the precision over the recall gained (area under the step curve).

    Parameters
    ----------
    y, p, weight : array of shape (n,)
        Outcome 0 or 1, score, and weight of each row.

    Returns
    -------
    float
        Between 0 and 1; NaN where nobody bought.
    """
    bought, passed = _by_score(y, p, weight)
    seen = (bought + passed).cumsum()
    precision = np.divide(bought.cumsum(), seen, out=np.zeros_like(seen), where=seen > 0)
    return float(bought @ precision / bought.sum()) if bought.sum() > 0 else np.nan


def brier(y: Floats, p: Floats, weight: Floats) -> float:
    """
    Measure the mean squared error of the probabilities (Brier 1950).

    Parameters
    ----------
    y, p, weight : array of shape (n,)
        Outcome 0 or 1, probability, and weight of each row.

    Returns
    -------
    float
        Between 0 and 1, lower is better.
    """
    return float(np.average((p - y) ** 2, weights=weight))


def ece(y: Floats, p: Floats, weight: Floats, bins: int = 10) -> float:
    """
    Measure the expected calibration error over bins of equal size.

    Parameters
    ----------
    y, p, weight : array of shape (n,)
        Outcome 0 or 1, probability, and weight of each row.
    bins : int
        Number of bins.

    Returns
    -------
    float
        Mean over rows of |mean probability - share that bought| in the row's bin.
    """
    code = _bins(p, bins)
    return float(np.abs(np.bincount(code, weight * (p - y))).sum() / weight.sum())


def volume(y: Floats, p: Floats, weight: Floats) -> float:
    """
    Compare the buyers expected with the buyers seen.

    Parameters
    ----------
    y, p, weight : array of shape (n,)
        Outcome 0 or 1, probability, and weight of each row.

    Returns
    -------
    float
        Sum of probabilities / number of buyers; 1 is right.
    """
    seen = weight @ y
    return float(weight @ p / seen) if seen > 0 else np.nan


METRICS: dict[str, Metric] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "ece": ece,
    "volume": volume,
}


def evaluate(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    seed: int = 0,
    level: float = 0.95,
    draws: int | None = None,
) -> pd.DataFrame:
    """
    Measure probabilities against outcomes, with intervals from resampling whole groups.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p : array-like of shape (n,)
        Probabilities.
    groups : array-like or None
        Rows that stand or fall together (the same parent account).
    seed : int
        For resampling.
    level : float
        Share of the interval.
    draws : int or None
        Resamples; None: 200, fewer on more than 100,000 rows, where intervals are narrow.

    Returns
    -------
    DataFrame
        Indexed by metric (`METRICS`): value, low, high.
    """
    found = {
        name: interval(y, p, groups, metric=metric, seed=seed, level=level, draws=draws)
        for name, metric in METRICS.items()
    }
    return pd.DataFrame(found, index=Interval._fields).T.rename_axis("metric")


def interval(
    y: ArrayLike,
    p: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    metric: Metric = auc,
    seed: int = 0,
    level: float = 0.95,
    draws: int | None = None,
) -> Interval:
    """
    Measure one figure with its interval.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p : array-like of shape (n,)
        Probabilities.
    groups : array-like or None
        Rows that stand or fall together.
    metric : callable
        (y, p, weight) -> float.
    seed : int
        For resampling.
    level : float
        Share of the interval.
    draws : int or None
        Resamples; None: 200, fewer on more than 100,000 rows, where intervals are narrow.

    Returns
    -------
    Interval
        The figure and its ends.
    """
    return difference(y, p, None, groups, metric=metric, seed=seed, level=level, draws=draws)


def difference(
    y: ArrayLike,
    p: ArrayLike,
    other: ArrayLike | None,
    groups: ArrayLike | None = None,
    *,
    metric: Metric = auc,
    seed: int = 0,
    level: float = 0.95,
    draws: int | None = None,
) -> Interval:
    """
    Compare two sets of probabilities on the same rows, resampled together.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p, other : array-like of shape (n,)
        Probabilities to compare; None stands for a metric of zero.
    groups : array-like or None
        Rows that stand or fall together.
    metric : callable
        (y, p, weight) -> float.
    seed : int
        For resampling.
    level : float
        Share of the interval.
    draws : int or None
        Resamples; None: 200, fewer on more than 100,000 rows, where intervals are narrow.

    Returns
    -------
    Interval
        Metric of ``p`` less metric of ``other``.
    """
    outcome = _floats(y)
    sides = [(sign, *_ranked(outcome, _floats(score))) for sign, score in ((1, p), (-1, other)) if score is not None]

    def measure(weight: Floats) -> float:
        return sum(sign * metric(outcome[order], score, weight[order]) for sign, order, score in sides)

    drawn = [measure(weight) for weight in resampled(len(outcome), groups, seed=seed, draws=draws)]
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(measure(np.ones(len(outcome))), float(low), float(high))


def calibration_table(y: ArrayLike, p: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """
    Hold probabilities against what happened, in bins of equal size.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p : array-like of shape (n,)
        Probabilities.
    bins : int
        Number of bins; fewer where probabilities are tied.

    Returns
    -------
    DataFrame
        bin (1 is the lowest), predicted (mean), observed (share that bought), low and high (Wilson 95 %), n.
    """
    outcome, score = _floats(y), _floats(p)
    rows = pd.DataFrame({"bin": _bins(score, bins) + 1, "predicted": score, "observed": outcome})
    table = rows.groupby("bin").mean()
    table["n"] = rows.groupby("bin").size()
    z = 1.959964
    middle = (table["observed"] + z**2 / (2 * table["n"])) / (1 + z**2 / table["n"])
    spread = table["observed"] * (1 - table["observed"]) / table["n"] + z**2 / (4 * table["n"] ** 2)
    reach = z * np.sqrt(spread) / (1 + z**2 / table["n"])
    table = table.assign(low=(middle - reach).clip(lower=0), high=(middle + reach).clip(upper=1)).reset_index()
    return table[["bin", "predicted", "observed", "low", "high", "n"]]


def gains_table(y: ArrayLike, p: ArrayLike, *, steps: int = 20) -> pd.DataFrame:
    """
    Say how many buyers are reached when the best accounts are worked first.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p : array-like of shape (n,)
        Probabilities; ties are reached in their average order.
    steps : int
        Rows of the table.

    Returns
    -------
    DataFrame
        share_worked, share_reached (of all buyers), lift (buyers per account worked against average), n worked.
    """
    outcome, score = _floats(y), _floats(p)
    bought, passed = _by_score(outcome, score, np.ones(len(outcome)))
    worked = np.concatenate([[0.0], (bought + passed).cumsum()])
    reached = np.concatenate([[0.0], bought.cumsum()]) / max(bought.sum(), 1.0)
    share = np.arange(1, steps + 1) / steps
    found = np.interp(share * len(outcome), worked, reached)
    counts = np.round(share * len(outcome)).astype(int)
    return pd.DataFrame({"share_worked": share, "share_reached": found, "lift": found / share, "n": counts})


def resampled(size: int, groups: ArrayLike | None, *, seed: int, draws: int | None) -> Iterator[Floats]:
    """
    Draw groups with replacement, as weights of the rows.

    Parameters
    ----------
    size : int
        Number of rows.
    groups : array-like or None
        Rows that are drawn together; None: each by itself.
    seed : int
        For drawing.
    draws : int or None
        How often; None: 200, fewer on more than 100,000 rows.

    Yields
    ------
    array of shape (n,)
        How often each row was drawn.
    """
    rng = np.random.default_rng(seed)
    code = group_codes(groups, size)
    kinds = int(code.max()) + 1
    for _ in range(draws or max(_LEAST_DRAWS, min(_DRAWS, _DRAWS * _MANY_ROWS // size))):
        yield np.bincount(rng.integers(kinds, size=kinds), minlength=kinds)[code].astype(float)


def _ranked(y: Floats, p: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Sort once, highest first: sorting again what is sorted costs little."""
    order = np.lexsort((-y, -p))
    return order, p[order]


def _by_score(y: Floats, p: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weigh buyers and the others at each distinct score, highest first."""
    order = np.argsort(-p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=np.inf))
    all_, bought = weight[order], (weight * y)[order]
    bought = np.add.reduceat(bought, starts)
    return bought, np.add.reduceat(all_, starts) - bought


def _bins(p: Floats, bins: int) -> NDArray[np.intp]:
    """Cut scores into bins of equal size, tied scores in one bin."""
    edges = np.unique(np.quantile(p, np.arange(1, bins) / bins))
    return np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)[1]


def _floats(values: ArrayLike) -> Floats:
    """Take any column as plain floats."""
    return np.asarray(values, dtype=float)
