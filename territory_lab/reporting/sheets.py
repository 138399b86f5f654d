"""The tables of a report as a workbook: a sheet each, formatted numbers, no cell that runs."""

from pathlib import Path
from typing import Any

import pandas as pd

from territory_lab.charts.tables import is_money
from territory_lab.charts.words import symbol
from territory_lab.errors import TerritoryLabError
from territory_lab.files import defused, written
from territory_lab.reporting.numbers import CARRIED, Numbers

_WIDEST = 60


def xlsx(numbers: Numbers, path: Path) -> Path:
    """
    Write every table of the numbers.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.
    path : Path
        The workbook.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TerritoryLabError
        If openpyxl is not installed.
    """
    try:
        import openpyxl  # noqa: PLC0415 - an extra
        from openpyxl.styles import Font  # noqa: PLC0415
        from openpyxl.utils import get_column_letter  # noqa: PLC0415
    except ImportError as error:
        raise TerritoryLabError("no XLSX: pip install 'territory-lab[excel]'") from error
    book = openpyxl.Workbook()
    book.remove(book.active)
    for step, names in CARRIED.items():
        for name in names:
            table = pd.DataFrame((numbers.get(step) or {}).get(name) or [])
            if table.empty:
                continue
            sheet = book.create_sheet(f"{step} {name}"[:31])
            sheet.append([str(column) for column in table])
            for row in defused(table).astype(object).itertuples(index=False, name=None):
                sheet.append([_cell(value) for value in row])
            sheet.freeze_panes, sheet.auto_filter.ref = "A2", sheet.dimensions
            for at, column in enumerate(table, 1):
                letter = get_column_letter(at)
                longest = max(table[column].astype(str).str.len().max(), len(str(column)))
                sheet.column_dimensions[letter].width = min(longest, _WIDEST) + 2
                sheet[f"{letter}1"].font = Font(bold=True)
                for cell in sheet[letter][1:]:
                    cell.number_format = _format(str(column), table[column], numbers["meta"]["currency"])
    if not book.sheetnames:
        book.create_sheet("empty")
    return written(path, book.save)


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a table holds
    """Leave a missing value empty."""
    return None if value is None or value != value else value  # noqa: PLR0124 - not a number


def _format(name: str, values: pd.Series, currency: str) -> str:
    """Choose a number format by the column's name."""
    if not pd.api.types.is_numeric_dtype(values):
        return "@"
    if name.endswith(("share", "change", "probability")) or name.startswith(("deviation", "share_")):
        return "0.0%"
    if is_money(name):
        return f'"{symbol(currency).strip()}"#,##0'
    return "#,##0" if name.endswith(("_h", "_km")) or (values.dropna() % 1 == 0).all() else "#,##0.00"
