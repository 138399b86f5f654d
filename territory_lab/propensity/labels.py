"""What is foretold: who will buy clearly more than usual, and who will buy what for the first time."""

import pandas as pd

from territory_lab.timeline import Snapshot

YEAR = pd.Timedelta(days=365)


def usual(snapshot: Snapshot) -> pd.Series:
    """
    Say what each customer usually orders within one horizon: the average of the last year.

    The window just before ``as_of`` alone would be a poorer measure: half of all growth on it is a return to normal.

    Parameters
    ----------
    snapshot : Snapshot
        With accounts and orders.

    Returns
    -------
    Series
        Amount per horizon by account_id; 0 where nothing was ordered in the last year.
    """
    orders = snapshot.before["orders"]
    span = min(YEAR, snapshot.lookback)
    recent = orders[orders["order_date"] >= snapshot.as_of - span]
    yearly = recent.groupby("account_id")["amount"].sum().reindex(snapshot.customers, fill_value=0.0)
    return (yearly * (snapshot.horizon / span)).rename("usual")


def upsell(snapshot: Snapshot, growth: float = 0.2) -> pd.DataFrame:
    """
    Label the customers whose orders in the horizon exceed their usual ones by a clear margin.

    Parameters
    ----------
    snapshot : Snapshot
        Its horizon must lie within the data.
    growth : float
        The margin, as a share of the usual amount.

    Returns
    -------
    DataFrame
        Indexed by account_id (customers): bought (1.0 or 0.0) and extra, the amount above the usual one where bought.
    """
    before = usual(snapshot)
    ordered = snapshot.after["orders"].groupby("account_id")["amount"].sum().reindex(before.index, fill_value=0.0)
    more = ordered > (1 + growth) * before
    return pd.DataFrame({"bought": more.astype(float), "extra": (ordered - before).where(more, 0.0)})


def cross_sell(snapshot: Snapshot, pairs: pd.MultiIndex) -> pd.DataFrame:
    """
    Label the gaps that were closed: a product ordered that was not ordered within the lookback.

    Parameters
    ----------
    snapshot : Snapshot
        Its horizon must lie within the data.
    pairs : MultiIndex
        (account_id, product_id) of products not owned.

    Returns
    -------
    DataFrame
        Indexed by the pairs: bought (1.0 or 0.0) and extra, the amount ordered.
    """
    ordered = snapshot.after["orders"].groupby(["account_id", "product_id"])["amount"].agg(["size", "sum"])
    found = ordered.reindex(pairs)
    return pd.DataFrame({"bought": found["size"].gt(0).astype(float), "extra": found["sum"].fillna(0.0)})
