"""Panels, controls left and result right; and the territory map."""

from territory_lab.widgets.panel import choice, panel, show, slider
from territory_lab.widgets.rules import rule_card
from territory_lab.widgets.territory_map import TerritoryMap

__all__ = ["TerritoryMap", "choice", "panel", "rule_card", "show", "slider"]
