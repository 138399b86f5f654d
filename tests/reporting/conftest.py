"""A small report's numbers, fabricated, with names nobody should trust."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.reporting import gather
from territory_lab.results import Result

NASTY = '<script>alert(1)</script>"onmouseover="x'


def territory_table(load: list[float]) -> pd.DataFrame:
    """Lay out one row per territory."""
    hours = np.array(load)
    frame = pd.DataFrame({"workload_h": hours, "deviation_workload_h": hours / hours.mean() - 1})
    frame = frame.assign(
        units=[2, 3, 4], potential=hours * 900, customers=[10, 20, 30], revenue=hours * 500, mean_km=80.5
    )
    return frame.set_axis(pd.Index(["T1", "T2", NASTY], name="territory_id"))


@pytest.fixture(scope="session")
def results() -> dict[str, Result]:
    """Return what the steps would leave."""
    lift = pd.DataFrame(
        {
            "part": ["balance", "disruption", "total"],
            "value": [0.02, -0.002, 0.018],
            "low": [0.01, -0.004, 0.009],
            "high": [0.03, -0.001, 0.026],
        }
    )
    risk = pd.DataFrame({"revenue_moved": [4e6, 1e6], "low": 0.0, "usual": [7e4, 2e4], "high": [2.5e5, 6e4]})
    totals = pd.DataFrame(
        {"value": [3e9, 1e9, 2e8], "low": [2e9, 5e8, 1e8], "high": [4e9, 2e9, 3e8]},
        index=pd.Index(["TAM", "SAM", "SOM"], name="step"),
    )
    heads = pd.DataFrame(
        {"workload_h": [4200.0], "reps": [3.4], "low": [2.9], "high": [4.1]}, index=pd.Index(["all"], name="region")
    )
    curve = pd.DataFrame({"share_of_accounts": np.arange(1, 5001) / 5000, "share_of_value": np.arange(1, 5001) / 5000})
    profile = pd.DataFrame({"trait": ["size"], "level": [NASTY], "lift": [2.0], "lift_low": [1.5], "lift_high": [2.6]})
    facts = {"gap": np.float64(0.003), "bound_scope": "these homes", "tolerance_share": 0.1, "moved_workload_h": 0.37}
    return {
        "icp": Result({"profile": profile, "pareto": curve, "scores": curve}, {"accounts": np.int64(5000)}),
        "tam": Result({"totals": totals}),
        "territories": Result(
            {"today": territory_table([2400, 900, 900]), "proposed": territory_table([1400, 1500, 1300])}, facts
        ),
        "resources": Result({"headcount": heads}, {"reps_today": 3}, {"quotas": "quotas by history needs orders"}),
        "evaluation": Result({"lift": lift, "at_risk": risk}, {"sales": 5e7}),
    }


@pytest.fixture(scope="session")
def numbers(results):
    """Return the numbers of the report."""
    meta = {"name": f"Acme {NASTY}", "currency": "USD", "as_of": "2025-09-30", "seed": 0, "data_hash": "abc"}
    meta |= {"versions": {}, "settings": {}, "scenario": {"name": "proposal"}}
    return gather(results, meta, {"propensity": "propensity is switched off: it needs orders"})
