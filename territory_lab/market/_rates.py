"""Rates by group: estimated with partial pooling, or stated."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from territory_lab.errors import BadInput, Fault

Stated = float | Mapping[str, float] | pd.Series

HALF_80 = float(norm.ppf(0.9))  # standard errors to either end of an 80 % interval
FIRM = 1e6  # strength of a rate that is stated, not estimated
_MOST_POOLED = 1e4


def pooled_rates(successes: pd.Series, trials: pd.Series) -> pd.DataFrame:
    """
    Estimate a rate for each group, small groups leaning on the whole.

    The rate is Beta distributed with parameters rate x strength and (1 - rate) x strength, where strength is the
    group's trials and those that the whole lends it, which follow from the spread between groups by moments
    (Kleinman 1973).
    """
    known = trials > 0
    k, n = successes[known].astype("float64"), trials[known].astype("float64")
    mean = (k.sum() + 0.5) / (n.sum() + 1)
    noise = mean * (1 - mean)
    scale = n.sum() - (n**2).sum() / n.sum()
    excess = float((n * (k / n - mean) ** 2).sum() - (len(n) - 1) * noise)
    between = excess / scale if scale > 0 else 0.0
    lent = float(np.clip(noise / between - 1, 1, _MOST_POOLED)) if between > 0 else _MOST_POOLED
    strength = trials + min(lent, float(n.sum()) + 1)
    rate = (successes + mean * (strength - trials)) / strength
    return pd.DataFrame({"rate": rate, "strength": strength})


def stated_rates(value: Stated, groups: pd.Index) -> pd.DataFrame:
    """Take rates as stated, without error, and refuse those that are no shares."""
    rate = by_group(value, groups)
    wrong = rate.index[~rate.between(0, 1)]
    if len(wrong):
        raise BadInput(
            Fault("settings", "", str(one), f"{rate[one]} is no share", "state it between 0 and 1") for one in wrong
        )
    return pd.DataFrame({"rate": rate, "strength": FIRM})


def by_group(value: Stated, groups: pd.Index) -> pd.Series:
    """Spread a stated number over groups; those that a mapping does not name have 0."""
    if isinstance(value, int | float):
        return pd.Series(float(value), groups)
    return pd.Series(dict(value), dtype="float64").reindex(groups).fillna(0.0)
