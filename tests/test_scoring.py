"""Oracles: a market with known coefficients, textbook Pareto, plain recomputation, brute force."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
import tomli_w
from scipy.optimize import minimize
from scipy.stats import bootstrap

from territory_lab import geography
from territory_lab.errors import BadInput
from territory_lab.scoring import IdealCustomerProfile, engagement, grade, key_accounts, moved, pareto, tiers, top_share
from territory_lab.scoring._learn import holm, lifts
from territory_lab.scoring.logit import fit_logit, separation
from territory_lab.shipped import data

EFFECTS = {"23": 0.6, "31-33": 1.2, "42": 0.3, "44-45": -0.4, "54": 0.0, "62": -0.6, "72": -1.0}
PER_DOUBLING = 0.3


def company(seed, size=4000):
    """Draw a market whose won accounts follow sector and size, never income nor the account's own revenue."""
    rng = np.random.default_rng(seed)
    employees = np.exp2(rng.normal(4, 1.8, size)).clip(1)
    accounts = pd.DataFrame(
        {
            "sector": rng.choice(list(EFFECTS), size),
            "employees": employees,
            "revenue": employees * np.exp(rng.normal(11, 0.7, size)),
            "median_income": rng.normal(65_000, 15_000, size).clip(20_000),
        },
        index=pd.Index([f"a{i}" for i in range(size)], name="account_id"),
    )
    log_odds = -1.5 + accounts["sector"].map(EFFECTS) + PER_DOUBLING * (np.log2(employees) - 4)
    return accounts, pd.Series(rng.random(size) < 1 / (1 + np.exp(-log_odds)), accounts.index)


@pytest.fixture(scope="module")
def fitted():
    accounts, won = company(seed=1)
    return accounts, won, IdealCustomerProfile(seed=0).fit(accounts, won)


def test_newton_finds_the_maximum_a_general_optimiser_finds():
    rng = np.random.default_rng(0)
    columns, won = rng.normal(size=(300, 3)), (rng.random(300) < 0.3).astype(float)

    def loss(coef):
        eta = coef[0] + columns @ coef[1:]
        return np.logaddexp(0, eta).sum() - won @ eta + (coef[1:] ** 2).sum() / 2 / 1.5**2

    best = minimize(loss, np.zeros(4), tol=1e-10)
    found = fit_logit(columns, won, 1.5)
    assert np.allclose(found.coef, best.x, atol=1e-4)
    at, h = found.coef, 1e-3 * np.eye(4)
    curvature = [[loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b) for b in h] for a in h]
    assert np.allclose(np.linalg.inv(found.cov), np.array(curvature) / 4e-6, rtol=1e-3, atol=1e-2)


def test_newton_stays_finite_where_a_column_separates_perfectly():
    won = np.repeat([0.0, 1.0], 50)
    coef = fit_logit((won - 0.5)[:, None], won, 1.5).coef
    assert 2 < coef[1] < 10


def test_separation_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    won, score = rng.random(60) < 0.4, rng.integers(0, 8, 60).astype(float)
    pairs = np.sign(score[won][:, None] - score[~won][None, :])
    assert separation(won, score).auc == pytest.approx(((pairs + 1) / 2).mean())


def test_holm_agrees_with_the_worked_example():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_lift_interval_agrees_with_the_bootstrap():
    rng = np.random.default_rng(3)
    level = rng.random(2000) < 0.3
    won = rng.random(2000) < np.where(level, 0.3, 0.15)
    found = lifts(pd.Series(np.where(level, "yes", "no")), won).loc["yes"]
    assert found["lift"] == pytest.approx(level[won].mean() / level.mean())
    drawn = bootstrap(
        (level, won),
        lambda a, b: a[b].mean() / a.mean(),
        paired=True,
        vectorized=False,
        n_resamples=800,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    assert (found["lift_low"], found["lift_high"]) == pytest.approx((drawn.low, drawn.high), abs=0.02)


def test_planted_weights_lie_in_their_intervals_and_the_decoys_are_left_out():
    covered, decoys = [], 0
    for seed in range(50):
        accounts, won = company(seed, size=1500)
        icp = IdealCustomerProfile().fit(accounts, won)
        shares = accounts["sector"].value_counts(normalize=True)
        average = sum(EFFECTS[sector] * share for sector, share in shares.items())
        truth = {sector: effect - average for sector, effect in EFFECTS.items()} | {"per doubling": PER_DOUBLING}
        found = icp.weights().query("trait in ['sector', 'employees']")
        planted = found["part"].map(truth).fillna(0.0)  # no bend
        covered += list(planted.between(found["low"], found["high"]))
        decoys += bool({"median_income", "revenue"} & set(icp.card()["chosen"]))
    assert np.mean(covered) >= 0.9
    assert decoys <= 50 * 0.05 + 2  # binomial noise


def test_a_size_that_fits_best_in_the_middle_is_seen():
    accounts, _ = company(seed=10)
    doublings = np.log2(accounts["employees"])
    middle = doublings.median()
    log_odds = 0.5 - (doublings - middle).abs()
    won = pd.Series(np.random.default_rng(10).random(len(accounts)) < 1 / (1 + np.exp(-log_odds)), accounts.index)
    icp = IdealCustomerProfile().fit(accounts, won)
    assert icp.card()["chosen"] == ["employees"]
    found = icp.weights().set_index("part").filter(like="bend at", axis=0).loc[lambda one: one["chosen"]].iloc[0]
    assert found["low"] < -2 < found["high"]
    small, best, large = icp.probability(pd.DataFrame({"employees": 2.0 ** (middle + np.array([-3, 0, 3]))}))
    assert best == pytest.approx(1 / (1 + np.exp(-0.5)), abs=0.06)
    assert max(small, large) < 0.12


def test_flags_and_shares_and_changes_weigh_as_they_are():
    rng = np.random.default_rng(11)
    accounts = pd.DataFrame(
        {"listed": rng.integers(0, 2, 4000), "online_share": rng.random(4000), "growth": rng.normal(0, 0.2, 4000)},
        index=[f"a{i}" for i in range(4000)],
    )
    log_odds = -2 + 1.0 * accounts["listed"] + 1.5 * accounts["online_share"] + 3.0 * accounts["growth"]
    won = pd.Series(rng.random(4000) < 1 / (1 + np.exp(-log_odds)), accounts.index)
    found = IdealCustomerProfile(traits=list(accounts)).fit(accounts, won).weights().set_index(["trait", "part"])
    for trait, truth in {"listed": 1.0, "online_share": 1.5, "growth": 3.0}.items():
        assert found.loc[(trait, "per unit"), "low"] < truth < found.loc[(trait, "per unit"), "high"]


def test_profile_shares_are_plain_shares(fitted):
    accounts, won, icp = fitted
    profile = icp.profile()
    sectors = profile[profile["trait"] == "sector"].set_index("level")
    assert sectors["share_won"].to_dict() == pytest.approx(
        accounts["sector"][won].value_counts(normalize=True).to_dict()
    )
    assert sectors["share_market"].to_dict() == pytest.approx(accounts["sector"].value_counts(normalize=True).to_dict())
    assert (profile[profile["trait"] == "median_income"]["weight"] == 0).all()


def test_probabilities_add_up_to_the_won_and_scores_are_percentiles(fitted):
    accounts, won, icp = fitted
    assert icp.probability(accounts).sum() == pytest.approx(won.sum(), rel=1e-3)
    score = icp.score(accounts)
    assert score.between(0, 100).all()
    assert score.mean() == pytest.approx(50, abs=0.5)
    assert score.rank().corr(icp.probability(accounts).rank()) == pytest.approx(1, abs=1e-4)
    one = accounts.index[7]
    assert icp.score(accounts.loc[[one]])[one] == score[one]


def test_held_out_separation_is_what_fresh_accounts_show(fitted):
    _, _, icp = fitted
    accounts, won = company(seed=2)
    fresh = separation(won.to_numpy(), icp.probability(accounts).to_numpy())
    held_out = icp.card()["auc"]
    assert held_out == pytest.approx(fresh.auc, abs=0.03)


def test_explanations_add_up_to_the_log_odds(fitted):
    accounts, _, icp = fitted
    told = icp.explain(accounts.iloc[:20])
    probability = icp.probability(accounts.iloc[:20])
    total = told[["base", "sector", "employees"]].sum(axis=1)
    assert np.allclose(total, np.log(probability / (1 - probability)))
    assert told["reason"].str.contains("sector").all()


def test_rule_card_round_trips_through_toml(fitted):
    accounts, _, icp = fitted
    again = IdealCustomerProfile.from_rules(tomllib.loads(tomli_w.dumps(icp.rules())))
    assert again.rules() == icp.rules()
    assert again.probability(accounts).equals(icp.probability(accounts))


def test_an_edit_moves_accounts_and_is_undone_by_going_back(fitted):
    accounts, _, icp = fitted
    edited = icp.edit({"sector": {"72": 3.0}, "employees": None})
    assert edited.rules()["sector"] == icp.rules()["sector"] | {"72": 3.0}
    assert "employees" not in edited.rules()
    moved = edited.score(accounts) - icp.score(accounts)
    assert moved[accounts["sector"] == "72"].mean() > 30
    assert edited.previous is icp
    assert icp.rules()["employees"]["log"]


def test_a_factor_stretches_a_trait_and_the_moved_accounts_are_told(fitted):
    accounts, _, icp = fitted
    edited = icp.edit({"sector": 0})
    assert set(edited.rules()["sector"].values()) == {0.0}
    before, after = icp.score(accounts), edited.score(accounts)
    table = moved(before, after)
    assert table["change"].abs().is_monotonic_decreasing
    assert (table["score"] - table["score_before"]).equals(table["change"])
    entered, left = (
        ((table[one] == "A") & (table[other] != "A")).sum()
        for one, other in (("tier", "tier_before"), ("tier_before", "tier"))
    )
    assert entered > 0
    assert abs(entered - left) < 0.02 * len(accounts)  # ties stay together


def test_a_trait_that_only_tells_where_the_team_sells_is_flagged():
    accounts, _ = company(seed=9)
    rng = np.random.default_rng(9)
    accounts["state"] = rng.choice(["TX", "MN", "ME", "FL"], len(accounts))
    accounts["heat"] = accounts["state"].map({"TX": 35.0, "FL": 33.0, "MN": 22.0, "ME": 20.0}) + rng.normal(
        0, 4, len(accounts)
    )
    log_odds = -3 + 2.5 * (accounts["state"] == "TX") + 0.4 * (np.log2(accounts["employees"]) - 4)
    won = pd.Series(rng.random(len(accounts)) < 1 / (1 + np.exp(-log_odds)), accounts.index)
    icp = IdealCustomerProfile(traits=["employees", "heat"])
    assert set(icp.fit(accounts, won).card()["chosen"]) == {"employees", "heat"}
    assert icp.fit(accounts, won, place="state").card()["proxies"] == ["heat"]


def test_the_truths_planted_in_the_sample_company_come_back():
    folder = data("sample")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["customer"]
    accounts = pd.read_parquet(folder / "accounts.parquet").set_index("account_id")
    orders = pd.read_parquet(folder / "orders.parquet", columns=["account_id"])
    counties = geography.counties()
    unit = geography.unit_of(accounts, counties, geography.postcodes())
    counties = counties.set_index("unit_id")
    accounts["density"] = unit.map(counties["population"] / counties["area_km2"])
    accounts["median_income"] = unit.map(counties["median_income"])
    icp = IdealCustomerProfile().fit(accounts, pd.Series(accounts.index.isin(orders["account_id"]), accounts.index))
    assert icp.card()["chosen"] == ["sector", "employees", "density"]
    average = accounts["sector"].map(truth["sector"]).mean()
    planted = {sector: effect - average for sector, effect in truth["sector"].items()}
    found = icp.weights().set_index(["trait", "part"])
    sectors = found.loc["sector"]
    # of 20 intervals of 95 %, fewer than 16 hold the truth once in 400 companies
    assert pd.Series(planted)[sectors.index].between(sectors["low"], sectors["high"]).mean() >= 0.8
    size, dense = (found.loc[(trait, "per doubling")] for trait in ("employees", "density"))
    assert size["low"] < truth["size"] * np.log(2) < size["high"]
    assert dense["low"] < truth["density"] * np.log10(2) < dense["high"]


def test_stated_weights_rank_at_once_and_gain_probabilities_by_calibration():
    accounts, won = company(seed=4)
    stated = {
        "sector": {"31-33": 4.0, "23": 2.0, "42": 1, "44-45": 0, "54": 0, "62": 0, "72": -3.0},
        "employees": {"at": [2, 2048], "weight": [0, 10]},
    }
    icp = IdealCustomerProfile.from_rules(stated)
    before = icp.score(accounts)
    with pytest.raises(BadInput, match="no probability"):
        icp.probability(accounts)
    icp.calibrate(accounts, won)
    assert icp.probability(accounts).sum() == pytest.approx(won.sum(), rel=1e-3)
    assert icp.score(accounts).corr(before) > 0.999
    assert icp.rules()["sector"]["31-33"] == pytest.approx(2 * icp.rules()["sector"]["23"])


def test_thirty_won_accounts_say_how_little_they_know():
    accounts, won = company(seed=5, size=1500)
    thirty = won & (won.cumsum() <= 30)
    card = IdealCustomerProfile().fit(accounts, thirty).card()
    assert card["won"] == 30
    assert "first impression" in card["verdict"] or "no trait" in card["verdict"]
    assert card["auc_high"] - card["auc_low"] > 0.15


def test_an_unseen_level_counts_as_missing_with_a_warning(fitted):
    accounts, _, icp = fitted
    one = accounts.iloc[[0]]
    with pytest.warns(UserWarning, match="sector: no weight for 11"):
        unseen = icp.score(one.assign(sector="11"))
    assert unseen.equals(icp.score(one.assign(sector=pd.Series([None], one.index, dtype="str"))))


def test_a_prior_raises_probabilities_to_those_who_would_buy():
    accounts, buyers = company(seed=6)
    asked = buyers & (np.random.default_rng(0).random(len(buyers)) < 0.4)
    icp = IdealCustomerProfile(prior=buyers.mean()).fit(accounts, asked)
    assert icp.probability(accounts).mean() == pytest.approx(buyers.mean(), rel=0.02)


def test_order_of_rows_and_missing_values_do_no_harm(fitted):
    accounts, won, icp = fitted
    shuffled = accounts.sample(frac=1, random_state=0)
    again = IdealCustomerProfile().fit(shuffled, won)
    assert np.allclose(again.probability(accounts), icp.probability(accounts), atol=1e-9)
    gaps = accounts.assign(sector=accounts["sector"].where(accounts.index != "a0"), employees=np.nan)
    log_odds = icp.explain(gaps.iloc[[0]])
    assert log_odds[["sector", "employees"]].to_numpy().tolist() == [[0, 0]]


def test_a_market_without_signal_chooses_nothing():
    accounts, won = company(seed=7)
    shuffled = pd.Series(np.random.default_rng(8).permutation(won), won.index)
    icp = IdealCustomerProfile().fit(accounts, shuffled)
    assert icp.card()["chosen"] == []
    assert "no trait" in icp.card()["verdict"]
    assert icp.probability(accounts).to_numpy() == pytest.approx(shuffled.mean())
    assert (icp.score(accounts) == 50).all()
    assert (icp.explain(accounts.iloc[:3])["reason"] == "").all()


def test_every_fault_is_named_at_once():
    accounts, won = company(seed=0, size=50)
    accounts.loc["a3", "revenue"] = -5.0
    accounts.loc["a4", "sector"] = "99"
    with pytest.raises(BadInput) as caught:
        IdealCustomerProfile(traits=["sector", "revenue", "colour"]).fit(
            accounts, pd.concat([won, pd.Series({"zz": True})])
        )
    assert {(fault.column, fault.row) for fault in caught.value.faults} == {
        ("revenue", "a3"),
        ("sector", "a4"),
        ("colour", ""),
        ("account_id", "zz"),
    }
    with pytest.raises(BadInput, match="cannot be read"):
        IdealCustomerProfile.from_rules({"employees": {"at": [5, 1], "weight": [0, 1]}})


def test_tiers_hold_their_shares_and_ties_stay_together():
    values = pd.Series(np.arange(100.0), [f"a{i}" for i in range(100)])
    assert tiers(values).value_counts().to_dict() == {"A": 10, "B": 20, "C": 30, "D": 40}
    assert tiers(pd.Series([5.0, 1.0, 1.0, 1.0, np.nan])).fillna("none").tolist() == ["A", "C", "C", "C", "none"]


def test_pareto_gives_the_textbook_curve():
    values = pd.Series({"a": 70.0, "b": 10.0, "c": 10.0, "d": 5.0, "e": 5.0})
    table = pareto(values.sample(frac=1, random_state=0))
    assert table.loc["a"].tolist() == [1, 0.2, 70, 0.7]
    assert table["share_of_value"].tolist() == pytest.approx([0.7, 0.8, 0.9, 0.95, 1])
    assert top_share(values, 0.2) == pytest.approx(0.7)
    assert top_share(values, 0.3) == pytest.approx(0.75)
    # a Pareto law of index log 5 / log 4 holds 80 % in its top fifth
    law = pd.Series((1 - np.random.default_rng(0).random(400_000)) ** -(np.log(4) / np.log(5)))
    assert top_share(law, 0.2) == pytest.approx(0.8, abs=0.05)
    with pytest.raises(BadInput, match="below 0"):
        pareto(pd.Series({"a": -1.0, "b": 3.0}))


def test_engagement_halves_and_the_grade_crosses_it_with_fit():
    day = pd.Timestamp("2026-06-30")
    events = pd.DataFrame(
        {
            "account_id": ["x", "x", "y", "z"],
            "date": [day, day - pd.Timedelta(90, "D"), day - pd.Timedelta(180, "D"), day + pd.Timedelta(1, "D")],
        }
    )
    contact = engagement(events, day, half_life_days=90)
    assert contact.to_dict() == pytest.approx({"x": 1.5, "y": 0.25})
    fit = pd.Series({"x": 90.0, "y": 60.0, "z": 40.0, "w": 10.0})
    assert grade(fit, contact).to_dict() == {"x": "A1", "y": "B3", "z": "C4", "w": "D4"}


def test_key_accounts_follow_the_weights_and_count_how_firm_the_list_is():
    rng = np.random.default_rng(0)
    criteria = pd.DataFrame(rng.random((40, 3)), columns=["revenue", "potential", "need"])
    criteria.loc[0] = 2.0
    stated = {"revenue": 3, "potential": 1}
    table = key_accounts(criteria, stated, top=5, seed=1)
    by_hand = 100 * (0.75 * criteria["revenue"].rank(pct=True) + 0.25 * criteria["potential"].rank(pct=True))
    assert table["priority"].to_dict() == pytest.approx(by_hand.to_dict())
    assert np.allclose(table[["revenue", "potential"]].sum(axis=1), table["priority"])
    assert table.loc[0, "in_top_share"] == 1
    assert table["in_top_share"].sum() == pytest.approx(5)
    assert table["priority"].is_monotonic_decreasing
    assert key_accounts(criteria, stated, top=5, seed=1).equals(table)
    assert key_accounts(criteria, stated, top=5, listed=3, seed=1).equals(table.head(3))
    with pytest.raises(BadInput, match="colour"):
        key_accounts(criteria, {"colour": 1})
