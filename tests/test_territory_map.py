"""The territory map without a browser: what it sends, what it hears, what it says."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from territory_lab.alignment import Problem
from territory_lab.errors import BadInput
from territory_lab.widgets import TerritoryMap

COLUMNS, ROWS = 6, 4
NAMES = ["A", "B", "C"]


def problem(**more) -> Problem:
    """Lay out 4 x 6 squares of one degree near the equator, in three stripes."""
    places = [(c, r) for r in range(ROWS) for c in range(COLUMNS)]
    ids = pd.Index([f"u{r}{c}" for c, r in places], name="unit_id")
    frame = pd.DataFrame(places, columns=["lon", "lat"], index=ids).astype(float)
    frame = frame.assign(workload_h=1.0, customers=2.0, accounts=4.0, name=[f"<b>{name}</b>" for name in ids])
    sides = [(f"u{r}{c}", f"u{r}{c + 1}") for r in range(ROWS) for c in range(COLUMNS - 1)]
    sides += [(f"u{r}{c}", f"u{r + 1}{c}") for r in range(ROWS - 1) for c in range(COLUMNS)]
    homes = pd.DataFrame({"lon": [0.5, 2.5, 4.5], "lat": 1.5}, index=pd.Index(NAMES, name="territory_id"))
    owner = pd.Series([NAMES[c // 2] for c, _ in places], index=ids)
    return Problem(frame, homes, {"workload_h": 0.3}, neighbours=sides, current=owner, **more)


def squares() -> gpd.GeoDataFrame:
    """Draw the units."""
    frame = problem().units
    boxes = shapely.box(frame["lon"] - 0.5, frame["lat"] - 0.5, frame["lon"] + 0.5, frame["lat"] + 0.5)
    return gpd.GeoDataFrame(frame[["name"]], geometry=boxes, crs=4326)


@pytest.fixture
def the_map() -> TerritoryMap:
    return TerritoryMap(problem(), squares(), who="Ada")


def numbers(data: bytes, kind: str) -> np.ndarray:
    return np.frombuffer(data, kind)


def test_every_border_is_sent_once_with_the_units_on_both_sides(the_map):
    beside = numbers(the_map._scene["edge_units"], "<u4").reshape(-1, 2)
    pairs = {tuple(sorted(pair)) for pair in beside[beside[:, 1] < 2**32 - 1].tolist()}
    position = {name: i for i, name in enumerate(the_map._scene["ids"])}
    assert pairs == {tuple(sorted((position[a], position[b]))) for a, b in problem().neighbours.itertuples(index=False)}
    outside = (beside[:, 1] == 2**32 - 1).sum()
    assert outside == 2 * (ROWS + COLUMNS)


def test_owners_loads_and_deviations_are_those_of_the_plan(the_map):
    the_map.assign(["u02", "u12"], "A")
    owner = [NAMES[code] for code in numbers(the_map._state["owner"], "<u2")]
    assert owner == the_map.alignment.to_list()
    sent = {one["id"]: one for one in the_map._state["territories"]}
    for name, load in the_map.plan.problem.units["workload_h"].groupby(the_map.alignment).sum().items():
        assert sent[name]["loads"] == [load]
        assert sent[name]["deviations"] == [pytest.approx(load / (ROWS * COLUMNS / 3) - 1)]
    assert the_map._state["touched"] == ["A", "B"]
    assert numbers(the_map._state["moved"], "u1").sum() == 2


def test_neighbours_never_share_a_tint_after_any_edit(the_map):
    the_map.split_off(["u02", "u03"])
    the_map.new_territory("u35", "Home")
    the_map.merge("A", "B")
    tint = {one["id"]: one["tint"] for one in the_map._state["territories"]}
    owner = the_map.alignment
    touching = {(owner[a], owner[b]) for a, b in problem().neighbours.itertuples(index=False) if owner[a] != owner[b]}
    assert touching
    assert all(tint[a] != tint[b] for a, b in touching)


def test_a_name_stands_in_its_own_territory(the_map):
    middles = numbers(the_map._scene["middles"], "<f4").reshape(-1, 2)
    for one in the_map._state["territories"]:
        nearest = np.hypot(*(middles - one["label"][:2]).T).argmin()
        assert the_map.alignment.iloc[nearest] == one["id"]


def test_what_the_browser_asks_is_done_and_what_is_wrong_is_said_in_words(the_map):
    sent = []
    the_map.send = sent.append
    the_map._hear(None, {"do": "lock", "units": [0]}, None)
    assert the_map.locked == ["u00"]
    the_map._hear(None, {"do": "assign", "units": [0], "territory": "C"}, None)
    assert "is locked to A" in sent[0]["trouble"]
    the_map._hear(None, {"do": "explain", "units": [0]}, None)
    assert sent[1]["why"]["rows"][0]["id"] == "A"
    the_map._hear(None, {"do": "undo"}, None)
    assert the_map.locked == []


def test_steps_say_who_did_what_and_reach_who_listens(the_map):
    heard = []
    the_map.on_step(heard.append)
    the_map.assign(["u02"], "A")
    the_map.who = "Bo"
    the_map.mend()
    assert [(step.what, step.who) for step in heard] == [("assign", "Ada"), ("mend", "Bo")]
    assert the_map.steps == tuple(heard)
    assert heard[0].units == ("u02",)
    assert heard[0].when.tzinfo is not None


def test_a_plan_and_an_alignment_can_be_set_and_undone(the_map):
    first, other = the_map.alignment, the_map.alignment.replace({"A": "B", "B": "A"})
    the_map.alignment = other
    pd.testing.assert_series_equal(the_map.alignment, other)
    the_map.undo()
    pd.testing.assert_series_equal(the_map.alignment, first)
    stranger = TerritoryMap(problem(), squares()).plan
    the_map.plan = stranger
    assert the_map.plan is stranger


def test_a_plan_of_other_units_is_refused(the_map):
    frame = problem().units.iloc[:4]
    small = Problem(frame, 1, {"workload_h": 0.3}, current=pd.Series("A", index=frame.index))
    with pytest.raises(BadInput, match="other units"):
        the_map.plan = TerritoryMap(small).plan


def test_points_become_cells_that_cover_one_another_nowhere():
    scattered = TerritoryMap(problem())
    shapes = scattered._page.shapes
    assert len(shapes) == ROWS * COLUMNS
    assert shapes.area.sum() == pytest.approx(shapely.union_all(shapes.array).area, rel=1e-6)
    beside = numbers(scattered._scene["edge_units"], "<u4").reshape(-1, 2)
    assert len(np.unique(beside[beside[:, 1] < 2**32 - 1], axis=0)) >= len(problem().neighbours)


def test_a_page_without_widgets_shows_a_picture(the_map):
    data, _ = the_map._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith("<svg")


def test_a_plan_shown_in_passing_is_no_edit_and_may_have_other_territories(the_map):
    before = the_map.plan
    passing = pd.Series(np.where(before.problem.units["lat"] < 2, "south", "north"), before.problem.unit_ids)
    the_map.glimpse(passing)
    sent = {one["id"]: one["units"] for one in the_map._state["territories"]}
    assert sorted(sent.values()) == [12, 12]
    owner = numbers(the_map._state["owner"], "<u2")
    assert pd.crosstab(owner, passing.to_numpy()).to_numpy().tolist() == [[12, 0], [0, 12]]
    assert the_map.plan is before
    assert the_map.steps == ()
    the_map.glimpse()
    assert [NAMES[code] for code in numbers(the_map._state["owner"], "<u2")] == before.alignment.to_list()


@pytest.mark.parametrize("names", [["south", "north"], ["A", "B"]])
def test_a_plan_in_passing_does_without_the_travel_times_of_the_homes(names):
    units = problem().unit_ids
    hours = pd.DataFrame(1.0, units, NAMES)
    timed = TerritoryMap(problem(distance=hours), squares())
    timed.glimpse(pd.Series(np.where(problem().units["lat"] < 2, *names), units))
    sent = {one["id"]: one["units"] for one in timed._state["territories"] if one["units"]}
    assert list(sent.values()) == [12, 12]


def test_an_edit_ends_what_was_shown_in_passing(the_map):
    the_map.glimpse(pd.Series("all", the_map.plan.problem.unit_ids))
    the_map.assign(["u02"], "A")
    assert {one["id"] for one in the_map._state["territories"]} == set(NAMES)
