"""What a model saw in training, kept as a profile, and how far later data have drifted from it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, gamma

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.encode import Kind, _kind
from territory_lab.propensity.metrics import Floats, ece, volume

_QUANTILES = np.linspace(0, 1, 11)
_MOST_LEVELS = 50
_MOST_PERIODS, _QUARTERS = 8, 4
_TIED = 5  # quantiles of eleven that are one value: it has a bin of its own
_LEAST_SHARE = 1e-4  # an empty bin counts as one row in ten thousand, so that the logarithm is finite
MOVED, SHIFTED = 0.1, 0.25  # Siddiqi (2006)
OFF_VOLUME, OFF_ECE = 0.1, 0.05


class ColumnProfile(NamedTuple):
    """
    How one column looked.

    Parameters
    ----------
    dtype : str
        Its pandas type.
    kind : {"number", "category", "date", "empty"}
        How it is read.
    missing_share : float
        Share of rows without a value.
    quantiles : list of float
        Minimum, deciles, maximum; of dates in days since 1970. Empty for categories.
    edges : list of float
        Upper ends of the bins but the last; a value of two fifths of the rows has its own bin.
    levels : dict of str to float
        Share of rows of the most frequent levels; empty for numbers and dates.
    shares : list of float
        Share of rows in each bin, or in each level and in all others together; last, without a value.
    usual : float
        How far it moved within the training data anyway: the largest `psi` of one of its periods against the others;
        where there are more than eight, of a quarter of the rows against the other three.
    """

    dtype: str
    kind: Kind
    missing_share: float
    quantiles: list[float]
    edges: list[float]
    levels: dict[str, float]
    shares: list[float]
    usual: float


class Profile(NamedTuple):
    """
    How a table looked.

    Parameters
    ----------
    rows : int
        Number of rows.
    columns : dict of str to ColumnProfile
        By name.
    """

    rows: int
    columns: dict[str, ColumnProfile]


def profiled(X: pd.DataFrame, times: ArrayLike | None = None) -> Profile:
    """
    Describe a table by counts and shares only; no row can be read back.

    Parameters
    ----------
    X : DataFrame
        Columns as they come.
    times : array-like or None
        Time of each row; None: rows are in time order.

    Returns
    -------
    Profile
        Type, quantiles, missing share and level frequencies of each column.
    """
    periods = _periods(np.arange(len(X)) if times is None else np.asarray(times))
    return Profile(len(X), {str(name): _column(values, periods) for name, values in X.items()})


def psi(expected: ArrayLike, found: ArrayLike) -> float:
    """
    Measure how far one distribution lies from another: the population stability index.

    Sum over bins of (q - p) ln(q / p), the symmetric divergence of Jeffreys (1946); read as steady below 0.1 and
    shifted from 0.25 on (Siddiqi 2006, Credit Risk Scorecards).

    Parameters
    ----------
    expected, found : array-like of shape (bins,)
        Share p of each bin then, and q now, or counts; a share below 0.0001 counts as that.

    Returns
    -------
    float
        0 where they are the same.
    """
    counts = (np.asarray(part, dtype=float) for part in (expected, found))
    p, q = (np.maximum(part / part.sum(), _LEAST_SHARE) for part in counts)
    return float(((q - p) * np.log(q / p)).sum())


def drift(
    reference: Any,  # noqa: ANN401 - a PropensityModel, which imports this module
    X: pd.DataFrame,
    *,
    y: ArrayLike | None = None,
    times: ArrayLike | None = None,
) -> pd.DataFrame:
    """
    Say how far data and probabilities have moved from those the model was learnt on.

    Parameters
    ----------
    reference : PropensityModel or Profile
        What was known; probabilities are watched where it is a model and ``y`` is given.
    X : DataFrame
        Later rows, columns as they come.
    y : array-like or None
        Outcomes 0 or 1, NaN where they are not ripe.
    times : array-like or None
        Period of each row; None: one period.

    Returns
    -------
    DataFrame
        One row per period and figure: period, measure (psi | volume | ece), column (for psi), value, chance (95 % of
        samples lie below without any drift; for psi by the chi-squared law of Yurdakul 2018, for ece as ten folded
        normals by a gamma law of their mean and variance, for volume as the distance from 1), finding (steady | moved
        | shifted | off | absent). Steady is also what moved no more than it did within the training data.

    Raises
    ------
    BadInput
        Where lengths differ.
    """
    profile: Profile = reference if isinstance(reference, Profile) else reference.profile_
    long = {name: len(pd.Series(part)) for name, part in (("y", y), ("times", times)) if part is not None}
    faults = [
        Fault(name, "", "", f"{size} rows, X has {len(X)}", "give one per row")
        for name, size in long.items()
        if size != len(X)
    ]
    if faults:
        raise BadInput(faults)
    period = pd.Series("all", X.index) if times is None else pd.Series(np.asarray(times), X.index)
    watched = y is not None and not isinstance(reference, Profile)
    outcome = np.asarray(pd.to_numeric(pd.Series(y)), dtype=float) if watched else np.full(len(X), np.nan)
    p = reference.predict_proba(X)[:, 1] if watched else outcome
    parts: list[tuple[Any, ...]] = []
    for now, rows in period.reset_index(drop=True).groupby(period.to_numpy()).indices.items():
        parts += [(now, *row) for row in _moved(profile, X.iloc[rows])]
        ripe = rows[~np.isnan(outcome[rows])]
        if len(ripe):
            parts += [(now, *row) for row in _judged(outcome[ripe], p[ripe])]
    return pd.DataFrame(parts, columns=["period", "measure", "column", "value", "chance", "finding"])


def _periods(when: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Cut rows into their periods, or into quarters in the order of time where those are many."""
    distinct, code = np.unique(when, return_inverse=True)
    if len(distinct) > _MOST_PERIODS:
        return np.array_split(np.argsort(when, kind="stable"), _QUARTERS)
    return [np.flatnonzero(code == period) for period in range(len(distinct))]


def _column(values: pd.Series, periods: list[NDArray[np.intp]]) -> ColumnProfile:
    """Describe one column."""
    kind = _kind(values)
    profile = ColumnProfile(str(values.dtype), kind, float(values.isna().mean()), [], [], {}, [], 0.0)
    if kind == "category":
        levels = _texts(values).value_counts().sort_index().sort_values(ascending=False, kind="stable")
        shares = levels.head(_MOST_LEVELS) / len(values)
        profile = profile._replace(levels={str(level): float(share) for level, share in shares.items()})
    elif kind != "empty":
        numbers = _numbers(values, kind)
        quantiles = np.quantile(numbers[~np.isnan(numbers)], _QUANTILES)
        value, times = np.unique(quantiles, return_counts=True)
        edges = np.unique(np.concatenate([quantiles[1:-1], np.nextafter(value[times >= _TIED], -np.inf)]))
        profile = profile._replace(quantiles=quantiles.tolist(), edges=edges.tolist())
    parts = [(len(rows), _shares(profile, values.iloc[rows])) for rows in periods if len(rows)]
    counts = np.array([size * share for size, share in parts])
    whole = counts.sum(axis=0)
    usual = max((psi(whole - own, own) for own in counts), default=0.0) if len(counts) > 1 else 0.0
    return profile._replace(shares=(whole / len(values)).tolist(), usual=usual)


def _numbers(values: pd.Series, kind: Kind) -> Floats:
    """Read numbers, or dates as days; what cannot be read counts as missing."""
    if kind == "date":
        dates = pd.to_datetime(values, utc=True, errors="coerce").dt.tz_localize(None)
        return np.asarray((dates - pd.Timestamp(0)) / pd.Timedelta(days=1), dtype=float)
    return np.asarray(pd.to_numeric(values.astype(object).where(values.notna(), np.nan), errors="coerce"), dtype=float)


def _texts(values: pd.Series) -> pd.Series:
    """Write levels as text: 3 and 3.0 are the same level."""
    code, distinct = pd.factorize(values)
    texts = [f"{level:g}" if isinstance(level, float) else str(level) for level in distinct]
    return pd.Series(np.array([*texts, None], dtype=object)[code])


def _shares(profile: ColumnProfile, values: pd.Series) -> Floats:
    """Share of rows in each bin or level, then in no known level (categories), then without a value."""
    if profile.kind in {"category", "empty"}:
        levels = _texts(values)
        counts = levels.value_counts().reindex(list(profile.levels), fill_value=0).to_numpy(float)
        counts = np.append(counts, levels.notna().sum() - counts.sum())
    else:
        numbers = _numbers(values, profile.kind)
        code = np.searchsorted(profile.edges, numbers[~np.isnan(numbers)], side="left")
        counts = np.bincount(code, minlength=len(profile.edges) + 1).astype(float)
    return np.asarray(np.append(counts, len(values) - counts.sum()) / max(len(values), 1))


def _moved(profile: Profile, X: pd.DataFrame) -> Iterator[tuple[str, str, float, float, str]]:
    """Hold every column against its profile."""
    names = {str(name): name for name in X.columns}
    for name, before in profile.columns.items():
        if name not in names:
            yield "psi", name, np.nan, np.nan, "absent"
            continue
        expected, found = np.asarray(before.shares), _shares(before, X[names[name]])
        value = psi(expected, found)
        bins = int(((expected > 0) | (found > 0)).sum())
        chance = float(chi2.ppf(0.95, max(bins - 1, 1)) * (1 / profile.rows + 1 / len(X)))
        finding = "steady" if value < max(MOVED, chance, before.usual) else "moved" if value < SHIFTED else "shifted"
        yield "psi", name, value, chance, finding


def _judged(y: Floats, p: Floats) -> Iterator[tuple[str, str, float, float, str]]:
    """Hold probabilities against what happened."""
    ones = np.ones(len(y))
    ratio, error = volume(y, p, ones), ece(y, p, ones)
    chance = float(1.96 * np.sqrt((p * (1 - p)).sum()) / max(y.sum(), 1.0))
    yield "volume", "", ratio, chance, "steady" if abs(ratio - 1) <= max(OFF_VOLUME, chance) else "off"
    spread = np.array([np.sqrt(part.sum()) for part in np.array_split((p * (1 - p))[np.argsort(p)], 10)]) / len(y)
    mean, variance = np.sqrt(2 / np.pi) * spread.sum(), (1 - 2 / np.pi) * (spread**2).sum()
    luck = float(gamma.ppf(0.95, mean**2 / variance, scale=variance / mean)) if mean > 0 else 0.0
    yield "ece", "", error, luck, "steady" if error <= max(OFF_ECE, luck) else "off"
