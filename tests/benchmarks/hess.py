"""US states' counties as in Validi, Buchanan and Lykhovyd (2022): value and proof beside the published plan."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Geod

from territory_lab.alignment import Infeasible, Problem, solve

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "alignment" / "hess"
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
    start = time.process_time()
    try:
        plan = solve(problem, time_limit_s=TIME_LIMIT_S)
    except Infeasible as verdict:
        return row | {"verdict": str(verdict)[:60], "cpu_s": time.process_time() - start}
    verdict = "proven" if plan.feasible and plan.gap < 1e-5 else "open"
    found = {"value": plan.objective / 1e6, "bound": plan.bound / 1e6, "gap": plan.gap}
    return row | found | {"verdict": verdict, "cpu_s": time.process_time() - start}


def main() -> None:
    """Measure every state with and without contiguity and print the table, values in millions."""
    cases = [json.loads(path.read_text()) for path in sorted(CASES.glob("*.json"))]
    table = pd.DataFrame([bench(case, contiguous=contiguous) for case in cases for contiguous in (False, True)])
    print(table.to_string(index=False, float_format="{:,.6g}".format))


if __name__ == "__main__":
    main()
