"""Which traits stand the test, what they weigh, and how the won compare with the market."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from territory_lab.scoring._rules import Floats
from territory_lab.scoring.logit import Fitted, fit_logit
from territory_lab.scoring.traits import SPREAD, Design, stack

LEVEL = 0.01  # chance of choosing any trait where none has a weight: a false trait misleads more than a missed one
CONFIDENCE = 0.95
_BANDS = 5


class Learned(NamedTuple):
    """A regression on all traits, each trait's p-value adjusted for their number, and a regression on the chosen."""

    full: Fitted
    p_value: Floats
    chosen: list[Design]
    fitted: Fitted


def learn(designs: Sequence[Design], won: Floats, rows: NDArray[np.intp] | None = None) -> Learned:
    """Weigh all traits, keep those that stand a Wald test with Holm's adjustment, and weigh these again."""
    won = won if rows is None else won[rows]
    full = fit_logit(stack(designs, len(won), rows), won, SPREAD)
    p_value = holm(np.array([_wald(one, *part) for one, part in zip(designs, split(designs, full), strict=True)]))
    chosen = [one for one, p in zip(designs, p_value, strict=True) if p <= LEVEL]
    fitted = full if len(chosen) == len(designs) else fit_logit(stack(chosen, len(won), rows), won, SPREAD)
    return Learned(full, p_value, chosen, fitted)


def split(designs: Sequence[Design], fitted: Fitted) -> list[tuple[Floats, Floats]]:
    """Take a fit apart: coefficients and covariance of each trait."""
    starts = np.cumsum([1] + [one.columns.shape[1] for one in designs])
    return [(fitted.coef[a:b], fitted.cov[a:b, a:b]) for a, b in pairwise(starts)]


def weights(one: Design, coef: Floats, cov: Floats) -> pd.DataFrame:
    """Report a trait's weights: trait, part, weight, low, high (log-odds, 95 %)."""
    value = one.contrast @ coef
    reach = norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(np.diag(one.contrast @ cov @ one.contrast.T))
    return pd.DataFrame(
        {"trait": one.trait, "part": one.parts, "weight": value, "low": value - reach, "high": value + reach}
    )


def _wald(one: Design, coef: Floats, cov: Floats) -> float:
    """Chance of so large weights where all are zero; levels lose one degree of freedom to the average."""
    weight, spread = one.contrast @ coef, one.contrast @ cov @ one.contrast.T
    freedom = len(one.parts) if one.at else len(one.parts) - 1
    return float(chi2.sf(weight @ np.linalg.pinv(spread, rcond=1e-9, hermitian=True) @ weight, freedom))


def holm(p_values: Floats) -> Floats:
    """Adjust p-values for their number by Holm's step-down rule (1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(steps)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def bands(values: pd.Series) -> pd.Series:
    """Cut a number into five bands of about equal count, with round limits that read aloud."""
    numbers = values.to_numpy("float64", na_value=np.nan)
    cuts = np.nanquantile(numbers, np.arange(1, _BANDS) / _BANDS)
    limits = sorted({float(f"{cut:.2g}") for cut in cuts if float(f"{cut:.2g}") > np.nanmin(numbers)})
    words = [f"{limit:,.0f}" if abs(limit) >= 10 else f"{limit:g}" for limit in limits]
    middle = [f"{a} to {b}" for a, b in pairwise(words)]
    labels = [f"under {words[0]}", *middle, f"{words[-1]} and over"] if words else ["any"]
    codes = np.searchsorted(limits, numbers, side="right").astype(np.intp)
    codes[np.isnan(numbers)] = -1
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(labels), ordered=True), values.index, name=values.name)


def lifts(levels: pd.Series, won: NDArray[np.bool_]) -> pd.DataFrame:
    """
    Compare how common each level is among the won and in the market.

    The interval is the delta method's on the logarithm of a ratio of multinomial shares, half an account added to each
    cell. Indexed by level: share_won, share_market, lift, lift_low, lift_high (95 %).
    """
    counts = pd.crosstab(levels, won).reindex(columns=[False, True], fill_value=0)
    both, level = counts[True], counts.sum(axis=1)
    all_won, everyone = both.sum(), level.sum()
    a, r, c, n = both + 0.5, level + 1.0, all_won + 1.0, everyone + 2.0
    variance = 1 / a - 1 / r - 1 / c + (2 * a * n / (r * c) - 1) / n
    reach = np.exp(norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(variance.clip(lower=0)))
    middle = a * n / (r * c)
    shares = pd.DataFrame({"share_won": both / all_won, "share_market": level / everyone})
    return shares.assign(
        lift=shares["share_won"] / shares["share_market"], lift_low=middle / reach, lift_high=middle * reach
    )
