"""The rule card without a browser."""

import pandas as pd
import pytest

from territory_lab.scoring import IdealCustomerProfile
from territory_lab.widgets import rule_card

CARD = {"intercept": -1.0, "sector": {"23": 1.0, "72": -1.0}, "employees": {"at": [1, 1000], "weight": [-1.0, 1.0]}}


@pytest.fixture
def accounts() -> pd.DataFrame:
    index = pd.Index([f"a{number}" for number in range(20)], name="account_id")
    return pd.DataFrame(
        {"name": index, "sector": ["23", "72"] * 10, "employees": [float(2**n) for n in range(10) for _ in range(2)]},
        index=index,
    )


def control(box, label):
    return next(one for one in box.children[0].children if getattr(one, "description", "") == label)


def result(box) -> str:
    return box.children[1].children[0].value


def test_nothing_moves_until_something_is_touched(accounts):
    assert result(rule_card({"learned": CARD}, accounts, print)) == "<p>0 accounts of 20 would enter tier A.</p>"


def test_a_stretched_trait_moves_accounts_and_undo_takes_them_back(accounts):
    box = rule_card({"learned": CARD}, accounts, print, {"72": "Hotels"})
    start = result(box)
    control(box, "Sector").value = 0.0
    control(box, "Employees").value = 2.0
    assert "Hotels" in result(box)
    for _ in range(2):
        control(box, "Undo").click()
    assert (control(box, "Sector").value, control(box, "Employees").value) == (1.0, 1.0)
    assert result(box) == start


def test_what_is_kept_is_what_the_controls_say(accounts):
    kept = []
    box = rule_card({"learned": CARD}, accounts, kept.append)
    control(box, "Employees").value = 2.0
    control(box, "Change a level").value = ("sector", "72")
    control(box, "Its weight").value = 0.5
    control(box, "Keep this card").click()
    control(box, "Back to what is learned").click()
    wanted = {"sector": {"23": 1.0, "72": 0.5}, "employees": {"at": [1, 1000], "weight": [-2.0, 2.0]}}
    expected = IdealCustomerProfile.from_rules({"intercept": -1.0} | wanted)
    assert kept[1] is None
    assert IdealCustomerProfile.from_rules(kept[0]).score(accounts).equals(expected.score(accounts))


def test_a_stated_card_can_be_started_from(accounts):
    stated = {"sector": {"23": 0.0, "72": 3.0}}
    box = rule_card({"learned": CARD, "stated": stated}, accounts, print)
    start = control(box, "Start from")
    start.value = dict(start.options)["stated"]
    assert "would enter tier A" in result(box)
    assert "Score before" in result(box)


def test_a_trait_may_be_called_like_a_control(accounts):
    card = {"weight": {"at": [1, 1000], "weight": [-1.0, 1.0]}}
    box = rule_card({"learned": card}, accounts.rename(columns={"employees": "weight"}), print)
    control(box, "Weight").value = 0.0
    assert "Score before" in result(box)
