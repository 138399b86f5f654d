import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from territory_lab import crm, schema, shipped
from territory_lab.cli import app
from tests import crm_exports

MESSY = Path(__file__).resolve().parents[1] / "data" / "sample_messy"


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output + (str(result.exception) if result.exception else "")


def test_check_names_every_planted_fault_of_the_messy_export_and_fails() -> None:
    code, output = run("check", MESSY)
    planted = json.loads((MESSY / "truth.json").read_text(encoding="utf-8"))["planted_faults"]
    assert code == 1
    for fault in planted:
        assert f"{fault['table']}.{fault['column']} [{fault['row']}]" in output


def test_check_passes_the_clean_sample() -> None:
    code, output = run("check", shipped.data("sample"))
    assert (code, "fault:" in output) == (0, False)


def test_check_says_what_each_missing_table_switches_off(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,name\n1,Acme\n", encoding="utf-8")
    code, output = run("check", tmp_path)
    assert code == 0
    assert {line.split(":")[0] for line in output.splitlines() if line.startswith("without")} == {
        f"without {name}" for name in schema.TABLES if name != "accounts"
    }


def test_new_makes_a_workspace_that_check_then_passes(tmp_path: Path) -> None:
    assert run("new", tmp_path / "own", "--sample")[0] == 0
    assert run("check", tmp_path / "own")[0] == 0
    assert (tmp_path / "own" / "notebooks" / "1_icp.ipynb").is_file()


def test_a_crm_export_goes_in_is_checked_and_comes_out_again(tmp_path: Path) -> None:
    exports = crm_exports.salesforce(crm_exports.company())
    del exports["OpportunityLineItem"]  # too few orders to learn from
    crm_exports.write(exports, tmp_path / "friday")
    mapping = replace(crm.Layout.of("salesforce"), units_by=["postcode"])
    (tmp_path / "mapping.toml").write_text(mapping.to_toml(), encoding="utf-8")
    own = tmp_path / "own"
    code, output = run("new", own, tmp_path / "friday", "--from", "salesforce", "--mapping", tmp_path / "mapping.toml")
    assert code == 0
    assert "BillingPostalCode" in output
    assert run("check", own)[0] == 0
    for target in ("csv", "salesforce", "geojson", "kml"):
        code, output = run("export", own, "--to", target)
        assert (code, (own / "exports" / target).is_dir()) == (0, True)
    assert run("new", tmp_path / "other", "--from", "salesforce")[1].endswith("--from salesforce PATH")


@pytest.mark.parametrize("command", ["check", "run", "export", "lab", "retrain", "score", "models"])
def test_a_folder_that_is_not_there_is_named_in_words(command: str, tmp_path: Path) -> None:
    code, output = run(command, tmp_path / "nowhere")
    assert code == 1
    assert "nowhere is not a folder" in output


def test_demo_leaves_a_folder_with_other_data_alone(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,name\n1,Acme\n", encoding="utf-8")
    code, output = run("demo", tmp_path, "--reports", tmp_path / "reports")
    assert code == 1
    assert "holds other data" in output
    assert [path.name for path in tmp_path.iterdir()] == ["accounts.csv"]
