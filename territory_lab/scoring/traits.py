"""From a column of the accounts table to what a regression can weigh, and back to a rule a person can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from territory_lab.scoring.logit import Fitted, fit_logit
from territory_lab.scoring.rules import Curve, Floats, Levels, Rule, as_levels

_TAIL = 0.005  # share of the market beyond each end of a curve; there the weight stays level
_SPREAD = 1.5  # prior standard deviation of a weight, log-odds: nine in ten odds ratios between 1/12 and 12
_BANDS = 5


@dataclass(frozen=True)
class Design:
    """
    One trait as centred columns: an average account, or one without a value, stands at zero.

    Parameters
    ----------
    trait : str
        Name of the column.
    parts : tuple of str
        What each reported weight belongs to: the levels, or ``per doubling`` (``per unit`` where values go below 0).
    columns : array of float64, shape (n, k)
        Columns for the regression.
    contrast : array of float64, shape (k, k)
        Turns the k coefficients into the reported weights.
    ends : tuple of float
        Least and greatest value of a number's curve; empty for levels.
    centre : float
        Mean of a number (of its logarithm); 0 for levels.
    """

    trait: str
    parts: tuple[str, ...]
    columns: Floats
    contrast: Floats
    ends: tuple[float, ...] = ()
    centre: float = 0.0

    def rule(self, coef: Floats) -> Rule:
        """
        Write fitted coefficients as a rule.

        Parameters
        ----------
        coef : array of float64, shape (k,)
            Of this trait's columns.

        Returns
        -------
        Levels or Curve
            The same weights for new accounts.
        """
        weights = self.contrast @ coef
        if not self.ends:
            return Levels(dict(zip(self.parts, weights.tolist(), strict=True)))
        log = self.parts == ("per doubling",)
        x = np.log2(self.ends) if log else np.asarray(self.ends)
        return Curve(self.ends, tuple((weights[0] * (x - self.centre)).tolist()), log)


def is_number(values: pd.Series) -> bool:
    """
    Tell a trait that is a number from one with levels.

    Parameters
    ----------
    values : Series
        The trait.

    Returns
    -------
    bool
        False for text, categories and truth values.
    """
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def design(values: pd.Series) -> Design:
    """
    Turn a trait into columns: one for each level, or the logarithm of a size.

    Parameters
    ----------
    values : Series
        One value per account, at least two different ones.

    Returns
    -------
    Design
        Columns centred on the accounts that have a value.
    """
    trait = str(values.name)
    if not is_number(values):
        codes, levels = pd.factorize(as_levels(values), sort=True)
        hot = np.zeros((len(codes), len(levels)))
        known = np.flatnonzero(codes >= 0)
        hot[known, codes[known]] = 1.0
        shares = hot[known].mean(axis=0)
        hot[known] -= shares
        return Design(trait, tuple(map(str, levels)), hot, np.eye(len(levels)) - shares)
    numbers = values.to_numpy("float64", na_value=np.nan)
    log = bool(np.nanmin(numbers) >= 0)
    inside = numbers[numbers > 0] if log else numbers
    low, high = (float(end) for end in np.nanquantile(inside, [_TAIL, 1 - _TAIL]))
    x = np.log2(numbers.clip(low, high)) if log else numbers.clip(low, high)
    centre, scale = float(np.nanmean(x)), float(np.nanstd(x)) or 1.0
    column = np.nan_to_num((x - centre) / scale)[:, None]
    ends = (low, high) if low < high else (low,)
    return Design(trait, ("per doubling" if log else "per unit",), column, np.array([[1 / scale]]), ends, centre)


class Learned(NamedTuple):
    """
    What a regression on all traits says, and the one on those that stood the test.

    Parameters
    ----------
    full : Fitted
        All traits.
    p_value : array of float64, shape (traits,)
        Chance of so strong a trait where its true weights are all zero, adjusted for the number of traits.
    chosen : list of Design
        Those that stood the test.
    fitted : Fitted
        The chosen ones alone.
    """

    full: Fitted
    p_value: Floats
    chosen: list[Design]
    fitted: Fitted


def learn(designs: Sequence[Design], won: Floats, level: float, rows: NDArray[np.intp] | None = None) -> Learned:
    """
    Weigh all traits, keep those that stand a Wald test with Holm's adjustment, and weigh these again.

    Parameters
    ----------
    designs : sequence of Design
        The traits tried.
    won : array of float64, shape (n,)
        1 where won, else 0.
    level : float
        Chance of choosing any trait where none has a weight.
    rows : array of int or None
        The accounts to learn from; None: all.

    Returns
    -------
    Learned
        Both regressions and the verdict on each trait.
    """
    won = won if rows is None else won[rows]
    full = fit_logit(stack(designs, len(won), rows), won, _SPREAD)
    p_value = holm(np.array([_wald(one, *part) for one, part in zip(designs, split(designs, full), strict=True)]))
    chosen = [one for one, p in zip(designs, p_value, strict=True) if p <= level]
    fitted = full if len(chosen) == len(designs) else fit_logit(stack(chosen, len(won), rows), won, _SPREAD)
    return Learned(full, p_value, chosen, fitted)


def stack(designs: Sequence[Design], count: int, rows: NDArray[np.intp] | None = None) -> Floats:
    """
    Put the columns of several traits side by side.

    Parameters
    ----------
    designs : sequence of Design
        The traits.
    count : int
        Number of accounts, for the case of no trait.
    rows : array of int or None
        The accounts wanted; None: all.

    Returns
    -------
    array of float64, shape (count, columns)
        Without the intercept.
    """
    blocks = [one.columns if rows is None else one.columns[rows] for one in designs]
    return np.hstack(blocks) if blocks else np.empty((count, 0))


def split(designs: Sequence[Design], fitted: Fitted) -> list[tuple[Floats, Floats]]:
    """
    Take a fit apart by trait.

    Parameters
    ----------
    designs : sequence of Design
        In the order of the fit.
    fitted : Fitted
        Intercept first.

    Returns
    -------
    list of (coef, cov)
        One pair for each trait.
    """
    starts = np.cumsum([1] + [one.columns.shape[1] for one in designs])
    return [(fitted.coef[a:b], fitted.cov[a:b, a:b]) for a, b in pairwise(starts)]


def weights(one: Design, coef: Floats, cov: Floats, confidence: float) -> pd.DataFrame:
    """
    Report a trait's weights with intervals.

    Parameters
    ----------
    one : Design
        The trait.
    coef, cov : array of float64
        Its coefficients and their covariance.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        trait, part, weight, low, high (log-odds).
    """
    value = one.contrast @ coef
    reach = norm.ppf((1 + confidence) / 2) * np.sqrt(np.diag(one.contrast @ cov @ one.contrast.T))
    return pd.DataFrame(
        {"trait": one.trait, "part": one.parts, "weight": value, "low": value - reach, "high": value + reach}
    )


def _wald(one: Design, coef: Floats, cov: Floats) -> float:
    """Chance of so large weights where all are zero; levels lose one degree of freedom to the average."""
    weight, spread = one.contrast @ coef, one.contrast @ cov @ one.contrast.T
    freedom = len(one.parts) if one.ends else len(one.parts) - 1
    return float(chi2.sf(weight @ np.linalg.pinv(spread, rcond=1e-9, hermitian=True) @ weight, freedom))


def holm(p_values: Floats) -> Floats:
    """
    Adjust p-values for their number by Holm's step-down rule (1979).

    Parameters
    ----------
    p_values : array of float64, shape (m,)
        Unadjusted.

    Returns
    -------
    array of float64, shape (m,)
        Adjusted, at most 1; choosing those up to a level errs in any of them with at most that chance.
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def bands(values: pd.Series) -> pd.Series:
    """
    Cut a number into five bands of about equal count with round limits.

    Parameters
    ----------
    values : Series
        The trait, of the whole market.

    Returns
    -------
    Series of category
        Ordered bands that read aloud: ``under 5``, ``5 to 12``, ``12 and over``; missing stays missing.
    """
    numbers = values.to_numpy("float64", na_value=np.nan)
    cuts = np.nanquantile(numbers, np.arange(1, _BANDS) / _BANDS)
    limits = sorted({float(f"{cut:.2g}") for cut in cuts if float(f"{cut:.2g}") > np.nanmin(numbers)})
    words = [f"{limit:,.0f}" if abs(limit) >= 10 else f"{limit:g}" for limit in limits]
    middle = [f"{a} to {b}" for a, b in pairwise(words)]
    labels = [f"under {words[0]}", *middle, f"{words[-1]} and over"] if words else ["any"]
    codes = np.searchsorted(limits, numbers, side="right").astype(np.intp)
    codes[np.isnan(numbers)] = -1
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(labels), ordered=True), values.index, name=values.name)


def lifts(levels: pd.Series, won: NDArray[np.bool_], confidence: float) -> pd.DataFrame:
    """
    Compare how common each level is among the won and in the market.

    Parameters
    ----------
    levels : Series
        One level per account; those without one are left out.
    won : array of bool, shape (n,)
        Which accounts were won.
    confidence : float
        Of the lift's interval: delta method on the logarithm of a ratio of multinomial shares, half an account added to
        each cell.

    Returns
    -------
    DataFrame
        Indexed by level: share_won, share_market, lift, lift_low, lift_high.
    """
    counts = pd.crosstab(levels, won).reindex(columns=[False, True], fill_value=0)
    both, level = counts[True], counts.sum(axis=1)
    all_won, everyone = both.sum(), level.sum()
    a, r, c, n = both + 0.5, level + 1.0, all_won + 1.0, everyone + 2.0
    variance = 1 / a - 1 / r - 1 / c + (2 * a * n / (r * c) - 1) / n
    reach = np.exp(norm.ppf((1 + confidence) / 2) * np.sqrt(variance.clip(lower=0)))
    middle = a * n / (r * c)
    shares = pd.DataFrame({"share_won": both / all_won, "share_market": level / everyone})
    return shares.assign(
        lift=shares["share_won"] / shares["share_market"], lift_low=middle / reach, lift_high=middle * reach
    )
