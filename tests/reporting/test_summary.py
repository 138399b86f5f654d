"""The page leadership reads, and the numbers beside it."""

import json
import re

import pytest

from territory_lab.charts import percent
from territory_lab.files import write_whole
from territory_lab.reporting import decision, key_numbers, pictures, summary


def said(text: str) -> str:
    """Compare words without caring for the kind of space."""
    return text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def page(numbers, tmp_path_factory):
    return summary(numbers, tmp_path_factory.mktemp("report") / "summary.html", pictures(numbers))


def test_the_answer_stands_first(numbers):
    assert said(decision(numbers)) == (
        "Adopt the proposed alignment of 3 territories: the heaviest workload falls from 71 % above its share "
        "to 7.1 % above. Its travel is within 0.3 % of the best possible for these homes."
    )


def test_five_numbers_with_their_bands(numbers):
    lines = [said(str(key)) for key in key_numbers(numbers)]
    assert lines == [
        "Expected gain in sales: 1.8 % (0.9 to 2.6) - $900 k ($450 k to $1.3 M) a year, estimated",
        "Territories more than 10 % off their share: 0 of 3 - today 3 of 3",
        "Workload that changes hands: 37 %",
        "Market within reach, a year: $200 M (100 to 300) - of $3 B, estimated",
        "Reps the workload asks for: 3.4 (2.9 to 4.1) - today 3",
    ]


def test_numbers_are_plain_and_curves_are_thinned(numbers):
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert len(numbers["icp"]["pareto"]) == 200
    assert numbers["icp"]["pareto"][-1]["share_of_value"] == 1.0
    assert "scores" not in numbers["icp"]
    assert set(numbers["off"]) == {"propensity", "quotas"}


def test_json_beside_the_page_holds_the_same_numbers(page, numbers):
    assert json.loads(page.with_suffix(".json").read_text("utf-8")) == numbers


def test_every_share_of_the_table_is_in_the_page(page, numbers):
    text = page.read_text("utf-8")
    for row in numbers["territories"]["proposed"] + numbers["territories"]["today"]:
        assert percent(row["deviation_workload_h"], signed=True) in text


def test_the_page_asks_for_nothing_and_runs_nothing_foreign(page):
    text = page.read_text("utf-8")
    assert "default-src 'none'" in text
    assert len(re.findall(r"<script", text)) == 1
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", text)
    assert set(re.findall(r"https?://[^\"' )]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_names_from_outside_are_text(page):
    text = page.read_text("utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert not re.search(r"<[^>]*\sonmouseover=", re.sub(r"\"[^\"]*\"|'[^']*'", "", text))


def test_what_is_switched_off_is_said_and_left_out(page):
    text = page.read_text("utf-8")
    assert "propensity is switched off: it needs orders" in text
    assert 'id="next"' not in text
    assert 'href="#next"' not in text


def test_numbers_alone_make_a_page(tmp_path):
    meta = {"name": "Empty", "currency": "EUR", "as_of": None, "seed": 0, "data_hash": "x"}
    file = summary({"meta": meta}, tmp_path / "deep" / "summary.html")
    assert "No territories are proposed" in file.read_text("utf-8")


def test_same_numbers_same_bytes(numbers, tmp_path):
    one, two = (summary(numbers, tmp_path / f"{i}" / "s.html", pictures(numbers)).read_bytes() for i in (1, 2))
    assert one == two


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = write_whole(tmp_path / "page.html", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert file.read_text() == "old"
