"""The guided notebooks on a workspace that holds next to nothing."""

from pathlib import Path

import nbformat
import pytest

from territory_lab import sample, workspace
from territory_lab.reporting import execute, write_all
from territory_lab.settings import Settings
from tests.benchmarks import crash


def said(notebook: nbformat.NotebookNode) -> str:
    """Join what the cells show."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in shown)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts, reps and today's alignment of a small company, nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    tables, _ = sample.company(1_500, seed=3)
    sample.write({name: tables[name] for name in ("accounts", "reps", "alignment")}, folder / "tables")
    return workspace.create(folder / "space", folder / "tables", Settings(tolerance_share=0.3)).folder


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("5_resources", ["sizing needs orders", "quotas by history needs orders", "it needs calls"]),
        ("6_evaluation", ["performance: it needs orders", "the expected gain: it needs orders"]),
    ],
)
def test_a_notebook_without_orders_runs_and_says_what_is_switched_off(bare, name, off):
    text = said(execute(bare / "notebooks" / f"{name}.ipynb", progress=False))
    assert [words for words in off if words not in text] == []


def test_a_company_too_small_to_judge_a_model_on_hears_so_in_notebook_and_report(tmp_path):
    space = workspace.open_workspace(crash.company(tmp_path / "tables"))  # three territories, no owners
    text = said(execute(space.folder / "notebooks" / "3_propensity.ipynb", progress=False))
    assert "Too little happened" in text
    assert "next best actions are switched off" in text
    written, _, off = write_all(space, tmp_path / "reports")
    assert "summary.html" in [path.name for path in written]
    assert any("next best actions" in reason for reason in off)
