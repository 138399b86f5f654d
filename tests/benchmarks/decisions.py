"""From a plan to a decision: what is planted in 50 companies comes back, and what the steps on one company cost."""

from collections.abc import Iterator

import pandas as pd

from territory_lab import book, geography, proposal, shipped
from territory_lab.alignment import Problem, frontier, solve
from territory_lab.response import SalesResponse
from territory_lab.scenarios import enough, explain
from territory_lab.sizing import sweep
from territory_lab.staffing import travel_by_size
from territory_lab.workload import CallPlan
from territory_lab.workspace import open_workspace
from tests.benchmarks.common import measured, show
from tests.test_planted_decisions import company, drift, gain, shares, verdicts

COMPANIES = 50
SIZES = range(16, 55, 2)  # 20 of them, today's 30 among them
TOLERANCE = 0.25


def truths() -> Iterator[tuple[str, dict[str, object]]]:
    """Hold each company's estimates against what was planted in it."""
    postcodes, neighbours = geography.postcodes(), geography.neighbours()
    for seed in range(COMPANIES):
        case = company(seed, postcodes)
        yield "gain", gain(case, neighbours)
        yield "verdicts", verdicts(case)
        yield "drift", drift(case)
        yield "shares", shares(case)


def costs() -> Iterator[dict[str, object]]:
    """Time the frontier, the ranked moves and the sweep over sizes on the sample company."""
    space = open_workspace(shipped.data("sample"))
    places = book.units(space)
    known = book.accounts(space, places)
    known = known.assign(potential=known["revenue"].fillna(known["revenue"].median()), tier="B")
    load, pairs, today = proposal.activities(known, places), book.neighbours(space, places), book.today(space, places)
    homes = book.homes(space)[["lon", "lat"]]
    problem = Problem(load, homes, {"workload_h": TOLERANCE}, neighbours=pairs, current=today)
    table, cpu_s = measured(lambda: frontier(problem, progress=True))
    yield {"step": f"frontier, {len(table)} points", "cpu_s": cpu_s, "result": f"{int(table['feasible'].sum())} plans"}
    plan = solve(problem)
    moves, cpu_s = measured(lambda: explain(plan, today, potential=load["potential"], by_unit=True))
    few = f"{len(enough(moves))} of {len(moves)} moves bring 80 % of the gain"
    yield {"step": "explain, unit by unit", "cpu_s": cpu_s, "result": few}
    road, cpu_s = measured(lambda: travel_by_size(load, SIZES, CallPlan(), pairs, progress=True))
    yield {"step": f"the road at {len(SIZES)} sizes", "cpu_s": cpu_s, "result": f"{len(road)} measured"}
    sold = {"sales": float(load["revenue"].sum()), "territories": len(homes)}
    cost = {"rep_cost": space.settings.rep_cost, "margin_share": 0.35}
    sizes, cpu_s = measured(lambda: sweep(SalesResponse(), SIZES, travel_share=road, **sold, **cost))
    best = sizes.index[sizes["verdict"] == "best"][0]
    yield {"step": "sweep over them", "cpu_s": cpu_s, "result": f"{best} earn most"}


def main() -> None:
    """Print the tables."""
    found = pd.DataFrame(list(truths()), columns=["part", "row"])
    parts = {part: pd.DataFrame(list(rows)) for part, rows in found.groupby("part")["row"]}
    show(
        f"Planted gain of balance, {COMPANIES} companies",
        parts["gain"].describe().loc[["mean", "min", "max"]].to_dict("records"),
    )
    rates = {"gain covered": parts["gain"]["covered"].mean(), **parts["shares"].mean().add_prefix("share covered: ")}
    show("Share of companies", [{"what": what, "%": 100 * rate} for what, rate in rates.items()])
    show("Territories, all companies", [{"part": part, **parts[part].sum()} for part in ("verdicts", "drift")])
    show("The sample company", list(costs()))
