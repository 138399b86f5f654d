"""Oracles: markets small enough to do by hand, closed forms of the log-normal, planted truths, textbook pooling."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from territory_lab import geography
from territory_lab.errors import BadInput
from territory_lab.market import (
    assume,
    certainty,
    contract_values,
    cross_check,
    expected_spend,
    market_by,
    penetration,
    serviceable,
    size_market,
    totals,
    unmatched,
)
from territory_lab.market._rates import pooled_rates
from territory_lab.market.census import sector_of

HALF = norm.ppf(0.9)


@pytest.fixture
def reference():
    """Two areas x two sectors, one cell estimated."""
    return pd.DataFrame(
        {
            "area_id": ["n", "n", "s", "s"],
            "area": ["North", "North", "South", "South"],
            "sector": ["23", "62", "23", "62"],
            "employees": [1000.0, 2000.0, 500.0, 4000.0],
            "establishments": [100.0, 50.0, 50.0, 100.0],
            "establishments_low": [100.0, 50.0, 40.0, 100.0],
            "establishments_high": [100.0, 50.0, 70.0, 100.0],
            "source": ["reported", "reported", "estimate", "reported"],
        }
    )


@pytest.fixture
def accounts():
    """Three customers and two that are not."""
    return pd.DataFrame(
        {
            "sector": ["23", "23", "62", "62", "23"],
            "area_id": ["n", "s", "n", "s", "n"],
            "spend": [300.0, 500.0, 900.0, np.nan, 0.0],
            "fit": [True, True, True, False, False],
        },
        index=pd.Index(list("abcde"), name="account_id"),
    )


STATED = {"contract_value": {"23": 1000, "62": 10}, "fit_share": 0.5, "win_rate": 0.2}


def test_stated_figures_multiply_as_by_hand(reference, accounts):
    market = size_market(reference, accounts, **STATED, need_share=0.8, reach_share={"n": 1.0, "s": 0.5}, capacity=10)
    assert market["tam"].tolist() == pytest.approx([80_000, 900, 40_000, 800])  # held 900 is more than .8 x 50 x 10
    assert market["sam"].tolist() == pytest.approx([40_000, 900, 10_000, 200])
    # prospects: 40 - .3, none, 10 - .5, 20 fitting establishments; capacity for 10 of them
    workable = 10 / (39.7 + 9.5 + 20)
    som = [300 + 39_700 * 0.2 * workable, 900, 500 + 9_500 * 0.2 * workable, 200 * 0.2 * workable]
    assert market["som"].tolist() == pytest.approx(som)
    assert market["area"].tolist() == ["North", "North", "South", "South"]


def test_what_is_reported_and_stated_has_no_interval_and_what_is_estimated_has_its_own(reference, accounts):
    market = size_market(reference, accounts, **STATED, draws=4000)
    certain = market["source"] == "reported"
    assert (market["tam_low"][certain] == market["tam_high"][certain]).all()
    south = market[~certain].iloc[0]
    assert south["tam_low"] == pytest.approx(40_000, rel=0.02)
    assert south["tam_high"] == pytest.approx(70_000, rel=0.02)


def test_the_funnel_narrows_in_every_cell_and_every_total(reference, accounts):
    opportunities = pd.DataFrame(
        {
            "account_id": list("abcab"),
            "stage": ["won", "won", "lost", "lost", "open"],
            "close_date": pd.Timestamp("2026-01-01"),
        }
    )
    market = size_market(reference, accounts, opportunities)
    for end in ("", "_low", "_high"):
        assert (market[f"tam{end}"] >= market[f"sam{end}"]).all()
        assert (market[f"sam{end}"] >= market[f"som{end}"]).all()
    assert (market["som"] >= market["held"]).all()
    assert totals(market)["value"].is_monotonic_decreasing


def test_other_assumptions_give_what_sizing_anew_gives(reference, accounts):
    deals = pd.DataFrame(
        {
            "account_id": ["d", "e"] * 5,
            "stage": ["won", "lost"] * 5,
            "close_date": pd.date_range("2026-01-01", periods=10),
        }
    )
    stated = {"contract_value": STATED["contract_value"], "fit_share": 0.5, "seed": 3}
    market = size_market(reference, accounts, deals, **stated)
    again = size_market(reference, accounts, deals, **stated, need_share=0.5, win_rate=0.3)
    pd.testing.assert_frame_equal(assume(market, need_share=0.5, win_rate=0.3, seed=3), again)
    pd.testing.assert_frame_equal(assume(market, seed=3), market)
    with pytest.raises(BadInput, match="reach_share"):
        assume(market, reach_share=1.5)


def test_groups_add_up_and_their_intervals_are_those_of_sums(reference, accounts):
    cells = pd.concat(
        [reference.assign(area_id=f"{i:02}" + reference["area_id"], source="estimate") for i in range(20)]
    )
    cells = cells.assign(
        establishments_low=cells["establishments"] * 0.6, establishments_high=cells["establishments"] / 0.6
    )
    market = size_market(cells, accounts, **STATED, draws=2000)
    whole = totals(market, draws=2000)
    for by in ("area_id", "sector", "source"):
        groups = market_by(market, by)
        assert groups["sam"].sum() == pytest.approx(market["sam"].sum())
        assert groups["establishments"].sum() == pytest.approx(cells["establishments"].sum())
    assert whole.loc["TAM", "value"] == pytest.approx(market["tam"].sum())
    assert market["tam_low"].sum() < whole.loc["TAM", "low"] < whole.loc["TAM", "value"] < whole.loc["TAM", "high"]
    assert whole.loc["TAM", "high"] < market["tam_high"].sum()
    # closed form: independent cells but for a quarter of the variance, which is common to the sector
    spread = np.log(1 / 0.6) / HALF
    size = market.groupby("sector")["tam"].agg(["sum", lambda one: (one**2).sum()]).to_numpy()
    shared, own = np.expm1(0.25 * spread**2), np.expm1(spread**2)
    variance = np.exp(spread**2) * (size[:, 0] ** 2 * shared + size[:, 1] * (own - shared)).sum()
    assert (whole.loc["TAM", "high"] - whole.loc["TAM", "low"]) / (2 * HALF) == pytest.approx(variance**0.5, rel=0.1)


def test_without_orders_stated_figures_are_enough(reference, accounts):
    market = size_market(reference, accounts.drop(columns=["spend", "fit"]), **STATED)
    assert market["tam"].tolist() == [100_000, 500, 50_000, 1000]
    assert (market["held"] == 0).all()


def test_the_same_seed_gives_the_same_market(reference, accounts):
    one, two, other = (size_market(reference, accounts, win_rate=0.2, seed=seed) for seed in (3, 3, 4))
    assert one.equals(two)
    assert not one.equals(other)
    assert totals(one).equals(totals(two))


def test_money_scales_with_the_currency_and_order_does_not_matter(reference, accounts):
    market = size_market(reference, accounts, win_rate=0.2)
    dear = size_market(reference, accounts.assign(spend=accounts["spend"] * 1300), win_rate=0.2)
    assert np.allclose(dear["tam"], market["tam"] * 1300)
    turned = size_market(reference.iloc[::-1], accounts.iloc[::-1], win_rate=0.2).sort_values(["area_id", "sector"])
    assert np.allclose(turned["som"], market["som"])


def planted(seed, customers=300):
    """Draw customers whose spend is a known value by sector times size to the power .7."""
    rng = np.random.default_rng(seed)
    value = {"23": 1000.0, "31-33": 3000.0, "42": 1500.0, "62": 500.0}
    table = pd.DataFrame({"sector": rng.choice(list(value), customers, p=[0.5, 0.3, 0.15, 0.05])})
    table["employees"] = np.exp(rng.normal(2.5, 1.2, customers))
    noise = np.exp(rng.normal(-0.32, 0.8, customers))
    table["spend"] = table["sector"].map(value) * table["employees"] ** 0.7 * noise
    return table, pd.Series(value)


def test_planted_contract_values_and_size_power_lie_in_their_intervals():
    covered, powers = [], []
    for seed in range(60):
        table, value = planted(seed)
        found = contract_values(table)
        truth = value * (table["employees"] ** found.size_exponent).mean()
        covered += list(truth.between(found.table["low"], found.table["high"]))
        powers.append(abs(found.size_exponent - 0.7) < HALF * found.size_error)
    assert 0.7 < np.mean(covered) < 0.9
    assert 0.65 < np.mean(powers) < 0.95


def test_expected_spend_is_value_at_the_accounts_size_times_the_chance_to_buy():
    table, _ = planted(0)
    values = contract_values(table)
    accounts = pd.DataFrame({"sector": ["23", "62", "11"], "employees": [values.employees, 2 * values.employees, 5.0]})
    spend = expected_spend(accounts, pd.Series([0.5, 0.25, 1.0]), values)
    worth = values.table["contract_value"]
    assert spend.tolist() == pytest.approx([worth["23"] / 2, worth["62"] / 4 * 2**values.size_exponent, 0])


def test_cells_with_larger_establishments_are_worth_more():
    table, value = planted(0, customers=4000)
    cells = pd.DataFrame(
        {
            "area_id": ["x", "y"],
            "sector": "23",
            "employees": [1000.0, 8000.0],
            "establishments": 100.0,
            "source": "reported",
        }
    )
    market = size_market(cells, table, fit_share=1.0, win_rate=0.2).set_index("area_id")
    assert market.loc["y", "tam"] / market.loc["x", "tam"] == pytest.approx(8**0.7, rel=0.1)
    # sizes in a cell are spread like those of the customers: E[e^.7] of a log-normal with mean 10
    mean = np.exp(0.7 * (np.log(10) - 1.2**2 / 2) + 0.7**2 * 1.2**2 / 2)
    assert market.loc["x", "contract_value"] == pytest.approx(value["23"] * mean, rel=0.1)


def test_a_small_group_leans_on_the_whole_and_a_large_one_stands_alone():
    won, decided = pd.Series({"a": 100, "b": 300, "c": 1, "d": 0}), pd.Series({"a": 1000, "b": 1000, "c": 1, "d": 0})
    rates = pooled_rates(won, decided)
    assert rates.loc["a", "rate"] == pytest.approx(0.1, abs=0.01)
    assert rates.loc["b", "rate"] == pytest.approx(0.3, abs=0.01)
    assert 0.2 < rates.loc["c", "rate"] < 0.4
    assert rates.loc["d", "rate"] == pytest.approx(0.2, abs=0.01)
    assert rates.loc["d", "strength"] < rates.loc["c", "strength"] < rates.loc["a", "strength"]


def test_serviceable_accounts_fit_as_well_as_four_fifths_of_the_customers():
    probability = pd.Series(np.linspace(0.01, 1, 100))
    customer = pd.Series(probability.index >= 50)
    fit = serviceable(probability, customer)
    assert fit[customer].mean() == pytest.approx(0.8)
    assert not fit[~customer].any()


def test_every_fault_is_named_at_once(reference, accounts):
    broken = pd.concat([reference, reference.iloc[[0]].assign(sector="99"), reference.iloc[[1]]], ignore_index=True)
    broken.loc[2, "employees"] = -1.0
    broken.loc[3, "establishments_low"] = 500.0
    with pytest.raises(BadInput) as caught:
        size_market(broken, accounts.assign(spend=[-1.0, 5.0, 5.0, 5.0, 5.0]).drop(columns="fit"))
    assert [(fault.table, fault.column, fault.row) for fault in caught.value.faults] == [
        ("market", "area_id", "n / 62"),
        ("market", "sector", "99"),
        ("market", "employees", "s / 23"),
        ("market", "establishments_low", "s / 62"),
        ("accounts", "fit", ""),
        ("opportunities", "", ""),
        ("accounts", "spend", "a"),
    ]
    with pytest.raises(BadInput, match=r"1.5 is no share"):
        size_market(reference, accounts, win_rate=1.5)


def test_penetration_is_what_the_books_say_over_what_the_market_holds(reference, accounts):
    market = size_market(reference, accounts, **STATED)
    table = penetration(market, accounts)
    by_hand = market.groupby("area_id")["sam"].sum()
    assert table["white_space"].to_dict() == pytest.approx({"n": by_hand["n"] - 1200, "s": by_hand["s"] - 500})
    assert table["held_share"].to_dict() == pytest.approx({"n": 1200 / by_hand["n"], "s": 500 / by_hand["s"]})
    assert table.loc["n", ["establishments", "customers", "customer_share"]].tolist() == pytest.approx(
        [150, 2, 2 / 150]
    )
    assert table.loc["n", "effective_customers"] == pytest.approx(1200**2 / (300**2 + 900**2))
    assert table.loc["n", "largest_share"] == 0.75
    assert table["white_space"].is_monotonic_decreasing
    exact = binomtest(2, 150).proportion_ci(0.8, method="exact")
    assert (
        exact.low < table.loc["n", "customer_share_low"] < 2 / 150 < table.loc["n", "customer_share_high"] < exact.high
    )


def test_the_second_way_to_the_market_agrees_where_spend_follows_heads_and_differs_where_told(reference):
    table, _ = planted(0)
    table["spend"] = 20 * table["employees"]
    market = size_market(reference, table, fit_share=1.0, win_rate=0.2)
    check = cross_check(market, table)
    assert check["ratio"].tolist() == pytest.approx([1, 1], rel=0.05)
    assert (check["top_down"].sort_index() == 20 * reference.groupby("sector")["employees"].sum()).all()
    assert cross_check(market, table, {"23": 1, "62": 1e12})["verdict"].tolist() == ["differs", "differs"]


def test_a_sector_is_known_as_well_as_its_middling_cell(reference, accounts):
    factor = certainty(size_market(reference, accounts, **STATED))
    # of the two cells of 23 one is reported and one lies between 40 and 70
    assert factor.to_dict() == pytest.approx({"23": (1 + (70 / 40) ** 0.5) / 2, "62": 1.0})
    assert factor.index[0] == "23"


def test_areas_beside_the_map_are_listed_with_their_share(reference, accounts):
    market = size_market(reference, accounts, **STATED)
    lost = unmatched(market, ["n", "elsewhere"])
    assert lost.index.tolist() == ["s"]
    assert lost.loc["s", "share"] == pytest.approx(
        market.loc[market["area_id"] == "s", "sam"].sum() / market["sam"].sum()
    )


@pytest.fixture(scope="module")
def census(cases):
    """Count establishments by metro and sector, County Business Patterns 2018."""
    table = pd.read_parquet(cases / "market" / "cbp2018_cbsa_naics4.parquet")
    joined = table["naics_code"].str[:2].isin(["31", "32", "33", "44", "45", "48", "49"])
    table = table[table["naics_level"] == np.where(joined, 3, 2)]
    sector = sector_of(table["naics_code"])
    return table.groupby([table["cbsa_code"].rename("area_id"), sector.rename("sector")])["ESTAB"].sum()


def test_the_shipped_estimate_covers_the_census_count_in_four_of_five_cells(census):
    accounts = pd.DataFrame({"sector": ["23"]}, index=["a"])
    market = size_market(geography.market_reference(), accounts, contract_value=1.0, fit_share=1.0, win_rate=0.2)
    cells = market.set_index(["area_id", "sector"]).join(census, how="inner")
    assert len(cells) > 7000
    covered = cells["ESTAB"].between(cells["tam_low"], cells["tam_high"])
    assert 0.75 < covered.mean() < 0.9
    sectors = market_by(cells.reset_index(), "sector").sort_index()
    truth = cells.groupby("sector")["ESTAB"].sum().sort_index()
    assert truth.between(sectors["tam_low"], sectors["tam_high"]).mean() > 0.5
