"""Oracle: a handful of orders and calls read by eye."""

import pandas as pd
import pytest

from territory_lab.scoring import account_plans

TODAY = pd.Timestamp("2026-06-30")


def day(ago):
    return TODAY - pd.Timedelta(days=ago)


@pytest.fixture
def tables():
    accounts = pd.DataFrame({"name": ["Ash", "Birch", "Cedar"]}, index=pd.Index(list("abc"), name="account_id"))
    orders = pd.DataFrame(
        [
            ("a", day(10), 50.0, "p1"),
            ("a", day(40), 70.0, "p2"),
            ("a", day(70), 20.0, "p3"),
            ("a", day(100), 10.0, "p4"),
            ("a", day(400), 100.0, "p1"),
            ("b", day(300), 10.0, "p1"),
            ("b", day(310), 10.0, "p1"),
            ("b", day(380), 100.0, "p1"),
            ("b", day(-5), 999.0, "p4"),
        ],
        columns=["account_id", "order_date", "amount", "product_id"],
    )
    return accounts, orders


def test_holdings_money_and_gaps_are_read_from_the_orders_up_to_today(tables):
    plan = account_plans(*tables, TODAY, products=pd.DataFrame({"product_id": ["p1", "p2"], "name": ["Pump", "Valve"]}))
    assert plan.index.tolist() == ["a", "b", "c"]
    assert plan["spend"].tolist() == [150, 20, 0]
    assert plan["change"].fillna(9).tolist() == pytest.approx([0.5, -0.8, 9])
    assert plan["holdings"].tolist() == ["Valve, Pump, p3 and 1 more", "Pump", "none"]
    assert plan["last_order_days"].fillna(-1).tolist() == [10, 300, -1]
    assert plan["usual_gap_days"].fillna(-1).tolist() == [30, 40, -1]


def test_the_next_action_is_the_offer_expected_to_bring_most(tables):
    propensity = pd.DataFrame(
        [
            ("a", "p5", "cross_sell", 0.2, 10.0),
            ("a", "p6", "cross_sell", 0.314, 40.0),
            ("a", None, "upsell", 0.5, 20.0),
            ("b", None, "upsell", 0.4, 5.0),
        ],
        columns=["account_id", "product_id", "kind", "probability", "expected_revenue"],
    )
    plan = account_plans(*tables, TODAY, propensity=propensity)
    assert plan["gaps"].tolist() == ["p6, p5", "none", "none"]
    assert plan["next_action"].tolist() == [
        "offer p6 (31 % likely)",
        "widen what is bought (40 % likely)",
        "keep in touch",
    ]


def test_risks_are_named(tables):
    accounts, orders = tables
    calls = pd.DataFrame({"account_id": ["a", "a", "b"], "call_date": [day(20), day(500), day(200)]})
    deals = pd.DataFrame({"account_id": ["a", "a", "b"], "stage": ["open", "won", "lost"], "amount": [7.0, 8.0, 9.0]})
    rivals = accounts.assign(competitor=pd.Series([None, None, "Rival"], accounts.index, dtype="str"))
    plan = account_plans(rivals, orders, TODAY, calls=calls, opportunities=deals)
    assert plan["risk"].tolist() == [
        "none seen",
        "buys less than a year ago; has not ordered for long; nobody calls",
        "nobody calls; a competitor is inside",
    ]
    assert plan["contacts"].tolist() == [1, 1, 0]
    assert plan["open_amount"].tolist() == [7, 0, 0]
