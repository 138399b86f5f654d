"""Whom a plan affects, counted by hand."""

import pandas as pd

from territory_lab import affected
from territory_lab.workspace import Workspace


def company(folder):
    """Write the least that a workspace needs; nobody has a home."""
    (folder / "accounts.csv").write_text("account_id,name\na1,One\n")
    return Workspace(folder)


def test_customers_kept_gained_and_lost_are_those_of_the_places_that_stay_come_and_go(tmp_path):
    units = pd.DataFrame({"customers": [5, 3, 2, 1]}, index=["a", "b", "c", "d"])
    today = pd.Series({"a": "T1", "b": "T1", "c": "T2", "d": None})
    plan = pd.Series({"a": "T1", "b": "T2", "c": "T2", "d": "T2"})
    table = pd.DataFrame({"workload_h": [1.0, 1.0], "deviation_workload_h": 0.0}, index=["T1", "T2"])
    space = company(tmp_path)
    found = affected.people(space, units, plan, current=today, today=table, proposed=table)
    counts = found[["customers_kept", "customers_gained", "customers_lost"]]
    assert counts.loc["T1"].tolist() == [5, 0, 3]
    assert counts.loc["T2"].tolist() == [2, 3, 0]  # d was nobody's


def test_without_today_nobody_keeps_gains_or_loses(tmp_path):
    units = pd.DataFrame({"customers": [5, 3]}, index=["a", "b"])
    plan = pd.Series({"a": "T1", "b": "T2"})
    table = pd.DataFrame({"workload_h": [1.0, 1.0], "deviation_workload_h": 0.0}, index=["T1", "T2"])
    space = company(tmp_path)
    found = affected.people(space, units, plan, current=None, today=None, proposed=table)
    assert not found[["customers_kept", "customers_gained", "customers_lost"]].to_numpy().any()
