"""A panel: controls left, the result right; it drives one function and holds no arithmetic."""

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as w
import pandas as pd

from territory_lab.charts.picture import Picture
from territory_lab.charts.tables import table
from territory_lab.errors import TerritoryLabError

Shown = Any  # a Picture, a DataFrame, text, anything with _repr_html_, or a list of these


def slider(
    label: str, value: float, low: float, high: float, step: float, *, unit: str = "", note: str = ""
) -> w.FloatSlider | w.IntSlider:
    """
    Make a slider with its unit beside it.

    Parameters
    ----------
    label : str
        What is set.
    value, low, high, step : float
        Start and limits; whole numbers give whole steps.
    unit : str
        Unit, or ``%`` to read a share as a percentage.
    note : str
        Why the limits are where they are; shown on hover.

    Returns
    -------
    FloatSlider or IntSlider
        The control.
    """
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    make, form = (w.IntSlider, "d") if whole else (w.FloatSlider, ".0%" if unit == "%" else ".3g")
    name = label if unit in ("", "%") else f"{label} ({unit})"
    options = {"description": name, "readout_format": form, "tooltip": note or None, "continuous_update": False}
    return make(value=value, min=low, max=high, step=step, style=_STYLE, layout=w.Layout(width="100%"), **options)


def choice(label: str, options: Iterable[str] | Mapping[str, object], value: object = None) -> w.Dropdown:
    """
    Make a list to choose from.

    Parameters
    ----------
    label : str
        What is chosen.
    options : iterable of str or mapping
        The choices, or their labels with the values behind them.
    value : object, optional
        The first choice by default.

    Returns
    -------
    Dropdown
        The control.
    """
    entries = list(options.items()) if isinstance(options, Mapping) else [(option, option) for option in options]
    start = entries[0][1] if value is None else value
    return w.Dropdown(description=label, options=entries, value=start, style=_STYLE, layout=w.Layout(width="100%"))


def panel(controls: Mapping[str, w.Widget], draw: Callable[..., Shown], *, action: str = "") -> w.Box:
    """
    Join controls and a function: each change draws anew, and a failure is told in words where the result would be.

    Parameters
    ----------
    controls : mapping of str to widget
        By the name of the function's argument.
    draw : callable
        From the controls' values to what is shown: a picture, a table, text, or a list of these.
    action : str
        Label of a button; with it the function runs when pressed and not at each change, for work that takes long.

    Returns
    -------
    Box
        The panel, already drawn with the controls' first values.
    """
    result = w.HTML(layout=w.Layout(width="100%", min_height="6em"))

    def redraw(_: object = None) -> None:
        busy.value = _WORKING
        try:
            result.value = show(draw(**{name: control.value for name, control in controls.items()}))
        except (TerritoryLabError, ValueError) as error:
            result.value = (
                f"<div role='alert' style='{_ALERT}'>{html.escape(str(error)).replace(chr(10), '<br>')}</div>"
            )
        finally:
            busy.value = ""

    busy = w.HTML()
    buttons = [w.Button(description=action, button_style="primary")] if action else []
    for button in buttons:
        button.on_click(redraw)
    for control in controls.values() if not action else ():
        control.observe(redraw, "value")
    left = w.VBox([*controls.values(), *buttons, busy], layout=w.Layout(width="17em", flex="0 0 auto"))
    left.add_class("controls")
    right = w.Box([result], layout=w.Layout(flex="1 1 auto", min_width="0"))
    right.add_class("result")
    whole = w.HBox([left, right], layout=w.Layout(width="100%", grid_gap="1.5em"))
    whole.add_class("panel")
    redraw()
    return whole


def show(shown: Shown) -> str:
    """
    Turn a result into HTML.

    Parameters
    ----------
    shown : Picture, DataFrame, str or list of these
        What a function gave; plain text is escaped.

    Returns
    -------
    str
        A piece of a page.
    """
    if isinstance(shown, list | tuple) and not hasattr(shown, "_repr_html_"):
        return "".join(show(part) for part in shown)
    if isinstance(shown, Picture):
        return shown.svg()
    if isinstance(shown, pd.DataFrame):
        return str(table(shown)._repr_html_())
    if hasattr(shown, "_repr_html_"):
        return str(shown._repr_html_())
    return f"<p>{html.escape(str(shown))}</p>"


_STYLE = {"description_width": "8.5em"}
_ALERT = "border-left:3px solid #b3261e;padding:.4em .9em;background:#fbeceb;color:#1b2733"
_WORKING = "<span role='status'>Working …</span>"
