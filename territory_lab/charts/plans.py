"""Pictures of a plan: balance, headcount, quotas, performance."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import FuncFormatter, MaxNLocator

from territory_lab.charts.customers import row_axes
from territory_lab.charts.picture import Picture
from territory_lab.charts.tokens import ACCENT, GOOD, HAIRLINE, INK, MUTED, PAPER, QUIET, SEQUENTIAL, TROUBLE, styled
from territory_lab.charts.words import in_currency, number, percent, plural

_MOST, _ROW_IN = 40, 0.2
_VERDICTS = {"strong": (GOOD, "^"), "as expected": (MUTED, "o"), "troubled": (TROUBLE, "v")}


@styled
def balance(before: pd.Series, after: pd.Series, tolerance: float = 0.1, what: str = "workload") -> Picture:
    """
    Draw how far each territory is from its share, today and in the proposal.

    Parameters
    ----------
    before, after : Series
        Deviation from target by territory_id, as a share: 0.2 is a fifth too much.
    tolerance : float
        Half the width of the band that is accepted, as a share.
    what : str
        What is balanced.

    Returns
    -------
    Picture
        One row per territory, today's point joined to the proposed one; at most the 40 that are furthest off today.
    """
    rows = pd.DataFrame({"before": before, "after": after}).dropna(how="all")
    off_before, off_after = ((rows[name].abs() > tolerance + 5e-4).sum() for name in rows)
    kept = rows.loc[rows.abs().max(axis=1).nlargest(_MOST).index].sort_values(["before", "after"])
    band = f"±{percent(tolerance)}"
    off = f"{off_before} of {len(rows)} territories are more than {percent(tolerance)} off their share today"
    title = f"{off}, {off_after} in the proposal"
    cut = f"; the {_MOST} furthest off" if len(rows) > _MOST else ""
    subtitle = f"{what.capitalize()} against target by territory{cut}; hollow: today, filled: proposed; shaded: {band}"
    picture = Picture(title, subtitle, height=0.45 + _ROW_IN * len(kept))
    ax = row_axes(picture, [str(name) for name in kept.index])
    y = np.arange(len(kept))
    ax.axvspan(-tolerance, tolerance, color=QUIET, linewidth=0, zorder=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.hlines(y, kept["before"], kept["after"], color=HAIRLINE, linewidth=2)
    ax.scatter(kept["before"], y, s=26, c=PAPER, edgecolors=MUTED, linewidths=1.2, zorder=3)
    ax.scatter(kept["after"], y, s=30, c=ACCENT, linewidths=0, zorder=4)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: percent(x, signed=True)))
    return picture


@styled
def sizing(sweep: pd.DataFrame, today: int | None = None, currency: str = "USD") -> Picture:
    """
    Draw profit by number of territories.

    Parameters
    ----------
    sweep : DataFrame
        Columns territories and profit, with profit_low and profit_high where known; money per year.
    today : int, optional
        The number of territories today.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Picture
        The curve with its band; the best number and today's marked.
    """
    rows = sweep.sort_values("territories")
    best = rows.iloc[int(rows["profit"].argmax())]
    near = rows[rows["profit"] >= best["profit"] - 0.01 * abs(best["profit"])]["territories"]
    title = f"Profit is highest at {plural(int(best['territories']), 'territory')}"
    if best["territories"] == rows["territories"].max():
        title = f"Profit still rises at {plural(int(best['territories']), 'territory')}, the most that were tried"
    elif near.min() < near.max():
        title += f", within 1 % of that from {near.min():.0f} to {near.max():.0f}".replace(" %", "\u00a0%")
    reference = f"; today {today}" if today is not None else ""
    picture = Picture(title, f"Yearly profit after selling cost by number of territories{reference}; shaded: interval")
    ax = picture.axes_below(left=0.85, bottom=0.55, right=0.5)
    if {"profit_low", "profit_high"} <= set(rows):
        ax.fill_between(rows["territories"], rows["profit_low"], rows["profit_high"], color=SEQUENTIAL[0], linewidth=0)
    sns.lineplot(x=rows["territories"], y=rows["profit"], ax=ax, color=ACCENT, errorbar=None)
    marks = [(best["territories"], best["profit"], "best")]
    if today is not None and today != best["territories"]:
        marks.append((today, float(np.interp(today, rows["territories"], rows["profit"])), "today"))
    for x, y, word in marks:
        ax.plot([x], [y], marker="o", color=ACCENT if word == "best" else INK, markersize=6)
        text = f"{word}: {x:.0f}, {in_currency(currency)(y)}"
        ax.annotate(text, (x, y), (0, 9 if word == "best" else -15), textcoords="offset points", ha="center")
    ax.margins(y=0.18)
    ax.set(xlabel="Territories", ylabel="")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: in_currency(currency)(y)))
    return picture


@styled
def quotas(frame: pd.DataFrame, currency: str = "USD") -> Picture:
    """
    Draw each territory's quota beside its sales of the year before.

    Parameters
    ----------
    frame : DataFrame
        Indexed by territory_id: history and quota, in money per year.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Picture
        Bars of quota, largest first, with last year's sales as a line; at most 40.
    """
    rows = frame.sort_values("quota").tail(_MOST)
    form = in_currency(currency)
    change = (frame["quota"] / frame["history"] - 1).replace([np.inf, -np.inf], np.nan).dropna()
    total = frame["quota"].sum() / frame["history"].sum() - 1 if frame["history"].sum() else float("nan")
    title = f"Quotas add up to {form(frame['quota'].sum())}"
    if len(change):
        spread = f"{percent(change.min(), signed=True)} to {percent(change.max(), signed=True)}"
        title += f", {percent(total, signed=True)} on last year; by territory {spread}"
    picture = Picture(title, "Yearly quota by territory; line: sales of the year before", 0.2 + _ROW_IN * len(rows))
    ax = row_axes(picture, [str(name) for name in rows.index], right=0.9, bottom=0.05)
    y = np.arange(len(rows))
    ax.barh(y, rows["quota"], height=0.66, color=SEQUENTIAL[2])
    ax.vlines(rows["history"], y - 0.42, y + 0.42, color=INK, linewidth=1.4)
    for at, (history, quota) in enumerate(rows[["history", "quota"]].to_numpy()):
        ax.annotate(form(quota), (max(history, quota), at), (5, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, 1.001 * rows[["quota", "history"]].max().max())
    ax.grid(visible=False)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)
    return picture


@styled
def performance(frame: pd.DataFrame) -> Picture:
    """
    Draw sales against what each territory's potential and workload would lead one to expect.

    Parameters
    ----------
    frame : DataFrame
        Indexed by territory_id: ratio (sales / expected), low, high, verdict (strong, as expected, troubled).

    Returns
    -------
    Picture
        Points with intervals around one, mark and colour by verdict; at most the 40 furthest from one.
    """
    kept = frame.loc[(frame["ratio"] - 1).abs().nlargest(_MOST).index].sort_values("ratio")
    counts = frame["verdict"].value_counts()
    strong, troubled = (int(counts.get(name, 0)) for name in ("strong", "troubled"))
    usual = len(frame) - strong - troubled
    title = f"{plural(strong, 'territory')} clearly strong, {troubled} in trouble; the other {usual} within chance"
    subtitle = "Sales ÷ expected sales for the same potential and workload, with interval; ▲ strong, ▼ troubled"
    picture = Picture(title, subtitle, height=0.45 + _ROW_IN * len(kept))
    ax = row_axes(picture, [str(name) for name in kept.index])
    ax.axvline(1, color=INK, linewidth=0.8)
    for verdict, (colour, mark) in _VERDICTS.items():
        at = np.flatnonzero(kept["verdict"] == verdict)
        rows = kept.iloc[at]
        ax.hlines(at, rows["low"], rows["high"], color=colour, linewidth=1.6)
        ax.scatter(rows["ratio"], at, s=34, color=colour, marker=mark, zorder=3)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x)))
    return picture
