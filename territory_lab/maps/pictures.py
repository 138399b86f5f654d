"""Static maps: territories, quantities and changes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from shapely.geometry.base import BaseGeometry

from territory_lab.charts.picture import Picture
from territory_lab.charts.tokens import BORDER, HAIRLINE, INK, MUTED, ON_FILL, REST, SEQUENTIAL, WIDTH_IN, styled
from territory_lab.charts.words import count, number, percent, plural
from territory_lab.maps.sheet import Sheet, borders, centres, colouring, dissolve, sheet

_HOUSE = Path(np.array([(-1, -1), (1, -1), (1, 0.2), (0, 1.2), (-1, 0.2), (-1, -1)]), closed=True)
_WHITE = "#fefefe"  # over fills, the same in the dark style
_TALLEST_IN, _POINTS, _ARROWS, _LABELLED = 5.6, 72.0, 5, 12.0


@styled
def territories(
    units: gpd.GeoDataFrame | Sheet,
    alignment: pd.Series,
    homes: pd.DataFrame | None = None,
    *,
    title: str = "",
    labels: Mapping[str, str] | None = None,
) -> Picture:
    """
    Draw who covers what.

    Parameters
    ----------
    units : GeoDataFrame or Sheet
        The polygons.
    alignment : Series
        territory_id by unit_id.
    homes : DataFrame, optional
        Indexed by territory_id: lon, lat.
    title : str
        What is seen; by default the number of territories.
    labels : mapping, optional
        What is written on each territory_id, by default the id.

    Returns
    -------
    Picture
        Neighbours in different tints, labels at the visual centre, a small house at each home.
    """
    page = _page(units)
    shapes = dissolve(page.shapes, alignment)
    houses = "; house: where its owner lives" if homes is not None else ""
    open_units = len(page.shapes) - int(alignment.reindex(page.shapes.index).notna().sum())
    left_over = f"; {plural(open_units, 'unit')} without territory in grey" if open_units else ""
    words = title or f"{plural(len(shapes), 'territory')} over {count(alignment.notna().sum())} units"
    picture, ax = _canvas(page, words, f"Units by territory{houses}{left_over}", ground=bool(open_units))
    tints = colouring(shapes)
    for key, shape in shapes.items():
        _draw(ax, shape, facecolor=tints[key])
    _lines(ax, page, shapes)
    marks = _houses(ax, page, homes)
    _labels(ax, shapes, labels or {}, marks)
    return picture


@styled
def choropleth(
    units: gpd.GeoDataFrame | Sheet,
    values: pd.Series,
    limits: Sequence[float] | None = None,
    *,
    what: str = "potential",
    note: str = "",
    title: str = "",
    write: Callable[[float], str] = number,
) -> Picture:
    """
    Draw a quantity by unit, in classes whose limits can be said aloud.

    Parameters
    ----------
    units : GeoDataFrame or Sheet
        The polygons.
    values : Series
        The quantity by unit_id; missing is grey.
    limits : sequence of float, optional
        Class limits, increasing; by default round ones near the quintiles.
    what : str
        What is drawn.
    note : str
        Its unit, date and source.
    title : str
        What is seen; by default how concentrated the quantity is, which suits what adds up.
    write : callable
        How a limit is written.

    Returns
    -------
    Picture
        The map with its legend of classes.
    """
    page = _page(units)
    known = values.reindex(page.shapes.index).dropna().astype(float)
    classes, ramp, names = classed(known, limits, write)
    subtitle = f"{_capital(what)} by unit{note and f', {note}'}"
    top = known.nlargest(max(1, round(len(known) / 10))).sum() / known.sum() if known.sum() else 0.0
    missing = len(page.shapes) - len(known)
    words = title or f"A tenth of the units holds {percent(top)} of the {what}"
    picture, ax = _canvas(page, words, subtitle, ground=bool(missing), legend=True)
    for level, shape in dissolve(page.shapes, classes).items():
        _draw(ax, shape, facecolor=ramp[int(str(level))])
    _lines(ax, page, None)
    _legend(picture, [*zip(ramp, names, strict=True), *([(REST, "not known")] if missing else [])])
    return picture


@styled
def change(
    units: gpd.GeoDataFrame | Sheet,
    before: pd.Series,
    after: pd.Series,
    weight: pd.Series | None = None,
    *,
    what: str = "units",
    homes: pd.DataFrame | None = None,
) -> Picture:
    """
    Draw what changes hands: moved units in the tint of their new territory, the rest grey.

    Parameters
    ----------
    units : GeoDataFrame or Sheet
        The polygons.
    before, after : Series
        territory_id by unit_id.
    weight : Series, optional
        What a unit counts, by unit_id; by default each one.
    what : str
        What the weight measures.
    homes : DataFrame, optional
        Indexed by territory_id: lon, lat.

    Returns
    -------
    Picture
        With arrows for the five largest moves.
    """
    page = _page(units)
    both = pd.DataFrame({"before": before, "after": after}).reindex(page.shapes.index)
    both["weight"] = 1.0 if weight is None else weight.reindex(both.index).fillna(0.0)
    moved = both[(both["before"] != both["after"]) & both.notna().all(axis=1)]
    share = moved["weight"].sum() / both["weight"].sum()
    part = f": {percent(share)} of the {what}" if weight is not None else f" ({percent(share)})"
    title = f"{count(len(moved))} of {count(len(both))} units change hands{part}" if len(moved) else "Nothing moves"
    shapes = dissolve(page.shapes, both["after"])
    subtitle = f"Coloured: units that move, in the tint of their new territory; arrows: the {_ARROWS} largest moves"
    picture, ax = _canvas(page, title, subtitle if len(moved) else "Units by territory")
    tints = colouring(shapes)
    for key, shape in dissolve(page.shapes, moved["after"]).items():
        _draw(ax, shape, facecolor=tints[key])
    _lines(ax, page, shapes)
    marks = _houses(ax, page, homes)
    _labels(ax, shapes, {}, marks)
    _arrows(ax, page, moved)
    return picture


def classed(
    known: pd.Series, limits: Sequence[float] | None = None, write: Callable[[float], str] = number
) -> tuple[pd.Series, list[str], list[str]]:
    """
    Sort a quantity into classes.

    Parameters
    ----------
    known : Series
        The quantity, without missing values.
    limits : sequence of float, optional
        Class limits, increasing; by default round ones near the quintiles.
    write : callable
        How a limit is written.

    Returns
    -------
    classes : Series of int
        On the index of ``known``.
    ramp, names : list of str
        Colour of each class, and its limits in words.
    """
    edges = np.asarray(limits if limits is not None else round_limits(known), dtype=float)
    classes = pd.Series(np.searchsorted(edges, known.to_numpy(), side="right"), index=known.index)
    ramp = [SEQUENTIAL[i] for i in np.linspace(0, len(SEQUENTIAL) - 1, len(edges) + 1).round().astype(int)]
    says = [write(edge) for edge in edges]
    return classes, ramp, [f"under {says[0]}", *(f"{a} to {b}" for a, b in pairwise(says)), f"{says[-1]} and more"]


def round_limits(values: pd.Series, classes: int = 5) -> np.ndarray:
    """
    Find class limits near the quantiles that can be said aloud.

    Parameters
    ----------
    values : Series
        The quantity, without missing values.
    classes : int
        The most classes wanted.

    Returns
    -------
    ndarray
        Increasing limits with one significant digit, or two where one would leave fewer than three.
    """
    cuts = np.quantile(values[values != 0] if (values != 0).any() else values, np.linspace(0, 1, classes + 1)[1:-1])
    for digits in (1, 2, 3):
        limits = np.unique([float(f"{cut:.{digits}g}") for cut in cuts])
        if len(limits) > min(2, classes - 2):
            break
    return limits


def _page(units: gpd.GeoDataFrame | Sheet) -> Sheet:
    """Take a sheet as it is, lay units out."""
    return units if isinstance(units, Sheet) else sheet(units)


def _capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def _canvas(
    page: Sheet, title: str, subtitle: str, *, ground: bool = True, legend: bool = False
) -> tuple[Picture, Axes]:
    """Give a picture of the sheet's proportions, the units in grey, the frames of far parts drawn."""
    frames = gpd.GeoSeries([shapely.box(*_corners(part.frame)) for part, _ in page.parts if part.frame is not None])
    bounds = np.array([page.shapes.total_bounds, *frames.bounds.to_numpy()])
    (left, bottom), (right, top) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    foot = 0.35 if legend else 0.05
    height = min(_TALLEST_IN, WIDTH_IN * (top - bottom) / (right - left)) + foot
    picture = Picture(title, subtitle, height=height)
    ax = picture.axes_below(left=0, right=0, bottom=foot)
    ax.set_axis_off()
    ax.set_aspect("equal", anchor="NW")
    pad = 0.004 * (right - left)
    ax.set(xlim=(left - pad, right + pad), ylim=(bottom - pad, top + pad))
    if ground:
        land = dissolve(page.shapes, pd.Series("land", index=page.shapes.index))["land"]
        _draw(ax, land, facecolor=REST, edgecolor=HAIRLINE, linewidth=0.8)
    for frame in frames:
        _draw(ax, frame, edgecolor=HAIRLINE, linewidth=0.8)
    return picture, ax


def _draw(ax: Axes, shape: BaseGeometry, **style: object) -> None:
    """Draw one geometry as one path, which keeps the file small."""
    lines = shapely.get_parts(shapely.boundary(shapely.orient_polygons(shape)) if shape.area else shape)
    path = Path.make_compound_path(*(Path(shapely.get_coordinates(line)) for line in lines))
    look = {"facecolor": "none", "edgecolor": "none", "clip_on": False, **style}
    ax.add_patch(PathPatch(path, **look))


def _corners(frame: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Turn left, bottom, width, height into opposite corners."""
    return frame[0], frame[1], frame[0] + frame[2], frame[1] + frame[3]


def _lines(ax: Axes, page: Sheet, shapes: gpd.GeoSeries | None) -> None:
    """Draw state lines thin and light, territory borders thick and dark."""
    if page.lines is not None:
        _draw(ax, page.lines, edgecolor=_WHITE, linewidth=0.6)
    if shapes is not None and len(shapes):
        _draw(ax, borders(shapes), edgecolor=BORDER, linewidth=0.9)


def _houses(ax: Axes, page: Sheet, homes: pd.DataFrame | None) -> np.ndarray:
    """Mark homes and say where they stand."""
    xy = np.empty((0, 2)) if homes is None else page.place(homes["lon"], homes["lat"])
    if len(xy):
        ax.scatter(xy[:, 0], xy[:, 1], marker=_HOUSE, s=38, c=ON_FILL, edgecolors=_WHITE, linewidths=0.6, zorder=5)
    return xy


def _labels(ax: Axes, shapes: gpd.GeoSeries, labels: Mapping[str, str], marks: np.ndarray) -> None:
    """Write each territory's name at the visual centre of each large piece, aside of other names and of homes."""
    left, right = ax.get_xlim()
    point = (right - left) / (WIDTH_IN * _POINTS)
    placed = [(x, y, 5 * point) for x, y in marks]
    pieces = centres(shapes.explode())
    first = pieces["radius"].groupby(level=0).transform("max")
    pieces = pieces[(pieces["radius"] == first) | (pieces["radius"] > _LABELLED * point)]
    for key, x, y, radius in pieces.sort_values("radius", ascending=False).itertuples(name=None):
        text = labels.get(key, str(key))
        size = float(np.clip(2.6 * radius / point / max(len(text), 3), 6.0, 9.0))
        wide, tall = 0.62 * size * len(text) * point, 1.25 * size * point
        tries = [(0, 0), (0, 1), (0, -1), (0.9, 0), (-0.9, 0), (0.8, 1), (-0.8, -1), (0.8, -1), (-0.8, 1), (0, 2)]
        spots = [(x + dx * wide, y + dy * tall) for dx, dy in tries]
        free = [s for s in spots if not any(_clash(s, wide, tall, other) for other in placed)]
        at = (free or spots)[0]
        placed.append((*at, wide))
        ax.text(*at, text, size=size, color=ON_FILL, weight="bold", ha="center", va="center", zorder=6)


def _clash(spot: tuple[float, float], wide: float, tall: float, other: tuple[float, float, float]) -> bool:
    """Tell whether two names would overlap."""
    return abs(spot[0] - other[0]) < (wide + other[2]) / 2 and abs(spot[1] - other[1]) < tall


def _arrows(ax: Axes, page: Sheet, moved: pd.DataFrame) -> None:
    """Draw the largest moves, from the old territory's centre to where its units go."""
    flows = moved.groupby(["before", "after"])["weight"].sum().nlargest(_ARROWS)
    old = centres(dissolve(page.shapes, moved["before"]))
    new = centres(dissolve(page.shapes, moved["after"]))
    for key in flows.index:
        start, end = old.loc[key[0], ["x", "y"]], new.loc[key[1], ["x", "y"]]
        style = {
            "arrowstyle": "-|>",
            "color": INK,
            "linewidth": 1.3,
            "connectionstyle": "arc3,rad=0.15",
            "mutation_scale": 12,
        }
        ax.annotate("", tuple(end), tuple(start), arrowprops=style, zorder=7)


def _legend(picture: Picture, entries: list[tuple[str, str]]) -> None:
    """Set the classes side by side under the map."""
    total = picture.head + picture.body
    ax = picture.add_axes((0, 0, 1, 0.3 / total))
    ax.set_axis_off()
    ax.set(xlim=(0, WIDTH_IN), ylim=(0, 0.3))
    x = 0.0
    for colour, name in entries:
        ax.add_patch(Rectangle((x, 0.07), 0.17, 0.17, facecolor=colour, edgecolor="none"))
        ax.text(x + 0.24, 0.15, name, size=8.5, color=MUTED, va="center")
        x += 0.42 + 0.078 * len(name)
