"""Every option of a problem, alone: the audit finds nothing and the bound is below every plan there is."""

import itertools
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from territory_lab.alignment import Plan, Problem, audit, solve
from territory_lab.alignment.centres import named
from tests.alignment.grids import connected, grid
from tests.alignment.jobs import SIZES, apart, homes, job, needs_jobs

OPTIONS = [
    "locked",
    "forbidden",
    "shares",
    "max_moved_share",
    "move_price",
    "matrix",
    "missing",
]
KEPT_BY_SEARCH = ["locked", "shares", "max_moved_share", "missing"]  # the others only change costs


def question(
    option: str, units: pd.DataFrame, pairs: object, sites: pd.DataFrame, today: pd.Series, *, tolerance: float
) -> Problem:
    """Ask with one option; what is locked and allowed always leaves today's plan possible, or nearly so."""
    km = apart(units, sites)
    hours, farthest = km / 60 + 0.25, km.gt(km.where(km.index.to_series().map(today).eq(km.columns[0])).max().max() * 2)
    several = [(unit, km.columns[-1]) for unit in km.nsmallest(2, km.columns[0]).index]
    last = len(sites) - 1
    more = {
        "locked": {"locked": {km[km.columns[j]].idxmin(): km.columns[j] for j in range(0, len(sites), 2)}},
        "forbidden": {"forbidden": several},
        "shares": {"territories": sites.assign(share_w=[0.6 if j == last else 1.0 for j in range(len(sites))])},
        "max_moved_share": {"current": today, "max_moved_share": 0.25},
        "move_price": {"current": today, "move_price": 0.5},
        "matrix": {"distance": hours},
        "missing": {"distance": hours.mask(farthest)},
    }[option]
    given = {"territories": sites, "balance": {"w": tolerance}, "neighbours": pairs, "distance": "euclidean"}
    return Problem(units, **(given | more))


def cost_of(problem: Problem, alignment: pd.Series) -> float:
    """Objective of a plan by the definition, one unit at a time."""
    table = (
        problem.distance if isinstance(problem.distance, pd.DataFrame) else apart(problem.units, problem.territories)
    )
    w = problem.units[problem.weight_column]
    total = sum(w[unit] * table.loc[unit, home] for unit, home in alignment.items())
    if problem.current is not None:
        total += problem.move_price * sum(w[unit] for unit, home in alignment.items() if problem.current[unit] != home)
    return float(total)


def best_of_all(problem: Problem, pairs: list[tuple[str, str]]) -> float:
    """Least cost of the plans the audit lets pass, contiguity checked first because it is cheap here."""
    ids = list(problem.units.index)
    best = np.inf
    for labels in itertools.product(problem.territories.index, repeat=len(ids)):
        plan = pd.Series(labels, index=ids)
        cost = cost_of(problem, plan)
        if np.isnan(cost) or cost >= best or set(labels) != set(problem.territories.index):
            continue
        if all(connected(set(plan.index[plan == home]), pairs) for home in set(labels)) and audit(problem, plan).empty:
            best = cost
    return best


@pytest.mark.parametrize("option", OPTIONS)
def test_the_bound_is_below_the_best_of_all_plans_on_a_grid(option):
    units, pairs = grid(3, 3)
    units["w"] = [1.0, 2, 1, 2, 1, 2, 1, 2, 1]
    sites = pd.DataFrame({"x_km": [0.0, 2.0], "y_km": [0.0, 1.0]}, index=["west", "east"])
    today = pd.Series(["west"] * 5 + ["east"] * 4, index=units.index)
    problem = question(option, units, pairs, sites, today, tolerance=0.3)
    plan, best = solve(problem), best_of_all(problem, pairs)
    assert np.isfinite(best)
    assert audit(problem, plan.alignment).empty
    assert plan.objective == pytest.approx(cost_of(problem, plan.alignment))
    assert plan.bound <= best * (1 + 1e-9)
    assert plan.objective == pytest.approx(best)  # so few units are solved to the end


@needs_jobs
@pytest.mark.parametrize(
    ("name", "option"), [*(("S", option) for option in OPTIONS), *(("A", option) for option in KEPT_BY_SEARCH)]
)
def test_every_option_is_kept_on_real_counties(name, option):
    units, pairs = job(name)
    sites = homes(units, SIZES[name])
    today = apart(units, sites).idxmin(axis=1)
    problem = question(option, units, pairs, sites, today, tolerance=0.05)
    if option == "max_moved_share":  # the nearest home is far out of balance
        balanced = solve(Problem(units, sites, {"w": 0.1}, neighbours=pairs, distance="euclidean"), seed=1)
        problem = question(option, units, pairs, sites, balanced.alignment, tolerance=0.05)
    assert_kept(problem, solve(problem, time_limit_s=300))


def assert_kept(problem: Problem, plan: Plan) -> None:
    """Nothing broken, the objective as defined, and a bound worth its name."""
    assert audit(problem, plan.alignment)["message"].tolist() == []
    assert plan.objective == pytest.approx(cost_of(problem, plan.alignment))
    assert 0 < plan.bound <= plan.objective
    assert plan.gap < 0.1


@needs_jobs
def test_two_activities_without_contiguity_are_both_balanced():
    units, _ = job("S")
    units["second"] = units["w"].to_numpy()[::-1] ** 0.5
    problem = Problem(units, homes(units, 12), {"w": 0.05, "second": 0.1}, distance="euclidean")
    assert_kept(problem, solve(problem, time_limit_s=300))


@pytest.mark.parametrize("contiguous", [False, True])
def test_homes_on_one_point_share_the_work_around_it(contiguous):
    units, pairs = grid(4, 4)
    sites = pd.DataFrame({"x_km": [1.5] * 4, "y_km": [1.5] * 4}, index=list("abcd"))
    problem = Problem(units, sites, {"w": 0.0}, neighbours=pairs if contiguous else None, distance="euclidean")
    plan = solve(problem)
    assert plan.alignment.value_counts().tolist() == [4] * 4
    assert audit(problem, plan.alignment).empty
    assert plan.bound == pytest.approx(plan.objective)  # every plan costs the same
    assert plan.objective == pytest.approx(4 * (np.hypot(0.5, 0.5) + 2 * np.hypot(0.5, 1.5) + np.hypot(1.5, 1.5)))


@pytest.mark.parametrize("missing", [False, True])
def test_a_weight_of_zeros_still_gives_a_balanced_plan(missing):
    units, pairs = grid(6, 6)
    units["nothing"] = 0.0
    sites = pd.DataFrame({"x_km": [0.0, 5.0], "y_km": [0.0, 5.0]}, index=["west", "east"])
    km = apart(units, sites)
    km = km.mask(km > 6) if missing else km
    problem = Problem(units, sites, {"w": 0.1}, weight="nothing", neighbours=pairs, distance=km)
    plan = solve(problem)
    assert audit(problem, plan.alignment).empty
    assert plan.objective == 0
    assert plan.bound == 0


def test_groups_get_the_names_of_the_territories_they_come_from():
    units, pairs = grid(1, 6)
    today = pd.Series(list("aabbcc"), index=units.index)
    groups = np.array([2, 2, 0, 0, 1, 1])  # in another order, as a first spread of centres has them
    at = named(Problem(units, 3, {"w": 0.5}, neighbours=pairs, distance="euclidean", current=today), groups)
    assert [["a", "b", "c"][name] for name in at[groups]] == list("aabbcc")
    lock = Problem(units, 3, {"w": 0.5}, neighbours=pairs, distance="euclidean", current=today, locked={"u00": "c"})
    assert ["a", "b", "c"][named(lock, groups)[groups[0]]] == "c"


def test_todays_names_are_kept():
    units, pairs = grid(4, 4)
    today = pd.Series(["north"] * 8 + ["south"] * 8, index=units.index)
    plan = solve(Problem(units, 2, {"w": 0.1}, neighbours=pairs, distance="euclidean", current=today, move_price=0.1))
    pd.testing.assert_series_equal(plan.alignment, today, check_names=False)


SCRIPT = """
from territory_lab.alignment import Problem, solve
from tests.alignment.jobs import job
units, pairs = job("S")
plan = solve(Problem(units, 12, {"w": 0.05}, neighbours=pairs, distance="euclidean"), seed=7, time_limit_s=600)
print(plan.alignment.tolist(), plan.objective.hex(), plan.bound.hex())
"""


@needs_jobs
def test_the_plan_does_not_depend_on_the_number_of_threads():
    said = [
        subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "2", "1")
    ]
    assert said[0] == said[1] == said[2] != ""


def test_ctrl_c_gives_the_best_plan_so_far(monkeypatch):
    units, pairs = grid(10, 10)
    bars = interrupted_after(3, monkeypatch)
    problem = Problem(units, 5, {"w": 0.1}, neighbours=pairs, distance="euclidean")
    plan = solve(problem)
    assert bars == [3]
    assert plan.alignment.index.equals(units.index)
    assert plan.bound <= plan.objective
    pd.testing.assert_frame_equal(plan.violations, audit(problem, plan.alignment))


def interrupted_after(rounds: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Press Ctrl-C at the progress bar after some rounds; give the rounds at which it was."""
    from territory_lab.alignment.solve import tqdm  # noqa: PLC0415 - the very bar that solve uses

    pressed, turned = [], itertools.count(1)
    update = tqdm.update

    def press(bar: object, n: float = 1) -> object:
        """Interrupt as the terminal does."""
        turn = next(turned)
        if turn == rounds:
            pressed.append(turn)
            signal.raise_signal(signal.SIGINT)
        return update(bar, n)

    monkeypatch.setattr(tqdm, "update", press)
    return pressed


@needs_jobs
def test_ctrl_c_at_any_moment_gives_a_whole_plan():
    units, pairs = job("A")
    problem = Problem(units, homes(units, 50), {"w": 0.2}, neighbours=pairs, distance="euclidean")
    solve(problem, time_limit_s=0.1)  # compiled by now
    timer = threading.Timer(2.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        plan = solve(problem)
    finally:
        timer.cancel()
    assert plan.alignment.notna().all()
    pd.testing.assert_frame_equal(plan.violations, audit(problem, plan.alignment))
    whole = solve(problem, time_limit_s=20)
    assert whole.feasible
    assert 0 < plan.bound <= whole.objective  # whatever the plan lacks, its bound holds for these homes
