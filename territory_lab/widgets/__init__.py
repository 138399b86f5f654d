"""Panels: controls left, result right."""

from territory_lab.widgets.panel import choice, panel, show, slider

__all__ = ["choice", "panel", "show", "slider"]
