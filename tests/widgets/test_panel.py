"""Panels without a browser."""

import ipywidgets
import pandas as pd
import pytest

from territory_lab import charts
from territory_lab.errors import BadInput, Fault
from territory_lab.widgets import choice, panel, show, slider


def result(box: ipywidgets.Box) -> str:
    """Read the right side."""
    return box.children[1].children[0].value


def test_a_panel_draws_at_once_and_again_at_each_change():
    control = slider("Reps", 3, 1, 9, 1)
    box = panel({"reps": control}, lambda reps: f"{reps} reps")
    assert result(box) == "<p>3 reps</p>"
    control.value = 5
    assert result(box) == "<p>5 reps</p>"


def test_an_error_is_told_in_words_and_the_panel_goes_on():
    kind = choice("Kind", {"fine": 1, "broken": 0})

    def draw(kind):
        if not kind:
            raise BadInput([Fault("accounts", "name", "7", "<b> is no name", "give one")])
        return "done"

    box = panel({"kind": kind}, draw)
    kind.value = 0
    assert "role='alert'" in result(box)
    assert "&lt;b&gt; is no name" in result(box)
    kind.value = 1
    assert result(box) == "<p>done</p>"


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        panel({}, lambda: 1 / 0)


def test_slow_work_waits_for_its_button():
    control, calls = slider("Share", 0.2, 0.0, 1.0, 0.1, unit="%"), []
    box = panel({"share": control}, lambda share: calls.append(round(share, 1)), action="Run")
    control.value = 0.5
    assert calls == [0.2]
    box.children[0].children[1].click()
    assert calls == [0.2, 0.5]


def test_pictures_tables_and_lists_are_shown():
    curve = pd.DataFrame({"share_of_accounts": [0.5, 1.0], "share_of_value": [0.7, 1.0]})
    html = show([charts.pareto(curve), curve, "a < b"])
    assert html.startswith('<svg class="picture"')
    assert "<table class='tl'>" in html
    assert html.endswith("<p>a &lt; b</p>")


def test_units_stand_beside_the_controls():
    assert slider("Hours", 8.0, 1.0, 9.0, 0.5, unit="h").description == "Hours (h)"
    assert slider("Share", 0.5, 0.0, 1.0, 0.1, unit="%").readout_format == ".0%"
