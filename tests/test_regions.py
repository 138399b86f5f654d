"""Oracles: planted regions, exact regressions on one region alone, invariance under units and order."""

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.market import Play, local_drivers, local_factors, regional_profiles


def deals(seed, local_size=0.0, local_win=0.0):
    """Draw deals in 20 regions; r00 wins more by ``local_win``, its size counts for ``local_size`` more."""
    rng = np.random.default_rng(seed)
    count = np.r_[400, 8, np.full(18, 150)]
    accounts = pd.DataFrame({"area_id": np.repeat([f"r{i:02}" for i in range(20)], count)})
    accounts["employees"] = np.exp2(rng.normal(4, 1.5, len(accounts)))
    accounts.index = pd.Index([f"a{i}" for i in range(len(accounts))], name="account_id")
    own = accounts["area_id"] == "r00"
    drift = rng.normal(0, 0.15, 20)[accounts["area_id"].str[1:].astype(int)]
    log_odds = -1 + drift + own * local_win + (0.2 + own * local_size) * (np.log2(accounts["employees"]) - 4)
    won = rng.random(len(accounts)) < 1 / (1 + np.exp(-log_odds))
    opened = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, len(accounts)), unit="D")
    days = np.where(own, 120, 40) * np.exp(rng.normal(0, 0.3, len(accounts)))
    opportunities = pd.DataFrame(
        {
            "account_id": accounts.index,
            "stage": np.where(won, "won", "lost"),
            "created_date": opened,
            "close_date": opened + pd.to_timedelta(days.round(), unit="D"),
        }
    )
    return opportunities, accounts


def test_a_region_where_a_trait_counts_otherwise_is_found_and_others_are_left_alone():
    found = false = 0
    for seed in range(15):
        table = local_drivers(*deals(seed, local_size=0.6), ["employees"]).set_index(["part", "region"])
        slope = table.loc["employees: per doubling"]
        found += bool(slope.loc["r00", "differs"])
        false += int(slope.drop(index="r00")["differs"].sum())
    assert found >= 13
    assert false <= 0.05 * 15 * 19 + 5


def test_a_region_that_wins_more_is_found_and_eight_deals_stay_near_the_nation():
    table = local_drivers(*deals(0, local_win=1.2), ["employees"]).set_index(["part", "region"]).loc["winning"]
    assert table["differs"].idxmax() == "r00"
    assert table.loc["r00", "low"] < 1.1 < table.loc["r00", "high"] + 0.3
    opportunities, accounts = deals(1)
    lucky = opportunities["account_id"].map(accounts["area_id"]) == "r01"
    table = local_drivers(
        opportunities.assign(stage=opportunities["stage"].mask(lucky, "won")), accounts, ["employees"]
    )
    eight = table[(table["part"] == "winning") & (table["region"] == "r01")].iloc[0]
    assert eight["deals"] == 8
    assert 0 < eight["local"] < 1.5  # eight of eight won says infinity


def test_nothing_local_means_nothing_told():
    rng = np.random.default_rng(0)
    opportunities, accounts = deals(3)
    table = local_drivers(opportunities.assign(stage=rng.permutation(opportunities["stage"])), accounts, ["employees"])
    assert table["differs"].sum() <= 2


def market_of(accounts):
    regions = sorted(accounts["area_id"].unique())
    return pd.DataFrame(
        {
            "area_id": np.repeat(regions, 2),
            "sector": ["23", "62"] * len(regions),
            "employees": np.tile([300.0, 700.0], len(regions)),
            "establishments": 50.0,
            "sam": 1000.0,
            "held": np.tile([400.0, 0.0], len(regions)),
        }
    )


def test_factors_are_what_the_tables_say():
    opportunities, accounts = deals(0)
    rng = np.random.default_rng(1)
    accounts["spend"], accounts["spend_before"] = rng.random(len(accounts)), rng.random(len(accounts))
    extra = pd.DataFrame({"density": 5.0}, [f"r{i:02}" for i in range(20)])
    factors = local_factors(market_of(accounts), accounts, opportunities, extra=extra)
    first = factors.loc["r00"]
    assert first[["establishments", "mean_size", "goods_share", "held_share"]].tolist() == [100, 10, 0.3, 0.2]
    own = accounts[accounts["area_id"] == "r00"]
    assert first["growth"] == pytest.approx(own["spend"].sum() / own["spend_before"].sum() - 1)
    assert first["density"] == 5
    assert first["deals"] == 400
    raw = (opportunities.set_index("account_id").loc[own.index, "stage"] == "won").mean()
    overall = (opportunities["stage"] == "won").mean()
    assert raw < first["win_rate"] < overall
    assert first["win_rate_low"] < first["win_rate"] < first["win_rate_high"]
    assert factors.loc["r01", "win_rate"] == pytest.approx(overall, abs=0.05)
    assert first["cycle_days"] == pytest.approx(120, rel=0.05)
    assert factors.loc["r05", "cycle_days"] == pytest.approx(40, rel=0.1)


def planted_regions():
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], [12, 8, 6])
    centres = np.array([[0.02, 0.4, 100.0], [0.3, 0.2, 4000.0], [0.02, 0.1, 10.0]])
    table = pd.DataFrame(centres[kinds] * rng.normal(1, 0.05, (26, 3)), columns=["held_share", "win_rate", "density"])
    return table.set_axis([f"r{i}" for i in range(26)]).assign(deals=rng.integers(1, 99, 26)), kinds


def test_planted_segments_come_back_with_the_play_that_fits_them():
    factors, kinds = planted_regions()
    profiles = regional_profiles(factors)
    assert pd.crosstab(profiles["segment"], kinds).to_numpy().tolist() == [[12, 0, 0], [0, 8, 0], [0, 0, 6]]
    assert profiles["description"].iloc[-1].startswith("low")
    assert profiles["play"].iloc[0] == "attack"
    assert "deals" not in profiles


def test_segments_do_not_depend_on_units_or_order():
    factors, _ = planted_regions()
    one = regional_profiles(factors)
    other = regional_profiles((factors * [1000, 1, 0.386, 1]).iloc[::-1]).loc[factors.index]
    assert (pd.crosstab(one["segment"], other["segment"]) > 0).sum(axis=1).max() == 1
    assert regional_profiles(factors).equals(one)


def test_own_plays_are_used_and_too_few_regions_are_refused():
    factors, _ = planted_regions()
    own = (Play("send the boat", {"density": "low"}, "Go there once a year."), Play("none", {"moon": "high"}, "Wait."))
    assert set(regional_profiles(factors, playbook=own)["play"]) == {"send the boat", "as elsewhere"}
    with pytest.raises(BadInput, match="too few"):
        regional_profiles(factors.iloc[:3])
