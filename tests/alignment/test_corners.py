"""Corners of the map that no connected territory within several bands can hold."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.alignment import Infeasible, Problem
from territory_lab.alignment.corners import MOST_CORNERS, refuse_corner
from territory_lab.alignment.proofs import refuse
from tests.alignment.grids import connected, grid
from tests.alignment.jobs import SIZES, job, needs_jobs


def held(problem: Problem, pairs: list[tuple[str, str]]) -> set[str]:
    """Units that some connected set within every band holds, by looking at all sets."""
    units = problem.units
    loads = units[problem.activities].to_numpy()
    target, tolerance = loads.sum(axis=0) / problem.territories, np.array(list(problem.balance.values()))
    sets = np.array(list(itertools.product([False, True], repeat=len(units))))
    within = (np.abs(sets @ loads - target) <= tolerance * target + 1e-9).all(axis=1) & sets.any(axis=1)
    members = [set(units.index[chosen]) for chosen in sets[within]]
    return {unit for chosen in members if connected(chosen, pairs) for unit in chosen}


def units_refused(problem: Problem) -> list[str]:
    """Units named by the proof, if any; one too heavy by itself comes first, as in `solve`."""
    try:
        refuse(problem)
        refuse_corner(problem, 60.0)
    except Infeasible as verdict:
        return verdict.units
    return []


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([(2, 3), (3, 3), (3, 4)]), st.sampled_from([0.05, 0.15, 0.3]))
def test_a_unit_is_refused_only_where_no_set_holds_it(seed, shape, tolerance):
    units, pairs = grid(*shape)
    rng = np.random.default_rng(seed)
    units["w"] = rng.integers(0, 5, len(units)).astype(float)  # some without any load
    units["v"] = rng.integers(1, 6, len(units)).astype(float)
    units.loc["u00", "w"] = 5.0
    problem = Problem(units, 2, {"w": tolerance, "v": tolerance}, neighbours=pairs, distance="euclidean")
    missing = set(units.index) - held(problem, pairs)
    refused = set(units_refused(problem))
    assert refused <= missing
    assert refused or not missing or len(units) > MOST_CORNERS or (units["w"] == 0).any()


def test_heavy_units_on_the_way_out_of_a_corner_are_a_proof():
    units, pairs = grid(1, 7)
    units["w"] = [4.1, 4.0, 3.9, 0.1, 0.1, 5.9, 5.9]  # two territories of 12: the first three weigh that much ...
    units["v"] = [1.1, 1.1, 1.1, 2.9, 2.9, 1.1, 1.1]  # ... and have 3.3, not 5.65
    problem = Problem(units, 2, {"w": 0.01, "v": 0.05}, neighbours=pairs, distance="euclidean")
    with pytest.raises(Infeasible, match="lies in a corner") as verdict:
        refuse_corner(problem, 60.0)
    assert set(verdict.value.units) <= set(units.index) - held(problem, pairs)


@needs_jobs
@pytest.mark.parametrize(("tolerance", "possible"), [(0.05, False), (0.08, True)])
def test_long_island_cannot_reach_its_share_of_what_every_county_has_alike(tolerance, possible):
    units, pairs = job("A")
    units["second"] = np.random.default_rng(7).lognormal(0, 1, len(units))
    problem = Problem(units, SIZES["A"], {"w": tolerance, "second": tolerance}, neighbours=pairs, distance="euclidean")
    if possible:
        refuse_corner(problem, 60.0)
    else:
        with pytest.raises(Infeasible) as verdict:
            refuse_corner(problem, 60.0)
        assert units.loc[verdict.value.units, "id"].tolist() == ["36103"]  # Suffolk County, New York
