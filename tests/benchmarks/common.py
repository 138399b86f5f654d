"""What every benchmark needs: the shared jobs, a clock, a measure of quality, a table."""

import resource
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import numpy as np
import pandas as pd

from territory_lab.alignment import Plan, Problem, audit, solve
from tests.alignment.jobs import SIZES, job

Result = TypeVar("Result")


def problem_of(name: str, tolerance: float = 0.05, **options: object) -> Problem:
    """State a job: contiguous territories, centres anywhere in the plane, unless ``options`` say otherwise."""
    units, pairs = job(name)
    options = {"sites": "anywhere", "distance": "euclidean", "neighbours": pairs} | options
    return Problem(units, SIZES[name], {"w": tolerance}, **options)


def measured(work: Callable[[], Result]) -> tuple[Result, float]:
    """Give a result and the CPU seconds it took."""
    start = time.process_time()
    return work(), time.process_time() - start


def quality(units: pd.DataFrame, owner: pd.Series) -> dict[str, float]:
    """Say how compact and how balanced territories are: to their own weighted centroids."""
    load = units["w"]
    centre = units[["x_km", "y_km"]].mul(load, axis=0).groupby(owner).sum().div(load.groupby(owner).sum(), axis=0)
    square = ((units[["x_km", "y_km"]] - centre.reindex(owner).to_numpy()) ** 2).sum(axis=1)
    loads = load.groupby(owner).sum()
    return {
        "mean_km": float((load * np.sqrt(square)).sum() / load.sum()),
        "inertia_km2": float((load * square).sum() / load.sum()),
        "deviation_%": 100 * float((loads / loads.mean() - 1).abs().max()),
    }


def proof(plan: Plan) -> dict[str, float]:
    """Say how far a plan can be from the best, and how many rules it breaks."""
    return {"gap_%": 100 * plan.gap, "broken_rules": len(audit(plan.problem, plan.alignment))}


def peak_mb() -> float:
    """Give the most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm_up() -> None:
    """Have everything compiled before the clock runs."""
    for power in (1, 2):
        solve(problem_of("S", power=power))


def show(title: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Print a table."""
    table = pd.DataFrame(list(rows))
    print(f"\n{title}\n{table.to_string(index=False, float_format='{:,.3f}'.format, na_rep='')}", flush=True)
