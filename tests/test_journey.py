"""The six steps on a small company, on one without orders, and on another country."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from territory_lab import geography, journey, sample, workspace
from territory_lab.alignment import Problem, audit, solve
from territory_lab.errors import MissingTable
from territory_lab.settings import Settings
from territory_lab.workspace import Workspace
from tests import adventureworks


def company(folder: Path) -> Workspace:
    tables, _ = sample.company(2_500, seed=3)
    sample.write(tables, folder / "tables")
    settings = Settings(name="small", horizon_days=90, tolerance_share=0.3)
    return workspace.create(folder / "space", folder / "tables", settings)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return company(tmp_path_factory.mktemp("journey"))


def test_a_step_run_alone_computes_what_it_rests_on(space: Workspace) -> None:
    journey.territories(space)
    assert {"icp", "propensity", "territories"} <= {path.name for path in (space.folder / "results").iterdir()}


def test_nothing_is_lost_between_accounts_units_and_territories(space: Workspace) -> None:
    step = journey.territories(space)
    orders = space.tables["orders"]
    last_year = orders[orders["order_date"] >= orders["order_date"].max().normalize() - pd.Timedelta(days=364)]
    for frame in (step["units"], step["today"], step["proposed"]):
        assert frame["revenue"].sum() == pytest.approx(step["accounts"]["spend"].sum())
        assert frame["potential"].sum() == pytest.approx(step["accounts"]["potential"].sum())
    assert step["accounts"]["spend"].sum() == pytest.approx(last_year["amount"].sum(), rel=0.01)


def test_the_moves_are_the_difference_between_today_and_the_proposal(space: Workspace) -> None:
    step = journey.territories(space)
    moved = step["current"]["territory_id"] != step["alignment"]["territory_id"]
    assert step["moves"]["units"].sum() == moved.sum()
    assert step["moves"]["workload_h"].sum() == pytest.approx(step["units"].loc[moved, "workload_h"].sum())


def test_the_white_space_and_the_actions_are_those_of_the_scores(space: Workspace) -> None:
    step = journey.propensity(space)
    grid, actions = step["white_space"], step["actions"]
    gaps = grid[grid["status"].isin(["gap", "open opportunity"])]
    assert len(gaps) == (step["propensity"]["kind"] == "cross_sell").sum()
    assert not grid.duplicated(["account_id", "product_id"]).any()
    owner = space.tables["accounts"].set_index("account_id")["owner_id"]
    assert (actions["rep_id"] == actions["account_id"].map(owner)).all()
    spent = actions.groupby(["kind", "rep_id"])["effort"].sum()
    assert (spent <= step["capacity"]["capacity"].reindex(spent.index) + 1e-9).all()
    assert actions.loc[actions["place"] == 1, ["reason_1", "reason_3", "angle"]].notna().all(axis=None)
    assert step["expected_units"]["expected"].sum() == pytest.approx(step["expected"]["expected"].sum())


def test_every_step_leaves_a_result_and_quotas_keep_the_total(space: Workspace) -> None:
    results = {name: step(space) for name, step in journey.STEPS.items()}
    quotas = results["5_resources"]["quotas"]["quota"]
    assert round(quotas.sum(), 2) == space.tables["reps"]["quota"].sum()
    assert set(results["6_evaluation"]["performance"].index) == set(space.tables["alignment"]["territory_id"])


def test_the_same_data_and_seed_give_the_same_bytes(space: Workspace, tmp_path: Path) -> None:
    other = company(tmp_path)
    for one in (space, other):
        for step in journey.STEPS.values():
            step(one)
    files = sorted(path.relative_to(space.folder) for path in (space.folder / "results").rglob("*.*"))
    assert len(files) > 20
    assert [file for file in files if (space.folder / file).read_bytes() != (other.folder / file).read_bytes()] == []


def test_a_short_history_switches_propensity_off_and_nothing_else(tmp_path: Path) -> None:
    tables, _ = sample.company(2_500, seed=3)
    orders = tables["orders"]
    tables["orders"] = orders[orders["order_date"] > orders["order_date"].max() - pd.Timedelta(days=200)]
    sample.write(tables, tmp_path / "tables")
    space = workspace.create(tmp_path / "space", tmp_path / "tables", Settings(tolerance_share=0.3))
    with pytest.raises(MissingTable, match="too few to learn from"):
        journey.propensity(space)
    step = journey.territories(space)
    buying = step["accounts"]["spend"] > 0
    assert (step["accounts"].loc[buying, "potential"] > 0).all()
    assert step["alignment"]["territory_id"].notna().all()


def test_a_damaged_result_is_computed_anew(space: Workspace) -> None:
    before = journey.icp(space)["profile"]
    (space.result("icp") / "profile.parquet").write_bytes(b"half a file")
    pd.testing.assert_frame_equal(journey.icp(space)["profile"], before)


def test_a_lost_frame_is_computed_anew(space: Workspace) -> None:
    before = journey.icp(space)["profile"]
    (space.result("icp") / "profile.parquet").unlink()
    pd.testing.assert_frame_equal(journey.icp(space)["profile"], before)


def test_adventureworks_goes_as_far_as_its_tables_allow(cases: Path, tmp_path: Path) -> None:
    space, _ = adventureworks.create(cases / "crm" / "adventureworks", tmp_path)
    done, off = {}, {}
    for name, step in journey.STEPS.items():
        try:
            done[name] = step(space)
        except MissingTable as reason:
            off[name] = str(reason)
    assert set(done) == {"4_territories", "5_resources", "6_evaluation"}
    assert all("orders" in reason for reason in off.values())
    assert done["4_territories"]["alignment"]["territory_id"].notna().all()
    assert set(done["5_resources"].off) == {"sizing", "quotas"}
    assert set(done["6_evaluation"].off) == {"performance", "lift"}


def test_adventureworks_as_exported_names_the_stores_that_stand_nowhere(cases: Path, tmp_path: Path) -> None:
    space, intake = adventureworks.create(cases / "crm" / "adventureworks", tmp_path)
    nowhere = intake.aside[intake.aside["reason"] == "(0, 0) lies outside the map"]
    assert (len(nowhere), len(intake.aside)) == (30, 30)
    assert space.tables["accounts"]["lon"].isna().sum() == 30
    assert intake.ledger[["rows", "used"]].to_numpy().tolist() == [[17, 17], [701, 701]]
    assert space.faults()[0] == []


def test_korean_districts_go_through_units_and_alignment() -> None:
    districts = geography.korea().set_index("unit_id")
    pairs = geography.touching(districts.reset_index())
    a, b = (districts.index.get_indexer(pairs[end]) for end in ("unit_a", "unit_b"))
    graph = coo_array((np.ones(len(pairs)), (a, b)), shape=(len(districts), len(districts)))
    piece = connected_components(graph, directed=False)[1]
    mainland = districts[piece == np.bincount(piece).argmax()]
    x_km, y_km = geography.project(mainland["lon"], mainland["lat"])
    units = pd.DataFrame(mainland[["population"]]).assign(x_km=x_km, y_km=y_km)
    inside = pairs[pairs["unit_a"].isin(units.index) & pairs["unit_b"].isin(units.index)]
    problem = Problem(units, 12, {"population": 0.1}, neighbours=inside[["unit_a", "unit_b"]], distance="euclidean")
    plan = solve(problem, seed=0, time_limit_s=20)
    assert audit(problem, plan.alignment).empty
    loads = units["population"].groupby(plan.alignment).sum()
    assert loads.between(0.9 * loads.mean(), 1.1 * loads.mean()).all()
    assert plan.bound <= plan.objective
