"""Hexagons of one size as units, by the H3 grid: for places whose own boundaries are too coarse, or not to be had."""

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from territory_lab import geography
from territory_lab.errors import BadInput, Fault

MOST = 60_000  # units that a plan is made of in a minute
KM_A_DEGREE = 111.2


def cover(lon: pd.Series, lat: pd.Series, resolution: int) -> gpd.GeoDataFrame:
    """
    Lay hexagons over some points and the land between them.

    In the United States the land is the mainland and the far states that hold a point; elsewhere the convex hull of
    the points. Where a county lies under a hexagon's centre, the hexagon takes over its name, state, area and income,
    and as many people as live on so much land there.

    Parameters
    ----------
    lon, lat : Series
        Degrees; missing ones are left out.
    resolution : int
        Of the H3 grid: 3 (12,400 km2 a hexagon), 4 (1,770), 5 (253), 6 (36), 7 (5.2).

    Returns
    -------
    GeoDataFrame
        By unit_id (the H3 index): ``name``, ``lon``, ``lat`` (of the centre), ``area_km2``, ``geometry`` (EPSG:4326),
        and ``county``, ``state``, ``area_id``, ``population``, ``median_income`` where known.

    Raises
    ------
    BadInput
        Where the hexagons would be too many, or there is no point.
    """
    known = (lon.notna() & lat.notna()).to_numpy()
    if not known.any():
        mend = "add lon and lat, or American postcodes"
        raise BadInput([Fault("accounts", "lon", "", "no account has a place for hexagons to cover", mend)])
    points = shapely.MultiPoint(np.unique(np.c_[lon[known], lat[known]], axis=0))
    land = _land(points, h3.average_hexagon_edge_length(resolution, "km") / KM_A_DEGREE)
    size = h3.average_hexagon_area(resolution, "km^2")
    if land.to_crs("EPSG:6933").area.sum() / 1e6 / size > MOST:
        problem = f"would make more than {MOST:,} units"
        raise BadInput([Fault("workspace.toml", "h3_resolution", str(resolution), problem, f"try {resolution - 1}")])
    cells = {cell for shape in land for cell in h3.geo_to_cells(shape, resolution)}
    cells |= {h3.latlng_to_cell(y, x, resolution) for x, y in shapely.get_coordinates(points).tolist()}
    return drawn(pd.DataFrame(index=pd.Index(sorted(cells), name="unit_id", dtype="str")))


def drawn(units: pd.DataFrame) -> gpd.GeoDataFrame:
    """
    Add to hexagons their place, their outline and what is known of the county beneath.

    Parameters
    ----------
    units : DataFrame
        By unit_id, each an H3 index; columns that are there stay.

    Returns
    -------
    GeoDataFrame
        As from :func:`cover`.
    """
    lat, lon = np.array([h3.cell_to_latlng(cell) for cell in units.index]).T
    found = pd.DataFrame({"lon": lon, "lat": lat}, index=units.index)
    found["area_km2"] = [h3.cell_area(cell, "km^2") for cell in units.index]
    counties = geography.counties()
    found["county"] = geography.unit_of(found, counties)
    below = counties.set_index("unit_id").reindex(found["county"])
    share = found["area_km2"].to_numpy() / below["area_km2"].to_numpy()
    for column in ("name", "state", "area_id", "median_income"):
        found[column] = below[column].to_numpy()
    found["name"] = found["name"].fillna(found.index.to_series())
    found["population"] = below["population"].to_numpy() * share
    told = units.join(found[[column for column in found if column not in units]])
    return gpd.GeoDataFrame(told, geometry=[_outline(cell) for cell in units.index], crs=geography.WGS84)


def are(ids: pd.Index) -> bool:
    """
    Say whether units are hexagons of the H3 grid.

    Parameters
    ----------
    ids : Index
        Unit ids.

    Returns
    -------
    bool
        Whether each is an H3 index.
    """
    return len(ids) > 0 and all(h3.is_valid_cell(cell) for cell in ids)


def neighbours(ids: pd.Index) -> pd.DataFrame:
    """
    List the pairs of hexagons that share an edge, and those that join what water parts.

    Parameters
    ----------
    ids : Index
        H3 indexes of one resolution.

    Returns
    -------
    DataFrame
        ``unit_a`` < ``unit_b``, ``kind``: ``border``, or ``ferry`` for the shortest link between two pieces.
    """
    here = set(ids)
    pairs = [(a, b, "border") for a in ids for b in h3.grid_disk(a, 1) if a < b and b in here]
    pairs += [(min(a, b), max(a, b), "ferry") for a, b in _links(ids, [pair[:2] for pair in pairs])]
    return pd.DataFrame(sorted(pairs), columns=["unit_a", "unit_b", "kind"], dtype="str")


def _land(points: BaseGeometry, margin: float) -> gpd.GeoSeries:
    """Give the land to be covered: American states, or the hull of the points with a margin in degrees."""
    states = geography.states().set_index("state").geometry
    reached = states.intersects(points)
    inside = shapely.get_num_geometries(shapely.intersection(points, shapely.union_all(states[reached].to_numpy())))
    if inside * 2 >= shapely.get_num_geometries(points):
        return states[reached | ~states.index.isin(geography.FAR_STATES)]
    return gpd.GeoSeries([points.convex_hull.buffer(margin)], crs=states.crs)


def _outline(cell: str) -> BaseGeometry:
    """Draw one hexagon; east of the 180th meridian it goes on counting."""
    lat, lon = np.array(h3.cell_to_boundary(cell)).T
    return shapely.polygons(np.c_[np.where((np.ptp(lon) > 180) & (lon < 0), lon + 360, lon), lat])


def _links(ids: pd.Index, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join piece after piece to the nearest hexagon of the others, the smallest first."""
    a, b = (ids.get_indexer(pd.Index([pair[side] for pair in pairs], dtype="str")) for side in (0, 1))
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(ids), len(ids)))
    count, piece = connected_components(graph, directed=False)
    lat, lon = np.radians(np.array([h3.cell_to_latlng(cell) for cell in ids]).T)
    globe = np.c_[np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    found = []
    for _ in range(count - 1):
        numbers, sizes = np.unique(piece, return_counts=True)
        apart = piece == numbers[sizes.argmin()]
        inside, outside = np.flatnonzero(apart), np.flatnonzero(~apart)
        far, nearest = cKDTree(globe[outside]).query(globe[inside])
        one, other = inside[far.argmin()], outside[nearest[far.argmin()]]
        piece[apart] = piece[other]
        found.append((str(ids[one]), str(ids[other])))
    return found
