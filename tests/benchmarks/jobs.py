"""Free centres on the shared jobs, and on fifty thousand units."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from territory_lab.alignment import Problem, solve
from tests.alignment.jobs import job
from tests.benchmarks.common import measured, peak_mb, problem_of, proof, quality, show

SEEDS = {"S": range(5), "A": range(5), "B": range(3)}
LARGEST, TERRITORIES = 50_000, 2_000
JITTER_KM, LONGEST_KM = 8.0, 150.0
MOST_WEIGHT = 12.0  # no unit is more than a territory may hold


def ours(problem: Problem, seed: int) -> dict[str, object]:
    """Solve once and measure."""
    plan, cpu_s = measured(lambda: solve(problem, seed=seed, time_limit_s=300))
    return {"seed": seed, "cpu_s": cpu_s, **quality(problem.units, plan.alignment), **proof(plan), "peak_mb": peak_mb()}


def scattered(size: int, territories: int, seed: int = 0) -> Problem:
    """Scatter units like job B's, with neighbours from a triangulation without its long edges."""
    rng = np.random.default_rng(seed)
    model = job("B")[0][["x_km", "y_km"]].to_numpy()
    points = model[rng.integers(0, len(model), size)] + rng.normal(0, JITTER_KM, (size, 2))
    units = pd.DataFrame(points, columns=["x_km", "y_km"]).rename_axis("unit_id")
    units["w"] = np.minimum(rng.lognormal(0, 1, size), MOST_WEIGHT)
    edges = pd.DataFrame(short_edges(points).astype(str), columns=["a", "b"])
    units.index = units.index.astype(str)
    return Problem(units, territories, {"w": 0.05}, neighbours=edges, distance="euclidean", sites="anywhere")


def short_edges(points: np.ndarray) -> np.ndarray:
    """Give the Delaunay edges under LONGEST_KM and the minimum spanning tree, pairs of rows."""
    corners = Delaunay(points).simplices
    edges = np.unique(np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])), axis=0)
    length = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
    tree = minimum_spanning_tree(coo_array((length, edges.T), shape=(len(points), len(points)))).tocoo()
    return np.unique(np.sort(np.vstack([edges[length < LONGEST_KM], np.c_[tree.row, tree.col]])), axis=0)


def rows() -> Iterator[dict[str, object]]:
    """Measure job by job."""
    for name, tolerance, power in [("S", 5, 1), ("S", 5, 2), ("A", 5, 1), ("A", 5, 2), ("B", 5, 1), ("B", 2, 1)]:
        problem = problem_of(name, tolerance / 100, power=power)
        for seed in SEEDS[name]:
            yield {"job": name, "tolerance_%": tolerance, "power": power, **ours(problem, seed)}
    yield {
        "job": f"{LARGEST:,} x {TERRITORIES:,}",
        "tolerance_%": 5,
        "power": 1,
        **ours(scattered(LARGEST, TERRITORIES), 0),
    }


def main() -> None:
    """Print the table."""
    show("Free centres in the plane, contiguous", rows())
