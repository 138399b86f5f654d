"""How near the best possible plan a plan is proven to be, wherever centres may stand."""

from collections.abc import Iterator

from territory_lab.alignment import solve
from tests.benchmarks.common import measured, peak_mb, problem_of, proof, show

SECONDS = {"A": 60.0, "B": 180.0}


def rows(job: str) -> Iterator[dict[str, object]]:
    """Plan and bound within the seconds of the job; objective and bound per unit of load, in km ** power."""
    for power in (1, 2):
        problem = problem_of(job, sites="units", power=power)
        limit = SECONDS[job]
        plan, cpu_s = measured(
            lambda: solve(problem, time_limit_s=limit, bound_scope="any centres")  # noqa: B023 - called at once
        )
        load = problem.units["w"].sum()
        found = {"objective": plan.objective / load, "bound": plan.bound / load, **proof(plan)}
        yield {"job": job, "power": power, "limit_s": limit, "cpu_s": cpu_s, **found, "peak_mb": peak_mb()}


def main() -> None:
    """Print a table for each job."""
    for job in SECONDS:
        show(f"Bound for any centres (centres at units), job {job}", rows(job))
