"""What a past realignment brought: difference in differences of the accounts that changed hands."""

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

Z_90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""


def backtest(before: pd.Series, after: pd.Series, moved: pd.Series, earlier: pd.Series | None = None) -> pd.DataFrame:
    """
    Return what a past realignment did to the accounts that changed hands, against those that did not.

    Difference in differences of the logarithm of summed sales, so that a common rise cancels; the interval comes from
    the departures of single accounts from their group's change (linearised, 90 %). It holds if both groups would have
    moved alike: the same figure for the two years before the change (``placebo``) must not be far from zero.

    Parameters
    ----------
    before, after : Series
        Money by ``account_id`` in equal periods before and after the change.
    moved : Series
        Bool by ``account_id``: whether the account changed hands.
    earlier : Series, optional
        Money by ``account_id`` in the period before ``before``.

    Returns
    -------
    DataFrame
        By ``test`` (effect, and placebo with ``earlier``): ``value``, ``low``, ``high`` as shares of sales, and
        ``accounts`` (that moved).
    """
    tests = {"effect": (before, after)} | ({} if earlier is None else {"placebo": (earlier, before)})
    rows = {name: _difference(first, second, moved) for name, (first, second) in tests.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "accounts"]).rename_axis(
        "test"
    )


def _difference(first: pd.Series, second: pd.Series, moved: pd.Series) -> tuple[float, float, float, int]:
    """Compare the growth of two groups of accounts."""
    growth, variance = [], 0.0
    for group in (moved, ~moved):
        accounts = group.index[group]
        one = first.reindex(accounts).fillna(0.0).to_numpy(dtype=float)
        two = second.reindex(accounts).fillna(0.0).to_numpy(dtype=float)
        if not (one.sum() > 0 and two.sum() > 0):
            found = f"{len(accounts)} accounts sold {one.sum():,.0f} before and {two.sum():,.0f} after"
            mend = "both groups need sales in both periods"
            raise BadInput([Fault("accounts", "moved", "", found, mend)])
        growth.append(np.log(two.sum() / one.sum()))
        variance += float(((two / two.sum() - one / one.sum()) ** 2).sum())
    effect, width = growth[0] - growth[1], Z_90 * np.sqrt(variance)
    value, low, high = (float(np.expm1(figure)) for figure in (effect, effect - width, effect + width))
    return value, low, high, int(moved.sum())
