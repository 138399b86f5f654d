"""Tables: numbers right-aligned, units in the header, three significant digits, trouble by sign and colour."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import pandas as pd

from territory_lab.charts.speech import say, term
from territory_lab.charts.words import MISSING, SCALES, SPACE, count, localised, percent, scale_word, sign_leads, symbol

_MONEY = frozenset(
    {"amount", "value", "revenue", "potential", "quota", "sales", "expected", "history", "profit", "cost"}
    | {"tam", "sam", "som", "held", "white_space", "bottom_up", "top_down", "growth_amount"}
    | {"expected_revenue", "list_price", "spend"}
)
_UNITS = {"_h": term("h"), "_km": term("km"), "_km2": term("km²"), "_days": term("days")}
_LONGEST = 40
_SENTENCES = frozenset(
    {"advice", "angle", "description", "figure", "message", "reason_1", "reason_2", "reason_3", "reasons", "remedy"}
)  # read in full
CSS = """
.tl{border-collapse:collapse;font:14px/1.4 var(--font,system-ui,sans-serif);font-variant-numeric:tabular-nums;\
color:var(--ink,#1b2733);background:var(--paper,#fff);margin:.5em 0 1.2em}
.tl caption{text-align:left;font-weight:600;padding:0 0 .4em;caption-side:top;color:var(--ink,#1b2733)}
.tl.tl.tl th,.tl.tl.tl td{padding:.3em .9em .3em 0;text-align:left;vertical-align:top;\
border-bottom:1px solid var(--hairline,#d9e0e6)}
.tl th{font-weight:600;color:var(--muted,#5b6b7a);border-bottom-color:var(--muted,#5b6b7a);vertical-align:bottom}
.tl.tl.tl .n{text-align:right}.tl td.n{white-space:nowrap}
.tl.tl.tl tbody tr,.tl.tl thead{background:none}
.tl .off{color:var(--trouble,#b3261e);font-weight:600}
.tl tr.total td{border-top:1px solid var(--muted,#5b6b7a);border-bottom:0;font-weight:600}
"""


class Table(NamedTuple):
    """
    A finished table.

    Parameters
    ----------
    html : str
        The ``<table>`` element, escaped, for a page that carries :data:`CSS`.
    """

    html: str

    def _repr_html_(self) -> str:
        """Show itself in a notebook."""
        return f"<style>{CSS}</style>{self.html}"


class _Column(NamedTuple):
    """How one column is headed and written."""

    head: str
    numeric: bool
    write: Callable[[float], str]
    adds: bool


def table(
    frame: pd.DataFrame | Sequence[Mapping[str, object]],
    columns: Mapping[str, str] | None = None,
    *,
    caption: str = "",
    currency: str = "USD",
    total: bool = False,
    tolerance: float | None = None,
    key: str = "",
) -> Table:
    """
    Set a frame as a table a manager can read.

    Parameters
    ----------
    frame : DataFrame or sequence of mappings
        The rows; the index is not shown.
    columns : mapping of str to str, optional
        Which columns, in which order, and what they are called; those the frame lacks are left out. By default all,
        under their own names. The unit is added from the column's suffix.
    caption : str
        What the table shows.
    currency : str
        ISO 4217 code of the money columns.
    total : bool
        Whether a last row adds up what can be added: counts, money and hours.
    tolerance : float, optional
        Deviations beyond it are marked by a sign and a colour.
    key : str
        Where the rows stand in the numbers of a report: carried by the table, its columns and its rows, so that every
        cell can be traced.

    Returns
    -------
    Table
        Shows itself in a notebook; ``.html`` goes into a page.
    """
    rows = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(list(frame))
    names = {name: label for name, label in (columns or {n: _plain(n) for n in map(str, rows)}).items() if name in rows}
    layout = {name: _column(rows, name, label, currency) for name, label in names.items()}
    head = "".join(
        f"<th scope='col'{_class(c)}{_traced('col', n, key)}>{escape(c.head)}</th>" if c.head else "<td></td>"
        for n, c in layout.items()
    )
    body = "".join(
        f"<tr{_traced('row', row, key)}>{_cells(record, layout, tolerance)}</tr>\n"
        for row, record in enumerate(rows[list(layout)].itertuples(index=False, name=None))
    )
    foot = f"<tr class='total'>{_total(rows, layout)}</tr>" if total and len(rows) > 1 else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    inner = f"{title}<thead><tr>{head}</tr></thead>\n<tbody>{body}{foot}</tbody>"
    return Table(f"<table class='tl'{_traced('key', key, key)}>{inner}</table>")


def _traced(what: str, value: object, key: str) -> str:
    """Say where a part of the table comes from, in a report."""
    return f" data-{what}='{escape(str(value))}'" if key else ""


def is_money(name: str) -> bool:
    """
    Tell by its name whether a column holds money.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    bool
        Whether it does.
    """
    return _bare(name) in _MONEY


def _plain(name: object) -> str:
    """Make a heading of a column's name."""
    words = str(name).removesuffix(_suffix(str(name))).removesuffix("_share").removesuffix("_id").replace("_", " ")
    return words[:1].upper() + words[1:]


def _suffix(name: str) -> str:
    """Find the unit a name ends with."""
    return next((end for end in _UNITS if _bare(name).endswith(end)), "")


def _bare(name: object) -> str:
    """Name a measure without what sets its columns apart."""
    return str(name).removesuffix("_today").removesuffix("_low").removesuffix("_high")


def _column(rows: pd.DataFrame, name: str, label: str, currency: str) -> _Column:
    """Choose unit, scale and digits once for all columns of a measure, so that their figures can be compared."""
    values = rows[name]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return _Column(label, numeric=False, write=str, adds=False)
    bare = _bare(name)
    if bare.startswith("deviation") or bare.endswith("change"):
        return _Column(label, numeric=True, write=lambda x: percent(x, signed=True), adds=False)
    if bare.endswith("share") or bare in {"probability", "predicted", "observed"} or bare.startswith("share_"):
        return _Column(label, numeric=True, write=percent, adds=False)
    alike = (
        rows[[other for other in rows if _bare(other) == bare]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    )
    largest = float(np.nan_to_num(np.abs(alike)).max(initial=0.0))
    if is_money(name):
        scale, letter = next(pair for pair in (*SCALES, (1.0, "")) if largest >= pair[0] or pair[0] == 1.0)
        signs = (symbol(currency).strip(), scale_word(letter))
        unit = SPACE.join(filter(None, signs if sign_leads() else signs[::-1]))
        return _Column(f"{label} ({unit})", numeric=True, write=_fixed(largest / scale, scale), adds=True)
    unit = say(_UNITS.get(_suffix(name), ""))
    head = f"{label} ({unit})" if unit else label
    if bool(np.all((alike % 1 == 0) | np.isnan(alike))):
        return _Column(head, numeric=True, write=count, adds=unit in ("", "h"))
    return _Column(head, numeric=True, write=_fixed(largest), adds=unit == "h")


def _fixed(largest: float, scale: float = 1.0) -> Callable[[float], str]:
    """Write with the decimals the largest value needs for three significant digits, whatever the value."""
    decimals = max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0

    def write(value: float) -> str:
        rounded = float(f"{value / scale:.3g}") if abs(value) >= scale else value / scale
        return localised(f"{rounded:,.{min(decimals, 3)}f}")

    return write


def _cells(record: Iterable[object], layout: Mapping[str, _Column], tolerance: float | None) -> str:
    """Write one row."""
    return "".join(
        _cell(value, column, name, tolerance) for value, (name, column) in zip(record, layout.items(), strict=True)
    )


def _class(column: _Column) -> str:
    """Right-align numbers."""
    return " class='n'" if column.numeric else ""


def _cell(value: object, column: _Column, name: str, tolerance: float | None) -> str:
    """Write one cell."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        reason = escape(say("not known"))
        return f"<td{_class(column)}><span title='{reason}'>{MISSING}</span></td>"
    if not column.numeric:
        text = str(value)
        short = f"<span title='{escape(text)}'>{escape(text[: _LONGEST - 1])}…</span>"
        return f"<td>{short if len(text) > _LONGEST and name not in _SENTENCES else escape(text)}</td>"
    amount = float(value)  # type: ignore[arg-type]
    if tolerance is not None and name.startswith("deviation") and abs(amount) > tolerance + 5e-4:
        return f"<td class='n off' data-v='{amount:.9g}'>{'▲' if amount > 0 else '▼'} {column.write(amount)}</td>"
    return f"<td{_class(column)} data-v='{amount:.9g}'>{column.write(amount)}</td>"


def _total(rows: pd.DataFrame, layout: Mapping[str, _Column]) -> str:
    """Add up what adds up."""
    cells: Iterable[str] = (
        _cell(float(rows[name].sum()), column, name, None) if column.adds else f"<td{_class(column)}></td>"
        for name, column in layout.items()
    )
    word = escape(say("Total"))
    return "".join(cells).replace("<td></td>", f"<td>{word}</td>", 1)
