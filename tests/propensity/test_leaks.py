from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel, leak_scan


def drawn() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(6)
    y = (rng.random(2_000) < 0.3).astype(int)
    X = pd.DataFrame(
        {
            "decoy": rng.normal(size=2_000),
            "fair": rng.normal(size=2_000) + 0.5 * y,
            "paid": np.where(y == 1, rng.lognormal(size=2_000), np.nan),
            "days_after": rng.normal(size=2_000) + y,
            "stage": np.where(rng.random(2_000) < 0.5, "open", "new"),
        }
    )
    return X, y


def findings(table: pd.DataFrame) -> dict[str, str]:
    return table.set_index("column")["finding"].to_dict()


def test_power_name_and_change_give_a_leak_away_and_a_decoy_is_fine() -> None:
    X, y = drawn()
    later = X.assign(stage=X["stage"].where(y == 0, "won"))
    assert findings(leak_scan(X, y, later=later)) == {
        "paid": "refused",  # filled in for buyers only
        "days_after": "refused",
        "stage": "refused",
        "fair": "fine",
        "decoy": "fine",
    }
    assert findings(leak_scan(X, y))["stage"] == "fine"


def test_a_model_refuses_leaks_unless_allowed_with_a_reason_on_the_card() -> None:
    X, y = drawn()
    with pytest.raises(BadInput) as error:
        PropensityModel("logistic").fit(X, y)
    assert {fault.column for fault in error.value.faults} == {"paid", "days_after"}
    allow = {"days_after": "counted before the call"}
    card = PropensityModel("logistic", allow=allow).fit(X.drop(columns="paid"), y).card
    assert any("counted before the call" in limit for limit in card["limits"])


def test_the_length_of_the_call_is_refused_and_nothing_else(cases: Path) -> None:
    calls = pd.read_csv(cases / "propensity" / "bank_marketing_uci.csv.gz")
    found = leak_scan(calls.drop(columns=["y", "row_order"]), calls["y"])
    assert found.loc[found["finding"] != "fine", "column"].tolist() == ["duration"]
