"""US states' counties as in Validi, Buchanan and Lykhovyd (2022): value and proof beside the published plan."""

import json
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Geod

from territory_lab.alignment import Infeasible, Plan, Problem, solve
from tests.alignment.jobs import JOBS
from tests.benchmarks.common import measured, show

CASES = JOBS.parent / "hess"
TIME_LIMIT_S = 60.0


def question(case: dict[str, Any], *, contiguous: bool) -> Problem:
    """State a case: population x squared geodesic distance in km, half a percent either way."""
    ids = pd.Index(case["ids"], name="unit_id", dtype="str")
    lon, lat = np.array(case["lon"]), np.array(case["lat"])
    one, other = np.divmod(np.arange(ids.size**2), ids.size)
    metres = Geod(ellps="WGS84").inv(lon[one], lat[one], lon[other], lat[other])[2]
    return Problem(
        pd.DataFrame({"population": case["population"]}, index=ids),
        case["k"],
        {"population": 0.005},
        neighbours=[(ids[a], ids[b]) for a, b in case["edges"]] if contiguous else None,
        distance=pd.DataFrame(metres.reshape(ids.size, ids.size) / 1000, index=ids, columns=ids),
        power=2,
    )


def bench(case: dict[str, Any], *, contiguous: bool) -> dict[str, object]:
    """Solve one case and set it beside what is known."""
    problem = question(case, contiguous=contiguous)
    known = case["contiguous" if contiguous else "no_contiguity"]
    row = {"state": case["name"][:2], "contiguous": contiguous, "published": known.get("plan_value_here")}
    answer, cpu_s = measured(lambda: plan_or_proof(problem))
    if isinstance(answer, Infeasible):
        return row | {"verdict": str(answer)[:60], "cpu_s": cpu_s}
    verdict = "proven" if answer.feasible and answer.gap < 1e-5 else "open"
    found = {"value": answer.objective / 1e6, "bound": answer.bound / 1e6, "gap_%": 100 * answer.gap}
    return row | found | {"verdict": verdict, "cpu_s": cpu_s}


def plan_or_proof(problem: Problem) -> Plan | Infeasible:
    """Solve, or give the proof that there is no plan."""
    try:
        return solve(problem, time_limit_s=TIME_LIMIT_S)
    except Infeasible as proof:
        return proof


def main() -> None:
    """Measure every state with and without contiguity, values in millions."""
    cases = [json.loads(path.read_text()) for path in sorted(CASES.glob("*.json"))]
    show("US states' counties", [bench(case, contiguous=contiguous) for case in cases for contiguous in (False, True)])
