from itertools import product

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import Playbook, PropensityModel, next_best_action
from territory_lab.propensity.actions import fill, filled
from territory_lab.propensity.learners import logit
from territory_lab.propensity.playbook import SHIPPED
from territory_lab.propensity.reasons import contributions, explain


def best_by_brute_force(value: np.ndarray, effort: np.ndarray, capacity: float) -> float:
    picks = np.array(list(product([0, 1], repeat=len(value))))
    return float((picks @ value)[picks @ effort <= capacity].max())


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_holds_and_the_list_is_near_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, effort = rng.gamma(1, 100, 11), rng.choice([1.0, 2.0, 3.5], 11)
    order = np.argsort(-value / effort)
    value, effort = value[order], effort[order]
    taken, bound = fill(value, effort, 8.0)
    best = best_by_brute_force(value, effort, 8.0)
    assert effort[taken].sum() <= 8.0
    assert best / 2 <= value[taken].sum() <= best + 1e-9 <= bound + 1e-6
    same = np.ones(11)
    ranked = -np.sort(-value)
    taken, bound = fill(ranked, same, 4.5)
    assert ranked[taken].sum() == pytest.approx(bound) == pytest.approx(best_by_brute_force(ranked, same, 4.5))


@pytest.fixture
def candidates() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": ["a", "a", "b", "c", "d"],
            "rep_id": ["R1", "R1", "R1", "R2", None],
            "kind": ["upsell", "cross_sell", "upsell", "cross_sell", "upsell"],
            "product_id": [None, "p1", None, "p2", None],
            "probability": [0.5, 0.2, 0.4, 0.1, 0.9],
            "expected_revenue": [500.0, 900.0, 400.0, 100.0, 9_000.0],
        }
    )


def test_the_value_is_that_of_the_formula_and_each_account_gets_its_best(candidates: pd.DataFrame) -> None:
    found = next_best_action(candidates, 5.0, margin_share=pd.Series({"p1": 0.2, "p2": 0.6}), cost=50.0)
    listed = found.listed.set_index("account_id")
    assert listed["value"].to_dict() == pytest.approx({"a": 500 * 0.4 - 50, "b": 400 * 0.4 - 50, "c": 100 * 0.6 - 50})
    assert listed.loc["a", "kind"] == "upsell"
    assert found.by_rep.loc["R1", ["actions", "gap"]].tolist() == [2, 0]
    assert next_best_action(candidates, 1.0).listed["account_id"].tolist() == ["a", "c"]
    assert next_best_action(candidates, pd.Series({"R1": 1.0})).listed["account_id"].tolist() == ["a"]
    assert next_best_action(candidates, 5.0, cost=1e6).listed.empty


def test_uplift_takes_the_place_of_what_would_be_bought_anyway(candidates: pd.DataFrame) -> None:
    candidates["uplift"] = [0.0, 0.1, -0.1, 0.05, 0.0]
    listed = next_best_action(candidates, 5.0).listed
    assert listed.set_index("account_id")["value"].to_dict() == pytest.approx({"a": 900 * 0.1 / 0.2, "c": 50.0})


def test_faults_are_all_named(candidates: pd.DataFrame) -> None:
    bad = candidates.drop(columns="kind").assign(probability=1.5, effort=0.0)
    with pytest.raises(BadInput) as caught:
        next_best_action(bad, 1.0)
    assert [fault.column for fault in caught.value.faults] == ["kind", "probability", "effort"]


@pytest.fixture(scope="module", params=[("logistic", None), ("boosting", None), ("boosting", 300)], ids=str)
def model(request: pytest.FixtureRequest) -> tuple[PropensityModel, pd.DataFrame]:
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(size=(2_000, 3)), columns=["trend", "overdue", "noise"])
    X["sector"] = rng.choice(["23", "42"], len(X))
    X.loc[::7, "overdue"] = np.nan
    chance = 1 / (1 + np.exp(1 - 1.5 * X["trend"] - (X["sector"] == "42")))
    return PropensityModel(request.param[0], memory=request.param[1]).fit(
        X, (rng.random(len(X)) < chance).astype(int)
    ), X


def test_contributions_add_up_to_the_score(model: tuple[PropensityModel, pd.DataFrame]) -> None:
    fitted, X = model
    parts = contributions(fitted, X.iloc[:50])
    rest = logit(fitted.predict_proba(X.iloc[:50])[:, 1]) - parts.sum(axis=1)
    assert set(parts.columns) == set(X.columns)
    assert rest.std() < 1e-3
    assert np.corrcoef(parts["trend"], X["trend"].iloc[:50])[0, 1] > 0.8


def test_the_strongest_reason_comes_first_in_words(model: tuple[PropensityModel, pd.DataFrame]) -> None:
    fitted, X = model
    high = X.sort_values("trend").iloc[-5:]
    told = explain(fitted, high, Playbook.read())
    assert told.columns.tolist() == ["reason_1", "reason_2", "reason_3"]
    assert told.index.equals(high.index)
    assert told["reason_1"].str.fullmatch(r"orders of the last half-year .*: odds \d+\.\d times as high").all()
    assert Playbook.read().sentence("trend", 1.0, np.log(1.2)).endswith("odds up by 20%")
    assert Playbook.read().sentence("calls", np.nan, np.log(0.5)) == "calls is not known: odds down by 50%"


def test_lists_of_parts_filled_again_are_the_list_of_the_whole() -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "account_id": [f"a{number:03}" for number in range(300)],
            "rep_id": rng.choice(["r1", "r2"], 300),
            "value": rng.gamma(2, 100, 300).round(2),
            "effort": 1.5,
        }
    )
    parts = pd.concat([filled(part, 12.0)[0] for _, part in rows.groupby(rng.integers(4, size=300))])
    found, by_rep = filled(parts, 12.0)
    best = rows.sort_values("value", ascending=False).groupby("rep_id")["account_id"].apply(lambda ids: list(ids[:8]))
    assert found.groupby("rep_id")["account_id"].apply(list).equals(best)
    assert by_rep["actions"].tolist() == [8, 8]


def test_the_first_play_that_fits_is_played() -> None:
    rows = pd.DataFrame(
        {
            "kind": ["cross_sell", "cross_sell", "upsell", "upsell"],
            "product": ["Valve", "Pump", None, None],
            "lapsed_d": [200.0, np.nan, np.nan, np.nan],
            "overdue": [1.0, 3.0, 2.0, 0.5],
        }
    )
    chosen = Playbook.read().choose(rows)
    assert chosen["play"].tolist() == ["Win back", "Introduce", "Ask before they run out", "Grow with them"]
    assert "Valve" in chosen.loc[0, "angle"]


def test_every_fault_of_a_playbook_is_named(tmp_path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(
        text.replace('who = "inside sales"', "whom = 1")
        .replace('kind = "upsell"', 'kind = "resell"', 1)
        .replace("overdue = 1.5", 'overdue = "much"')
        .replace("ask what still", "ask {customer} what still")
        .replace("{value:.0f} orders", "{count} orders")
    )
    with pytest.raises(BadInput) as caught:
        Playbook.read(file)
    places = [fault.column for fault in caught.value.faults]
    assert places == [
        *("play.angle", "play.whom", "play.who", "when.kind", "when.at_least.overdue", "reasons.orders"),
    ]
    file.write_text('[[play]]\nname = "x"\nwhen.kind = "upsell"\n')
    with pytest.raises(BadInput, match="end with one without conditions"):
        Playbook.read(file)
