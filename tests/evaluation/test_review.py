"""Triggers and mends against hand-made cases."""

import pandas as pd
import pytest

from territory_lab.evaluation import triggers


def test_triggers_name_drift_market_and_vacancy():
    index = pd.Index(["s", "t", "u"], name="territory_id")
    now = pd.DataFrame(
        {"workload_h": [1_300.0, 1_000, 700], "deviation_workload_h": [0.3, 0, -0.3], "potential": [10.0, 10, 20]},
        index=index,
    )
    planned = now.assign(potential=[10.0, 10, 10])
    reps = pd.DataFrame({"territory_id": ["s", "t", None]})
    table = triggers(now, planned, reps).set_index(["territory_id", "trigger"])
    assert table.loc[("s", "balance"), "mend"] == "Hand 150 of workload_h to its neighbours; u has most room (450)."
    assert table.loc[("u", "balance"), "mend"] == "Take 150 of workload_h from its neighbours; s has most room (450)."
    assert table.loc[("u", "market"), "value"] == pytest.approx(0.5)
    assert ("u", "vacancy") in table.index
    assert len(table) == 6
    assert triggers(now.assign(deviation_workload_h=0.1)).empty
