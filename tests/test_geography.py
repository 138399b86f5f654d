"""Which units touch, where an account stands, and the flat map."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory_lab import geography
from territory_lab.errors import BadInput

EARTH = Geod(ellps="WGS84")
EMPTY = gpd.GeoDataFrame({"unit_id": ["a", "b", "c"]}, geometry=[shapely.box(0, 0, 1, 1), None, shapely.Polygon()])


@pytest.fixture
def grid() -> gpd.GeoDataFrame:
    """
    Draw a 3x3 grid of one-degree squares and one island.

    ::

        g h i
        d e f      z
        a b c
    """
    squares = [shapely.box(x, y, x + 1, y + 1) for y in range(3) for x in range(3)]
    return gpd.GeoDataFrame(
        {"unit_id": pd.array(list("abcdefghiz"), dtype="str")},
        geometry=[*squares, shapely.box(5, 1, 6, 2)],
        crs=4326,
    )


def test_a_grid_touches_along_sides_and_not_at_corners(grid):
    pairs = geography.touching(grid)
    sides = ["ab", "ad", "bc", "be", "cf", "de", "dg", "ef", "eh", "fi", "gh", "hi"]
    assert (pairs["unit_a"] + pairs["unit_b"]).tolist() == sides
    assert set(pairs["kind"]) == {"border"}


def test_islands_are_named(grid):
    assert geography.touching(grid).attrs["islands"] == ["z"]


def test_touching_does_not_depend_on_the_order_of_the_units(grid):
    pd.testing.assert_frame_equal(geography.touching(grid), geography.touching(grid.iloc[::-1]))


def test_units_without_polygons_are_all_named():
    with pytest.raises(BadInput) as error:
        geography.touching(EMPTY)
    assert [fault.row for fault in error.value.faults] == ["b", "c"]
    with pytest.raises(BadInput, match="no such column"):
        geography.touching(pd.DataFrame({"unit_id": ["a"]}))


def test_polygons_touch_where_the_topology_shares_an_arc():
    touching = geography.touching(geography.counties())
    shared = geography.neighbours().query("kind == 'border'")
    different = set(zip(touching["unit_a"], touching["unit_b"], strict=True)) ^ set(
        zip(shared["unit_a"], shared["unit_b"], strict=True)
    )
    # Snapping to the grid loses two of 8,942: the two where Alameda, CA, is drawn as thin as a line.
    assert different == {("06001", "06075"), ("06001", "06099")}


def test_the_districts_of_korea_touch():
    pairs = geography.touching(geography.korea())
    names = geography.korea().set_index("unit_id")["name"]
    ulleung = names.index[names.str.startswith("Ulleung")][0]
    assert ulleung in pairs.attrs["islands"]
    both = {*zip(pairs["unit_a"].map(names), pairs["unit_b"].map(names), strict=True)}
    assert ("Jongno-gu, Seoul", "Jung-gu, Seoul") in both


def test_own_unit_wins_over_postcode_and_postcode_over_point(grid):
    accounts = pd.DataFrame(
        {
            "unit_id": ["a", "gone", None, None, None],
            "postcode": ["02139", "02139", "99999", None, None],
            "lon": [0.5, 0.5, 2.5, 2.5, 9.0],
            "lat": [2.5, 2.5, 0.5, 0.5, 9.0],
        },
        index=list("vwxyz"),
    )
    places = pd.DataFrame({"postcode": ["02139"], "unit_id": ["e"]})
    found = geography.unit_of(accounts, grid, places)
    assert found.iloc[:4].to_dict() == {"v": "a", "w": "e", "x": "c", "y": "c"}
    assert pd.isna(found["z"])
    assert found.name == "unit_id"
    assert found.dtype == "str"


def test_a_point_on_a_border_goes_to_the_smaller_id(grid):
    accounts = pd.DataFrame({"lon": [1.0, 2.0], "lat": [1.0, 1.5]})
    assert geography.unit_of(accounts, grid).tolist() == ["a", "e"]
    assert geography.unit_of(accounts, grid.iloc[::-1]).tolist() == ["a", "e"]


def test_accounts_without_any_place_stay_missing(grid):
    accounts = pd.DataFrame({"name": ["x", "y"], "lon": [np.nan, 0.5], "lat": [0.5, np.nan]})
    assert geography.unit_of(accounts, grid).isna().all()
    assert geography.unit_of(accounts[["name"]], grid).isna().all()
    assert geography.unit_of(accounts.iloc[:0], grid).empty


def test_points_fall_where_trying_every_polygon_puts_them():
    counties = geography.counties().query("state in ['MA', 'RI', 'CT']")
    rng = np.random.default_rng(7)
    accounts = pd.DataFrame({"lon": rng.uniform(-73.6, -69.8, 60), "lat": rng.uniform(41.0, 42.9, 60)})
    expected = [
        next(
            (unit for unit, shape in zip(counties["unit_id"], counties.geometry, strict=True) if shape.covers(at)), None
        )
        for at in shapely.points(accounts[["lon", "lat"]].to_numpy())
    ]
    found = geography.unit_of(accounts, counties)
    assert [None if pd.isna(unit) else unit for unit in found] == expected
    assert 0 < expected.count(None) < 60


@pytest.mark.parametrize(("lon", "lat"), [(-98.0, 39.0), (-150.0, 61.0), (-157.9, 21.3), (-66.5, 18.2), (127.0, 37.5)])
def test_areas_stay_true(lon, lat):
    corners = lon + np.array([0, 0.2, 0.2, 0]), lat + np.array([0, 0, 0.2, 0.2])
    flat = shapely.Polygon(np.column_stack(geography.project(*corners))).area
    true, _ = EARTH.polygon_area_perimeter(*corners)
    assert flat == pytest.approx(true / 1e6, rel=1e-3)


def test_distances_are_true_in_kansas_and_not_in_alaska():
    wichita_topeka = [-97.34, -95.68], [37.69, 39.05]
    anchorage_nome = [-149.90, -165.41], [61.22, 64.50]
    off = []
    for lon, lat in (wichita_topeka, anchorage_nome):
        true = EARTH.inv(lon[0], lat[0], lon[1], lat[1])[2] / 1000
        x_km, y_km = geography.project(lon, lat)
        off.append(abs(np.hypot(*np.diff([x_km, y_km])[:, 0]) / true - 1))
    assert off[0] < 0.01
    assert off[1] > 0.10  # why distances are great circles, and the flat map is for drawing


def test_korea_has_a_map_of_its_own():
    units = geography.korea()
    x_km, y_km = geography.project(units["lon"], units["lat"])
    true = EARTH.inv(*units.loc[[0, 200], ["lon", "lat"]].to_numpy().ravel())[2] / 1000
    assert np.hypot(x_km[200] - x_km[0], y_km[200] - y_km[0]) == pytest.approx(true, rel=5e-3)
    assert abs(x_km.mean()) < 10


def test_missing_points_stay_missing_and_move_nothing():
    x_km, y_km = geography.project([-90.0, np.nan, -100.0], [40.0, 41.0, np.nan])
    assert np.isnan(x_km[1:]).all()
    assert np.isnan(y_km[1:]).all()
    assert (x_km[0], y_km[0]) == tuple(both[0] for both in geography.project([-90.0], [40.0]))
    assert geography.project([], [])[0].size == 0


def test_a_reader_gives_a_fresh_copy():
    mine = geography.sectors()
    mine.loc[0, "name"] = "spoilt"
    geography.counties()["population"] = 0
    assert geography.sectors().loc[0, "name"] != "spoilt"
    assert geography.counties()["population"].min() > 0
