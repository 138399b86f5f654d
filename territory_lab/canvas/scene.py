"""What the browser draws, as plain data: shapes and layers once, owners and balance after each edit."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from territory_lab import geography
from territory_lab.alignment import Plan, Problem, metrics
from territory_lab.canvas.legend import LAYERS
from territory_lab.charts.tokens import BORDER, ON_FILL, REST, TERRITORIES, TROUBLE
from territory_lab.charts.words import number, percent
from territory_lab.editing import locks, strays
from territory_lab.maps import Sheet, classed, colouring, dissolve, sheet

NOBODY = 65535
OUTSIDE = 2**32 - 1
_SHARES = ("propensity", "penetration")  # written as percentages
_DETAIL = 0.5
_FINE = 2**16  # steps of the grid that coordinates are rounded to, across the sheet
_REACH = 4.0  # cells of points reach so many typical distances


def page_of(problem: Problem, units: pd.DataFrame | None = None) -> Sheet:
    """
    Lay units out for drawing; points become the cells that are nearest to them.

    Parameters
    ----------
    problem : Problem
        Its units are drawn.
    units : DataFrame, optional
        By unit_id, or with a column of it: ``geometry``, ``lon, lat`` or ``x_km, y_km``; the problem's own by default.

    Returns
    -------
    Sheet
        Every unit of the problem that has a place.
    """
    frame = problem.units if units is None else units.set_index("unit_id") if "unit_id" in units else units
    frame = frame[frame.index.isin(problem.unit_ids)]
    if "geometry" in frame:
        shapes = gpd.GeoDataFrame(frame, geometry="geometry")
        return sheet(shapes if shapes.crs is not None else shapes.set_crs(geography.WGS84), detail=_DETAIL)
    flat = "lon" not in frame
    xy = frame[["x_km", "y_km"] if flat else ["lon", "lat"]].to_numpy(float)
    stretch = np.array([1.0, 1.0 if flat else 1 / max(np.cos(np.radians(np.nanmean(xy[:, 1]))), 0.1)])
    cells = shapely.transform(_cells(xy * stretch), lambda corners: corners / stretch)
    about = frame[["state"]] if "state" in frame else frame[[]]
    return sheet(gpd.GeoDataFrame(about, geometry=cells, crs=None if flat else geography.WGS84), detail=_DETAIL)


def _cells(xy: np.ndarray) -> np.ndarray:
    """Give each point the part of the plane that is nearest to it, as far as points usually reach."""
    step = KDTree(xy).query(xy, k=2)[0][:, 1]
    usual = float(np.median(step[step > 0])) if (step > 0).any() else 1.0
    same = pd.DataFrame(xy).groupby([0, 1]).cumcount().to_numpy()  # points in one spot stand a little apart
    turn = same * np.pi * (3 - np.sqrt(5))
    points = shapely.points(xy + 0.02 * usual * np.sqrt(same)[:, None] * np.c_[np.cos(turn), np.sin(turn)])
    land = shapely.union_all(shapely.buffer(points, _REACH * usual, quad_segs=4))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=land, ordered=True))
    shapely.prepare(land)
    edge = ~shapely.contains_properly(land, cells)
    cells[edge] = shapely.intersection(cells[edge], land)
    return np.asarray(cells)


def onto(page: Sheet, xy: np.ndarray) -> np.ndarray:
    """
    Turn places on the sheet into the browser's.

    Parameters
    ----------
    page : Sheet
        From `page_of`.
    xy : ndarray
        Shape (n, 2).

    Returns
    -------
    ndarray
        In thousandths of the sheet's measure (km), y downwards, from the upper left corner of shapes and frames.
    """
    left, _, _, top = _extent(page)
    return np.asarray(np.c_[xy[:, 0] - left, top - xy[:, 1]] / _unit(page))


def outlines(page: Sheet, ids: pd.Index, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """
    Gather the shapes, the names and the colours of a map.

    Parameters
    ----------
    page : Sheet
        From `page_of`.
    ids : Index
        The units, in the order in which the browser counts them.
    names : mapping, optional
        What a unit is called, by unit_id.

    Returns
    -------
    dict
        Words, and arrays as bytes (float32, uint32, uint16; little-endian) in the measure of `onto`.
    """
    shapes, unit = page.shapes.reindex(ids), _unit(page)
    left, bottom, right, top = _extent(page)
    grid = max(right - left, top - bottom) / unit / _FINE
    parts, owner = shapely.get_parts(shapes.array, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    middle = np.full((len(ids), 2), np.nan, dtype="<f4")
    middle[shapes.notna()] = onto(page, shapely.get_coordinates(shapely.point_on_surface(shapes.dropna().array)))
    state = pd.Series(page.states).reindex(ids) if page.states is not None else pd.Series(0, index=ids)
    return {
        "ids": list(ids),
        "names": [str((names or {}).get(name, name)) for name in ids],
        "width": float((right - left) / unit),
        "height": float((top - bottom) / unit),
        "xy": np.asarray(np.round(onto(page, xy) / grid) * grid, dtype="<f4").tobytes(),
        "ring_ends": np.cumsum(np.bincount(ring, minlength=len(rings))).astype("<u4").tobytes(),
        "ring_units": owner[part].astype("<u4").tobytes(),
        "middles": middle.tobytes(),
        "states": state.factorize()[0].astype("<u2").tobytes(),
        "frames": [[(x - left) / unit, (top - y - h) / unit, w / unit, h / unit] for x, y, w, h in _frames(page)],
        "tints": list(TERRITORIES),
        "rest": REST,
        "ink": ON_FILL,
        "border": BORDER,
        "cut": TROUBLE,
    }


def scene(
    page: Sheet,
    problem: Problem,
    values: pd.DataFrame,
    *,
    accounts: np.ndarray | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """
    Gather what does not change while a plan is edited.

    Parameters
    ----------
    page : Sheet
        From `page_of`.
    problem : Problem
        The question.
    values : DataFrame
        By unit_id, a column for each of `LAYERS` that is known.
    accounts : ndarray, optional
        Places on the sheet, shape (n, 2).
    names : mapping, optional
        What a unit is called, by unit_id.

    Returns
    -------
    dict
        `outlines`, with the borders between units, the accounts, and the quantities in classes.
    """
    told = outlines(page, problem.unit_ids, names)
    ends, units = (np.frombuffer(told[name], "<u4") for name in ("ring_ends", "ring_units"))
    ring = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    edges, beside = _edges(np.frombuffer(told["xy"], "<f4").reshape(-1, 2), ring, units)
    code = np.r_[np.frombuffer(told["states"], "<u2"), NOBODY]
    between = code[beside[:, 0]] != code[np.minimum(beside[:, 1], len(code) - 1)]
    return told | {
        "km": bool(page.parts) or "x_km" in problem.units,
        "edges": edges.astype("<f4").tobytes(),
        "edge_units": beside.astype("<u4").tobytes(),
        "edge_lines": between.astype("u1").tobytes(),
        "accounts": (onto(page, accounts) if accounts is not None else np.empty((0, 2))).astype("<f4").tobytes(),
        "layers": [_layer(name, values[name].reindex(problem.unit_ids)) for name in LAYERS if name in values],
        "activities": [
            {"name": name, "title": LAYERS.get(name, name), "tolerance": tolerance}
            for name, tolerance in problem.balance.items()
        ],
    }


def _frames(page: Sheet) -> list[tuple[float, float, float, float]]:
    """Give left, bottom, width and height of the insets."""
    return [part.frame for part, _ in page.parts if part.frame is not None]


def _extent(page: Sheet) -> np.ndarray:
    """Give left, bottom, right and top of shapes and insets."""
    boxes = np.array([page.shapes.total_bounds, *((x, y, x + w, y + h) for x, y, w, h in _frames(page))])
    return np.asarray(np.r_[boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _unit(page: Sheet) -> float:
    """How much of the sheet's measure is one of the browser's."""
    return 1000.0 if page.parts else 1.0


def _edges(xy: np.ndarray, ring: np.ndarray, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give every stretch of border once, shape (n, 4), with the units on both sides; outside is `OUTSIDE`."""
    same = (ring[1:] == ring[:-1]) & (xy[1:] != xy[:-1]).any(axis=1)
    start, end, unit = xy[:-1][same], xy[1:][same], owner[ring[:-1][same]]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    start, end = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    lines, first, key = np.unique(np.c_[start, end], axis=0, return_index=True, return_inverse=True)
    beside = np.full((len(lines), 2), OUTSIDE, dtype=np.int64)
    beside[:, 0] = unit[first]
    second = unit != beside[key.ravel(), 0]
    beside[key.ravel()[second], 1] = unit[second]
    return lines, beside


def _layer(name: str, values: pd.Series) -> dict[str, Any]:
    """Sort a quantity into classes with their colours and words."""
    known = values.dropna().astype(float)
    write = percent if name in _SHARES else number
    classes, ramp, legend = classed(known, None, write) if len(known) else (known, [], [])
    return {
        "name": name,
        "title": LAYERS[name],
        "share": name in _SHARES,
        "values": values.to_numpy(float).astype("<f4").tobytes(),
        "classes": classes.reindex(values.index, fill_value=255).to_numpy().astype("u1").tobytes(),
        "ramp": ramp,
        "legend": legend,
    }


def tints(page: Sheet, owner: pd.Series) -> dict[str, int]:
    """
    Choose a tint for each territory, neighbours never alike.

    Parameters
    ----------
    page : Sheet
        From `page_of`.
    owner : Series
        territory_id by unit_id.

    Returns
    -------
    dict of str to int
        Position in the scene's tints, by territory_id.
    """
    chosen = colouring(dissolve(page.shapes, owner))
    return {str(name): TERRITORIES.index(tint) for name, tint in chosen.items()}


def kept_tints(before: Mapping[str, int], plan: Plan, still: np.ndarray) -> dict[str, int]:
    """
    Keep tints over an edit, so that nothing changes colour but what must.

    Parameters
    ----------
    before : mapping of str to int
        Tints until now.
    plan : Plan
        As edited.
    still : ndarray
        Pairs of positions of neighbouring units, shape (n, 2).

    Returns
    -------
    dict of str to int
        With a tint for each territory: new ones and those that now touch their like take the least used one free.
    """
    ids = [str(name) for name in plan.problem.territory_ids]
    codes = plan.problem.codes(plan.alignment)
    pairs = codes[still]
    pairs = np.unique(pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(axis=1)], axis=0)
    touching = [set(pairs[pairs[:, 0] == k, 1]) | set(pairs[pairs[:, 1] == k, 0]) for k in range(len(ids))]
    chosen: dict[int, int] = {}
    for k in sorted(range(len(ids)), key=lambda k: (ids[k] not in before, k)):
        taken = {chosen[other] for other in touching[k] if other in chosen}
        used = np.bincount([*chosen.values()], minlength=len(TERRITORIES))
        free = [tint for tint in range(len(TERRITORIES)) if tint not in taken] or [0]
        kept = before.get(ids[k], -1)
        chosen[k] = kept if kept in free else min(free, key=lambda tint: (used[tint], tint))
    return {ids[k]: tint for k, tint in chosen.items()}


def state(plan: Plan, today: pd.Series | None, colours: Mapping[str, int], anchors: "Anchors") -> dict[str, Any]:
    """
    Gather what an edit may change.

    Parameters
    ----------
    plan : Plan
        As it stands.
    today : Series, optional
        territory_id by unit_id, against which change is drawn.
    colours : mapping of str to int
        From `tints` or `kept_tints`.
    anchors : Anchors
        Where names can stand.

    Returns
    -------
    dict
        Owners (uint16), locks, strays and changes (uint8) by unit as bytes; a list of territories with their figures.
    """
    problem = plan.problem
    codes = problem.codes(plan.alignment)
    cut = strays(plan)
    table = metrics.by_territory(problem, plan.alignment, plan.territories)
    pieces = cut.groupby(plan.alignment).sum()
    names = anchors.of(codes, len(table))
    held = problem.unit_ids.isin(list(locks(plan)))
    moved = np.zeros(len(codes), bool)
    if today is not None:
        before = today.reindex(problem.unit_ids)
        moved = (before.notna() & (before != plan.alignment)).to_numpy()
    return {
        "owner": np.where(codes < 0, NOBODY, codes).astype("<u2").tobytes(),
        "locked": held.astype("u1").tobytes(),
        "stray": cut.to_numpy().astype("u1").tobytes(),
        "moved": moved.astype("u1").tobytes(),
        "territories": [
            {
                "id": str(name),
                "tint": colours.get(str(name), 0),
                "units": int(row["units"]),
                "loads": [float(row[activity]) for activity in problem.activities],
                "deviations": [float(row[f"deviation_{activity}"]) for activity in problem.activities],
                "mean_km": None if pd.isna(row["mean_km"]) else float(row["mean_km"]),
                "cut": int(pieces.get(name, 0)),
                "label": names[k],
            }
            for k, (name, row) in enumerate(table.iterrows())
        ],
    }


class Anchors:
    """
    Where a territory's name can stand: at the unit that is farthest from the territory's edge.

    Parameters
    ----------
    middles : ndarray
        Of the units, shape (n, 2).
    coast : ndarray
        Points on the outer border, shape (m, 2).
    """

    def __init__(self, middles: np.ndarray, coast: np.ndarray) -> None:
        self.middles = middles
        self.there = np.isfinite(middles).all(axis=1)
        self.found: dict[bytes, list[float]] = {}  # of the last call, by the units of the territory
        self.inland = KDTree(coast).query(np.nan_to_num(middles))[0] if len(coast) else np.full(len(middles), np.inf)

    def of(self, codes: np.ndarray, territories: int) -> list[list[float] | None]:
        """
        Find the places.

        Parameters
        ----------
        codes : ndarray of int
            Territory of each unit, -1 for none.
        territories : int
            Their number.

        Returns
        -------
        list
            x, y and the room around by territory; None where it has no unit on the map.
        """
        members = [np.flatnonzero((codes == k) & self.there) for k in range(territories)]
        found = {mine.tobytes(): self.found.get(mine.tobytes()) or self._best(mine) for mine in members if mine.size}
        self.found = found
        return [found.get(mine.tobytes()) for mine in members]

    def _best(self, mine: np.ndarray) -> list[float]:
        """Find the place in a territory, given its units."""
        others = self.there.copy()
        others[mine] = False
        room = self.inland[mine]
        if others.any():
            room = np.minimum(room, KDTree(self.middles[others]).query(self.middles[mine])[0])
        return [*map(float, self.middles[mine[room.argmax()]]), float(min(room.max(), 1e9))]
