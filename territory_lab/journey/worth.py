"""What accounts are worth: what each may buy, and which are told of one by one."""

import pandas as pd

from territory_lab import book, scoring
from territory_lab.errors import MissingTable
from territory_lab.journey.customers import fitting, icp, propensity
from territory_lab.journey.everyone import SHOWN, everyone, rows
from territory_lab.workspace import Workspace

_COLUMNS = ("unit_id", "customer", "spend", "potential")


def worth(space: Workspace) -> pd.DataFrame:
    """
    Say what each account may buy in a year, and its tier by that; its sales or its own revenue may stand in.

    Parameters
    ----------
    space : Workspace
        With accounts.

    Returns
    -------
    DataFrame
        As `fitting` has the accounts, with ``potential`` and ``tier``.
    """
    large = space.deal is not None
    known = fitting(space, *_COLUMNS) if large else book.accounts(space, book.units(space))
    if "potential" in known:
        may_buy = known["potential"]
    elif "orders" in space.tables:
        try:
            may_buy = propensity(space)["potential"]["potential"].reindex(known.index)
        except MissingTable:  # too short a history to learn from: what such accounts spend, or else what was sold
            criteria = icp(space)["criteria"]
            may_buy = criteria["potential" if "potential" in criteria else "revenue"].reindex(known.index).fillna(0.0)
    elif "revenue" in known:
        may_buy = known["revenue"].fillna(known["revenue"].median())
    else:
        may_buy = pd.Series(1.0, index=known.index)
    return known.assign(potential=may_buy, tier=scoring.tiers(may_buy))


def shown(space: Workspace, known: pd.DataFrame) -> pd.DataFrame:
    """
    Keep the accounts that are told of one by one: of a large company those that spend or may buy the most.

    Parameters
    ----------
    space : Workspace
        As for :func:`worth`.
    known : DataFrame
        From it.

    Returns
    -------
    DataFrame
        By account_id; of a large company with name, lon and lat.
    """
    if space.deal is None:
        return known
    most = known[["spend", "potential"]].max(axis=1).nlargest(SHOWN).index
    ids = pd.Index(everyone(space, ["account_id"])["account_id"].loc[most])
    about = rows(space, "accounts", ids).set_index("account_id").filter(["name", "lon", "lat"])
    return known.loc[most].set_axis(ids).join(about)
