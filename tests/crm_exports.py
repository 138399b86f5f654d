"""A small generated company as Salesforce, HubSpot and Dynamics would export it, by API names and by labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from territory_lab import geography

Exports = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Company:
    """What is true, whoever exports it; ids are the CRM's."""

    accounts: pd.DataFrame  # id, name, postcode, city, state, lon, lat, employees, revenue, owner, created, ...
    deals: pd.DataFrame  # id, account, owner, stage (open, won, lost), created, closed, amount
    lines: pd.DataFrame  # id, deal, product, quantity, total
    reps: pd.DataFrame  # id, first, last, email, postcode, manager, territory
    territories: pd.DataFrame  # id, name


def company(key: str = "salesforce", seed: int = 0, size: int = 48) -> Company:
    """Put accounts in six counties of Massachusetts and Connecticut, two to a territory, whose rep owns them."""
    rng = np.random.default_rng(seed)
    zips = geography.postcodes()
    zips = zips[zips["state"].isin(["MA", "CT"]) & (zips["source"] == "zcta")]
    counties = zips["unit_id"].value_counts().index[:6].sort_values()
    territory = dict(zip(counties, np.repeat(["East & Cape", "Middle <b>", "West, Río"], 2), strict=True))
    names = list(dict.fromkeys(territory.values()))
    places = zips[zips["unit_id"].isin(counties)].groupby("unit_id").sample(size // 6, random_state=seed)
    ids = _ids(key)
    territories = pd.DataFrame({"id": ids("0MI", 3), "name": names})
    reps = pd.DataFrame(
        {
            "id": ids("005", 4),
            "first": ["Ann", "Ben", "Zoë", "Max"],
            "last": ["Lee", "Okoye", "Müller", "Chief"],
            "postcode": [*places.groupby(places["unit_id"].map(territory))["postcode"].first()[names], "02139"],
            "territory": [*names, ""],
        }
    ).assign(email=lambda frame: frame["first"].str.lower() + "@example.com")
    reps["manager"] = [reps["id"].iloc[3]] * 3 + [""]
    owner = dict(zip(reps["territory"], reps["id"], strict=True))
    accounts = pd.DataFrame(
        {
            "id": ids("001", size),
            "name": [f"Firm {number}, Ltd" for number in range(size)],
            "postcode": places["postcode"].to_numpy(),
            "city": "Town",
            "state": places["state"].to_numpy(),
            "lon": places["lon"].round(4).to_numpy(),
            "lat": places["lat"].round(4).to_numpy(),
            "employees": rng.integers(1, 5000, size),
            "revenue": rng.integers(10**5, 10**7, size) + 0.5,
            "created": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, size), unit="D"),
            "territory": places["unit_id"].map(territory).to_numpy(),
        }
    ).assign(owner=lambda frame: frame["territory"].map(owner), parent="")
    accounts.loc[1, "parent"] = accounts.loc[0, "id"]
    deals = pd.DataFrame({"id": ids("006", 12 * size), "account": np.tile(accounts["id"], 12)}).assign(
        owner=lambda frame: frame["account"].map(accounts.set_index("id")["owner"]),
        stage=rng.choice(["open", "won", "lost"], 12 * size),
        created=pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900, 12 * size), unit="D"),
        amount=rng.integers(1000, 90_000, 12 * size) + 0.25,
    )
    deals["closed"] = deals["created"] + pd.to_timedelta(rng.integers(5, 90, 12 * size), unit="D")
    lines = pd.DataFrame({"id": ids("00k", 12 * size), "deal": deals["id"], "quantity": 2.0, "total": deals["amount"]})
    return Company(accounts, deals, lines.assign(product=rng.choice(ids("01t", 3), len(lines))), reps, territories)


def salesforce(firm: Company, *, labels: bool = False) -> Exports:
    """Write as Data Loader does (API names, 18-character ids), or as a report does (labels, 15 characters, names)."""
    accounts, deals, lines, reps, territories = firm.accounts, firm.deals, firm.lines, firm.reps, firm.territories
    territory = dict(zip(territories["name"], territories["id"], strict=True))
    stage = {"open": "Negotiation/Review", "won": "Closed Won", "lost": "Closed Lost"}
    staffed = reps[reps["territory"] != ""]
    tables = {
        "Account": {
            "Id/Account ID": accounts["id"],
            "Name/Account Name": accounts["name"],
            "ParentId/Parent Account ID": accounts["parent"],
            "NaicsCode/NAICS Code": "423610",
            "NumberOfEmployees/Employees": accounts["employees"],
            "AnnualRevenue/Annual Revenue": accounts["revenue"],
            "BillingCity/Billing City": accounts["city"],
            "BillingState/Billing State/Province": accounts["state"],
            "BillingPostalCode/Billing Zip/Postal Code": accounts["postcode"],
            "BillingCountry/Billing Country": "United States",
            "BillingLongitude/Billing Longitude": accounts["lon"],
            "BillingLatitude/Billing Latitude": accounts["lat"],
            "OwnerId/Account Owner": _named(accounts["owner"], reps, labels),
            "CreatedDate/Created Date": _moment(accounts["created"], "%Y-%m-%dT%H:%M:%S.000+0000", "%m/%d/%Y", labels),
        },
        "Opportunity": {
            "Id/Opportunity ID": deals["id"],
            "AccountId/Account ID": deals["account"],
            "OwnerId/Opportunity Owner": _named(deals["owner"], reps, labels),
            "StageName/Stage": deals["stage"].map(stage),
            "Amount/Amount": deals["amount"],
            "CreatedDate/Created Date": _moment(deals["created"], "%Y-%m-%dT%H:%M:%S.000Z", "%m/%d/%Y", labels),
            "CloseDate/Close Date": _moment(deals["closed"], "%Y-%m-%d", "%m/%d/%Y", labels),
        },
        "OpportunityLineItem": {
            "Id/Line Item ID": lines["id"],
            "OpportunityId/Opportunity ID": lines["deal"],
            "Product2Id/Product ID": lines["product"],
            "Quantity/Quantity": lines["quantity"],
            "TotalPrice/Total Price": lines["total"],
        },
        "User": {
            "Id/User ID": reps["id"],
            "FirstName/First Name": reps["first"],
            "LastName/Last Name": reps["last"],
            "Email/Email": reps["email"],
            "ManagerId/Manager ID": reps["manager"],
            "PostalCode/Zip/Postal Code": reps["postcode"],
        },
        "Territory2": {
            "Id/Territory ID": territories["id"],
            "Name/Territory Label": territories["name"],
            "DeveloperName/Developer Name": [f"Today_{number}" for number in range(len(territories))],
            "Territory2ModelId/Territory Model ID": "0MA000000000001AAA",
            "Territory2TypeId/Territory Type ID": "0M5000000000001AAA",
            "ParentTerritory2Id/Parent Territory ID": "",
        },
        "UserTerritory2Association": {
            "Id/User Territory Association ID": _ids("salesforce")("0S7", len(staffed)),
            "UserId/User ID": staffed["id"],
            "Territory2Id/Territory ID": staffed["territory"].map(territory),
            "RoleInTerritory2/Role in Territory": "Sales Rep",
        },
        "ObjectTerritory2Association": {
            "Id/Object Territory Association ID": _ids("salesforce")("0TU", len(accounts)),
            "ObjectId/Object ID": accounts["id"],
            "Territory2Id/Territory ID": accounts["territory"].map(territory),
            "AssociationCause/Method": "Territory2Manual",
        },
    }
    frames = _headed(tables, labels)
    short = {name: frame.map(lambda cell: cell[:15] if _is_id(cell) else cell) for name, frame in frames.items()}
    return short if labels else frames


def hubspot(firm: Company, *, labels: bool = False) -> Exports:
    """Write as the interface does (internal names, milliseconds), or as the portal's own export (labels)."""
    accounts, deals, reps = firm.accounts, firm.deals, firm.reps
    stage = {
        "open": "Appointment scheduled" if labels else "appointmentscheduled",
        "won": "Closed won" if labels else "closedwon",
        "lost": "Closed lost" if labels else "closedlost",
    }
    tables = {
        "hubspot-crm-exports-all-companies-2026-11-25": {
            "hs_object_id/Record ID": accounts["id"],
            "name/Company name": accounts["name"],
            "hubspot_owner_id/Company owner": _named(accounts["owner"], reps, labels),
            "city/City": accounts["city"],
            "state/State/Region": accounts["state"],
            "zip/Postal Code": accounts["postcode"],
            "country/Country/Region": "United States",
            "numberofemployees/Number of Employees": accounts["employees"],
            "annualrevenue/Annual Revenue": accounts["revenue"],
            "hs_parent_company_id/Parent Company ID": accounts["parent"],
            "createdate/Create Date": _moment(accounts["created"], "ms", "%Y-%m-%d %H:%M", labels),
        },
        "hubspot-crm-exports-all-deals-2026-11-25": {
            "hs_object_id/Record ID": deals["id"],
            "dealname/Deal Name": "Deal",
            "dealstage/Deal Stage": deals["stage"].map(stage),
            "hubspot_owner_id/Deal owner": _named(deals["owner"], reps, labels),
            "amount/Amount": deals["amount"],
            "createdate/Create Date": _moment(deals["created"], "ms", "%Y-%m-%d %H:%M", labels),
            "closedate/Close Date": _moment(deals["closed"], "ms", "%Y-%m-%d %H:%M", labels),
            "associatedcompanyid/Associated Company IDs": deals["account"] + (";99999" if labels else ""),
        },
        "owners": {
            "id/Owner ID": reps["id"],
            "firstName/First name": reps["first"],
            "lastName/Last name": reps["last"],
            "email/Email": reps["email"],
        },
    }
    return _headed(tables, labels)


def dynamics(firm: Company, *, labels: bool = False) -> Exports:
    """Write as the Web API does (logical names, ids), or as Export to Excel does (labels, names for what is linked)."""
    accounts, deals, reps, territories = firm.accounts, firm.deals, firm.reps, firm.territories
    territory = dict(zip(territories["name"], territories["id"], strict=True))
    area = accounts["territory"] if labels else accounts["territory"].map(territory)
    state = {"open": "Open" if labels else "0", "won": "Won" if labels else "1", "lost": "Lost" if labels else "2"}
    firms = dict(zip(accounts["id"], accounts["name"], strict=True))
    tables = {
        "accounts": {
            "accountid/(Do Not Modify) Account": accounts["id"],
            "name/Account Name": accounts["name"],
            "_parentaccountid_value/Parent Account": accounts["parent"].map(firms) if labels else accounts["parent"],
            "numberofemployees/Number of Employees": accounts["employees"],
            "revenue/Annual Revenue": accounts["revenue"],
            "address1_postalcode/Address 1: ZIP/Postal Code": accounts["postcode"],
            "address1_city/Address 1: City": accounts["city"],
            "address1_stateorprovince/Address 1: State/Province": accounts["state"],
            "address1_country/Address 1: Country/Region": "US",
            "_ownerid_value/Owner": _named(accounts["owner"], reps, labels),
            "_territoryid_value/Territory": area,
            "createdon/Created On": _moment(accounts["created"], "%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M", labels),
        },
        "opportunities": {
            "opportunityid/(Do Not Modify) Opportunity": deals["id"],
            "_parentaccountid_value/Account": deals["account"].map(firms) if labels else deals["account"],
            "_ownerid_value/Owner": _named(deals["owner"], reps, labels),
            "statecode/Status": deals["stage"].map(state),
            "createdon/Created On": _moment(deals["created"], "%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M", labels),
            "actualclosedate/Actual Close Date": _moment(deals["closed"], "%Y-%m-%d", "%d/%m/%Y", labels),
            "estimatedvalue/Est. revenue": deals["amount"],
        },
        "systemusers": {
            "systemuserid/(Do Not Modify) User": reps["id"],
            "fullname/Full Name": reps["first"] + " " + reps["last"],
            "internalemailaddress/Primary Email": reps["email"],
            "address1_postalcode/ZIP/Postal Code": reps["postcode"],
            "_territoryid_value/Territory": reps["territory"] if labels else reps["territory"].map(territory),
        },
        "territories": {
            "territoryid/(Do Not Modify) Territory": territories["id"],
            "name/Territory Name": territories["name"],
        },
    }
    return _headed(tables, labels)


WRITERS = {"salesforce": salesforce, "hubspot": hubspot, "dynamics": dynamics}


def write(exports: Exports, folder: Path, *, encoding: str = "utf-8", sep: str = ",") -> Path:
    """Write each table as a CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in exports.items():
        frame.to_csv(folder / f"{name}.csv", index=False, encoding=encoding, sep=sep)
    return folder


def _ids(crm: str):
    """Make ids as each CRM does."""

    def make(prefix: str, count: int) -> list[str]:
        if crm == "salesforce":
            return [long_id(f"{prefix}Ab000000{number:04d}") for number in range(count)]
        if crm == "hubspot":
            return [str(int(prefix, 36) * 10**4 + number) for number in range(count)]
        return [f"{int(prefix, 36):08x}-0000-4000-8000-{number:012x}" for number in range(count)]

    return make


def long_id(short: str) -> str:
    """Complete 15 characters by the published rule, bit by bit: the first of five letters is the lowest bit."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    bits = ["".join("01"["A" <= letter <= "Z"] for letter in short[at : at + 5])[::-1] for at in (0, 5, 10)]
    return short + "".join(alphabet[int(part, 2)] for part in bits)


def _is_id(cell: object) -> bool:
    return isinstance(cell, str) and len(cell) == 18 and cell.isalnum() and cell[:1] == "0"


def _headed(tables: dict[str, dict[str, object]], labels: bool) -> Exports:
    """Keep the API name or the label of each column."""
    frames = {}
    for name, columns in tables.items():
        headed = {key.split("/", 1)[labels]: values for key, values in columns.items()}
        frames[name] = pd.DataFrame(headed).fillna("").astype("str")
    return frames


def _named(owner: pd.Series, reps: pd.DataFrame, labels: bool) -> pd.Series:
    return owner.map(dict(zip(reps["id"], reps["first"] + " " + reps["last"], strict=True))) if labels else owner


def _moment(date: pd.Series, api: str, label: str, labels: bool) -> pd.Series:
    if api == "ms" and not labels:
        return (date - pd.Timestamp(0)).dt.total_seconds().mul(1000).astype("int64").astype("str")
    return date.dt.strftime(label if labels else api)
