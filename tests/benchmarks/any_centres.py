"""How near the best possible plan a rounded plan is proven to be, wherever centres may stand."""

import resource
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from territory_lab.alignment import Problem, solve
from territory_lab.alignment.any_centres import any_centres
from territory_lab.alignment.centres import Centres

JOBS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "alignment" / "jobs"
SIZES = {"S": 12, "A": 50, "B": 500}
SECONDS = {"S": 60.0, "A": 60.0, "B": 180.0}


def problem_of(job: str, power: int) -> Problem:
    """Read a job: contiguous territories within 5 %, centres at units."""
    units = pd.read_parquet(JOBS / f"job{job}_units.parquet").rename_axis("unit_id")
    units.index = units.index.astype(str)
    edges = pd.read_parquet(JOBS / f"job{job}_edges.parquet")[["a", "b"]].astype(str)
    return Problem(units, SIZES[job], {"w": 0.05}, neighbours=edges, distance="euclidean", power=power)


def measured(work: Callable[[], object]) -> tuple:
    """Give a result and the CPU seconds it took."""
    start = time.process_time()
    return work(), time.process_time() - start


def bench(job: str, power: int) -> dict[str, object]:
    """Plan, then bound, within the seconds of the job."""
    problem, deadline = problem_of(job, power), time.monotonic() + SECONDS[job]
    plan, plan_s = measured(lambda: solve(problem, time_limit_s=SECONDS[job]))
    site = problem.unit_ids.get_indexer(plan.territories["site"])
    centres, assign = Centres(problem.arrays.points[site], site), problem.codes(plan.alignment)
    bound, bound_s = measured(lambda: any_centres(problem, centres, assign, deadline=deadline))
    load = problem.units["w"].sum()
    return {
        "job": job,
        "power": power,
        "objective": plan.objective / load,
        "fractional": plan.bound / load,
        "bound": bound / load,
        "gap_%": 100 * (plan.objective / bound - 1),
        "fractional_gap_%": 100 * (plan.bound / bound - 1),
        "plan_cpu_s": plan_s,
        "bound_cpu_s": bound_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(jobs: str = "SAB") -> None:
    """Warm up, measure, print the table; per unit of load, in km ** power; ``fractional`` is for the plan's centres."""
    bench("S", 1)
    table = pd.DataFrame([bench(job, power) for job in jobs for power in (1, 2)])
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
