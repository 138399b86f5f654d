"""The pictures of a report, drawn from its numbers and the plan."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from territory_lab import charts, maps
from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say
from territory_lab.reporting.numbers import Numbers, frame

MOST, FEW = 40, 12  # territories drawn in full and for the board
Draw = Callable[[pd.DataFrame], Picture]


def pictures(
    numbers: Numbers,
    units: gpd.GeoDataFrame | None = None,
    today: pd.Series | None = None,
    proposed: pd.Series | None = None,
    homes: pd.DataFrame | None = None,
    *,
    only: frozenset[str] | None = None,
    most: int = MOST,
) -> dict[str, Picture]:
    """
    Draw what the numbers can tell.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.
    units : GeoDataFrame, optional
        Indexed by unit_id: geometry, workload_h, state. Without it there are no maps.
    today, proposed : Series, optional
        territory_id by unit_id.
    homes : DataFrame, optional
        By territory_id: lon, lat.
    only : frozenset of str, optional
        Names of the pictures wanted; all without it.
    most : int
        How many territories are drawn where fairness is.

    Returns
    -------
    dict of str to Picture
        By name; the page knows the names.
    """
    drawn = dict(_charts(numbers, only, most))
    if units is not None and proposed is not None:
        drawn |= dict(_maps(units, today, proposed, homes, only))
    return drawn


def _maps(
    units: gpd.GeoDataFrame,
    today: pd.Series | None,
    proposed: pd.Series,
    homes: pd.DataFrame | None,
    only: frozenset[str] | None,
) -> Iterator[tuple[str, Picture]]:
    """Draw before, after and what moves, on one sheet."""
    page = maps.sheet(units)
    if _wanted("map_proposed", only):
        yield "map_proposed", maps.territories(page, proposed, homes)
    if today is not None and _wanted("map_today", only):
        yield "map_today", maps.territories(page, today, homes)
    if today is not None and _wanted("map_change", only):
        yield "map_change", maps.change(page, today, proposed, units.get("workload_h"), homes=homes)


def _wanted(name: str, only: frozenset[str] | None) -> bool:
    """Tell whether a picture is asked for."""
    return only is None or name in only


def _charts(numbers: Numbers, only: frozenset[str] | None, most: int) -> Iterator[tuple[str, Picture]]:
    """Draw each chart whose table is there."""
    currency = numbers["meta"]["currency"]
    sized = {"value": "tam", "low": "tam_low", "high": "tam_high"}
    room = {"value": "white_space", "low": "white_space_low", "high": "white_space_high"}
    plain: list[tuple[str, str, str, Draw]] = [
        ("lift", "icp", "profile", charts.lift),
        ("pareto", "icp", "pareto", charts.pareto),
        ("funnel", "tam", "totals", lambda t: charts.funnel(t.set_index("step"), currency)),
        ("sectors", "tam", "sectors", lambda t: charts.market_bars(_renamed(t, sized), "sector_name", currency)),
        ("room", "tam", "room", lambda t: charts.market_bars(_renamed(t, room), "area", currency)),
        ("quotas", "resources", "quotas", lambda t: charts.quotas(t.set_index("territory_id"), currency)),
        ("sizing", "resources", "sizing", lambda t: charts.sizing(t, _reps(numbers), currency)),
        ("frontier", "trade_off", "frontier", charts.frontier),
        ("performance", "evaluation", "performance", lambda t: charts.performance(t.set_index("territory_id"))),
        ("fairness", "territories", "fairness", lambda t: _fairness(numbers, t.set_index("territory_id"), most)),
    ]
    for name, step, table, draw in plain:
        rows = frame(numbers, step, table)
        if len(rows) and _wanted(name, only):
            yield name, draw(rows)
    for kind, card in numbers.get("propensity", {}).get("cards", {}).items():
        if card["gains"] and _wanted(f"gains_{kind}", only):
            yield f"gains_{kind}", charts.gains(pd.DataFrame(card["gains"]))


def _fairness(numbers: Numbers, table: pd.DataFrame, most: int) -> Picture:
    """Draw the three measures of fairness that are there."""
    names = {"workload": say("Workload"), "opportunity": say("Opportunity"), "quota": say("Quota per opportunity")}
    there = {f"deviation_{name}": label for name, label in names.items() if f"deviation_{name}" in table}
    before = table.filter(like="_today").rename(columns=lambda name: name.removesuffix("_today"))
    limit = numbers["territories"]["facts"]["tolerance_share"]
    return charts.fairness(before, table, limit, there, most=most)


def comparison(cards: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """
    Set models beside the simple rule each must beat.

    Parameters
    ----------
    cards : mapping of str to card
        By kind; metrics as rows, auc_over_base as value, low, high.

    Returns
    -------
    DataFrame
        model, auc, low, high, base, gain_low; models that could not be judged are left out.
    """
    rows = []
    for kind, card in cards.items():
        metrics, over = pd.DataFrame(card["metrics"]), card["auc_over_base"]
        if len(metrics) and isinstance(over, dict):
            auc = metrics.set_index("metric").loc["auc", ["value", "low", "high"]].rename({"value": "auc"}).to_dict()
            rows.append(
                {"model": kind.replace("_", "-"), **auc, "base": auc["auc"] - over["value"], "gain_low": over["low"]}
            )
    return pd.DataFrame(rows, columns=["model", "auc", "low", "high", "base", "gain_low"])


def _renamed(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Take one measure of the market as the value drawn."""
    return table.assign(**{new: table[old] for new, old in names.items()})


def _reps(numbers: Numbers) -> int | None:
    """Count today's territories."""
    reps = numbers["resources"]["facts"].get("reps_today")
    return None if reps is None else int(reps)
