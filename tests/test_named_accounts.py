"""Named accounts are carved out of geography: each is a unit of its own, held by its rep wherever it stands."""

import pandas as pd
import pytest

from territory_lab import alignment, book, geography, handover, proposal, workspace
from territory_lab.errors import BadInput

FIRMS = geography.counties().query("state == 'KS'").sort_values("lon").reset_index(drop=True)
HEADQUARTERS = FIRMS["unit_id"].iloc[0]  # in the far west


@pytest.fixture
def kansas(tmp_path) -> workspace.Workspace:
    """One firm in each county of Kansas, a rep at either end, and the westernmost firm named as the eastern rep's."""
    accounts = FIRMS[["unit_id", "name", "lon", "lat"]].assign(account_id="F" + FIRMS["unit_id"], owner_id="west")
    accounts.loc[0, "owner_id"] = "east"
    accounts.drop(columns="unit_id").to_csv(tmp_path / "accounts.csv", index=False)
    ends = FIRMS.iloc[[0, -1]][["lon", "lat"]].assign(rep_id=["west", "east"], name=["Ann", "Ben"])
    ends.assign(territory_id=["W", "E"]).to_csv(tmp_path / "reps.csv", index=False)
    pd.DataFrame({"unit_id": FIRMS["unit_id"], "territory_id": "W"}).to_csv(tmp_path / "alignment.csv", index=False)
    name(tmp_path, "")
    return workspace.open_workspace(tmp_path)


def name(folder, territory: str) -> None:
    pd.DataFrame({"account_id": [f"F{HEADQUARTERS}"], "territory_id": [territory]}).to_csv(
        folder / "named_accounts.csv", index=False
    )


def planned(space: workspace.Workspace, **how: int) -> tuple[alignment.Plan, pd.DataFrame]:
    places = book.units(space)
    known = book.accounts(space, places).assign(tier="A", potential=1.0)
    load = proposal.activities(known, places)
    question = proposal.question(space, load, book.today(space, places), 0.1, **how)
    return alignment.solve(question, time_limit_s=5), known


def test_a_named_account_belongs_to_its_owner_and_its_county_to_whom_it_lies_near(kansas):
    plan, known = planned(kansas)
    assert plan.feasible
    assert known.loc[f"F{HEADQUARTERS}", "unit_id"] == f"account:F{HEADQUARTERS}"
    assert plan.alignment[f"account:F{HEADQUARTERS}"] == "E"
    assert plan.alignment[HEADQUARTERS] == "W"


def test_its_work_counts_where_it_is_held(kansas):
    plan, _ = planned(kansas)
    table = alignment.metrics.by_territory(plan.problem, plan.alignment, plan.territories)
    assert table["workload_h"].sum() == pytest.approx(plan.problem.units["workload_h"].sum())
    assert table["deviation_workload_h"].abs().max() <= 0.1 + 1e-9


def test_today_it_is_with_its_owner_even_if_its_county_is_not(kansas):
    today = book.today(kansas, book.units(kansas))
    assert today[f"account:F{HEADQUARTERS}"] == "E"
    assert today[HEADQUARTERS] == "W"


def test_a_stated_territory_goes_before_the_owner(kansas):
    name(kansas.folder, "W")
    plan, _ = planned(workspace.open_workspace(kansas.folder))
    assert plan.alignment[f"account:F{HEADQUARTERS}"] == "W"


def test_with_free_centres_it_goes_with_its_place(kansas):
    plan, _ = planned(kansas, territories=2)
    assert plan.feasible
    assert plan.alignment[f"account:F{HEADQUARTERS}"] == plan.alignment[HEADQUARTERS]


def test_the_map_of_territories_does_without_it(kansas):
    plan, _ = planned(kansas)
    drawn = handover.territories(kansas, plan.alignment).set_index("territory_id")
    assert drawn.loc["W", "geometry"].contains(FIRMS.geometry.iloc[0].representative_point())


def test_an_account_that_is_nobodys_is_refused(kansas):
    accounts = kansas.tables["accounts"].assign(owner_id=None)
    accounts.to_csv(kansas.folder / "accounts.csv", index=False)
    with pytest.raises(BadInput, match=f"F{HEADQUARTERS}.*state its territory"):
        book.named(workspace.open_workspace(kansas.folder))
    name(kansas.folder, "N")
    with pytest.raises(BadInput, match=r"'N' is not in reps.territory_id"):
        _ = workspace.open_workspace(kansas.folder).tables
