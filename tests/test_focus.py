"""Where to look: oracles are plain recomputation and a company of four regions."""

import numpy as np
import pandas as pd
import pytest

from territory_lab import book, focus, journey, sample, workspace
from territory_lab.errors import BadInput
from territory_lab.workspace import Workspace


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("focus")
    tables, _ = sample.company(2_500, seed=3)
    sample.write(tables, folder / "tables")
    return workspace.create(folder / "space", folder / "tables")


def test_criteria_are_what_the_orders_say():
    known = pd.DataFrame(
        {"spend": [120.0, 0.0, 30.0], "spend_before": [100.0, 50.0, 0.0], "prestige": [1.0, 2.0, 3.0]},
        index=pd.Index(["a", "b", "c"], name="account_id"),
    )
    table = focus.criteria(known, pd.DataFrame(), pd.Series({"c": 2.0}))
    assert table["growth_amount"].tolist() == [20.0, -50.0, 30.0]
    assert table["engagement"].tolist() == [0.0, 0.0, 2.0]
    assert table["prestige"].tolist() == [1.0, 2.0, 3.0]
    assert "potential" not in table  # nothing tells sectors apart


def test_two_years_of_spend_are_told_apart(space):
    known = book.accounts(space, book.units(space))
    orders = space.tables["orders"]
    ago = (orders["order_date"].max().normalize() + pd.Timedelta(days=1) - orders["order_date"]) / pd.Timedelta(
        days=365
    )
    for name, low in (("spend", 0), ("spend_before", 1)):
        amount = orders.loc[(ago > low) & (ago <= low + 1), "amount"].sum()
        assert known[name].sum() == pytest.approx(amount)


def test_regions_cover_the_market_and_the_two_ways_meet(space):
    step = journey.tam(space)
    market = step["market"]
    for name in ("penetration", "regions"):
        assert set(step[name].index) == set(market["area_id"])
    assert step["penetration"]["sam"].sum() == pytest.approx(market["sam"].sum())
    assert step["check"]["bottom_up"].sum() == pytest.approx(market["tam"].sum())
    assert step["unmatched"]["share"].sum() == pytest.approx(
        market.loc[~market["area_id"].isin(book.units(space)["area_id"]), "sam"].sum() / market["sam"].sum()
    )
    assert step["drivers"]["differs"].all()


def test_a_kept_card_decides_the_scores_until_it_is_taken_back(tmp_path):
    tables, _ = sample.company(1_000, seed=1)
    sample.write(tables, tmp_path / "tables")
    space = workspace.create(tmp_path / "space", tmp_path / "tables")
    learned = journey.icp(space)
    book.keep_rules(space, {"employees": {"at": [1, 1000], "weight": [0.0, 1.0]}})
    stated = journey.icp(workspace.open_workspace(space.folder))
    employees = space.tables["accounts"].set_index("account_id")["employees"]
    known = employees.notna()
    assert stated.facts["stated"]
    ranks = pd.DataFrame({"score": stated["scores"]["score"], "employees": employees.clip(1, 1000)})[known].rank()
    assert np.corrcoef(ranks.T)[0, 1] > 0.999
    book.keep_rules(space, None)
    pd.testing.assert_frame_equal(journey.icp(workspace.open_workspace(space.folder))["scores"], learned["scores"])


def test_a_card_that_is_no_toml_is_named(space):
    (space.folder / "icp.toml").write_text("sector = [", encoding="utf-8")
    try:
        with pytest.raises(BadInput, match=r"icp\.toml"):
            book.rules(space)
    finally:
        book.keep_rules(space, None)


def test_key_accounts_come_with_their_page(space):
    step = journey.key_accounts(space)
    assert step["plans"].index.tolist() == step["ranking"].index[: len(step["plans"])].tolist()
    assert step["ranking"]["in_top_share"].between(0, 1).all()
    assert (step["plans"]["next_action"] != "").all()
