"""A plan handed back: assignment tables for any CRM, Salesforce load files with their undo, GeoJSON and KML."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd

from territory_lab import book
from territory_lab.crm import salesforce, today
from territory_lab.crm.layout import FILE, Layout
from territory_lab.errors import BadInput, Fault, TerritoryLabError
from territory_lab.files import write_csv, write_whole, writing
from territory_lab.workspace import Workspace

WGS84 = "EPSG:4326"


def write(
    space: Workspace, alignment: pd.Series, to: str, ids: Path | None = None, effective: dt.date | None = None
) -> tuple[Path, list[str]]:
    """
    Write a plan for another program.

    Parameters
    ----------
    space : Workspace
        Whose accounts and units they are.
    alignment : Series
        ``territory_id`` by ``unit_id``.
    to : {"salesforce", "csv", "geojson", "kml"}
        For whom.
    ids : Path, optional
        A later Salesforce export, for the ids of what was inserted since.
    effective : date, optional
        The day from which territories hold that ``effective.csv`` does not name.

    Returns
    -------
    folder : Path
        ``exports/<to>`` in the workspace, replaced whole; tables of a large company are numbered by part.
    summary : list of str
        What was written, and what a person must see to.
    """
    folder = space.folder / "exports" / to
    with writing(folder) as draft:
        if to == "salesforce":
            told = _salesforce(space, alignment, draft, ids)
        elif to == "csv":
            told = []
            for part in space.parts:
                number = "" if part.part is None else f"-{part.part:03}"
                for name, frame in assignments(part, alignment).items():
                    write_csv(draft / f"{name}{number}.csv", frame)
                    told.append(f"{name}{number}.csv: {len(frame)} rows")
        else:
            told = _map(territories(space, alignment), draft, to)
        days = calendar(space, alignment, effective)
        if len(days):
            write_csv(draft / "calendar.csv", days)
            told.append(f"calendar.csv: {len(days)} territories change, the first on {days['effective_date'].iloc[0]}")
    return folder, told


def assignments(space: Workspace, alignment: pd.Series) -> dict[str, pd.DataFrame]:
    """
    Say whose each account and unit is, today and in the plan.

    Parameters
    ----------
    space : Workspace
        Whose accounts and units they are.
    alignment : Series
        ``territory_id`` by ``unit_id``.

    Returns
    -------
    dict of str to DataFrame
        ``accounts`` (account_id, name, unit_id, territory_today, territory_id, owner_today, owner_id), ``units``
        (unit_id, territory_today, territory_id), ``update``: the accounts whose owner or territory changes, under the
        column names of the CRM they came from, and ``owner_name``; ``undo/update``: the same accounts as they are
        today. An account without a unit stays as it is.
    """
    table = space.tables["accounts"].set_index("account_id")
    unit = book.accounts(space, book.units(space))["unit_id"]
    now = today.load(space.folder)["account_territories"].drop_duplicates("account_id").set_index("account_id")
    units = pd.DataFrame({"territory_today": _current(space).reindex(alignment.index), "territory_id": alignment})
    own = now["territory_id"].reindex(table.index).fillna(unit.map(units["territory_today"]))
    wanted = unit.map(alignment).fillna(own)
    owner = table["owner_id"] if "owner_id" in table else pd.Series(index=table.index, dtype="str")
    accounts = pd.DataFrame(
        {
            "name": table["name"],
            "unit_id": unit,
            "territory_today": own,
            "territory_id": wanted,
            "owner_today": owner,
            "owner_id": _owners(space, wanted, owner),
        }
    ).rename_axis("account_id")
    return {
        "accounts": accounts.reset_index(),
        "units": units.rename_axis("unit_id").reset_index(),
        "update": _update(space, accounts),
        "undo/update": _update(space, accounts, back=True),
    }


def points(space: Workspace) -> Path:
    """
    Write the points to ask a router for travel times between, in the order that ``travel.json`` is read in.

    Parameters
    ----------
    space : Workspace
        With reps who have homes.

    Returns
    -------
    Path
        ``exports/travel`` in the workspace: ``units.csv`` (unit_id, lon, lat) and ``homes.csv`` (territory_id, lon,
        lat).
    """
    folder = space.folder / "exports" / "travel"
    with writing(folder) as draft:
        write_csv(draft / "units.csv", pd.DataFrame(book.units(space))[["lon", "lat"]].reset_index())
        write_csv(draft / "homes.csv", book.homes(space)[["lon", "lat"]].reset_index())
    return folder


def calendar(space: Workspace, alignment: pd.Series, effective: dt.date | None = None) -> pd.DataFrame:
    """
    Say on which day each territory that changes takes over.

    An account moves on the day of the territory that takes it.

    Parameters
    ----------
    space : Workspace
        ``effective.csv`` in its folder gives days to single territories: territory_id, effective_date (YYYY-MM-DD).
    alignment : Series
        ``territory_id`` by ``unit_id``.
    effective : date, optional
        The day of all others; without it they are left out.

    Returns
    -------
    DataFrame
        effective_date, territory_id, accounts_in, accounts_out; the first day first.

    Raises
    ------
    BadInput
        Naming each row of ``effective.csv`` that is no day or no territory of the plan.
    """
    changed = "territory_id != territory_today"
    moves = pd.concat([assignments(part, alignment)["accounts"].query(changed) for part in space.parts])
    stated = _days(space, alignment)
    table = pd.DataFrame(
        {
            "accounts_in": moves["territory_id"].value_counts(),
            "accounts_out": moves["territory_today"].value_counts(),
        }
    )
    table = table.fillna(0).astype(int).rename_axis("territory_id").reset_index()
    usual = None if effective is None else effective.isoformat()
    table.insert(0, "effective_date", table["territory_id"].map(lambda name: stated.get(name, usual)))
    return table.dropna(subset="effective_date").sort_values(["effective_date", "territory_id"], ignore_index=True)


def _days(space: Workspace, alignment: pd.Series) -> dict[str, str]:
    """Read the days that the analyst states for single territories."""
    file = space.folder / "effective.csv"
    if not file.is_file():
        return {}
    rows = pd.read_csv(file, dtype="str", keep_default_na=False).reindex(columns=["territory_id", "effective_date"])
    days = pd.to_datetime(rows["effective_date"], format="%Y-%m-%d", errors="coerce")
    wrong = days.isna() | ~rows["territory_id"].isin(set(alignment))
    mend = "write a territory of the plan, and the day as YYYY-MM-DD"
    faults = [
        Fault(file.name, "", f"row {place + 1}", f"{' '.join(map(str, rows.loc[place]))!r} tells nothing", mend)
        for place in rows.index[wrong]
    ]
    if faults:
        raise BadInput(faults)
    return dict(zip(rows["territory_id"], days.dt.strftime("%Y-%m-%d"), strict=True))


def territories(space: Workspace, alignment: pd.Series) -> gpd.GeoDataFrame:
    """
    Draw each territory as one shape.

    Parameters
    ----------
    space : Workspace
        Its units give polygons, or points where they have none.
    alignment : Series
        ``territory_id`` by ``unit_id``.

    Returns
    -------
    GeoDataFrame
        territory_id, reps (names), units (how many), geometry (EPSG:4326).
    """
    places = book.units(space)
    if "geometry" not in places:
        places = gpd.GeoDataFrame(places, geometry=gpd.points_from_xy(places["lon"], places["lat"]), crs=WGS84)
    shapes = gpd.GeoDataFrame(places[["geometry"]]).to_crs(WGS84).assign(territory_id=alignment, units=1)
    drawn = shapes.dropna(subset="territory_id").dissolve("territory_id", aggfunc={"units": "sum"})
    staff = _staff(space).groupby("territory_id")["name"].agg(", ".join)
    return drawn.assign(reps=staff.reindex(drawn.index).fillna("")).reset_index()


def _salesforce(space: Workspace, alignment: pd.Series, draft: Path, ids: Path | None) -> list[str]:
    """Write load files and, in a folder beneath, those that undo them."""
    if space.deal is not None:
        raise TerritoryLabError("load files are made in memory: use --to csv, or set part_accounts above the accounts")
    accounts = assignments(space, alignment)["accounts"].dropna(subset="unit_id").set_index("account_id")
    reps = _staff(space).set_index("rep_id")["territory_id"]
    file = space.folder / FILE
    theirs = file.is_file() and Layout.load(file).crm == "salesforce"
    known = {name: frame if theirs else frame.iloc[:0] for name, frame in today.load(space.folder).items()}
    now = {name: frame[frame.get("association_id", frame["territory_id"]) != ""] for name, frame in known.items()}
    load = salesforce.load_files(
        now,
        accounts["territory_id"].dropna(),
        reps,
        planned=set(_current(space)),
        ids=None if ids is None else today.later(ids, Layout.of("salesforce")),
    )
    for part, files in ((draft, load.files), (draft / "undo", load.undo)):
        for name, frame in files.items():
            write_csv(part / f"{name}.csv", frame)
    write_whole(draft / "summary.txt", "\n".join(load.summary) + "\n")
    return load.summary


def _map(drawn: gpd.GeoDataFrame, draft: Path, to: str) -> list[str]:
    """Write shapes; GDAL's writers escape the names."""
    file = draft / f"territories.{to}"
    if to == "kml":
        named = drawn.assign(Name=drawn["territory_id"], Description=drawn["reps"])[["Name", "Description", "geometry"]]
        named.to_file(file, driver="KML")
    else:
        write_whole(file, drawn.to_json())
    return [f"{file.name}: {len(drawn)} territories"]


def _current(space: Workspace) -> pd.Series:
    """Return today's alignment, empty where there is none."""
    if "alignment" not in space.tables:
        return pd.Series(dtype="str", name="territory_id")
    return space.tables["alignment"].set_index("unit_id")["territory_id"]


def _staff(space: Workspace) -> pd.DataFrame:
    """Return the reps who have a territory."""
    reps = space.tables.get("reps", pd.DataFrame(columns=["rep_id", "name"])).sort_values("rep_id")
    return reps.dropna(subset="territory_id") if "territory_id" in reps else reps.iloc[:0].assign(territory_id="")


def _owners(space: Workspace, wanted: pd.Series, owner: pd.Series) -> pd.Series:
    """Leave an account with its owner where she stands in its territory, else give it to the first rep there."""
    staff = _staff(space)
    first = staff.drop_duplicates("territory_id").set_index("territory_id")["rep_id"]
    stays = owner.map(staff.set_index("rep_id")["territory_id"]) == wanted
    return owner.where(stays, wanted.map(first).fillna(owner))


def _update(space: Workspace, accounts: pd.DataFrame, *, back: bool = False) -> pd.DataFrame:
    """Name the columns as the CRM does, and keep the rows that change, or (``back``) what they are today."""
    file = space.folder / FILE
    names: Mapping[str, list[str]] = Layout.load(file).tables["accounts"].columns if file.is_file() else {}
    changed = (accounts["owner_id"] != accounts["owner_today"]) & accounts["owner_id"].notna()
    changed |= (accounts["territory_id"] != accounts["territory_today"]) & accounts["territory_id"].notna()
    table = accounts[changed].reset_index()
    if back:
        table = table.assign(owner_id=table["owner_today"], territory_id=table["territory_today"])
    known = today.load(space.folder)["territories"].set_index("territory_id")["crm_id"]
    table["territory_id"] = table["territory_id"].replace(known.to_dict())
    if "reps" in space.tables:  # some imports take people by name
        table["owner_name"] = table["owner_id"].map(space.tables["reps"].set_index("rep_id")["name"])
    kept = ["account_id", "owner_id", *(["territory_id"] if "territory_id" in names or not names else [])]
    kept += ["owner_name"] if "owner_name" in table else []
    return table[kept].rename(columns={ours: names[ours][0] for ours in kept if names.get(ours)})
