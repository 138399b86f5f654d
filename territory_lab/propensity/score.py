"""From tables to scores: two models learnt on past snapshots, applied to every customer of today."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import labels
from territory_lab.propensity.features import POPULARITY, RECENCY_FREQUENCY, account_features, product_features
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.value import YEAR_D, Forecast, forecast_revenue
from territory_lab.timeline import Rolling, Snapshot, data_end, rolling

LOOKBACK = pd.Timedelta(days=730)
_LEAST_LOOKBACK = pd.Timedelta(days=180)
_SNAPSHOTS = 4
_PRIOR = 20.0

_GAP_COLUMNS = [
    *("affinity", "strongest_lift", "popularity", "sector_popularity", "open_opportunity", "product"),
    *(
        "recency_d",
        "orders",
        "overdue",
        "tenure_d",
        "log_order",
        "log_usual",
        "trend",
        "season_all",
        "products",
        "sector",
    ),
    *("log_employees", "opportunities_open", "opportunities_won", "opportunity_d", "calls"),
]


@dataclass(frozen=True)
class Scored:
    """
    Scores of today, and the models behind them.

    Parameters
    ----------
    propensity : DataFrame
        account_id, product_id (missing for upsell), kind (upsell | cross_sell), probability within the horizon,
        expected_revenue (probability x amount where bought); sorted by expected revenue, highest first.
    models : dict of str to PropensityModel
        By kind: ``upsell`` and, where orders name products, ``cross_sell``; each with card, ``calibration_``,
        ``gains_`` and ``metrics_``.
    as_of : Timestamp
        The day of the scores.
    horizon : Timedelta
        What the probabilities are about.
    snapshots : tuple of Timestamp
        Dates the models were learnt on.
    """

    propensity: pd.DataFrame
    models: dict[str, PropensityModel]
    as_of: pd.Timestamp
    horizon: pd.Timedelta
    snapshots: tuple[pd.Timestamp, ...]


def score_accounts(
    tables: Mapping[str, pd.DataFrame],
    as_of: pd.Timestamp | None = None,
    *,
    horizon_d: int = 90,
    extra: pd.DataFrame | None = None,
    seed: int = 0,
) -> Scored:
    """
    Learn upsell and cross-sell on past snapshots and score every customer.

    Where the verdict is "no signal" everybody gets the base rate: a ranking by chance is not given out as a score.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        accounts and orders; products, opportunities and calls where there are any.
    as_of : Timestamp or None
        The day of the scores; None: the end of the data. Later events are not looked at.
    horizon_d : int
        Days the probabilities are about.
    extra : DataFrame or None
        More columns by account_id, as in `account_features`.
    seed : int
        For the models.

    Returns
    -------
    Scored
        Scores, models, dates.

    Raises
    ------
    BadInput
        Where the history of orders is too short to learn from.
    """
    horizon = pd.Timedelta(days=horizon_d)
    today = as_of if as_of is not None else data_end(tables)
    past = _learnable(tables, today, horizon)
    now = Snapshot(tables, today, past.snapshots[0].lookback, horizon)

    @cache
    def accounts(snapshot: Snapshot) -> pd.DataFrame:
        return account_features(snapshot, extra)

    def gaps(snapshot: Snapshot) -> pd.DataFrame:
        found = product_features(snapshot, accounts(snapshot))
        return found[[column for column in _GAP_COLUMNS if column in found]]

    models, parts = {}, []
    models["upsell"], part = _learn_and_score(past, now, accounts, lambda shot, _: labels.upsell(shot), seed)
    parts.append(part.assign(kind="upsell"))
    if "product_id" in tables["orders"] and tables["orders"]["product_id"].notna().any():
        models["cross_sell"], part = _learn_and_score(
            past, now, gaps, lambda shot, pairs: labels.cross_sell(shot, pd.MultiIndex.from_frame(pairs)), seed
        )
        parts.append(part.assign(kind="cross_sell"))
    columns = ["account_id", "product_id", "kind", "probability", "expected_revenue"]
    table = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    table["product_id"] = table["product_id"].astype("str")
    table = table.sort_values(["expected_revenue", "account_id", "product_id"], ascending=[False, True, True])
    dates = tuple(snapshot.as_of for snapshot in past.snapshots)
    return Scored(table.reset_index(drop=True), models, today, horizon, dates)


def potential(
    tables: Mapping[str, pd.DataFrame],
    scored: Scored,
    *,
    fit: pd.Series | None = None,
    base: Forecast | None = None,
) -> pd.Series:
    """
    Say what every account could bring in over the next twelve months.

    Customers: the revenue expected of them as they are (`forecast_revenue`, chosen on a hold-out), the expected
    revenue of closing gaps for a year, and that of buying more than usual, for one horizon only since part of it is
    chance. Prospects: the chance that they fit, times what customers of their sector and size order in a year. It is
    what selling time can act on, not a forecast of sales.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        accounts and orders.
    scored : Scored
        From `score_accounts`.
    fit : Series or None
        Probability by account_id that a prospect is worth having (ideal customer profile); None: the share of
        accounts that are customers.
    base : Forecast or None
        Revenue expected of customers over a year; None: made here.

    Returns
    -------
    Series
        ``potential`` in the workspace's currency, indexed by account_id in the order of the accounts.
    """
    accounts = tables["accounts"].set_index("account_id")
    base = base or forecast_revenue(tables["orders"], scored.as_of)
    yearly = pd.Timedelta(days=YEAR_D) / scored.horizon
    times = scored.propensity["kind"].map({"upsell": 1.0, "cross_sell": yearly})
    growth = (scored.propensity["expected_revenue"] * times).groupby(scored.propensity["account_id"]).sum()
    ours = accounts.index.isin(base.expected.index)
    chance = fit.reindex(accounts.index).fillna(0.0) if fit is not None else pd.Series(ours.mean(), accounts.index)
    if ((chance < 0) | (chance > 1)).any():
        raise BadInput([Fault("fit", "", "", "probabilities lie between 0 and 1", "give probabilities, not scores")])
    alike = _spend_alike(accounts, base.expected.reindex(accounts.index))
    worth = base.expected.add(growth, fill_value=0.0).reindex(accounts.index)
    return worth.where(ours, chance * alike).fillna(0.0).rename("potential")


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


def _learn_and_score(
    past: Rolling,
    now: Snapshot,
    build: Callable[[Snapshot], pd.DataFrame],
    label: Callable[[Snapshot, pd.DataFrame], pd.DataFrame],
    seed: int,
) -> tuple[PropensityModel, pd.DataFrame]:
    """Learn one model on the past and apply it to today: keys, probability and expected revenue."""

    def labelled(snapshot: Snapshot) -> pd.DataFrame:
        table = build(snapshot)
        found = label(snapshot, table.index.to_frame(index=False))
        return table.join(found).reset_index()

    keys = ["account_id", "product_id"]
    rows = past.frame(labelled)
    X = rows.drop(columns=[*keys, "bought", "extra", "as_of"], errors="ignore")
    base = POPULARITY if "popularity" in X else RECENCY_FREQUENCY
    model = PropensityModel(seed=seed, base_columns=base, embargo=now.horizon)
    model.fit(X, rows["bought"], groups=_parents(now, rows["account_id"]), times=rows["as_of"])
    today = build(now).reset_index()
    seen = X["season_all"]
    today["season_all"] = today["season_all"].clip(seen.min(), seen.max())  # four seasons tell nothing of a fifth
    if model.verdict == "signal":
        p = model.predict_proba(today[X.columns])[:, 1]
    else:
        p = np.full(len(today), rows["bought"].mean())
    scores = today[[key for key in keys if key in today]].assign(probability=p)
    return model, scores.assign(expected_revenue=p * _size(today) * _worth(rows).reindex(_kind(today)).to_numpy())


def _parents(snapshot: Snapshot, account_ids: pd.Series) -> pd.Series:
    """Name the parent of each account, or the account itself."""
    accounts = snapshot.tables["accounts"].set_index("account_id")
    if "parent_id" not in accounts:
        return account_ids
    return account_ids.map(accounts["parent_id"]).fillna(account_ids)


def _size(rows: pd.DataFrame) -> pd.Series:
    """Say how large a customer's orders are: the usual amount of a horizon, or one mean order where that is more."""
    return pd.Series(np.expm1(rows[["log_usual", "log_order"]].max(axis=1)))


def _kind(rows: pd.DataFrame) -> pd.Series:
    """Tell rows apart whose purchases differ in worth: by product for gaps."""
    return rows["product"] if "product" in rows else pd.Series("", rows.index)


def _worth(rows: pd.DataFrame) -> pd.Series:
    """Say what a purchase is worth relative to the customer's size, by product; few purchases lean on all of them."""
    bought = rows[rows["bought"] > 0]
    sums = pd.DataFrame({"extra": bought["extra"], "size": _size(bought), "n": 1.0}).groupby(_kind(bought)).sum()
    overall = sums["extra"].sum() / max(sums["size"].sum(), 1e-9)
    own = sums["extra"] / sums["size"].clip(lower=1e-9)
    trust = sums["n"] / (sums["n"] + _PRIOR)
    return (trust * own + (1 - trust) * overall).reindex(_kind(rows).unique(), fill_value=overall)


def _spend_alike(accounts: pd.DataFrame, expected: pd.Series) -> pd.Series:
    """Average the revenue expected of customers of the same sector and size; small cells lean on larger ones."""
    overall = float(expected.mean()) if expected.notna().any() else 0.0
    alike = pd.Series(overall, accounts.index)
    keys: list[pd.Series] = []
    if "sector" in accounts:
        keys.append(accounts["sector"].fillna(""))
    if "employees" in accounts:
        keys.append(np.floor(np.log2(accounts["employees"].clip(lower=1))).fillna(-1))
    for depth in range(1, len(keys) + 1):
        cell = expected.groupby(keys[:depth])
        trust = cell.transform("count") / (cell.transform("count") + _PRIOR)
        alike = trust * cell.transform("mean").fillna(0.0) + (1 - trust) * alike
    return alike
