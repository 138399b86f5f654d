"""Every report of a workspace: its notebooks run and exported, and the summary of what they found."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd

from territory_lab import book, journey
from territory_lab.errors import MissingTable
from territory_lab.reporting.execute import execute
from territory_lab.reporting.notebook import export_notebook
from territory_lab.reporting.numbers import KeyNumber, gather, key_numbers
from territory_lab.reporting.pictures import pictures
from territory_lab.reporting.summary import summary
from territory_lab.results import Result
from territory_lab.workspace import Workspace

_ENGINES = ("territory-lab", "numpy", "pandas", "geopandas", "scikit-learn", "highspy")


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
    numbers = gather(results, _meta(space, results), off)
    written.append(summary(numbers, reports / "summary.html", pictures(numbers, **_drawn(space, results))))
    return written, key_numbers(numbers), list(dict.fromkeys(numbers["off"].values()))


def _meta(space: Workspace, results: dict[str, Result]) -> dict[str, Any]:
    """Say what the numbers rest on, so that they can be made again."""
    settings = asdict(space.settings)
    return {
        **{name: settings.pop(name) for name in ("name", "currency", "seed")},
        "as_of": results["propensity"].facts["as_of"] if "propensity" in results else "",
        "data_hash": space.data_hash,
        "settings": settings,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _ENGINES},
    }


def _drawn(space: Workspace, results: dict[str, Result]) -> dict[str, Any]:
    """Give the maps what they need, where there is geometry."""
    places = book.units(space)
    if "territories" not in results or not isinstance(places, gpd.GeoDataFrame):
        return {}
    step = results["territories"]
    return {
        "units": places.join(step["units"][["workload_h"]]),
        "today": book.today(space, places),
        "proposed": step["alignment"]["territory_id"],
        "homes": step["territories"],
    }
