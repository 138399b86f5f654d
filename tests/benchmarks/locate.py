"""Where to hire: generated instances of the capacitated p-median, their gap to the bound, small ones to the optimum."""

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from territory_lab.alignment import locate
from territory_lab.alignment.deciding import programme
from territory_lab.alignment.locate import numbers
from tests.benchmarks.common import measured, show

# units, sites to open, tightness, candidate sites (None: one at each unit), capacities differ
CASES = [
    (3000, 10, 0.8, 100, False),
    (3000, 40, 0.9, 100, True),
    (100, 10, 0.8, None, False),
    (100, 10, 0.9, 40, True),
    (150, 15, 0.9, None, False),
    (300, 30, 0.9, None, False),
    (500, 10, 0.95, 30, True),
    (1000, 10, 0.9, None, False),
    (1000, 100, 0.8, None, False),
    (1000, 60, 0.9, 100, False),
    (2000, 200, 0.9, None, False),
    (2000, 40, 0.9, 200, True),
    (4000, 20, 0.5, None, False),
    (4000, 400, 0.8, None, False),
    (4000, 600, 0.9, 2000, True),
    (4000, 600, 0.95, None, False),
]
SMALL = 12_000  # units x sites up to which the whole programme is solved as well
SECONDS = 60.0


def instance(n: int, count: int, tightness: float, m: int | None, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units with loads of 1 to 20 and sites on whole coordinates in a square of 1,000 km."""
    rng = np.random.default_rng(seed)
    units = pd.DataFrame(rng.integers(0, 1000, (n, 2)).astype(float), columns=["x_km", "y_km"])
    units["demand"] = rng.integers(1, 21, n).astype(float)
    places = units[["x_km", "y_km"]].to_numpy() if m is None else rng.integers(0, 1000, (m, 2)).astype(float)
    sites = pd.DataFrame(places, columns=["x_km", "y_km"])
    sites["capacity"] = np.ceil(units["demand"].sum() / (count * tightness))
    return units, sites


def optimum(units: pd.DataFrame, sites: pd.DataFrame, count: int) -> float:
    """Best objective by the whole programme in ten minutes; NaN where it is not proven."""
    siting = numbers(units, sites, count)
    allowed = np.ones(siting.far.shape, np.bool_)
    cost = np.r_[siting.far.ravel(), siting.fee]
    outcome = programme(siting, allowed, cost, 600.0, None)
    value = float("nan") if outcome.chosen is None else float(cost @ outcome.chosen)
    return value if outcome.bound > value * (1 - 1e-5) else float("nan")


def rows() -> Iterator[dict[str, object]]:
    """Solve every instance."""
    for seed, (n, count, tightness, m, differ) in enumerate(CASES):
        units, sites = instance(n, count, tightness, m, seed)
        if differ:
            sites["capacity"] = np.ceil(sites["capacity"] * np.random.default_rng(0).uniform(0.6, 1.4, len(sites)))
        start = time.monotonic()
        located, cpu_s = measured(lambda: locate(units, sites, count, time_limit_s=SECONDS))  # noqa: B023 - called at once
        best = optimum(units, sites, count) if n * len(sites) <= SMALL else float("nan")
        yield {
            "n": n,
            "sites": len(sites),
            "p": count,
            "tightness": tightness,
            "capacities": "differ" if differ else "equal",
            "cpu_s": cpu_s,
            "wall_s": time.monotonic() - start if np.isnan(best) else float("nan"),
            "objective": located.objective,
            "bound": located.bound,
            "gap_%": 100 * located.gap,
            "to_optimum_%": 100 * (located.objective / best - 1),
            "broken": len(located.violations),
        }


def main() -> None:
    """Print the table."""
    table = list(rows())
    show("Where to hire", table)
    gaps = [row["gap_%"] if np.isnan(row["to_optimum_%"]) else min(row["gap_%"], row["to_optimum_%"]) for row in table]
    print(f"median {np.median(gaps):.3f} %, worst {max(gaps):.3f} %")
