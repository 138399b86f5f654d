import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import Scored, forecast_revenue, potential, score_accounts
from territory_lab.propensity.features import account_features
from territory_lab.propensity.gaps import Purchases, gap_features, item_scores
from territory_lab.propensity.labels import cross_sell, upsell, usual
from territory_lab.timeline import Snapshot

DAY = pd.Timedelta(days=1)
AS_OF = pd.Timestamp("2026-01-01")


@pytest.fixture
def snapshot(company: dict[str, pd.DataFrame]) -> Snapshot:
    return Snapshot(company, AS_OF, 730 * DAY, 90 * DAY)


@pytest.fixture(scope="session")
def scored(company: dict[str, pd.DataFrame]) -> Scored:
    return score_accounts(company, seed=3)


def test_features_are_those_of_plain_pandas(snapshot: Snapshot, company: dict[str, pd.DataFrame]) -> None:
    orders = company["orders"]
    account = snapshot.customers[5]
    own = orders[
        (orders["account_id"] == account) & (orders["order_date"] < AS_OF) & (orders["order_date"] >= AS_OF - 730 * DAY)
    ]
    row = account_features(snapshot).loc[account]
    assert row["recency_d"] == (AS_OF - own["order_date"].max()).days
    assert row["orders"] == len(own)
    assert row["products"] == own["product_id"].nunique()
    window = own.loc[own["order_date"] >= AS_OF - 90 * DAY, "amount"].sum()
    assert np.expm1(row["log_window"]) == pytest.approx(window)
    year = own.loc[own["order_date"] >= AS_OF - 365 * DAY, "amount"].sum()
    assert np.expm1(row["log_usual"]) == pytest.approx(year * 90 / 365)


def test_the_future_leaves_no_trace_in_features(snapshot: Snapshot, company: dict[str, pd.DataFrame]) -> None:
    orders = company["orders"]
    past = Snapshot(company | {"orders": orders[orders["order_date"] < AS_OF]}, AS_OF, 730 * DAY, 90 * DAY)
    pd.testing.assert_frame_equal(account_features(past), account_features(snapshot))
    wide = gap_features(snapshot, account_features(snapshot))
    pd.testing.assert_frame_equal(gap_features(past, account_features(past)), wide)


def test_labels_are_those_of_plain_pandas(snapshot: Snapshot, company: dict[str, pd.DataFrame]) -> None:
    orders = company["orders"]
    later = orders[(orders["order_date"] >= AS_OF) & (orders["order_date"] < AS_OF + 90 * DAY)]
    found = upsell(snapshot)
    for account in snapshot.customers[:40]:
        amount = later.loc[later["account_id"] == account, "amount"].sum()
        assert found.loc[account, "bought"] == (amount > 1.2 * usual(snapshot)[account])
    gaps = gap_features(snapshot, account_features(snapshot)).index
    closed = set(map(tuple, later[["account_id", "product_id"]].to_numpy())) & set(gaps)
    assert cross_sell(snapshot, gaps)["bought"].sum() == len(closed)


def test_gaps_are_what_is_not_owned_and_may_be_sold(snapshot: Snapshot, company: dict[str, pd.DataFrame]) -> None:
    before = snapshot.before["orders"]
    owned = set(map(tuple, before[["account_id", "product_id"]].to_numpy()))
    sector = company["accounts"].set_index("account_id")["sector"]
    gaps = set(gap_features(snapshot, account_features(snapshot)).index)
    products = company["products"]["product_id"]
    every = {(a, p) for a in snapshot.customers for p in products if p != "p5" or sector[a] == "42"}
    assert gaps == every - owned


def test_item_scores_are_the_textbook_cosine(snapshot: Snapshot) -> None:
    owned = Purchases.of(snapshot).between(0, 730)
    dense = owned.toarray()
    cosine = np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in dense.T] for a in dense.T])
    np.fill_diagonal(cosine, 0)
    np.testing.assert_allclose(item_scores(owned).toarray(), dense @ cosine)


def test_the_planted_affinity_is_found_out_of_time(scored: Scored) -> None:
    model = scored.models["cross_sell"]
    assert model.verdict == "signal"
    assert model.over_base_.low > 0
    p1 = scored.propensity[scored.propensity["product_id"] == "p1"]
    assert len(p1) > 0
    assert p1["probability"].between(0, 1).all()


def test_scores_cover_customers_once_and_sum_to_what_models_foretell(scored: Scored) -> None:
    table = scored.propensity
    assert list(table.columns) == ["account_id", "product_id", "kind", "probability", "expected_revenue"]
    assert not table.duplicated(["account_id", "product_id", "kind"]).any()
    assert table["expected_revenue"].is_monotonic_decreasing
    assert table.loc[table["kind"] == "upsell", "product_id"].isna().all()
    assert [date.strftime("%Y-%m-%d") for date in scored.snapshots] == [
        "2025-07-06",
        "2025-10-04",
        "2026-01-02",
        "2026-04-02",
    ]


def test_the_same_seed_gives_the_same_scores(company: dict[str, pd.DataFrame], scored: Scored) -> None:
    pd.testing.assert_frame_equal(score_accounts(company, seed=3).propensity, scored.propensity)


def test_events_after_the_day_of_the_scores_change_nothing(company: dict[str, pd.DataFrame]) -> None:
    orders = company["orders"]
    cut = company | {"orders": orders[orders["order_date"] < AS_OF]}
    one, two = (score_accounts(tables, AS_OF, horizon_d=60).propensity for tables in (company, cut))
    pd.testing.assert_frame_equal(one, two)


def test_potential_is_additive_over_customers_and_follows_the_fit_of_prospects(
    company: dict[str, pd.DataFrame], scored: Scored
) -> None:
    ids = company["accounts"]["account_id"]
    base = forecast_revenue(company["orders"], scored.as_of)
    fit = pd.Series(0.0, ids)
    prospect = ids.iloc[-1]
    fit[prospect] = 0.5
    half, whole = (potential(company, scored, fit=share * fit, base=base) for share in (1, 2))
    assert half.index.tolist() == ids.tolist()
    assert half.notna().all()
    assert whole[prospect] == pytest.approx(2 * half[prospect])
    assert (half[base.expected.index] >= base.expected - 1e-9).all()
    assert half[ids.iloc[-2]] == 0
    with pytest.raises(BadInput, match="between 0 and 1"):
        potential(company, scored, fit=100 * fit, base=base)


def test_a_short_history_is_refused_with_the_days_it_would_take(company: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(BadInput, match="give at least 540 days"):
        score_accounts(company, pd.Timestamp("2024-07-01"))
