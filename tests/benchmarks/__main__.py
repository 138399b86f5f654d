"""`make bench`: alignment on the shared jobs beside KMeans, which is what a spreadsheet of clusters does."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from territory_lab.alignment import Problem, audit, solve

JOBS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "alignment" / "jobs"
SIZES = {"S": 12, "A": 50, "B": 500}
SEEDS = (0, 1, 2)


def measured(work: Callable[[], pd.Series]) -> tuple[pd.Series, float]:
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
        "worst_deviation": float((loads / loads.mean() - 1).abs().max()),
    }


def bench(job: str, k: int) -> list[dict[str, object]]:
    """Solve one job by both methods, over the same seeds."""
    units = pd.read_parquet(JOBS / f"job{job}_units.parquet").rename_axis("unit_id")
    units.index = units.index.astype(str)
    edges = pd.read_parquet(JOBS / f"job{job}_edges.parquet")[["a", "b"]].astype(str)
    problem = Problem(units, k, {"w": 0.05}, neighbours=edges, distance="euclidean", sites="anywhere")
    rows = []
    for seed in SEEDS:
        plans = []

        def ours(seed: int = seed, plans: list = plans) -> pd.Series:
            plans.append(solve(problem, seed=seed, time_limit_s=300))
            return plans[0].alignment

        def peer(seed: int = seed) -> pd.Series:
            model = KMeans(k, random_state=seed).fit(units[["x_km", "y_km"]], sample_weight=units["w"])
            return pd.Series(model.labels_, index=units.index)

        for name, method in {"territory_lab": ours, "KMeans": peer}.items():
            owner, cpu_s = measured(method)
            row = {"job": job, "method": name, "seed": seed, "cpu_s": cpu_s, **quality(units, owner)}
            if name == "territory_lab":
                row |= {"gap": plans[0].gap, "broken_rules": len(audit(problem, owner))}
            rows.append(row)
    return rows


def main() -> None:
    """Warm up, measure, print the table that README.md keeps."""
    bench("S", SIZES["S"])
    table = pd.DataFrame([row for job, k in SIZES.items() for row in bench(job, k)])
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
