"""A notebook as a page of the report's look: code folded away, widgets as they last stood, nothing fetched."""

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from traitlets.config import Config

from territory_lab.charts.words import number, percent
from territory_lab.reporting.page import TEMPLATES, Section, write_page

_STATE, _VIEW = "application/vnd.jupyter.widget-state+json", "application/vnd.jupyter.widget-view+json"
_SCRIPT = re.compile(r"<script\b.*?(</script\s*>|\Z)|<link\b[^>]*>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)


def export_notebook(nb: nbformat.NotebookNode, path: Path | str, title: str = "") -> Path:
    """
    Write an executed notebook as one self-contained HTML file.

    Parameters
    ----------
    nb : NotebookNode
        With outputs and widget state; it is not changed.
    path : path
        The HTML file.
    title : str
        Of the page; by default the first heading.

    Returns
    -------
    Path
        The file. Scripts in outputs are dropped, and so is what went to the error stream, which is the machinery's.
    """
    page = nbformat.from_dict(nb)
    states = page.metadata.get("widgets", {}).get(_STATE, {}).get("state", {})
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.outputs = [still for output in cell.outputs if (still := _still(output, states))]
    body, _ = _exporter().from_notebook_node(page)
    sections = [Section(f"part-{i}", _text(words)) for i, words in enumerate(_HEADING.findall(body), 1)]
    anchors = iter(sections)
    body = _HEADING.sub(lambda found: f'<h2 id="{next(anchors).anchor}">{found[1]}</h2>', body)
    first = re.search(r"<h1\b[^>]*>(.*?)</h1>", body, re.DOTALL)
    return write_page(
        "notebook.html.j2",
        Path(path),
        title=title or (_text(first[1]) if first else Path(path).stem),
        sections=sections,
        body=Markup(body),  # noqa: S704 - markdown and outputs are the notebook's own, without scripts
    )


@lru_cache(maxsize=1)
def _exporter() -> HTMLExporter:
    """Make the exporter once; its template holds cells only."""
    config = Config()
    config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]
    config.HTMLExporter.template_name = "notebook"
    config.HTMLExporter.exclude_anchor_links = True
    config.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
    config.TagRemovePreprocessor.remove_cell_tags = {"remove-cell"}
    config.TagRemovePreprocessor.enabled = True
    return HTMLExporter(config=config)


def _text(markup: str) -> str:
    """Read a heading's words."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _still(output: nbformat.NotebookNode, states: Mapping[str, Any]) -> nbformat.NotebookNode | None:
    """Turn an output into one that stands still; None where nothing is left to see."""
    if output.output_type == "stream":
        return None if output.name == "stderr" else output
    if output.output_type == "error":
        return output
    data = output.data
    if _VIEW in data and "text/html" not in data:  # a widget that brings its own still picture shows that
        shown = _widget(data[_VIEW]["model_id"], states)
        return nbformat.from_dict(output | {"data": {"text/html": shown}}) if shown else None
    data.pop(_VIEW, None)
    if "text/html" in data:
        data["text/html"] = _SCRIPT.sub("", _joined(data["text/html"]))
    return None if any("javascript" in kind for kind in data) and "text/html" not in data else output


def _joined(text: str | list[str]) -> str:
    """Take text as notebooks may keep it."""
    return text if isinstance(text, str) else "".join(text)


def _widget(model: str, states: Mapping[str, Any]) -> str:
    """Show a widget as it last stood: boxes hold their children, controls their value, output its output."""
    entry = states.get(model)
    if entry is None:
        return ""
    state, name = entry["state"], entry["model_name"]
    if "children" in state:
        inner = "".join(_widget(str(child).removeprefix("IPY_MODEL_"), states) for child in state["children"])
        return f"<div class='{html.escape(_box(state))}'>{inner}</div>" if inner else ""
    if name == "HTMLModel":
        return _SCRIPT.sub("", str(state.get("value", "")))
    if name == "OutputModel":
        return "".join(_output(output) for output in state.get("outputs", []))
    if not state.get("description") or ("value" not in state and "index" not in state):
        return ""
    return f"<p><span>{html.escape(str(state['description']))}</span> <b>{html.escape(_value(state))}</b></p>"


def _box(state: Mapping[str, Any]) -> str:
    """Keep the classes our own panels carry, for the style."""
    return " ".join(name for name in state.get("_dom_classes", []) if name in {"panel", "controls", "result"})


def _output(output: Mapping[str, Any]) -> str:
    """Show what an output widget caught."""
    if "text" in output:
        return f"<pre>{html.escape(_joined(output['text']))}</pre>" if output.get("name") != "stderr" else ""
    data = output.get("data", {})
    for kind in ("text/html", "image/svg+xml"):
        if kind in data:
            return _SCRIPT.sub("", _joined(data[kind]))
    if "image/png" in data:
        return f"<img alt='' src='data:image/png;base64,{html.escape(_joined(data['image/png']))}'>"
    return f"<pre>{html.escape(_joined(data.get('text/plain', '')))}</pre>" if data else ""


def _value(state: Mapping[str, Any]) -> str:
    """Write a control's value."""
    if "_options_labels" in state and state.get("index") is not None:
        chosen = state["index"] if isinstance(state["index"], list | tuple) else [state["index"]]
        return ", ".join(str(state["_options_labels"][i]) for i in chosen)
    value = state.get("value", "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " to ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
    if isinstance(value, float):
        return percent(value) if "%" in state.get("readout_format", "") else number(value)
    return str(value)
