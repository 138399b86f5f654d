"""How near the best possible plan a plan is proven to be, wherever centres may stand."""

from collections.abc import Iterator

from territory_lab.alignment import solve
from tests.benchmarks.common import measured, peak_mb, problem_of, proof, show

SECONDS = {"A": 60.0, "B": 180.0}


def rows() -> Iterator[dict[str, object]]:
    """Plan and bound within the seconds of the job; objective and bound per unit of load, in km ** power."""
    for job, power in [("A", 1), ("A", 2), ("B", 1), ("B", 2)]:
        problem = problem_of(job, sites="units", power=power)
        limit = SECONDS[job]
        plan, cpu_s = measured(
            lambda: solve(problem, time_limit_s=limit, bound_scope="any centres")  # noqa: B023 - called at once
        )
        load = problem.units["w"].sum()
        found = {"objective": plan.objective / load, "bound": plan.bound / load, **proof(plan)}
        yield {"job": job, "power": power, "limit_s": limit, "cpu_s": cpu_s, **found, "peak_mb": peak_mb()}


def main() -> None:
    """Print the table."""
    show("Bound for any centres (centres at units)", rows())
