"""Open-source peers on the same jobs in the same run; one that is not installed is skipped with the reason."""

import random
from collections.abc import Callable, Hashable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from tests.alignment.jobs import SIZES
from tests.alignment.jobs import job as read
from tests.benchmarks.common import measured, problem_of, quality, show
from tests.benchmarks.jobs import ours

SEEDS = range(5)
BURSTS, BURST_STEPS = {"S": 30, "A": 10}, 6  # about our CPU time; on A most of it goes into a first plan
TOLERANCE = 0.05
BALANCED_PERCENT = 100 * TOLERANCE + 0.01


def k_means(job: str, seed: int) -> pd.Series:
    """Cluster with scikit-learn, weighted: neither balance nor contiguity."""
    units, _ = read(job)
    model = KMeans(SIZES[job], random_state=seed).fit(units[["x_km", "y_km"]], sample_weight=units["w"])
    return pd.Series(model.labels_, index=units.index)


def short_bursts(job: str, seed: int) -> pd.Series:
    """Recombine with GerryChain, within the tolerance: bursts from the plan of least inertia so far."""
    from gerrychain import Graph, Partition, constraints, proposals, updaters  # noqa: PLC0415 - may be absent
    from gerrychain.optimization import SingleMetricOptimizer  # noqa: PLC0415 - may be absent

    (units, pairs), rng = read(job), random.Random(seed)  # noqa: S311 - a benchmark, not a secret
    graph = nx.Graph(pairs.to_numpy().tolist())
    nx.set_node_attributes(graph, units[["x_km", "y_km", "w"]].to_dict("index"))
    target = units["w"].sum() / SIZES[job]
    first = Partition.from_random_assignment(
        Graph.from_networkx(graph),
        SIZES[job],
        TOLERANCE,
        "w",
        updaters={"load": updaters.Tally("w", alias="load"), "inertias": inertias},
        rng=rng,
    )

    def recombine(partition: Partition, rng: random.Random) -> Partition:
        return proposals.recom(partition, "w", target, TOLERANCE, rng=rng)

    balance = constraints.within_percent_of_ideal_population(first, TOLERANCE, "load")
    search = SingleMetricOptimizer(
        recombine, balance, first, lambda plan: sum(plan["inertias"].values()), maximize=False, rng=rng
    )
    for _ in search.short_bursts(BURST_STEPS, BURSTS[job]):
        pass
    best = search.best_part
    names = {node: best.graph.original_nx_node_id_for_internal_node_id(node) for node in best.graph.nodes}
    return pd.Series({names[node]: part for node, part in best.assignment.items()}).reindex(units.index)


def inertias(partition: Any) -> dict[Hashable, float]:
    """Sum load x squared distance to the weighted centroid in each part; parts that did not change keep theirs."""
    moved = partition.flips or {}
    known = dict(partition.parent["inertias"]) if moved else {}
    for part in {partition.parent.assignment[node] for node in moved} | {partition.assignment[node] for node in moved}:
        del known[part]
    return {
        part: known[part] if part in known else part_inertia(partition.graph, nodes)
        for part, nodes in partition.parts.items()
    }


def part_inertia(graph: Any, nodes: Iterable[Hashable]) -> float:
    """Sum load x squared distance to the weighted centroid of some nodes."""
    x, y, w = np.array([[graph.node_data(node)[name] for name in ("x_km", "y_km", "w")] for node in nodes]).T
    return float((w * ((x - np.average(x, weights=w)) ** 2 + (y - np.average(y, weights=w)) ** 2)).sum())


def region_k_means(job: str, seed: int) -> pd.Series:
    """Grow contiguous regions with spopt: no balance, and minutes on job A."""
    from libpysal.weights import W  # noqa: PLC0415 - may be absent
    from spopt.region import RegionKMeansHeuristic  # noqa: PLC0415 - may be absent

    units, pairs = read(job)
    edges = pairs.astype(int)
    both = pd.concat([edges, edges.rename(columns={"a": "b", "b": "a"})])
    neighbours = W(both.groupby("a")["b"].agg(list).to_dict(), silence_warnings=True)
    points = units[["x_km", "y_km"]].to_numpy()
    model = RegionKMeansHeuristic(points, SIZES[job], neighbours, seed=seed)
    model.solve()
    return pd.Series(model.labels_, index=units.index)


PEERS: dict[str, tuple[str, Callable[[str, int], pd.Series], str]] = {
    "GerryChain": ("gerrychain", short_bursts, "SA"),
    "RegionKMeans": ("spopt", region_k_means, "S"),
    "KMeans": ("sklearn", k_means, "SAB"),
}


def installed() -> list[str]:
    """Name the peers that are here and say which are not."""
    here = [name for name, (package, _, _) in PEERS.items() if find_spec(package)]
    for name in PEERS.keys() - set(here):
        print(f"{name}: skipped, {PEERS[name][0]} is not installed (make bench installs it)")
    return here


def rows(job: str) -> Iterator[dict[str, object]]:
    """Measure every method on a job, seed by seed."""
    squared = problem_of(job, power=2)
    if job != "B":
        for seed in SEEDS:
            yield {"job": job, "method": "territory_lab, power 2", **ours(squared, seed)}
    for name in installed():
        _, method, jobs = PEERS[name]
        for seed in SEEDS if job in jobs else ():
            owner, cpu_s = measured(lambda: method(job, seed))  # noqa: B023 - called at once
            yield {"job": job, "method": name, "seed": seed, "cpu_s": cpu_s, **quality(squared.units, owner)}


def lead(table: pd.DataFrame) -> dict[str, object]:
    """Compare the median of ours with the best and the median run of the best peer that is balanced."""
    mine = table["method"].str.startswith("territory_lab")
    peers = table[~mine & (table["deviation_%"] <= BALANCED_PERCENT)]
    best = peers.loc[peers["inertia_km2"].idxmin()]
    peer = peers[peers["method"] == best["method"]]
    median = table.loc[mine, ["inertia_km2", "cpu_s"]].median()
    return {
        "job": best["job"],
        "best_balanced_peer": best["method"],
        "its_best_km2": best["inertia_km2"],
        "its_median_km2": peer["inertia_km2"].median(),
        "ours_median_km2": median["inertia_km2"],
        "below_its_best_%": 100 * (1 - median["inertia_km2"] / best["inertia_km2"]),
        "below_its_median_%": 100 * (1 - median["inertia_km2"] / peer["inertia_km2"].median()),
        "cpu_ratio": median["cpu_s"] / peer["cpu_s"].median(),
    }


def main() -> None:
    """Print the tables and how far ours is below the best balanced peer."""
    tables = {job: pd.DataFrame(list(rows(job))) for job in SIZES}
    for job, table in tables.items():
        columns = ["job", "method", "seed", "cpu_s", "mean_km", "inertia_km2", "deviation_%"]
        show(f"Peers, job {job}", table[columns].to_dict("records"))
    balanced = [table for table in tables.values() if (table["method"] == "GerryChain").any()]
    show("Inertia below the best balanced peer", [lead(table) for table in balanced])
