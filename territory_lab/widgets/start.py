"""Where to begin: what is there, what it switches off, what is wrong with it, what comes next; or data of one's own."""

from pathlib import Path

import ipywidgets as w
import pandas as pd

from territory_lab import crm, journey, schema
from territory_lab.charts.tables import table
from territory_lab.charts.words import plural
from territory_lab.errors import Fault
from territory_lab.results import standing
from territory_lab.widgets.panel import Shown, choice, line, panel, show
from territory_lab.workspace import Workspace

SHOWN = 50  # faults


def there(space: Workspace) -> Shown:
    """
    Say which tables there are, and what each missing one switches off.

    Parameters
    ----------
    space : Workspace
        As it stands.

    Returns
    -------
    Table
        A row a table.
    """
    rows = [
        {"table": name, "message": space.files[name].name if name in space.files else "", "figure": without}
        for name in schema.TABLES
        for without in [space.missing.get(name, "")]
    ]
    return table(rows, {"table": "Table", "message": "File", "figure": "Switched off without it"})


def wrong(space: Workspace) -> w.HTML:
    """
    List what is wrong with the tables and what is doubtful, each with its mend.

    Parameters
    ----------
    space : Workspace
        As it stands.

    Returns
    -------
    HTML
        Words, and a table where there is something to mend.
    """
    faults, doubts = space.faults()
    said = f"{plural(len(faults), 'fault')} to mend before anything can run, {len(doubts)} to look at."
    if not faults and not doubts:
        return w.HTML(show(said))
    listed = pd.DataFrame((faults + doubts)[:SHOWN], columns=Fault._fields).rename(
        columns={"problem": "message", "mend": "remedy"}
    )
    names = {"table": "Table", "column": "Column", "row": "Row", "message": "What is wrong", "remedy": "Mend"}
    return w.HTML(show([said, table(listed, names)]))


def next_steps(space: Workspace) -> Shown:
    """
    Say which steps have run on the data as it is, and which notebook comes next.

    Parameters
    ----------
    space : Workspace
        As it stands.

    Returns
    -------
    Table
        A row a step, in the order of the journey.
    """
    rows = [
        {"step": name.replace("_", " · ", 1).replace("_", " "), "message": standing(space, step.__name__)}
        for name, step in journey.STEPS.items()
    ]
    return table(rows, {"step": "Step", "message": "Where it stands"})


def import_export(space: Workspace) -> w.Box:
    """
    Turn a CRM's export into a workspace of its own, beside this one.

    Parameters
    ----------
    space : Workspace
        The one that is open.

    Returns
    -------
    Box
        The panel: where the export lies, whose it is, what the new workspace is called; then what was made of it.
    """
    controls = {
        "source": choice("From", crm.CRMS),
        "path": line("Export", note="a CSV, an XLSX or a folder"),
        "name": line("New workspace", note="its folder's name"),
        "accept": w.Checkbox(description="Take columns that only look like a known one", indent=False),
    }

    def draw(source: str, path: str, name: str, *, accept: bool) -> Shown:
        if not path or not name:
            return "Say where the export lies and what the new workspace is to be called. Nothing is sent anywhere."
        target = space.folder.parent / Path(name).name
        made, intake = crm.create(target, Path(path).expanduser(), crm.Layout.of(source), accept=accept)
        done = f"{made.folder} is ready. Open it with: territory-lab lab {made.folder}"
        return [done, table(intake.mapping), table(intake.ledger), *intake.notes]

    return panel(controls, draw, action="Import", code=_code)


def _code(source: str, path: str, name: str, *, accept: bool) -> str:
    """Write the call."""
    return f"crm.create({name!r}, Path({path!r}), crm.Layout.of({source!r}), accept={accept})"
