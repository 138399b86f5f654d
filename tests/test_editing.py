"""Edits by hand, held against sums and pieces counted anew."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab import editing
from territory_lab.alignment import Plan, Problem
from territory_lab.errors import BadInput

SIDE = 6
UNITS = [f"u{row}{column}" for row in range(SIDE) for column in range(SIDE)]
NAMES = ["A", "B", "C"]


def grid() -> Plan:
    """Lay out 6 x 6 units in three upright stripes of two columns."""
    places = [(row, column) for row in range(SIDE) for column in range(SIDE)]
    frame = pd.DataFrame(places, columns=["y_km", "x_km"], index=pd.Index(UNITS, name="unit_id")).astype(float)
    frame["workload_h"] = 1.0 + np.arange(SIDE * SIDE) % 4
    sides = [(f"u{r}{c}", f"u{r}{c + 1}") for r in range(SIDE) for c in range(SIDE - 1)]
    sides += [(f"u{r}{c}", f"u{r + 1}{c}") for r in range(SIDE - 1) for c in range(SIDE)]
    homes = pd.DataFrame({"x_km": [0.5, 2.5, 4.5], "y_km": 2.5}, index=pd.Index(NAMES, name="territory_id"))
    owner = pd.Series([NAMES[column // 2] for _, column in places], index=frame.index)
    problem = Problem(
        frame, homes, {"workload_h": 0.25}, neighbours=sides, distance="euclidean", current=owner, move_price=2.0
    )
    return editing.started(problem)


EDITS = {
    "assign": editing.assign,
    "lock": lambda plan, units, _: editing.lock(plan, units),
    "unlock": lambda plan, units, _: editing.unlock(plan, units),
    "split off": lambda plan, units, _: editing.split_off(plan, units),
    "new territory": lambda plan, units, _: editing.split_off(plan, units[:1]),
    "merge": lambda plan, units, name: editing.merge(plan, plan.alignment[units[0]], name),
}
edits = st.tuples(
    st.sampled_from(sorted(EDITS)), st.lists(st.sampled_from(UNITS), min_size=1, max_size=9), st.integers(0, 9)
)


def edited(plan: Plan, edit: tuple[str, list[str], int]) -> Plan:
    """Do an edit, or nothing where it is not allowed."""
    what, units, number = edit
    names = plan.problem.territory_ids
    try:
        return EDITS[what](plan, units, names[number % len(names)])
    except BadInput:
        return plan


def pieces(units: set[str]) -> list[int]:
    """Count the units of each piece that hangs together, by walking from side to side."""
    sizes = []
    while units:
        front, size = [units.pop()], 0
        while front:
            row, column = map(int, front.pop()[1:])
            size += 1
            beside = {f"u{row + down}{column + across}" for down, across in [(0, 1), (0, -1), (1, 0), (-1, 0)]} & units
            units -= beside
            front += beside
        sizes.append(size)
    return sizes


def seen(plan: Plan) -> tuple[object, ...]:
    """Take all that a person would see of a plan."""
    return (*plan.alignment, *plan.problem.territory_ids, *sorted(editing.locks(plan).items()), plan.objective)


@settings(max_examples=25, deadline=None)
@given(st.lists(edits, max_size=12))
def test_undo_and_redo_lead_through_the_same_states(todo):
    draft = editing.Draft(grid())
    states = [seen(draft.plan)]
    for edit in todo:
        draft = draft.done(edited(draft.plan, edit), edit[0], edit[1], who="Ada")
        states.append(seen(draft.plan))
    assert [step.what for step in draft.steps] == [what for what, _, _ in todo]
    for state in reversed(states[:-1]):
        draft = draft.undone()
        assert seen(draft.plan) == state
    assert draft.undone() is draft
    for state in states[1:]:
        draft = draft.redone()
        assert seen(draft.plan) == state
    assert draft.redone() is draft
    assert len(draft.steps) == len(todo)


@settings(max_examples=25, deadline=None)
@given(st.lists(edits, max_size=8))
def test_after_any_edits_the_cost_and_what_is_cut_off_are_those_counted_anew(todo):
    plan = grid()
    for edit in todo:
        plan = edited(plan, edit)
    cost = 0.0
    for unit, name in plan.alignment.items():
        place, home = plan.problem.units.loc[unit], plan.territories.loc[name]
        away = np.hypot(place["x_km"] - home["x_km"], place["y_km"] - home["y_km"])
        before = plan.problem.current[unit]
        cost += place["workload_h"] * (away + 2.0 * (before != name and before in plan.problem.territory_ids))
    assert plan.objective == pytest.approx(cost)
    cut = 0
    for name in plan.problem.territory_ids:
        sizes = pieces({unit for unit, owner in plan.alignment.items() if owner == name})
        cut += sum(sorted(sizes)[:-1])
    assert int(editing.strays(plan).sum()) == cut


def test_what_was_undone_is_forgotten_once_another_edit_is_made():
    draft = editing.Draft(grid()).done(grid(), "set").undone()
    assert draft.done(grid(), "lock").after is None


def test_locked_units_stay_and_the_rest_moves():
    plan = editing.assign(editing.lock(grid(), ["u00"]), ["u00", "u01"], "C")
    assert (plan.alignment["u00"], plan.alignment["u01"]) == ("A", "C")
    with pytest.raises(BadInput, match=r"u00.*is locked to A"):
        editing.assign(plan, ["u00"], "C")


def test_every_unknown_name_is_told_at_once():
    with pytest.raises(BadInput) as caught:
        editing.assign(grid(), ["u00", "x", "y"], "Z")
    assert [fault.row for fault in caught.value.faults] == ["x", "y", "Z"]


def test_merging_sums_the_targets_and_splitting_adds_a_mean_one():
    joined = editing.merge(grid(), "A", "B")
    assert dict(zip(joined.problem.territory_ids, joined.problem.shares[0], strict=True)) == pytest.approx(
        {"A": 2 / 3, "C": 1 / 3}
    )
    split = editing.split_off(grid(), ["u00", "u10", "u20"])
    assert split.problem.shares[0] == pytest.approx([1 / 4] * 4)
    assert list(split.alignment[["u00", "u30"]]) == ["T4", "A"]


def test_mending_keeps_the_edit_where_the_limits_allow_it():
    plan = editing.assign(grid(), ["u02", "u12"], "A")
    mended = editing.mend(plan, ["u02"], keep=["u02", "u12"])
    assert mended.feasible
    assert list(mended.alignment[["u02", "u12"]]) == ["A", "A"]
    assert editing.locks(mended) == {}


def test_mending_gives_the_edit_up_where_they_do_not():
    plan = editing.assign(grid(), ["u05"], "A")  # the far corner: cut off for good while it is kept
    assert not plan.feasible
    assert editing.mend(plan, ["u05"], keep=["u05"]).feasible


def test_the_reasons_add_up_by_hand():
    told = editing.explain(grid(), "u01")
    assert told.index[0] == "A"
    b = told.loc["B"]
    away = np.hypot(2.5 - 1, 2.5)
    assert b["distance"] == pytest.approx(away)
    assert b["total"] == pytest.approx(2.0 * (away + 2.0))
    loads = grid().problem.units["workload_h"].groupby(grid().alignment).sum()
    assert b["deviation_workload_h"] == pytest.approx((loads["B"] + 2.0) / (loads.sum() / 3) - 1)
    assert b["left_workload_h"] == pytest.approx((loads["A"] - 2.0) / (loads.sum() / 3) - 1)
    assert list(told["touches"]) == [True, True, False]
