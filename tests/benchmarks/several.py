"""Two and three activities in balance at once, with and without contiguity."""

from collections.abc import Iterator

import numpy as np

from territory_lab.alignment import Infeasible, Plan, Problem, solve
from tests.alignment.jobs import SIZES, job
from tests.benchmarks.common import measured, proof, show

SEED = 7


def several(second: str, activities: int, *, contiguous: bool) -> Problem:
    """Job A with a second activity, ``independent`` or ``opposed`` to the first, and perhaps a third."""
    (units, pairs), rng = job("A"), np.random.default_rng(SEED)
    load = units["w"].to_numpy()
    rank = load.argsort().argsort()
    drawn = rng.lognormal(0, 1, len(units))
    units["second"] = drawn if second == "independent" else np.sort(load)[::-1][rank]
    units["third"] = rng.gamma(2, 1, len(units))
    balance = dict.fromkeys(["w", "second", "third"][:activities], 0.05)
    return Problem(
        units, SIZES["A"], balance, sites="anywhere", distance="euclidean", neighbours=pairs if contiguous else None
    )


def verdict(problem: Problem) -> Plan | Infeasible:
    """Solve, or give the proof that there is no plan."""
    try:
        return solve(problem, time_limit_s=120)
    except Infeasible as proven:
        return proven


def rows(*, contiguous: bool) -> Iterator[dict[str, object]]:
    """Measure each mixture."""
    for activities in (2, 3):
        for second in ("independent", "opposed"):
            problem = several(second, activities, contiguous=contiguous)
            outcome, cpu_s = measured(lambda: verdict(problem))  # noqa: B023 - called at once
            case = {"activities": activities, "second": second, "cpu_s": cpu_s}
            if isinstance(outcome, Infeasible):
                yield case | {"infeasible": str(outcome)}
            else:
                yield case | {"mean_km": outcome.objective / problem.units["w"].sum(), **proof(outcome)}


def main() -> None:
    """Print a table without contiguity and one with it."""
    show("Several activities, job A, not contiguous", rows(contiguous=False))
    show("Several activities, job A, contiguous", rows(contiguous=True))
