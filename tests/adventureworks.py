"""AdventureWorks as an analyst would hand it over: stores and salespeople with their addresses, and a mapping."""

from html import unescape
from pathlib import Path

import pandas as pd

from territory_lab import crm
from territory_lab.workspace import Workspace

MAPPING = """
crm = "csv"
units_by = ["country", "state"]
[tables.accounts]
files = ["Store"]
[tables.accounts.columns]
account_id = ["BusinessEntityID"]
name = ["Name"]
employees = ["NumberEmployees"]
revenue = ["AnnualRevenue"]
postcode = ["PostalCode"]
city = ["City"]
state = ["StateProvinceCode"]
country = ["CountryRegionCode"]
lon = ["longitude"]
lat = ["latitude"]
owner_id = ["SalesPersonID"]
territory_id = ["TerritoryID"]
[tables.reps]
files = ["SalesPerson"]
[tables.reps.columns]
rep_id = ["BusinessEntityID"]
name = ["BusinessEntityID"]
territory_id = ["TerritoryID"]
lon = ["longitude"]
lat = ["latitude"]
quota = ["SalesQuota"]
"""


def create(case: Path, folder: Path) -> tuple[Workspace, crm.Intake]:
    """Join the tables to two exports, and make a workspace of them under the folder."""
    read = {file.stem: pd.read_parquet(file) for file in case.glob("*.parquet")}
    places = (
        read["BusinessEntityAddress"]
        .drop_duplicates("BusinessEntityID")
        .merge(read["Address"], on="AddressID")
        .merge(read["StateProvince"].drop(columns="Name"), on="StateProvinceID")
    )
    stores = read["Store"].assign(Name=read["Store"]["Name"].map(unescape))
    homes = places[["BusinessEntityID", "longitude", "latitude"]]
    (folder / "export").mkdir(parents=True)
    stores.merge(places, on="BusinessEntityID", how="left").to_csv(folder / "export" / "Store.csv", index=False)
    people = read["SalesPerson"].astype({"TerritoryID": "Int64"}).merge(homes, on="BusinessEntityID", how="left")
    people.to_csv(folder / "export" / "SalesPerson.csv", index=False)
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING, encoding="utf-8")
    return crm.create(folder / "space", folder / "export", crm.Layout.load(mapping))
