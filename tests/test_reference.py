"""The shipped reference geography against published figures."""

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from territory_lab import geography, shipped

# Census, State Area Measurements: total area in km², of states without a coast.
STATE_KM2 = {"AZ": 295_234, "CO": 269_601, "IA": 145_746, "KS": 213_100, "NE": 200_330, "WY": 253_335}


def _groups(pairs: pd.DataFrame) -> list[int]:
    """Count the units of each connected group of counties."""
    ids = pd.Index(geography.counties()["unit_id"])
    ends = ids.get_indexer(pairs["unit_a"]), ids.get_indexer(pairs["unit_b"])
    _, label = connected_components(coo_array((np.ones(len(pairs)), ends), shape=(len(ids),) * 2), directed=False)
    return sorted(np.bincount(label), reverse=True)


def test_counties_are_those_of_the_2019_survey():
    counties = geography.counties()
    assert len(counties) == 3_220
    assert counties["unit_id"].is_monotonic_increasing
    assert counties["unit_id"].is_unique
    assert counties["population"].sum() == 328_016_242
    assert (counties["state"] == "PR").sum() == 78
    assert not counties.isna().to_numpy().any()


def test_county_polygons_fit_without_gap_or_overlap():
    shapes = geography.counties().geometry
    assert shapes.is_valid.all()
    assert not shapes.is_empty.any()
    assert shapely.coverage_is_valid(shapes.to_numpy())


def test_areas_agree_with_published_state_areas():
    found = geography.counties().groupby("state")["area_km2"].sum()
    for state, published in STATE_KM2.items():
        assert found[state] == pytest.approx(published, rel=0.005), state


def test_states_are_the_union_of_their_counties():
    states = geography.states().to_crs(5070).set_index("state")
    assert len(states) == 52
    assert np.allclose(states.area / 1e6, geography.counties().groupby("state")["area_km2"].sum(), rtol=0.005)


def test_every_centre_lies_in_its_county():
    counties = geography.counties()
    points = shapely.points(counties["lon"], counties["lat"])
    assert (shapely.distance(counties.geometry.to_numpy(), points) < 0.001).all()


def test_borders_make_the_known_groups_and_crossings_join_them():
    pairs = geography.neighbours()
    borders = pairs[pairs["kind"] == "border"]
    assert len(borders) == 8_942
    assert _groups(borders) == [3_106, 76, 28, 2, *[1] * 8]
    # Mainland with Alaska, Nantucket and San Juan; Puerto Rico; Maui with Kalawao; Hawaii, Honolulu, Kauai.
    assert _groups(pairs) == [3_137, 78, 2, 1, 1, 1]
    assert (pairs["unit_a"] < pairs["unit_b"]).all()
    assert not pairs.duplicated(["unit_a", "unit_b"]).any()
    assert pairs["reason"].notna().eq(pairs["kind"] != "border").all()


def test_known_neighbours_touch_and_four_corners_do_not():
    pairs = set(zip(*geography.neighbours()[["unit_a", "unit_b"]].to_numpy().T, strict=True))
    assert ("17031", "17197") in pairs  # Cook and Will, IL
    apache, montezuma, san_juan_nm, san_juan_ut = "04001", "08083", "35045", "49037"
    assert (apache, san_juan_nm) in pairs
    assert (apache, montezuma) not in pairs
    assert (san_juan_nm, san_juan_ut) not in pairs


def test_postcodes_keep_their_zeros_and_stand_in_known_counties():
    table = geography.postcodes()
    assert table["postcode"].is_unique
    assert table["postcode"].str.fullmatch(r"\d{5}").all()
    assert table["unit_id"].isin(geography.counties()["unit_id"]).all()
    county = table.set_index("postcode")["unit_id"]
    published = {"02139": "25017", "10001": "36061", "60601": "17031", "90210": "06037", "00901": "72127"}
    assert county[[*published]].to_dict() == published


def test_post_office_boxes_stand_in_their_city():
    table = geography.postcodes().set_index("postcode")
    assert (table["source"] == "city").sum() > 4_000
    assert table.loc["10008", ["unit_id", "source"]].tolist() == ["36061", "city"]  # New York, boxes only


def test_each_county_has_one_area_and_each_area_a_county():
    counties, areas = geography.counties(), geography.areas()
    assert areas["area_id"].is_unique
    assert set(areas["area_id"]) == set(counties["area_id"]) == set(geography.market_reference()["area_id"])
    of = counties.set_index("unit_id")["area_id"]
    published = {"36061": "35620", "34013": "35620", "17031": "16980", "48201": "26420", "06075": "41860"}
    assert of[[*published]].to_dict() == published
    assert of["30109"] == "MT-nonmetro"  # Wibaux, MT


def test_sectors_are_the_twenty_of_naics():
    table = geography.sectors().set_index("sector")["name"]
    assert len(table) == 20
    assert table["31-33"] == "Manufacturing"
    assert table["11"] == "Agriculture, Forestry, Fishing and Hunting"


def test_market_is_complete_and_adds_up_to_the_nation_by_sector():
    market = geography.market_reference()
    assert len(market) == len(geography.areas()) * 20
    assert not market.isna().to_numpy().any()
    found = market.groupby("sector")["employees"].sum()
    published = {"62": 24_031_380, "31-33": 12_654_310, "72": 14_276_590, "92": 10_242_890}  # OEWS May 2025
    for sector, jobs in published.items():
        assert found[sector] / found.sum() == pytest.approx(jobs / 155_495_730, rel=0.01), sector


@pytest.mark.parametrize("measure", ["employees", "establishments"])
def test_intervals_hold_the_estimate(measure):
    market = geography.market_reference()
    assert (market[f"{measure}_low"] <= market[measure]).all()
    assert (market[measure] <= market[f"{measure}_high"]).all()
    assert (market[f"{measure}_low"] >= 0).all()


@pytest.fixture(scope="module")
def patterns(cases) -> pd.DataFrame:
    """Join County Business Patterns 2018 by metro and sector to the estimates."""
    table = pd.read_parquet(cases / "market" / "cbp2018_cbsa_naics4.parquet")
    parts = {"31": "31-33", "32": "31-33", "33": "31-33", "44": "44-45", "45": "44-45", "48": "48-49", "49": "48-49"}
    of_three = table["naics_code"].str[:2].map(parts).where(table["naics_level"] == 3)
    table["sector"] = of_three.fillna(table["naics_code"].where(table["naics_level"] == 2))
    counts = table.groupby(["cbsa_code", "sector"])[["EMP", "ESTAB"]].sum().reset_index()
    joined = counts.merge(geography.market_reference(), left_on=["cbsa_code", "sector"], right_on=["area_id", "sector"])
    return joined[joined["EMP"] > 0]


def test_estimates_rank_metros_as_the_patterns_do(patterns):
    assert patterns["area_id"].nunique() == 377
    assert np.corrcoef(np.log(patterns["EMP"]), np.log(patterns["employees"]))[0, 1] > 0.9


@pytest.mark.parametrize(("count", "measure"), [("EMP", "employees"), ("ESTAB", "establishments")])
def test_eighty_per_cent_intervals_hold_the_patterns(patterns, count, measure):
    inside = patterns[count].between(patterns[f"{measure}_low"], patterns[f"{measure}_high"])
    assert 0.75 < inside.mean() < 0.90
    assert inside.groupby(patterns["sector"]).mean().between(0.75, 0.95).all()


def test_korea_adds_up():
    korea = geography.korea()
    assert len(korea) == 250
    assert korea["unit_id"].is_unique
    assert korea["name"].is_unique
    assert korea["population"].sum() == pytest.approx(49.9e6, rel=0.002)
    assert korea["companies"].sum() == pytest.approx(6.03e6, rel=0.001)
    assert korea["grdp"].notna().sum() == 218
    assert korea["area_km2"].sum() == pytest.approx(100_413, rel=0.005)  # published area of the country, 2020
    assert shapely.coverage_is_valid(korea.geometry.to_numpy())


def test_the_reference_stays_small():
    assert sum(path.stat().st_size for path in shipped.data("reference").glob("*.parquet")) < 2_000_000
