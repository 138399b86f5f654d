"""Every report of a workspace: its notebooks run and exported, and the summary of what they found."""

from pathlib import Path

from territory_lab import journey
from territory_lab.errors import MissingTable
from territory_lab.reporting.execute import execute
from territory_lab.reporting.notebook import export_notebook
from territory_lab.reporting.pictures import pictures
from territory_lab.reporting.report import report
from territory_lab.reporting.story import tell
from territory_lab.reporting.telling import KeyNumber, key_numbers
from territory_lab.reporting.what_if import what_if
from territory_lab.results import Result
from territory_lab.workspace import Workspace


def write_all(
    space: Workspace, reports: Path, *, progress: bool = True
) -> tuple[list[Path], list[KeyNumber], list[str]]:
    """
    Run the six notebooks in order and write one page for each and one for leadership.

    Parameters
    ----------
    space : Workspace
        Its results are kept in it; a step whose tables are missing is left out and named in the summary.
    reports : Path
        The folder of the pages; a page of an earlier run is replaced, or removed where its step is switched off.
    progress : bool
        Show a bar for each notebook.

    Returns
    -------
    written : list of Path
        The pages, the summary last.
    headlines : list of KeyNumber
        The numbers that matter.
    off : list of str
        What is switched off, and why.
    """
    results: dict[str, Result] = {}
    off: dict[str, str] = {}
    written: list[Path] = []
    for name, step in journey.STEPS.items():
        page = reports / f"{name}.html"
        try:
            ran = execute(space.folder / "notebooks" / f"{name}.ipynb", progress=progress)
        except MissingTable as reason:
            off[step.__name__] = str(reason)
            page.unlink(missing_ok=True)
            continue
        written.append(export_notebook(ran, page))
        results[step.__name__] = step(space)
    told = tell(space, made=(results, off))
    figures = pictures(told.numbers, **told.drawn)
    written.append(report(told.numbers, reports / "summary.html", figures, live=what_if(told)))
    headlines = [one.plain() for one in key_numbers(told.numbers)]
    return written, headlines, list(dict.fromkeys(told.numbers["off"].values()))
