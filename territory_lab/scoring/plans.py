"""One page per key account: what it holds, what is missing, what to do next, and what could go wrong."""

import numpy as np
import pandas as pd

_YEAR = pd.Timedelta(days=365)
_TOLD = 3  # products named in a line
_SHRINKING = -0.25  # relative to the year before
_QUIET = 3.0  # times the usual gap between orders
_OUT_OF_TOUCH_DAYS = 120


def account_plans(
    accounts: pd.DataFrame,
    orders: pd.DataFrame,
    as_of: pd.Timestamp,
    *,
    products: pd.DataFrame | None = None,
    propensity: pd.DataFrame | None = None,
    opportunities: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    Gather what a rep needs to know before speaking to a key account.

    Parameters
    ----------
    accounts : DataFrame
        The key accounts only, by account_id; name, owner_id and competitor where there.
    orders : DataFrame
        account_id, order_date, amount, product_id where there.
    as_of : Timestamp
        Today; later events are left out.
    products : DataFrame, optional
        product_id, name.
    propensity : DataFrame, optional
        account_id, product_id, kind (upsell or cross_sell), probability, expected_revenue.
    opportunities : DataFrame, optional
        account_id, stage, amount.
    calls : DataFrame, optional
        account_id, call_date.

    Returns
    -------
    DataFrame
        By account_id in the order given, name, owner_id and competitor first where known: spend (last 12 months),
        change (against the 12 months before, relative), holdings (products by spend, in words), last_order_days,
        usual_gap_days (median between orders); with propensity gaps (products not held, by expected revenue) and
        next_action; with opportunities open_amount; with calls contacts (last 12 months) and last_contact_days; and
        risk in words.
    """
    known = [one for one in ("name", "owner_id", "competitor") if one in accounts]
    plan = accounts[known].copy()
    past = orders[orders["account_id"].isin(plan.index) & (orders["order_date"] <= as_of)]
    year = past[past["order_date"] > as_of - _YEAR]
    before = past[(past["order_date"] <= as_of - _YEAR) & (past["order_date"] > as_of - 2 * _YEAR)]
    spend, earlier = (part.groupby("account_id")["amount"].sum().reindex(plan.index) for part in (year, before))
    plan["spend"] = spend.fillna(0.0)
    plan["change"] = plan["spend"] / earlier.where(earlier > 0) - 1
    names = None if products is None else products.set_index("product_id")["name"]
    if "product_id" in orders:
        held = year.groupby(["account_id", "product_id"])["amount"].sum().reset_index()
        plan["holdings"] = _told(held, "amount", names, plan.index)
    days = past.assign(day=past["order_date"].dt.normalize()).drop_duplicates(["account_id", "day"])
    days = days.sort_values(["account_id", "day"])
    gap = days.groupby("account_id")["day"].diff().dt.days
    plan["last_order_days"] = _days_since(past, "order_date", as_of, plan.index)
    plan["usual_gap_days"] = gap.groupby(days["account_id"]).median().reindex(plan.index)
    if propensity is not None:
        plan = plan.join(_next(propensity[propensity["account_id"].isin(plan.index)], names, plan.index))
    if opportunities is not None:
        still = opportunities[opportunities["stage"] == "open"]
        plan["open_amount"] = still.groupby("account_id")["amount"].sum().reindex(plan.index).fillna(0.0)
    if calls is not None:
        made = calls[calls["call_date"] <= as_of]
        recent = made[made["call_date"] > as_of - _YEAR].groupby("account_id").size()
        plan["contacts"] = recent.reindex(plan.index).fillna(0).astype("int64")
        plan["last_contact_days"] = _days_since(made, "call_date", as_of, plan.index)
    plan["risk"] = _risk(plan)
    return plan


def _told(table: pd.DataFrame, value: str, names: pd.Series | None, accounts: pd.Index) -> pd.Series:
    """Name each account's strongest products in one line."""
    best = table.sort_values(["account_id", value], ascending=[True, False], kind="stable")
    count = best.groupby("account_id").size()
    best = best.groupby("account_id").head(_TOLD)
    product = best["product_id"] if names is None else best["product_id"].map(names).fillna(best["product_id"])
    line = product.groupby(best["account_id"]).agg(", ".join)
    more = (count - _TOLD).clip(lower=0).reindex(line.index)
    line = line.where(more == 0, line + " and " + more.astype("str") + " more")
    return line.reindex(accounts).fillna("none")


def _next(propensity: pd.DataFrame, names: pd.Series | None, accounts: pd.Index) -> pd.DataFrame:
    """Say what is missing, and which offer is expected to bring most."""
    gaps = _told(propensity[propensity["kind"] == "cross_sell"], "expected_revenue", names, accounts)
    best = propensity.loc[propensity.groupby("account_id")["expected_revenue"].idxmax()].set_index("account_id")
    product = best["product_id"] if names is None else best["product_id"].map(names).fillna(best["product_id"])
    offer = ("offer " + product.astype("str")).where(best["kind"] == "cross_sell", "widen what is bought")
    percent = (100 * best["probability"]).round().astype("int64").astype("str")
    action = (offer + " (" + percent + " % likely)").reindex(accounts).fillna("keep in touch")
    return pd.DataFrame({"gaps": gaps, "next_action": action})


def _days_since(events: pd.DataFrame, date: str, as_of: pd.Timestamp, accounts: pd.Index) -> pd.Series:
    """Count the days since the last event."""
    days: pd.Series = (as_of - events.groupby("account_id")[date].max().reindex(accounts)).dt.days
    return days


def _risk(plan: pd.DataFrame) -> pd.Series:
    """Put the warning signs into words."""
    signs = {
        "buys less than a year ago": plan["change"] < _SHRINKING,
        "has not ordered for long": plan["last_order_days"] > _QUIET * plan["usual_gap_days"].clip(lower=1),
    }
    if "last_contact_days" in plan:
        signs["nobody calls"] = ~(plan["last_contact_days"] <= _OUT_OF_TOUCH_DAYS)
    if "competitor" in plan:
        signs["a competitor is inside"] = plan["competitor"].notna()
    seen = pd.DataFrame(signs).to_numpy(bool)
    words = np.array(list(signs))
    return pd.Series(["; ".join(words[row]) or "none seen" for row in seen], plan.index, dtype="str")
