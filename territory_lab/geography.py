"""Places: the reference geography, which unit an account stands in, which units touch, and a flat map."""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Transformer

from territory_lab import shipped
from territory_lab.errors import BadInput, Fault

__all__ = [
    "areas",
    "counties",
    "korea",
    "market_reference",
    "neighbours",
    "points_of",
    "postcodes",
    "project",
    "sectors",
    "states",
    "touching",
    "unit_of",
]

WGS84 = "EPSG:4326"
FAR_STATES = ("AK", "HI", "PR")
AMERICAN = ("US", "USA", "United States", "United States of America")  # how accounts name the country
CONUS_ALBERS = "EPSG:5070"
# Longitudes (west, east) and latitudes (south, north) that hold the 50 states and Puerto Rico; EPSG:5070 keeps
# areas true everywhere in them. The Aleutians pass the 180th meridian.
UNITED_STATES = ((-180.0, -64.0, 17.0, 72.0), (172.0, 180.0, 51.0, 54.0))


@cache
def _table(name: str) -> pd.DataFrame:
    """Read a shipped table once."""
    return pd.read_parquet(shipped.data("reference", f"{name}.parquet"))


@cache
def _shapes(name: str) -> gpd.GeoDataFrame:
    """Read a shipped table of polygons once."""
    return gpd.read_parquet(shipped.data("reference", f"{name}.parquet"))


def counties() -> gpd.GeoDataFrame:
    """
    Return the 3,220 counties of the United States and Puerto Rico, as units.

    Returns
    -------
    GeoDataFrame
        ``unit_id`` (FIPS, 5 digits), ``name``, ``state`` (two letters), ``area_id``, ``population``, ``households``,
        ``median_income`` (dollars a year), ``labor_force``, ``unemployed``, ``poverty`` (people; ACS 2015-2019),
        ``area_km2``, ``lon``, ``lat``, ``geometry`` (EPSG:4326); sorted by ``unit_id``.
    """
    return _shapes("counties").copy()


def states() -> gpd.GeoDataFrame:
    """
    Return the outlines of the 50 states, the District of Columbia and Puerto Rico.

    Returns
    -------
    GeoDataFrame
        ``state`` (two letters), ``name``, ``geometry`` (EPSG:4326), made of the same borders as the counties.
    """
    return _shapes("states").copy()


def neighbours() -> pd.DataFrame:
    """
    Return the pairs of neighbouring counties.

    Returns
    -------
    DataFrame
        ``unit_a`` < ``unit_b``, ``kind`` (``border``, ``bridge`` or ``ferry``), ``reason`` (missing for a border).
    """
    return _table("neighbours").copy()


def areas() -> pd.DataFrame:
    """
    Return the metro areas, and for each state what lies outside them.

    Returns
    -------
    DataFrame
        ``area_id``, ``name``, ``kind`` (``metro`` or ``nonmetro``).
    """
    return _table("areas").copy()


def postcodes() -> pd.DataFrame:
    """
    Return the ZIP codes with a point and a county each.

    Returns
    -------
    DataFrame
        ``postcode`` (text, leading zeros kept), ``lon``, ``lat``, ``unit_id``, ``state``, ``source`` (``zcta``: the
        point of its area; ``city``: a post-office box or single company, put at the middle of its city).
    """
    return _table("postcodes").copy()


def sectors() -> pd.DataFrame:
    """
    Return the 20 sectors of the North American Industry Classification (2017).

    Returns
    -------
    DataFrame
        ``sector`` (code as text, e.g. ``31-33``), ``name``.
    """
    return _table("sectors").copy()


def market_reference() -> pd.DataFrame:
    """
    Return estimated employees and establishments by area and sector, with 80 % intervals.

    Returns
    -------
    DataFrame
        ``area_id``, ``sector``, ``employees``, ``employees_low``, ``employees_high``, ``establishments``,
        ``establishments_low``, ``establishments_high``, ``source``.
    """
    return _table("market").copy()


def korea() -> gpd.GeoDataFrame:
    """
    Return the districts of South Korea, as units.

    Returns
    -------
    GeoDataFrame
        ``unit_id``, ``name``, ``population``, ``companies``, ``grdp`` (missing where not published), ``lon``,
        ``lat``, ``area_km2``, ``geometry`` (EPSG:4326).
    """
    return _shapes("korea").copy()


def project(lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Lay points on one flat map that keeps areas true.

    EPSG:5070 (Albers) when all points are in the United States, else the Lambert azimuthal equal-area projection
    centred on the mean of the points' directions, so that the whole set shares one map.

    Parameters
    ----------
    lon, lat : array_like
        Degrees, shape (n,); missing where not known.

    Returns
    -------
    tuple of ndarray
        ``x_km``, ``y_km``, shape (n,); missing where the point is.
    """
    east, north = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    known = np.isfinite(east) & np.isfinite(north)
    x_km, y_km = np.full(east.shape, np.nan), np.full(east.shape, np.nan)
    if known.any():
        flat = Transformer.from_crs(WGS84, _flat_crs(east[known], north[known]), always_xy=True)
        x_km[known], y_km[known] = (np.asarray(metres) / 1000 for metres in flat.transform(east[known], north[known]))
    return x_km, y_km


def _flat_crs(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> str:
    """Choose the equal-area map of a set of points."""
    inside = np.zeros(lon.shape, dtype=bool)
    for west, east, south, north in UNITED_STATES:
        inside |= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if inside.all():
        return CONUS_ALBERS
    x, y = np.radians(lon), np.radians(lat)
    mean = np.array([(np.cos(y) * np.cos(x)).mean(), (np.cos(y) * np.sin(x)).mean(), np.sin(y).mean()])
    middle_lon = np.degrees(np.arctan2(mean[1], mean[0]))
    middle_lat = np.degrees(np.arctan2(mean[2], np.hypot(mean[0], mean[1])))
    return f"+proj=laea +lat_0={middle_lat:.6f} +lon_0={middle_lon:.6f} +datum=WGS84 +units=m"


def unit_of(accounts: pd.DataFrame, units: pd.DataFrame, postcodes: pd.DataFrame | None = None) -> pd.Series:
    """
    Say which unit each account stands in.

    The account's own ``unit_id`` decides where it names a known unit, else its postcode, else its point in a unit's
    polygon. A point on a border goes to the unit with the smaller id.

    Parameters
    ----------
    accounts : DataFrame
        Any of ``unit_id``, ``postcode``, ``lon`` and ``lat`` (degrees).
    units : DataFrame
        ``unit_id``; with ``geometry`` (any known CRS; EPSG:4326 where none is set) points are placed too.
    postcodes : DataFrame, optional
        ``postcode`` and ``unit_id``.

    Returns
    -------
    Series of str
        ``unit_id`` on the index of ``accounts``, missing where nothing places the account.
    """
    ids = pd.Index(units["unit_id"].astype("str"))
    found: pd.Series = pd.Series(np.nan, index=accounts.index, dtype="str", name="unit_id")
    if "unit_id" in accounts:
        found = accounts["unit_id"].astype("str").where(accounts["unit_id"].isin(ids)).rename("unit_id")
    if "postcode" in accounts and postcodes is not None:
        table = postcodes[postcodes["unit_id"].isin(ids)].drop_duplicates("postcode").set_index("postcode")["unit_id"]
        zips = accounts["postcode"].str.replace(r"^(\d{5})-?\d{4}$", r"\1", regex=True)  # ZIP+4
        found = found.where(found.notna(), zips.map(table).astype("str"))
    if {"lon", "lat"} <= set(accounts) and "geometry" in units:
        missing = (found.isna() & accounts["lon"].notna() & accounts["lat"].notna()).to_numpy()
        at = _polygon_at(accounts.loc[missing, "lon"], accounts.loc[missing, "lat"], units)
        found.loc[missing] = at.to_numpy()
    return found


def points_of(accounts: pd.DataFrame) -> pd.DataFrame:
    """
    Say where each account stands: its own point, else that of its American postcode.

    Parameters
    ----------
    accounts : DataFrame
        Any of ``lon``, ``lat`` (degrees), ``postcode`` and ``country``.

    Returns
    -------
    DataFrame
        ``lon``, ``lat`` on the index of ``accounts``, missing where nothing tells.
    """
    found = accounts.reindex(columns=["lon", "lat"]).astype("float64")
    if "postcode" in accounts:
        american = accounts["country"].fillna("").isin(["", *AMERICAN]) if "country" in accounts else True
        codes = accounts["postcode"].str[:5].where(american & found.isna().any(axis=1))
        at = postcodes().set_index("postcode")[["lon", "lat"]].reindex(codes)
        found = found.where(codes.isna(), at.set_axis(found.index))
    return found


def _polygon_at(lon: pd.Series, lat: pd.Series, units: pd.DataFrame) -> pd.Series:
    """Return the id of the polygon that holds each point, missing where none does."""
    shapes = _polygons(units).to_crs(WGS84).sort_values("unit_id")
    points = gpd.points_from_xy(lon, lat)
    point, shape = shapely.STRtree(shapes.geometry.to_numpy()).query(points, predicate="intersects")
    first = pd.Series(shape, index=point).groupby(level=0).min().reindex(range(len(points)))
    found: pd.Series = first.map(dict(enumerate(shapes["unit_id"]))).astype("str")
    return found


def _polygons(units: pd.DataFrame) -> gpd.GeoDataFrame:
    """Take units with polygons, in EPSG:4326 where no CRS is set; say which have none."""
    if "geometry" not in units:
        raise BadInput([Fault("units", "geometry", "", "there is no such column", "add polygons as GeoParquet")])
    shapes = gpd.GeoDataFrame(units[["unit_id"]], geometry=gpd.GeoSeries(units["geometry"]))
    empty = shapes.geometry.isna() | shapes.geometry.is_empty
    if empty.any():
        mend = "give the unit a polygon or leave it out"
        raise BadInput(Fault("units", "geometry", str(unit), "no polygon", mend) for unit in units["unit_id"][empty])
    return shapes if shapes.crs else shapes.set_crs(WGS84)


def touching(units: pd.DataFrame) -> pd.DataFrame:
    """
    List the pairs of units whose polygons share a stretch of border, not a mere corner.

    Borders that overlap by a sliver, as digitised ones do, count by the length of the sliver's outline. Units that
    appear in no pair are islands: ``touching(units).attrs["islands"]`` names them.

    Parameters
    ----------
    units : DataFrame
        ``unit_id`` and ``geometry`` (polygons in any CRS).

    Returns
    -------
    DataFrame
        ``unit_a`` < ``unit_b``, ``kind`` (always ``border``), sorted.
    """
    shapes = _polygons(units)
    ids = shapes["unit_id"].astype("str").to_numpy(dtype=object)
    geometry = shapes.geometry.to_numpy()
    one, other = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    shared = shapely.length(shapely.intersection(geometry[one], geometry[other])) > 0
    pairs = [(min(a, b), max(a, b)) for a, b in zip(ids[one[shared]], ids[other[shared]], strict=True)]
    table = pd.DataFrame(sorted(pairs), columns=["unit_a", "unit_b"], dtype="str").assign(kind="border")
    table.attrs["islands"] = sorted(set(ids) - set(table["unit_a"]) - set(table["unit_b"]))
    return table
