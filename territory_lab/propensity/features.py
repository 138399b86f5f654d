"""What was known of each account, and of each account with each product it does not own, on the day of a snapshot."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from territory_lab.propensity.labels import YEAR, usual
from territory_lab.timeline import Snapshot

_HALF = YEAR / 2
_PRIOR = 20.0
SMOOTHING = 5.0  # owners added to either side of a lift

RECENCY_FREQUENCY = ["recency_d", "orders"]
POPULARITY = ["popularity"]


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
    recency, tenure = _days_since(last, as_of), _days_since(first, as_of)
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
        known = _days_since(accounts["created_date"], snapshot.as_of)
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
    return table.assign(opportunity_d=_days_since(last, as_of))


def _days_since(dates: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """Count days from each date to the snapshot."""
    return pd.Series((as_of - dates).dt.total_seconds() / 86_400)


def _count(account_ids: pd.Series, ids: pd.Index) -> pd.Series:
    """Count rows by account."""
    return account_ids.value_counts().reindex(ids, fill_value=0).astype(float)


class Holdings(NamedTuple):
    """
    Who owns what.

    Parameters
    ----------
    matrix : csr_array of shape (accounts, products)
        1 where owned.
    accounts, products : Index
        What rows and columns stand for.
    """

    matrix: sparse.csr_array
    accounts: pd.Index
    products: pd.Index


def holdings(snapshot: Snapshot) -> Holdings:
    """
    See which customer ordered which product within the lookback.

    Parameters
    ----------
    snapshot : Snapshot
        With orders that name products.

    Returns
    -------
    Holdings
        Customers by products, both sorted.
    """
    known = snapshot.before
    accounts = snapshot.customers
    listed = known["products"]["product_id"] if "products" in known else known["orders"]["product_id"].dropna()
    products = pd.Index(listed.unique()).sort_values().rename("product_id")
    pairs = known["orders"][["account_id", "product_id"]].drop_duplicates()
    row, column = (index.get_indexer(pd.Index(pairs[index.name])) for index in (accounts, products))
    fits = (row >= 0) & (column >= 0)
    ones = np.ones(int(fits.sum()))
    matrix = sparse.csr_array((ones, (row[fits], column[fits])), shape=(len(accounts), len(products)))
    return Holdings(matrix, accounts, products)


def item_scores(owned: sparse.csr_array) -> sparse.csr_array:
    """
    Score items by their likeness to what is owned (item-to-item cosine, Sarwar et al. 2001).

    Parameters
    ----------
    owned : csr_array of shape (accounts, products)
        1 where owned.

    Returns
    -------
    csr_array of shape (accounts, products)
        Sum over owned items of the cosine with the item; the item itself does not count.
    """
    length = np.sqrt(owned.sum(axis=0))
    scaled = owned @ sparse.diags_array(np.divide(1, length, out=np.zeros_like(length), where=length > 0))
    cosine = (scaled.T @ scaled).tolil()
    cosine.setdiag(0)
    return sparse.csr_array(owned @ cosine.tocsr())


def item_lifts(owned: sparse.csr_array) -> np.ndarray:
    """
    Score items by the strongest pull of anything owned: how many times as often both are owned as chance would have it.

    The cosine sums over all that is owned and follows popularity; this keeps one strong pair visible (the lift of
    association rules, Brin et al. 1997, with both counts raised by ``SMOOTHING`` so that rare pairs stay near 1).

    Parameters
    ----------
    owned : csr_array of shape (accounts, products)
        1 where owned.

    Returns
    -------
    ndarray of shape (accounts, products)
        The largest lift over owned items, 0 where nothing else is owned.
    """
    count = owned.sum(axis=0)
    together = (owned.T @ owned).toarray()
    lift = (together + SMOOTHING) / (np.outer(count, count) / max(owned.shape[0], 1) + SMOOTHING)
    np.fill_diagonal(lift, 0.0)
    return np.column_stack([owned.multiply(pull).max(axis=1).toarray().ravel() for pull in lift.T])


def product_features(snapshot: Snapshot, accounts: pd.DataFrame) -> pd.DataFrame:
    """
    Describe every gap: a customer and a product it may buy and does not own.

    Parameters
    ----------
    snapshot : Snapshot
        With accounts, orders and, where there are any, products and opportunities.
    accounts : DataFrame
        Columns by account_id that go with each of its gaps, from `account_features`.

    Returns
    -------
    DataFrame
        Indexed by (account_id, product_id): affinity (cosine with what is owned), strongest_lift (of anything owned),
        popularity (share of customers that own it), sector_popularity (the same within the sector), open_opportunity,
        product, and the account's columns.
    """
    owned = holdings(snapshot)
    row, column = np.nonzero(_eligible(snapshot, owned) & (owned.matrix.toarray() == 0))
    pairs = pd.MultiIndex.from_arrays([owned.accounts[row], owned.products[column]], names=["account_id", "product_id"])
    popular = owned.matrix.mean(axis=0)
    table = accounts.reindex(owned.accounts).iloc[row].set_axis(pairs)
    table["affinity"] = item_scores(owned.matrix).toarray()[row, column]
    table["strongest_lift"] = item_lifts(owned.matrix)[row, column]
    table["popularity"] = popular[column]
    if "sector" in accounts:
        table["sector_popularity"] = _within(accounts["sector"].reindex(owned.accounts), owned, popular)[row, column]
    table["product"] = owned.products[column]
    if "product_id" in snapshot.before.get("opportunities", pd.DataFrame()):
        opportunities = snapshot.before["opportunities"]
        opened = opportunities[opportunities["stage"] == "open"]
        table["open_opportunity"] = pairs.isin(pd.MultiIndex.from_frame(opened[["account_id", "product_id"]]))
    return table


def _eligible(snapshot: Snapshot, owned: Holdings) -> np.ndarray:
    """Tell which product may be sold to which account: some are for one sector only."""
    known = snapshot.before
    if "sector" not in known.get("products", pd.DataFrame()) or "sector" not in known["accounts"]:
        return np.ones(owned.matrix.shape, dtype=bool)
    only = known["products"].set_index("product_id")["sector"].reindex(owned.products)
    sector = known["accounts"].set_index("account_id")["sector"].reindex(owned.accounts)
    return np.asarray(only.isna().to_numpy() | (sector.to_numpy(object)[:, None] == only.to_numpy(object)))


def _within(sector: pd.Series, owned: Holdings, popular: np.ndarray) -> np.ndarray:
    """Give the share of owners within the account's sector, pulled towards the overall share where few are known."""
    code, names = pd.factorize(sector, use_na_sentinel=False)
    member = sparse.csr_array((np.ones(len(code)), (code, np.arange(len(code)))), shape=(len(names), len(code)))
    owners, size = (member @ owned.matrix).toarray(), np.bincount(code, minlength=len(names))[:, None]
    return np.asarray((owners + _PRIOR * popular) / (size + _PRIOR))[code]
