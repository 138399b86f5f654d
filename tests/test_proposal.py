"""What a manager reads of a plan: how good it is, what stands in the way, and what to do."""

from dataclasses import replace

import pandas as pd
import pytest

from territory_lab import charts, proposal
from territory_lab.alignment import Problem, audit, solve
from tests.alignment.grids import grid

FACTS = {"objective": 1070.0, "bound": 1000.0, "gap": 0.07, "bound_scope": "these homes", "tolerance_share": 0.1}
FACTS |= {"mean_km": 12.0, "violations": 0, "infeasible": "", "road": ""}


@pytest.mark.parametrize(
    ("gap", "scope", "words"),
    [
        (0.07, "these homes", "within 7\u00a0% of the best possible for these homes"),
        (0.0, "any centres", "the best possible for any centres"),
        (None, "", "not proven to be near the best possible"),
        (float("nan"), "these centres", "not proven to be near the best possible for these centres"),
    ],
)
def test_nearness_to_the_best_is_said_in_words(gap, scope, words):
    assert charts.best_possible(gap, scope) == words


def test_the_verdict_names_travel_its_least_and_the_scope():
    told = proposal.verdict(FACTS)["figure"]
    assert told["Travel of the plan"] == "1,070 h km a year; 12 km for a mean hour"
    assert told["Least travel any plan could have"] == "1,000 h km a year, proven for these homes"
    assert told["So the plan is"] == "within 7\u00a0% of the best possible for these homes"
    assert told["Limits it breaks"] == "none"


def test_what_is_impossible_is_told_in_full_with_a_way_out():
    proof = "within 5%: the island of u04 and eleven other units is too small for a territory of its own"
    told = proposal.verdict(FACTS | {"infeasible": proof})
    assert told["figure"].iloc[-1] == f"{proof}. To get it: {proposal.WAYS_OUT}"
    assert proof in charts.table(told.reset_index()).html


def test_a_broken_limit_is_named_with_its_remedy():
    units, pairs = grid(2, 2)
    problem = Problem(units, 2, {"w": 0.0}, neighbours=pairs, distance="euclidean")
    wrong = pd.Series(["T1", "T2", "T2", "T2"], index=units.index)
    plan = replace(solve(problem), alignment=wrong, violations=audit(problem, wrong))
    found = proposal.broken(plan)
    assert found["message"].str.contains("T1 carries 1 of w").any()
    assert found["remedy"].notna().all()
    assert set(found["remedy"]) == {proposal.REMEDIES["balance"]}
