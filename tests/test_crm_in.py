"""CRM exports in: every layout to a workspace without faults, every row accounted for, nothing but named errors."""

import contextlib
import csv
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory_lab import book, crm, geography, sample, schema, shipped
from territory_lab.crm import _sheets
from territory_lab.crm import _values as values
from territory_lab.errors import BadInput
from tests import crm_exports


def read(folder: Path, name: str = "csv", **files: str) -> crm.Intake:
    folder.mkdir(exist_ok=True)
    for stem, text in files.items():
        (folder / f"{stem}.csv").write_text(text, encoding="utf-8")
    return crm.read(folder, crm.Layout.of(name))


def column(intake: crm.Intake, name: str, table: str = "accounts") -> list[str]:
    return intake.tables[table][name].tolist()


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("name", crm_exports.WRITERS)
def test_every_crm_goes_to_a_workspace_without_faults(name: str, labels: bool, tmp_path: Path) -> None:
    firm = crm_exports.company(name)
    export = crm_exports.write(crm_exports.WRITERS[name](firm, labels=labels), tmp_path / "export")
    space, intake = crm.create(tmp_path / "own", export, crm.Layout.of(name))
    assert space.faults() == ([], [])
    accounts = space.tables["accounts"].set_index("account_id").loc[firm.accounts["id"]]
    assert accounts["postcode"].tolist() == firm.accounts["postcode"].tolist()
    assert accounts["revenue"].tolist() == firm.accounts["revenue"].tolist()
    assert accounts["owner_id"].tolist() == firm.accounts["owner"].tolist()
    assert accounts["created_date"].dt.normalize().tolist() == firm.accounts["created"].tolist()
    assert accounts["parent_id"].iloc[1] == firm.accounts["id"].iloc[0]
    deals = space.tables["opportunities"].set_index("opportunity_id").loc[firm.deals["id"]]
    assert deals["stage"].tolist() == firm.deals["stage"].tolist()
    assert deals["account_id"].tolist() == firm.deals["account"].tolist()
    assert deals["close_date"].dt.normalize().tolist() == firm.deals["closed"].tolist()
    today = intake.links["account_territories"].set_index("account_id")["territory_id"]
    person = dict(zip(firm.reps["territory"], firm.reps["first"] + " " + firm.reps["last"], strict=True))
    expected = firm.accounts["territory"].map(person if name == "hubspot" else str)
    assert today.loc[firm.accounts["id"]].tolist() == expected.tolist()


def test_line_items_of_won_opportunities_become_orders(tmp_path: Path) -> None:
    firm = crm_exports.company()
    export = crm_exports.write(crm_exports.salesforce(firm), tmp_path / "export")
    orders = crm.read(export, crm.Layout.of("salesforce")).tables["orders"].set_index("order_id")
    won = firm.lines.merge(firm.deals[firm.deals["stage"] == "won"], left_on="deal", right_on="id")
    assert orders.loc[won["id_x"], "account_id"].tolist() == won["account"].tolist()
    assert len(orders) == len(won)


def test_homes_of_hubspots_owners_come_from_a_column_of_theirs(tmp_path: Path) -> None:
    firm = crm_exports.company("hubspot")
    exports = crm_exports.hubspot(firm)
    exports["owners"]["zip"] = firm.reps["postcode"].to_numpy()
    space, _ = crm.create(tmp_path / "own", crm_exports.write(exports, tmp_path / "export"), crm.Layout.of("hubspot"))
    places = geography.postcodes().set_index("postcode").loc[firm.reps["postcode"], ["lon", "lat"]]
    reps = space.tables["reps"].set_index("rep_id").loc[firm.reps["id"], ["lon", "lat"]]
    assert reps.to_numpy() == pytest.approx(places.to_numpy(), abs=1e-6)


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "parquet"])
def test_own_boundaries_come_in_whatever_file_they_stand_in(suffix: str, tmp_path: Path) -> None:
    counties = geography.counties().set_index("unit_id").loc[["25017", "25025"], ["geometry"]].reset_index()
    flat = counties.to_crs("EPSG:26986") if suffix != "geojson" else counties
    (tmp_path / "export").mkdir()
    file = tmp_path / "export" / f"units.{suffix}"
    flat.to_parquet(file) if suffix == "parquet" else flat.to_file(file)
    text = "account_id,name,lon,lat\n1,Acme,-71.1106,42.3736\n2,Bolt,-71.0589,42.3601\n"
    (tmp_path / "export" / "accounts.csv").write_text(text, encoding="utf-8")
    space, _ = crm.create(tmp_path / "own", tmp_path / "export", crm.Layout.of("csv"))
    places = book.units(space)
    ratio = places.to_crs("EPSG:5070").area.to_numpy() / counties.to_crs("EPSG:5070").area.to_numpy()
    assert ratio == pytest.approx([1, 1], rel=1e-6)
    assert book.accounts(space, places)["unit_id"].tolist() == ["25017", "25025"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_any_usual_encoding_and_separator_gives_the_same_tables(encoding: str, sep: str, tmp_path: Path) -> None:
    exports = crm_exports.dynamics(crm_exports.company("dynamics"), labels=True)
    layout = crm.Layout.of("dynamics")
    plain = crm.read(crm_exports.write(exports, tmp_path / "plain"), layout).tables
    other = crm.read(crm_exports.write(exports, tmp_path / "other", encoding=encoding, sep=sep), layout).tables
    for name, table in plain.items():
        pd.testing.assert_frame_equal(other[name], table)


def test_a_workbook_gives_the_same_tables_as_its_sheets_in_csv(tmp_path: Path) -> None:
    firm = crm_exports.company("dynamics")
    exports = crm_exports.dynamics(firm)
    exports["accounts"] = exports["accounts"].assign(
        numberofemployees=firm.accounts["employees"], createdon=firm.accounts["created"]
    )
    with pd.ExcelWriter(tmp_path / "export.xlsx") as book:
        for name, frame in exports.items():
            frame.to_excel(book, sheet_name=name, index=False)
    layout = crm.Layout.of("dynamics")
    plain = crm.read(crm_exports.write(exports, tmp_path / "plain"), layout).tables
    other = crm.read(tmp_path / "export.xlsx", layout).tables
    assert set(other) == set(plain)
    assert other["accounts"]["employees"].tolist() == plain["accounts"]["employees"].tolist()
    assert other["accounts"]["created_date"].str[:10].tolist() == plain["accounts"]["created_date"].tolist()


@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["1234.5", "7"], ["1234.5", "7"]),
        (["$1,234,000", "$950,000.00"], ["1234000", "950000.00"]),
        (["1.234,50 €", "1.000", "-7,5"], ["1234.50", "1000", "-7.5"]),
        (["1'234.50", "2 000"], ["1234.50", "2000"]),
        (["(1,234.00)", "USD 410000", "1e5"], ["-1234.00", "410000", "1e5"]),
        (["1,5", "2.5", "1,234"], ["1.5", "2.5", "1,234"]),  # the column contradicts itself: the last one stays
        (["n/a", "", "12 dozen"], ["n/a", "", "12 dozen"]),
        (["1,2345,678.00"], ["1,2345,678.00"]),
    ],
)
def test_numbers_are_read_as_their_column_writes_them(cells: list[str], plain: list[str]) -> None:
    assert values.numbers(pd.Series(cells, dtype="str"))[0].tolist() == plain


def test_a_thousand_with_a_comma_alone_follows_the_separator_and_is_said() -> None:
    cells = pd.Series(["1,234"], dtype="str")
    assert [values.numbers(cells, decimal_comma=comma)[0].iloc[0] for comma in (False, True)] == ["1234", "1.234"]
    assert "decimal comma" in values.numbers(cells, decimal_comma=True)[1]


@pytest.mark.parametrize(
    ("cells", "order", "iso"),
    [
        (["31/12/2025", "01/02/2025"], "dmy", ["2025-12-31", "2025-02-01"]),
        (["12/31/2025", "01/02/2025 3:45 PM"], "mdy", ["2025-12-31", "2025-01-02"]),
        (["31/12/2025", "12/31/2025", "01/02/2025"], "mixed", ["2025-12-31", "2025-12-31", "01/02/2025"]),
        (["01/02/25"], "open", ["01/02/25"]),
        (["31.12.2025", "1.2.25"], "", ["2025-12-31", "2025-02-01"]),
        (
            ["2025/1/2", "20250103", "March 4, 2025", "5-Mar-2025"],
            "",
            ["2025-01-02", "2025-01-03", "2025-03-04", "2025-03-05"],
        ),
        (["1735689600000"], "", ["2025-01-01"]),
    ],
)
def test_the_column_decides_the_order_of_day_and_month(cells: list[str], order: str, iso: list[str]) -> None:
    column = pd.Series(cells, dtype="str")
    assert values.date_order(column) == order
    assert values.dates(column, order).tolist() == iso


def test_dates_that_do_not_tell_follow_the_other_columns_and_this_is_said(tmp_path: Path) -> None:
    text = "opportunity_id,account_id,stage,created_date,close_date\n1,1,won,03/04/2025,25/04/2025\n"
    intake = read(tmp_path / "x", accounts="account_id,name\n1,Acme\n", opportunities=text)
    assert column(intake, "created_date", "opportunities") == ["2025-04-03"]
    assert any("opportunities.created_date: no date tells day from month; read as dmy" in note for note in intake.notes)


def test_postcodes_keep_their_zeros_and_zip_4(tmp_path: Path) -> None:
    intake = read(
        tmp_path / "x", accounts="account_id,name,postcode,country\n1,A,02139-1234,US\n2,B,2139,US\n3,C,2139,AU\n"
    )
    assert column(intake, "postcode") == ["02139-1234", "02139", "2139"]


def test_what_stands_in_the_way_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    accounts = (
        "account_id,name,lon,lat,country,parent_id,owner_id,revenue\n"
        "1,Acme,-71,42,US,2,r1,100\n"
        "2,Bolt,71,42,US,1,r9,lots\n"
        ",Nobody,,,,,,\n"
        "1,Acme again,,,,,,\n"
        "4,,,,,,,\n"
        "5,Short\n"
        "6,=cmd(),0,0,US,,,\n"
    )
    deals = "opportunity_id,account_id,stage,created_date\nd1,1,won,2025-01-01\nd2,4,won,2025-01-01\n"
    deals += "d3,1,maybe,2025-01-01\n"
    intake = read(tmp_path / "x", accounts=accounts, opportunities=deals, reps="rep_id,name\nr1,Ann\n")
    rows = intake.aside[intake.aside["what"] == "row"]
    assert dict(zip(zip(rows["table"], rows["line"], strict=True), rows["reason"], strict=True)) == {
        ("accounts", 4): "has no id",
        ("accounts", 5): "its id stands in an earlier row",
        ("accounts", 6): "the value is missing",
        ("accounts", 7): "has 2 cells where the header has 8",
        ("opportunities", 3): "'4' is not in accounts.account_id",
        ("opportunities", 4): "'maybe' is out of range",
    }
    cells = intake.aside[intake.aside["what"] == "cell"]
    assert set(zip(cells["line"], cells["column"], strict=True)) == {
        (2, "parent_id"),
        (3, "parent_id"),
        (3, "owner_id"),
        (3, "revenue"),
        (3, "lat"),
        (8, "lat"),
    }
    assert column(intake, "account_id") == ["1", "2", "6"]


def test_cells_set_aside_are_defused_and_duplicates_are_only_listed(tmp_path: Path) -> None:
    text = "account_id,name,postcode,city\n1,Acme Inc,02139,\n2,ACME,02139,\n"
    text += "3,Bolt,,Boston\n4,Bolt LLC,,boston\n5,=1+1,,\n5,=1+1,,\n"
    export = tmp_path / "export"
    export.mkdir()
    (export / "accounts.csv").write_text(text, encoding="utf-8")
    space, _ = crm.create(tmp_path / "own", export, crm.Layout.of("csv"))
    pairs = pd.read_csv(space.folder / "duplicates.csv", dtype=str)
    assert set(zip(pairs["account_a"], pairs["account_b"], strict=True)) == {("1", "2"), ("3", "4")}
    assert len(space.tables["accounts"]) == 5
    assert "'=" not in (space.folder / "accounts.csv").read_text(encoding="utf-8")
    (export / "accounts.csv").write_text("account_id,name\n=1+1,x\n=1+1,x\n2,y\n", encoding="utf-8")
    again, _ = crm.create(tmp_path / "again", export, crm.Layout.of("csv"))
    assert "'=1+1 | x" in (again.folder / "set_aside.csv").read_text(encoding="utf-8")


def test_other_currencies_are_set_aside_and_never_added_up(tmp_path: Path) -> None:
    text = "account_id,name,revenue\n1,A,$10\n2,B,$20\n3,C,€30\n"
    intake = read(tmp_path / "x", accounts=text)
    assert (intake.currency, column(intake, "revenue")) == ("USD", ["10", "20", ""])
    assert intake.aside["value"].tolist() == ["€30"]


def test_columns_that_only_look_right_are_proposed_and_taken_when_told(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    text = "Acount ID,Account Nmae,Colour\n1,Acme,red\n"
    with pytest.raises(BadInput) as error:
        read(folder, accounts=text)
    assert ["read again with --accept" in fault.mend for fault in error.value.faults] == [True, True]
    space, intake = crm.create(tmp_path / "own", folder, crm.Layout.of("csv"), accept=True)
    assert column(intake, "name") == ["Acme"]
    assert intake.mapping.set_index("from")["how"]["Colour"] == "not read"
    kept = crm.Layout.load(space.folder / "mapping.toml")
    assert crm.read(folder, kept).tables["accounts"]["name"].tolist() == ["Acme"]


def test_a_mapping_that_does_not_fit_names_every_key(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('crm = "csv"\ncolour = 1\ndate_order = "ymd"\n[tables.people]\n[tables.accounts]\nfiles = 1\n')
    with pytest.raises(BadInput) as error:
        crm.Layout.load(file)
    assert [fault.column for fault in error.value.faults] == ["colour", "date_order", "tables.people", "files"]


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"account_id,name\n1,\x81\n")
    (tmp_path / "b.csv").write_text('account_id,name\n1,"open\n')
    (tmp_path / "c.xlsx").write_bytes(b"PK no workbook")
    (tmp_path / "d.csv").write_text("")
    with pytest.raises(BadInput) as error:
        crm.read(tmp_path, crm.Layout.of("csv"))
    assert [fault.table for fault in error.value.faults] == ["a.csv", "b.csv", "c.xlsx", "d.csv"]


def test_a_workbook_that_unpacks_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sheets, "_UNPACKED", 10_000)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", "0" * 20_000)
    with pytest.raises(BadInput, match="unpacks to 20,000 bytes"):
        crm.read(tmp_path, crm.Layout.of("csv"))


def test_files_that_hold_no_table_are_left_out_and_counted(tmp_path: Path) -> None:
    intake = read(tmp_path / "x", accounts="account_id,name\n1,Acme\n", weather="day,rain\nMo,3\nTu,4\n")
    ledger = intake.ledger.set_index("file").loc["weather.csv"]
    assert (ledger["rows"], ledger["used"], ledger["set_aside"]) == (2, 0, 2)


def test_units_can_be_made_of_columns_that_accounts_share(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text(
        "account_id,name,country,state,lon,lat,territory_id\n"
        "1,A,FR,75,2,48,P\n2,B,FR,75,4,50,P\n3,C,FR,75,0,0,Q\n4,D,FR,,5,43,Q\n5,E,DE,BE,13,52,Q\n"
    )
    layout = crm.Layout.of("csv")
    layout.units_by.extend(["country", "state"])
    tables = crm.read(tmp_path, layout).tables
    assert tables["units"].to_numpy().tolist() == [["DE-BE", "13.0", "52.0"], ["FR-75", "3.0", "49.0"]]
    assert tables["alignment"].to_numpy().tolist() == [["DE-BE", "Q"], ["FR-75", "P"]]


def test_the_messy_sample_is_read_as_the_clean_one_but_for_what_is_said() -> None:
    intake = crm.read(shipped.data("sample_messy"), crm.Layout.of("csv"))
    clean = schema.parse(sample.company(1_500, seed=0, orders_a_year=2.0)[0])
    differs = set()
    for name, table in schema.parse(intake.tables).items():
        key = table.columns[0]
        truth = clean[name].set_index(key)
        found = table.set_index(key).reindex(index=truth.index, columns=truth.columns)
        cells = ~((found == truth) | (found.isna() & truth.isna()))
        differs |= {(name, column, row) for column in cells for row in cells.index[cells[column]]}
    told = json.loads((shipped.data("sample_messy") / "truth.json").read_text(encoding="utf-8"))["planted_faults"]
    planted = {(fault["table"], fault["column"], fault["row"]): fault["kind"] for fault in told}
    assert {planted.get(cell, "") for cell in differs if cell[1] != "lon"} == {
        "orphan_owner",
        "impossible_coordinates",
        "currency_symbol",  # the sample plants other amounts, and one in euros
        "formula_name",
        "markup_name",
        "mixed_date",  # 11/09/2014, which nothing decides
    }
    assert sum(planted.get(cell) == "mixed_date" for cell in differs) == 1
    assert len(intake.aside) == 14  # 4 owners, 4 places, 4 parents in loops, the euros and the date
    assert any("got their leading zeros back" in note for note in intake.notes)


CELL = st.one_of(
    st.sampled_from(
        ["1", "2", "Acme", "a@b", "01/02/2025", "1.234,5", "€5", "=x", "0", "US", "won", "2139", "-71", "42", "nan"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)
HEADERS = {
    "accounts": [
        "account_id",
        "name",
        "parent_id",
        "postcode",
        "country",
        "lon",
        "lat",
        "owner_id",
        "revenue",
        "sector",
    ],
    "reps": ["rep_id", "name", "manager_id", "territory_id", "postcode", "quota"],
    "opportunities": ["opportunity_id", "account_id", "stage", "created_date", "amount", "owner_id"],
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_row_is_used_or_set_aside_with_a_reason(tmp_path: Path, data: st.DataObject) -> None:
    folder, counts = tmp_path, {}
    for name, header in HEADERS.items():
        rows = data.draw(st.lists(st.lists(CELL, min_size=len(header), max_size=len(header)), max_size=6), label=name)
        good = [[name[:1] + "0", "Good", *[""] * (len(header) - 2)]]
        frame = pd.DataFrame(good + rows, columns=header, dtype="str")
        frame = frame[frame.apply(lambda row: "".join(row).strip() != "", axis=1)]
        frame.to_csv(folder / f"{name}.csv", index=False, quoting=csv.QUOTE_ALL)
        counts[name] = len(frame)
    intake = crm.read(folder, crm.Layout.of("csv"))
    aside = intake.aside[intake.aside["what"] == "row"]
    for name, count in counts.items():
        used = len(intake.tables.get(name, ()))
        assert count == used + (aside["table"] == name).sum()
        ledger = intake.ledger.set_index("table").loc[name]
        assert (ledger["rows"], ledger["used"]) == (count, used)
    assert (intake.aside["reason"] != "").all()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"account_id,name,lat,lon\n1,Acme,1,2\n" + tail)
)
def test_no_bytes_lead_to_anything_but_tables_or_named_faults(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "accounts.csv").write_bytes(raw)
    with contextlib.suppress(BadInput):
        ledger = crm.read(tmp_path, crm.Layout.of("csv")).ledger
        assert (ledger["rows"] == ledger["used"] + ledger["set_aside"]).all()
