"""Fixed homes: a little beside the best places, as where people live."""

from collections.abc import Iterator

import numpy as np

from territory_lab.alignment import Problem, solve
from tests.benchmarks.common import measured, problem_of, proof, show

SEEDS = {"A": range(5), "B": range(3)}
JITTER_KM = 15.0


def settled(job: str, seed: int) -> Problem:
    """Take the centres found for a job, moved by chance, as homes."""
    free = problem_of(job)
    homes = solve(free, seed=seed, time_limit_s=300).territories[["x_km", "y_km"]]
    homes = homes + np.random.default_rng(seed).normal(0, JITTER_KM, homes.shape)
    return Problem(free.units, homes, {"w": 0.05}, neighbours=free.neighbours, distance="euclidean")


def rows() -> Iterator[dict[str, object]]:
    """Measure job by job."""
    for job, seeds in SEEDS.items():
        for seed in seeds:
            problem = settled(job, seed)
            plan, cpu_s = measured(lambda: solve(problem, seed=seed, time_limit_s=300))  # noqa: B023 - called at once
            mean = plan.objective / problem.units["w"].sum()
            yield {"job": job, "seed": seed, "cpu_s": cpu_s, "mean_km_to_homes": mean, **proof(plan)}


def main() -> None:
    """Print the table."""
    show("Fixed homes, contiguous", rows())
