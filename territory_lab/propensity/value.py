"""What customers will order: purchases that slow and stop (BG/NBD), times what one is worth (gamma-gamma)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.metrics import Floats

YEAR_D = 365.0
_Z_90 = 1.645
_GROUPS = 10
_TAIL = 0.05


class BuyTillYouDie(NamedTuple):
    """
    The BG/NBD model of repeat purchases (Fader, Hardie and Lee 2005).

    Parameters
    ----------
    r, alpha : float
        Gamma distribution of purchase rates over customers.
    a, b : float
        Beta distribution of the chance to stop after a purchase.
    """

    r: float
    alpha: float
    a: float
    b: float

    def expected(self, repeats: Floats, last: Floats, age: Floats, horizon: float) -> Floats:
        """
        Expect purchases in the time to come (their equation 10).

        Parameters
        ----------
        repeats : array
            Purchases after the first.
        last, age : array
            From the first purchase to the last, and to today, in the time unit of the fit.
        horizon : float
            Time to come.

        Returns
        -------
        array
            Expected number of purchases.
        """
        r, alpha, a, b = self
        share = horizon / (alpha + age + horizon)
        fading = hyp2f1(r + repeats, b + repeats, a + b + repeats - 1, share)
        rising = 1 - ((alpha + age) / (alpha + age + horizon)) ** (r + repeats) * fading
        ratio = np.exp((r + repeats) * (np.log(alpha + age) - np.log(alpha + last)))
        gone = np.where(repeats > 0, a / (b + np.maximum(repeats, 1) - 1) * ratio, 0.0)
        return np.asarray((a + b + repeats - 1) / (a - 1) * rising / (1 + gone))


def fit_purchases(repeats: Floats, last: Floats, age: Floats) -> BuyTillYouDie:
    """
    Fit the BG/NBD model by maximum likelihood.

    Parameters
    ----------
    repeats : array
        Purchases after the first.
    last, age : array
        From the first purchase to the last, and to today, in any one unit of time.

    Returns
    -------
    BuyTillYouDie
        The four parameters, in that unit.
    """
    rows, count = np.unique(np.column_stack([repeats, last, age]), axis=0, return_counts=True)
    unit = max(float(age.max()), 1e-9)
    x, tx, t = rows[:, 0], rows[:, 1] / unit, rows[:, 2] / unit

    def loss(logs: Floats) -> float:
        r, alpha, a, b = np.exp(logs)
        common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        alive = -(r + x) * np.log(alpha + t)
        dead = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + tx)
        both = np.where(x > 0, np.logaddexp(alive, dead), alive)
        return float(1e-4 * logs @ logs - count @ (common + both) / count.sum())

    found = minimize(loss, np.log([1.0, 0.5, 0.5, 2.0]), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-4})
    r, alpha, a, b = np.exp(found.x)
    return BuyTillYouDie(float(r), float(alpha * unit), float(a), float(b))


class Spend(NamedTuple):
    """
    The gamma-gamma model of the value of a purchase (Fader and Hardie 2013).

    Parameters
    ----------
    p, q, scale : float
        Shape within customers, shape over customers, and scale over customers.
    """

    p: float
    q: float
    scale: float

    def expected(self, purchases: Floats, mean: Floats) -> Floats:
        """
        Expect the value of a customer's next purchase: between its own mean and everybody's.

        Parameters
        ----------
        purchases : array
            Number seen.
        mean : array
            Their mean value.

        Returns
        -------
        array
            Expected value.
        """
        return np.asarray(self.p * (self.scale + purchases * mean) / (self.p * purchases + self.q - 1))


def fit_spend(purchases: Floats, mean: Floats) -> Spend:
    """
    Fit the gamma-gamma model by maximum likelihood.

    Parameters
    ----------
    purchases : array
        Number seen, above zero.
    mean : array
        Their mean value, above zero.

    Returns
    -------
    Spend
        The three parameters.
    """
    unit = float(mean.mean())
    x, z = purchases, mean / unit

    def loss(logs: Floats) -> float:
        p, scale = np.exp(logs[[0, 2]])
        q = 1 + np.exp(logs[1])
        terms = q * np.log(scale) + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(scale + x * z)
        return float(1e-4 * logs @ logs - np.mean(terms - betaln(p * x, q)))

    found = minimize(loss, np.log([2.0, 2.0, 1.0]), method="Nelder-Mead", options={"maxiter": 2000, "xatol": 1e-4})
    p, rest, scale = np.exp(found.x)
    return Spend(float(p), float(1 + rest), float(scale * unit))


@dataclass(frozen=True)
class Forecast:
    """
    Revenue expected of each customer.

    Parameters
    ----------
    expected : Series
        Amount over the horizon, by account_id.
    interval : DataFrame
        By account_id: low and high, between which 90 % of amounts should lie, and sd, the standard deviation; from
        what customers with a like forecast ordered in the last horizon (conformal by group: Vovk 2012). Missing where
        the history is too short for a hold-out.
    method : str
        The one of ``holdout`` that erred least.
    holdout : DataFrame
        By method: mae (per customer), mae_share (of the mean), total_ratio (forecast / actual), on the last horizon.
    """

    expected: pd.Series
    interval: pd.DataFrame
    method: str
    holdout: pd.DataFrame

    def summed(self, groups: pd.Series) -> pd.DataFrame:
        """
        Sum the forecast to units or territories, with the interval of each sum.

        Customers err independently, and all of them together as far as the total was off in the hold-out.

        Parameters
        ----------
        groups : Series
            Unit of each account, by account_id; accounts without one are left out.

        Returns
        -------
        DataFrame
            By unit: expected, low and high (90 %).
        """
        of = groups.reindex(self.expected.index)
        total = self.expected.groupby(of).sum()
        own = (self.interval["sd"] ** 2).groupby(of).sum(min_count=1)
        off = float(self.holdout["total_ratio"].get(self.method, np.nan)) - 1
        reach = _Z_90 * np.sqrt(own + (off * total) ** 2)
        return pd.DataFrame({"expected": total, "low": (total - reach).clip(lower=0), "high": total + reach})


def forecast_revenue(
    orders: pd.DataFrame, as_of: pd.Timestamp, horizon_d: float = YEAR_D, *, method: str | None = None
) -> Forecast:
    """
    Forecast what every customer will order, by the method that did best on the last horizon.

    Parameters
    ----------
    orders : DataFrame
        account_id, order_date, amount; only those before ``as_of`` are used.
    as_of : Timestamp
        Today.
    horizon_d : float
        Days ahead.
    method : {"last_year", "buy_till_you_die"} or None
        The one to use; None: the one that did best.

    Returns
    -------
    Forecast
        For every account with an order before ``as_of``.

    Raises
    ------
    BadInput
        Where there are no orders before ``as_of``.
    """
    past = orders[(orders["order_date"] < as_of) & (orders["amount"] > 0)]
    if past.empty:
        raise BadInput([Fault("orders", "order_date", "", f"no orders before {as_of:%Y-%m-%d}", "add earlier orders")])
    cut = as_of - pd.Timedelta(days=horizon_d)
    known, later = past[past["order_date"] < cut], past[past["order_date"] >= cut]
    holdout = pd.DataFrame({"mae": {}, "mae_share": {}, "total_ratio": {}}, dtype=float).rename_axis("method")
    tried = METHODS if method is None else {method: METHODS[method]}
    method, actual, foretold = method or "last_year", pd.Series(dtype=float), {}
    if known["account_id"].nunique() >= 50 and not later.empty:
        foretold = {name: forecast(known, cut, horizon_d) for name, forecast in tried.items()}
        actual = later.groupby("account_id")["amount"].sum()
        actual = actual.reindex(next(iter(foretold.values())).index, fill_value=0.0)
        error = {name: float((values - actual).abs().mean()) for name, values in foretold.items()}
        ratio = {name: float(values.sum() / actual.sum()) for name, values in foretold.items()}
        holdout = pd.DataFrame({"mae": error, "mae_share": pd.Series(error) / actual.mean(), "total_ratio": ratio})
        holdout = holdout.rename_axis("method")
        method = str((holdout["mae_share"] + (holdout["total_ratio"] - 1).abs()).idxmin())
    expected = METHODS[method](past, as_of, horizon_d).rename("expected")
    return Forecast(expected, _interval(expected, foretold.get(method), actual), method, holdout)


def _interval(expected: pd.Series, foretold: pd.Series | None, actual: pd.Series) -> pd.DataFrame:
    """Read the spread of each forecast off the hold-out: customers in ten groups by what was foretold of them."""
    if foretold is None:
        return pd.DataFrame(np.nan, index=expected.index, columns=["low", "high", "sd"])
    edges = np.unique(np.quantile(foretold, np.arange(1, _GROUPS) / _GROUPS))
    then, now = (np.searchsorted(edges, values, side="left") for values in (foretold, expected))
    rows = pd.DataFrame({"error": actual - foretold, "base": foretold, "group": then})
    group = rows.groupby("group")
    scale = group["base"].mean().clip(lower=1e-9)
    table = pd.DataFrame({"low": group["error"].quantile(_TAIL), "high": group["error"].quantile(1 - _TAIL)})
    table["sd"] = np.sqrt((rows["error"] ** 2).groupby(rows["group"]).mean())
    around = (
        table.div(scale, axis=0).reindex(now).set_axis(expected.index).mul(np.maximum(expected, scale.min()), axis=0)
    )
    return around.assign(low=(expected + around["low"]).clip(lower=0), high=expected + around["high"].clip(lower=0))


def _last_year(orders: pd.DataFrame, as_of: pd.Timestamp, horizon_d: float) -> pd.Series:
    """Expect what was ordered in the last year."""
    recent = orders[orders["order_date"] >= as_of - pd.Timedelta(days=YEAR_D)]
    ids = orders.groupby("account_id")["amount"].sum().index
    return recent.groupby("account_id")["amount"].sum().reindex(ids, fill_value=0.0) * (horizon_d / YEAR_D)


def _buy_till_you_die(orders: pd.DataFrame, as_of: pd.Timestamp, horizon_d: float) -> pd.Series:
    """Expect purchases by BG/NBD, each worth what gamma-gamma expects; orders of one day are one purchase."""
    days = orders.groupby(["account_id", orders["order_date"].dt.normalize()])["amount"].sum().reset_index()
    account = days.groupby("account_id")
    first, final = account["order_date"].min(), account["order_date"].max()
    count, mean = _floats(account.size()), _floats(account["amount"].mean())
    last, age = _floats((final - first).dt.days), _floats((as_of - first).dt.days)
    purchases = fit_purchases(count - 1, last, age).expected(count - 1, last, age, horizon_d)
    return pd.Series(np.multiply(purchases, fit_spend(count, mean).expected(count, mean)), index=first.index)


def _floats(values: pd.Series) -> Floats:
    """Take a column as plain floats."""
    return np.asarray(values, dtype=float)


METHODS: dict[str, Callable[[pd.DataFrame, pd.Timestamp, float], pd.Series]] = {
    "last_year": _last_year,
    "buy_till_you_die": _buy_till_you_die,
}
