"""Killed at a random moment and resumed: what is left must be what an unbroken run leaves, byte for byte."""

import hashlib
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from territory_lab import geography, journey, lifecycle, sample, workspace
from territory_lab.scenarios import Scenario, save
from territory_lab.settings import Settings
from tests.benchmarks.common import show

KILLS = {"run": 70, "retrain": 65, "save": 65}
_STUCK_S = 300  # after which a resume counts as hung


class Crash(NamedTuple):
    """One kill: when, whether it met the process at work, and whether the resume gave what it should."""

    job: str
    after_s: float
    met: bool
    same: bool


def company(folder: Path) -> Path:
    """Make a workspace of the sample's three smallest territories, in which every step takes a moment."""
    tables, _ = sample.company(1_500, seed=0, orders_a_year=2.0)
    own = tables["alignment"].set_index("unit_id")["territory_id"]
    few = own.value_counts().sort_index().sort_values(kind="stable").index[:3]
    units = tables["units"][tables["units"]["unit_id"].map(own).isin(few)]
    at = geography.unit_of(tables["accounts"], units, geography.postcodes())
    accounts = tables["accounts"][at.notna()].assign(owner_id=None)
    accounts["parent_id"] = accounts["parent_id"].where(accounts["parent_id"].isin(accounts["account_id"]))
    reps = tables["reps"][tables["reps"]["territory_id"].isin(few)].assign(manager_id=None)
    kept = {"accounts": accounts, "units": units, "reps": reps, "products": tables["products"]}
    kept["orders"] = tables["orders"][tables["orders"]["account_id"].isin(accounts["account_id"])]
    kept["alignment"] = tables["alignment"][tables["alignment"]["unit_id"].isin(units["unit_id"])]
    folder.mkdir()
    for name, frame in kept.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return workspace.create(folder.with_name("space"), folder, Settings(tolerance_share=0.5)).folder


def run(folder: Path) -> None:
    """Go through the six steps, as the notebooks of `territory-lab run` do."""
    for step in journey.STEPS.values():
        step(workspace.open_workspace(folder))


def retrain(folder: Path) -> None:
    """Learn the models."""
    lifecycle.retrain(workspace.open_workspace(folder))


def keep(folder: Path) -> None:
    """Save a plan of today's and, under another name, one that differs."""
    space = workspace.open_workspace(folder)
    today = space.tables["alignment"].set_index("unit_id")["territory_id"]
    for name, plan in (("today", today), ("moved", today.shift(1, fill_value=today.iloc[-1]))):
        save(Scenario(name, plan, metrics={"units": len(plan)}, data_hash=space.data_hash), folder / "scenarios")


JOBS: dict[str, Callable[[Path], None]] = {"run": run, "retrain": retrain, "save": keep}


def crashes(job: str, kills: int, pristine: Path, seed: int = 0) -> list[Crash]:
    """Kill a job at random moments, each time in a fresh workspace, and resume it."""
    rng = np.random.default_rng([seed, *job.encode()])
    work = JOBS[job]
    with tempfile.TemporaryDirectory() as place:
        whole = Path(shutil.copytree(pristine, Path(place) / "whole"))
        work(whole)  # compiles what is compiled; the time that counts is the second one's
        shutil.rmtree(whole)
        shutil.copytree(pristine, whole)
        start = time.perf_counter()
        _wait(_start(work, whole))
        lasts, truth = time.perf_counter() - start, state(whole)
        found = []
        for number in range(kills):
            folder = Path(shutil.copytree(pristine, Path(place) / f"{number}"))
            after = float(rng.uniform(0, lasts))
            child = _start(work, folder)
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
            met = os.WIFSIGNALED(os.waitpid(child, 0)[1])
            resumed = _wait(_start(work, folder))
            found.append(Crash(job, after, met, resumed and state(folder) == truth))
            shutil.rmtree(folder)
    return found


def state(folder: Path) -> dict[str, str]:
    """Sum up every file that a person or a step can meet; locks and drafts begin with a dot."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    seen = {file.relative_to(folder): file for file in files}
    return {
        str(name): hashlib.sha256(file.read_bytes()).hexdigest()
        for name, file in seen.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def _start(work: Callable[[Path], None], folder: Path) -> int:
    """Do the work in a process of its own."""
    child = os.fork()
    if child:
        return child
    signal.alarm(_STUCK_S)
    status = 1
    try:
        work(folder)
        status = 0
    except BaseException:  # noqa: BLE001 - the end of a process
        traceback.print_exc()
    finally:
        os._exit(status)


def _wait(child: int) -> bool:
    """Whether it came to its end."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main() -> None:
    """Kill as often as is stated, and count."""
    with tempfile.TemporaryDirectory() as place:
        pristine = company(Path(place) / "tables")
        found = pd.DataFrame([crash for job, kills in KILLS.items() for crash in crashes(job, kills, pristine)])
    table = found.groupby("job", sort=False).agg(
        kills=("met", "size"), met_at_work=("met", "sum"), same=("same", "sum")
    )
    show("Killed and resumed", table.reset_index().to_dict("records"))
