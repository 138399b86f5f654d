"""Panels, controls left and results right; and the territory map."""

from territory_lab.widgets.funnel import funnel
from territory_lab.widgets.learning import cut_off, training
from territory_lab.widgets.panel import choice, line, panel, runner, show, slider
from territory_lab.widgets.planning import another_plan
from territory_lab.widgets.resourcing import quotas, sizes
from territory_lab.widgets.rules import rule_card
from territory_lab.widgets.shelf import review, shelf
from territory_lab.widgets.start import import_export, next_steps, there, wrong
from territory_lab.widgets.territory_map import TerritoryMap

__all__ = [
    "TerritoryMap",
    "another_plan",
    "choice",
    "cut_off",
    "funnel",
    "import_export",
    "line",
    "next_steps",
    "panel",
    "quotas",
    "review",
    "rule_card",
    "runner",
    "shelf",
    "show",
    "sizes",
    "slider",
    "there",
    "training",
    "wrong",
]
