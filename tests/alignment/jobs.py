"""Counties of the shared jobs, with homes at some of them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

JOBS = Path(__file__).resolve().parents[3] / "shared" / "cases" / "alignment" / "jobs"
SIZES = {"S": 12, "A": 50, "B": 500}
needs_jobs = pytest.mark.skipif(not JOBS.is_dir() and "CI" not in os.environ, reason=f"no jobs at {JOBS}")


def job(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Units by ``unit_id`` with ``x_km``, ``y_km`` and ``w``, and the pairs that touch."""
    units = pd.read_parquet(JOBS / f"job{name}_units.parquet").rename_axis("unit_id")
    units.index = units.index.astype(str)  # pairs name units by row
    return units, pd.read_parquet(JOBS / f"job{name}_edges.parquet")[["a", "b"]].astype(str)


def homes(units: pd.DataFrame, k: int) -> pd.DataFrame:
    """Homes at units drawn in proportion to their load: reps live where the work is."""
    chance = units["w"].to_numpy() / units["w"].sum()
    at = np.sort(np.random.default_rng(0).choice(len(units), k, replace=False, p=chance))
    return units.iloc[at][["x_km", "y_km"]].set_axis([f"rep{j}" for j in range(k)]).rename_axis("territory_id")


def apart(units: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Kilometres in a straight line, units x places."""
    gaps = units[["x_km", "y_km"]].to_numpy()[:, None] - places[["x_km", "y_km"]].to_numpy()
    return pd.DataFrame(np.hypot(*gaps.transpose(2, 0, 1)), index=units.index, columns=places.index)
