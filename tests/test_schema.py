import pandas as pd
import pytest

from territory_lab import quality, schema
from territory_lab.errors import BadInput


def accounts(**columns: list[object]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    keys = {"account_id": [f"a{i}" for i in range(size)], "name": [f"Firm {chr(65 + i)}" for i in range(size)]}
    return pd.DataFrame(keys | columns)


def found(**columns: list[object]) -> list[tuple[str, str]]:
    _, faults = schema.inspect({"accounts": accounts(**columns)}, bounds=(-125, 24, -66, 50))
    return [(fault.column, fault.row) for fault in faults]


def test_text_becomes_typed_and_zeros_stay() -> None:
    raw = accounts(
        postcode=["02139", ""], employees=["12", ""], created_date=["2025-01-31", "2025-01-31T23:00:00-02:00"]
    )
    frame = schema.parse({"accounts": raw})["accounts"]
    assert frame["postcode"].tolist()[0] == "02139"
    assert frame["postcode"].isna().tolist() == [False, True]
    assert frame["employees"].dtype == "float64"
    assert frame["created_date"].tolist() == [pd.Timestamp("2025-01-31"), pd.Timestamp("2025-02-01 01:00")]


def test_typed_columns_are_read_and_blamed_as_their_text_is() -> None:
    day = pd.Series(pd.to_datetime(["2025-01-31", "2025-07-01", None])).dt.tz_localize("America/New_York")
    typed = accounts(revenue=[1.5, float("inf"), None], lon=[0.1, 0.2, 200.0], parent_id=["a1", "a9", None])
    typed["created_date"] = day
    spelt = typed.assign(**{column: typed[column].astype("str") for column in ("revenue", "lon", "created_date")})
    (read, faults), (read_spelt, faults_spelt) = (schema.inspect({"accounts": raw}) for raw in (typed, spelt))
    pd.testing.assert_frame_equal(read["accounts"], read_spelt["accounts"])
    blamed = [("revenue", "a1"), ("lon", "a2"), ("parent_id", "a1")]
    assert [fault[1:3] for fault in faults] == [fault[1:3] for fault in faults_spelt] == blamed


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("revenue", "1234.5", "$1,234.50"),
        ("revenue", "0", "-3"),
        ("employees", "7", "inf"),
        ("created_date", "2025-05-13", "13/05/2025"),
        ("created_date", "2025-05-13", "2025-02-30"),
        ("sector", "31-33", "Manufacturing"),
        ("postcode", "02139-1234", "2139"),
        ("account_id", "x1", ""),
    ],
)
def test_a_bad_value_is_named_and_a_good_one_is_not(column: str, good: str, bad: str) -> None:
    row = "row 2" if column == "account_id" else "a1"
    assert found(**{column: [good, bad]}) == [(column, row)]


def test_every_fault_is_listed_at_once_not_the_first_only() -> None:
    with pytest.raises(BadInput) as error:
        schema.parse({"accounts": accounts(revenue=["$1", "2"], lat=["95", "40"], created_date=["1.2.25", ""])})
    assert {fault.column for fault in error.value.faults} == {"revenue", "lat", "created_date"}
    assert all(fault.mend for fault in error.value.faults)


def test_places_off_the_map_are_faults() -> None:
    assert found(lon=["0", "2.35", "-71"], lat=["0", "48.9", "42.4"]) == [("lat", "a0"), ("lat", "a1")]


def test_a_parent_loop_names_its_members_and_no_others() -> None:
    assert found(parent_id=["a1", "a2", "a1", "a0", ""]) == [("parent_id", "a1"), ("parent_id", "a2")]


def test_a_key_given_twice_is_a_fault_in_both_rows() -> None:
    assert found(account_id=["x", "y", "x"]) == [("account_id", "x"), ("account_id", "x")]


def test_an_owner_nobody_knows_is_an_orphan_only_where_reps_are_there() -> None:
    alone = {"accounts": accounts(owner_id=["r1", "r9"])}
    assert schema.inspect(alone)[1] == []
    reps = pd.DataFrame({"rep_id": ["r1"], "name": ["Ann"]})
    assert [fault.row for fault in schema.inspect(alone | {"reps": reps})[1]] == ["a1"]


def test_missing_columns_and_the_missing_table_are_faults() -> None:
    _, faults = schema.inspect({"reps": pd.DataFrame({"name": ["Ann"]})})
    assert [(fault.table, fault.column) for fault in faults] == [("accounts", ""), ("reps", "rep_id")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Acme Tool Corp", "ACME TOOL, Inc.", True),
        ("Acme Tool", "Tool Acme", True),
        ("Acme Tooling Works", "Acme Tolling Works", True),
        ("Acme Tool", "Zenith Pumps", False),
    ],
)
def test_twins_are_doubted_at_one_postcode_only(one: str, other: str, same: bool) -> None:
    near = accounts(name=[one, other], postcode=["02139", "02139-0001"])
    far = accounts(name=[one, other], postcode=["02139", "60601"])
    assert [doubt.row for doubt in quality.doubts(near)] == ["a1"] * same
    assert quality.doubts(far) == []


def test_names_that_a_spreadsheet_runs_or_a_page_renders_are_doubted() -> None:
    names = accounts(name=["=cmd()", "+1", "<script>x</script>", "A < B", "Plain & Co"])
    assert [doubt.row for doubt in quality.doubts(names)] == ["a0", "a1", "a2"]
