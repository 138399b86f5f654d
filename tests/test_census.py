"""Oracles: files of the Census Bureau's two layouts with counts written by hand."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from territory_lab.errors import BadInput
from territory_lab.market import read_cbp, read_counts

SIZES = "n5_9,n10_19,n20_49,n50_99,n100_249,n250_499,n500_999,n1000,n1000_1,n1000_2,n1000_3,n1000_4"
OLD = f"fipstate,fipscty,naics,empflag,emp_nf,emp,qp1_nf,qp1,ap_nf,ap,est,n1_4,{SIZES},censtate,cencty"
NEW = ",".join(
    f'"{one}"' for one in f"fipstate,fipscty,naics,emp_nf,emp,qp1_nf,qp1,ap_nf,ap,est,n<5,{SIZES}".split(",")
)


@pytest.fixture
def written(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_the_older_layout_with_a_withheld_count(written):
    path = written(
        "cbp16co.txt",
        OLD,
        "01,001,------,,G,10454,G,1,G,1,853,400,200,100,100,30,15,5,2,1,1,0,0,0,63,1",
        "01,001,23----,,H,400,G,1,G,1,60,40,10,5,5,0,0,0,0,0,0,0,0,0,63,1",
        "01,001,236///,,H,150,G,1,G,1,20,15,5,0,0,0,0,0,0,0,0,0,0,0,63,1",
        "01,001,31----,E,D,0,D,0,D,0,12,4,3,2,1,1,1,0,0,0,0,0,0,0,63,1",
        "01,003,23----,,G,100,G,1,G,1,10,8,1,1,0,0,0,0,0,0,0,0,0,0,63,2",
        "01,003,95----,,G,100,G,1,G,1,10,8,1,1,0,0,0,0,0,0,0,0,0,0,63,2",
    )
    found = read_cbp(path).set_index(["area_id", "sector"])
    assert list(found.index) == [("01001", "23"), ("01001", "31-33"), ("01003", "23")]
    assert found.loc[("01001", "23"), ["employees", "employees_low", "employees_high"]].tolist() == [400, 380, 420]
    hidden = found.loc[("01001", "31-33")]
    assert (hidden["employees_low"], hidden["employees_high"], hidden["source"]) == (250, 499, "estimate")
    assert 250 < hidden["employees"] < 499
    assert hidden["establishments"] == 12


def test_counties_add_up_to_their_areas_and_a_county_without_one_is_named(written):
    path = written(
        "cbp21co.txt",
        NEW,
        '"01","001","23----","G",400,"G",1,"G",1,60,40,10,5,5,"N","N","N","N","N","N","N","N","N"',
        '"01","003","23----","J",100,"G",1,"G",1,10,8,"N","N","N","N","N","N","N","N","N","N","N","N"',
        '"01","005","62----","S",0,"S",0,"S",0,7,4,3,"N","N","N","N","N","N","N","N","N","N","N"',
    )
    areas = pd.Series({"01001": "metro", "01003": "metro", "01005": "rest"})
    found = read_cbp(path, areas).set_index("area_id")
    assert found.loc["metro", ["employees", "establishments", "source"]].tolist() == [500, 70, "reported"]
    assert found.loc["metro", "employees_high"] == pytest.approx(400 * 1.02 + 100 * 1.15)
    # without a size flag the range comes from establishments by size: 4 of 1-4, 3 of 5-9
    assert found.loc["rest", ["employees_low", "employees_high", "source"]].tolist() == [19, 43, "estimate"]
    with pytest.raises(BadInput, match=r"\[01005\]: the county has no area"):
        read_cbp(path, areas.drop("01005"))


def test_the_metro_file_of_either_generation_gzipped_or_not(written, tmp_path):
    old = written(
        "cbp12msa.txt",
        OLD.replace("fipstate,fipscty", "msa").replace(",censtate,cencty", ""),
        "10180,44----,,G,900,G,1,G,1,60,40,10,5,5,0,0,0,0,0,0,0,0,0",
    )
    new = tmp_path / "cbp19msa.txt.gz"
    head = NEW.replace('"fipstate","fipscty"', '"msa"')
    line = '"10180","44----","G",900,"G",1,"G",1,60,40,10,5,5,"N","N","N","N","N","N","N","N","N"'
    new.write_bytes(gzip.compress(f"{head}\n{line}\n".encode()))
    assert read_cbp(old).equals(read_cbp(new))
    assert read_cbp(old)["sector"].tolist() == ["44-45"]


SECTORS = ["23", "31", "42", "44", "48", "54", "62", "72", "81"]


def county_file(folder: Path) -> Path:
    """Write a file of the published layout and length: 2.1 million lines."""
    path = folder / "cbp16co.txt"
    tail = ",,G,400,G,1,G,1,60,40,10,5,5,0,0,0,0,0,0,0,0,0,63,1"
    detail = [f"ss,ccc,{sector}{digits:04}{tail}" for sector in SECTORS for digits in range(1111, 1185)]
    block = "\n".join([f"ss,ccc,{sector}----{tail}" for sector in SECTORS] + detail) + "\n"
    with path.open("w") as file:
        file.write(OLD + "\n")
        for county in range(3140):
            file.write(block.replace("ss,ccc", f"{county // 999 + 1:02},{county % 999 + 1:03}"))
    return path


def test_a_county_file_of_full_length_gives_every_cell(tmp_path):
    found = read_cbp(county_file(tmp_path))
    assert len(found) == 3140 * len(SECTORS)
    assert found["employees"].sum() == 400 * len(found)


def test_a_file_of_another_kind_is_refused(written):
    with pytest.raises(BadInput) as caught:
        read_cbp(written("other.txt", "msa,industry,employees", "10180,44,7"))
    assert {fault.column for fault in caught.value.faults} == {"naics", "emp_nf", "emp", "est", "n5_9"}


def test_a_long_table_of_any_wording():
    table = pd.DataFrame(
        {
            "region": ["n", "n", "n", "s"],
            "industry": ["2382", "236", "311", "45"],
            "class": ["1-4", "10 to 19", "1,000+", "under 5"],
            "firms": [10, 2, 1, None],
        }
    )
    found = read_counts(table, area="region", sector="industry", size="class", count="firms").set_index(
        ["area_id", "sector"]
    )
    assert found.loc[("n", "23"), "employees"] == pytest.approx(10 * 2 + 2 * np.sqrt(190))
    assert found.loc[("n", "23"), ["employees_low", "employees_high", "establishments"]].tolist() == [30, 78, 12]
    assert found.loc[("n", "31-33"), ["employees_low", "employees_high"]].tolist() == [1000, 4000]
    hidden = found.loc[("s", "44-45")]
    assert hidden[["establishments_low", "establishments", "establishments_high"]].tolist() == [0, 1, 2]
    assert hidden["source"] == "estimate"


def test_every_fault_of_a_long_table_is_named_at_once():
    table = pd.DataFrame(
        {
            "area": ["n", "n", "s", "s"],
            "sector": ["23", "23", "00", "62"],
            "size": ["1-4", "1-4", "5-9", "many"],
            "count": [1, 2, 3, -4],
            "naics": [2012, 2012, 2017, 2017],
        }
    )
    with pytest.raises(BadInput) as caught:
        read_counts(table, vintage="naics")
    assert [(fault.column, fault.row) for fault in caught.value.faults] == [
        ("sector", "00"),
        ("size", "many"),
        ("count", "-4"),
        ("area", "n"),
        ("naics", ""),
    ]
