"""Pictures of a plan: balance, headcount, quotas, performance."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from territory_lab.charts.customers import row_axes
from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say
from territory_lab.charts.tokens import (
    ACCENT,
    BAR,
    GOOD,
    HAIRLINE,
    INK,
    MUTED,
    PAPER,
    QUIET,
    TROUBLE,
    WASH,
    WIDTH_IN,
    styled,
)
from territory_lab.charts.words import in_currency, number, percent, plural

_MOST, _ROW_IN = 40, 0.2
_VERDICTS = {"strong": (GOOD, "^"), "as expected": (MUTED, "o"), "troubled": (TROUBLE, "v")}


@styled
def balance(before: pd.Series, after: pd.Series, tolerance: float) -> Picture:
    """
    Draw how far each territory's workload is from its share, today and in the proposal.

    Parameters
    ----------
    before, after : Series
        Deviation from target by territory_id, as a share: 0.2 is a fifth too much.
    tolerance : float
        Half the width of the band that is accepted, as a share.

    Returns
    -------
    Picture
        One row per territory, today's point joined to the proposed one; at most the 40 that are furthest off today.
    """
    rows = pd.DataFrame({"before": before, "after": after}).dropna(how="all")
    off_before, off_after = ((rows[name].abs() > tolerance + 5e-4).sum() for name in rows)
    off = f"{off_before} of {len(rows)} territories are more than {percent(tolerance)} off their share today"
    cut = f"; the {_MOST} furthest off" if len(rows) > _MOST else ""
    subtitle = f"Workload against target by territory{cut}; hollow: today, filled: proposed; "
    subtitle += f"shaded: ±{percent(tolerance)}"
    kept = _furthest(rows)
    picture = Picture(f"{off}, {off_after} in the proposal", subtitle, height=0.45 + _ROW_IN * len(kept))
    _dumbbells(row_axes(picture, [str(name) for name in kept.index]), kept, tolerance)
    return picture


@styled
def fairness(
    before: pd.DataFrame, after: pd.DataFrame, tolerance: float, names: Mapping[str, str], *, most: int = _MOST
) -> Picture:
    """
    Draw how far each territory is from the mean in several measures, side by side on one scale.

    Parameters
    ----------
    before, after : DataFrame
        Deviation from the mean by territory_id, as a share; a column per measure. ``before`` may lack some.
    tolerance : float
        Half the width of the band that is accepted in the first measure, as a share.
    names : mapping of str to str
        The measures drawn, and what they are called.
    most : int
        How many territories are drawn.

    Returns
    -------
    Picture
        A panel per measure, a row per territory, today's point joined to the proposed one; those furthest off in the
        first measure.
    """
    first = next(iter(names))
    known = before.reindex(index=after.index, columns=list(names)).astype(float)
    pairs = {name: pd.DataFrame({"before": known[name], "after": after[name]}) for name in names}
    order = _furthest(pairs[first], most).index
    title = f"{' and '.join(names.values())} by territory against the mean"
    subtitle = f"Deviation from the mean; hollow: today, filled: proposed; shaded: ±{percent(tolerance)}"
    picture = Picture(title, subtitle, height=0.7 + _ROW_IN * len(order))
    total, labels = picture.head + picture.body, [str(name)[:14] for name in order]
    start = 0.2 + 0.078 * max(map(len, labels), default=0)
    wide = (WIDTH_IN - start) / len(names)
    reach = max(float(np.nanmax(np.abs(pair.loc[order].to_numpy(float)), initial=0.05)) for pair in pairs.values())
    for at, (name, label) in enumerate(names.items()):
        place = ((start + at * wide) / WIDTH_IN, 0.35 / total, (wide - 0.2) / WIDTH_IN, (picture.body - 0.65) / total)
        ax = picture.add_axes(place)
        ax.set_yticks(range(len(order)), labels if at == 0 else [""] * len(order))
        ax.set(ylim=(-0.6, max(len(order), 1) - 0.4), xlim=(-1.08 * min(reach, 1.0), 1.08 * reach))
        ax.set_title(label, size=9, weight="bold", loc="left")
        _dumbbells(ax, pairs[name].loc[order], tolerance if name == first else 0.0)
        ax.xaxis.set_major_locator(MaxNLocator(4))
    return picture


def _furthest(rows: pd.DataFrame, most: int = _MOST) -> pd.DataFrame:
    """Keep the territories that are furthest off, from the lightest to the heaviest today."""
    kept = rows.loc[rows.abs().max(axis=1).nlargest(most).index]
    return kept.sort_values(["before", "after"], kind="stable")


def _dumbbells(ax: Axes, kept: pd.DataFrame, tolerance: float) -> None:
    """Join today's point to the proposed one, row by row, over the band that is accepted."""
    y = np.arange(len(kept))
    before, after = kept["before"].astype(float), kept["after"].astype(float)
    if tolerance:
        ax.axvspan(-tolerance, tolerance, color=QUIET, linewidth=0, zorder=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.hlines(y, before, after, color=HAIRLINE, linewidth=2)
    ax.scatter(before, y, s=26, c=PAPER, edgecolors=MUTED, linewidths=1.2, zorder=3)
    ax.scatter(after, y, s=30, c=ACCENT, linewidths=0, zorder=4)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: percent(x, signed=True)))


@styled
def frontier(levels: pd.DataFrame) -> Picture:
    """
    Draw what the best plan brings at each level of disruption.

    Parameters
    ----------
    levels : DataFrame
        As ``journey.trade_off`` has them: status, moved_share, mean_km, gain_share, gain_low, gain_high.

    Returns
    -------
    Picture
        A point with its interval for each plan; crosses where none was found, shaded where none exists.
    """
    plans = levels.dropna(subset=["gain_share"])
    missing = levels.set_index("status")["moved_share"]
    proven, late = (missing[missing.index == status] for status in ("proven impossible", "not found in time"))
    most = plans.iloc[-1]
    title = f"Moving {percent(most['moved_share'])} of the work brings {percent(most['gain_share'])} of sales"
    picture = Picture(title, "Expected gain, with interval, and mean distance, by share of the work that changes hands")
    ax = picture.axes_below(left=0.6, bottom=0.5, right=0.9)
    x, y = plans["moved_share"], plans["gain_share"]
    ax.vlines(x, plans["gain_low"], plans["gain_high"], color=BAR, linewidth=2.5)
    ax.plot(x, y, "o", color=ACCENT, markersize=7, clip_on=False)
    reach, up = float(x.max()) or 1.0, False
    for status, moved, km, gain in plans[["status", "moved_share", "mean_km", "gain_share"]].to_numpy():
        told = f"{say('today') if status == 'today' else percent(moved)}: {number(km)} {say('km')}"
        up = not up and bool(((x > moved) & (x < moved + 0.25 * reach)).any())  # the next would stand on it
        ax.annotate(told, (moved, gain), (8, 9 if up else 0), textcoords="offset points", va="center", weight="bold")
    ax.plot(late, np.zeros(len(late)), "x", color=MUTED)
    if len(proven):
        ax.axvspan(0, proven.max(), color=QUIET, zorder=0, linewidth=0)
        told, place = say("no plan within the tolerance"), ax.get_xaxis_transform()
        ax.text(proven.max() / 2, 0.97, told, transform=place, ha="center", va="top", color=MUTED)
    ax.set(xlabel=say("Work that changes hands"), ylabel="", xlim=(0, 1.2 * reach))
    ax.set_xticks([share for share in ax.get_xticks() if 0 <= share <= 1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
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
        ax.fill_between(rows["territories"], rows["profit_low"], rows["profit_high"], color=WASH, linewidth=0)
    sns.lineplot(x=rows["territories"], y=rows["profit"], ax=ax, color=ACCENT, errorbar=None)
    marks = [(best["territories"], best["profit"], "best")]
    if today is not None and today != best["territories"]:
        marks.append((today, float(np.interp(today, rows["territories"], rows["profit"])), "today"))
    for x, y, word in marks:
        ax.plot([x], [y], marker="o", color=ACCENT if word == "best" else INK, markersize=6)
        name = say("best") if word == "best" else say("today")
        text = f"{name}: {x:.0f}, {in_currency(currency)(y)}"
        ax.annotate(text, (x, y), (0, 9 if word == "best" else -15), textcoords="offset points", ha="center")
    ax.margins(y=0.18)
    ax.set(xlabel=say("Territories"), ylabel="")
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
    ax.barh(y, rows["quota"], height=0.66, color=BAR)
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
