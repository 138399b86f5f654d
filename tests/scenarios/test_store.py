"""Scenarios survive two writers and a killed one, give the same bytes again, and compare side by side."""

import datetime as dt
import multiprocessing as mp
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.scenarios import Scenario, compare, load, names, remark, remarks, revised, save

KILLED_AT_ITS_NTH_STEP = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from territory_lab.scenarios import load, save
folder, left = Path(sys.argv[1]), int(sys.argv[2])
plan = replace(load(folder, "west"), note="never finished")

def step(event, arguments):
    global left
    if event in ("open", "os.mkdir", "os.rename") and ".draft-" in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

sys.addaudithook(step)
save(plan, folder)
"""


def alignment(*territories: str) -> pd.Series:
    index = pd.Index([f"u{row}" for row in range(len(territories))], name="unit_id", dtype="str")
    return pd.Series(territories, index=index, name="territory_id", dtype="str")


def west(**changes: object) -> Scenario:
    plan = Scenario(
        name="west",
        alignment=alignment("a", "b", "b"),
        settings={"balance": {"workload_h": 0.1}, "homes": ["x", "y"], "on": dt.date(2026, 7, 1)},
        metrics={"lift": {"value": 0.02}, "mean_km": 120.5},
        data_hash="abc",
        seed=3,
        author="An",
        note="Ünï, because",
        effective=dt.date(2026, 10, 1),
    )
    return replace(plan, **changes)


def test_a_scenario_comes_back_as_it_was_saved(tmp_path):
    save(west(), tmp_path)
    back = load(tmp_path, "west")
    pd.testing.assert_series_equal(back.alignment, west().alignment)
    for name in ("name", "settings", "metrics", "data_hash", "seed", "author", "note", "status", "effective"):
        assert getattr(back, name) == getattr(west(), name)
    assert names(tmp_path) == ["west"]


def test_the_same_again_makes_no_new_version_and_another_does(tmp_path):
    first = save(west(), tmp_path)
    content = {file.name: file.read_bytes() for file in first.iterdir()}
    assert save(west(), tmp_path) == first
    assert content == {file.name: file.read_bytes() for file in first.iterdir()}
    second = save(west(status="approved"), tmp_path)
    assert (first.name, second.name) == ("0001", "0002")
    assert load(tmp_path, "west").status == "approved"
    assert load(tmp_path, "west", 1).status == "draft"


def save_twenty(folder: Path, author: str) -> None:
    for count in range(20):
        save(west(author=author, seed=count), folder)


def test_two_processes_that_save_at_the_same_time_lose_nothing(tmp_path):
    context = mp.get_context("spawn")
    writers = [context.Process(target=save_twenty, args=(tmp_path, author)) for author in ("An", "Bo")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    kept = [load(tmp_path, "west", number) for number in range(1, 41)]
    assert {(one.author, one.seed) for one in kept} == {(who, count) for who in ("An", "Bo") for count in range(20)}


def test_a_writer_killed_at_any_step_of_a_save_leaves_the_old_scenario_whole(tmp_path):
    save(west(), tmp_path)
    before = {file.name: file.read_bytes() for file in (tmp_path / "west" / "0001").iterdir()}
    notes = []
    for step in range(1, 30):
        command = [sys.executable, "-c", KILLED_AT_ITS_NTH_STEP, str(tmp_path), str(step)]
        ended = subprocess.run(command, check=False).returncode  # noqa: S603 - our own text above
        assert before == {file.name: file.read_bytes() for file in (tmp_path / "west" / "0001").iterdir()}
        latest = load(tmp_path, "west")
        pd.testing.assert_series_equal(latest.alignment, west().alignment)
        notes.append(latest.note)
        if latest.note == "never finished" or ended == 0:
            break
    assert notes == [west().note] * (len(notes) - 1) + ["never finished"]
    assert len(notes) > 5
    assert names(tmp_path) == ["west"]


def test_scenarios_lie_side_by_side_with_what_differs():
    east = west(name="east", alignment=alignment("a", "a", "b"), settings={"balance": {"workload_h": 0.2}, "homes": []})
    table = compare([west(), east], data_hash="abd")
    assert table.loc[("settings", "balance.workload_h")].tolist() == [0.1, 0.2]
    assert table.loc[("metrics", "lift.value")].tolist() == [0.02, 0.02]
    assert table.loc[("moved", "units_share")].tolist() == [0, pytest.approx(1 / 3)]
    assert table.loc[("about", "data")].tolist() == ["changed since"] * 2
    assert ("settings", "homes") not in table.index
    assert list(table.index.get_level_values(0).unique()) == ["about", "settings", "metrics", "moved"]


def test_changed_data_is_said():
    assert not west().data_note("abc")
    assert "older data" in west().data_note("abd")


def test_bad_scenarios_are_refused_by_name(tmp_path):
    with pytest.raises(BadInput) as raised:
        Scenario("../x", alignment("a"), status="done")
    assert len(raised.value.faults) == 2
    with pytest.raises(BadInput, match="none"):
        load(tmp_path, "west")
    with pytest.raises(BadInput, match="set"):
        save(west(metrics={"bad": {1, 2}}), tmp_path)
    with pytest.raises(BadInput, match="west, version 7"):
        load(tmp_path, save(west(), tmp_path).parent.name, 7)


def test_review_keeps_every_remark_and_takes_rejected_moves_back(tmp_path):
    save(west(), tmp_path)
    said = {"author": "Bo", "when": dt.datetime(2026, 7, 2, tzinfo=dt.UTC)}
    remark(tmp_path, "west", text="Too far.", territory_id="b", **said)
    remark(tmp_path, "west", text="Old customer.", unit_id="u1", decision="rejected", **said)
    remark(tmp_path, "west", text="Agreed.", unit_id="u2", decision="rejected", **said)
    later = said | {"when": dt.datetime(2026, 7, 3, tzinfo=dt.UTC)}
    remark(tmp_path, "west", text="On second thought.", unit_id="u2", decision="accepted", **later)
    table = remarks(tmp_path, "west")
    assert len(table) == 4
    plan = revised(load(tmp_path, "west"), alignment("a", "a", "a"), table)
    assert plan.alignment.tolist() == ["a", "a", "b"]
    assert names(tmp_path) == ["west"]
    with pytest.raises(BadInput) as raised:
        remark(tmp_path, "west", text="", unit_id="u1", decision="rejected", **said)
    assert len(raised.value.faults) == 1
