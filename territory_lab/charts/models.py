"""Pictures of how far a model can be trusted: calibration, gains, comparison."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import FuncFormatter

from territory_lab.charts.customers import intervals, percent_axes, row_axes
from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say
from territory_lab.charts.tokens import ACCENT, BAR, INK, MUTED, PAPER, WASH, styled
from territory_lab.charts.words import band, count, in_currency, number, percent

_NEAR = 0.1
_MOST = 12


@styled
def calibration(bins: pd.DataFrame) -> Picture:
    """
    Draw what happened against what was predicted.

    Parameters
    ----------
    bins : DataFrame
        One row per bin of predictions: predicted, observed, low, high (shares), n.

    Returns
    -------
    Picture
        Points with intervals along the diagonal of perfect agreement.
    """
    rows = bins.dropna(subset=["predicted", "observed"]).sort_values("predicted")
    predicted, observed = (np.average(rows[name], weights=rows["n"]) for name in ("predicted", "observed"))
    inside = int(((rows["low"] <= rows["predicted"]) & (rows["predicted"] <= rows["high"])).sum())
    title = f"Predictions hold: {inside} of {len(rows)} groups came out as predicted, within chance"
    if inside < 0.7 * len(rows):
        side = "too low" if predicted < observed else "too high"
        title = f"Predictions run {side}: {percent(predicted)} predicted, {percent(observed)} came true"
    cases = count(rows["n"].sum())
    subtitle = f"Share that came true by predicted probability, with interval; {cases} cases not used for fitting"
    picture = Picture(title, subtitle, height=3.2)
    ax = picture.axes_below(left=0.6, bottom=0.55)
    end = min(1.0, 1.08 * float(rows[["predicted", "high"]].max().max()))
    ax.plot([0, end], [0, end], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.vlines(rows["predicted"], rows["low"], rows["high"], color=ACCENT, linewidth=1.4)
    sns.scatterplot(x=rows["predicted"], y=rows["observed"], ax=ax, color=ACCENT, s=36, linewidth=0, zorder=3)
    ax.set(xlim=(0, end), ylim=(0, end))
    percent_axes(ax)
    ax.set_xlabel(say("Predicted"))
    ax.annotate("as predicted", (end, end), (-2, -26), textcoords="offset points", ha="right", color=MUTED)
    return picture


@styled
def gains(curve: pd.DataFrame, worked: float = 0.2) -> Picture:
    """
    Draw how many of the buyers are reached by working the best-scored accounts first.

    Parameters
    ----------
    curve : DataFrame
        Columns share_worked and share_reached, cumulative from the highest score down.
    worked : float
        The share of the accounts that is marked.

    Returns
    -------
    Picture
        The curve against working in any order.
    """
    rows = curve.sort_values("share_worked")
    x, y = np.r_[0.0, rows["share_worked"]], np.r_[0.0, rows["share_reached"]]
    reached = float(np.interp(worked, x, y))
    title = f"Working the best-scored {percent(worked)} of accounts reaches {percent(reached)} of the buyers"
    if abs(reached - worked) < _NEAR * worked:
        title = "The scores do not find the buyers sooner than any order would"
    picture = Picture(title, "Share of buyers reached by share of accounts worked; dashed: in any order", height=3.2)
    ax = picture.axes_below(left=0.6, bottom=0.55)
    sns.lineplot(x=x, y=y, ax=ax, color=ACCENT, errorbar=None)
    ax.fill_between(x, x, y, color=WASH, linewidth=0)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.plot([worked, worked], [0, reached], color=INK, linewidth=0.7)
    ax.plot([worked], [reached], marker="o", color=INK, markersize=5)
    ax.annotate(percent(reached), (worked, reached), (-6, 5), textcoords="offset points", weight="bold", ha="right")
    percent_axes(ax)
    ax.set_xlabel(say("Accounts worked"))
    return picture


@styled
def reliability(comparison: pd.DataFrame) -> Picture:
    """
    Draw how well models rank the buyers, beside the simple rule each must beat.

    Parameters
    ----------
    comparison : DataFrame
        Columns model (a name), auc, low, high, base (AUC of the simple rule on the same cases) and gain_low (low end
        of the interval of the paired difference).

    Returns
    -------
    Picture
        Points with intervals, the rule as a hollow diamond; one half means no better than chance.
    """
    rows = comparison.sort_values("auc")
    ahead = [name for name, gain in zip(rows["model"], rows["gain_low"], strict=True) if gain > 0]
    title = (
        f"Clearly better than a simple rule: {', '.join(ahead)}" if ahead else "No model clearly beats a simple rule"
    )
    subtitle = "How often a buyer is ranked before another account (AUC), with interval; hollow diamond: simple rule"
    picture = Picture(title, subtitle, height=0.55 + 0.34 * len(rows))
    ax = row_axes(picture, list(rows["model"]), right=1.5)
    intervals(ax, rows["auc"], rows["low"], rows["high"], np.ones(len(rows), dtype=bool))
    ax.scatter(rows["base"], range(len(rows)), s=34, marker="D", c=PAPER, edgecolors=INK, linewidths=1.1, zorder=2)
    for at, (auc, low, high) in enumerate(rows[["auc", "low", "high"]].to_numpy()):
        text = band(auc, low, high, lambda x: number(x, 2))
        ax.annotate(text, (high, at), (6, 0), textcoords="offset points", va="center")
    ax.axvline(0.5, color=INK, linewidth=0.8)
    ax.annotate("chance", (0.5, len(rows) - 0.45), (3, 0), textcoords="offset points", color=MUTED, va="top")
    return picture


@styled
def profit(curve: pd.DataFrame, currency: str = "USD") -> Picture:
    """
    Draw what working the best-scored part of a list earns.

    Parameters
    ----------
    curve : DataFrame
        share_worked, profit and any_order, in money per 1,000 rows of the list.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Picture
        The curve against working in any order, its highest point marked.
    """
    form = in_currency(currency)
    best = curve.iloc[int(curve["profit"].argmax())]
    title = f"Profit is highest when the best-scored {percent(best['share_worked'])} are worked"
    if best["share_worked"] in (0.0, 1.0):
        title = "No part of the list pays for the calls" if best["share_worked"] == 0 else "The whole list pays"
    subtitle = f"Expected margin less the cost of calls, per {count(1_000)} rows, by share worked; dashed: in any order"
    picture = Picture(title, subtitle, height=3.0)
    ax = picture.axes_below(left=0.85, bottom=0.55, right=0.4)
    sns.lineplot(x=curve["share_worked"], y=curve["profit"], ax=ax, color=ACCENT, errorbar=None)
    ax.plot(curve["share_worked"], curve["any_order"], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.axhline(0, color=INK, linewidth=0.7)
    ax.plot([best["share_worked"]], [best["profit"]], marker="o", color=INK, markersize=5)
    at = best["share_worked"], best["profit"]
    ax.annotate(form(best["profit"]), at, (0, 8), textcoords="offset points", weight="bold", ha="center")
    ax.margins(y=0.16)
    percent_axes(ax, y=False)
    ax.set_xlabel("Worked")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: form(y)))
    return picture


@styled
def stability(periods: pd.DataFrame) -> Picture:
    """
    Draw how well a model ranked in each period, from what was known before it.

    Parameters
    ----------
    periods : DataFrame
        as_of, auc with low and high, foretold and bought (shares).

    Returns
    -------
    Picture
        Points with intervals in the order of time; beside them what was foretold and what was bought.
    """
    rows = periods.sort_values("as_of", ascending=False)
    steady = bool(rows["low"].max() <= rows["high"].min())
    spread = f"{number(rows['auc'].min(), 2)} to {number(rows['auc'].max(), 2)}"
    title = f"The ranking is steady: AUC {spread}" if steady else f"The ranking changes with time: AUC {spread}"
    subtitle = "How often a buyer is ranked before another (AUC), with interval, by first day of the period foretold"
    picture = Picture(title, subtitle, height=0.55 + 0.36 * len(rows))
    ax = row_axes(picture, [f"{date:%Y-%m-%d}" for date in rows["as_of"]], right=2.6)
    intervals(ax, rows["auc"], rows["low"], rows["high"], np.ones(len(rows), dtype=bool))
    for at, (high, foretold, bought) in enumerate(rows[["high", "foretold", "bought"]].to_numpy()):
        text = f"{percent(foretold)} foretold, {percent(bought)} bought"
        ax.annotate(text, (high, at), (8, 0), textcoords="offset points", va="center", annotation_clip=False)
    ax.axvline(0.5, color=INK, linewidth=0.8)
    return picture


@styled
def white_space(grid: pd.DataFrame, currency: str = "USD") -> Picture:
    """
    Draw by product how many customers own it, and what its gaps are worth.

    Parameters
    ----------
    grid : DataFrame
        One row per account and product: product (a name), status, expected_revenue.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Picture
        Bars of the share that owns it and the share being sold to, the product whose gaps are worth most on top.
    """
    share = pd.crosstab(grid["product"], grid["status"], normalize="index")
    share = share.reindex(columns=["owned", "open opportunity"], fill_value=0.0)
    worth = grid["expected_revenue"].where(grid["status"] == "gap").groupby(grid["product"]).sum()
    rows = share.join(worth).sort_values("expected_revenue").tail(_MOST)
    form = in_currency(currency)
    title = f"Most white space: {rows.index[-1]}, {form(rows['expected_revenue'].iloc[-1])} expected"
    subtitle = "Share of customers that own it (dark) or are offered it (light); right: expected revenue of all gaps"
    picture = Picture(title, subtitle, height=0.3 + 0.3 * len(rows))
    ax = row_axes(picture, [str(name) for name in rows.index], right=1.2)
    y = np.arange(len(rows))
    ax.barh(y, rows["owned"], height=0.62, color=BAR)
    ax.barh(y, rows["open opportunity"], left=rows["owned"], height=0.62, color=WASH)
    ax.set_xlim(0, 1)
    percent_axes(ax, y=False)
    for at, value in enumerate(rows["expected_revenue"]):
        ax.annotate(form(value), (1, at), (8, 0), textcoords="offset points", va="center", annotation_clip=False)
    return picture
