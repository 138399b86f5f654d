"""What the local search leaves, exact decisions find: along the borders, and where two activities pull apart."""

import itertools
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from territory_lab.alignment import Problem, audit, solve
from territory_lab.alignment.polish import polished
from tests.alignment.grids import best_by_brute_force, grid
from tests.alignment.jobs import SIZES, homes, job, needs_jobs
from tests.alignment.test_options import cost_of


def test_from_the_worst_plan_of_a_grid_it_finds_the_best():
    units, pairs = grid(3, 3)
    units["w"] = [1.0, 2, 1, 2, 1, 2, 1, 2, 1]
    sites = pd.DataFrame({"x_km": [0.0, 2.0], "y_km": [0.0, 1.0]}, index=["west", "east"])
    problem = Problem(units, sites, {"w": 0.3}, neighbours=pairs, distance="euclidean")
    plan = solve(problem)
    plans = (pd.Series(labels, index=units.index) for labels in itertools.product(sites.index, repeat=9))
    allowed = [labels for labels in plans if audit(problem, labels).empty]
    worst = max(allowed, key=lambda labels: cost_of(problem, labels))
    found = polished(replace(plan, alignment=worst, objective=cost_of(problem, worst)), time.monotonic() + 60)
    assert cost_of(problem, worst) > best_by_brute_force(problem) * 1.2
    assert cost_of(problem, pd.Series(sites.index[found], index=units.index)) == pytest.approx(
        best_by_brute_force(problem)
    )


@needs_jobs
def test_counties_stay_within_every_limit_and_come_closer_to_the_bound():
    units, pairs = job("S")
    problem = Problem(units, homes(units, SIZES["S"]), {"w": 0.05}, neighbours=pairs, distance="euclidean")
    plan = solve(problem)
    away = replace(plan, bound=0.9 * plan.bound)  # as if it were far off: it may not get worse
    better = pd.Series(problem.territory_ids[polished(away, time.monotonic() + 60)], index=problem.unit_ids)
    assert audit(problem, better).empty
    assert cost_of(problem, better) <= plan.objective * (1 + 1e-12)


@needs_jobs
def test_two_activities_that_pull_apart_are_both_within_their_bands():
    units, _ = job("S")
    load = units["w"].to_numpy()
    units["v"] = np.sort(load)[::-1][load.argsort().argsort()]  # the most where the other is least
    problem = Problem(units, SIZES["S"], {"w": 0.05, "v": 0.05}, distance="euclidean", sites="anywhere")
    plan = solve(problem, time_limit_s=120)
    shares = units[["w", "v"]].groupby(plan.alignment).sum() / (units[["w", "v"]].sum() / SIZES["S"])
    assert shares.to_numpy() == pytest.approx(1, abs=0.05 * (1 + 1e-9))
    assert plan.objective >= plan.bound > 0
