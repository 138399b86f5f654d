"""Shapes that come with rows, as PostGIS, GIS files and spreadsheets write them: a place for accounts and units."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from territory_lab.crm._ledger import Ledger
from territory_lab.crm._plain import Raw
from territory_lab.errors import Fault
from territory_lab.geography import WGS84

COLUMN = "geometry"


def place(raw: Raw, ledger: Ledger) -> None:
    """Take the point of each account's shape, and bring the polygons of units to longitude and latitude."""
    for name in ("accounts", "units"):
        if COLUMN in raw.get(name, ()):
            frame = raw[name]
            shapes = _parsed(frame[COLUMN])
            for ticket, text in frame.loc[(shapely.is_missing(shapes)) & (frame[COLUMN] != ""), COLUMN].items():
                fault = Fault(name, COLUMN, "", "is no shape", "write it as WKB in hexadecimal, or as WKT")
                ledger.note(name, int(str(ticket)), "cell", text[:80], fault)
            points = shapely.point_on_surface(shapes)
            points[shapely.is_empty(points)] = None
            for axis, values in (("lon", shapely.get_x(points)), ("lat", shapely.get_y(points))):
                found = pd.Series(values, frame.index).round(6).astype("str").fillna("")
                frame[axis] = frame[axis].mask(frame[axis] == "", found) if axis in frame else found
            if name == "units":
                frame[COLUMN] = pd.Series(shapely.to_wkb(shapes, hex=True), frame.index).fillna("").astype("str")
            else:
                del frame[COLUMN]


def drawn(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Turn the shapes of a table of text back into shapes."""
    shapes = shapely.from_wkb(table[COLUMN].replace("", None).to_numpy(dtype=object))
    return gpd.GeoDataFrame(table.drop(columns=COLUMN), geometry=gpd.GeoSeries(shapes, table.index, crs=WGS84))


def _parsed(texts: pd.Series) -> NDArray[np.object_]:
    """Read WKB in hexadecimal (PostGIS's own, with its reference system) or WKT; missing where it is neither."""
    wkb = texts.str.fullmatch("(?:[0-9A-Fa-f]{2})+").to_numpy(dtype=bool)
    wkt = (texts != "").to_numpy(dtype=bool) & ~wkb
    shapes = np.full(len(texts), None)
    shapes[wkb] = shapely.from_wkb(list(texts[wkb]), on_invalid="ignore")
    shapes[wkt] = shapely.from_wkt(list(texts[wkt]), on_invalid="ignore")
    systems = shapely.get_srid(shapes)
    for system in set(systems[systems > 0]) - {4326}:
        there = systems == system
        shapes[there] = gpd.GeoSeries(shapes[there], crs=int(system)).to_crs(WGS84).to_numpy()
    shapes[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None  # empty ones too
    return shapely.set_srid(shapes, 0)
