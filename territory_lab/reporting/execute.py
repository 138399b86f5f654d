"""Run the guided notebooks of a workspace without a screen."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.filters import strip_ansi
from tqdm import tqdm

from territory_lab.errors import MissingTable, TerritoryLabError

CELL_TIMEOUT_S = 1800


def execute(notebook: Path, *, progress: bool = True) -> nbformat.NotebookNode:
    """
    Run a notebook in its own folder; the file itself is not changed.

    Parameters
    ----------
    notebook : Path
        An ``.ipynb``.
    progress : bool
        Show a bar, one step a cell.

    Returns
    -------
    NotebookNode
        The notebook with its outputs and the state of its widgets.

    Raises
    ------
    MissingTable
        If the step is switched off for want of a table.
    TerritoryLabError
        If a cell fails, with the notebook, the cell and the error.
    """
    content: nbformat.NotebookNode = nbformat.read(notebook, as_version=4)
    with tqdm(total=len(content.cells), desc=notebook.stem, unit="cell", disable=not progress) as bar:

        def advance(**_: object) -> None:
            bar.update()

        client = NotebookClient(
            content,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(notebook.parent)}},
            on_cell_complete=advance,
        )
        try:
            client.execute()
        except CellExecutionError as error:
            if error.ename == MissingTable.__name__:
                raise MissingTable(error.evalue) from error
            raise TerritoryLabError(
                f"{notebook.name} stopped: {error.ename}: {error.evalue}\n{strip_ansi(str(error))}"
            ) from error
        bar.update(len(content.cells) - bar.n)
    return content
