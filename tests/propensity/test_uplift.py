import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity import UpliftModel
from territory_lab.propensity.uplift import qini, qini_curve


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    """Return 8,000 accounts, half of them called by lot; a call helps where need is high and size small."""
    rng = np.random.default_rng(11)
    rows = pd.DataFrame(rng.normal(size=(8_000, 4)), columns=["need", "size", "noise", "age"])
    rows["treated"] = (rng.random(len(rows)) < 0.5).astype(float)
    rows["effect"] = np.where((rows["need"] > 0) & (rows["size"] < 0.5), 0.25, 0.0)
    chance = 0.1 + 0.15 * (rows["size"] > 0) + rows["treated"] * rows["effect"]
    return rows.assign(bought=(rng.random(len(rows)) < chance).astype(float))


X = ["need", "size", "noise", "age"]


@pytest.mark.parametrize("learner", ["S", "T", "X"])
def test_the_planted_effect_is_found_on_later_rows(trial: pd.DataFrame, learner: str) -> None:
    seen, later = trial.iloc[:6_000], trial.iloc[6_000:]
    model = UpliftModel(learner, seed=1).fit(seen[X], seen["bought"], seen["treated"])
    found = model.predict(later[X])
    assert np.corrcoef(found, later["effect"])[0, 1] > 0.7
    assert model.qini_.low > 0
    assert model.effect_.value == pytest.approx(trial["effect"].mean(), abs=0.04)  # three standard errors
    assert model.assignment_.value == pytest.approx(0.5, abs=0.03)
    best = later["effect"].to_numpy()[np.argsort(-found)[: len(later) // 4]]
    assert best.mean() > 0.2  # of 0.25, where everybody has 0.09


def test_an_effect_that_is_not_there_is_not_found(trial: pd.DataFrame) -> None:
    bought = (np.random.default_rng(3).random(len(trial)) < 0.2).astype(float)
    model = UpliftModel("T").fit(trial[X], bought, trial["treated"])
    assert model.qini_.low < 0 < model.qini_.high


def test_a_treatment_that_follows_the_columns_shows_in_the_assignment(trial: pd.DataFrame) -> None:
    chosen = (trial["need"] + np.random.default_rng(5).normal(size=len(trial)) > 0).astype(float)
    model = UpliftModel("X").fit(trial[X], trial["bought"], chosen)
    assert model.assignment_.low > 0.7


def test_the_qini_curve_is_that_of_six_rows_by_hand() -> None:
    """
    Ranked: T1, C0 | T1, C1 | T0, C0 (treated or control, bought or not).

    After two rows: 1 - 0 * 1/1 = 1; after four: 2 - 1 * 2/2 = 1; after six: 2 - 1 * 3/3 = 1; per 3 treated.
    """
    treated, bought = [1, 0, 1, 0, 1, 0], [1, 0, 1, 1, 0, 0]
    curve = qini_curve(bought, [3, 3, 2, 2, 1, 1], treated)
    np.testing.assert_allclose(curve["share_worked"], [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(curve["extra"], [0, 1 / 3, 1 / 3, 1 / 3])
    assert qini(bought, [3, 3, 2, 2, 1, 1], treated) == pytest.approx((1 / 6 + 1 / 3 + 1 / 3) / 3 - 1 / 6)


def test_a_ranking_by_chance_has_no_qini_and_weights_count_as_copies(trial: pd.DataFrame) -> None:
    y, treated = trial["bought"], trial["treated"]
    assert qini(y, np.zeros(len(y)), treated) == pytest.approx(0)
    weight = np.arange(len(y)) % 3
    copies = trial.loc[trial.index.repeat(weight)]
    assert qini(y, trial["need"], treated, weight) == pytest.approx(
        qini(copies["bought"], copies["need"], copies["treated"])
    )


def test_without_treatment_data_uplift_is_refused(trial: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match="no treatment data"):
        UpliftModel().fit(trial[X], trial["bought"], None)
    few = np.zeros(len(trial))
    few[:30] = 1
    with pytest.raises(BadInput, match="30 treated rows"):
        UpliftModel().fit(trial[X], trial["bought"], few)
    with pytest.raises(BadInput, match="'Z' is not known") as caught:
        UpliftModel("Z").fit(trial[X], trial["bought"] + 1, trial["treated"])
    assert len(caught.value.faults) == 2
