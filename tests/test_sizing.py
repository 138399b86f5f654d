"""Sizing against closed forms and the textbook."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.response import SalesResponse
from territory_lab.sizing import break_even, sweep

COMPANY = {"sales": 30e6, "territories": 30, "rep_cost": 150_000.0, "margin_share": 0.4}


def test_textbook_break_even_of_95_percent():
    row = break_even(sales_added=475_000, rep_cost=200_000, margin_share=0.4, carryover=(0.5, 0.25))
    assert row["break_even_sales"] == 500_000
    assert row["break_even_ratio"] == pytest.approx(0.95)
    assert row["return_share"] == pytest.approx(0.95 * 1.75 - 1)


def test_the_best_size_is_where_the_closed_form_puts_it():
    table = sweep(SalesResponse(), range(10, 61), **COMPANY)
    scale = COMPANY["sales"] / COMPANY["territories"] ** 0.34
    exact = (0.34 * scale * 0.4 / 150_000) ** (1 / 0.66)
    assert abs(table.index[table["verdict"] == "best"][0] - exact) <= 1
    assert table.loc[30, "sales"] == pytest.approx(30e6)
    assert (table.loc[table["verdict"] == "undersized", "marginal_return"] > 1).all()
    assert (table.loc[table["verdict"] == "oversized", "marginal_return"] < 1).all()
    assert table["best_share"].sum() == pytest.approx(1)
    assert ((table["sales_low"] <= table["sales"] + 1e-6) & (table["sales"] <= table["sales_high"] + 1e-6)).all()


def test_margin_of_one_more_territory_is_the_difference_of_two_rows():
    table = sweep(SalesResponse(), range(20, 41), travel_share=0.25, **COMPANY)
    added = np.diff(table["sales"]) * 0.4 / 150_000
    np.testing.assert_allclose(table["marginal_return"].iloc[:-1], added)


def test_travel_makes_more_territories_worth_more():
    without = sweep(SalesResponse(), [60], **COMPANY)["sales"].iloc[0]
    travelled = sweep(SalesResponse(), [60], travel_share=0.3, **COMPANY)["sales"].iloc[0]
    burden = 0.3 / 0.7
    assert travelled / without == pytest.approx(((1 + burden) / (1 + burden / np.sqrt(2))) ** 0.34)


def test_bad_settings_are_named_together():
    with pytest.raises(BadInput) as raised:
        sweep(SalesResponse(), [], travel_share=1.0, **COMPANY | {"margin_share": 40})
    assert len(raised.value.faults) == 3


def test_measured_travel_takes_the_place_of_the_root_law():
    law = sweep(SalesResponse(), [20, 30, 60], travel_share=0.3, **COMPANY)
    burden = 0.3 / 0.7 * np.sqrt(30 / np.arange(15.0, 70.0))
    measured = pd.Series(burden / (1 + burden), index=np.arange(15, 70))
    table = sweep(SalesResponse(), [20, 30, 60], travel_share=measured, **COMPANY)
    pd.testing.assert_frame_equal(law, table, rtol=1e-9)
