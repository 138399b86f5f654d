"""Scenarios of a workspace: solved under other settings, or drawn by hand."""

import pandas as pd
import pytest

from territory_lab import alignment, journey, scenarios
from territory_lab.workspace import Workspace
from tests.test_journey import space

__all__ = ["space"]


def test_a_draft_keeps_to_its_settings_and_is_found_again(space: Workspace) -> None:
    seen: list[float] = []
    made = journey.draft(
        space, "Tight", tolerance_share=0.35, max_moved_share=0.6, progress=lambda _, p: seen.append(p)
    )
    load = journey.territories(space)["units"]["workload_h"]
    today = journey.territories(space)["current"]["territory_id"]
    due = space.tables["reps"].groupby("territory_id")["selling_h"].sum()
    off = load.groupby(made.alignment).sum() / load.sum() / (due / due.sum()) - 1
    assert off.abs().max() <= 0.35 + 1e-9
    moved = (made.alignment.reindex(load.index) != today) & today.notna()
    assert load[moved].sum() <= 0.6 * load[today.notna()].sum() + 1e-9
    assert made.metrics["moved"]["workload_h_share"] == pytest.approx(load[moved].sum() / load[today.notna()].sum())
    again = scenarios.load(journey.shelf(space), "Tight")
    pd.testing.assert_series_equal(again.alignment.sort_index(), made.alignment.sort_index(), check_names=False)
    assert again.settings == {"tolerance_share": 0.35, "count": 0, "max_moved_share": 0.6}
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1


def test_settings_that_allow_no_plan_are_refused_with_the_proof_and_nothing_is_kept(space: Workspace) -> None:
    with pytest.raises(alignment.Infeasible, match="must exceed the maximum"):
        journey.draft(space, "Still", tolerance_share=0.05, max_moved_share=0.01)
    assert "Still" not in scenarios.names(journey.shelf(space))


def test_a_plan_drawn_by_hand_is_measured_as_a_solved_one(space: Workspace) -> None:
    proposal = journey.as_scenarios(space)["proposal"]
    kept = journey.keep(space, "By hand", proposal.alignment, author="Ann", note="as proposed")
    assert kept.metrics == {**proposal.metrics, "plan": {"violations": 0}}


def test_a_territory_added_by_hand_is_due_an_average_share(space: Workspace) -> None:
    owner = journey.as_scenarios(space)["proposal"].alignment.copy()
    load = journey.territories(space)["units"]["workload_h"]
    owner.loc[load.idxmax()] = "New"
    kept = journey.keep(space, "One more", owner)
    due = space.tables["reps"].groupby("territory_id")["selling_h"].sum()
    due["New"] = due.mean()
    off = load.groupby(owner).sum() / load.sum() / (due / due.sum()) - 1
    assert kept.metrics["territories"] == owner.nunique() == 31
    assert kept.metrics["largest_deviation_share"] == pytest.approx(off.abs().max())
