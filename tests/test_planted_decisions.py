"""What the sample companies plant about territories comes back: the gain of a balance, the troubled and the strong."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from territory_lab import geography, sample
from territory_lab.evaluation import performance, territory_sales
from territory_lab.response import SalesResponse

COMPANIES = 6


class Company(NamedTuple):
    accounts: pd.DataFrame  # unit_id, spend, customer, potential
    units: pd.DataFrame
    today: pd.Series
    hours: pd.Series
    homes: pd.DataFrame
    truth: dict


@pytest.fixture(scope="module")
def companies() -> list[Company]:
    postcodes = geography.postcodes()
    return [company(seed, postcodes) for seed in range(COMPANIES)]


def company(seed: int, postcodes: pd.DataFrame) -> Company:
    tables, truth = sample.company(12_000, seed=seed)
    accounts, units = tables["accounts"].set_index("account_id"), tables["units"].set_index("unit_id")
    accounts["unit_id"] = geography.unit_of(accounts.reset_index(), units.reset_index(), postcodes).to_numpy()
    orders = tables["orders"]
    recent = orders[orders["order_date"] > orders["order_date"].max() - pd.Timedelta(days=365)]
    accounts["spend"] = recent.groupby("account_id")["amount"].sum().reindex(accounts.index).fillna(0.0)
    accounts["customer"] = accounts.index.isin(orders["account_id"])
    accounts["potential"] = potential(accounts)
    today = tables["alignment"].set_index("unit_id")["territory_id"]
    homes = tables["reps"].dropna(subset=["territory_id"]).set_index("territory_id")
    return Company(accounts, units, today, homes["selling_h"], homes, truth)


def potential(accounts: pd.DataFrame) -> pd.Series:
    """What customers of a sector spend for their size, and a fifth of it for those who do not buy yet."""
    size = accounts["employees"].fillna(accounts["employees"].median()).clip(lower=1) ** 0.8
    customers = accounts["customer"]
    spend = accounts["spend"][customers].groupby(accounts["sector"]).sum()
    base = size[customers].groupby(accounts["sector"]).sum()
    usual = spend.sum() / base.sum()
    some = 20 * base.sum() / customers.sum()
    level = (spend + usual * some) / (base + some)
    return accounts["sector"].map(level).fillna(usual) * size * np.where(customers, 1.0, 0.2)


def in_strips(case: Company, load: pd.Series) -> pd.Series:
    """Deal the units out from west to east so that all territories have the same potential."""
    order = case.units["lon"].sort_values().index
    west_to_east = case.homes["lon"].sort_values().index
    strip = (load[order].cumsum() / load.sum() * len(west_to_east) - 1e-9).astype(int)
    return pd.Series(west_to_east[strip], index=order, name="territory_id")


def planted_sales(case: Company, alignment: pd.Series) -> float:
    """The generator's own rule: fair sales x skill x (hours over mean) / (load over mean), to the elasticity."""
    fair = pd.Series(case.truth["fair_sales_by_unit"]).reindex(alignment.index).fillna(0.0)
    load = fair.groupby(alignment).sum().reindex(case.hours.index)
    skill = np.exp(case.truth["skill_on_sales"] * pd.Series(case.truth["rep_skill"]))
    time = case.hours / case.hours.mean() / (load / load.mean())
    return float((skill * time ** case.truth["elasticity"] * load).sum())


def test_the_band_of_the_lift_covers_the_planted_gain(companies):
    covered = []
    for case in companies:
        load = case.accounts.groupby("unit_id")["potential"].sum().reindex(case.units.index).fillna(0.0)
        proposed = in_strips(case, load)
        band = SalesResponse().lift(load, case.today, proposed, case.hours).loc["balance"]
        gain = planted_sales(case, proposed) / planted_sales(case, case.today) - 1
        covered.append(band["low"] <= gain <= band["high"])
    assert np.mean(covered) >= 0.8  # 49 of 50 companies when measured


def test_planted_trouble_and_strength_are_found_with_few_false_calls(companies):
    troubled, strong, false = [], [], []
    for case in companies:
        territory = case.accounts["unit_id"].map(case.today)
        table = territory_sales(case.accounts["spend"], territory, case.accounts["potential"])
        table["potential"] = case.accounts["potential"].groupby(territory).sum()
        verdict = performance(table.assign(workload_h=1.0))["verdict"]
        troubled += (verdict[case.truth["troubled"]] == "troubled").tolist()
        strong += (verdict[case.truth["strong"]] == "strong").tolist()
        false += (verdict.drop(case.truth["troubled"] + case.truth["strong"]) != "as expected").tolist()
    assert np.mean(troubled) >= 0.6  # 80 of 100 when measured over 50 companies
    assert np.mean(strong) >= 0.4  # 62 of 100
    assert np.mean(false) <= 0.1  # 65 of 1,300
