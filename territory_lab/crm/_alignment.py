"""Who owns what today: units made of accounts, territories and homes of reps, and the alignment that follows."""

from collections.abc import Sequence

import pandas as pd

from territory_lab import geography
from territory_lab.errors import Fault


def units_by(accounts: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Make units of what accounts have in common, such as country and state; each account is told its unit."""
    parts = accounts.reindex(columns=list(columns), fill_value="")
    accounts["unit_id"] = parts.agg("-".join, axis=1).where((parts != "").all(axis=1), "").astype("str")
    at = accounts.reindex(columns=["lon", "lat"]).apply(pd.to_numeric, errors="coerce")
    at = at[(at["lon"].between(-180, 180) & at["lat"].between(-90, 90)) & (at != 0).any(axis=1)]
    middle = at.groupby(accounts["unit_id"]).median().drop(index="", errors="ignore")
    named: pd.DataFrame = middle.round(6).astype("str").rename_axis("unit_id").reset_index()
    return named.set_axis(range(-len(named), 0))  # no ticket of the ledger's


def misplaced(accounts: pd.DataFrame) -> list[Fault]:
    """List accounts of the United States whose coordinates lie outside of them, as when a sign is lost."""
    if not {"country", "lon", "lat", "account_id"} <= set(accounts):
        return []
    lon, lat = accounts["lon"], accounts["lat"]
    inside = pd.Series(data=False, index=accounts.index)
    for west, east, south, north in geography.UNITED_STATES:
        inside |= lon.between(west, east) & lat.between(south, north)
    placed = lon.between(-180, 180) & lat.between(-90, 90) & ((lon != 0) | (lat != 0))
    out = accounts[placed & ~inside & accounts["country"].isin(geography.AMERICAN)]
    mend = "correct it, or empty both to place the account by its postcode"
    return [
        Fault("accounts", "lat", str(row), f"({x:g}, {y:g}) lies outside the United States", mend)
        for row, x, y in out[["account_id", "lon", "lat"]].itertuples(index=False)
    ]


def add(tables: dict[str, pd.DataFrame], links: dict[str, pd.DataFrame]) -> list[str]:
    """Add to the tables what the CRM's associations say: the reps' territories and homes, and today's alignment."""
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
