import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territory_lab.errors import BadInput
from territory_lab.timeline import OutOfTimeSplit, Snapshot, data_end, group_codes, rolling

DAY = pd.Timedelta(days=1)


def on(*days: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days)


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return {
        "accounts": pd.DataFrame({"account_id": ["a", "b"], "created_date": on("2024-01-01", "2025-06-01")}),
        "orders": pd.DataFrame(
            {
                "order_id": ["o1", "o2", "o3", "o4"],
                "account_id": ["a", "a", "a", "b"],
                "order_date": on("2024-02-01", "2025-02-28", "2025-03-01", "2025-06-30"),
                "amount": [1.0, 2.0, 4.0, 8.0],
            }
        ),
        "opportunities": pd.DataFrame(
            {
                "opportunity_id": ["p1", "p2"],
                "account_id": ["a", "a"],
                "stage": ["won", "lost"],
                "created_date": on("2025-02-01", "2025-02-02"),
                "close_date": on("2025-02-20", "2025-03-20"),
            }
        ),
    }


def snapshot(tables: dict[str, pd.DataFrame], as_of: str = "2025-03-01", horizon: int = 30) -> Snapshot:
    return Snapshot(tables, pd.Timestamp(as_of), 365 * DAY, horizon * DAY)


def test_before_holds_the_lookback_only_and_after_the_horizon_only(tables: dict[str, pd.DataFrame]) -> None:
    shot = snapshot(tables)
    assert shot.before["orders"]["order_id"].tolist() == ["o2"]
    assert shot.after["orders"]["order_id"].tolist() == ["o3"]
    assert shot.before["accounts"]["account_id"].tolist() == ["a"]
    assert shot.customers.tolist() == ["a"]


def test_an_outcome_that_was_not_known_yet_is_hidden(tables: dict[str, pd.DataFrame]) -> None:
    seen = snapshot(tables).before["opportunities"].set_index("opportunity_id")
    assert seen["stage"].to_dict() == {"p1": "won", "p2": "open"}
    assert seen["close_date"].isna().to_dict() == {"p1": False, "p2": True}


def test_changing_the_future_changes_nothing_before(tables: dict[str, pd.DataFrame]) -> None:
    shot = snapshot(tables)
    orders = tables["orders"]
    changed = tables | {"orders": orders.assign(amount=orders["amount"].where(orders["order_date"] < shot.as_of, 1e9))}
    pd.testing.assert_frame_equal(snapshot(changed).before["orders"], shot.before["orders"])


def test_labels_that_are_not_ripe_are_refused_and_dropped_ones_counted(tables: dict[str, pd.DataFrame]) -> None:
    assert data_end(tables) == pd.Timestamp("2025-07-01")
    with pytest.raises(BadInput, match="not ripe until 2025-07-02"):
        _ = snapshot(tables, "2025-06-02").after
    assert snapshot(tables, "2025-06-01").mature
    taken = rolling(tables, on("2025-06-02", "2025-03-01", "2025-06-01"), 365 * DAY, 30 * DAY)
    assert [shot.as_of for shot in taken.snapshots] == list(on("2025-03-01", "2025-06-01"))
    assert taken.dropped == tuple(on("2025-06-02"))
    frame = taken.frame(lambda shot: shot.after["orders"][["order_id"]])
    assert frame["order_id"].tolist() == ["o3", "o4"]
    assert frame["as_of"].tolist() == list(on("2025-03-01", "2025-06-01"))


def test_time_zones_and_empty_spans_are_all_named_at_once(tables: dict[str, pd.DataFrame]) -> None:
    zoned = tables | {"calls": pd.DataFrame({"call_date": on("2025-01-01").tz_localize("UTC")})}
    with pytest.raises(BadInput) as error:
        Snapshot(zoned, pd.Timestamp("2025-03-01", tz="UTC"), -DAY, 30 * DAY)
    assert {fault.column for fault in error.value.faults} == {"call_date", "as_of", "lookback"}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=8, max_size=60), st.integers(0, 3))
def test_training_rows_are_earlier_and_of_other_groups(rows: list[tuple[int, int]], embargo: int) -> None:
    times, groups = (np.array(column) for column in zip(*rows, strict=True))
    split = OutOfTimeSplit(3, embargo=embargo, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer times than blocks is fine here
        folds = list(split.split(rows, groups=groups, times=times))
    for train, test in folds:
        assert times[train].max() <= times[test].min() - embargo
        assert times[train].max() < times[test].min()
        assert not set(groups[train]) & set(groups[test])
    tested = np.concatenate([test for _, test in folds] or [np.array([], int)])
    assert len(set(tested)) == len(tested)


def test_distinct_groups_are_tested_whole_and_every_later_block_once() -> None:
    folds = list(OutOfTimeSplit(3).split(range(40)))
    assert [(train.max() + 1, test.tolist()) for train, test in folds] == [
        (10, list(range(10, 20))),
        (20, list(range(20, 30))),
        (30, list(range(30, 40))),
    ]


def test_blocks_of_a_width_are_the_latest() -> None:
    folds = list(OutOfTimeSplit(2, width=5).split(range(40)))
    assert [(train.max() + 1, test.tolist()) for train, test in folds] == [
        (30, list(range(30, 35))),
        (35, list(range(35, 40))),
    ]


def test_shuffling_needs_a_reason_and_still_keeps_groups_apart() -> None:
    groups = np.repeat(np.arange(12), 5)
    folds = list(OutOfTimeSplit(3, shuffled="there are no dates").split(groups, groups=groups))
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(60))
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)


def test_rows_without_a_group_stand_alone() -> None:
    code = group_codes(["x", None, "x", None], 4)
    assert code[0] == code[2]
    assert len(set(code)) == 3
