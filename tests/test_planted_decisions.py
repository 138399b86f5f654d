"""What the sample companies plant about territories comes back: gain, trouble and strength, drift, reps and places."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from territory_lab import geography, sample
from territory_lab.alignment import Problem, solve
from territory_lab.evaluation import performance, territory_sales, triggers
from territory_lab.market import contract_values, expected_spend
from territory_lab.quota import attainment_shares
from territory_lab.response import SalesResponse
from territory_lab.scoring import IdealCustomerProfile

COMPANIES = 4
TRAITS = ["sector", "employees", "revenue", "density", "median_income"]


class Company(NamedTuple):
    accounts: pd.DataFrame  # unit_id, territory_id, spend, customer, potential, worth
    orders: pd.DataFrame
    units: pd.DataFrame
    today: pd.Series
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
    accounts["density"] = accounts["unit_id"].map(units["population"] / units["area_km2"])
    accounts["median_income"] = accounts["unit_id"].map(units["median_income"])
    accounts["potential"], accounts["worth"] = potential(accounts), worth(accounts)
    today = tables["alignment"].set_index("unit_id")["territory_id"]
    accounts["territory_id"] = accounts["unit_id"].map(today)
    homes = tables["reps"].dropna(subset=["territory_id"]).set_index("territory_id")
    return Company(accounts, orders, units, today, homes, truth)


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


def worth(accounts: pd.DataFrame) -> pd.Series:
    """What an account would spend by its traits alone, as step 6 has it: nothing of its own sales is in it."""
    profile = IdealCustomerProfile().fit(accounts[[*TRAITS, "state"]], accounts["customer"], place="state")
    values = contract_values(accounts[accounts["spend"] > 0])
    return expected_spend(accounts, profile.probability(accounts), values)


def planted_factor(case: Company) -> pd.Series:
    """What place, skill and hours of a territory make of its sales, against the middle territory."""
    truth, hours = case.truth, case.homes["selling_h"]
    factor = pd.Series(truth["place"]) ** (1 - truth["elasticity"]) * (hours / hours.mean()) ** truth["elasticity"]
    factor *= np.exp(truth["skill_on_sales"] * pd.Series(truth["rep_skill"]))
    return factor / factor.median()


def planted_sales(case: Company, alignment: pd.Series) -> float:
    """The generator's own rule: fair sales x skill x (hours over mean) / (load over mean), to the elasticity."""
    hours = case.homes["selling_h"]
    fair = pd.Series(case.truth["fair_sales_by_unit"]).reindex(alignment.index).fillna(0.0)
    load = fair.groupby(alignment).sum().reindex(hours.index)
    skill = np.exp(case.truth["skill_on_sales"] * pd.Series(case.truth["rep_skill"]))
    time = hours / hours.mean() / (load / load.mean())
    return float((skill * time ** case.truth["elasticity"] * load).sum())


def gain(case: Company, neighbours: pd.DataFrame) -> dict[str, float | bool]:
    """Propose territories of like potential round today's homes; the estimated gain of balance beside the planted."""
    load = case.accounts.groupby("unit_id")["potential"].sum().reindex(case.units.index).fillna(0.0)
    units = case.units[["lon", "lat"]].assign(potential=load)
    inside = neighbours["unit_a"].isin(units.index) & neighbours["unit_b"].isin(units.index)
    tolerance = max(0.25, 1.05 * load.max() / load.sum() * len(case.homes) - 1)  # room for the largest county
    problem = Problem(units, case.homes[["lon", "lat"]], {"potential": tolerance}, neighbours=neighbours[inside])
    proposed = solve(problem, seed=0, time_limit_s=3).alignment
    band = SalesResponse().lift(load, case.today, proposed, case.homes["selling_h"]).loc["balance"]
    planted = planted_sales(case, proposed) / planted_sales(case, case.today) - 1
    return {**band, "planted": planted, "covered": bool(band["low"] <= planted <= band["high"])}


def verdicts(case: Company) -> dict[str, int]:
    """Count planted places found, calls, and calls of territories that the truth does not hold off by 5 %."""
    table = territory_sales(case.accounts["spend"], case.accounts["territory_id"], case.accounts["worth"])
    table["potential"] = case.accounts["worth"].groupby(case.accounts["territory_id"]).sum()
    verdict, factor = performance(table.assign(workload_h=1.0))["verdict"], planted_factor(case)
    strong, troubled = verdict == "strong", verdict == "troubled"
    return {
        "found_troubled": int(troubled[case.truth["troubled"]].sum()),
        "found_strong": int(strong[case.truth["strong"]].sum()),
        "called": int((strong | troubled).sum()),
        "false": int(((strong & (factor < 1.05)) | (troubled & (factor > 0.95))).sum()),
    }


def drift(case: Company, tolerance: float = 0.15) -> dict[str, int]:
    """Count territories planted out of balance, found, and called though their load is within the tolerance."""
    load = case.accounts["potential"].groupby(case.accounts["territory_id"]).sum().reindex(case.homes.index)
    table = pd.DataFrame({"potential": load, "deviation_potential": load / load.mean() - 1})
    called = set(triggers(table, tolerance=tolerance)["territory_id"])
    fair = pd.Series(case.truth["fair_sales"])
    off = set(fair.index[abs(fair / fair.mean() - 1) > tolerance])
    return {"planted": len(off), "found": len(off & called), "called": len(called), "false": len(called - off)}


def attained(case: Company) -> pd.DataFrame:
    """Sales by year over quotas that know size and hours, but neither the place nor the rep."""
    fair, place, b = pd.Series(case.truth["fair_sales"]), pd.Series(case.truth["place"]), case.truth["elasticity"]
    quota = (fair / place) ** (1 - b) * case.homes["selling_h"] ** b
    year = (case.orders["order_date"] - pd.DateOffset(months=6)).dt.year - 2023
    territory = case.orders["account_id"].map(case.accounts["territory_id"])
    sold = case.orders.groupby([year.rename("period"), territory.rename("territory_id")])["amount"].sum()
    table = (sold / quota.reindex(sold.index, level="territory_id")).rename("attainment").reset_index()
    held = [
        case.truth["held_by"][year][name] for year, name in zip(table["period"], table["territory_id"], strict=True)
    ]
    return table.assign(rep_id=held)


def planted_split(case: Company, results: pd.DataFrame) -> np.ndarray:
    """Shares of the variance: the territory's place and lasting luck, the rep's skill, what changes every year."""
    skill = case.truth["skill_on_sales"] * pd.Series(case.truth["rep_skill"]).rename(index=case.truth["held_by"][-1])
    known = results["attainment"] - results["rep_id"].map(skill)
    known -= known.groupby(results["period"]).transform("mean")
    lasting = known.groupby(results["territory_id"]).mean()
    rest = ((known - results["territory_id"].map(lasting)) ** 2).sum() / (len(results) - len(lasting) - 2)
    variance = np.array([lasting.var() - rest / 3, skill.var(), rest])
    return variance / variance.sum()


def shares(case: Company) -> dict[str, bool]:
    """Whether the interval of each share holds what was planted."""
    results = attained(case).assign(attainment=lambda table: np.log(table["attainment"]))
    table = attainment_shares(results)
    planted = pd.Series(planted_split(case, results), table.index)
    return ((table["low"] <= planted) & (planted <= table["high"])).to_dict()


def test_the_band_of_the_lift_covers_the_planted_gain(companies):
    neighbours = geography.neighbours()
    assert np.mean([gain(case, neighbours)["covered"] for case in companies]) >= 0.75


def test_planted_trouble_and_strength_are_found_with_few_false_calls(companies):
    total = pd.DataFrame([verdicts(case) for case in companies]).sum()
    assert total["found_troubled"] >= 0.6 * 2 * COMPANIES
    assert total["found_strong"] >= 0.4 * 2 * COMPANIES
    assert total["false"] <= 0.1 * total["called"] + 1


def test_planted_drift_triggers_a_review_with_few_false_calls(companies):
    total = pd.DataFrame([drift(case) for case in companies]).sum()
    assert total["found"] >= 0.9 * total["planted"]
    assert total["false"] <= 0.1 * total["called"]


def test_shares_of_territory_and_rep_hold_the_planted_split(companies):
    assert np.mean([list(shares(case).values()) for case in companies]) >= 0.8
