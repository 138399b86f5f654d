"""The account x product grid: what is owned, what is being sold, and which gap closes next."""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.features import account_features
from territory_lab.propensity.gaps import POPULARITY, Purchases, eligible, gap_features, open_pairs
from territory_lab.propensity.labels import cross_sell
from territory_lab.propensity.model import PropensityModel
from territory_lab.timeline import Snapshot, data_end, rolling

STATUS = ("owned", "open opportunity", "gap", "not eligible")
_SNAPSHOTS = 4


class WhiteSpaceModel:
    """
    Learn which gaps close, on past snapshots, and rank the gaps of today.

    Parameters
    ----------
    horizon_d : int
        Days the probabilities are about.
    owned_d : int or None
        Days a purchase counts as owning; None: all that is known. A shorter time lets purchases lapse, and gaps are
        then learnt from cells not bought in half that time: what a purchase long ago means must be seen in the past.
    lookback_d : int
        Days of events that features may use, as far as there are any.
    step_d : int
        Days between the four snapshots learnt on; the last one's labels end at the day of `fit`. The model is judged on
        those that begin when the labels of an earlier one have ended: with 30 days, the last.
    rows : int
        Cells learnt from at most; whole accounts are left out of a snapshot, drawn by ``seed``.
    algorithm : {"auto", "logistic", "both", "boosting"}
        As in `PropensityModel`.
    seed : int
        For the model and for drawing accounts.

    Attributes
    ----------
    model_ : PropensityModel
        Judged on later snapshots and other accounts; its card has the figures.
    """

    model_: PropensityModel

    def __init__(
        self,
        horizon_d: int = 90,
        *,
        owned_d: int | None = None,
        lookback_d: int = 730,
        step_d: int = 30,
        rows: int = 400_000,
        algorithm: Literal["auto", "logistic", "both", "boosting"] = "auto",
        seed: int = 0,
    ) -> None:
        self.horizon_d = horizon_d
        self.owned_d = owned_d
        self.lookback_d = lookback_d
        self.step_d = step_d
        self.rows = rows
        self.algorithm = algorithm
        self.seed = seed

    def fit(
        self, tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp | None = None, extra: pd.DataFrame | None = None
    ) -> Self:
        """
        Learn from snapshots whose labels were known on a day.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            accounts and orders that name products; products and opportunities where there are any.
        as_of : Timestamp or None
            The day; None: the end of the data. Later events are not looked at.
        extra : DataFrame or None
            More columns by account_id, as in `account_features`.

        Returns
        -------
        WhiteSpaceModel
            Itself.

        Raises
        ------
        BadInput
            Where orders name no product, or the history is too short.
        """
        if "product_id" not in tables["orders"] or tables["orders"]["product_id"].isna().all():
            raise BadInput([Fault("orders", "product_id", "", "orders name no product", "add the products ordered")])
        today = as_of if as_of is not None else data_end(tables)
        horizon = pd.Timedelta(days=self.horizon_d)
        dates = [today - horizon - turn * pd.Timedelta(days=self.step_d) for turn in range(_SNAPSHOTS)]
        least = pd.Timedelta(days=self._cells_d or self.horizon_d)
        first = tables["orders"]["order_date"].min()
        dates = [date for date in dates if date - least >= first]
        if not dates:
            problem = f"orders begin {first:%Y-%m-%d}: too few days before {today:%Y-%m-%d} to learn from"
            raise BadInput([Fault("orders", "order_date", "", problem, "give a longer history or a shorter horizon")])
        past = rolling(tables, dates, pd.Timedelta(days=self.lookback_d), horizon)
        share = self.rows / len(past.snapshots)
        rng = np.random.default_rng(self.seed)

        def build(snapshot: Snapshot) -> pd.DataFrame:
            table = self._features(snapshot, extra, self._cells_d)
            ids = table.index.get_level_values("account_id")
            drawn = ids.unique()[rng.random(ids.nunique()) < share / max(len(table), 1)]
            table = table[ids.isin(drawn)]
            pairs = pd.MultiIndex.from_frame(table.index.to_frame())
            return table.assign(bought=cross_sell(snapshot, pairs)["bought"]).reset_index()

        rows = past.frame(build)
        self.model_ = PropensityModel(self.algorithm, seed=self.seed, base_columns=POPULARITY, embargo=horizon)
        X = rows.drop(columns=["account_id", "product_id", "bought", "as_of"])
        self.model_.fit(X, rows["bought"], groups=rows["account_id"], times=rows["as_of"])
        return self

    def grid(
        self, tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp | None = None, extra: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """
        Give every account and product its status, and every gap its probability and ranks.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            As in `fit`.
        as_of : Timestamp or None
            The day; None: the end of the data.
        extra : DataFrame or None
            As in `fit`.

        Returns
        -------
        DataFrame
            See `white_space`.
        """
        today = as_of if as_of is not None else data_end(tables)
        now = Snapshot(tables, today, pd.Timedelta(days=self.lookback_d), pd.Timedelta(days=self.horizon_d))
        features = self._features(now, extra, self.owned_d)
        scores = features.index.to_frame(index=False).assign(probability=self.model_.predict_proba(features)[:, 1])
        return white_space(now, scores)

    @property
    def _cells_d(self) -> float | None:
        """Days in which a cell learnt from was not bought."""
        return None if self.owned_d is None else self.owned_d / 2

    def _features(self, snapshot: Snapshot, extra: pd.DataFrame | None, cells_d: float | None) -> pd.DataFrame:
        """Describe the gaps of a snapshot."""
        accounts = account_features(snapshot, extra).drop(
            columns="season_all"
        )  # one value per day; few days are learnt
        return gap_features(snapshot, accounts, owned_d=self.owned_d, cells_d=cells_d)


def white_space(snapshot: Snapshot, scores: pd.DataFrame) -> pd.DataFrame:
    """
    Lay out the grid of accounts and products, the gaps ranked.

    Parameters
    ----------
    snapshot : Snapshot
        The day of the scores.
    scores : DataFrame
        account_id, product_id, probability and, where known, expected_revenue, of every cell that is not owned.

    Returns
    -------
    DataFrame
        One row per customer and product, sorted by both, but for cells neither scored nor ever bought: account_id,
        product_id, status (`STATUS`), rep_id where accounts have an owner, probability, expected_revenue where given,
        rank_account and rank_rep (1 is the gap to work first: by expected revenue where given, else by probability;
        missing where it is no gap).
    """
    bought = Purchases.of(snapshot)
    cells = pd.MultiIndex.from_product([bought.accounts, bought.products])
    table = scores.set_index(["account_id", "product_id"]).reindex(cells)
    scored = table["probability"].notna().to_numpy()
    opened = open_pairs(snapshot)
    offered = scored & (cells.isin(opened) if opened is not None else False)
    barred = ~scored & ~eligible(snapshot, bought).ravel()
    status = np.array(STATUS)[np.select([offered, scored, barred], [1, 2, 3], 0)]
    table.insert(0, "status", pd.Series(pd.Categorical(status, STATUS), table.index))
    table = table[scored | barred | np.isfinite(bought.last_d()).ravel()].reset_index()
    by = "expected_revenue" if "expected_revenue" in table else "probability"
    worth = table[by].where(table["status"] == STATUS[2])
    table["rank_account"] = worth.groupby(table["account_id"]).rank(method="first", ascending=False)
    accounts = snapshot.before["accounts"].set_index("account_id")
    if "owner_id" in accounts:
        table.insert(2, "rep_id", table["account_id"].map(accounts["owner_id"]))
        table["rank_rep"] = worth.groupby(table["rep_id"]).rank(method="first", ascending=False)
    return table
