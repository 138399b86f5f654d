"""A panel: controls left, the result right; it drives one function and holds no arithmetic."""

import asyncio
import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import anywidget
import ipywidgets as w
import pandas as pd

from territory_lab.charts.picture import Picture
from territory_lab.charts.tables import table
from territory_lab.charts.tokens import MUTED
from territory_lab.errors import TerritoryLabError
from territory_lab.widgets.job import Job

Shown = Any  # a Picture, a DataFrame, text, anything with _repr_html_, or a list of these


class _Names(anywidget.AnyWidget):
    """Tells a screen reader what a slider sets: the handle that ipywidgets draws has no name of its own."""

    _esm = """
export default { render({ el }) {
  const name = () => {
    for (const handle of el.closest(".panel")?.querySelectorAll(".noUi-handle:not([aria-label])") ?? [])
      handle.setAttribute("aria-label", handle.closest(".jupyter-widgets").querySelector(".widget-label").textContent);
  };
  const late = new MutationObserver(name);
  const begin = () => {
    if (!el.isConnected) return requestAnimationFrame(begin);
    name();
    late.observe(el.closest(".panel") ?? el, { childList: true, subtree: true });
  };
  begin();
  return () => late.disconnect();
} };
"""


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
    make, form = (w.IntSlider, ",d") if whole else (w.FloatSlider, ".0%" if unit == "%" else ".3g")
    form = ",.0f" if not whole and step >= 1 else form
    name = label if unit in ("", "%") else f"{label} ({unit})"
    options = {"description": name, "readout_format": form, "tooltip": note or None, "continuous_update": False}
    return make(value=value, min=low, max=high, step=step, style=_STYLE, layout=w.Layout(width="auto"), **options)


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
    return w.Dropdown(description=label, options=entries, value=start, style=_STYLE, layout=w.Layout(width="auto"))


def line(label: str, value: str = "", *, note: str = "") -> w.Text:
    """
    Make a line to write in.

    Parameters
    ----------
    label : str
        What is written.
    value : str
        What stands there at first.
    note : str
        Shown while it is empty.

    Returns
    -------
    Text
        The control.
    """
    options = {"continuous_update": False, "style": _STYLE, "layout": w.Layout(width="auto")}
    return w.Text(description=label, value=value, placeholder=note, **options)


def panel(
    controls: Mapping[str, w.Widget],
    draw: Callable[..., Shown],
    *,
    action: str = "",
    code: Callable[..., str] | None = None,
    keep: Callable[..., str] | None = None,
) -> w.Box:
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
    code : callable, optional
        From the controls' values to the Python that does the same, shown on demand.
    keep : callable, optional
        What a button does with the controls' values, to state them for later steps; it says what it did.

    Returns
    -------
    Box
        The panel, already drawn with the controls' first values.
    """
    result, busy = blank(), w.HTML()

    def redraw(_: object = None) -> None:
        busy.value = _WORKING
        try:
            result.value = show(draw(**values(controls)))
        except (TerritoryLabError, ValueError) as error:
            result.value = told(error)
        finally:
            busy.value = ""

    buttons = [w.Button(description=action, button_style="primary")] if action else []
    for button in buttons:
        button.on_click(redraw)
    for control in controls.values() if not action else ():
        control.observe(redraw, "value")
    whole = frame([*controls.values(), *buttons, *kept(controls, keep), busy, *as_code(controls, code)], result)
    redraw()
    return whole


def runner(
    controls: Mapping[str, w.Widget],
    work: Callable[..., Any],
    draw: Callable[[Any], Shown],
    *,
    action: str,
    given: Mapping[str, object] | None = None,
    watch: Callable[[Any], object] = lambda _: None,
    code: Callable[..., str] | None = None,
) -> w.Box:
    """
    Join controls and work that takes long: it runs beside the kernel, says how far it is, and can be stopped.

    Parameters
    ----------
    controls : mapping of str to widget
        By the name of the work's argument.
    work : callable
        A function of a module that takes ``progress`` too; see :class:`territory_lab.widgets.job.Job`.
    draw : callable
        From what the work returned to what is shown.
    action : str
        Label of the button that starts it.
    given : mapping, optional
        Further arguments of the work.
    watch : callable
        Is given each better result while the work goes on, to draw it on a map, and None at the end.
    code : callable, optional
        From the controls' values to the Python that does the same, shown on demand.

    Returns
    -------
    Box
        The panel; nothing runs before the button is pressed.
    """
    result, said = blank(), w.HTML()
    result.value = (
        f"<p style='{_QUIET}'>Nothing yet. “{html.escape(action)}” works beside the notebook: go on meanwhile.</p>"
    )
    start = w.Button(description=action, button_style="primary")
    stop = w.Button(description="Stop, take the best so far", disabled=True, layout=w.Layout(width="auto"))
    bar = w.FloatProgress(min=0.0, max=1.0, layout=w.Layout(width="100%", visibility="hidden"))
    begun: list[tuple[Job, asyncio.Task[None]]] = []  # the loop keeps no task alive by itself

    async def follow(job: Job) -> None:
        def better(found: object, done: float) -> None:
            bar.value = done
            said.value = f"<span role='status'>{done:.0%} searched</span>"
            watch(found)

        try:
            result.value = show(draw(await job.result(better)))
        except (TerritoryLabError, ValueError) as error:
            result.value = told(error)
        finally:
            start.disabled, stop.disabled, bar.layout.visibility, said.value = False, True, "hidden", ""
            watch(None)

    def begin(_: w.Button) -> None:
        start.disabled, stop.disabled, bar.layout.visibility, bar.value = True, False, "visible", 0.0
        said.value = _WORKING
        job = Job(work, **(given or {}), **values(controls))
        begun[:] = [(job, asyncio.ensure_future(follow(job)))]

    start.on_click(begin)
    stop.on_click(lambda _: begun[0][0].stop())
    return frame([*controls.values(), start, stop, bar, said, *as_code(controls, code)], result)


def values(controls: Mapping[str, w.Widget]) -> dict[str, Any]:
    """Read controls."""
    return {name: control.value for name, control in controls.items()}


def blank() -> w.HTML:
    """Make the place of a result, high enough that the page does not jump."""
    return w.HTML(layout=w.Layout(width="100%", min_height="6em"))


def frame(left: Iterable[w.Widget], result: w.Widget) -> w.Box:
    """Lay controls and buttons out beside a result, in the panel's style."""
    controls = w.VBox([*left], layout=w.Layout(width="24em", max_width="100%", flex="0 0 auto"))
    controls.add_class("controls")
    right = w.Box([result, _Names()], layout=w.Layout(flex="1 1 24em", min_width="0"))
    right.add_class("result")
    whole = w.HBox([controls, right], layout=w.Layout(width="100%", grid_gap="1.5em", flex_flow="row wrap"))
    whole.add_class("panel")
    return whole


def told(error: Exception) -> str:
    """Put a failure into the words of an alert."""
    return f"<div role='alert' style='{_ALERT}'>{html.escape(str(error)).replace(chr(10), '<br>')}</div>"


def as_code(controls: Mapping[str, w.Widget], code: Callable[..., str] | None) -> list[w.Widget]:
    """Show the Python that does what the controls say, folded; nothing without ``code``."""
    if code is None:
        return []
    shown = w.HTML()

    def write(_: object = None) -> None:
        python = html.escape(code(**values(controls)))
        shown.value = f"<details><summary>Show as code</summary><pre style='{_CODE}'>{python}</pre></details>"

    for control in controls.values():
        control.observe(write, "value")
    write()
    return [shown]


def kept(controls: Mapping[str, w.Widget], keep: Callable[..., str] | None) -> list[w.Widget]:
    """Offer to state what the controls say: a button and what it did; nothing without ``keep``."""
    if keep is None:
        return []
    button, said = w.Button(description="Keep", tooltip="State this for all later steps"), w.HTML()

    def press(_: w.Button) -> None:
        try:
            said.value = f"<p role='status'>{html.escape(keep(**values(controls)))}</p>"
        except (TerritoryLabError, ValueError, OSError) as error:
            said.value = told(error)

    button.on_click(press)
    return [button, said]


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


_STYLE = {"description_width": "9.5em"}
_ALERT = "border-left:3px solid #b3261e;padding:.4em .9em;background:#fbeceb;color:#1b2733"
_QUIET = f"color:{MUTED}"
_WORKING = "<span role='status'>Working …</span>"
_CODE = "white-space:pre-wrap;user-select:all"
