"""From a column of the accounts table to what a regression can weigh, and back to a rule a person can read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from territory_lab.scoring._rules import Curve, Floats, Levels, Rule, as_levels

_TAIL = 0.001  # share of the market beyond each end of a curve; there the weight stays level
SPREAD = 1.5  # prior standard deviation of a weight, log-odds: nine in ten odds ratios between 1/12 and 12


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
