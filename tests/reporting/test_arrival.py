"""The data-quality page of the messy sample: every planted fault that stands in the way, and nothing run."""

import json

import pandas as pd

from territory_lab import crm, reporting, shipped
from territory_lab.reporting.arrival import findings


def test_the_page_of_the_messy_sample_tells_all_that_was_done(tmp_path) -> None:
    intake = crm.read(shipped.data("sample_messy"), crm.Layout.of("csv"))
    table = findings(intake.aside)
    planted = json.loads((shipped.data("sample_messy") / "truth.json").read_text(encoding="utf-8"))["planted_faults"]
    kinds = pd.Series([fault["kind"] for fault in planted]).value_counts()
    counts = table.groupby("column")["count"].sum()
    assert counts["owner_id"] == kinds["orphan_owner"]
    assert counts["lat"] == kinds["impossible_coordinates"]
    assert counts["parent_id"] == kinds["parent_loop"]
    assert table["count"].sum() == len(intake.aside)
    text = reporting.arrival(intake, tmp_path / "data.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text
    assert all(note.split(":")[0] in text for note in intake.notes)
    used, rows = intake.ledger["used"].sum(), intake.ledger["rows"].sum()
    assert f"{used:,} of {rows:,} rows are used" in text
