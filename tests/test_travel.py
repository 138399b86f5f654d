"""Travel times from a file decide distances: each router's layout reads the same, and what is no time is named."""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory_lab import handover, proposal, travel, workspace
from territory_lab.alignment import great_circle_km, metrics, solve
from territory_lab.errors import BadInput
from territory_lab.workload import CallPlan, travel_h

UNITS, HOMES = pd.Index(["u1", "u2", "u3"]), pd.Index(["north", "south"])
SECONDS = [[3600, 7200], [1800, None], [0, 5400]]
HOURS = pd.DataFrame([[1.0, 2.0], [0.5, np.nan], [0.0, 1.5]], UNITS, HOMES)

OSRM = {"code": "Ok", "durations": SECONDS, "sources": [], "destinations": []}
VALHALLA = {"sources_to_targets": [[{"time": cell, "distance": 1.0} for cell in row] for row in SECONDS]}
COMPACT = {"sources_to_targets": {"durations": SECONDS, "distances": SECONDS}}
GOOGLE = {
    "rows": [
        {
            "elements": [
                {"status": "ZERO_RESULTS"} if s is None else {"status": "OK", "duration": {"value": s}} for s in r
            ]
        }
        for r in SECONDS
    ]
}
ROUTES = [
    {"originIndex": i, "destinationIndex": j, "condition": "ROUTE_NOT_FOUND" if s is None else "ROUTE_EXISTS"}
    | ({} if s is None else {"duration": f"{s}s"})
    for i, row in enumerate(SECONDS)
    for j, s in enumerate(row)
]


@pytest.mark.parametrize(
    "answer", [OSRM, VALHALLA, COMPACT, GOOGLE, ROUTES[::-1], {"durations": np.transpose(SECONDS).tolist()}]
)
def test_every_router_tells_the_same_hours(tmp_path, answer):
    file = tmp_path / "travel.json"
    file.write_text(json.dumps(answer))
    pd.testing.assert_frame_equal(travel.read(file, UNITS, HOMES), HOURS, check_names=False)


@pytest.mark.parametrize(
    "table",
    [
        "unit_id,territory_id,minutes\nu1,north,60\nu1,south,120\nu2,north,30\nu3,north,0\nu3,south,90\nu9,north,1\n",
        "unit_id,south,north\nu3,1.5,0\nu1,2,1\nu2,,0.5\n",
    ],
    ids=["long", "wide"],
)
def test_a_table_of_ones_own_reads_in_any_order(tmp_path, table):
    file = tmp_path / "travel.csv"
    file.write_text(table)
    pd.testing.assert_frame_equal(travel.read(file, UNITS, HOMES), HOURS, check_names=False)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "travel.csv",
            "unit_id,territory_id,minutes\nu1,north,-5\nu2,north,soon\n",
            ["'-5' is no time", "'soon' is no time"],
        ),
        ("travel.csv", "unit_id,territory_id,hours\nu1,north,1\nu1,north,2\n", ["u1 to north", "twice"]),
        ("travel.csv", "place,rep,hours\n", ["place, rep, hours tell no times"]),
        ("travel.json", '{"durations": [[1, 2]]}', ["1 by 2 times, where 3 by 2 are asked for"]),
        ("travel.json", '{"code": "InvalidQuery"}', ["cannot be read"]),
        ("travel.json", '[{"originIndex": 99999999, "condition": "ROUTE_EXISTS"}]', ["1 routes for 100000000 origins"]),
    ],
)
def test_what_tells_no_times_is_named(tmp_path, name, text, words):
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(BadInput) as error:
        travel.read(file, UNITS, HOMES)
    assert all(word in str(error.value) for word in words)


KEYS = ["durations", "sources_to_targets", "rows", "elements", "time", "duration", "value", "originIndex", "condition"]
LEAVES = st.none() | st.integers() | st.floats() | st.sampled_from(["ROUTE_EXISTS", "5s", ""])
NESTED = st.recursive(LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(KEYS), part))


@given(answer=NESTED)
def test_any_answer_is_read_or_refused_in_words(answer):
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "travel.json"
        file.write_text(json.dumps(answer))
        with contextlib.suppress(BadInput):
            assert travel.read(file, UNITS, HOMES).shape == (3, 2)


@pytest.fixture
def two_valleys(tmp_path) -> workspace.Workspace:
    """Six places in a row of 0.1 degrees and two reps; a pass between the third and the fourth takes ten hours."""
    lon = np.arange(6) / 10
    places = pd.DataFrame({"unit_id": [f"u{n}" for n in range(6)], "lon": lon, "lat": 1.0})
    places.to_csv(tmp_path / "units.csv", index=False)
    accounts = places.rename(columns={"unit_id": "account_id"}).assign(name="Firm", unit_id=places["unit_id"])
    accounts.to_csv(tmp_path / "accounts.csv", index=False)
    reps = pd.DataFrame({"rep_id": ["r1", "r2"], "name": ["Ann", "Ben"], "territory_id": ["west", "east"]})
    reps.assign(lon=[0.25, 0.2], lat=1.0).to_csv(tmp_path / "reps.csv", index=False)
    hours = np.where(np.arange(6)[:, None] < 3, [1.0, 11.0], [11.0, 1.0])
    table = pd.DataFrame(hours, places["unit_id"], ["west", "east"])
    table.to_csv(tmp_path / "travel.csv")
    return workspace.open_workspace(tmp_path)


def test_the_plan_follows_the_roads_not_the_crow(two_valleys):
    load = two_valleys.tables["units"].set_index("unit_id").assign(workload_h=1.0)
    problem = proposal.question(two_valleys, load, None, 0.1)
    plan = solve(problem)
    assert plan.alignment.tolist() == ["west"] * 3 + ["east"] * 3
    km_an_hour = CallPlan().speed_km_h / CallPlan().circuity
    assert plan.objective == pytest.approx(6 * km_an_hour)
    away = metrics.distances(problem, plan.alignment, plan.territories)
    np.testing.assert_allclose(away, km_an_hour)


def test_travel_hours_are_those_of_the_file_and_of_the_crow_where_it_is_silent(two_valleys):
    load = two_valleys.tables["units"].set_index("unit_id")
    table = pd.read_csv(two_valleys.folder / "travel.csv")
    table.loc[0, "west"] = np.nan
    table.to_csv(two_valleys.folder / "travel.csv", index=False)
    homes = pd.DataFrame({"lon": [0.25, 0.2], "lat": 1.0}, ["west", "east"])
    km = proposal.road_km(two_valleys, load, homes)
    assert km.loc["u0", "west"] == pytest.approx(float(great_circle_km(0.0, 1.0, 0.25, 1.0)))
    plan = CallPlan(calls_per_day=1, night_h=100.0)
    hours = travel_h(pd.Series(1.0, load.index), load, pd.Series("west", load.index), homes, plan, known_km=km)
    assert hours["u1"] == pytest.approx(2.0)  # an hour there and an hour back


def test_a_centre_that_is_no_home_counts_as_the_crow_flies(two_valleys):
    load = two_valleys.tables["units"].set_index("unit_id")
    moved = pd.DataFrame({"lon": [0.5], "lat": [1.0]}, ["west"])
    km = proposal.road_km(two_valleys, load, moved)
    np.testing.assert_allclose(km["west"], great_circle_km(load["lon"], load["lat"], 0.5, 1.0))


def test_the_points_for_a_router_come_in_the_order_its_answer_is_read_in(two_valleys):
    folder = handover.points(two_valleys)
    assert pd.read_csv(folder / "units.csv")["unit_id"].tolist() == [f"u{n}" for n in range(6)]
    assert pd.read_csv(folder / "homes.csv")["territory_id"].tolist() == ["east", "west"]


def test_other_travel_times_make_results_stale(two_valleys):
    before = two_valleys.data_hash
    with (two_valleys.folder / "travel.csv").open("a") as file:
        file.write("u9,1,1\n")
    assert workspace.open_workspace(two_valleys.folder).data_hash != before
