"""Hours and heads against textbook numbers, shortest tours found otherwise, and plain sums."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.workload import (
    CallPlan,
    headcount,
    planned_calls,
    time_use,
    tour_km,
    travel_h,
    unit_workload,
    workload_parts,
)


def accounts(unit: list[str | None], tier: list[str], customer: list[bool]) -> pd.DataFrame:
    index = pd.Index([f"a{row}" for row in range(len(unit))], name="account_id")
    return pd.DataFrame({"unit_id": unit, "tier": tier, "customer": customer}, index=index)


def shortest_tour(points: np.ndarray) -> float:
    """Exact for up to 8 points, else the best of 2-opt with or-opt from greedy starts (within about 2 %)."""
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    count = len(points)
    if count <= 8:
        tours = ((0, *rest) for rest in itertools.permutations(range(1, count)))
        return min(sum(distance[a, b] for a, b in itertools.pairwise((*tour, 0))) for tour in tours)
    best = np.inf
    for start in range(0, count, max(1, count // 4)):
        best = min(best, improved(nearest_next(distance, start), distance))
    return best


def nearest_next(distance: np.ndarray, start: int) -> list[int]:
    tour, left = [start], set(range(len(distance))) - {start}
    while left:
        tour.append(min(left, key=lambda stop: distance[tour[-1], stop]))
        left.remove(tour[-1])
    return tour


def improved(tour: list[int], distance: np.ndarray) -> float:
    gain = True
    count = len(tour)
    while gain:
        gain = False
        for i, j in itertools.combinations(range(count), 2):
            a, b, c, d = tour[i - 1], tour[i], tour[j], tour[(j + 1) % count]
            if a != c and b != d and distance[a, c] + distance[b, d] < distance[a, b] + distance[c, d] - 1e-12:
                tour[i : j + 1] = tour[i : j + 1][::-1]
                gain = True
        for i, j in itertools.product(range(count), repeat=2):
            rest = tour[:i] + tour[i + 1 :]
            stop, before, after = tour[i], tour[i - 1], tour[(i + 1) % count]
            left, right = rest[j - 1], rest[j % (count - 1)]
            removed = distance[before, stop] + distance[stop, after] - distance[before, after]
            if distance[left, stop] + distance[stop, right] - distance[left, right] < removed - 1e-12:
                tour = [*rest[:j], stop, *rest[j:]]
                gain = True
    return float(sum(distance[a, b] for a, b in itertools.pairwise([*tour, tour[0]])))


def test_textbook_workload_asks_for_sixty_reps():
    plan = CallPlan(customer_calls={"A": 36, "B": 12, "C": 0, "D": 0})
    calls = planned_calls(accounts(["u"] * 3_000, ["A"] * 1_000 + ["B"] * 2_000, [True] * 3_000), plan)["calls"].sum()
    assert calls == 60_000
    row = headcount(float(calls), 1_000).loc["all"]
    assert (row["reps"], row["heads"]) == (60, 60)
    assert row["low"] < 60 < row["high"]


def test_headcount_by_region_rounds_up_and_keeps_the_relative_interval():
    table = headcount(pd.Series({"east": 2_500.0, "west": 0.0}), 1_000, spread=0.2)
    assert table["heads"].tolist() == [3, 0]
    assert np.log(table.loc["east", "high"] / table.loc["east", "reps"]) == pytest.approx(1.645 * 0.2)


@pytest.mark.parametrize("stops", [2, 3, 5, 8, 20, 50])
@pytest.mark.parametrize("width", [1.0, 2.0])
def test_tour_formula_is_within_15_percent_of_the_shortest_tour(stops, width):
    generator = np.random.default_rng(stops)
    lengths = [shortest_tour(generator.random((stops, 2)) * [width, 1]) for _ in range(60 if stops < 20 else 8)]
    assert tour_km(np.array([stops]), np.array([width]))[0] == pytest.approx(np.mean(lengths), rel=0.15)


def test_tours_scale_with_the_root_of_the_area_and_one_stop_has_none():
    assert tour_km(np.array([0, 1]), np.array([100.0, 100.0])).tolist() == [0, 0]
    assert tour_km(np.array([9]), np.array([400.0]))[0] == pytest.approx(
        2 * tour_km(np.array([9]), np.array([100.0]))[0]
    )


def test_unit_workload_is_calls_and_preparation_plus_nested_rounds():
    plan = CallPlan(customer_calls={"A": 3, "B": 1, "C": 0, "D": 0}, preparation_h=0.5, speed_km_h=50, circuity=1.2)
    table = accounts(["u", "u", "u", "v", None], ["A", "A", "B", "A", "A"], [True] * 5)
    units = pd.DataFrame({"area_km2": [900.0, 100.0, 5.0]}, index=pd.Index(["u", "v", "w"], name="unit_id"))
    hours = unit_workload(table, units, plan)
    pair, three = 2 * 0.5214 * 30, 3 * 0.5214 * 30
    assert hours["u"] == pytest.approx(7 * 1.5 + (three + 2 * pair) * 1.2 / 50)
    assert hours["v"] == pytest.approx(3 * 1.5)
    assert hours["w"] == 0
    assert workload_parts(table, units, plan)["calls"].tolist() == [7, 3, 0]
    assert unit_workload(table, units.assign(area_km2=np.nan), plan)["u"] == pytest.approx(7 * 1.5)


def test_travel_takes_day_trips_nearby_and_nights_away_far_off():
    plan = CallPlan(calls_per_day=4, nights=2, night_h=2, speed_km_h=100, circuity=1, flight_h=np.inf)
    index = pd.Index(["near", "far", "open"], name="unit_id")
    degrees_per_100_km = 100 / (6371.0088 * np.pi / 180)
    units = pd.DataFrame({"lon": [0.0, 0, 0], "lat": [degrees_per_100_km, 10 * degrees_per_100_km, 0]}, index=index)
    alignment = pd.Series(["t", "t", None], index=index, name="territory_id", dtype="str")
    homes = pd.DataFrame({"lon": [0.0], "lat": [0.0]}, index=pd.Index(["t"], name="territory_id"))
    hours = travel_h(pd.Series(12.0, index=index), units, alignment, homes, plan)
    assert hours["near"] == pytest.approx(3 * 2)
    assert hours["far"] == pytest.approx(20 + 4)
    assert np.isnan(hours["open"])
    flown = travel_h(pd.Series(12.0, index=index), units, alignment, homes, replace(plan, flight_h=4, flight_km_h=500))
    assert flown["near"] == hours["near"]
    assert flown["far"] == pytest.approx(2 * (4 + 2) + 4)


def test_time_use_counts_calls_on_and_off_the_plan():
    table = accounts(["u"] * 2, ["A", "D"], [True, False]).assign(owner_id=["r", "r"])
    calls = pd.DataFrame({"account_id": ["a0"] * 9 + ["a1"] * 3, "rep_id": ["r"] * 12, "duration_h": 0.5})
    row = time_use(calls, table, CallPlan()).loc["r"]
    assert row.to_dict() == {"planned": 12, "made": 12, "on_plan_share": 0.75, "off_plan_share": 0.25, "call_h": 6}


def test_every_bad_account_and_setting_is_named():
    with pytest.raises(BadInput) as tiers:
        planned_calls(accounts(["u"] * 3, ["A", "E", "F"], [True] * 3), CallPlan())
    assert len(tiers.value.faults) == 2
    with pytest.raises(BadInput) as settings:
        CallPlan(customer_calls={"A": 1}, speed_km_h=0, non_selling_share=1)
    assert len(settings.value.faults) == 5
