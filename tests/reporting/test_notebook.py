"""A notebook as a page: code folded, widgets standing still, nothing that runs or fetches."""

import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from territory_lab.reporting import export_notebook

PANEL = """
from territory_lab import widgets
def double(share, kind):
    if kind == "bad":
        raise ValueError("no <bad> kind")
    return f"twice is {2 * share:g}"
widgets.panel({"share": widgets.slider("Share", 0.2, 0.0, 1.0, 0.1, unit="%"),
               "kind": widgets.choice("Kind", ["good", "bad"], KIND)}, double)
"""


@pytest.fixture(scope="module")
def executed():
    cells = [
        new_markdown_cell("# Step <one>\n\nCosts $1 M to $2 M.\n\n## What & why\n\nText."),
        new_code_cell(PANEL.replace("KIND", "'good'")),
        new_code_cell(PANEL.replace("KIND", "'bad'")),
    ]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def body(file) -> str:
    """Read what is in the main part, tags dropped."""
    main = re.search(r"<main[^>]*>(.*)</main>", file.read_text("utf-8"), re.DOTALL)[1]
    shown = re.sub(r"<details.*?</details>", "", main, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).replace("\u00a0", " ")


def test_panels_stay_as_they_last_stood(executed, tmp_path):
    text = body(export_notebook(executed, tmp_path / "n.html"))
    assert "Share 20 % Kind good twice is 0.4" in text
    assert "Kind bad no &lt;bad&gt; kind" in text


def test_a_panel_without_its_state_leaves_no_hole(executed, tmp_path):
    bare = nbformat.from_dict(executed)
    bare.metadata.pop("widgets")
    html = export_notebook(bare, tmp_path / "n.html").read_text("utf-8")
    assert "Box(" not in html
    assert 'class="output"' not in html
    assert executed.metadata.widgets


def test_a_widget_that_brings_a_picture_along_shows_it(tmp_path):
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/html": "<svg><title>map</title></svg>"}
    cell = new_code_cell("the_map", outputs=[new_output("display_data", data=data)])
    html = export_notebook(new_notebook(cells=[cell]), tmp_path / "n.html").read_text("utf-8")
    assert "<svg><title>map</title></svg>" in html
    assert "model_id" not in html


def test_headings_are_the_navigation(executed, tmp_path):
    html = export_notebook(executed, tmp_path / "n.html").read_text("utf-8")
    assert re.search(r'<a href="#part-1">What &amp; why</a>', html)
    assert '<h2 id="part-1">' in html
    assert "Costs $1 M to $2 M." in html


def test_scripts_links_and_noise_are_dropped(tmp_path):
    outputs = [
        new_output("display_data", {"text/html": "<p>kept</p><script>alert(1)</script><link rel=x href=y>"}),
        new_output("display_data", {"application/javascript": "alert(2)", "text/plain": "<js>"}),
        new_output("stream", name="stderr", text="progress"),
        new_output("stream", name="stdout", text="<said>"),
    ]
    cell = new_code_cell("1", outputs=outputs)
    html = export_notebook(new_notebook(cells=[cell]), tmp_path / "n.html", title="T").read_text("utf-8")
    assert "kept" in html
    assert "&lt;said&gt;" in html
    assert not re.search(r"alert|progress|&lt;js&gt;|<link rel=x|https?://", html)
    assert html.count("<script") == 1


def test_an_error_in_a_cell_is_shown(tmp_path):
    cell = new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue="v", traceback=["<trace>"])])
    assert "&lt;trace&gt;" in export_notebook(new_notebook(cells=[cell]), tmp_path / "n.html").read_text("utf-8")
