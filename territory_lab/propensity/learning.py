"""What is learnt from past snapshots: for each kind of sale a model, and what a sale is worth."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import labels
from territory_lab.propensity.features import RECENCY_FREQUENCY, account_features
from territory_lab.propensity.gaps import POPULARITY, gap_features
from territory_lab.propensity.metrics import Floats
from territory_lab.propensity.model import PropensityModel
from territory_lab.timeline import Rolling, Snapshot, data_end, rolling

LOOKBACK = pd.Timedelta(days=730)
_LEAST_LOOKBACK = pd.Timedelta(days=180)
_SNAPSHOTS = 4
_PRIOR = 20.0

_KEYS = ["account_id", "product_id"]


class Builder(NamedTuple):
    """
    How one kind of sale is looked at.

    Parameters
    ----------
    features : callable
        Snapshot -> DataFrame indexed by account_id, and product_id where the kind has products.
    label : callable
        (Snapshot, index of the features) -> DataFrame with bought and extra.
    """

    features: Callable[[Snapshot], pd.DataFrame]
    label: Callable[[Snapshot, Any], pd.DataFrame]

    def labelled(self, snapshot: Snapshot) -> pd.DataFrame:
        """
        Set features and labels side by side.

        Parameters
        ----------
        snapshot : Snapshot
            Its horizon must lie within the data.

        Returns
        -------
        DataFrame
            Keys, features, bought (1.0 or 0.0) and extra (amount where bought).
        """
        table = self.features(snapshot)
        return table.join(self.label(snapshot, table.index)).reset_index()


def builders(extra: pd.DataFrame | None = None) -> dict[str, Builder]:
    """
    Say how each kind of sale is looked at; the features of a snapshot are built once for all.

    Parameters
    ----------
    extra : DataFrame or None
        More columns by account_id, as in `account_features`.

    Returns
    -------
    dict of str to Builder
        ``upsell`` and ``cross_sell``.
    """

    @cache
    def accounts(snapshot: Snapshot) -> pd.DataFrame:
        return account_features(snapshot, extra)

    def gaps(snapshot: Snapshot) -> pd.DataFrame:
        return gap_features(snapshot, accounts(snapshot))

    return {
        "upsell": Builder(accounts, lambda snapshot, _: labels.upsell(snapshot)),
        "cross_sell": Builder(gaps, labels.cross_sell),
    }


@dataclass(frozen=True, eq=False)
class Learned:
    """
    One kind of sale, as it was learnt on one day: all that scoring needs.

    Parameters
    ----------
    model : PropensityModel
        Gives the chance within the horizon.
    worth : Series
        What a purchase is worth relative to the customer's size, by product; one entry named "" without products.
    other_worth : float
        The same for products not seen then.
    share : float
        Share that bought: what everybody gets where the model has no signal.
    seasons : tuple of float
        Least and greatest season of all customers seen: four seasons tell nothing of a fifth.
    as_of : Timestamp
        No event from this day on was looked at.
    lookback, horizon : Timedelta
        As in `Snapshot`.
    snapshots : tuple of Timestamp
        Dates it was learnt on.
    """

    model: PropensityModel
    worth: pd.Series
    other_worth: float
    share: float
    seasons: tuple[float, float]
    as_of: pd.Timestamp
    lookback: pd.Timedelta
    horizon: pd.Timedelta
    snapshots: tuple[pd.Timestamp, ...]

    def snapshot(self, tables: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Snapshot:
        """
        Look at a day as was done in learning.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            Tables by name.
        as_of : Timestamp
            The day.

        Returns
        -------
        Snapshot
            With this lookback and horizon.
        """
        return Snapshot(tables, as_of, self.lookback, self.horizon)

    def held(self, rows: pd.DataFrame) -> pd.DataFrame:
        """
        Hold the season of all customers within those seen.

        Parameters
        ----------
        rows : DataFrame
            From the kind's `Builder`.

        Returns
        -------
        DataFrame
            The same rows.
        """
        return rows.assign(season_all=rows["season_all"].clip(*self.seasons))

    def foretell(self, rows: pd.DataFrame) -> Floats:
        """
        Give the probability of a purchase; the base rate where the model has no signal.

        A ranking by chance is not given out as a score.

        Parameters
        ----------
        rows : DataFrame
            From the kind's `Builder`.

        Returns
        -------
        array of shape (n,)
            Probabilities, in the order of the rows.
        """
        columns = list(self.model.feature_names_in_)
        rows = self.held(rows)
        p = self.model.predict_proba(rows.drop(columns=[name for name in rows if name not in columns]))[:, 1]
        return p if self.model.verdict == "signal" else np.full(len(rows), self.share)

    def amount(self, rows: pd.DataFrame) -> Floats:
        """
        Say what a purchase brings.

        Parameters
        ----------
        rows : DataFrame
            From the kind's `Builder`.

        Returns
        -------
        array of shape (n,)
            Amounts, in the order of the rows.
        """
        worth = self.worth.reindex(_product(rows)).fillna(self.other_worth)
        return np.asarray(_size(rows) * worth.to_numpy(), dtype=float)

    def save(self, folder: str | os.PathLike[str], **about: object) -> None:
        """
        Save it as the folder of its model.

        Parameters
        ----------
        folder : path
            As in `PropensityModel.save`.
        **about : object
            Plain values to be kept with it.
        """
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "model"}
        self.model.save(folder, {"learned": own, "about": about})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """
        Load what was saved.

        Parameters
        ----------
        folder : path
            From `save`.

        Returns
        -------
        Learned
            It scores the same, to the last bit.

        Raises
        ------
        BadInput
            Where the folder was changed, or holds a model alone.
        """
        model = PropensityModel.load(folder)
        if not isinstance(model.notes_, dict) or "learned" not in model.notes_:
            problem = "holds a model without what scoring a company needs"
            raise BadInput([Fault(Path(folder).name, "notes.json", "", problem, "train it by `territory-lab retrain`")])
        return cls(model=model, **model.notes_["learned"])


def learn(
    tables: Mapping[str, pd.DataFrame],
    as_of: pd.Timestamp | None = None,
    *,
    horizon_d: int = 90,
    extra: pd.DataFrame | None = None,
    seed: int = 0,
) -> dict[str, Learned]:
    """
    Learn upsell and cross-sell on past snapshots.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        accounts and orders; products, opportunities and calls where there are any.
    as_of : Timestamp or None
        The day it is learnt; None: the end of the data. Later events are not looked at.
    horizon_d : int
        Days the probabilities are about.
    extra : DataFrame or None
        More columns by account_id, as in `account_features`.
    seed : int
        For the models.

    Returns
    -------
    dict of str to Learned
        ``upsell`` and, where orders name products, ``cross_sell``.

    Raises
    ------
    BadInput
        Where the history of orders is too short to learn from.
    """
    today = as_of if as_of is not None else data_end(tables)
    past = _learnable(tables, today, pd.Timedelta(days=horizon_d))
    build = builders(extra)
    return {kind: _learn(past, today, build[kind], seed) for kind in kinds(tables)}


def kinds(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """
    Say which kinds of sale the tables can tell of.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        With orders.

    Returns
    -------
    list of str
        ``upsell`` and, where orders name more than one product, ``cross_sell``.
    """
    named = tables["orders"].get("product_id", pd.Series(dtype="str")).dropna().unique()
    return ["upsell", "cross_sell"] if len(named) > 1 else ["upsell"]


def parents(tables: Mapping[str, pd.DataFrame], account_ids: pd.Series) -> pd.Series:
    """
    Name the parent of each account, or the account itself.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        With accounts.
    account_ids : Series
        Of the rows.

    Returns
    -------
    Series
        What is held together in splits and intervals.
    """
    accounts = tables["accounts"].set_index("account_id")
    if "parent_id" not in accounts:
        return account_ids
    return account_ids.map(accounts["parent_id"]).fillna(account_ids)


def _learnable(tables: Mapping[str, pd.DataFrame], today: pd.Timestamp, horizon: pd.Timedelta) -> Rolling:
    """Take the latest snapshots whose horizons have ended, one horizon apart, with as long a lookback as they allow."""
    dates = tables["orders"]["order_date"]
    dates = dates[dates < today]
    span = today - dates.min() if len(dates) else pd.Timedelta(0)
    lookback = min(LOOKBACK, span - _SNAPSHOTS * horizon)
    if lookback < _LEAST_LOOKBACK:
        need = (_LEAST_LOOKBACK + _SNAPSHOTS * horizon).days
        problem = f"{span.days} days of orders before {today:%Y-%m-%d} are too few to learn from"
        raise BadInput([Fault("orders", "order_date", "", problem, f"give at least {need} days, or a shorter horizon")])
    return rolling(tables, [today - turn * horizon for turn in range(_SNAPSHOTS, 0, -1)], lookback, horizon)


def _learn(past: Rolling, today: pd.Timestamp, build: Builder, seed: int) -> Learned:
    """Learn one kind."""
    first = past.snapshots[0]
    rows = past.frame(build.labelled)
    X = rows.drop(columns=[*_KEYS, "bought", "extra", "as_of"], errors="ignore")
    base = POPULARITY if "popularity" in X else RECENCY_FREQUENCY
    model = PropensityModel(seed=seed, base_columns=base, embargo=first.horizon)
    model.fit(X, rows["bought"], groups=parents(first.tables, rows["account_id"]), times=rows["as_of"])
    worth, other = _worth(rows)
    dates = tuple(snapshot.as_of for snapshot in past.snapshots)
    share, season = float(rows["bought"].mean()), rows["season_all"]
    seasons = float(season.min()), float(season.max())
    return Learned(model, worth, other, share, seasons, today, first.lookback, first.horizon, dates)


def _size(rows: pd.DataFrame) -> pd.Series:
    """Say how large a customer's orders are: the usual amount of a horizon, or one mean order where that is more."""
    return pd.Series(np.expm1(rows[["log_usual", "log_order"]].max(axis=1)))


def _product(rows: pd.DataFrame) -> pd.Series:
    """Tell rows apart whose purchases differ in worth: by product for gaps."""
    return rows["product"] if "product" in rows else pd.Series("", rows.index)


def _worth(rows: pd.DataFrame) -> tuple[pd.Series, float]:
    """Say what a purchase is worth relative to the customer's size, by product; few purchases lean on all of them."""
    bought = rows[rows["bought"] > 0]
    sums = pd.DataFrame({"extra": bought["extra"], "size": _size(bought), "n": 1.0}).groupby(_product(bought)).sum()
    overall = float(sums["extra"].sum() / max(sums["size"].sum(), 1e-9))
    own = sums["extra"] / sums["size"].clip(lower=1e-9)
    trust = sums["n"] / (sums["n"] + _PRIOR)
    return trust * own + (1 - trust) * overall, overall
