"""Units laid out for drawing: equal area, simplified as a whole, far parts in frames, neighbours in different tints."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from territory_lab.charts.tokens import TERRITORIES, WIDTH_IN

_POINTS = 72.0
_HOLE = 2e-5  # of the sheet's width, squared
_NEAR_SHARE = 0.004  # of the sheet's width: territories closer than this count as neighbours when colours are chosen


class _Part(NamedTuple):
    """A piece of the country with its own projection and its place on the sheet."""

    west: float
    east: float
    south: float
    north: float
    crs: str
    frame: tuple[float, float, float, float] | None  # left, bottom, width, height in metres of the main projection


# Conterminous states in Albers; Alaska, Hawaii and Puerto Rico each in an equal-area projection of their own.
_US = (
    _Part(-130, -60, 24, 50, "EPSG:5070", None),
    _Part(-190, -129, 50, 73, "EPSG:3338", (-2_350_000, 120_000, 1_130_000, 760_000)),
    _Part(-162, -154, 18, 24, "+proj=laea +lat_0=20.6 +lon_0=-157.5", (-1_180_000, 120_000, 560_000, 400_000)),
    _Part(-68, -65, 17, 19, "+proj=laea +lat_0=18.2 +lon_0=-66.4", (1_750_000, 250_000, 460_000, 210_000)),
)


@dataclass(frozen=True)
class Sheet:
    """
    Units laid out for drawing, once for several maps: projected, simplified, far parts moved into frames.

    Parameters
    ----------
    shapes : GeoSeries
        One polygon per unit_id, in metres on the sheet (the units' own measure where they have no projection).
    parts : tuple
        The pieces with their affine transforms.
    states : Series, optional
        State of each unit, for the thin lines.
    """

    shapes: gpd.GeoSeries
    parts: tuple[tuple[_Part, tuple[float, ...]], ...] = ()
    states: pd.Series | None = None

    def place(self, lon: pd.Series, lat: pd.Series) -> np.ndarray:
        """
        Find points on the sheet.

        Parameters
        ----------
        lon, lat : Series
            Degrees; units without projection take their own measure.

        Returns
        -------
        ndarray
            Shape (n, 2); not a number where a point is on no part of the sheet.
        """
        xy = np.column_stack([lon.astype(float), lat.astype(float)])
        if not self.parts:
            return xy
        placed = np.full(xy.shape, np.nan)
        for part, (a, b, d, e, x_off, y_off) in self.parts:
            here = _inside(part, *xy.T)
            points = gpd.GeoSeries(shapely.points(xy[here]), crs=4326).to_crs(part.crs)
            placed[here] = shapely.get_coordinates(points.array) @ np.array([[a, d], [b, e]]) + (x_off, y_off)
        return placed

    @cached_property
    def lines(self) -> BaseGeometry | None:
        """State lines, each edge once; none where there are no states."""
        if self.states is None or self.states.nunique() < 2:
            return None
        return borders(dissolve(self.shapes, self.states))


def sheet(units: gpd.GeoDataFrame, *, detail: float = 1.0) -> Sheet:
    """
    Lay units out for drawing.

    Parameters
    ----------
    units : GeoDataFrame
        Polygons with ``unit_id`` as column or index, in EPSG:4326 or without projection; ``state`` gives state lines.
    detail : float
        Smaller keeps more points; one leaves about half a point of error on the page.

    Returns
    -------
    Sheet
        To be handed to the maps in place of the units.
    """
    frame = units.set_index("unit_id") if "unit_id" in units else units
    shapes = frame.geometry[~frame.geometry.is_empty & frame.geometry.notna()]
    states = frame["state"].reindex(shapes.index) if "state" in frame else None
    if shapes.crs is None or shapes.crs.is_projected:
        return Sheet(gpd.GeoSeries(shapes.array, index=shapes.index, crs=None), states=states)
    centres = shapely.get_coordinates(shapely.point_on_surface(shapes.array))
    parts = _US if _inside(_US[0], *centres.T).mean() > 0.5 else (_whole(centres),)
    laid = [(part, *_lay(shapes[_inside(part, *centres.T)], part, detail)) for part in parts]
    drawn = [(part, series, move) for part, series, move in laid if len(series)]
    on_sheet = pd.concat([series for _, series, _ in drawn]).reindex(shapes.index).dropna()
    return Sheet(gpd.GeoSeries(on_sheet), tuple((part, move) for part, _, move in drawn), states)


def _whole(centres: np.ndarray) -> _Part:
    """Take everything as one part, in an equal-area projection of its own."""
    lon, lat = centres.mean(axis=0)
    return _Part(-360, 360, -90, 90, f"+proj=laea +lat_0={lat:.2f} +lon_0={lon:.2f}", None)


def _inside(part: _Part, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Tell which points belong to a part; the western end of the Aleutians lies beyond the date line."""
    west = np.where(lon > 170, lon - 360, lon) if part.west < -180 else lon
    return (west >= part.west) & (west <= part.east) & (lat >= part.south) & (lat <= part.north)


def _lay(shapes: gpd.GeoSeries, part: _Part, detail: float) -> tuple[gpd.GeoSeries, tuple[float, ...]]:
    """Project one part, simplify it as a whole so that borders stay shared, and move it into its frame."""
    move = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    if shapes.empty:
        return gpd.GeoSeries([]), move
    plane = shapes.to_crs(part.crs)
    left, bottom, right, top = plane.total_bounds
    scale = 1.0
    if part.frame is not None:
        x, y, width, height = part.frame
        scale = 0.92 * min(width / (right - left), height / (top - bottom))
        middle = (x + width / 2 - scale * (left + right) / 2, y + height / 2 - scale * (bottom + top) / 2)
        move = (scale, 0.0, 0.0, scale, *middle)
    point = max(right - left, top - bottom) / (WIDTH_IN * _POINTS) if part.frame is None else 8_500 / scale
    simple = shapely.coverage_simplify(plane.array, 0.6 * detail * point)
    return gpd.GeoSeries([affine_transform(shape, move) for shape in simple], index=shapes.index), move


def dissolve(shapes: gpd.GeoSeries, groups: pd.Series) -> gpd.GeoSeries:
    """
    Join the polygons of each group.

    Parameters
    ----------
    shapes : GeoSeries
        Polygons by unit_id.
    groups : Series
        Group of each unit_id; units without one are left out.

    Returns
    -------
    GeoSeries
        One shape per group, sorted by group.
    """
    known = groups.reindex(shapes.index).dropna()
    left, bottom, right, top = shapes.total_bounds
    across = max(right - left, top - bottom)
    join: Callable[[np.ndarray], BaseGeometry] = partial(shapely.union_all, grid_size=across / 1e5)
    if shapely.coverage_is_valid(shapes.to_numpy()):  # borders are shared point by point: twenty times as fast
        join = shapely.coverage_union_all
    return gpd.GeoSeries(
        {key: _whole_shape(join(shapes.loc[part.index].to_numpy()), across) for key, part in known.groupby(known)}
    )


def _whole_shape(shape: BaseGeometry, across: float) -> BaseGeometry:
    """Close the pinholes that simplified borders leave, too small to be a lake or an enclave."""
    parts = [
        shapely.Polygon(
            part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area > _HOLE * across**2]
        )
        for part in shapely.get_parts(shape)
    ]
    return shapely.MultiPolygon(parts)


def colouring(shapes: gpd.GeoSeries) -> pd.Series:
    """
    Choose a tint per territory so that neighbours are never alike (DSATUR, Brélaz 1979; ties to the least used).

    Parameters
    ----------
    shapes : GeoSeries
        One shape per territory_id.

    Returns
    -------
    Series
        A colour per territory_id.
    """
    left, _, right, _ = shapes.total_bounds
    near = shapely.STRtree(shapes.array).query(shapes.array, predicate="dwithin", distance=_NEAR_SHARE * (right - left))
    neighbours: list[set[int]] = [set() for _ in shapes]
    for a, b in near.T:
        if a != b:
            neighbours[a].add(int(b))
    chosen: dict[int, int] = {}
    used = [0] * len(TERRITORIES)
    while len(chosen) < len(shapes):
        taken = {v: {chosen[u] for u in neighbours[v] if u in chosen} for v in range(len(shapes)) if v not in chosen}
        v = max(taken, key=lambda v: (len(taken[v]), len(neighbours[v]), -v))
        free = [c for c in range(len(TERRITORIES)) if c not in taken[v]] or list(range(len(TERRITORIES)))
        chosen[v] = min(free, key=lambda c: (used[c], c))
        used[chosen[v]] += 1
    return pd.Series([TERRITORIES[chosen[v]] for v in range(len(shapes))], index=shapes.index)


def centres(shapes: gpd.GeoSeries) -> pd.DataFrame:
    """
    Find the visual centre of each shape: the middle of the largest circle inside.

    Parameters
    ----------
    shapes : GeoSeries
        Any polygons.

    Returns
    -------
    DataFrame
        Columns x, y, radius in the shapes' measure, same index.
    """
    left, bottom, right, top = shapes.total_bounds
    circles = shapely.maximum_inscribed_circle(shapes.array, tolerance=max(right - left, top - bottom) / 1000)
    xy = shapely.get_coordinates(shapely.get_point(circles, 0))
    return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "radius": shapely.length(circles)}, index=shapes.index)


def borders(shapes: gpd.GeoSeries) -> BaseGeometry:
    """
    Give the borders of shapes, each edge once.

    Parameters
    ----------
    shapes : GeoSeries
        Any polygons.

    Returns
    -------
    BaseGeometry
        Lines.
    """
    return shapely.line_merge(shapely.union_all(shapes.boundary.array))
