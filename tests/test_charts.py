"""The look: number formats, tokens, pictures that say what is in their numbers, tables."""

import itertools
import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from territory_lab import charts
from territory_lab.charts import tokens
from territory_lab.charts.picture import _short

NASTY = '<script>alert(1)</script> $1 & $2 "quoted" d="M x" \u202e'


def said(text: str) -> str:
    """Compare words without caring for the kind of space."""
    return text.replace("\u00a0", " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (charts.number(12345.6), "12,300"),
        (charts.number(1.8), "1.8"),
        (charts.number(0.001234), "0.00123"),
        (charts.number(-0.5), "-0.5"),
        (charts.number(float("nan")), "\u2013"),
        (charts.money(1.2e6), "$1.2 M"),
        (charts.money(999_900), "$1 M"),
        (charts.money(-940_000, "EUR"), "-€940 k"),
        (charts.money(1.5e6, "CHF"), "CHF 1.5 M"),
        (charts.percent(0.018), "1.8 %"),
        (charts.percent(0.4149), "41 %"),
        (charts.percent(0.12, signed=True), "+12 %"),
        (charts.percent(0.0), "0 %"),
        (charts.percent(0.0003), "<0.1 %"),
        (charts.band(0.018, 0.009, 0.026, charts.percent), "1.8 % (0.9 to 2.6)"),
        (charts.band(5.3e8, 3.7e8, 7.4e8, charts.money), "$530 M (370 to 740)"),
        (charts.band(1.2e9, 9e8, 1.6e9, charts.money), "$1.2 B ($900 M to $1.6 B)"),
        (charts.band(1e6, -2e6, 3e6, charts.money), "$1 M (-$2 M to $3 M)"),
        (charts.band(0.5, float("nan"), 1.0), "0.5"),
        (charts.plural(1, "territory"), "1 territory"),
        (charts.plural(3108, "territory"), "3,108 territories"),
    ],
)
def test_numbers_are_written_as_the_style_says(written, expected):
    assert said(written) == expected


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.1."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return float(np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, two: str) -> float:
    light, dark = sorted([luminance(one), luminance(two)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("style", [tokens.LIGHT, tokens.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "good", "watch", "trouble"])
def test_text_is_legible_in_both_styles(style, name):
    assert contrast(style[name], style["paper"]) >= 4.5
    assert contrast(style["ink"], style["quiet"]) >= 4.5
    assert contrast(style["ink"], style["wash"]) >= 4.5


@pytest.mark.parametrize("style", [tokens.LIGHT, tokens.DARK], ids=["light", "dark"])
def test_bars_and_the_marks_on_them_stand_out_in_both_styles(style):
    assert contrast(style["bar"], style["paper"]) >= 3
    assert contrast(style["ink"], style["bar"]) >= 3


@pytest.mark.parametrize("fill", [*tokens.TERRITORIES, tokens.REST])
def test_labels_are_legible_over_map_fills(fill):
    assert contrast(tokens.ON_FILL, fill) >= 4.5


def test_the_ramp_darkens_in_even_steps():
    lightness = [116 * luminance(colour) ** (1 / 3) - 16 for colour in tokens.SEQUENTIAL]  # CIE L*
    steps = -np.diff(lightness)
    assert steps.min() > 0
    assert steps.max() < 2 * steps.min()


def test_a_picture_is_the_same_bytes_each_time_and_asks_for_nothing():
    frame = pd.DataFrame({"history": [1e6, 2e6], "quota": [1.2e6, 1.9e6]}, index=["T1", NASTY])
    svg = charts.quotas(frame).svg()
    assert svg == charts.quotas(frame).svg()
    root = ET.fromstring(svg)  # noqa: S314 - our own output
    assert "Quotas add up to $3.1 M" in said(root.attrib["aria-label"])
    assert NASTY[:20] in "".join(root.itertext())
    assert "<script" not in svg
    assert set(re.findall(r"https?://[^\"' ]+", svg)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_dollar_signs_are_money_and_not_mathematics():
    frame = pd.DataFrame({"value": [2e9, 1e9, 1e8], "low": [1e9, 5e8, 5e7], "high": [3e9, 2e9, 2e8]})
    svg = said(charts.funnel(frame.set_axis(["TAM", "SAM", "SOM"])).svg())
    assert "$2 B a year could be sold, $100 M of it is within reach" in svg
    assert "$1 B ($500 M to $2 B)" in svg


def test_shortened_paths_lead_to_the_same_places():
    points = np.random.default_rng(0).uniform(-300, 300, (50, 2))
    long = "M {:f} {:f} \n".format(*points[0]) + "".join("L {:f} {:f} \n".format(*p) for p in points[1:])
    at, walked = np.zeros(2), []
    for command, numbers in re.findall(r"([Ml])([^Mlz]*)", _short(long + "z")):
        step = np.array([float(x) for x in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)])
        at = step if command == "M" else at + step
        walked.append(at)
    assert np.abs(np.array(walked) - points).max() < 0.051


def test_balance_counts_who_is_beyond_the_tolerance():
    rng = np.random.default_rng(1)
    before, after = (pd.Series(rng.normal(0, s, 60), index=[f"T{i}" for i in range(60)]) for s in (0.5, 0.08))
    outside = [int((s.abs() > 0.1).sum()) for s in (before, after)]
    title = said(charts.balance(before, after, 0.1).title)
    assert title.startswith(f"{outside[0]} of 60 territories are more than 10 % off")
    assert title.endswith(f"{outside[1]} in the proposal")


def test_a_market_of_fifteen_sectors_shows_twelve_and_the_rest():
    frame = pd.DataFrame({"sector": [f"S{i}" for i in range(15)], "value": 2.0 ** np.arange(15) * 1e6})
    picture = charts.market_bars(frame.assign(low=frame["value"] / 2, high=frame["value"] * 2), "sector")
    rest = frame["value"].nsmallest(3).sum()
    svg = said(picture.svg())
    assert "other (3)" in svg
    assert said(charts.money(rest)) in svg
    assert ">S2<" not in svg


def test_pareto_of_equal_customers_is_the_diagonal():
    share = np.arange(1, 11) / 10
    picture = charts.pareto(pd.DataFrame({"share_of_accounts": share, "share_of_value": share}))
    assert said(picture.title) == "The largest 20 % of customers bring 20 % of revenue"


def test_lift_names_only_a_trait_whose_interval_clears_one():
    row = {"trait": "size", "level": "250+", "lift": 2.0, "lift_low": 0.9, "lift_high": 4.0}
    assert charts.lift(pd.DataFrame([row])).title == "No trait sets the won accounts apart from the market"
    assert "2 times" in charts.lift(pd.DataFrame([row | {"lift_low": 1.5}])).title


def test_calibration_says_when_predictions_run_high():
    predicted = np.linspace(0.2, 0.6, 5)
    bins = pd.DataFrame({"predicted": predicted, "observed": predicted / 2, "n": 100})
    bins = bins.assign(low=bins["observed"] - 0.02, high=bins["observed"] + 0.02)
    assert said(charts.calibration(bins).title) == "Predictions run too high: 40 % predicted, 20 % came true"


def test_gains_of_random_scores_find_nobody_sooner():
    share = np.linspace(0.05, 1, 20)
    useless = charts.gains(pd.DataFrame({"share_worked": share, "share_reached": share}))
    good = charts.gains(pd.DataFrame({"share_worked": share, "share_reached": np.sqrt(share)}))
    assert "do not find" in useless.title
    assert "reaches 45 %" in said(good.title)


def test_a_model_is_better_only_where_the_paired_interval_says_so():
    rows = pd.DataFrame({"model": ["a", "b"], "auc": [0.7, 0.8], "low": [0.6, 0.7], "high": [0.8, 0.9], "base": 0.65})
    assert charts.reliability(rows.assign(gain_low=[-0.1, 0.05])).title == "Clearly better than a simple rule: b"
    assert charts.reliability(rows.assign(gain_low=-0.1)).title == "No model clearly beats a simple rule"


def test_profit_marks_where_to_stop_and_says_when_nothing_pays():
    curve = pd.DataFrame({"share_worked": [0, 0.2, 1], "profit": [0, 5e3, -1e4], "any_order": [0, -2e3, -1e4]})
    assert said(charts.profit(curve).title) == "Profit is highest when the best-scored 20 % are worked"
    loss = curve.assign(profit=curve["any_order"])
    assert charts.profit(loss).title == "No part of the list pays for the calls"
    assert charts.profit(curve.assign(profit=[0, 1, 2])).title == "The whole list pays"


def test_a_ranking_is_steady_while_all_intervals_share_a_value():
    periods = pd.DataFrame({"as_of": pd.to_datetime(["2025-01-01", "2025-04-01"]), "auc": [0.7, 0.8]})
    periods = periods.assign(low=periods["auc"] - 0.06, high=periods["auc"] + 0.06, foretold=0.2, bought=0.3)
    assert charts.stability(periods).title == "The ranking is steady: AUC 0.7 to 0.8"
    assert charts.stability(periods.assign(low=[0.68, 0.78], high=[0.72, 0.82])).title.startswith("The ranking changes")


def test_white_space_names_the_product_whose_gaps_are_worth_most():
    grid = pd.DataFrame({"product": ["Pump", "Pump", "Valve", "Valve"], "status": ["owned", "gap", "gap", "gap"]})
    picture = charts.white_space(grid.assign(expected_revenue=[np.nan, 400.0, 300.0, 200.0]))
    assert said(picture.title) == "Most white space: Valve, $500 expected"


def test_sizing_finds_the_top_of_the_curve_and_says_when_there_is_none():
    size = np.arange(10, 41)
    hill = pd.DataFrame({"territories": size, "profit": 1e7 - 1e4 * (size - 27.0) ** 2})
    assert charts.sizing(hill, 30).title.startswith("Profit is highest at 27 territories")
    assert charts.sizing(hill.assign(profit=1.0 * size)).title.startswith("Profit still rises at 40")


def test_performance_counts_verdicts():
    verdict = ["strong"] * 2 + ["troubled"] + ["as expected"] * 4
    frame = pd.DataFrame({"ratio": 1.0, "low": 0.9, "high": 1.1, "verdict": verdict}, index=list("abcdefg"))
    assert charts.performance(frame).title == "2 territories clearly strong, 1 in trouble; the other 4 within chance"


def cells(html: str) -> list[list[str]]:
    """Read the rows of a table."""
    return [
        [said(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    ]


def test_a_table_puts_units_in_the_header_and_adds_up_what_adds_up():
    frame = pd.DataFrame(
        {
            "territory_id": ["T1", "T2"],
            "revenue": [1_234_567.0, 46_000.0],
            "workload_h": [1234.5, np.nan],
            "deviation_workload_h": [0.25, -0.04],
            "customers": [1200, 3],
        }
    )
    table = charts.table(frame, {"territory_id": "Territory", **dict.fromkeys(frame.columns[1:], "X")}, total=True)
    assert cells(table.html) == [
        ["Territory", "X ($ M)", "X (h)", "X", "X"],
        ["T1", "1.23", "1,230", "+25 %", "1,200"],
        ["T2", "0.05", "\u2013", "-4 %", "3"],
        ["Total", "1.28", "1,230", "", "1,203"],
    ]


def test_columns_of_one_measure_share_their_scale():
    frame = pd.DataFrame({"revenue_today": [2e9], "revenue": [5e6]})
    assert cells(charts.table(frame).html) == [["Revenue today ($ B)", "Revenue ($ B)"], ["2.00", "0.01"]]


def test_trouble_is_marked_by_sign_and_colour():
    html = charts.table(pd.DataFrame({"deviation_workload_h": [0.3, -0.3, 0.1]}), tolerance=0.1).html
    assert html.count("class='n off'") == 2
    assert html.count("▲") == html.count("▼") == 1


def test_names_from_outside_stay_text_and_long_ones_are_cut():
    html = charts.table([{"name": NASTY}, {"name": "x" * 300}]).html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "…" in cells(html)[2][0]
    assert len(cells(html)[2][0]) == 40


def test_plans_on_the_frontier_that_lie_close_keep_their_words_apart():
    levels = pd.DataFrame(
        {
            "status": ["today", "solved", "as proposed", "this plan"],
            "moved_share": [0.0, 0.31, 0.41, 1.0],
            "mean_km": [225.0, 185.0, 184.0, 1320.0],
            "gain_share": [0.0, 0.06, 0.053, -0.83],
        }
    )
    figure = charts.frontier(levels.assign(gain_low=levels["gain_share"], gain_high=levels["gain_share"]))
    figure.canvas.draw()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)
