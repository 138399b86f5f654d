"""Maps on grids a person can check by eye, and on the counties."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from territory_lab import geography, maps
from territory_lab.charts import percent
from territory_lab.charts.tokens import REST, TERRITORIES


def grid(n: int) -> gpd.GeoDataFrame:
    """Lay n x n unit squares, named u00, u01, ... from the lower left."""
    boxes = {f"u{i}{j}": shapely.box(j, i, j + 1, i + 1) for i in range(n) for j in range(n)}
    return gpd.GeoDataFrame({"unit_id": list(boxes)}, geometry=list(boxes.values())).set_index("unit_id")


def columns(units: gpd.GeoDataFrame) -> pd.Series:
    """Give each column of a grid to a territory."""
    return pd.Series([f"T{name[2]}" for name in units.index], index=units.index, name="territory_id")


@pytest.fixture(scope="module")
def page() -> maps.Sheet:
    return maps.sheet(geography.counties())


def test_dissolving_keeps_every_square():
    units = grid(3)
    shapes = maps.dissolve(units.geometry, columns(units))
    assert shapes.area.to_dict() == pytest.approx({"T0": 3.0, "T1": 3.0, "T2": 3.0}, rel=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_are_never_alike(seed):
    units = grid(6)
    owner = pd.Series(np.random.default_rng(seed).integers(0, 9, 36).astype(str), index=units.index)
    blocks = maps.dissolve(
        units.geometry, pd.Series([f"{n[1]}{int(n[2]) // 2}" for n in units.index], index=units.index)
    )
    colours = maps.colouring(blocks)
    for a in blocks.index:
        touched = [b for b in blocks.index if b != a and blocks[a].touches(blocks[b])]
        assert colours[a] not in set(colours[touched])
    assert set(maps.colouring(maps.dissolve(units.geometry, owner))) <= set(TERRITORIES)


def test_the_visual_centre_of_an_l_lies_inside_it():
    ell = shapely.union_all([shapely.box(0, 0, 1, 4), shapely.box(0, 0, 4, 1)])
    centre = maps.centres(gpd.GeoSeries([ell], index=["L"])).loc["L"]
    assert ell.contains(shapely.Point(centre["x"], centre["y"]))
    assert not ell.contains(shapely.box(0, 0, 4, 4).centroid)


def test_class_limits_can_be_said_aloud():
    values = pd.Series(np.random.default_rng(0).lognormal(9, 1.5, 3000))
    limits = maps.round_limits(values)
    assert all(float(f"{limit:.1g}") == limit for limit in limits)
    shares = np.diff([0, *(np.searchsorted(np.sort(values), limits) / len(values)), 1])
    assert shares.max() < 0.35


def test_change_counts_the_units_that_move_and_their_weight():
    units = grid(3)
    before = columns(units)
    after = before.where(before.index != "u00", "T1")
    weight = pd.Series(1.0, index=units.index).where(before.index != "u00", 4.0)
    assert maps.change(units, before, after, weight, what="workload").title == (
        f"1 of 9 units change hands: {percent(4 / 12)} of the workload"
    )
    assert maps.change(units, before, before).title == "Nothing moves"


def test_units_without_territory_are_grey_and_counted():
    units = grid(3)
    picture = maps.territories(units, columns(units).drop(["u00", "u11"]))
    assert "2 units without territory" in picture.subtitle
    assert REST in picture.svg()
    assert picture.title == "3 territories over 7 units"


def test_choropleth_says_how_concentrated_a_quantity_is():
    units = grid(5)
    values = pd.Series(1.0, index=units.index)
    values.iloc[:2] = 50.0
    picture = maps.choropleth(units, values, [10, 40], what="potential")
    assert picture.title == f"A tenth of the units holds {percent(100 / 123)} of the potential"
    assert "under 10" in picture.svg()
    assert "40 and more" in picture.svg()


def test_homes_and_labels_are_drawn_where_they_belong():
    units = grid(3)
    homes = pd.DataFrame({"lon": [0.5], "lat": [2.5]}, index=["T0"])
    assert maps.sheet(units).place(homes["lon"], homes["lat"]).tolist() == [[0.5, 2.5]]
    svg = maps.territories(units, columns(units), homes, labels={"T0": "North & <b>"}).svg()
    assert "North &amp; &lt;b&gt;" in svg


def test_the_conterminous_states_keep_their_area(page):
    counties = geography.counties().set_index("unit_id")
    main = counties.index[~counties["state"].isin(["AK", "HI", "PR"])]
    drawn = page.shapes[main].area.groupby(counties["state"]).sum() / 1e6
    assert drawn["CO"] == pytest.approx(269_600, rel=0.01)  # total area, Census 2010, km2
    assert drawn["KS"] == pytest.approx(213_100, rel=0.01)


def test_far_parts_stand_in_their_frames(page):
    lon, lat = pd.Series([-149.9, -157.86, -66.1, 174.0, -104.99]), pd.Series([61.2, 21.3, 18.4, 52.9, 39.74])
    at = page.place(lon, lat)
    frames = {part.crs: part.frame for part, _ in page.parts if part.frame}
    for point, frame in zip(at[[0, 3, 1, 2]], [frames["EPSG:3338"], *frames.values()], strict=True):
        assert frame[0] < point[0] < frame[0] + frame[2]
        assert frame[1] < point[1] < frame[1] + frame[3]
    denver = page.shapes["08031"]
    assert denver.distance(shapely.Point(at[4])) < 10_000
    assert len(page.shapes) == 3220


def test_a_map_of_all_counties_stays_small(page):
    states = geography.counties().set_index("unit_id")["state"]
    assert len(maps.territories(page, states).svg()) < 200_000
