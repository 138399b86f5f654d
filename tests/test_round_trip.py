"""An export of each CRM to a summary for leadership, the proposed plan out, and the same plan back in."""

import json
from pathlib import Path

import pandas as pd
import pytest

from territory_lab import crm, geography, handover, journey
from territory_lab.errors import MissingTable
from territory_lab.reporting import report, tell
from territory_lab.workspace import Workspace, open_workspace
from tests import adventureworks, crm_exports
from tests.test_crm_out import Org, today_of

pytestmark = pytest.mark.filterwarnings("ignore")


def told(space: Workspace, page: Path) -> tuple[pd.Series, dict]:
    """Go all the way to the summary; give the proposed plan and the numbers."""
    results, off = {}, {}
    for step in journey.STEPS.values():
        try:
            results[step.__name__] = step(space)
        except MissingTable as reason:
            off[step.__name__] = str(reason)
    report(tell(space, made=(results, off)).numbers, page, {})
    numbers = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return results["territories"]["alignment"]["territory_id"], numbers


def near_home(space: Workspace) -> Workspace:
    """Keep to the counties of the two states in which the fixture has accounts."""
    counties = geography.counties()
    near = counties[counties["state"].isin(["MA", "CT"])][["unit_id", "name", "lon", "lat", "state"]]
    near.to_csv(space.folder / "units.csv", index=False)
    (space.folder / "workspace.toml").write_text('name = "own"\ntolerance_share = 0.5\n', encoding="utf-8")
    return open_workspace(space.folder)


@pytest.mark.parametrize("name", crm_exports.WRITERS)
def test_an_export_goes_to_the_summary_and_its_plan_back_into_the_crm(name: str, tmp_path: Path) -> None:
    firm = crm_exports.company(name)
    exports = crm_exports.WRITERS[name](firm)
    if name == "hubspot":  # it keeps no homes of owners, and without them nobody's territory is proposed
        exports["owners"]["zip"] = firm.reps["postcode"].to_numpy()
    org = Org(exports) if name == "salesforce" else None
    layout = crm.Layout.of(name)
    space = near_home(crm.create(tmp_path / "own", crm_exports.write(exports, tmp_path / "export"), layout)[0])
    plan, numbers = told(space, tmp_path / "summary.html")
    assert (tmp_path / "summary.html").stat().st_size > 10_000
    assert numbers["meta"]["data_hash"] == space.data_hash
    plan.iloc[[0, 1]] = plan.iloc[[1, 0]].to_numpy()
    if org:
        before = org.state()
        org.load(handover.write(space, plan, "salesforce")[0])
        again = org.export(tmp_path / "later")
        handover.write(space, plan, "salesforce", again)
    else:
        update = pd.read_csv(handover.write(space, plan, "csv")[0] / "update.csv", dtype=str)
        sheet, key = next(sheet for sheet in exports if "compan" in sheet or "accounts" in sheet), update.columns[0]
        later = exports[sheet].set_index(key)
        later.update(update.set_index(key))
        again = crm_exports.write(exports | {sheet: later.reset_index()}, tmp_path / "later")
    held = today_of(crm.create(tmp_path / "again", again, layout)[0])
    pd.testing.assert_series_equal(held, plan.reindex(held.index), check_names=False)
    if org:
        org.load(space.folder / "exports" / "salesforce" / "undo")
        assert org.state() == before


def test_adventureworks_goes_to_the_summary_and_its_plan_is_handed_back(cases: Path, tmp_path: Path) -> None:
    space, _ = adventureworks.create(cases / "crm" / "adventureworks", tmp_path)
    plan, numbers = told(space, tmp_path / "summary.html")
    assert numbers["meta"]["data_hash"] == space.data_hash
    units = pd.read_csv(handover.write(space, plan, "csv")[0] / "units.csv", dtype=str).set_index("unit_id")
    assert units["territory_id"].to_dict() == plan.to_dict()
