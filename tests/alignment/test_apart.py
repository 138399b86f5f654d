"""Units that belong to a territory without lying in it: named accounts count for the load, not for contiguity."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab import editing
from territory_lab.alignment import Infeasible, Problem, audit, frontier, metrics, reoptimise, solve
from tests.alignment.grids import connected, grid


def with_named(rows: int, columns: int, named: dict[str, tuple[str, float]], tolerance: float = 0.2) -> Problem:
    """Two homes at the ends of a grid, and units far away that are locked, each with its load."""
    units, pairs = grid(rows, columns)
    far = pd.DataFrame({"x_km": 50.0, "y_km": 50.0, "w": [load for _, load in named.values()]}, list(named))
    homes = pd.DataFrame({"x_km": [0.0, columns - 1.0], "y_km": 0.0}, index=pd.Index(["west", "east"], name="t"))
    return Problem(
        pd.concat([units, far]).rename_axis("unit_id"),
        homes,
        {"w": tolerance},
        neighbours=pairs,
        distance="euclidean",
        locked={name: owner for name, (owner, _) in named.items()},
    )


def test_a_named_account_takes_the_place_of_as_much_land():
    plan = solve(with_named(2, 6, {"big": ("west", 4.0)}, tolerance=0.0))
    assert plan.feasible
    assert plan.alignment["big"] == "west"
    assert plan.alignment.value_counts().to_dict() == {"east": 8, "west": 5}  # 8 hours each
    assert metrics.by_territory(plan.problem, plan.alignment, plan.territories)["w"].tolist() == [8.0, 8.0]


@settings(max_examples=40, deadline=None)
@given(loads=st.lists(st.tuples(st.sampled_from(["west", "east"]), st.integers(0, 3)), min_size=1, max_size=3))
def test_the_plan_is_within_its_bound_of_the_best_there_is(loads):
    problem = with_named(3, 3, {f"n{i}": (owner, float(load)) for i, (owner, load) in enumerate(loads)})
    least = least_by_hand(problem)
    try:
        plan = solve(problem, time_limit_s=5)
    except Infeasible:
        assert least is None
        return
    assert least is None or plan.bound <= least * (1 + 1e-9)
    if plan.feasible:
        assert plan.objective >= least * (1 - 1e-9)


def least_by_hand(problem: Problem) -> float | None:
    """Try every split of the grid into two connected parts that keep the band with what is locked."""
    units, homes, locked = problem.units, problem.territories, pd.Series(problem.locked)
    land = units.index[~units.index.isin(locked.index)]
    pairs = list(problem.neighbours.itertuples(index=False, name=None))
    cost = np.hypot(*(units[[axis]].to_numpy() - homes[axis].to_numpy() for axis in ("x_km", "y_km")))
    cost = pd.DataFrame(cost * units[["w"]].to_numpy(), units.index, homes.index)
    held = units["w"].groupby(locked).sum().reindex(homes.index, fill_value=0.0)
    fixed = sum(cost.loc[name, owner] for name, owner in locked.items())
    target, best = units["w"].sum() / 2, None
    for code in range(2 ** len(land)):
        west = {unit for bit, unit in enumerate(land) if code >> bit & 1}
        parts = {"west": west, "east": set(land) - west}
        load = {name: len(part) + held[name] for name, part in parts.items()}
        if any(abs(amount - target) > 0.2 * target + 1e-9 for amount in load.values()):
            continue
        if all(not part or connected(part, pairs) for part in parts.values()):
            total = fixed + sum(cost.loc[list(part), name].sum() for name, part in parts.items())
            best = total if best is None else min(best, total)
    return best


def test_what_is_named_must_fit_and_the_proof_names_it():
    with pytest.raises(Infeasible, match="the units locked to west have 30 of w"):
        solve(with_named(2, 3, {"a": ("west", 15.0), "b": ("west", 15.0)}))


def test_with_nothing_locked_an_island_still_is_one():
    problem = with_named(2, 6, {"big": ("west", 4.0)})
    with pytest.raises(Infeasible, match="an island"):
        solve(replace(problem, locked=None))


def test_an_audit_sees_the_load_and_forgives_the_distance():
    problem = with_named(2, 6, {"big": ("west", 4.0)}, tolerance=0.0)
    plan = solve(problem)
    assert audit(problem, plan.alignment).empty
    moved = plan.alignment.copy()
    moved["big"] = "east"
    assert set(audit(problem, moved)["rule"]) == {"locked", "balance"}


def test_mending_and_the_frontier_leave_named_accounts_where_they_are():
    problem = with_named(2, 6, {"big": ("west", 4.0)}, tolerance=0.0)
    plan = solve(problem)
    swapped = plan.alignment.copy()
    swapped["u00"], swapped["u15"] = "east", "west"
    assert set(editing.strays(replace(plan, alignment=swapped)).loc[lambda cut: cut].index) == {"u00", "u15"}
    mended = reoptimise(replace(plan, alignment=swapped), ["big"])
    assert mended.feasible
    assert mended.objective == pytest.approx(plan.objective)
    current = pd.Series("west", problem.unit_ids).where(plan.alignment == "west", "east")
    levels = frontier(replace(problem, current=current), [0, 0.5, 1])
    assert levels["feasible"].all()
    assert levels["objective"].tolist() == pytest.approx([plan.objective] * 3)


def test_moves_of_named_accounts_count():
    problem = with_named(2, 6, {"big": ("west", 4.0)}, tolerance=0.0)
    owner = solve(problem).alignment
    today = owner.copy()
    today["big"] = "east"
    assert not solve(replace(problem, current=today, max_moved_share=0.2)).feasible
    assert solve(replace(problem, current=today, max_moved_share=0.25)).feasible  # its 4 of 16 hours


def test_progress_tells_whole_plans():
    told = []
    problem = with_named(2, 6, {"big": ("west", 4.0)})
    solve(problem, progress=lambda alignment, _: told.append(alignment))
    assert told
    assert all(alignment.index.equals(problem.unit_ids) for alignment in told)
