"""What was known of each account with each product it may buy and does not own, on the day of a snapshot."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import svds

from territory_lab.propensity.features import days_since
from territory_lab.propensity.labels import YEAR
from territory_lab.propensity.metrics import Floats
from territory_lab.timeline import Snapshot

POPULARITY = ["popularity"]
SMOOTHING = 5.0  # owners added to either side of a lift
_PRIOR = 20.0
_TASTES = 8
_NEW = 2.0  # gaps closed, added to either side
_OWN_COLUMNS = 30  # products; more of them cannot each have a column of their own
_ACCOUNT = [
    *("recency_d", "orders", "overdue", "log_order", "log_usual", "season_all"),
    *("products", "sector", "log_employees"),
    *("opportunities_open", "opportunities_won", "opportunity_d", "calls"),
]

Mask = NDArray[np.bool_]


class Purchases(NamedTuple):
    """
    Every order of the lookback as three numbers.

    Parameters
    ----------
    accounts, products : Index
        What rows and columns of the grid stand for, both sorted.
    row, column : array of int
        Account and product of each order.
    age_d : array of float
        Days from each order to the snapshot.
    """

    accounts: pd.Index
    products: pd.Index
    row: NDArray[np.intp]
    column: NDArray[np.intp]
    age_d: Floats

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Purchases":
        """
        Read the orders of a snapshot that name a product.

        Parameters
        ----------
        snapshot : Snapshot
            With accounts and orders; products where there are any.

        Returns
        -------
        Purchases
            Of the customers of the lookback.
        """
        known = snapshot.before
        orders = known["orders"]
        listed = known["products"]["product_id"] if "products" in known else orders["product_id"].dropna()
        accounts = snapshot.customers
        products = pd.Index(listed.unique()).sort_values().rename("product_id")
        row, column = (index.get_indexer(pd.Index(orders[index.name])) for index in (accounts, products))
        fits = (row >= 0) & (column >= 0)
        age = days_since(orders["order_date"], snapshot.as_of).to_numpy(float)
        return cls(accounts, products, row[fits], column[fits], age[fits])

    def between(self, start_d: float, stop_d: float) -> sparse.csr_array:
        """
        Say who bought what between two ages.

        Parameters
        ----------
        start_d, stop_d : float
            Days before the snapshot, the first excluded (0: up to the snapshot), the second included.

        Returns
        -------
        csr_array of shape (accounts, products)
            1.0 where bought.
        """
        taken = (self.age_d > start_d) & (self.age_d <= stop_d)
        size = (len(self.accounts), len(self.products))
        cells = np.unique(self.row[taken] * size[1] + self.column[taken])
        return sparse.csr_array((np.ones(len(cells)), np.divmod(cells, size[1])), shape=size)

    def last_d(self) -> Floats:
        """
        Say how long ago each product was bought last.

        Returns
        -------
        array of shape (accounts, products)
            Days; infinite where never in the lookback.
        """
        found = np.full((len(self.accounts), len(self.products)), np.inf)
        np.minimum.at(found, (self.row, self.column), self.age_d)
        return found


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


def taste_scores(owned: sparse.csr_array, tastes: int = _TASTES) -> Floats:
    """
    Score items by a few tastes that explain what all accounts own (truncated SVD, PureSVD of Cremonesi et al. 2010).

    Parameters
    ----------
    owned : csr_array of shape (accounts, products)
        1 where owned.
    tastes : int
        Number of factors; fewer where the grid is small.

    Returns
    -------
    array of shape (accounts, products)
        The grid as the tastes have it, each product scaled to unit length first.
    """
    rank = min(tastes, min(owned.shape) - 1)
    if rank < 1 or owned.nnz == 0:
        return np.zeros(owned.shape)
    length = np.sqrt(np.maximum(owned.sum(axis=0), 1.0))
    left, weight, right = svds(owned / length, k=rank, v0=np.ones(min(owned.shape)))
    return np.asarray((left * weight) @ right)


def gap_features(
    snapshot: Snapshot, accounts: pd.DataFrame, *, owned_d: float | None = None, cells_d: float | None = None
) -> pd.DataFrame:
    """
    Describe every gap: a customer and a product it may buy and does not own.

    Parameters
    ----------
    snapshot : Snapshot
        With accounts, orders and, where there are any, products and opportunities.
    accounts : DataFrame
        From `account_features`; those columns go along that mean the same however short the history is.
    owned_d : float or None
        Days a purchase counts as owning; None: the whole lookback. What came before has lapsed.
    cells_d : float or None
        Days in which a described cell was not bought; None: ``owned_d``.

    Returns
    -------
    DataFrame
        Indexed by (account_id, product_id), with columns of the account and

        - affinity, affinity_recent: cosine with all that was bought, and with what was bought lately;
        - strongest_lift, taste: see `item_lifts` and `taste_scores`;
        - popularity, popularity_recent: share of customers that bought it in the lookback, and lately; season: the
          share a year ago, over the usual one; popularity_new: how many times as many as usual took it up lately;
        - account_new: how many times as many products as usual the account took up lately;
        - sector_popularity, category_d, category_share, open_opportunity where sector, category and opportunities are
          known: popularity in the sector, days since anything of the category, share of the category owned;
        - lapsed_d, where something can have lapsed: days since the product was last bought;
        - product, where there are no more than thirty.
    """
    bought = Purchases.of(snapshot)
    whole = snapshot.lookback / pd.Timedelta(days=1)
    owned_d = whole if owned_d is None else min(owned_d, whole)
    horizon = snapshot.horizon / pd.Timedelta(days=1)
    last = bought.last_d()
    row, column = np.nonzero(eligible(snapshot, bought) & (last > (cells_d or owned_d)))
    cell = row, column
    ever, recent = bought.between(0, whole), bought.between(0, min(horizon, owned_d / 2))
    popular = ever.mean(axis=0)
    fresh = _fresh(bought, min(horizon, owned_d / 6), owned_d / 2)
    found: dict[str, object] = {
        "affinity": item_scores(ever).toarray()[cell],
        "affinity_recent": item_scores(recent).toarray()[cell],
        "strongest_lift": item_lifts(ever)[cell],
        "taste": taste_scores(ever)[cell],
        "popularity": popular[column],
        "popularity_recent": recent.mean(axis=0)[column],
        "popularity_new": fresh[0][column],
        "account_new": fresh[1][row],
    }
    if whole >= YEAR.days:
        yearly = bought.between(YEAR.days - horizon, YEAR.days).mean(axis=0)
        found["season"] = (yearly / np.maximum(popular, 1 / len(bought.accounts)))[column]
    if owned_d < whole:
        found["lapsed_d"] = np.where(np.isfinite(last), last, np.nan)[cell]
    if "sector" in accounts:
        found["sector_popularity"] = _within(accounts["sector"].reindex(bought.accounts), ever, popular)[cell]
    if "category" in snapshot.before.get("products", pd.DataFrame()):
        since, share = _category(snapshot, bought, last, owned_d)
        found |= {"category_d": since[cell], "category_share": share[cell]}
    if len(bought.products) <= _OWN_COLUMNS:
        found["product"] = bought.products[column]
    pairs = pd.MultiIndex.from_arrays(
        [bought.accounts[row], bought.products[column]], names=["account_id", "product_id"]
    )
    opened = open_pairs(snapshot)
    if opened is not None:
        found["open_opportunity"] = pairs.isin(opened)
    own = accounts[accounts.columns.intersection(_ACCOUNT)].reindex(bought.accounts)
    return own.iloc[row].set_axis(pairs).join(pd.DataFrame(found, index=pairs))


def eligible(snapshot: Snapshot, bought: Purchases) -> Mask:
    """
    Tell which product may be sold to which account: some are for one sector only.

    Parameters
    ----------
    snapshot : Snapshot
        With accounts; products where there are any.
    bought : Purchases
        Whose accounts and products.

    Returns
    -------
    array of bool of shape (accounts, products)
        True where it may.
    """
    known = snapshot.before
    if "sector" not in known.get("products", pd.DataFrame()) or "sector" not in known["accounts"]:
        return np.ones((len(bought.accounts), len(bought.products)), dtype=bool)
    only = known["products"].set_index("product_id")["sector"].reindex(bought.products)
    sector = known["accounts"].set_index("account_id")["sector"].reindex(bought.accounts)
    return np.asarray(only.isna().to_numpy() | (sector.to_numpy(object)[:, None] == only.to_numpy(object)))


def open_pairs(snapshot: Snapshot) -> pd.MultiIndex | None:
    """
    List accounts and products with an opportunity that is open.

    Parameters
    ----------
    snapshot : Snapshot
        With opportunities that name products, or without.

    Returns
    -------
    MultiIndex or None
        (account_id, product_id); None where opportunities name no products.
    """
    known = snapshot.before.get("opportunities", pd.DataFrame())
    if "product_id" not in known:
        return None
    return pd.MultiIndex.from_frame(known.loc[known["stage"] == "open", ["account_id", "product_id"]])


def _fresh(bought: Purchases, fresh_d: float, before_d: float) -> tuple[Floats, Floats]:
    """Give how many times the usual share of gaps was closed lately, by product and by account; few lean on 1."""
    had, now = bought.between(fresh_d, before_d), bought.between(0, fresh_d)
    taken = now - now.multiply(had)
    shares = []
    for axis in (0, 1):
        free = had.shape[axis] - had.sum(axis=axis)
        expected = free * (taken.sum() / max(free.sum(), 1.0))
        shares.append(np.asarray((taken.sum(axis=axis) + _NEW) / (expected + _NEW)))
    return shares[0], shares[1]


def _within(sector: pd.Series, owned: sparse.csr_array, popular: Floats) -> Floats:
    """Give the share of owners within the account's sector, pulled towards the overall share where few are known."""
    code, names = pd.factorize(sector, use_na_sentinel=False)
    member = sparse.csr_array((np.ones(len(code)), (code, np.arange(len(code)))), shape=(len(names), len(code)))
    owners, size = (member @ owned).toarray(), np.bincount(code, minlength=len(names))[:, None]
    return np.asarray((owners + _PRIOR * popular) / (size + _PRIOR))[code]


def _category(snapshot: Snapshot, bought: Purchases, last: Floats, owned_d: float) -> tuple[Floats, Floats]:
    """Give days since anything of the product's category, NaN where never, and the share of the category owned."""
    category = snapshot.before["products"].set_index("product_id")["category"].reindex(bought.products)
    code, names = pd.factorize(category, use_na_sentinel=False)
    parts = [last[:, code == number] for number in range(len(names))]
    since = np.column_stack([part.min(axis=1) for part in parts])
    share = np.column_stack([(part <= owned_d).mean(axis=1) for part in parts])
    return np.where(np.isfinite(since), since, np.nan)[:, code], share[:, code]
