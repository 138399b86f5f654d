from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from territory_lab.files import defused, write_csv, writing


def test_cells_that_a_spreadsheet_would_run_are_made_harmless_and_all_else_is_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "name": ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=1", None],
            "kind": pd.Categorical(["=a", *["b"] * 7]),
            "amount": [-1.5, *[np.nan] * 7],
        }
    )
    safe = defused(frame)
    assert safe["name"].tolist()[:7] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=1"]
    assert safe["kind"].tolist()[:2] == ["'=a", "b"]
    assert safe["amount"].equals(frame["amount"])
    assert safe["name"].isna().tolist() == [False] * 7 + [True]
    back = pd.read_csv(write_csv(tmp_path / "new" / "out.csv", frame))
    assert back["name"].str.match(r"[=+\-@]").sum() == 0


def test_a_folder_is_replaced_whole_or_left_as_it_was(tmp_path: Path) -> None:
    with writing(tmp_path / "out") as draft:
        (draft / "a").write_text("1", encoding="utf-8")

    def fail() -> None:
        with writing(tmp_path / "out") as draft:
            (draft / "b").write_text("2", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert {file.name for file in tmp_path.rglob("*")} == {".lock", "out", "a"}
