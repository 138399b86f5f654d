"""What can go wrong on a machine: full disks, kills, two writers, read-only folders, clocks, damaged files."""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from territory_lab import cli, files, results, workspace
from territory_lab.errors import BadInput
from territory_lab.files import alone, writing
from territory_lab.results import Result, kept
from territory_lab.scenarios import Scenario, load, save
from territory_lab.workspace import Workspace
from tests.benchmarks import crash

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # of fork, in Python 3.12
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "accounts.csv").write_text("account_id,name\n1,Acme\n", encoding="utf-8")
    return workspace.create(tmp_path / "own", tmp_path / "tables")


@pytest.fixture
def count(space: Workspace) -> Callable[[], tuple[int, Result]]:
    """Return a step that tells how often it was computed so far."""
    computed = []

    @kept
    def step(_: Workspace) -> Result:
        computed.append(1)
        return Result({"frame": pd.DataFrame({"a": [1.5, 2.5]})}, {"b": 3})

    return lambda: (len(computed), step(workspace.open_workspace(space.folder)))[::-1]


def in_child(work: Callable[[], None]) -> int:
    child = FORK.Process(target=work)
    child.start()
    child.join(60)
    return child.exitcode


@pytest.mark.parametrize("name", ["frame.parquet", "facts.json"])
def test_a_damaged_result_is_computed_again(space: Workspace, count: Callable, name: str) -> None:
    first, _ = count()
    file = space.result("step") / name
    whole = file.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 9)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        result, _ = count()
        pd.testing.assert_frame_equal(result["frame"], first["frame"])
        assert file.read_bytes() == whole
    file.write_bytes(whole[:-20])
    pd.testing.assert_frame_equal(count()[0]["frame"], first["frame"])
    file.unlink()
    pd.testing.assert_frame_equal(count()[0]["frame"], first["frame"])


def test_no_clock_makes_a_result_old_or_new(space: Workspace, count: Callable) -> None:
    count()
    for moment in (0, 2**31, time.time() + 10**8):
        for file in space.folder.rglob("*"):
            os.utime(file, (moment, moment))
        count()
    assert count()[1] == 1
    (space.folder / "accounts.csv").write_text("account_id,name\n1,Bolt\n", encoding="utf-8")
    os.utime(space.folder / "accounts.csv", (0, 0))
    count()
    assert count()[1] == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_damaged_table_is_named(space: Workspace, suffix: str) -> None:
    (space.folder / "accounts.csv").unlink()
    (space.folder / f"accounts.{suffix}").write_bytes(b"PAR1\xff\xfe\x00 damaged PAR1")
    with pytest.raises(BadInput, match="accounts: cannot be read"):
        _ = workspace.open_workspace(space.folder).tables


@pytest.mark.parametrize("name", ["scenario.toml", "alignment.parquet", "metrics.json"])
def test_a_damaged_scenario_is_named(tmp_path: Path, name: str) -> None:
    version = save(Scenario("plan", pd.Series({"u": "t"}, name="territory_id")), tmp_path)
    (version / name).write_bytes((version / name).read_bytes()[:-9] + b"\xff")
    with pytest.raises(BadInput, match=r"scenario \[plan, version 1\]: is damaged"):
        load(tmp_path, "plan")


def test_a_full_disk_leaves_what_was_there_and_is_said(tmp_path: Path) -> None:
    with writing(tmp_path / "out") as draft:
        (draft / "a").write_text("old", encoding="utf-8")

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        frame = pd.DataFrame({"a": range(100_000)})
        for write in (
            lambda: workspace.write_frames(tmp_path / "out", {"frame": frame}, {}),
            lambda: files.write_csv(tmp_path / "table.csv", frame),
        ):
            try:
                write()
            except OSError as error:
                assert error.errno == errno.EFBIG or "too large" in str(error)  # noqa: PT017 - in a child
            else:
                os._exit(3)

    assert in_child(fill) == 0
    assert {file.name for file in tmp_path.rglob("*")} == {".lock", "out", "a"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("read-only")
    for above in folder.parents[:2]:
        above.chmod(0o755)
    folder.chmod(0o555)

    def write() -> None:
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        with pytest.raises(PermissionError) as error, writing(folder / "out"):
            pass
        assert str(folder) in str(error.value.filename)

    assert in_child(write) == 0


def held(folder: Path) -> Iterator[subprocess.Popen]:
    """Let another process hold a folder until it is killed."""
    code = "import sys, time\nfrom pathlib import Path\nfrom territory_lab.files import alone\n"
    code += "with alone(Path(sys.argv[1])):\n print('held', flush=True)\n time.sleep(60)\n"
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"held\n"
    return process


def test_one_writer_at_a_time_and_a_killed_one_holds_nobody_up(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with held(space.folder) as other:
        with pytest.raises(TimeoutError, match="another program is writing here"), alone(space.folder, patience_s=0):
            pass
        monkeypatch.setattr(sys, "argv", ["territory-lab", "run", str(space.folder)])
        with pytest.raises(SystemExit, match="1"):
            cli.main()
        assert "another program is writing here; nothing is half written" in capsys.readouterr().err
        other.kill()
        other.wait()
        with alone(space.folder, patience_s=5):
            pass


def test_two_writers_leave_one_whole_result_and_every_scenario(tmp_path: Path) -> None:
    def write(mark: int) -> None:
        for turn in range(20):
            frames = {"a": pd.DataFrame({"x": [mark]}), "b": pd.DataFrame({"x": [mark]})}
            workspace.write_frames(
                tmp_path / "out", frames, {"stamp": "s", "facts": {}, "off": {}, "frames": ["a", "b"]}
            )
            save(Scenario("plan", pd.Series({"u": f"{mark}-{turn}"}, name="territory_id")), tmp_path / "scenarios")

    writers = [FORK.Process(target=write, args=(mark,)) for mark in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    result = results._read(tmp_path / "out", "s")
    assert result["a"].equals(result["b"])
    kept_ = {load(tmp_path / "scenarios", "plan", number).alignment["u"] for number in range(1, 41)}
    assert kept_ == {f"{mark}-{turn}" for mark in (1, 2) for turn in range(20)}


def test_what_a_killed_writer_had_moved_aside_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".out-abcd1234" / "old").mkdir(parents=True)
    (tmp_path / ".out-abcd1234" / "old" / "a").write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), writing(tmp_path / "out"):
        raise RuntimeError
    assert (tmp_path / "out" / "a").read_text(encoding="utf-8") == "old"
    assert {file.name for file in tmp_path.iterdir()} == {".lock", "out"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("job", crash.JOBS)
def test_killed_at_random_and_resumed_the_results_are_the_same(job: str, tmp_path: Path) -> None:
    pristine = crash.company(tmp_path / "tables")
    assert all(found.same for found in crash.crashes(job, 2, pristine, seed=1))
