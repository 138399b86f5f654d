"""The model's card: what it was learnt from, how good it is, and what it must not be used for."""

import html
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd


class Card(dict[str, Any]):
    """
    What a reader must know of a model; plain values, so that it is JSON, and HTML in a notebook.

    Parameters
    ----------
    **entries : object
        Sections by name: texts, numbers, lists of texts, or lists of rows (tables).
    """

    def to_json(self) -> str:
        """
        Write the card as JSON.

        Returns
        -------
        str
            Indented, keys in the order of the card.
        """
        return json.dumps(self, indent=1, allow_nan=True, ensure_ascii=False) + "\n"

    def to_html(self) -> str:
        """
        Write the card as a piece of HTML, every text escaped.

        Returns
        -------
        str
            One ``section`` element.
        """
        rows = "".join(f"<dt>{html.escape(_words(key))}</dt><dd>{_cell(value)}</dd>" for key, value in self.items())
        return f'<section class="model-card"><dl>{rows}</dl></section>'

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return self.to_html()


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """
    Turn a table into plain rows for the card.

    Parameters
    ----------
    table : DataFrame
        Numbers and texts; a named index becomes a column.

    Returns
    -------
    list of dict
        One per row.
    """
    frame = table.reset_index() if table.index.name else table
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _words(key: str) -> str:
    """Write a key as words."""
    return key.replace("_", " ").capitalize()


def _cell(value: object) -> str:
    """Write a value: a table, a list, pairs or a text."""
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        table = pd.DataFrame(value)
        return table.to_html(index=False, escape=True, border=0, float_format="{:.4g}".format)
    if isinstance(value, list):
        return "<ul>" + "".join(f"<li>{html.escape(str(item))}</li>" for item in value) + "</ul>"
    if isinstance(value, Mapping):
        return html.escape("; ".join(f"{_words(str(key))}: {_number(item)}" for key, item in value.items()))
    return html.escape(_number(value))


def _number(value: object) -> str:
    """Write a number in few digits, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
