"""Triggers and mends against hand-made cases."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.evaluation import mend, triggers


def test_triggers_name_drift_market_and_vacancy():
    index = pd.Index(["s", "t", "u"], name="territory_id")
    now = pd.DataFrame(
        {"workload_h": [1_300.0, 1_000, 700], "deviation_workload_h": [0.3, 0, -0.3], "potential": [10.0, 10, 20]},
        index=index,
    )
    planned = now.assign(potential=[10.0, 10, 10])
    reps = pd.DataFrame({"territory_id": ["s", "t", None]})
    beside = pd.DataFrame({"territory_a": ["s", "t"], "territory_b": ["t", "u"]})
    table = triggers(now, planned, reps, beside).set_index(["territory_id", "trigger"])
    assert table.loc[("s", "balance"), "mend"] == "Hand 150 hours of work to its neighbours: t has room for 150."
    assert table.loc[("u", "balance"), "mend"] == "Take 150 hours of work from its neighbours: t has room for 150."
    assert table.loc[("u", "market"), "value"] == pytest.approx(0.5)
    assert ("u", "vacancy") in table.index
    assert len(table) == 6
    assert triggers(now.assign(deviation_workload_h=0.1)).empty
    assert triggers(now)["mend"].iloc[0] == "Hand 150 hours of work to its neighbours."
    crowded = now.assign(workload_h=[1_300.0, 1_200, 500], deviation_workload_h=[0.3, 0.2, -0.5])
    words = triggers(crowded, beside=beside.head(1)).set_index("territory_id")["mend"]
    assert words["s"] == "Hand 150 hours of work to its neighbours, none of which has room."


def grid(side: int, territories: str) -> tuple[pd.Series, pd.DataFrame]:
    """A square of units, row by row, with its territories drawn as letters."""
    index = pd.Index([f"u{place:03d}" for place in range(side * side)], name="unit_id")
    right = [(place, place + 1) for place in range(side * side) if (place + 1) % side]
    down = [(place, place + side) for place in range(side * (side - 1))]
    neighbours = pd.DataFrame([(index[a], index[b]) for a, b in right + down], columns=["unit_a", "unit_b"])
    return pd.Series(list(territories.replace(" ", "")), index=index, name="territory_id", dtype="str"), neighbours


def reached(units: set[str], neighbours: pd.DataFrame) -> set[str]:
    """The units that can be walked to from the first without leaving them."""
    found, todo = set(), {min(units)}
    while todo:
        found |= todo
        near = neighbours[neighbours["unit_a"].isin(todo) | neighbours["unit_b"].isin(todo)]
        todo = (set(near["unit_a"]) | set(near["unit_b"])) & units - found
    return found


def test_one_unit_over_the_border_mends_a_small_drift():
    alignment, neighbours = grid(3, "aaa aab bbb")
    load = pd.Series(1.0, index=alignment.index, name="workload_h")
    load["u002"] = 2.0
    moves = mend(load, alignment, neighbours, tolerance=0.10)
    assert moves[["from_territory", "to_territory"]].to_numpy().tolist() == [["a", "b"]]
    assert moves["load"].tolist() == [1.0]


def test_mended_alignments_stay_whole_and_no_territory_leaves_the_band():
    out = 0
    for seed in range(8):
        alignment, neighbours = grid(12, ("aaaabbbbcccc" * 5 + "ddddbbbbcccc" * 7))
        load = pd.Series(np.random.default_rng(seed).uniform(0.5, 1.5, 144), index=alignment.index)
        moves = mend(load, alignment, neighbours, tolerance=0.10)
        after = alignment.copy()
        for move in moves.itertuples():
            assert after[move.unit_id] == move.from_territory
            after[move.unit_id] = move.to_territory
        target = load.sum() / 4
        for _, units in after.groupby(after):
            assert reached(set(units.index), neighbours) == set(units.index)
            out += abs(load[units.index].sum() / target - 1) > 0.1 + 1e-9
    assert out <= 1


def test_what_cannot_be_handed_over_is_left():
    alignment, neighbours = grid(3, "aaa aaa bbb")
    load = pd.Series(1.0, index=alignment.index)
    assert mend(load, alignment, neighbours.iloc[:0]).empty
    assert mend(load, alignment, neighbours, tolerance=0.5).empty
    with pytest.raises(BadInput):
        mend(load.drop("u003"), alignment, neighbours)
