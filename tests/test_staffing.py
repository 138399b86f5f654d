"""Reps and managers against brute force and hand-made cases."""

import itertools

import numpy as np
import pandas as pd
import pytest

from territory_lab.alignment import Plan, Problem, great_circle_km, solve
from territory_lab.errors import BadInput
from territory_lab.staffing import borders, districts, match, travel_by_size
from territory_lab.workload import CallPlan


def places(prefix: str, count: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    index = pd.Index([f"{prefix}{row}" for row in range(count)])
    return pd.DataFrame(
        {"lon": generator.uniform(-100, -80, count), "lat": generator.uniform(30, 45, count)}, index=index
    )


def test_no_other_matching_is_nearer_to_home():
    territories, reps = places("t", 5, 0), places("r", 6, 1)
    km = great_circle_km(
        territories["lon"].to_numpy()[:, None], territories["lat"].to_numpy()[:, None], reps["lon"], reps["lat"]
    )
    best = min(
        sum(km[row, column] for row, column in enumerate(chosen)) for chosen in itertools.permutations(range(6), 5)
    )
    table = match(territories, reps)
    assert table["cost_km"].sum() == pytest.approx(best)
    assert table["km"].tolist() == table["cost_km"].tolist()
    assert table["rep_id"].is_unique


def test_needs_and_known_customers_outweigh_some_way():
    territories = pd.DataFrame(
        {"lon": [-90.0, -90.0], "lat": [40.0, 41.0], "needs": ["Spanish; pumps", ""]}, index=["s", "t"]
    )
    reps = pd.DataFrame({"lon": [-90.0, -90.0], "lat": [40.0, 41.0], "skills": ["", "spanish"]}, index=["a", "b"])
    assert match(territories, reps)["rep_id"].tolist() == ["a", "b"]
    skilled = match(territories, reps, skill_km=300)
    assert skilled["rep_id"].tolist() == ["b", "a"]
    assert skilled["lacks"].tolist() == ["pumps", ""]
    known = pd.DataFrame({"b": [0.9]}, index=["s"])
    assert match(territories, reps, known, skill_km=0)["rep_id"].tolist() == ["b", "a"]


def test_a_territory_too_many_stays_vacant_and_unknown_homes_are_named():
    table = match(places("t", 3, 0), places("r", 2, 1))
    assert table["rep_id"].isna().sum() == 1
    with pytest.raises(BadInput, match="r1"):
        match(places("t", 2, 0), places("r", 2, 1).assign(lat=[40.0, None]))


@pytest.fixture(scope="module")
def eight() -> Plan:
    """Eight equal territories on a square of 64 units."""
    side = 8
    index = pd.Index([f"u{place:02d}" for place in range(side * side)], name="unit_id")
    x, y = np.divmod(np.arange(side * side), side)
    units = pd.DataFrame({"x_km": x * 10.0, "y_km": y * 10.0, "load": 1.0}, index=index)
    pairs = [
        (a, b) for a, b in itertools.combinations(range(side * side), 2) if abs(x[a] - x[b]) + abs(y[a] - y[b]) == 1
    ]
    neighbours = pd.DataFrame([(index[a], index[b]) for a, b in pairs], columns=["unit_a", "unit_b"])
    return solve(Problem(units, 8, balance={"load": 0.2}, neighbours=neighbours, distance="euclidean"), time_limit_s=5)


def test_districts_are_balanced_and_whole(eight):
    upper = districts(eight, 2, time_limit_s=5)
    assert upper.feasible
    assert sorted(upper.alignment.index) == sorted(eight.alignment.unique())
    load = eight.alignment.map(upper.alignment).value_counts()
    assert (abs(load / 32 - 1) <= 0.2).all()


def test_specialists_share_their_own_work_and_keep_generalists_whole(eight):
    asked = (eight.problem.units["x_km"] + 10).rename("hours")  # more of it in the east
    overlay = districts(eight, 2, load=asked, tolerance=0.25, time_limit_s=5)
    assert overlay.feasible
    served = asked.groupby(eight.alignment.map(overlay.alignment)).sum()
    assert (abs(served / served.mean() - 1) <= 0.25).all()
    assert overlay.alignment.index.is_unique


def test_borders_name_each_pair_of_territories_once():
    alignment = pd.Series({"u": "b", "v": "a", "w": "a", "x": "c", "y": None}, dtype="str")
    pairs = pd.DataFrame({"unit_a": ["u", "w", "v", "w", "y"], "unit_b": ["v", "u", "w", "x", "x"], "kind": "border"})
    assert borders(alignment, pairs).to_numpy().tolist() == [["a", "b"], ["a", "c"]]


def test_the_road_shrinks_about_with_the_root_of_the_number_of_territories():
    index = pd.Index([f"u{place:03d}" for place in range(400)], name="unit_id")
    x, y = np.divmod(np.arange(400), 20)
    units = pd.DataFrame({"lon": -90 + x / 5, "lat": 38 + y / 5, "calls": 10.0, "workload_h": 10.0}, index=index)
    plan = CallPlan(nights=0, flight_h=np.inf)
    share = travel_by_size(units, [16, 4], plan)
    burden = share / (1 - share)
    assert list(share.index) == [4, 16]
    assert burden[4] / burden[16] == pytest.approx(2, rel=0.15)
