"""What is planted in the sample company is found on later snapshots, and what is not is left alone."""

import numpy as np
import pandas as pd
import pytest

from territory_lab import geography, sample, shipped
from territory_lab.errors import BadInput
from territory_lab.propensity import LOOKBACK, PropensityModel, leak_scan
from territory_lab.propensity.learning import builders, learn, parents
from territory_lab.sample.cast import AFFINITY
from territory_lab.timeline import Snapshot, data_end, rolling
from territory_lab.workspace import open_workspace

HORIZON = pd.Timedelta(days=90)
NO_FEATURE = ["account_id", "bought", "extra", "as_of"]
Tables = dict[str, pd.DataFrame]
pytestmark = pytest.mark.filterwarnings("ignore:.*levels unseen.*", "ignore:.*most values lie outside.*")


@pytest.fixture(scope="module")
def planted() -> tuple[Tables, dict[str, object]]:
    return sample.company(3_000, seed=3)


@pytest.fixture(scope="module")
def upsell(planted: tuple[Tables, dict[str, object]]) -> pd.DataFrame:
    """Return four snapshots beside the decoy, the income of the county, which drives nothing."""
    tables, truth = planted
    today = data_end(tables)
    past = rolling(tables, [today - turn * HORIZON for turn in range(1, 5)], LOOKBACK, HORIZON)
    rows = past.frame(builders()["upsell"].labelled)
    postcode = rows["account_id"].map(tables["accounts"].set_index("account_id")["postcode"])
    unit = postcode.map(geography.postcodes().set_index("postcode")["unit_id"])
    decoy = str(truth["decoy"])
    return rows.assign(**{decoy: unit.map(tables["units"].set_index("unit_id")[decoy])})


def test_the_affinity_lifts_chances_on_a_snapshot_not_learnt_from() -> None:
    tables = open_workspace(shipped.data("sample")).tables
    today = data_end(tables) - HORIZON
    learnt = learn(tables, today)["cross_sell"]
    snapshot = Snapshot(tables, today, learnt.lookback, learnt.horizon)
    gaps = builders()["cross_sell"].labelled(snapshot)
    gaps = gaps.assign(p=learnt.foretell(gaps))[gaps["product_id"] == AFFINITY[1]]
    orders = snapshot.before["orders"]
    owners = gaps["account_id"].isin(orders.loc[orders["product_id"] == AFFINITY[0], "account_id"])
    p, bought = (gaps[name].groupby(owners).mean() for name in ("p", "bought"))
    error = np.sqrt((1 / gaps["bought"].groupby(owners).sum()).sum())  # of the log of a ratio of two counts
    assert learnt.model.verdict == "signal"
    assert learnt.model.over_base_.low > 0
    assert abs(np.log(p[True] / p[False] / AFFINITY[2])) < 2 * error
    assert abs(np.log(p[True] / p[False] / (bought[True] / bought[False]))) < 2 * error


def test_the_decoy_passes_the_scan_and_moves_no_score(upsell: pd.DataFrame, planted: tuple[Tables, dict]) -> None:
    decoy, groups = str(planted[1]["decoy"]), parents(planted[0], upsell["account_id"])
    X, y = upsell.drop(columns=NO_FEATURE), upsell["bought"]
    found = leak_scan(X, y, groups=groups).set_index("column")
    assert found.loc[decoy, "finding"] == "fine"
    model = PropensityModel(embargo=HORIZON).fit(X, y, groups=groups, times=upsell["as_of"])
    spoilt = X.assign(**{decoy: np.random.default_rng(1).permutation(X[decoy])})
    moved = np.abs(model.predict_proba(spoilt) - model.predict_proba(X))[:, 1].mean()
    assert moved < 0.1 * model.predict_proba(X)[:, 1].std()
    alone = PropensityModel(embargo=HORIZON).fit(X[[decoy]], y, groups=groups, times=upsell["as_of"])
    assert alone.verdict == "no signal"


def test_what_is_ordered_after_the_snapshot_is_refused(upsell: pd.DataFrame) -> None:
    X = upsell.drop(columns=NO_FEATURE)
    leaks = {
        "next_amount": upsell["extra"] + np.random.default_rng(2).lognormal(5, 1, len(X)),
        "booked": upsell["extra"].where(upsell["bought"] > 0),
    }
    with pytest.raises(BadInput) as error:
        PropensityModel(embargo=HORIZON).fit(X.assign(**leaks), upsell["bought"], times=upsell["as_of"])
    assert {fault.column for fault in error.value.faults} == leaks.keys()
