"""The pictures of a report, drawn from its numbers and the plan."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import geopandas as gpd
import pandas as pd

from territory_lab import charts, maps
from territory_lab.charts.picture import Picture
from territory_lab.charts.words import percent, plural
from territory_lab.reporting.numbers import Numbers, frame


def pictures(
    numbers: Numbers,
    units: gpd.GeoDataFrame | None = None,
    today: pd.Series | None = None,
    proposed: pd.Series | None = None,
    homes: pd.DataFrame | None = None,
) -> dict[str, str]:
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

    Returns
    -------
    dict of str to str
        ``<svg>`` elements by name; the template knows the names.
    """
    drawn = dict(_charts(numbers))
    if units is not None and proposed is not None:
        drawn |= dict(_maps(numbers, units, today, proposed, homes))
    return {name: picture.svg() for name, picture in drawn.items()}


def _maps(
    numbers: Numbers, units: gpd.GeoDataFrame, today: pd.Series | None, proposed: pd.Series, homes: pd.DataFrame | None
) -> Iterator[tuple[str, Picture]]:
    """Draw before, after and what moves, on one sheet."""
    page = maps.sheet(units)
    load = units.get("workload_h")
    yield "map_proposed", maps.territories(page, proposed, homes, title=_spread(numbers, "proposed"))
    if today is not None:
        yield "map_today", maps.territories(page, today, homes, title=_spread(numbers, "today"))
        yield "map_change", maps.change(page, today, proposed, load, what="workload", homes=homes)


def _spread(numbers: Numbers, name: str) -> str:
    """Say how unequal the territories of a map are."""
    table = frame(numbers, "territories", name)
    if table.empty:
        return ""
    low, high = (percent(float(f(table["deviation_workload_h"])), signed=True) for f in (min, max))
    when = "Today" if name == "today" else "Proposed"
    return f"{when}: {plural(len(table), 'territory')}, workload from {low} to {high} of their share"


def _charts(numbers: Numbers) -> Iterator[tuple[str, Picture]]:
    """Draw each chart whose table is there."""
    currency = numbers["meta"]["currency"]
    sized = {"value": "tam", "low": "tam_low", "high": "tam_high"}
    plain: list[tuple[str, str, str, Callable[[pd.DataFrame], Picture]]] = [
        ("lift", "icp", "profile", charts.lift),
        ("pareto", "icp", "pareto", charts.pareto),
        ("funnel", "tam", "totals", lambda t: charts.funnel(t.set_index("step"), currency)),
        ("sectors", "tam", "sectors", lambda t: charts.market_bars(_renamed(t, sized), "sector_name", currency)),
        ("metros", "tam", "metros", lambda t: charts.market_bars(_renamed(t, sized), "area", currency)),
        ("quotas", "resources", "quotas", lambda t: charts.quotas(t.set_index("territory_id"), currency)),
        ("sizing", "resources", "sizing", lambda t: charts.sizing(t, _reps(numbers), currency)),
        ("performance", "evaluation", "performance", lambda t: charts.performance(t.set_index("territory_id"))),
    ]
    for name, step, table, draw in plain:
        rows = frame(numbers, step, table)
        if len(rows):
            yield name, draw(rows)
    before, after = (frame(numbers, "territories", name) for name in ("today", "proposed"))
    if len(before) and len(after):
        was, will = (table.set_index("territory_id")["deviation_workload_h"] for table in (before, after))
        yield "balance", charts.balance(was, will, numbers["territories"]["facts"]["tolerance_share"])
    yield from _models(numbers)


def _models(numbers: Numbers) -> Iterator[tuple[str, Picture]]:
    """Draw what the models' cards hold."""
    cards = numbers.get("propensity", {}).get("cards", {})
    for kind, card in cards.items():
        if card["calibration"]:
            yield f"calibration_{kind}", charts.calibration(pd.DataFrame(card["calibration"]))
            yield f"gains_{kind}", charts.gains(pd.DataFrame(card["gains"]))
    judged = comparison(cards)
    if len(judged):
        yield "reliability", charts.reliability(judged)


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
    return pd.DataFrame(rows)


def _renamed(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Take one measure of the market as the value drawn."""
    return table.assign(**{new: table[old] for new, old in names.items()})


def _reps(numbers: Numbers) -> int | None:
    """Count today's territories."""
    reps = numbers["resources"]["facts"].get("reps_today")
    return None if reps is None else int(reps)
