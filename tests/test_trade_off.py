"""What is lost if less changes hands than proposed, on a company of three territories."""

import numpy as np
import pandas as pd
import pytest

from territory_lab import journey, scenarios, workspace
from territory_lab.reporting.story import tell
from tests.benchmarks.crash import company


@pytest.mark.filterwarnings("ignore:.*too few to judge a model")
def test_the_trade_off_tells_of_today_of_the_proposal_and_of_less(tmp_path):
    space = workspace.open_workspace(company(tmp_path / "tables"))
    step, told = journey.territories(space), journey.trade_off(space)["frontier"].set_index("status")
    today, load = step["today"], step["units"]["workload_h"]
    moved = load[step["current"]["territory_id"] != step["alignment"]["territory_id"]].sum() / load.sum()
    km = np.average(today["mean_km"].fillna(0), weights=today["workload_h"])
    outside = (today["deviation_workload_h"].abs() > step.facts["tolerance_share"] + 1e-3).sum()
    assert told.loc["today", ["moved_share", "mean_km", "outside", "gain_share"]].tolist() == pytest.approx(
        [0, km, outside, 0]
    )
    lift = journey.evaluation(space)["lift"].set_index("part")["value"]["total"]
    assert told.loc["as proposed", ["moved_share", "gain_share"]].tolist() == pytest.approx([moved, lift])
    less = told.drop(index=["today", "as proposed"])
    assert len(less)
    assert (less["moved_share"] < moved).all()
    assert set(less.index) <= {"solved", "proven impossible", "not found in time"}


@pytest.mark.filterwarnings("ignore:.*too few to judge a model")
def test_the_report_of_another_plan_places_it_on_the_frontier(tmp_path):
    space = workspace.open_workspace(company(tmp_path / "tables"))
    step = journey.territories(space)
    load, today = step["units"]["workload_h"], step["current"]["territory_id"]
    owner = today.copy()
    owner[load.idxmax()] = next(name for name in sorted(set(today)) if name != today[load.idxmax()])
    scenarios.save(scenarios.Scenario("one place", owner, data_hash=space.data_hash), journey.shelf(space))
    levels = pd.DataFrame(tell(space, "one place").numbers["trade_off"]["frontier"]).set_index("status")
    assert levels.loc["this plan", "moved_share"] == pytest.approx(load.max() / load.sum())
    assert levels["moved_share"].is_monotonic_increasing
    assert "this plan" not in {row["status"] for row in tell(space).numbers["trade_off"]["frontier"]}
