"""Hexagons as units: they cover the land and its accounts, join up, and take today's owners from the counties below."""

import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from territory_lab import alignment, book, geography, hexagons, proposal, workspace
from territory_lab.errors import BadInput
from tests.alignment.grids import connected

TEXAS_AND_HAWAII = pd.DataFrame({"lon": [-97.74, -95.37, -157.86, np.nan], "lat": [30.27, 29.76, 21.31, np.nan]})
SEOUL_AND_BUSAN = pd.DataFrame({"lon": [126.98, 129.08], "lat": [37.57, 35.18]})


@pytest.fixture(scope="module")
def american() -> pd.DataFrame:
    return hexagons.cover(TEXAS_AND_HAWAII["lon"], TEXAS_AND_HAWAII["lat"], 3)


def test_each_point_lies_in_a_hexagon_and_land_without_points_is_covered_too(american):
    points = shapely.points(TEXAS_AND_HAWAII.dropna().to_numpy())
    assert all(american.contains(point).sum() == 1 for point in points)
    assert {"NY", "WA", "HI"} <= set(american["state"])
    assert "AK" not in set(american["state"])


def test_many_accounts_at_one_place_count_as_one(american):
    crowd = pd.concat([TEXAS_AND_HAWAII] * 5)
    assert hexagons.cover(crowd["lon"], crowd["lat"], 3).index.equals(american.index)


def test_areas_are_those_of_the_outlines_on_the_globe(american):
    globe = Geod(ellps="sphere")  # H3 reckons on a sphere
    drawn = [abs(globe.geometry_area_perimeter(shape)[0]) / 1e6 for shape in american.geometry]
    np.testing.assert_allclose(american["area_km2"], drawn, rtol=0.02)


def test_hexagons_carry_as_many_people_as_live_on_so_much_of_their_county(american):
    counties = geography.counties().set_index("unit_id")
    known = american.dropna(subset="county")
    density = counties.loc[known["county"], ["population", "area_km2"]].to_numpy()
    np.testing.assert_allclose(known["population"] / known["area_km2"], density[:, 0] / density[:, 1])


def test_neighbours_share_an_edge_and_a_ferry_joins_what_water_parts(american):
    pairs = hexagons.neighbours(american.index)
    border = pairs[pairs["kind"] == "border"]
    assert all(h3.are_neighbor_cells(a, b) for a, b in border[["unit_a", "unit_b"]].to_numpy())
    links, everything = pairs[["unit_a", "unit_b"]], set(american.index)
    assert not connected(everything, list(links[pairs["kind"] == "border"].itertuples(index=False, name=None)))
    assert connected(everything, list(links.itertuples(index=False, name=None)))


def test_abroad_the_hull_of_the_points_is_covered():
    korea = hexagons.cover(SEOUL_AND_BUSAN["lon"], SEOUL_AND_BUSAN["lat"], 4)
    assert korea["county"].isna().all()
    assert set(korea.index) >= {h3.latlng_to_cell(37.57, 126.98, 4), h3.latlng_to_cell(35.18, 129.08, 4)}


def test_too_many_hexagons_and_no_place_at_all_are_refused():
    with pytest.raises(BadInput, match="more than 60,000 units -> try 6"):
        hexagons.cover(TEXAS_AND_HAWAII["lon"], TEXAS_AND_HAWAII["lat"], 7)
    with pytest.raises(BadInput, match="add lon and lat"):
        hexagons.cover(TEXAS_AND_HAWAII["lon"][3:], TEXAS_AND_HAWAII["lat"][3:], 3)


def test_a_workspace_plans_by_hexagons_where_its_settings_ask_for_them(tmp_path):
    county = geography.counties().query("state == 'TX'").head(60)
    accounts = pd.DataFrame({"account_id": county["unit_id"], "name": county["name"]})
    accounts[["lon", "lat"]] = county[["lon", "lat"]]
    accounts.to_csv(tmp_path / "accounts.csv", index=False)
    half = np.where(county["lon"] < county["lon"].median(), "west", "east")
    pd.DataFrame({"unit_id": county["unit_id"], "territory_id": half}).to_csv(tmp_path / "alignment.csv", index=False)
    (tmp_path / "workspace.toml").write_text("h3_resolution = 3\n")
    space = workspace.open_workspace(tmp_path)
    places = book.units(space)
    known = book.accounts(space, places)
    assert known["unit_id"].tolist() == [h3.latlng_to_cell(*at, 3) for at in county[["lat", "lon"]].to_numpy()]
    today = book.today(space, places).dropna()
    owner = dict(zip(county["unit_id"], half, strict=True))
    assert today.tolist() == [owner[below] for below in places.loc[today.index, "county"]]
    load = proposal.activities(known.assign(tier="A", potential=1.0), places)
    question = proposal.question(space, load, None, 0.3, territories=2)
    assert alignment.solve(question, time_limit_s=20).feasible


def test_a_size_that_is_none_is_refused(tmp_path):
    (tmp_path / "workspace.toml").write_text("h3_resolution = 12\n")
    with pytest.raises(BadInput, match=r"12 is no size -> 3 \(large\) to 7 \(small\), or 0"):
        _ = workspace.open_workspace(tmp_path).settings
