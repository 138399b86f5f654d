"""Who owns what in the CRM today: territories, their people and accounts, and the alignment of units that follows."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from territory_lab import geography
from territory_lab.crm.layout import LINKS, Layout
from territory_lab.crm._sheets import read_sheets
from territory_lab.errors import Fault

FOLDER = "crm"  # in a workspace; holds a CSV for each of LINKS
AMERICAN = ["US", "USA", "United States", "United States of America"]
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
        name = layout.table_of(sheet.name, sheet.cells.columns)
        if name in LINKS:
            columns = layout.match(name, sheet.cells.columns)
            found[name].append(pd.DataFrame({ours: sheet.cells[column] for ours, column in columns.items()}))
    frames = {name: pd.concat([pd.DataFrame(dtype="str"), *parts]) for name, parts in found.items()}
    frames["territories"]["crm_id"] = frames["territories"].get("territory_id", pd.Series(dtype="str"))
    return {name: frame.reindex(columns=COLUMNS[name]).fillna("") for name, frame in frames.items()}


def units_by(accounts: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """
    Make units of what accounts have in common, such as country and state; each account is told its unit.

    Parameters
    ----------
    accounts : DataFrame of str
        Gets ``unit_id``: the columns joined by -; empty where one of them is.
    columns : sequence of str
        Of accounts.

    Returns
    -------
    DataFrame of str
        unit_id, lon, lat: the medians of the accounts there, those at (0, 0) left out.
    """
    parts = accounts.reindex(columns=list(columns), fill_value="")
    accounts["unit_id"] = parts.agg("-".join, axis=1).where((parts != "").all(axis=1), "").astype("str")
    at = accounts.reindex(columns=["lon", "lat"]).apply(pd.to_numeric, errors="coerce")
    at = at[(at["lon"].between(-180, 180) & at["lat"].between(-90, 90)) & (at != 0).any(axis=1)]
    middle = at.groupby(accounts["unit_id"]).median().drop(index="", errors="ignore")
    return middle.round(6).astype("str").rename_axis("unit_id").reset_index()


def misplaced(accounts: pd.DataFrame) -> list[Fault]:
    """
    List accounts of the United States whose coordinates lie outside of them, as when a sign is lost.

    Parameters
    ----------
    accounts : DataFrame
        Typed accounts; what lies off the earth or at (0, 0) is `quality.faults`' business.

    Returns
    -------
    list of Fault
        One each.
    """
    if not {"country", "lon", "lat", "account_id"} <= set(accounts):
        return []
    lon, lat = accounts["lon"], accounts["lat"]
    inside = pd.Series(data=False, index=accounts.index)
    for west, east, south, north in geography.UNITED_STATES:
        inside |= lon.between(west, east) & lat.between(south, north)
    placed = lon.between(-180, 180) & lat.between(-90, 90) & ((lon != 0) | (lat != 0))
    out = accounts[placed & ~inside & accounts["country"].isin(AMERICAN)]
    mend = "correct it, or empty both to place the account by its postcode"
    return [
        Fault("accounts", "lat", str(row), f"({x:g}, {y:g}) lies outside the United States", mend)
        for row, x, y in out[["account_id", "lon", "lat"]].itertuples(index=False)
    ]


def add(tables: dict[str, pd.DataFrame], links: dict[str, pd.DataFrame]) -> list[str]:
    """
    Add to the tables what the CRM's associations say: the reps' territories and homes, and today's alignment.

    Parameters
    ----------
    tables : dict of str to DataFrame of str
        Of a workspace; changed in place.
    links : dict of str to DataFrame of str
        Of the CRM; gets account_territories where accounts or their owners tell.

    Returns
    -------
    list of str
        What had to be assumed.
    """
    _label(tables, links)
    notes = _staff(tables, links)
    accounts = tables["accounts"]
    if "account_territories" not in links:
        owned = _owned(accounts, tables.get("reps"))
        links["account_territories"] = owned[owned["territory_id"].fillna("") != ""].reset_index(drop=True)
    tables["accounts"] = accounts.drop(columns="territory_id", errors="ignore")
    if "reps" in tables:
        tables["reps"] = tables["reps"].drop(columns="postcode", errors="ignore")
    if "alignment" not in tables:
        tables["alignment"], split = _vote(tables, links["account_territories"])
        if split:
            notes.append(f"{split} account(s) lie in a unit most of whose accounts are in another territory")
    return notes


def _label(tables: dict[str, pd.DataFrame], links: dict[str, pd.DataFrame]) -> None:
    """Call territories by their names where these are unlike, and keep the CRM's ids beside."""
    if "territories" not in links:
        return
    known = links["territories"]
    named = "name" in known and (known["name"] != "").all() and known["name"].is_unique
    label = dict(zip(known["territory_id"], known["name" if named else "territory_id"], strict=True))
    links["territories"] = known.assign(crm_id=known["territory_id"], territory_id=known["territory_id"].map(label))
    for frame in [*tables.values(), links.get("user_territories"), links.get("account_territories")]:
        if frame is not None and "territory_id" in frame:
            frame["territory_id"] = frame["territory_id"].replace(label)


def _staff(tables: dict[str, pd.DataFrame], links: dict[str, pd.DataFrame]) -> list[str]:
    """Give reps their territory, and a home where only their postcode is known."""
    if "reps" not in tables:
        return []
    reps, notes = tables["reps"], []
    if "user_territories" in links:
        first = links["user_territories"].drop_duplicates("rep_id").set_index("rep_id")["territory_id"]
        if more := len(links["user_territories"]) - len(first):
            notes.append(f"{more} further territories of reps who stand in several are left out of reps")
        reps["territory_id"] = reps["rep_id"].map(first).fillna("").astype("str")
    if "postcode" in reps:
        points = geography.postcodes().set_index("postcode")[["lon", "lat"]].round(6).astype("str")
        for axis in ("lon", "lat"):
            stated = reps[axis] if axis in reps else pd.Series("", reps.index)
            found = reps["postcode"].str[:5].map(points[axis])
            reps[axis] = stated.where(stated != "", found).fillna("").astype("str")
    return notes


def _owned(accounts: pd.DataFrame, reps: pd.DataFrame | None) -> pd.DataFrame:
    """Say whose each account is: its own territory, else its owner's, else its owner, who then is a territory."""
    if "territory_id" in accounts:
        return accounts[["account_id", "territory_id"]]
    if reps is None or "owner_id" not in accounts:
        return pd.DataFrame({"account_id": [], "territory_id": []}, dtype="str")
    if "territory_id" not in reps or (reps["territory_id"] == "").all():
        label = reps["name"] if reps["name"].is_unique else reps["rep_id"]
        reps["territory_id"] = label.where(reps["rep_id"].isin(accounts["owner_id"]), "").astype("str")
    territory = accounts["owner_id"].map(reps.set_index("rep_id")["territory_id"])
    return pd.DataFrame({"account_id": accounts["account_id"], "territory_id": territory})


def _vote(tables: dict[str, pd.DataFrame], owned: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Give each unit to the territory of most of its accounts, and count the accounts that lie otherwise."""
    accounts, units = tables["accounts"], tables.get("units")
    text = accounts.replace("", pd.NA)
    if "lon" in text and "lat" in text:
        text[["lon", "lat"]] = text[["lon", "lat"]].apply(pd.to_numeric)
    places = geography.counties() if units is None else units
    unit = geography.unit_of(text, places, geography.postcodes() if units is None else None)
    votes = owned.assign(unit_id=owned["account_id"].map(dict(zip(accounts["account_id"], unit, strict=True))))
    counted = votes.dropna(subset="unit_id").groupby(["unit_id", "territory_id"]).size().rename("n").reset_index()
    counted = counted.sort_values(["unit_id", "n", "territory_id"], ascending=[True, False, True])
    won = counted.drop_duplicates("unit_id")
    return won[["unit_id", "territory_id"]].reset_index(drop=True), int(counted["n"].sum() - won["n"].sum())
