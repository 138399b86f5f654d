from pathlib import Path

import pandas as pd
import pytest

from territory_lab import workspace
from territory_lab.errors import BadInput, MissingTable, TerritoryLabError
from territory_lab.settings import Settings


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "accounts.csv").write_text("account_id,name,postcode\n1,Acme,02139\n", encoding="utf-8")
    pd.DataFrame({"rep_id": ["r1"], "name": ["Ann"], "lon": [-71.0]}).to_parquet(folder / "reps.parquet")
    return folder


def test_a_new_workspace_holds_tables_settings_and_notebooks(tmp_path: Path, export: Path) -> None:
    space = workspace.create(tmp_path / "own", export)
    assert set(space.tables) == {"accounts", "reps"}
    assert space.tables["accounts"]["postcode"].tolist() == ["02139"]
    assert space.settings == Settings(name="own")
    assert (space.folder / "notebooks").is_dir()


def test_without_tables_it_holds_a_template_of_each(tmp_path: Path) -> None:
    space = workspace.create(tmp_path / "own")
    assert (space.folder / "reps.csv").read_text(encoding="utf-8").startswith("rep_id,name,manager_id,territory_id")
    faults, _ = space.faults()
    assert [fault.problem for fault in faults] == ["the table is missing"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path, export: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(TerritoryLabError, match="nothing was changed"):
        workspace.create(tmp_path / "own", export)
    assert [file.name for file in (tmp_path / "own").iterdir()] == ["mine.txt"]


def test_a_missing_table_is_named_with_the_step_it_switches_off(export: Path) -> None:
    space = workspace.open_workspace(export)
    assert "orders" in space.missing
    with pytest.raises(MissingTable, match=r"propensity.*orders"):
        space.need("accounts", "orders", step="propensity")


def test_the_nearest_workspace_above_is_opened(tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = workspace.create(tmp_path / "own", export)
    monkeypatch.chdir(space.folder / "notebooks")
    assert workspace.open_workspace().folder == space.folder
    monkeypatch.chdir(export)
    with pytest.raises(TerritoryLabError, match="territory-lab demo"):
        workspace.open_workspace()


def test_the_data_hash_changes_with_any_table_and_any_setting(export: Path) -> None:
    def digest() -> str:
        return workspace.open_workspace(export).data_hash

    first = digest()
    (export / "workspace.toml").write_text("seed = 1\n", encoding="utf-8")
    second = digest()
    (export / "accounts.csv").write_text("account_id,name\n1,Acme\n", encoding="utf-8")
    assert len({first, second, digest()}) == 3


def test_settings_name_every_fault(export: Path) -> None:
    (export / "workspace.toml").write_text('colour = 1\nseed = "x"\nbounds = [1.0]\n', encoding="utf-8")
    with pytest.raises(BadInput) as error:
        _ = workspace.open_workspace(export).settings
    assert [fault.column for fault in error.value.faults] == ["colour", "seed", "bounds"]


def test_one_table_in_two_formats_is_a_fault(export: Path) -> None:
    (export / "reps.csv").write_text("rep_id,name\n", encoding="utf-8")
    with pytest.raises(BadInput, match="CSV and as Parquet"):
        _ = workspace.open_workspace(export).tables


def test_a_failure_while_writing_leaves_the_old_result_whole(tmp_path: Path) -> None:
    target = tmp_path / "results" / "icp"
    workspace.write_frames(target, {"profile": pd.DataFrame({"a": [1]})}, {"n": 1})
    with pytest.raises(TypeError, match="JSON"):
        workspace.write_frames(target, {"profile": pd.DataFrame({"a": [2]})}, {"n": object()})
    assert pd.read_parquet(target / "profile.parquet")["a"].tolist() == [1]
    assert {path.name for path in target.parent.iterdir()} == {"icp", ".lock"}
