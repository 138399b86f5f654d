"""Ten million accounts and a hundred million orders through `territory-lab run`: from tables to reports, in parts."""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from territory_lab import sample, workspace
from tests.benchmarks.common import show

SIZES = (2_000_000, 10_000_000)
ORDERS_A_YEAR = 14.6  # ten orders to an account in three years
STEPS = {"deal": "parts", "learn": "learning", "score": "scored", "align": "territories"}


def held_gb(root: psutil.Process) -> float:
    """Sum the memory of a process and all it started, what they share counted once."""
    held = 0
    for process in (root, *root.children(recursive=True)):
        try:
            held += process.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return held / 1e9


def ran(folder: Path, *options: str) -> dict[str, Any]:
    """Run a workspace through, watching its memory; say when each step was done."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    command = [Path(sys.executable).with_name("territory-lab"), "run", folder, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:  # noqa: S603 - ours
        peak, root = 0.0, psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, held_gb(root))
            time.sleep(2)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = {name: (folder / "results" / step / "facts.json").stat().st_mtime - start for name, step in STEPS.items()}
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        **{f"{name}_by_s": seconds for name, seconds in done.items()},
        "wall_s": time.time() - start,
        "CPU_s": cpu_s,
        "peak_GB": peak,
        "status": running.returncode,
    }


def main() -> None:
    """Print one row a size."""
    rows = []
    for size in SIZES:
        with TemporaryDirectory() as place:
            counts = sample.write_large(Path(place) / "tables", size, orders_a_year=ORDERS_A_YEAR)
            space = workspace.create(Path(place) / "company", Path(place) / "tables")
            rows.append({"accounts": size, "orders": counts["orders"], **ran(space.folder, "--dask", "local")})
    show("A large company, from tables to reports, a worker on each core", rows)
