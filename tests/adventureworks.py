"""AdventureWorks as an analyst would hand it over: its own tables joined into ours, stores as accounts."""

from html import unescape
from pathlib import Path

import pandas as pd


def export(case: Path, folder: Path, *, mended: bool) -> None:
    """Write accounts, reps, units and today's alignment as CSV; 30 stores stand at (0, 0) until that is mended."""
    read = {file.stem: pd.read_parquet(file) for file in case.glob("*.parquet")}
    places = (
        read["BusinessEntityAddress"]
        .drop_duplicates("BusinessEntityID")
        .merge(read["Address"], on="AddressID")
        .merge(read["StateProvince"], on="StateProvinceID")
        .rename(
            columns={
                "longitude": "lon",
                "latitude": "lat",
                "StateProvinceCode": "state",
                "CountryRegionCode": "country",
            }
        )
        .assign(unit_id=lambda frame: frame["country"] + "-" + frame["state"].str.strip())
        .astype({"lon": float, "lat": float, "TerritoryID": str})
    )
    nowhere = (places["lon"] == 0) & (places["lat"] == 0)
    if mended:
        places.loc[nowhere, ["lon", "lat"]] = None
    stores = read["Store"].merge(places, on="BusinessEntityID", how="left", suffixes=("", "_place"))
    accounts = pd.DataFrame(
        {
            "account_id": stores["BusinessEntityID"],
            "name": stores["Name"].map(unescape),
            "employees": stores["NumberEmployees"],
            "revenue": stores["AnnualRevenue"],
            "postcode": stores["PostalCode"],
            "city": stores["City"],
            "country": stores["country"],
            "lon": stores["lon"],
            "lat": stores["lat"],
            "unit_id": stores["unit_id"],
            "owner_id": stores["SalesPersonID"],
        }
    )
    people = read["SalesPerson"].merge(places[["BusinessEntityID", "lon", "lat"]], on="BusinessEntityID", how="left")
    reps = pd.DataFrame(
        {
            "rep_id": people["BusinessEntityID"],
            "name": "Rep " + people["BusinessEntityID"].astype(str),
            "territory_id": people["TerritoryID"].astype("Int64"),
            "lon": people["lon"],
            "lat": people["lat"],
            "quota": people["SalesQuota"],
        }
    )
    of_accounts = places[places["unit_id"].isin(accounts["unit_id"]) & ~nowhere]
    units = (
        of_accounts.groupby("unit_id")
        .agg(name=("Name", "first"), lon=("lon", "mean"), lat=("lat", "mean"))
        .reset_index()
    )
    alignment = of_accounts.drop_duplicates("unit_id")[["unit_id", "TerritoryID"]].rename(
        columns={"TerritoryID": "territory_id"}
    )
    folder.mkdir()
    for name, frame in {"accounts": accounts, "reps": reps, "units": units, "alignment": alignment}.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
