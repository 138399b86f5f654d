"""The page leadership reads, the numbers beside it, and what each reader may see."""

import json
import re
from dataclasses import replace

import babel.numbers
import pandas as pd
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from territory_lab.charts import percent, speech
from territory_lab.charts.words import band, money, number
from territory_lab.errors import TerritoryLabError
from territory_lab.files import write_whole
from territory_lab.market.regions import PLAYBOOK
from territory_lab.reporting import decision, gather, key_numbers, pictures, report, xlsx
from territory_lab.reporting.page import TEMPLATES

PACKAGE = TEMPLATES.parents[1]
NUMBER = re.compile(r"\d")


def said(text: str) -> str:
    """Compare words without caring for the kind of space."""
    return text.replace("\u00a0", " ")


@pytest.fixture(scope="module")
def page(numbers, tmp_path_factory):
    return report(numbers, tmp_path_factory.mktemp("report") / "report.html", pictures(numbers))


def test_the_answer_stands_first(numbers):
    assert said(decision(numbers).striptags()) == (
        "Adopt the proposed alignment of 3 territories: the heaviest workload goes from 71 % above its share "
        "to 7.1 % above. Its travel is within 0.3 % of the best possible for these homes."
    )


def test_five_numbers_with_their_bands(numbers):
    lines = [said(str(key.plain())) for key in key_numbers(numbers)]
    assert lines == [
        "Expected gain in sales: 1.8 % (0.9 to 2.6) - $900 k ($450 k to $1.3 M) a year, estimated",
        "Territories more than 10 % off their share: 0 of 3 - today 3 of 3",
        "Workload that changes hands: 37 % - $90 k ($0 to $310 k) of margin a year at risk, estimated",
        "Market within reach, a year: $200 M (100 to 300) - of $3 B, estimated",
        "Reps the workload asks for: 3.4 (2.9 to 4.1) - today 3",
    ]


def test_a_plan_that_moves_nothing_says_so(numbers):
    facts = numbers["territories"]["facts"] | {"moved_workload_h": 0.0}
    still = {**numbers, "territories": numbers["territories"] | {"facts": facts}}
    assert said(decision(still).striptags()).startswith("Keep today's alignment of 3 territories")


def test_numbers_are_plain_and_curves_are_thinned(numbers):
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert len(numbers["icp"]["pareto"]) == 200
    assert numbers["icp"]["pareto"][-1]["share_of_value"] == 1.0
    assert "scores" not in numbers["icp"]
    assert set(numbers["off"]) == {"propensity", "quotas"}


def test_json_beside_the_page_holds_the_same_numbers(page, numbers):
    assert json.loads(page.with_suffix(".json").read_text("utf-8")) == numbers


def test_before_and_after_add_up_to_the_same(numbers):
    today, proposed = (numbers["territories"][name] for name in ("today", "proposed"))
    for name in ("workload_h", "customers", "units"):
        assert sum(row[name] for row in today) == pytest.approx(sum(row[name] for row in proposed))


def test_the_break_even_is_where_the_gain_is_gone(results, numbers):
    lift = results["evaluation"]["lift"].set_index("part")["value"]
    moved = results["evaluation"]["at_risk"]["revenue_moved"].sum()
    even = numbers["key"]["break_even_loss_share"]
    assert even * moved == pytest.approx((lift["total"] - lift["disruption"]) * 5e7)


def test_a_plan_that_loses_has_no_break_even_and_today_its_own_count(results, numbers, tmp_path):
    step, plan = results["evaluation"], results["territories"]
    lift = step["lift"].assign(value=-step["lift"]["value"].abs())
    merged = plan["proposed"].head(1)
    off = {f"deviation_{name}{side}": 0.1 for name in ("workload", "opportunity") for side in ("", "_today")}
    fairness = pd.DataFrame(off, merged.index)
    told = {
        **results,
        "evaluation": replace(step, frames={**step.frames, "lift": lift}),
        "territories": replace(plan, frames={**plan.frames, "proposed": merged, "fairness": fairness}),
    }
    found = gather(told, numbers["meta"], {})
    assert "break_even_loss_share" not in found["key"]
    page = report(found, tmp_path / "report.html", pictures(found)).read_text(encoding="utf-8")
    assert "Break-even." not in page
    words = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert re.search(r"of 3 territories are more than .* today, \d of 1 in the plan", words)


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


def test_long_names_are_cut_with_the_whole_as_a_tooltip(numbers, tmp_path):
    long = "\u202e" + "名😀" * 150
    people = [{"territory_id": "T1", "rep": long, "workload_h": 1.0}]
    told = {**numbers, "territories": numbers["territories"] | {"people": people}}
    text = report(told, tmp_path / "r.html").read_text("utf-8")
    assert f"title='{long}'" in text
    assert f">{long}<" not in text


def test_what_is_switched_off_is_said_and_left_out(page):
    text = page.read_text("utf-8")
    assert "propensity is switched off: it needs orders" in text
    assert 'id="next"' not in text
    assert 'href="#next"' not in text


def test_numbers_alone_make_a_page(tmp_path):
    meta = {"name": "Empty", "currency": "EUR", "as_of": None, "seed": 0, "data_hash": "x"}
    file = report({"meta": meta | {"scenario": {"name": "none"}}}, tmp_path / "deep" / "report.html")
    assert "No territories are proposed" in file.read_text("utf-8")


def test_same_numbers_same_bytes(numbers, tmp_path):
    one, two = (report(numbers, tmp_path / f"{i}" / "s.html", pictures(numbers)).read_bytes() for i in (1, 2))
    assert one == two


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = write_whole(tmp_path / "page.html", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert file.read_text() == "old"


def test_the_workbook_runs_nothing_and_knows_its_formats(numbers, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    people = [{"territory_id": "T1", "rep": "=cmd()", "workload_h": 1.5, "deviation_workload_h": 0.1}]
    told = {**numbers, "territories": numbers["territories"] | {"people": people}}
    sheet = openpyxl.load_workbook(xlsx(told, tmp_path / "r.xlsx"))["territories people"]
    assert [cell.value for cell in sheet[2]] == ["T1", "'=cmd()", 1.5, 0.1]
    assert {cell.data_type for cell in sheet[2]} == {"s", "n"}
    assert sheet["D2"].number_format == "0.0%"
    assert sheet.freeze_panes == "A2"


def messages() -> set[str]:
    """Collect every text that templates and program show."""
    keywords = {"say": None, "says": (1, 2), "term": None, "counted": (2, 3)}
    options = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
    every_page = {"**.j2": options | {"newstyle_gettext": "true"}}
    found = [
        *extract_from_dir(PACKAGE, [("**.py", "python")], keywords=keywords),
        *extract_from_dir(TEMPLATES, [("**.j2", "jinja2.ext:babel_extract")], options_map=every_page),
    ]
    advice = {text for play in PLAYBOOK for text in (play.name, play.advice)}
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found} | advice


@pytest.mark.parametrize("language", speech.languages()[1:])
def test_a_catalogue_translates_every_text(language):
    with (speech.CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    there = {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in catalogue if entry.id}
    assert sorted(messages() - set(there)) == []
    for text, entry in there.items():
        forms = entry.string if isinstance(entry.string, tuple) else (entry.string,)
        for form in forms:
            assert form
            assert set(re.findall(r"[{(](\w+)[})]", text)) - {"TAM", "SAM", "SOM", "km"} <= set(
                re.findall(r"[{(](\w+)[})]", form)
            ), text


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(TerritoryLabError, match="no texts"), speech.speaking("fr"):
        pass


def test_numbers_follow_the_locale():
    with speech.speaking("ru"):
        assert number(12_345) == babel.numbers.format_decimal(12_300, locale="ru")
        assert said(money(1_234_567, "RUB")) == "1,23 млн ₽"
        assert said(percent(0.018)) == "1,8 %"
        assert said(band(0.018, 0.009, 0.026, percent)) == "1,8 % (0,9 \u2013 2,6)"
    assert said(money(1_234_567, "KRW")) == "₩1.23 M"
