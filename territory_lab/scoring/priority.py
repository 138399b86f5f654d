"""Which accounts come first: tiers, the Pareto curve, fit x engagement grades, and key accounts by stated weights."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

_TIERS = np.array(["A", "B", "C", "D"])
_QUARTERS = (0.25, 0.5, 0.75)
_SPREAD = 20.0  # how firmly stated weights are meant: the Dirichlet's sample size; a weight of .30 varies by about .10
_DRAWS = 200  # times that the weights are varied


def tiers(values: pd.Series, shares: Sequence[float] = (0.1, 0.3, 0.6)) -> pd.Series:
    """
    Sort accounts into A, B, C and D by value.

    Parameters
    ----------
    values : Series of float64
        Score or money by account_id; higher is better.
    shares : three rising floats
        Share of the accounts that are A, A or B, and A to C; the rest is D.

    Returns
    -------
    Series of str
        ``tier`` by account_id; equal values share a tier, a missing value has none.

    Raises
    ------
    BadInput
        Where the shares do not rise between 0 and 1.
    """
    if len(shares) != len(_TIERS) - 1 or list(shares) != sorted(shares) or not 0 <= shares[0] <= shares[-1] <= 1:
        mend = "give three rising shares between 0 and 1, such as (.1, .3, .6)"
        raise BadInput([Fault("settings", "shares", "", f"{tuple(shares)} is no division", mend)])
    ahead = (values.rank(ascending=False, method="average") - 1) / max(int(values.notna().sum()), 1)
    tier = pd.Series(_TIERS[np.searchsorted(shares, ahead.fillna(1.0), side="right")], values.index, dtype="str")
    return tier.where(values.notna()).rename("tier")


def moved(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """
    Say which accounts a change of the rule card moves.

    Parameters
    ----------
    before, after : Series of float64
        Scores by account_id under the old card and the new.

    Returns
    -------
    DataFrame
        By account_id, the largest change first: score_before, score, change, tier_before, tier.
    """
    table = pd.DataFrame({"score_before": before, "score": after, "change": after - before})
    table = table.assign(tier_before=tiers(before), tier=tiers(after))
    return table.iloc[np.argsort(-table["change"].abs().to_numpy(), kind="stable")]


def grade(fit: pd.Series, engagement: pd.Series) -> pd.Series:
    """
    Set fit against engagement: A1 fits and is in touch, A4 fits and is silent, D1 is in touch and does not fit.

    Parameters
    ----------
    fit : Series of float64
        Score by account_id.
    engagement : Series of float64
        By account_id, as :func:`engagement` gives it; accounts it does not name are silent.

    Returns
    -------
    Series of str
        ``grade`` by account_id, A1 to D4: quarters of the accounts by fit, and of those that are not silent by
        engagement; 4 for every silent account.
    """
    known = engagement.reindex(fit.index).fillna(0.0)
    active = known[known > 0]
    ranks = dict(zip(_TIERS, "1234", strict=True))
    number = tiers(active, _QUARTERS).map(ranks).reindex(fit.index).fillna("4")
    return (tiers(fit, _QUARTERS) + number).rename("grade")


def engagement(events: pd.DataFrame, as_of: pd.Timestamp, half_life_days: float = 90.0) -> pd.Series:
    """
    Add up contacts, each worth half as much after every half-life.

    Parameters
    ----------
    events : DataFrame
        account_id, date, and points where contacts count differently (else each counts 1).
    as_of : Timestamp
        Today; later events are left out.
    half_life_days : float
        Days after which a contact counts half.

    Returns
    -------
    Series of float64
        ``engagement`` in points by account_id, only for accounts with an event.
    """
    past = events[events["date"] <= as_of]
    points = past.get("points", 1.0)
    worth: pd.Series = points * 0.5 ** ((as_of - past["date"]).dt.days / half_life_days)
    return worth.groupby(past["account_id"]).sum().rename("engagement")


def pareto(values: pd.Series) -> pd.DataFrame:
    """
    Rank accounts by value and add up what they hold.

    Parameters
    ----------
    values : Series of float64
        Money by account_id, none below 0; missing counts as none.

    Returns
    -------
    DataFrame
        By account_id, greatest first: rank (from 1), share_of_accounts, value, share_of_value (both shares cumulative).

    Raises
    ------
    BadInput
        With every value below 0, or where all are 0.
    """
    below = values.index[values < 0]
    faults = [
        Fault("values", "", str(one), f"{values[one]} is below 0", "net refunds by account first") for one in below
    ]
    if not values.sum() > 0 and not faults:
        faults = [Fault("values", "", "", "nothing is held by anyone", "give values with a sum above 0")]
    if faults:
        raise BadInput(faults)
    value = values.fillna(0.0).sort_values(ascending=False, kind="stable").rename("value")
    rank = np.arange(1, len(value) + 1)
    table = pd.DataFrame({"rank": rank, "share_of_accounts": rank / len(value), "value": value})
    return table.assign(share_of_value=value.cumsum() / value.sum())


def top_share(values: pd.Series, share: float = 0.2) -> float:
    """
    Say how much the top accounts hold.

    Parameters
    ----------
    values : Series of float64
        Money by account_id, none below 0.
    share : float
        Of the accounts, 0-1; a part of an account counts as that part of its value.

    Returns
    -------
    float
        Share of the total value, 0-1: the Lorenz curve read from the top.
    """
    curve = pareto(values)
    return float(np.interp(share, np.r_[0, curve["share_of_accounts"]], np.r_[0, curve["share_of_value"]]))


def key_accounts(
    criteria: pd.DataFrame,
    stated_weights: Mapping[str, float] | None = None,
    *,
    top: int = 50,
    listed: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """
    Rank accounts by several criteria at once, and say how much the ranking owes to the weights.

    Each criterion becomes its percentile among the accounts, so that no unit of measure decides. The weights are then
    varied around those stated (Dirichlet), and the accounts ranked anew.

    Parameters
    ----------
    criteria : DataFrame
        By account_id, one number per criterion, higher is better (revenue, potential, growth, need, ...); missing
        counts as the lowest.
    stated_weights : mapping of str to float or None
        Weight by criterion, of any sum, none below 0; None: all alike.
    top : int
        Length of the list whose stability is measured.
    listed : int or None
        How many accounts are returned; None: all.
    seed : int
        Of the variation.

    Returns
    -------
    DataFrame
        By account_id, best first: rank, priority (0-100), in_top_share (share of the draws in which the account is
        among the top), and what each criterion adds to the priority.

    Raises
    ------
    BadInput
        With every weight that is negative or belongs to no criterion.
    """
    weights = pd.Series(dict.fromkeys(criteria.columns, 1.0) if stated_weights is None else dict(stated_weights))
    mend = "weigh the criteria given with 0 or more, one at least above 0"
    faults = [
        Fault("weights", str(name), "", f"{weight} on a criterion that is there or not", mend)
        for name, weight in weights.items()
        if name not in criteria or not weight >= 0
    ]
    if not faults and not weights.sum() > 0:
        faults = [Fault("weights", "", "", "nothing is weighed", mend)]
    if faults:
        raise BadInput(faults)
    weights = weights[weights > 0] / weights.sum()
    points = np.empty((len(criteria), len(weights)), order="F")
    for column, name in enumerate(weights.index):
        points[:, column] = criteria[name].rank(pct=True, na_option="top") * 100
    kept = np.zeros(len(points))
    for drawn in np.random.default_rng(seed).dirichlet(_SPREAD * weights, size=_DRAWS):
        priority = points @ drawn
        kept[np.argpartition(-priority, min(top, len(points)) - 1)[:top]] += 1
    priority = points @ weights.to_numpy()
    best = np.argsort(-priority, kind="stable")[:listed]
    order = {"rank": np.arange(1, len(best) + 1), "priority": priority[best], "in_top_share": kept[best] / _DRAWS}
    adds = pd.DataFrame(points[best] * weights.to_numpy(), criteria.index[best], weights.index)
    return pd.DataFrame(order, adds.index).join(adds)
