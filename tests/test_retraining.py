"""The life of a company's models, through the three commands: retrain, score, models."""

import dataclasses
import json
import shutil
import socket
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from territory_lab import lifecycle, shipped, workspace
from territory_lab.cli import app
from territory_lab.errors import BadInput
from territory_lab.propensity import Learned
from territory_lab.propensity.evidence import Verdict
from territory_lab.propensity.metrics import Interval
from territory_lab.registry import Shelf, version_name

EARLIER = pd.Timestamp("2026-03-15")
DATES = {"orders": "order_date", "calls": "call_date", "opportunities": "created_date"}
pytestmark = pytest.mark.filterwarnings("ignore:.*levels unseen.*", "ignore:.*most values lie outside.*")


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.output + (str(result.exception) if result.exception else "")


def fill(folder: Path, before: pd.Timestamp | None = None) -> Path:
    """Write the tables of every sixth account of the sample company, one of them named like a formula."""
    folder.mkdir(exist_ok=True)
    sample = workspace.open_workspace(shipped.data("sample")).tables
    accounts = sample["accounts"].iloc[::6].reset_index(drop=True)
    accounts["name"] = accounts["name"].where(accounts.index != accounts.index[-1], "x").map(lambda name: f"={name}")
    accounts.drop(columns="parent_id", errors="ignore").to_parquet(folder / "accounts.parquet")
    sample["products"].to_parquet(folder / "products.parquet")
    for name, date in DATES.items():
        rows = sample[name][sample[name]["account_id"].isin(accounts["account_id"])]
        rows[rows[date] < (before or rows[date].max() + pd.Timedelta(days=1))].to_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace whose first models were learnt in March."""
    folder = fill(tmp_path_factory.mktemp("company") / "own", EARLIER)
    lifecycle.retrain(workspace.open_workspace(folder))
    return folder


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "own"))


def last_day(folder: Path) -> pd.Timestamp:
    """Return the day of the last thing that happened."""
    return max(pd.read_parquet(folder / f"{name}.parquet")[date].max() for name, date in DATES.items())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def champion(folder: Path, kind: str = "upsell") -> str | None:
    return Shelf(folder / "models", kind).champion


def test_the_first_models_serve_and_are_named_by_the_data(own: Path) -> None:
    stated = workspace.open_workspace(own)
    for kind in ("upsell", "cross_sell"):
        name = champion(own, kind)
        assert name is not None
        assert name.startswith(f"{last_day(own):%Y-%m-%d}-")
        about = Learned.load(own / "models" / kind / name).model.notes_["about"]
        assert about == {"data_hash": stated.data_hash}


def test_the_same_data_gives_the_same_bytes_without_a_network(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        pytest.fail("the network was asked for")

    monkeypatch.setattr(socket, "socket", no_network)
    code, output = run("retrain", fill(tmp_path / "twin", EARLIER))
    assert (code, "the first of its kind" in output) == (0, True)
    assert contents(tmp_path / "twin" / "models") == contents(trained / "models")


def test_training_again_on_the_same_data_changes_nothing(own: Path) -> None:
    before = contents(own)
    code, output = run("retrain", own)
    assert (code, output.count("nothing has changed since it was learnt")) == (0, 2)
    assert contents(own) == before


def test_training_goes_on_where_it_was_interrupted(own: Path) -> None:
    before = contents(own)
    shutil.rmtree(own / "models" / "cross_sell")
    assert run("retrain", own)[0] == 0
    assert contents(own) == before


def test_the_scored_file_says_whose_scores_they_are_and_how_long_they_hold(own: Path) -> None:
    as_of = last_day(own) + pd.Timedelta(days=1)
    until = f"{as_of + pd.Timedelta(days=90):%Y-%m-%d}"
    code, output = run("score", own)
    assert code == 0, output
    assert f"valid until {until}" in output
    table = pd.read_csv(own / "results" / "scores.csv", dtype={"product_id": "str"})
    assert set(table["as_of"]) == {f"{as_of:%Y-%m-%d}"}
    assert set(table["valid_until"]) == {until}
    assert dict(table.groupby("kind")["model"].first()) == {k: champion(own, k) for k in ("upsell", "cross_sell")}
    assert table["account"].str.startswith("'=").all()
    assert table["probability"].between(0, 1).all()
    assert table["expected_revenue"].is_monotonic_decreasing
    before = (own / "results" / "scores.csv").read_bytes()
    run("score", own)
    assert (own / "results" / "scores.csv").read_bytes() == before


def test_a_weak_champion_is_replaced_and_can_be_rolled_back_to(own: Path) -> None:
    shelf = Shelf(own / "models", "cross_sell")
    strong = Learned.load(shelf.there(str(shelf.champion)))
    strong.model.verdict_ = Verdict(Interval(0.5, 0.4, 0.6))  # no signal: everybody gets the base rate
    weak = version_name(pd.Timestamp("2025-12-01"), "0" * 64)
    dataclasses.replace(strong, as_of=pd.Timestamp("2025-12-02")).save(shelf.place(weak))
    (shelf.folder / "champion.json").unlink()
    shelf.promote(weak)
    code, output = run("retrain", own)
    assert code == 0, output
    assert "promote; profit +" in output
    name = str(shelf.champion)
    assert name.startswith(f"{last_day(own):%Y-%m-%d}")
    assert run("models", own, "rollback", "cross_sell") == (0, f"cross_sell: {weak} serves again\n")
    assert "only a person promotes it again" in run("retrain", own)[1]
    assert shelf.champion == weak
    assert run("models", own, "promote", "cross_sell", name)[0] == 0
    assert (shelf.champion, shelf.withdrawn) == (name, [])


def test_new_data_makes_a_challenger_that_must_earn_its_place(own: Path) -> None:
    before, days = champion(own), [last_day(own)]
    fill(own)
    days.append(last_day(own))
    code, output = run("retrain", own)
    assert code == 0, output
    assert "leans to the champion" not in output  # 90 days of outcomes lie after what it learnt
    versions = Shelf(own / "models", "upsell").versions
    assert [name[:10] for name in versions] == [f"{day:%Y-%m-%d}" for day in days]
    line = next(line for line in output.splitlines() if line.startswith("upsell"))
    assert champion(own) == (versions[1] if ": promote" in line else before)
    listing = run("models", own)[1]
    assert all(name in listing for name in versions)
    code, output = run("models", own, "compare", "upsell", versions[1])
    assert (code, "leans to the challenger, which had seen 90 days" in output) == (0, champion(own) == before)
    code, output = run("score", own)
    assert (code, f"as of {days[1] + pd.Timedelta(days=1):%Y-%m-%d}" in output) == (0, True)


def test_a_champion_whose_folder_was_changed_scores_nobody(own: Path) -> None:
    name = champion(own)
    file = own / "models" / "upsell" / str(name) / "encoder.json"
    file.write_bytes(file.read_bytes().replace(b"0", b"1", 1))
    code, output = run("score", own)
    assert code == 1
    assert f"{name}.encoder.json: was changed since it was saved" in output
    assert not (own / "results").exists()
    assert run("models", own, "promote", "upsell", name)[0] == 1


def test_a_column_that_a_champion_needs_is_named_when_it_is_gone(own: Path) -> None:
    accounts = pd.read_parquet(own / "accounts.parquet").drop(columns="employees")
    accounts.to_parquet(own / "accounts.parquet")
    code, output = run("score", own)
    assert code == 1
    assert "log_employees: the column is missing" in output


@pytest.mark.parametrize(
    ("kind", "version"), [("../results", "x"), ("upsell", "../../x"), ("upsell", "2026-01-01-00000000")]
)
def test_no_word_of_the_command_line_becomes_a_path(own: Path, kind: str, version: str) -> None:
    code, output = run("models", own, "promote", kind, version)
    assert code == 1
    assert "models." in output


def test_without_models_there_are_no_scores_but_words(tmp_path: Path) -> None:
    fill(tmp_path / "new", EARLIER)
    code, output = run("score", tmp_path / "new")
    assert (code, "has no models yet; run `territory-lab retrain" in output) == (1, True)
    assert run("models", tmp_path / "new") == (0, "no models yet\n")


def test_a_damaged_pointer_is_named(own: Path) -> None:
    pointer = own / "models" / "upsell" / "champion.json"
    for text in (
        "{",
        '{"reigns": 3, "withdrawn": []}',
        json.dumps({"reigns": ["2020-01-01-00000000"], "withdrawn": []}),
    ):
        pointer.write_text(text, encoding="utf-8")
        with pytest.raises(BadInput, match=r"upsell/champion\.json"):
            _ = Shelf(own / "models", "upsell").champion


def test_there_is_no_way_back_from_the_first(own: Path) -> None:
    code, output = run("models", own, "rollback", "upsell")
    assert (code, "no champion before" in output) == (1, True)
    assert champion(own) is not None
