"""Verdicts of infeasibility: each names what stands in the way."""

import pandas as pd
import pytest

from territory_lab.alignment import Infeasible, Problem, solve
from territory_lab.errors import TerritoryLabError
from tests.alignment.grids import grid


def test_the_verdict_is_an_error_of_the_package():
    assert issubclass(Infeasible, TerritoryLabError)


def test_a_unit_that_no_company_brings_into_the_band_is_named():
    units, _ = grid(1, 4)
    units["w"] = [70.0, 44.0, 43.0, 43.0]  # two territories of 100: 70 + 43 = 113
    with pytest.raises(Infeasible, match="u00 has 70") as verdict:
        solve(Problem(units, 2, {"w": 0.05}, distance="euclidean"))
    assert verdict.value.units == ["u00"]


def test_what_lies_behind_a_unit_and_must_join_it_is_named():
    units, _ = grid(1, 5)
    units["w"] = [60.0, 35.0, 35.0, 35.0, 35.0]  # two territories of 100; four arms that meet in u00 only
    star = [("u00", arm) for arm in units.index[1:]]
    with pytest.raises(Infeasible, match="u00 cuts off u01, u02") as verdict:
        solve(Problem(units, 2, {"w": 0.06}, neighbours=star, distance="euclidean"))
    assert verdict.value.units == ["u00", "u01", "u02"]
    assert solve(Problem(units, 2, {"w": 0.06}, distance="euclidean")).feasible


def test_units_that_do_not_pack_are_proven_so():
    units, _ = grid(1, 5)
    units["w"] = [4.5, 4.5, 4.5, 4.5, 2.0]  # two territories of 10: no set weighs between 9.5 and 10.5
    with pytest.raises(Infeasible, match="can hold u00") as verdict:
        solve(Problem(units, 2, {"w": 0.05}, distance="euclidean"))
    assert verdict.value.units == ["u00"]


def test_only_the_territories_in_conflict_are_named():
    units, _ = grid(1, 8)
    homes = pd.DataFrame({"x_km": [0.0, 2.0, 5.0, 7.0], "y_km": 0.0}, index=["a", "b", "c", "d"])
    forbidden = [(unit, "d") for unit in units.index[1:]]
    with pytest.raises(Infeasible, match="d cannot reach the minimum") as verdict:
        solve(Problem(units, homes, {"w": 0.1}, distance="euclidean", forbidden=forbidden))
    assert verdict.value.territories == ["d"]
