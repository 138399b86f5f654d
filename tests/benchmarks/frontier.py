"""What is asked of a plan that exists: how good it gets as more may move, and a lock at a border."""

from dataclasses import replace

import pandas as pd

from territory_lab.alignment import Plan, frontier, reoptimise, solve
from tests.benchmarks.common import measured, problem_of, proof, show

SHARES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2, 0.5, 1.0)
BORDER_UNITS = (10, 200, 300)  # which of the pairs of neighbours with two owners
TODAY = 0.15  # tolerance of the plan that is in force


def curve() -> tuple[pd.DataFrame, float]:
    """Trace job A's frontier from a looser plan, its centres as homes."""
    loose = problem_of("A", TODAY)
    today = solve(loose, seed=5)
    homes = today.territories[["x_km", "y_km"]]
    problem = replace(loose, territories=homes, sites="units", balance={"w": 0.05}, current=today.alignment)
    table, cpu_s = measured(lambda: frontier(problem, SHARES, time_limit_s=60))
    mean = table[["objective", "bound"]] / problem.units["w"].sum()
    table = table.assign(objective=mean["objective"], bound=mean["bound"], **{"gap_%": 100 * table["gap"]})
    return table.drop(columns=["plan", "gap"]).reset_index(), cpu_s


def lock(plan: Plan, pair: int) -> dict[str, object]:
    """Lock a border unit into the territory beside it and mend the plan."""
    edges, owner = plan.problem.neighbours, plan.alignment
    border = edges[owner[edges["a"]].to_numpy() != owner[edges["b"]].to_numpy()]
    unit, beside = border.iloc[pair][["a", "b"]]
    asked = replace(plan, problem=replace(plan.problem, locked={unit: owner[beside]}))
    new, cpu_s = measured(lambda: reoptimise(asked, [unit]))
    obeyed = new.alignment[unit] == owner[beside]
    changed = int((new.alignment != owner).sum())
    return {"pair": pair, "cpu_s": cpu_s, "obeyed": obeyed, "changed": changed, **proof(new)}


def main() -> None:
    """Print both tables."""
    table, cpu_s = curve()
    show(f"frontier, job A, {len(SHARES)} points: {cpu_s:.1f} CPU s", table.to_dict("records"))
    plan = solve(problem_of("B"), time_limit_s=300)
    lock(plan, BORDER_UNITS[0])
    show("reoptimise, job B, one lock", [lock(plan, pair) for pair in BORDER_UNITS])
