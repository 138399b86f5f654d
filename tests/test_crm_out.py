"""Out to a CRM and back in: a small stand-in for Salesforce takes the load files, with its rules."""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory_lab import crm, geography, handover
from territory_lab.crm.salesforce import developer_names
from territory_lab.errors import BadInput
from territory_lab.workspace import Workspace
from tests import adventureworks, crm_exports

TABLES = {"Territory2": "0MI", "ObjectTerritory2Association": "0TU", "UserTerritory2Association": "0S7"}


class Org:
    """Salesforce's three tables: it inserts and deletes, gives ids, and holds references and unique names."""

    def __init__(self, exports: crm_exports.Exports) -> None:
        self.exports, self.given = exports, 0
        self.rows = {name: exports[name].set_index("Id", drop=False) for name in TABLES}

    def load(self, folder: Path) -> None:
        for file in sorted(folder.glob("*.csv")):
            _, name, action = file.stem.split("_")
            frame = pd.read_csv(file, dtype=str, keep_default_na=False)
            if action == "delete":
                assert frame["Id"].isin(self.rows[name].index).all()
                self.rows[name] = self.rows[name].drop(index=frame["Id"])
            else:
                self._insert(name, frame)

    def _insert(self, name: str, frame: pd.DataFrame) -> None:
        ids = [crm_exports.long_id(f"{TABLES[name]}Zz0000{self.given + at:06d}") for at in range(len(frame))]
        self.given += len(frame)
        whole = pd.concat([self.rows[name], frame.assign(Id=ids).set_index("Id", drop=False)]).fillna("")
        if name == "Territory2":
            assert whole["DeveloperName"].is_unique
            assert whole[["Territory2ModelId", "Territory2TypeId"]].ne("").all(axis=None)
        else:
            assert whole["Territory2Id"].isin(self.rows["Territory2"].index).all()
            assert not whole.duplicated([whole.columns[1], "Territory2Id"]).any()
        self.rows[name] = whole

    def export(self, folder: Path) -> Path:
        return crm_exports.write(self.exports | self.rows, folder)

    def state(self) -> dict[str, set[tuple[str, ...]]]:
        keys = {"Territory2": ["DeveloperName"], "ObjectTerritory2Association": ["ObjectId", "Territory2Id"]}
        keys["UserTerritory2Association"] = ["UserId", "Territory2Id", "RoleInTerritory2"]
        return {name: set(self.rows[name][key].itertuples(index=False, name=None)) for name, key in keys.items()}


def today_of(space: Workspace) -> pd.Series:
    return space.tables["alignment"].set_index("unit_id")["territory_id"]


@pytest.fixture
def org() -> Org:
    return Org(crm_exports.salesforce(crm_exports.company()))


def opened(org: Org, folder: Path) -> Workspace:
    return crm.create(folder / "own", org.export(folder / "export"), crm.Layout.of("salesforce"))[0]


def test_load_files_bring_the_plan_into_salesforce_and_undo_brings_today_back(org: Org, tmp_path: Path) -> None:
    space = opened(org, tmp_path)
    before = org.state()
    plan = today_of(space).copy()
    plan.iloc[[0, 3]] = plan.iloc[[3, 0]].to_numpy()
    folder, summary = handover.write(space, plan, "salesforce")
    assert summary[0] == "1_Territory2_insert.csv: 0 rows"
    org.load(folder)
    pd.testing.assert_series_equal(today_of(opened(org, tmp_path / "again")), plan)

    later = org.export(tmp_path / "later")
    handover.write(space, plan, "salesforce", later)
    org.load(folder / "undo")
    assert org.state() == before


def test_a_new_territory_is_inserted_first_and_what_needs_its_id_waits_for_it(org: Org, tmp_path: Path) -> None:
    space = opened(org, tmp_path)
    before = org.state()
    plan = today_of(space).copy()
    plan.iloc[0] = "North / Ost 1"
    folder, summary = handover.write(space, plan, "salesforce")
    assert any(line.startswith("8 rows wait for the ids of new territories") for line in summary)
    first = tmp_path / "first"
    first.mkdir()
    (folder / "1_Territory2_insert.csv").rename(first / "1_Territory2_insert.csv")
    org.load(first)
    handover.write(space, plan, "salesforce", org.export(tmp_path / "since"))
    (folder / "1_Territory2_insert.csv").unlink()
    org.load(folder)
    pd.testing.assert_series_equal(today_of(opened(org, tmp_path / "again")), plan)

    handover.write(space, plan, "salesforce", org.export(tmp_path / "later"))
    org.load(folder / "undo")
    assert org.state() == before


def test_the_files_of_successes_that_a_loader_leaves_tell_the_ids(org: Org, tmp_path: Path) -> None:
    space = opened(org, tmp_path)
    plan = today_of(space).replace("East & Cape", "North")
    folder = handover.write(space, plan, "salesforce")[0]
    inserted = pd.read_csv(folder / "1_Territory2_insert.csv", dtype=str).assign(
        ID="0MIZz0000000001AAA", STATUS="Created"
    )
    inserted.rename(columns=str.upper).to_csv(tmp_path / "success112526.csv", index=False)
    handover.write(space, plan, "salesforce", tmp_path / "success112526.csv")
    rows = pd.read_csv(folder / "3_ObjectTerritory2Association_insert.csv", dtype=str)
    assert set(rows["Territory2Id"]) == {"0MIZz0000000001AAA"}


def test_an_account_keeps_a_territory_that_lies_over_the_plan(org: Org, tmp_path: Path) -> None:
    account = org.exports["Account"]["Id"].iloc[0]
    extra = (
        org.rows["Territory2"]
        .iloc[[0]]
        .assign(Id=crm_exports.long_id("0MIAb0000009999"), Name="Key", DeveloperName="Key")
    )
    org.rows["Territory2"] = pd.concat([org.rows["Territory2"], extra.set_index("Id", drop=False)])
    org._insert("ObjectTerritory2Association", pd.DataFrame({"ObjectId": [account], "Territory2Id": extra["Id"]}))
    space = opened(org, tmp_path)
    plan = today_of(space).replace("East & Cape", "Middle <b>")
    org.load(handover.write(space, plan, "salesforce")[0])
    held = {territory for owner, territory in org.state()["ObjectTerritory2Association"] if owner == account}
    assert held == {extra["Id"].iloc[0], org.rows["Territory2"].query("Name == 'Middle <b>'")["Id"].iloc[0]}


@given(st.lists(st.text(max_size=120), max_size=8), st.lists(st.sampled_from(["T", "T_2", "a"]), max_size=2))
def test_developer_names_keep_salesforces_rules(labels: list[str], taken: list[str]) -> None:
    names = developer_names(labels, taken)
    assert set(names) == set(labels)
    folded = [name.casefold() for name in names.values()]
    assert len(set(folded) | {name.casefold() for name in taken}) == len(folded) + len({t.casefold() for t in taken})
    for name in names.values():
        assert len(name) <= 80
        assert re.fullmatch(r"[A-Za-z](_?[A-Za-z0-9])*", name)


@pytest.mark.parametrize("name", ["hubspot", "dynamics"])
@pytest.mark.parametrize("labels", [False, True])
def test_update_and_undo_read_by_the_crm_give_the_plan_and_today(name: str, labels: bool, tmp_path: Path) -> None:
    exports = crm_exports.WRITERS[name](crm_exports.company(name), labels=labels)
    space, _ = crm.create(tmp_path / "own", crm_exports.write(exports, tmp_path / "export"), crm.Layout.of(name))
    plan = today_of(space).copy()
    plan.iloc[[0, 3]] = plan.iloc[[3, 0]].to_numpy()
    folder, before = handover.write(space, plan, "csv")[0], today_of(space)
    sheet = next(sheet for sheet in exports if "compan" in sheet or "accounts" in sheet)
    for file, wanted in (("update.csv", plan), ("undo/update.csv", before)):
        update = pd.read_csv(folder / file, dtype=str)
        key = update.columns[0]
        exports[sheet] = update.set_index(key).combine_first(exports[sheet].set_index(key)).reset_index()
        later = crm_exports.write(exports, tmp_path / Path(file).parent / "later")
        again, _ = crm.create(tmp_path / Path(file).parent / "again", later, crm.Layout.of(name))
        pd.testing.assert_series_equal(today_of(again), wanted)


def test_the_update_table_brings_a_plan_into_adventureworks(cases: Path, tmp_path: Path) -> None:
    space, _ = adventureworks.create(cases / "crm" / "adventureworks", tmp_path)
    plan = today_of(space).copy()
    plan.iloc[[0, -1]] = plan.iloc[[-1, 0]].to_numpy()
    update = pd.read_csv(handover.write(space, plan, "csv")[0] / "update.csv", dtype=str).set_index("BusinessEntityID")
    file = tmp_path / "export" / "Store.csv"
    stores = pd.read_csv(file, dtype=str).set_index("BusinessEntityID")
    stores.update(update)
    stores.to_csv(file)
    again = crm.read(tmp_path / "export", crm.Layout.load(tmp_path / "mapping.toml")).tables["alignment"]
    assert dict(again.to_numpy()) == plan.to_dict()


def test_the_calendar_says_on_which_day_who_takes_over(org: Org, tmp_path: Path) -> None:
    space = opened(org, tmp_path)
    plan = today_of(space).copy()
    plan.iloc[[0, 3]] = plan.iloc[[3, 0]].to_numpy()  # one county of 8 accounts each way
    text = "territory_id,effective_date\nMiddle <b>,2026-01-15\n"
    (space.folder / "effective.csv").write_text(text, encoding="utf-8")
    folder, summary = handover.write(space, plan, "csv", effective=dt.date(2026, 2, 1))
    told = pd.read_csv(folder / "calendar.csv").to_numpy().tolist()
    assert told == [["2026-01-15", "Middle <b>", 8, 8], ["2026-02-01", "East & Cape", 8, 8]]
    assert summary[-1] == "calendar.csv: 2 territories change, the first on 2026-01-15"
    assert handover.calendar(space, plan)["territory_id"].tolist() == ["Middle <b>"]
    (space.folder / "effective.csv").write_text(text + "Nowhere,2026-01-15\nMiddle <b>,soon\n", encoding="utf-8")
    with pytest.raises(BadInput, match="2 fault"):
        handover.calendar(space, plan)


def test_geojson_and_kml_hold_each_territory_with_its_name_and_area(org: Org, tmp_path: Path) -> None:
    space = opened(org, tmp_path)
    plan = today_of(space)
    read = gpd.read_file(handover.write(space, plan, "geojson")[0] / "territories.geojson").set_index("territory_id")
    counties = geography.counties().set_index("unit_id").loc[plan.index]
    flat = counties.to_crs("EPSG:5070").area.groupby(plan).sum()
    assert read.to_crs("EPSG:5070").area.sort_index().to_numpy() == pytest.approx(
        flat.sort_index().to_numpy(), rel=1e-6
    )
    assert read["reps"].to_dict() == {"East & Cape": "Ann Lee", "Middle <b>": "Ben Okoye", "West, Río": "Zoë Müller"}
    kml = ET.parse(handover.write(space, plan, "kml")[0] / "territories.kml")  # noqa: S314 - our own file
    names = {tag.text for tag in kml.iter("{http://www.opengis.net/kml/2.2}name")}
    assert set(plan) <= names
