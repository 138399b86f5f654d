import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import WhiteSpaceModel, white_space
from territory_lab.propensity.features import account_features
from territory_lab.propensity.gaps import Purchases, gap_features, taste_scores
from territory_lab.timeline import Snapshot

DAY = pd.Timedelta(days=1)
AS_OF = pd.Timestamp("2026-01-01")

Tables = dict[str, pd.DataFrame]


def owned_by(tables: Tables, days: int) -> set[tuple[str, str]]:
    orders = tables["orders"]
    recent = orders[(orders["order_date"] < AS_OF) & (orders["order_date"] >= AS_OF - days * DAY)]
    return set(map(tuple, recent[["account_id", "product_id"]].to_numpy()))


@pytest.fixture(scope="module")
def model(company: Tables) -> WhiteSpaceModel:
    return WhiteSpaceModel(owned_d=180, algorithm="logistic", seed=2).fit(company, AS_OF)


def test_every_cell_has_the_status_that_plain_pandas_gives(company: Tables, model: WhiteSpaceModel) -> None:
    opened = pd.DataFrame({"account_id": ["a0003", "a0004"], "product_id": ["p1", "p1"], "stage": "open"})
    tables = company | {"opportunities": opened.assign(created_date=AS_OF - 10 * DAY)}
    snapshot = Snapshot(tables, AS_OF, 730 * DAY, 90 * DAY)
    scores = model.grid(company, AS_OF).dropna(subset="probability")[["account_id", "product_id", "probability"]]
    grid = white_space(snapshot, scores).set_index(["account_id", "product_id"])
    assert len(grid) == len(snapshot.customers) * 6
    owned, sector = owned_by(company, 180), company["accounts"].set_index("account_id")["sector"]
    for account, product in grid.index[:600]:
        status = "owned" if (account, product) in owned else "gap"
        if status == "gap" and product == "p5" and sector[account] != "42":
            status = "not eligible"
        if status == "gap" and (account, product) in {("a0003", "p1"), ("a0004", "p1")}:
            status = "open opportunity"
        assert grid.loc[(account, product), "status"] == status
    assert (grid["status"] == "open opportunity").sum() >= 1
    assert grid["probability"].notna().equals(grid["status"].isin(["gap", "open opportunity"]))


def test_gaps_are_ranked_within_account_and_within_rep(company: Tables, model: WhiteSpaceModel) -> None:
    reps = np.where(np.arange(len(company["accounts"])) % 2, "R1", "R2")
    tables = company | {"accounts": company["accounts"].assign(owner_id=reps)}
    grid = model.grid(tables, AS_OF)
    gaps = grid[grid["status"] == "gap"]
    assert grid.loc[grid["status"] != "gap", ["rank_account", "rank_rep"]].isna().all(axis=None)
    first = gaps[gaps["rank_account"] == 1].set_index("account_id")["probability"]
    pd.testing.assert_series_equal(first, gaps.groupby("account_id")["probability"].max())
    for _, own in gaps.groupby("rep_id"):
        assert own.sort_values("rank_rep")["probability"].is_monotonic_decreasing
        assert sorted(own["rank_rep"]) == list(range(1, len(own) + 1))


def test_the_planted_pair_is_found_on_later_snapshots(model: WhiteSpaceModel) -> None:
    assert model.model_.verdict == "signal"
    assert model.model_.over_base_ is not None
    assert model.model_.over_base_.low > 0


def test_gaps_by_expected_revenue_where_it_is_known(company: Tables) -> None:
    now = Snapshot(company, AS_OF, 730 * DAY, 90 * DAY)
    cells = gap_features(now, account_features(now)).index.to_frame(index=False)
    scores = cells.assign(probability=0.1, expected_revenue=np.arange(len(cells), dtype=float))
    grid = white_space(now, scores)
    assert grid.loc[grid["expected_revenue"].idxmax(), "rank_account"] == 1


def test_cells_to_learn_from_may_have_lapsed(company: Tables) -> None:
    now = Snapshot(company, AS_OF, 730 * DAY, 90 * DAY)
    table = gap_features(now, account_features(now), owned_d=180, cells_d=90)
    assert not set(table.index) & owned_by(company, 90)
    lapsed = table["lapsed_d"].dropna()
    assert set(lapsed.index) <= owned_by(company, 730)
    assert lapsed.min() > 90
    assert len(set(lapsed.index) & owned_by(company, 180)) == (lapsed <= 180).sum() > 0


def test_products_new_to_accounts_are_counted_as_plain_pandas_does(company: Tables) -> None:
    now = Snapshot(company, AS_OF, 730 * DAY, 90 * DAY)
    table = gap_features(now, account_features(now))
    fresh, before = owned_by(company, 90), owned_by(company, 365)
    orders = company["orders"]
    old = orders[(orders["order_date"] < AS_OF - 90 * DAY) & (orders["order_date"] >= AS_OF - 365 * DAY)]
    had = set(map(tuple, old[["account_id", "product_id"]].to_numpy()))
    taken = fresh - had
    assert taken <= before
    size, product = len(now.customers), "p2"
    rate = len(taken) / (size * 6 - len(had))
    expected = rate * (size - sum(item == product for _, item in had))
    ratio = (sum(item == product for _, item in taken) + 2) / (expected + 2)
    assert table.xs(product, level="product_id")["popularity_new"].iloc[0] == pytest.approx(ratio)


def test_as_many_tastes_as_products_less_one_nearly_give_the_grid_back(company: Tables) -> None:
    owned = Purchases.of(Snapshot(company, AS_OF, 730 * DAY, 90 * DAY)).between(0, 730)
    dense = owned.toarray()
    scaled = dense / np.sqrt(dense.sum(axis=0))
    left, weight, right = np.linalg.svd(scaled, full_matrices=False)
    by_hand = left[:, :5] * weight[:5] @ right[:5]
    np.testing.assert_allclose(taste_scores(owned), by_hand, atol=1e-8)


def test_orders_without_products_or_a_short_history_are_refused(company: Tables) -> None:
    bare = company | {"orders": company["orders"].drop(columns="product_id")}
    with pytest.raises(BadInput, match="name no product"):
        WhiteSpaceModel().fit(bare, AS_OF)
    with pytest.raises(BadInput, match="too few days"):
        WhiteSpaceModel().fit(company, pd.Timestamp("2023-10-01"))
