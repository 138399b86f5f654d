"""From a column of the accounts table to what a regression can weigh, and back to a rule a person can read."""

from collections.abc import Callable, Sequence
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
        What each reported weight belongs to: the levels; for a number its slope ``per doubling`` (``per unit`` of
        shares and where values go below 0) and its ``bend``, the change of the slope above the middle of the market.
    columns : array of float64, shape (n, k)
        Columns for the regression.
    contrast : array of float64, shape (k, k)
        Turns the k coefficients into the reported weights.
    at : tuple of float
        Values between which a number's weight runs straight; empty for levels.
    basis : array of float64, shape (points, k)
        The columns at those values.
    log : bool
        Straight over the logarithm of the value.
    """

    trait: str
    parts: tuple[str, ...]
    columns: Floats
    contrast: Floats
    at: tuple[float, ...] = ()
    basis: Floats | None = None
    log: bool = False

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
        if self.basis is None:
            return Levels(dict(zip(self.parts, (self.contrast @ coef).tolist(), strict=True)))
        return Curve(self.at, tuple((self.basis @ coef).tolist()), self.log)


def is_number(values: pd.Series) -> bool:
    """Tell a trait that is a number from one with levels (text, categories, truth values)."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def design(values: pd.Series, *, bent: bool = True) -> Design:
    """
    Turn a trait into columns: one for each level; for a number its (log) size, and a bend in the middle.

    Parameters
    ----------
    values : Series
        One value per account, at least two different ones.
    bent : bool
        Allow a number another slope above the median of the market, so that a middle that fits best is seen.

    Returns
    -------
    Design
        Columns centred on the accounts that have a value.
    """
    trait = str(values.name)
    if is_number(values):
        return _number(trait, values.to_numpy("float64", na_value=np.nan), bent=bent)
    codes, levels = pd.factorize(as_levels(values), sort=True)
    hot = np.zeros((len(codes), len(levels)))
    known = np.flatnonzero(codes >= 0)
    hot[known, codes[known]] = 1.0
    shares = hot[known].mean(axis=0)
    hot[known] -= shares
    return Design(trait, tuple(map(str, levels)), hot, np.eye(len(levels)) - shares)


def _number(trait: str, numbers: Floats, *, bent: bool) -> Design:
    """Centre and scale a number; its bend is made free of its slope, so that the slope stays the overall one."""
    log = bool(np.nanmin(numbers) >= 0 and np.nanmax(numbers) > 1)
    inside = numbers[numbers > 0] if log else numbers
    low, middle, high = (float(one) for one in np.nanquantile(inside, [_TAIL, 0.5, 1 - _TAIL]))
    scaled = np.log2 if log else np.asarray
    x, knot = scaled(numbers.clip(low, high)), float(scaled(middle))
    mean, spread = float(np.nanmean(x)), float(np.nanstd(x)) or 1.0
    parts, contrast = ["per doubling" if log else "per unit"], [1 / spread]
    shapes: list[Callable[[Floats], Floats]] = [lambda at: (at - mean) / spread]
    if bent and low < middle < high:
        known = x[~np.isnan(x)]
        slope, base = np.polyfit(known, np.maximum(known - knot, 0), 1)
        width = float(np.std(np.maximum(known - knot, 0) - slope * known))
        shapes.append(lambda at: (np.maximum(at - knot, 0) - slope * at - base) / width)
        parts.append(f"bend at {middle:,.4g}")
        contrast.append(1 / width)
    points = tuple(sorted({low, high} | ({middle} if len(parts) > 1 else set())))
    columns, basis = (np.column_stack([shape(of) for shape in shapes]) for of in (x, scaled(np.array(points))))
    return Design(trait, tuple(parts), np.nan_to_num(columns), np.diag(contrast), points, basis, log)


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
