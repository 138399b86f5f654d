import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.propensity.encode import Encoder


def table(rows: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "revenue": rng.lognormal(10, 1, rows),
            "sector": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.38, 0.02]),
            "vip": pd.array(rng.choice([True, False, None], rows), dtype="boolean"),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, rows), unit="D"),
        }
    )


def test_every_kind_of_column_becomes_numbers_with_gaps_kept() -> None:
    frame = table()
    frame.loc[3, "revenue"] = np.nan
    out = Encoder(min_count=10).set_output(transform="pandas").fit(frame).transform(frame)
    names = ["revenue", "sector=a", "sector=b", "sector=other", "vip", "since:days", "since:summer", "since:spring"]
    assert list(out.columns) == names
    assert list(out.index) == list(frame.index)
    assert out["revenue"].isna().sum() == 1
    np.testing.assert_array_equal(out["sector=other"] == 1, frame["sector"] == "c")
    np.testing.assert_array_equal(out["vip"].isna(), frame["vip"].isna())
    np.testing.assert_allclose(out["since:days"], (frame["since"] - frame["since"].min()).dt.days)


def test_an_unseen_level_becomes_missing_with_a_warning_never_another_level() -> None:
    encoder = Encoder(min_count=1).set_output(transform="pandas").fit(table())
    with pytest.warns(UserWarning, match="sector: 2 row"):
        out = encoder.transform(table(2).assign(sector=["zz", "yy"]))
    assert out.filter(like="sector=").isna().all(axis=None)


def test_order_and_extra_columns_are_mended_with_a_warning() -> None:
    frame = table()
    encoder = Encoder().fit(frame)
    with pytest.warns(UserWarning, match="put in order"):
        turned = encoder.transform(frame[frame.columns[::-1]])
    with pytest.warns(UserWarning, match="left out: more"):
        wider = encoder.transform(frame.assign(more=1))
    np.testing.assert_array_equal(turned, encoder.transform(frame))
    np.testing.assert_array_equal(wider, encoder.transform(frame))


def test_numbers_that_come_as_text_are_read_with_a_warning() -> None:
    frame = table()
    encoder = Encoder().fit(frame)
    with pytest.warns(UserWarning, match="revenue: numbers come as"):
        out = encoder.transform(frame.assign(revenue=frame["revenue"].astype("str")))
    np.testing.assert_allclose(out, encoder.transform(frame))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns="revenue"), "the column is missing"),
        (lambda frame: frame.assign(revenue="much"), "was numbers in training"),
        (lambda frame: frame.assign(since="soon"), "was dates in training"),
        (lambda frame: frame.assign(revenue=frame["revenue"] * 1000), "the median was"),
        (lambda frame: frame.assign(revenue=np.inf), "100 infinite"),
        (lambda frame: frame.rename(columns={"vip": "sector"}), "stands twice"),
    ],
)
def test_what_cannot_be_mended_is_refused_by_name(change: object, said: str) -> None:
    frame = table()
    with pytest.raises(BadInput, match=said):
        Encoder().fit(frame).transform(change(frame))


def test_a_time_zone_changes_no_date_and_an_empty_column_is_left_out() -> None:
    frame = table()
    with pytest.warns(UserWarning, match="without a single value are left out: empty"):
        encoder = Encoder().fit(frame.assign(empty=np.nan))
    zoned = frame.assign(empty=np.nan, since=frame["since"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    np.testing.assert_allclose(encoder.transform(zoned), encoder.transform(frame.assign(empty=1.0)))
