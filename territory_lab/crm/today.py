"""What the CRM says of its territories: when the workspace was made, and later."""

from pathlib import Path

import pandas as pd

from territory_lab.crm import _matching
from territory_lab.crm._sheets import read_sheets
from territory_lab.crm.layout import LINKS, Layout

FOLDER = "crm"  # in a workspace; holds a CSV for each of LINKS
COLUMNS = {
    "territories": ["territory_id", "crm_id", "name", "developer_name", "model_id", "type_id", "parent_id"],
    "user_territories": ["association_id", "rep_id", "territory_id", "role"],
    "account_territories": ["association_id", "account_id", "territory_id", "cause"],
}


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """
    Read what the CRM said of its territories when the workspace was made.

    Parameters
    ----------
    folder : Path
        A workspace's.

    Returns
    -------
    dict of str to DataFrame of str
        Territories (with ``crm_id``), user_territories and account_territories; without rows where nothing is known.
    """
    files = {name: folder / FOLDER / f"{name}.csv" for name in LINKS}
    read = {
        name: pd.read_csv(file, dtype="str", keep_default_na=False) if file.is_file() else pd.DataFrame(dtype="str")
        for name, file in files.items()
    }
    return {name: frame.reindex(columns=COLUMNS[name], fill_value="") for name, frame in read.items()}


def later(path: Path, layout: Layout) -> dict[str, pd.DataFrame]:
    """
    Read what the CRM says of its territories since, for the ids of what was loaded.

    Parameters
    ----------
    path : Path
        Exports of the territories and associations, or the files of successes that a loader leaves.
    layout : Layout
        The CRM's.

    Returns
    -------
    dict of str to DataFrame of str
        As `load` gives them, territories called by their ids in the CRM.
    """
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in LINKS}
    for sheet in read_sheets(path):
        name = _matching.table_of(layout, sheet.name, sheet.cells.columns)
        if name in LINKS:
            columns = _matching.match(layout, name, sheet.cells.columns)
            found[name].append(pd.DataFrame({ours: sheet.cells[column] for ours, column in columns.items()}))
    frames = {name: pd.concat([pd.DataFrame(dtype="str"), *parts]) for name, parts in found.items()}
    frames["territories"]["crm_id"] = frames["territories"].get("territory_id", pd.Series(dtype="str"))
    return {name: frame.reindex(columns=COLUMNS[name]).fillna("") for name, frame in frames.items()}
