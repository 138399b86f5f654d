"""What was known of each account on the day of a snapshot."""

import numpy as np
import pandas as pd

from territory_lab.propensity.labels import YEAR, usual
from territory_lab.timeline import Snapshot

_HALF = YEAR / 2

RECENCY_FREQUENCY = ["recency_d", "orders"]


def account_features(snapshot: Snapshot, extra: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Describe every customer from before the snapshot.

    Parameters
    ----------
    snapshot : Snapshot
        With accounts and orders; opportunities and calls where there are any.
    extra : DataFrame or None
        More columns by account_id (fit to the ideal customer, local market), known before ``as_of``.

    Returns
    -------
    DataFrame
        Indexed by account_id (customers of the lookback). Days as ``_d``, money in the workspace's currency as
        logarithms (``log_``), ``trend`` as the change of the logarithm from one half-year to the next.
    """
    known = snapshot.before
    ids, typical = snapshot.customers, np.log1p(usual(snapshot).clip(lower=0))
    orders = known["orders"][known["orders"]["account_id"].isin(ids)]
    table = _history(orders, snapshot).assign(log_usual=typical, season=_season(orders, snapshot) - typical)
    table["season_all"] = _season_all(orders, snapshot)
    table = table.join(_firm(snapshot, ids))
    if "opportunities" in known:
        table = table.join(_opportunities(known["opportunities"], snapshot.as_of, ids))
    if "calls" in known:
        recent = known["calls"][known["calls"]["call_date"] >= snapshot.as_of - snapshot.horizon]
        table["calls"] = _count(recent["account_id"], ids)
    return table if extra is None else table.join(extra.drop(columns=table.columns, errors="ignore"))


def _history(orders: pd.DataFrame, snapshot: Snapshot) -> pd.DataFrame:
    """Recency, frequency, value, their trend, and what is owned."""
    as_of, horizon = snapshot.as_of, snapshot.horizon
    account = orders.groupby("account_id")
    first, last, count = account["order_date"].min(), account["order_date"].max(), account.size()
    recency, tenure = days_since(last, as_of), days_since(first, as_of)
    between = ((tenure - recency) / (count - 1).clip(lower=1)).where(count > 1)

    def value(start: pd.Timestamp, stop: pd.Timestamp) -> pd.Series:
        window = orders[(orders["order_date"] >= start) & (orders["order_date"] < stop)]
        amount = window.groupby("account_id")["amount"].sum().reindex(count.index, fill_value=0.0)
        return pd.Series(np.log1p(amount.clip(lower=0)))

    late, early = value(as_of - _HALF, as_of), value(as_of - YEAR, as_of - _HALF)
    table = pd.DataFrame(
        {
            "recency_d": recency,
            "orders": count.astype(float),
            "between_d": between,
            "overdue": (recency / between.clip(lower=1)).clip(upper=20),
            "tenure_d": tenure,
            "log_order": np.log1p(account["amount"].mean().clip(lower=0)),
            "log_window": value(as_of - horizon, as_of),
            "trend": late - early,
        }
    )
    if "product_id" in orders:
        table["products"] = account["product_id"].nunique().astype(float)
    return table


def _season(orders: pd.DataFrame, snapshot: Snapshot) -> pd.Series:
    """Value in the same window one year before."""
    start = snapshot.as_of - YEAR
    window = orders[(orders["order_date"] >= start) & (orders["order_date"] < start + snapshot.horizon)]
    value = window.groupby("account_id")["amount"].sum().reindex(snapshot.customers, fill_value=0.0)
    return pd.Series(np.log1p(value.clip(lower=0)))


def _season_all(orders: pd.DataFrame, snapshot: Snapshot) -> float:
    """Compare what all customers ordered in the same window one year before with an average window of that year."""
    year = orders[orders["order_date"] >= snapshot.as_of - YEAR]
    window = year.loc[year["order_date"] < snapshot.as_of - YEAR + snapshot.horizon, "amount"].sum()
    usually = year["amount"].sum() * (snapshot.horizon / YEAR)
    return float(np.log(window / usually)) if window > 0 and usually > 0 else 0.0


def _firm(snapshot: Snapshot, ids: pd.Index) -> pd.DataFrame:
    """Sector, size and age of the firm as far as known."""
    accounts = snapshot.before["accounts"].set_index("account_id").reindex(ids)
    table = pd.DataFrame(index=ids)
    for column in ("sector", "state"):
        if column in accounts:
            table[column] = accounts[column]
    for column in ("employees", "revenue"):
        if column in accounts:
            table[f"log_{column}"] = np.log1p(accounts[column])
    if "created_date" in accounts:
        known = days_since(accounts["created_date"], snapshot.as_of)
        table["known_d"] = known.clip(upper=snapshot.lookback.days)  # else it would tell one snapshot from another
    return table


def _opportunities(opportunities: pd.DataFrame, as_of: pd.Timestamp, ids: pd.Index) -> pd.DataFrame:
    """Opportunities open, won and lost, and days since the last one; amounts may have been mended since, so unused."""
    table = pd.DataFrame(
        {
            f"opportunities_{stage}": _count(opportunities["account_id"][opportunities["stage"] == stage], ids)
            for stage in ("open", "won", "lost")
        }
    )
    last = opportunities.groupby("account_id")["created_date"].max().reindex(ids)
    return table.assign(opportunity_d=days_since(last, as_of))


def days_since(dates: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """
    Count days from each date to the snapshot.

    Parameters
    ----------
    dates : Series
        Dates.
    as_of : Timestamp
        The day of the snapshot.

    Returns
    -------
    Series
        Days, NaN where there is no date.
    """
    return pd.Series((as_of - dates).dt.total_seconds() / 86_400)


def _count(account_ids: pd.Series, ids: pd.Index) -> pd.Series:
    """Count rows by account."""
    return account_ids.value_counts().reindex(ids, fill_value=0).astype(float)
