"""Pictures of who buys and how much there is to sell: lift, Pareto, market."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say
from territory_lab.charts.tokens import ACCENT, BAR, HAIRLINE, INK, MUTED, WASH, styled
from territory_lab.charts.words import SPACE, band, count, in_currency, number, percent

_MOST, _ROW_IN, _LABEL = 12, 0.27, 38


@styled
def lift(profile: pd.DataFrame) -> Picture:
    """
    Draw how much likelier each trait makes an account to have been won.

    Parameters
    ----------
    profile : DataFrame
        Columns trait, level, lift, lift_low, lift_high (times the market's share); at most 12 rows are drawn,
        those furthest from 1.

    Returns
    -------
    Picture
        Points with intervals on a logarithmic scale, the market's level as reference.
    """
    known = profile.dropna(subset=["lift", "lift_low", "lift_high"])
    known = known[(known["lift_low"] > 0) & (known["lift"] > 0)]
    kept = known.loc[np.log(known["lift"]).abs().nlargest(_MOST).index].sort_values("lift")
    clear = kept[(kept["lift_low"] > 1) | (kept["lift_high"] < 1)]
    title = "No trait sets the won accounts apart from the market"
    if len(clear):
        best = clear.iloc[-1]
        times = f"{number(best['lift'], 2)} times" if best["lift"] > 1 else f"only {number(best['lift'], 2)} times"
        title = f"{str(best['trait']).capitalize()} {best['level']}: won {times} as often as the market would suggest"
    picture = Picture(title, "Share among won accounts ÷ share in the market, with interval; filled: clear of 1")
    labels = [f"{say(str(row.trait).capitalize())}: {row.level}" for row in kept.itertuples()]
    ax = row_axes(picture, labels)
    sure = kept.index.isin(clear.index)
    intervals(ax, kept["lift"], kept["lift_low"], kept["lift_high"], sure)
    ax.set_xscale("log")
    ax.axvline(1, color=INK, linewidth=0.8, zorder=0)
    ax.xaxis.set_major_locator(_round_steps(kept["lift_low"].min(), kept["lift_high"].max()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}\u00d7"))
    return picture


@styled
def pareto(curve: pd.DataFrame, what: str = "revenue") -> Picture:
    """
    Draw how far sales are concentrated on few customers.

    Parameters
    ----------
    curve : DataFrame
        Columns share_of_accounts and share_of_value, both cumulative and from the largest account down.
    what : str
        What is shared.

    Returns
    -------
    Picture
        The curve, the largest fifth marked.
    """
    x = np.r_[0.0, curve["share_of_accounts"].to_numpy()]
    y = np.r_[0.0, curve["share_of_value"].to_numpy()]
    fifth = float(np.interp(0.2, x, y))
    picture = Picture(
        f"The largest 20{SPACE}% of customers bring {percent(fifth)} of {what}",
        f"Share of {what} by share of {count(len(curve))} customers, largest first; dashed: all alike",
        height=3.2,
    )
    ax = picture.axes_below(left=0.55)
    shown = np.unique(np.linspace(0, len(x) - 1, 300).round().astype(int))
    sns.lineplot(x=x[shown], y=y[shown], ax=ax, color=ACCENT, errorbar=None)
    ax.fill_between(x[shown], y[shown], color=WASH, linewidth=0)
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.plot([0.2, 0.2, 0], [0, fifth, fifth], color=INK, linewidth=0.7)
    ax.plot([0.2], [fifth], marker="o", color=INK, markersize=5)
    ax.annotate(percent(fifth), (0.2, fifth), (7, -3), textcoords="offset points", weight="bold", va="top")
    percent_axes(ax)
    return picture


@styled
def funnel(totals: pd.DataFrame, currency: str = "USD") -> Picture:
    """
    Draw the market from all that could be sold to what is within reach.

    Parameters
    ----------
    totals : DataFrame
        Rows TAM, SAM and SOM (index or column ``measure``) with value, low, high, in money per year.
    currency : str
        ISO 4217 code.

    Returns
    -------
    Picture
        Three bars with their intervals.
    """
    rows = totals.set_index("measure") if "measure" in totals else totals
    form = in_currency(currency)
    names = {
        "TAM": say("Whole market (TAM)"),
        "SAM": say("Fits and can be served (SAM)"),
        "SOM": say("Within reach (SOM)"),
    }
    values = rows.rename(index=lambda key: names.get(str(key).upper(), str(key)))
    first, last = values["value"].iloc[0], values["value"].iloc[-1]
    picture = Picture(
        f"{form(first)} a year could be sold, {form(last)} of it is within reach",
        "Estimated sales a year with interval",
        height=1.75,
    )
    _bars(picture, values, currency)
    return picture


@styled
def market_bars(market: pd.DataFrame, by: str, currency: str = "USD", what: str = "TAM") -> Picture:
    """
    Draw the market by sector, metro or any other label, the largest twelve and the rest as one bar.

    Parameters
    ----------
    market : DataFrame
        Columns ``by``, value, low, high, in money per year.
    by : str
        The column of labels.
    currency : str
        ISO 4217 code.
    what : str
        What is measured.

    Returns
    -------
    Picture
        Bars with intervals, largest first. The rest has no interval: those of its parts do not add.
    """
    rows = market.set_index(by)[["value", "low", "high"]].sort_values("value", ascending=False)
    total, rest = rows["value"].sum(), rows.iloc[_MOST:]
    top = rows.head(_MOST)
    if len(rest):
        word = say("other")
        other = pd.DataFrame({"value": rest["value"].sum()}, index=[f"{word} ({len(rest)})"])
        top = pd.concat([top, other])
    lead = top["value"].iloc[:3].sum() / total
    title = f"{top.index[0]} is the largest part of the {what}; the first three hold {percent(lead)}"
    subtitle = f"{what} a year, estimated, with interval; total {in_currency(currency)(total)}"
    picture = Picture(title, subtitle, height=0.15 + _ROW_IN * len(top))
    _bars(picture, top, currency)
    return picture


def percent_axes(ax: Axes, *, y: bool = True) -> None:
    """Label shares as percentages, from zero."""
    form = FuncFormatter(lambda share, _: percent(share))
    ax.set_xlim(0, max(ax.get_xlim()[1], 1e-9) if ax.get_xlim()[1] < 1 else 1)
    ax.xaxis.set_major_formatter(form)
    if y:
        ax.set_ylim(0, max(ax.get_ylim()[1], 1e-9) if ax.get_ylim()[1] < 1 else 1.02)
        ax.yaxis.set_major_formatter(form)
    ax.set(xlabel="", ylabel="")


def row_axes(picture: Picture, labels: list[str], bottom: float = 0.35, right: float = 0.3) -> Axes:
    """Give axes with one labelled row per entry, from the bottom up; margins in inches, long labels are cut."""
    short = [text if len(text) <= _LABEL else f"{text[: _LABEL - 1]}…" for text in labels]
    ax = picture.axes_below(left=0.15 + 0.078 * max(map(len, short), default=0), right=right, bottom=bottom)
    ax.set_yticks(range(len(short)), short)
    ax.set_ylim(-0.6, max(len(short), 1) - 0.4)
    ax.grid(axis="y", color=HAIRLINE, linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def intervals(ax: Axes, value: pd.Series, low: pd.Series, high: pd.Series, filled: np.ndarray) -> None:
    """Draw one point with its interval per row, from the bottom up."""
    y = np.arange(len(value))
    ax.hlines(y, low, high, color=ACCENT, linewidth=1.6)
    ax.scatter(value, y, s=34, c=np.where(filled, ACCENT, "#ffffff"), edgecolors=ACCENT, linewidths=1.4, zorder=3)


def _bars(picture: Picture, rows: pd.DataFrame, currency: str) -> None:
    """Draw bars from zero, each with its interval and its value at the end."""
    shown = rows.iloc[::-1]
    ax = row_axes(picture, [str(name) for name in shown.index], bottom=0.05, right=1.7)
    y = np.arange(len(shown))
    ax.barh(y, shown["value"], height=0.62, color=BAR)
    ax.hlines(y, shown["low"], shown["high"], color=INK, linewidth=1.2)
    ends = shown[["value", "high"]].max(axis=1)
    for at, (value, low, high) in enumerate(shown[["value", "low", "high"]].to_numpy()):
        ax.annotate(
            band(value, low, high, in_currency(currency)),
            (np.fmax(value, high), at),
            (5, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_xlim(0, ends.max())
    ax.grid(visible=False)
    ax.xaxis.set_visible(False)
    ax.spines["bottom"].set_visible(False)


def _round_steps(low: float, high: float) -> FixedLocator:
    """Choose ticks of a ratio that can be said aloud."""
    steps = (0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50)
    return FixedLocator([step for step in steps if low / 1.5 <= step <= high * 1.5])
