"""Panels: controls left, result right."""

from territory_lab.widgets.panel import choice, panel, show, slider
from territory_lab.widgets.rules import rule_card

__all__ = ["choice", "panel", "rule_card", "show", "slider"]
