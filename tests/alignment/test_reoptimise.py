"""A plan mended around an edit: the ring changes, what is two steps away does not."""

from dataclasses import replace

import pandas as pd
import pytest

from territory_lab.alignment import Plan, Problem, audit, reoptimise, solve
from territory_lab.errors import BadInput
from tests.alignment.grids import grid
from tests.alignment.jobs import SIZES, apart, homes, job, needs_jobs


def row_of_homes() -> Plan:
    """Six homes along a strip of 3 x 18, each with the three columns round it."""
    strip = pd.DataFrame(
        {"x_km": [float(c) for c in range(18) for _ in range(3)], "y_km": [0.0, 1.0, 2.0] * 18, "w": 1.0},
        index=pd.Index([f"c{c:02}r{r}" for c in range(18) for r in range(3)], name="unit_id"),
    )
    pairs = [(f"c{c:02}r{r}", f"c{c + 1:02}r{r}") for c in range(17) for r in range(3)]
    pairs += [(f"c{c:02}r{r}", f"c{c:02}r{r + 1}") for c in range(18) for r in range(2)]
    sites = pd.DataFrame({"x_km": [1.0 + 3 * j for j in range(6)], "y_km": 1.0}, index=[f"t{j}" for j in range(6)])
    return solve(Problem(strip, sites, {"w": 0.15}, neighbours=pairs, distance="euclidean"))


def touching(alignment: pd.Series, pairs: pd.DataFrame, territories: set[str]) -> set[str]:
    """Territories with a unit beside one of these."""
    owners = [(alignment[a], alignment[b]) for a, b in pairs.iloc[:, :2].itertuples(index=False)]
    near = {q for p, q in owners if p in territories} | {p for p, q in owners if q in territories}
    return territories | near


def test_the_best_plan_of_a_strip_is_left_as_it_is():
    plan = row_of_homes()
    assert [set(part.str[1:3]) for _, part in plan.alignment.index.to_series().groupby(plan.alignment)] == [
        {f"{c:02}" for c in range(3 * j, 3 * j + 3)} for j in range(6)
    ]
    pd.testing.assert_series_equal(reoptimise(plan, ["c00r0"]).alignment, plan.alignment)


def test_an_edit_out_of_place_is_put_right():
    plan = row_of_homes()
    spoilt = plan.alignment.copy()
    spoilt["c02r1"] = "t1"
    mended = reoptimise(replace(plan, alignment=spoilt), ["c02r1"])
    assert mended.objective == pytest.approx(plan.objective)


def test_a_lock_is_obeyed_and_what_is_two_steps_away_stays():
    plan = row_of_homes()
    mended = reoptimise(replace(plan, problem=replace(plan.problem, locked={"c02r1": "t1"})), ["c02r1"])
    assert mended.alignment["c02r1"] == "t1"
    assert audit(mended.problem, mended.alignment).empty
    assert mended.bound <= mended.objective
    assert mended.objective == pytest.approx(plan.objective + 1)  # 10 and 8 units are allowed: one km further, no more
    far = plan.alignment.isin(["t3", "t4", "t5"])
    pd.testing.assert_series_equal(mended.alignment[far], plan.alignment[far])


def test_where_the_ring_cannot_bear_it_the_next_one_helps():
    plan = row_of_homes()
    column = plan.alignment.index.str[1:3].astype(int)
    skewed = plan.alignment.mask(column == 3, "t0").mask(column == 6, "t1")  # 12, 9 and 6 units; 8 to 10 are allowed
    mended = reoptimise(replace(plan, alignment=skewed), ["c00r0"])
    assert audit(mended.problem, mended.alignment).empty
    far = plan.alignment.isin(["t3", "t4", "t5"])
    pd.testing.assert_series_equal(mended.alignment[far], plan.alignment[far])


def test_without_neighbours_or_coordinates_the_nearest_homes_are_the_ring():
    plan = row_of_homes()
    units, homes = plan.problem.units, plan.problem.territories
    table = solve(Problem(units[["w"]], homes[[]], {"w": 0.15}, distance=apart(units, homes)))
    spoilt = table.alignment.copy()
    spoilt["c17r1"] = "t4"
    mended = reoptimise(replace(table, alignment=spoilt), ["c17r1"])
    assert mended.objective == pytest.approx(table.objective)


def test_what_is_not_known_is_refused_by_name():
    plan = row_of_homes()
    with pytest.raises(BadInput, match="nowhere"):
        reoptimise(plan, iter(["c00r0", "nowhere"]))
    with pytest.raises(BadInput, match=r"c05r1.*t9 is not a territory"):
        reoptimise(replace(plan, alignment=plan.alignment.replace({"t1": "t9"})), ["c00r0"])


def test_free_centres_keep_todays_names():
    units, pairs = grid(4, 4)
    today = pd.Series(["north"] * 8 + ["south"] * 8, index=units.index)
    plan = solve(Problem(units, 2, {"w": 0.25}, neighbours=pairs, distance="euclidean", current=today, move_price=0.1))
    mended = reoptimise(replace(plan, problem=replace(plan.problem, locked={"u20": "north"})), ["u20"])
    assert set(mended.alignment) == {"north", "south"}
    assert mended.alignment["u20"] == "north"
    assert audit(mended.problem, mended.alignment).empty


@needs_jobs
@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("name", ["S", "A"])
def test_a_lock_on_real_counties_changes_the_ring_alone(name, free):
    units, pairs = job(name)
    where = SIZES[name] if free else homes(units, SIZES[name])
    plan = solve(Problem(units, where, {"w": 0.2}, neighbours=pairs, distance="euclidean"))
    assert plan.feasible
    borders = [(a, b) for a, b in pairs.itertuples(index=False) if plan.alignment[a] != plan.alignment[b]]
    border = min(borders, key=lambda pair: units["w"][pair[0]])  # light enough for the ring to bear
    owner, other = plan.alignment[list(border)]
    locked = replace(plan, problem=replace(plan.problem, locked={border[0]: other}))
    mended, again = reoptimise(locked, [border[0]]), reoptimise(locked, [border[0]])
    assert mended.alignment[border[0]] == other
    assert audit(mended.problem, mended.alignment).empty
    assert mended.bound <= mended.objective
    pd.testing.assert_series_equal(mended.alignment, again.alignment)
    ring = touching(plan.alignment, pairs, {owner, other})
    far = ~plan.alignment.isin(ring)
    assert far.any()
    pd.testing.assert_series_equal(mended.alignment[far], plan.alignment[far])
