"""The model's card: what it was learnt from, how good it is, and what it must not be used for."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import DictLoader, Environment, StrictUndefined

_SECTION = """\
<section class="model-card"><dl>
{%- for key, value in card.items() %}
<dt>{{ key | words }}</dt><dd>
{%- if value is mapping -%}
{% for name, item in value.items() %}{{ name | words }}: {{ item | number }}{{ "; " if not loop.last }}{% endfor %}
{%- elif value is string or value is not iterable -%}
{{ value | number }}
{%- elif value and value[0] is mapping -%}
<table><thead><tr>{% for name in value[0] %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{%- for row in value %}
<tr>{% for item in row.values() %}<td>{{ item | number }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table>
{%- else -%}
<ul>{% for item in value %}<li>{{ item }}</li>{% endfor %}</ul>
{%- endif -%}
</dd>
{%- endfor %}
</dl></section>
"""
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Model card</title>
<style>body{font:1rem/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}dt{font-weight:600;margin-top:1rem}
table{border-collapse:collapse}th,td{padding:.1rem .6rem;text-align:right}</style></head>
<body><h1>Model card</h1>
{% include "section" %}
</body></html>
"""


class Card(dict[str, Any]):
    """
    What a reader must know of a model; plain values, so that it is JSON, and HTML in a notebook.

    Parameters
    ----------
    **entries : object
        Sections by name: texts, numbers, lists of texts, or lists of rows (tables). A number that is not known (NaN)
        becomes None.
    """

    def __init__(self, **entries: object) -> None:
        super().__init__(_plain(entries))

    def to_json(self) -> str:
        """
        Write the card as JSON.

        Returns
        -------
        str
            Indented, keys in the order of the card.
        """
        return json.dumps(self, indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    def to_html(self) -> str:
        """
        Write the card as a piece of HTML, every text escaped.

        Returns
        -------
        str
            One ``section`` element.
        """
        return _templates().get_template("section").render(card=self)

    def to_page(self) -> str:
        """
        Write the card as a page of its own.

        Returns
        -------
        str
            A whole HTML file that asks for nothing from elsewhere.
        """
        return _templates().get_template("page").render(card=self)

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


def _templates() -> Environment:
    """Escape everything, refuse names that are not there."""
    loader = DictLoader({"section": _SECTION, "page": _PAGE})
    environment = Environment(autoescape=True, undefined=StrictUndefined, loader=loader)
    environment.filters |= {"words": _words, "number": _number}
    return environment


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON holds
    """Turn numpy's values into Python's, and what is not a number into nothing."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _words(key: str) -> str:
    """Write a key as words."""
    return key.replace("_", " ").capitalize()


def _number(value: object) -> str:
    """Write a number in few digits, anything else as it is."""
    if value is None:
        return "not known"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
