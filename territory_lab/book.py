"""The account book: a workspace's accounts, units, neighbours and homes, each joined once and in one place."""

import tomllib
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import tomli_w

from territory_lab import geography, hexagons
from territory_lab.errors import BadInput, Fault, MissingTable
from territory_lab.timeline import EVENTS
from territory_lab.workspace import RULES, Workspace

YEAR = pd.Timedelta(days=365)
_TRAITS = ["parent_id", "sector", "employees", "revenue", "name", "owner_id", "competitor", "prestige"]


def units(space: Workspace) -> pd.DataFrame:
    """
    Return the units: the workspace's own, else hexagons where the settings ask for them, else American counties.

    Counties and hexagons are those of the mainland and of the far states that hold accounts. A named account is a unit
    of its own, without area or people, at the point where it stands.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    DataFrame
        Indexed by unit_id; columns of the units table, ``geometry`` (EPSG:4326) where known; where accounts are named,
        ``stands_in`` (the place that each lies in).
    """
    places = _places(space)
    own = named(space)
    if own.empty:
        return places
    table = space.tables["accounts"].set_index("account_id").loc[own["account_id"]]
    stands_in = _county(table.reset_index(), places)
    carved = places.reindex(stands_in).drop(columns="geometry", errors="ignore").set_axis(own.index)
    carved = pd.DataFrame(carved).assign(stands_in=stands_in.to_numpy(), name=table["name"].to_numpy())
    carved[[column for column in _AMOUNTS if column in carved]] = 0.0
    points = geography.points_of(table).set_axis(own.index)
    carved[["lon", "lat"]] = points.where(points.notna().all(axis=1), carved[["lon", "lat"]])
    lost = carved.index[carved["lon"].isna()]
    if len(lost):
        mend = "give the account a place, or leave it out"
        raise BadInput(
            Fault("named_accounts", "account_id", own["account_id"][unit], "has no place", mend) for unit in lost
        )
    return pd.concat([places, carved]).rename_axis("unit_id")


_AMOUNTS = ("area_km2", "population", "households", "labor_force", "unemployed", "poverty")


def named(space: Workspace) -> pd.DataFrame:
    """
    Return the accounts that belong to a rep wherever they stand, as units of their own.

    Parameters
    ----------
    space : Workspace
        With ``named_accounts`` where there are any.

    Returns
    -------
    DataFrame
        By unit_id (``account:`` and the account's id): account_id, territory_id (as stated, else its owner's).

    Raises
    ------
    BadInput
        Naming every account for which no territory is known.
    """
    if "named_accounts" not in space.tables:
        return pd.DataFrame(
            {"account_id": [], "territory_id": []}, pd.Index([], dtype="str", name="unit_id"), dtype="str"
        )
    table = space.tables["named_accounts"].reindex(columns=["account_id", "territory_id"])
    table["territory_id"] = table["territory_id"].fillna(
        _territory_of_owner(space).reindex(table["account_id"]).set_axis(table.index)
    )
    lost = table.loc[table["territory_id"].isna(), "account_id"]
    if len(lost):
        mend = "state its territory, or give the account an owner who has one"
        raise BadInput(Fault("named_accounts", "territory_id", name, "is not known", mend) for name in lost)
    return table.set_index("account:" + table["account_id"]).rename_axis("unit_id")


def _territory_of_owner(space: Workspace) -> pd.Series:
    """Territory of the rep who owns each account, by account_id, where known."""
    accounts, reps = space.tables["accounts"].set_index("account_id"), space.tables.get("reps", pd.DataFrame())
    if "owner_id" not in accounts or "territory_id" not in reps:
        return pd.Series(np.nan, accounts.index, dtype="str")
    return accounts["owner_id"].map(reps.set_index("rep_id")["territory_id"])


def _places(space: Workspace) -> pd.DataFrame:
    """Give the places of a workspace, before accounts are carved out of them."""
    counties = geography.counties().set_index("unit_id")
    if "units" not in space.tables:
        if space.settings.h3_resolution:
            points = geography.points_of(space.tables["accounts"])
            cells: pd.DataFrame = hexagons.cover(points["lon"], points["lat"], space.settings.h3_resolution)
            return cells
        reached = _county(space.tables["accounts"], counties).map(counties["state"]).unique()
        near: pd.DataFrame = counties[~counties["state"].isin(geography.FAR_STATES) | counties["state"].isin(reached)]
        return near
    own = space.tables["units"].set_index("unit_id")
    if "geometry" not in own and own.index.isin(counties.index).all():
        own = gpd.GeoDataFrame(own.join(counties["geometry"]), geometry="geometry", crs=counties.crs)
    elif "geometry" not in own and hexagons.are(own.index):
        own = hexagons.drawn(own)
    return own


def neighbours(space: Workspace, places: pd.DataFrame) -> pd.DataFrame | None:
    """
    Return which units lie side by side.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    places : DataFrame
        Its units.

    Returns
    -------
    DataFrame or None
        Columns unit_a, unit_b; None where nothing says so: territories are then not held to be contiguous.
    """
    if "neighbours" in space.tables:
        return space.tables["neighbours"][["unit_a", "unit_b"]]
    places = places.drop(index=named(space).index, errors="ignore")
    if hexagons.are(places.index):
        return hexagons.neighbours(places.index)[["unit_a", "unit_b"]]
    counties = geography.neighbours()
    if places.index.isin(geography.counties()["unit_id"]).all():
        inside = counties["unit_a"].isin(places.index) & counties["unit_b"].isin(places.index)
        return counties.loc[inside, ["unit_a", "unit_b"]]
    return geography.touching(places.reset_index())[["unit_a", "unit_b"]] if "geometry" in places else None


def accounts(space: Workspace, places: pd.DataFrame) -> pd.DataFrame:
    """
    Return one row per account with all that is known of it and of its place.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    places : DataFrame
        Its units.

    Returns
    -------
    DataFrame
        Indexed by account_id: the traits that the table has, ``unit_id``, ``area_id``, ``state``, ``density``
        (people per km2), ``median_income`` of the unit, ``customer`` (bool), ``spend`` (orders of the last 12 months),
        ``spend_before`` (of the 12 months before those)
        and ``spend_before`` (of the 12 months before).
    """
    table, own = space.tables["accounts"].set_index("account_id"), named(space)
    book = table[[column for column in _TRAITS if column in table]].copy()
    book["unit_id"] = _county(table.reset_index(), places.drop(index=own.index, errors="ignore")).to_numpy()
    at = places.reindex(book["unit_id"])
    for column in ("area_id", "state", "median_income"):
        if column in places:
            book[column] = at[column].to_numpy()
    if {"population", "area_km2"} <= set(places):
        book["density"] = (at["population"] / at["area_km2"]).to_numpy()
    carved = own.index[own.index.isin(places.index)]
    book.loc[own.loc[carved, "account_id"], "unit_id"] = carved
    book["customer"] = book.index.isin(_buyers(space).unique())
    for name, years_ago in (("spend", 0), ("spend_before", 1)):
        book[name] = _spend(space, years_ago).reindex(book.index).fillna(0.0)
    return book


def contacts(space: Workspace) -> pd.DataFrame:
    """
    List every contact with an account: orders, opportunities opened, calls.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    DataFrame
        account_id, date; each contact counts the same.
    """
    there = [(space.tables[table], date) for table, date in EVENTS.items() if table in space.tables]
    found = [frame[["account_id", date]].rename(columns={date: "date"}) for frame, date in there]
    return pd.concat(found, ignore_index=True)


def rules(space: Workspace) -> dict[str, Any] | None:
    """
    Read the rule card of the ideal customer that the analyst states.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    dict or None
        As `scoring.IdealCustomerProfile.from_rules` takes it; None where ``icp.toml`` is not there.

    Raises
    ------
    BadInput
        Where the file is no TOML.
    """
    file = space.folder / RULES
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput([Fault(RULES, "", "", str(error), "correct the TOML, or delete the file")]) from error


def keep_rules(space: Workspace, card: Mapping[str, Any] | None) -> None:
    """
    Keep a rule card as the one stated: later steps then score by it instead of by what is learned.

    Parameters
    ----------
    space : Workspace
        Results that rest on another card are computed anew when the workspace is opened again.
    card : mapping or None
        From `scoring.IdealCustomerProfile.rules`; None: back to what is learned.
    """
    file = space.folder / RULES
    if card is None:
        file.unlink(missing_ok=True)
        return
    draft = file.with_name(f".{RULES}")
    draft.write_text(tomli_w.dumps(card), encoding="utf-8")
    draft.replace(file)


def local_market(space: Workspace) -> pd.DataFrame:
    """
    Return what is known of the place of each account.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    DataFrame
        Indexed by account_id: ``density`` and ``median_income`` of its unit, where known.
    """
    return accounts(space, units(space)).filter(["density", "median_income"])


def with_names(space: Workspace, listed: pd.DataFrame) -> pd.DataFrame:
    """
    Add the names of accounts and products, where they are known.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    listed : DataFrame
        With account_id and product_id.

    Returns
    -------
    DataFrame
        With ``account`` and ``product`` added.
    """
    names = {
        table: space.tables[table].set_index(f"{table[:-1]}_id")["name"]
        for table in ("accounts", "products")
        if table in space.tables
    }
    return listed.assign(**{table[:-1]: listed[f"{table[:-1]}_id"].map(known) for table, known in names.items()})


def homes(space: Workspace) -> pd.DataFrame:
    """
    Return each territory's home and the share of the workload that its reps can carry.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    DataFrame
        Indexed by territory_id: ``rep`` (names), ``lon``, ``lat`` (of the first rep there), ``reps`` (how many),
        ``selling_h`` (a year, where stated), ``quota`` (where stated), ``share_workload_h``.

    Raises
    ------
    MissingTable
        Where no rep has both a territory and a home.
    """
    reps = space.need("reps", step="fixed homes")[0]
    if not {"territory_id", "lon", "lat"} <= set(reps):
        raise MissingTable("fixed homes are switched off: reps need territory_id, lon and lat")
    based = reps.dropna(subset=["territory_id", "lon", "lat"]).sort_values("rep_id")
    if based.empty:
        raise MissingTable("fixed homes are switched off: no rep has a territory and a home")
    hours = based["selling_h"] if "selling_h" in based else pd.Series(float("nan"), index=based.index)
    load = hours.fillna(hours.mean()) if hours.notna().any() else pd.Series(1.0, index=based.index)
    grouped = based.assign(load=load, selling_h=hours).groupby("territory_id")
    found = grouped.agg(lon=("lon", "first"), lat=("lat", "first"), reps=("rep_id", "size"), load=("load", "sum"))
    found["rep"] = grouped["name"].agg(", ".join)
    found["selling_h"] = grouped["selling_h"].sum(min_count=1)
    if "quota" in based:
        found["quota"] = grouped["quota"].sum(min_count=1)
    found["share_workload_h"] = found["load"] / found["load"].sum()
    return found.drop(columns="load")


def today(space: Workspace, places: pd.DataFrame) -> pd.Series | None:
    """
    Return today's alignment.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    places : DataFrame
        Its units.

    Returns
    -------
    Series or None
        ``territory_id`` by ``unit_id``, in the order of the units; a hexagon that the alignment does not name belongs
        with the county under its centre, a named account to its owner's territory.
    """
    if "alignment" not in space.tables:
        return None
    table = space.tables["alignment"].set_index("unit_id")["territory_id"]
    found = table.reindex(places.index)
    if "county" in places:
        found = found.fillna(places["county"].map(table))
    if "stands_in" in places:
        own = named(space)
        owned = _territory_of_owner(space).reindex(own["account_id"]).set_axis(own.index)
        found = found.fillna(owned.reindex(found.index)).fillna(places["stands_in"].map(found))
    return found.rename("territory_id").rename_axis("unit_id")


def _county(table: pd.DataFrame, places: pd.DataFrame) -> pd.Series:
    """Place accounts in units."""
    postcodes = geography.postcodes() if places.index.isin(geography.counties()["unit_id"]).all() else None
    return geography.unit_of(table, places.reset_index(), postcodes)


def _buyers(space: Workspace) -> pd.Series:
    """Accounts that have ordered, or won opportunities where there are no orders, or all where nothing tells."""
    tables = space.tables
    if "orders" in tables:
        return tables["orders"]["account_id"]
    if "opportunities" in tables:
        return tables["opportunities"].loc[tables["opportunities"]["stage"] == "won", "account_id"]
    return tables["accounts"]["account_id"]


def _spend(space: Workspace, years_ago: int) -> pd.Series:
    """Order value of the last 12 months by account, or of the 12 months before them."""
    if "orders" not in space.tables:
        return pd.Series(dtype="float64")
    orders = space.tables["orders"]
    stop = space.end - years_ago * YEAR
    within = (orders["order_date"] >= stop - YEAR) & (orders["order_date"] < stop)
    return orders[within].groupby("account_id")["amount"].sum()
