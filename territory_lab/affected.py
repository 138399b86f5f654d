"""Who is affected by a plan: the accounts that change hands and why, the people, and the order of a rep's places."""

import numpy as np
import pandas as pd

from territory_lab import book
from territory_lab.alignment.problem import great_circle_km
from territory_lab.errors import MissingTable
from territory_lab.workspace import Workspace

REASONS = ("relieves", "fills", "nearer", "balances")
_RING_H = 0.5  # of the territory's work: places nearer than that many hours' reach are the inner round


def accounts(
    space: Workspace,
    known: pd.DataFrame,
    centres: pd.DataFrame,
    proposed: pd.Series,
    *,
    current: pd.Series | None = None,
    off: pd.Series | None = None,
    tolerance: float = 0.1,
) -> pd.DataFrame:
    """
    Set each account beside its territory today and in a plan, with the reason where it changes hands.

    Parameters
    ----------
    space : Workspace
        Gives names and places.
    known : DataFrame
        By account_id: unit_id, tier, customer, spend, potential, as the territories step leaves them.
    centres : DataFrame
        By territory_id: lon, lat of the home.
    proposed, current : Series
        territory_id by unit_id.
    off : Series, optional
        Today's workload against target by territory_id, as a share.
    tolerance : float
        How far it may lie, as a share.

    Returns
    -------
    DataFrame
        By account_id: name, unit_id, tier, customer, spend, potential, to, from (missing without ``current``), to_km
        and from_km (to the two homes, great circle) and reason: ``relieves`` (the old territory carries too much),
        ``fills`` (the new one has too little), ``nearer`` (the new home is nearer) or ``balances`` (it makes room for
        other moves); empty where the account stays.
    """
    table = known[["unit_id", "tier", "customer", "spend", "potential"]].copy()
    names = known if "name" in known else space.tables["accounts"].set_index("account_id")
    table.insert(0, "name", names["name"].reindex(table.index) if "name" in names else table.index)
    table["name"] = table["name"].fillna(table.index.to_series())
    places = book.units(space).reindex(table["unit_id"])
    table["to"] = table["unit_id"].map(proposed)
    table["from"] = np.nan if current is None else table["unit_id"].map(current)
    for end in ("to", "from"):
        home = centres.reindex(table[end])
        table[f"{end}_km"] = great_circle_km(
            *(part[axis].to_numpy(float) for part in (places, home) for axis in ("lon", "lat"))
        )
    load = pd.Series(dtype=float) if off is None else off
    conditions = {
        "relieves": table["from"].map(load) > tolerance,
        "fills": table["to"].map(load) < -tolerance,
        "nearer": table["to_km"] < table["from_km"],
    }
    reason = np.select([part.to_numpy(bool) for part in conditions.values()], list(conditions), "balances")
    stays = table["from"].isna() | (table["from"] == table["to"])
    return table.assign(reason=pd.Series(reason, table.index).where(~stays, ""))


def people(
    space: Workspace,
    units: pd.DataFrame,
    owner: pd.Series,
    *,
    current: pd.Series | None,
    today: pd.DataFrame | None,
    proposed: pd.DataFrame,
) -> pd.DataFrame:
    """
    Say what a plan changes for each rep.

    Parameters
    ----------
    space : Workspace
        Gives the reps' names.
    units : DataFrame
        By unit_id: customers.
    owner, current : Series
        territory_id by unit_id, in the plan and today.
    today, proposed : DataFrame
        By territory_id: workload_h, deviation_workload_h, revenue.

    Returns
    -------
    DataFrame
        By territory_id: rep, workload_h_today, workload_h, deviation_workload_h_today, deviation_workload_h,
        customers_kept, customers_gained, customers_lost; the most changed customers first.
    """
    try:
        rep = book.homes(space)["rep"]
    except MissingTable:
        rep = pd.Series(dtype=object)
    table = pd.DataFrame({"rep": rep.reindex(proposed.index).fillna("")}, proposed.index)
    for name in ("workload_h", "deviation_workload_h"):
        if today is not None:
            table[f"{name}_today"] = today[name]
        table[name] = proposed[name]
    before = owner.where(owner.isna()) if current is None else current
    customers, same = units["customers"], owner == before
    new = before.notna() & ~same
    counts = {"kept": (same, owner), "gained": (new, owner), "lost": (new, before)}
    for name, (which, side) in counts.items():
        count = customers[which].groupby(side[which]).sum()
        table[f"customers_{name}"] = count.reindex(table.index, fill_value=0).astype(int)
    changed = table["customers_gained"] + table["customers_lost"]
    return table.loc[changed.sort_values(ascending=False, kind="stable").index]


def route(load: pd.DataFrame, home: pd.Series) -> pd.DataFrame:
    """
    Put a territory's places in the order of a round trip: the near ones out by bearing, the far ones back.

    The sweep of Gillett and Miller (1974), in two rings, so that the road does not run to and fro.

    Parameters
    ----------
    load : DataFrame
        By unit_id: lon, lat, workload_h and any other columns; places without work are left out.
    home : Series
        lon, lat.

    Returns
    -------
    DataFrame
        The rows in order, with ``stop`` (1, 2, ...) first and ``home_km`` from home, great circle.
    """
    places = load[load["workload_h"] > 0].copy()
    lon, lat = places["lon"].to_numpy(float), places["lat"].to_numpy(float)
    places["home_km"] = great_circle_km(home["lon"], home["lat"], lon, lat)
    east = (lon - home["lon"]) * np.cos(np.radians(home["lat"]))
    bearing = np.arctan2(east, lat - home["lat"]) % (2 * np.pi)
    by_distance = places.sort_values("home_km", kind="stable")["workload_h"].cumsum()
    far = (by_distance > _RING_H * by_distance.max()).reindex(places.index).to_numpy(bool)
    order = np.lexsort((np.where(far, -bearing, bearing), far))
    ordered = places.iloc[order]
    ordered.insert(0, "stop", range(1, len(ordered) + 1))
    return ordered
