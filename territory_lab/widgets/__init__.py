"""Panels: controls left, results right."""

from territory_lab.widgets.panel import choice, line, panel, runner, show, slider
from territory_lab.widgets.planning import another_plan
from territory_lab.widgets.rules import rule_card
from territory_lab.widgets.shelf import review, shelf
from territory_lab.widgets.start import import_export, next_steps, there, wrong

__all__ = [
    "another_plan",
    "choice",
    "import_export",
    "line",
    "next_steps",
    "panel",
    "review",
    "rule_card",
    "runner",
    "shelf",
    "show",
    "slider",
    "there",
    "wrong",
]
