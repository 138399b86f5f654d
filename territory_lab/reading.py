"""How values are read: ids and names as text, plain numbers, dates without a time zone."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

Kind = Literal["text", "number", "date"]

CSV: dict[str, Any] = {"dtype": "str", "keep_default_na": False, "encoding": "utf-8-sig"}
"""How a CSV is read: as text only, so that nothing is guessed and no leading zero is lost."""


def unreadable(table: str, error: Exception) -> BadInput:
    """
    Say that a table's file is damaged, or of another kind than its name says.

    Parameters
    ----------
    table : str
        Name of the table.
    error : Exception
        What its reader said.

    Returns
    -------
    BadInput
        To be raised.
    """
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BadInput([Fault(table, "", "", f"cannot be read: {reason}", "save it as UTF-8 CSV or Parquet")])


def texts(values: pd.Series) -> pd.Series:
    """
    Read ids and names: trimmed, empty is missing.

    Parameters
    ----------
    values : Series
        Of any kind.

    Returns
    -------
    Series
        ``str``.
    """
    text = values.astype("str")
    trimmed = text.str.strip()
    text = text if trimmed.equals(text) else trimmed  # share the memory of what was read
    return text.mask(text == "")


def numbers(values: pd.Series) -> pd.Series:
    """
    Read plain numbers: a point for decimals, no separators, no currency sign, finite.

    Parameters
    ----------
    values : Series
        Text or numbers.

    Returns
    -------
    Series
        ``float64``; what cannot be read is missing.
    """
    if not pd.api.types.is_float_dtype(values):
        values = pd.to_numeric(values.mask(texts(values).isna()), errors="coerce")
    found = values.astype("float64")
    return found.mask(np.isinf(found))


def dates(values: pd.Series) -> pd.Series:
    """
    Read dates in ISO 8601; a time zone is turned to UTC and dropped.

    Parameters
    ----------
    values : Series
        Text or dates.

    Returns
    -------
    Series
        ``datetime64``; what cannot be read is missing.
    """
    if not pd.api.types.is_datetime64_any_dtype(values):
        text = texts(values)
        values = text.where(text.str.match(r"\d{4}-\d{2}-\d{2}"))
    return pd.to_datetime(values, format="ISO8601", errors="coerce", utc=True).dt.tz_localize(None)


READERS: dict[Kind, tuple[Callable[[pd.Series], pd.Series], str]] = {
    "text": (texts, ""),
    "number": (numbers, "write a plain number such as 1234.5: no currency sign, no thousands"),
    "date": (dates, "write the date as YYYY-MM-DD"),
}
"""By kind: how its values are read, and how to mend one that cannot be."""
