"""From tables to scores: what was learnt on past snapshots, applied to every customer of today."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.learning import Learned, builders, learn
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.value import YEAR_D, Forecast, forecast_revenue
from territory_lab.timeline import data_end

_PRIOR = 20.0


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
    features : dict of str to DataFrame
        By kind, the columns the models saw today, indexed by account_id or (account_id, product_id).
    """

    propensity: pd.DataFrame
    models: dict[str, PropensityModel]
    as_of: pd.Timestamp
    horizon: pd.Timedelta
    snapshots: tuple[pd.Timestamp, ...]
    features: dict[str, pd.DataFrame]


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
    return apply(learn(tables, as_of, horizon_d=horizon_d, extra=extra, seed=seed), tables, as_of, extra=extra)


def apply(
    learned: Mapping[str, Learned],
    tables: Mapping[str, pd.DataFrame],
    as_of: pd.Timestamp | None = None,
    *,
    extra: pd.DataFrame | None = None,
) -> Scored:
    """
    Score every customer with what was learnt, be it now or long ago.

    Parameters
    ----------
    learned : mapping of str to Learned
        By kind, at least one.
    tables : mapping of str to DataFrame
        As for `learn`.
    as_of : Timestamp or None
        The day of the scores; None: the end of the data.
    extra : DataFrame or None
        The columns that were given to `learn`.

    Returns
    -------
    Scored
        Scores, models, dates.

    Raises
    ------
    BadInput
        Where a column that a model needs is missing or cannot be read.
    """
    today = as_of if as_of is not None else data_end(tables)
    build = builders(extra)
    features = {
        kind: known.held(build[kind].features(known.snapshot(tables, today))) for kind, known in learned.items()
    }
    parts = []
    for kind, known in learned.items():
        rows = features[kind].reset_index()
        p = known.foretell(rows)
        keys = rows.reindex(columns=["account_id", "product_id"])
        parts.append(keys.assign(kind=kind, probability=p, expected_revenue=p * known.amount(rows)))
    table = pd.concat(parts, ignore_index=True)
    table["product_id"] = table["product_id"].astype("str")
    table = table.sort_values(["expected_revenue", "account_id", "product_id"], ascending=[False, True, True])
    first = next(iter(learned.values()))
    models = {kind: known.model for kind, known in learned.items()}
    return Scored(table.reset_index(drop=True), models, today, first.horizon, first.snapshots, features)


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
