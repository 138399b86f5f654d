"""What is planted in the sample company can be read off its tables by plain arithmetic."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from territory_lab import geography, quality, sample, schema, shipped
from territory_lab.workspace import open_workspace

Company = tuple[dict[str, pd.DataFrame], dict[str, Any]]


@pytest.fixture(scope="module")
def large() -> Company:
    return sample.company(40_000, seed=7)


@pytest.fixture(scope="module")
def shipped_company() -> Company:
    folder = shipped.data("sample")
    return open_workspace(folder).tables, json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def logistic(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and their standard errors by Newton's method."""
    weights = np.zeros(X.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-X @ weights))
        information = (X * (chance * (1 - chance))[:, None]).T @ X
        weights += np.linalg.solve(information, X.T @ (y - chance))
    return weights, np.sqrt(np.diag(np.linalg.inv(information)))


def is_customer(tables: dict[str, pd.DataFrame]) -> np.ndarray:
    return tables["accounts"]["account_id"].isin(tables["orders"]["account_id"]).to_numpy()


def place_of(accounts: pd.DataFrame) -> pd.DataFrame:
    """The county of each account, by its postcode."""
    unit = accounts["postcode"].map(geography.postcodes().set_index("postcode")["unit_id"])
    return pd.DataFrame(geography.counties().drop(columns="geometry")).set_index("unit_id").loc[unit]


def log_density(accounts: pd.DataFrame) -> np.ndarray:
    place = place_of(accounts)
    return np.log10((place["population"] / place["area_km2"]).to_numpy() / 100)


def sales_by_territory(tables: dict[str, pd.DataFrame]) -> pd.Series:
    owner = tables["accounts"].set_index("account_id")["owner_id"]
    sold = tables["orders"]["amount"].groupby(tables["orders"]["account_id"].map(owner)).sum()
    return sold.rename(index=tables["reps"].set_index("rep_id")["territory_id"])


def skill_by_rep(truth: dict[str, Any]) -> pd.Series:
    return pd.Series(truth["rep_skill"]).rename(index=truth["held_by"][-1])


def test_reps_changed_places_within_their_district_and_their_deals_say_so(shipped_company):
    tables, truth = shipped_company
    held = pd.DataFrame(truth["held_by"]).T  # territories x years
    manager = tables["reps"].set_index("rep_id")["manager_id"]
    assert (held.apply(pd.Series.nunique) == 30).all()
    assert (held.nunique(axis=1) >= 2).sum() >= 20
    assert held.apply(lambda reps: reps.map(manager)).nunique(axis=1).eq(1).all()
    deals = tables["opportunities"].dropna(subset="close_date")
    territory = (
        deals["account_id"]
        .map(tables["accounts"].set_index("account_id")["owner_id"])
        .map(tables["reps"].set_index("rep_id")["territory_id"])
    )
    year = (deals["close_date"] - pd.DateOffset(months=6)).dt.year - 2023
    assert [held.loc[place, then] for place, then in zip(territory, year, strict=True)] == deals["owner_id"].tolist()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_company(tmp_path):
    for name, seed in {"once": 3, "again": 3, "other": 4}.items():
        tables, truth = sample.company(1_000, seed)
        sample.write(tables, tmp_path / name)
        sample.write_truth(truth, tmp_path / name)
    once, again, other = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("once", "again", "other")
    )
    assert once == again
    fixed = {"products.parquet", "units.parquet", "alignment.parquet"}
    assert {name for name, content in once.items() if content == other[name]} == fixed


@pytest.mark.parametrize("size", [1_000, 100_000])
def test_events_grow_in_step_with_the_accounts(size, shipped_company):
    tables, _ = sample.company(size, seed=1)
    assert len(tables["accounts"]) == size
    for events in ("orders", "opportunities", "calls"):
        expected = len(shipped_company[0][events]) / 12_000
        assert len(tables[events]) / size == pytest.approx(expected, rel=0.25)


def test_the_shipped_files_are_what_the_seed_gives(shipped_company):
    tables, truth = sample.company(12_000, seed=0)
    assert json.loads(json.dumps(truth)) == shipped_company[1]
    for name, frame in schema.parse(tables).items():
        pd.testing.assert_frame_equal(frame, shipped_company[0][name])


def test_the_shipped_files_stay_small():
    for name, limit in {"sample": 2_000_000, "sample_messy": 400_000}.items():
        assert sum(file.stat().st_size for file in shipped.data(name).iterdir()) <= limit


def test_the_clean_company_has_no_fault_and_nothing_doubtful():
    assert open_workspace(shipped.data("sample")).faults() == ([], [])


def test_accounts_follow_the_establishments_of_sectors_and_areas(large):
    accounts, market = large[0]["accounts"], geography.market_reference()
    area = place_of(accounts)["area_id"]
    market = market[market["area_id"].isin(area)]
    for column, drawn in {"sector": accounts["sector"], "area_id": area}.items():
        share = market.groupby(column)["establishments"].sum() / market["establishments"].sum()
        error = np.sqrt(share * (1 - share) / len(accounts))
        off = (drawn.value_counts(normalize=True).reindex(share.index, fill_value=0) - share) / error
        assert off.abs().max() < 4.5


def test_postcodes_keep_their_zeros_and_lie_where_their_accounts_are(shipped_company):
    accounts = shipped_company[0]["accounts"]
    assert accounts["postcode"].str.fullmatch(r"\d{5}").all()
    assert accounts["postcode"].str.startswith("0").any()
    points = geography.postcodes().set_index("postcode").loc[accounts["postcode"]]
    assert np.abs(points[["lon", "lat"]].to_numpy() - accounts[["lon", "lat"]]).to_numpy().max() < 0.06


def test_sector_size_and_density_make_customers_and_income_does_not(large):
    tables, truth = large
    accounts, planted = tables["accounts"], truth["customer"]
    sectors = pd.get_dummies(accounts["sector"], dtype=float)
    income = place_of(accounts)["median_income"]
    income = ((income - income.mean()) / income.std()).fillna(0).to_numpy()
    traits = [np.log(accounts["employees"] / 10), log_density(accounts), income]
    found, error = logistic(np.column_stack([sectors, *traits]), is_customer(tables))
    expected = [planted["intercept"] + planted["sector"][code] for code in sectors]
    expected += [planted[trait] for trait in ("size", "density", truth["decoy"])]
    assert expected[-1] == 0
    assert np.abs((found - expected) / error).max() < 3.5
    assert found[-3] / error[-3] > 10


def test_a_quarter_to_a_third_of_accounts_are_customers_and_look_alikes_are_not(shipped_company):
    tables, truth = shipped_company
    customer = pd.Series(is_customer(tables), index=tables["accounts"]["account_id"])
    assert 0.25 <= customer.mean() <= 0.30
    assert not customer[truth["look_alikes"]].any()
    assert len(truth["look_alikes"]) > 100


def test_wins_come_from_fit_nearness_time_and_skill(large):
    tables, truth = large
    accounts, planted = tables["accounts"], truth["customer"]
    fit = (
        accounts["sector"].map(planted["sector"]).astype(float)
        + planted["size"] * np.log(accounts["employees"] / 10)
        + planted["density"] * log_density(accounts)
    )
    deals = tables["opportunities"][tables["opportunities"]["stage"] != "open"]
    today = accounts.assign(fit=fit).rename(columns={"owner_id": "rep_id"})[
        ["account_id", "fit", "lon", "lat", "rep_id"]
    ]
    deals = deals.merge(today, on="account_id").merge(tables["reps"], on="rep_id", suffixes=("", "_rep"))
    x, y, x_rep, y_rep = (np.radians(deals[column]) for column in ("lon", "lat", "lon_rep", "lat_rep"))
    cosine = np.sin(y) * np.sin(y_rep) + np.cos(y) * np.cos(y_rep) * np.cos(x - x_rep)
    km = 6371.0088 * np.arccos(np.clip(cosine, -1, 1))
    overload, skill = deals["territory_id"].map(truth["overload"]), deals["owner_id"].map(skill_by_rep(truth))
    X = np.column_stack([np.ones(len(deals)), deals["fit"], np.log1p(km / 100), overload, skill])
    found, error = logistic(X, (deals["stage"] == "won").to_numpy())
    expected = [truth["win"][key] for key in ("intercept", "fit", "distance", "overload", "skill")]
    assert np.abs((found - expected) / error).max() < 3.5


def test_a_fifth_to_a_third_of_opportunities_are_won_and_the_last_are_still_open(shipped_company):
    deals = shipped_company[0]["opportunities"]
    closed = deals["stage"] != "open"
    assert 0.20 <= (deals.loc[closed, "stage"] == "won").mean() <= 0.30
    assert deals.loc[~closed, "close_date"].isna().all()
    assert (deals.loc[closed, "close_date"] >= deals.loc[closed, "created_date"]).all()
    assert deals["close_date"].max() <= pd.Timestamp("2026-06-30")
    assert deals.loc[~closed, "created_date"].min() > pd.Timestamp("2026-01-01")


def test_owners_of_the_first_product_own_the_second_three_times_as_often(large):
    tables, truth = large
    owns = pd.crosstab(tables["orders"]["account_id"], tables["orders"]["product_id"]) > 0
    first, second = truth["affinity"]["owns"], truth["affinity"]["then"]
    share, other = owns.loc[owns[first], second], owns.loc[~owns[first], second]
    lift = share.mean() / other.mean()
    error = np.sqrt((1 - share.mean()) / share.sum() + (1 - other.mean()) / other.sum())  # of the log of a ratio
    assert abs(np.log(lift / truth["affinity"]["times"])) < 3 * error
    sector = tables["accounts"].set_index("account_id")["sector"]
    for product, only in truth["only_sector"].items():
        assert set(sector[owns.index[owns[product]]]) == {only}


def test_the_top_fifth_of_customers_holds_what_it_holds_in_life(shipped_company):
    sales = np.sort(shipped_company[0]["orders"].groupby("account_id")["amount"].sum())[::-1]
    assert 0.60 <= sales[: round(len(sales) / 5)].sum() / sales.sum() <= 0.75


def test_today_is_out_of_balance(shipped_company):
    tables, truth = shipped_company
    owner = tables["accounts"]["owner_id"]
    measures = [owner.value_counts(), owner[is_customer(tables)].value_counts(), pd.Series(truth["fair_sales"])]
    for workload in measures:
        assert workload.max() / workload.mean() > 3
        assert (np.abs(workload / workload.mean() - 1) > 0.15).mean() > 0.8


def test_each_state_lies_whole_in_one_territory_and_accounts_belong_to_its_rep(shipped_company):
    tables, _ = shipped_company
    today = tables["alignment"].merge(tables["units"], on="unit_id")
    assert today["state"].nunique() == 49
    states = today.groupby("state")["territory_id"].agg(["nunique", "first"])
    assert (states["nunique"] == 1).all()
    rep = tables["reps"].dropna(subset="territory_id").set_index("territory_id")["rep_id"]
    accounts = tables["accounts"]
    assert (accounts["owner_id"].to_numpy() == rep[states["first"][accounts["state"]]].to_numpy()).all()


def test_two_reps_live_outside_their_territory(shipped_company):
    tables, truth = shipped_company
    reps = tables["reps"].dropna(subset="territory_id")
    home = geography.unit_of(reps[["lon", "lat"]], geography.counties())
    today = tables["alignment"].set_index("unit_id")["territory_id"]
    lives_in = today.reindex(home.to_numpy()).to_numpy()
    assert set(reps["territory_id"][lives_in != reps["territory_id"]]) == set(truth["wrong_homes"])
    managers = tables["reps"][tables["reps"]["territory_id"].isna()]
    assert set(reps["manager_id"]) == set(managers["rep_id"])
    assert len(managers) == 4


def test_sales_respond_to_the_time_a_customer_can_get(large):
    tables, truth = large
    fair, hours, skill, sold = (
        np.log(pd.Series(truth["fair_sales"])),
        np.log(pd.Series(truth["selling_h"])),
        pd.Series(truth["rep_skill"]),
        np.log(sales_by_territory(tables | {"orders": tables["orders"].query("order_date > '2025-06-30'")})),
    )
    X = np.column_stack([np.ones(len(fair)), hours - fair, skill])
    found, *_ = np.linalg.lstsq(X, (sold.reindex(fair.index) - fair).to_numpy(), rcond=None)
    assert found[1] == pytest.approx(truth["elasticity"], abs=0.05)
    assert found[2] == pytest.approx(truth["skill_on_sales"], abs=0.04)


def test_the_planted_gain_is_that_of_equal_workload(large):
    _, truth = large
    b, hours = truth["elasticity"], pd.Series(truth["selling_h"])
    ability = np.exp(truth["skill_on_sales"] * pd.Series(truth["rep_skill"])) * hours**b
    fair = pd.Series(truth["fair_sales"])
    gain = (ability * fair.mean() ** (1 - b)).sum() / (ability * fair ** (1 - b)).sum() - 1
    assert truth["gain_if_balanced"] == pytest.approx(gain, abs=1e-4)
    assert sum(truth["fair_sales_by_unit"].values()) == pytest.approx(fair.sum(), rel=1e-6)


def test_manufacturing_grows_building_shrinks_and_spring_is_high(large):
    tables, truth = large
    orders = tables["orders"].merge(tables["accounts"][["account_id", "sector"]], on="account_id")
    orders = orders[~orders["account_id"].isin(truth["churned"])]
    first = orders.groupby("account_id")["order_date"].transform("min")
    orders = orders[first < "2023-10-01"]
    count = pd.crosstab(orders["sector"], orders["order_date"] >= "2025-01-01")
    growth = np.log(count[True] / count[False])
    assert growth["31-33"] - growth["23"] == pytest.approx(
        1.5 * (truth["growth"]["31-33"] - truth["growth"]["23"]), abs=0.06
    )
    month = orders["order_date"].dt.month.value_counts()
    swing = (month[[4, 5]].sum() - month[[10, 11]].sum()) / month[[4, 5, 10, 11]].sum()
    assert swing == pytest.approx(truth["season"], abs=0.05)


def test_churned_customers_fall_silent_and_the_others_do_not(large):
    tables, truth = large
    last = tables["orders"].groupby("account_id")["order_date"].max()
    gone = last.index.isin(truth["churned"])
    years = (pd.Timestamp("2026-06-30") - last[gone]).dt.days.mean() / 365.25
    assert years > 1
    assert (last[~gone] >= "2026-01-01").mean() > 0.9
    assert gone.mean() == pytest.approx(1 - np.exp(-truth["churn_a_year"] * 2.7), abs=0.02)  # 2.7 years on average


def test_every_win_is_followed_by_an_order_on_its_day(large):
    tables, _ = large
    won = tables["opportunities"].query("stage == 'won'")
    orders = tables["orders"].groupby(["account_id", "product_id"])["order_date"].min()
    first = orders.reindex(pd.MultiIndex.from_frame(won[["account_id", "product_id"]])).to_numpy()
    days = (first - won["close_date"].to_numpy()) / np.timedelta64(1, "D")
    assert (np.abs(days) <= 3).mean() > 0.95


def test_the_messy_export_holds_the_planted_faults_and_no_other():
    folder = shipped.data("sample_messy")
    planted = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["planted_faults"]
    faults, doubts = open_workspace(folder).faults()
    found = {(fault.table, fault.column, fault.row) for fault in [*faults, *doubts]}
    assert found == {(fault["table"], fault["column"], fault["row"]) for fault in planted}
    assert pd.Series([fault["kind"] for fault in planted]).value_counts().min() >= 3
    assert len({fault["kind"] for fault in planted}) == 9


def test_a_messy_export_differs_from_the_clean_company_only_where_it_says_so():
    tables, _ = sample.company(2_000, seed=5)
    spoilt, planted = sample.messy(tables, seed=5)
    typed, _ = schema.inspect(spoilt)
    said = {(fault["table"], fault["column"], fault["row"]) for fault in planted}
    said |= {(table, "lon", row) for table, column, row in said if column == "lat"}
    for name, frame in typed.items():
        clean = schema.parse(tables)[name]
        key = clean.columns[0]
        shared = frame[frame[key].isin(clean[key])].reset_index(drop=True)
        differ = ~((shared == clean) | (shared.isna() & clean.isna()))
        cells = {(name, column, shared[key][row]) for column in differ for row in np.flatnonzero(differ[column])}
        assert cells <= said
        assert set(frame[key]) - set(clean[key]) == {
            row for table, _, row in said if table == name and row not in set(clean[key])
        }
    assert not quality.doubts(tables["accounts"])
