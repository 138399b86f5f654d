"""The sample company as a real export has it: text, with faults planted in known rows."""

import numpy as np
import pandas as pd

Faults = list[dict[str, str]]
_EACH = 4  # faults of a kind


def messy(tables: dict[str, pd.DataFrame], seed: int = 0) -> tuple[dict[str, pd.DataFrame], Faults]:
    """
    Spoil a clean company in the ways exports are spoilt.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As ``company`` gives them; units and calls are left out.
    seed : int
        Chooses the rows.

    Returns
    -------
    tables : dict of str to DataFrame of str
        As a CSV would hold them; empty text for what is missing.
    faults : list of dict
        table, column, row (its key) and kind of each planted fault: zip_lost_zero, near_duplicate, orphan_owner,
        impossible_coordinates, mixed_date, currency_symbol, parent_loop, formula_name, markup_name.
    """
    rng = np.random.default_rng(seed)
    spoilt = {name: _as_text(frame) for name, frame in tables.items() if name not in ("units", "calls")}
    accounts = spoilt["accounts"]
    single = ~accounts["account_id"].isin(accounts["parent_id"]) & (accounts["parent_id"] == "")
    zero = np.flatnonzero(accounts["postcode"].str.startswith("0") & single)
    shortened = rng.choice(zero, _EACH, replace=False)
    free = np.setdiff1d(np.flatnonzero(single), shortened)
    owner, place, date, symbol, formula, markup, twin, loop = rng.choice(free, (8, _EACH), replace=False)
    found: Faults = []

    def spoil(column: str, rows: np.ndarray, values: list[str], kind: str, table: str = "accounts") -> None:
        """Write the values into the rows and remember them."""
        frame = spoilt[table]
        frame.loc[rows, column] = values
        found.extend({"table": table, "column": column, "row": key, "kind": kind} for key in frame.iloc[rows, 0])

    spoil("postcode", shortened, [code.lstrip("0") for code in accounts["postcode"].take(shortened)], "zip_lost_zero")
    spoil("owner_id", owner, ["R77", "R98", "jsmith", "R00"], "orphan_owner")
    spoil("created_date", date, _reworded(accounts["created_date"].take(date)), "mixed_date")
    spoil("revenue", symbol, ["$1,234,000", "$950,000.00", "USD 410000", "€2.100.000"], "currency_symbol")
    spoil("name", formula, ["=SUM(A1:A9)", "+1 Supply", "=2+5 Trading", "@Harbor Services"], "formula_name")
    names = accounts["name"].take(markup)
    tags = ["<b>{}</b>", "<script>alert(1)</script>{}", "{}<br>", "<img src=x onerror=alert(1)>{}"]
    spoil("name", markup, [tag.format(name) for tag, name in zip(tags, names, strict=True)], "markup_name")
    accounts.loc[place, "lon"] = ["0", "-93.6", "83.04", "-75.1"]
    spoil("lat", place, ["0", "95.2", "42.33", "-39.9"], "impossible_coordinates")
    spoil("parent_id", loop, accounts["account_id"].take(loop[[1, 0, 3, 2]]).tolist(), "parent_loop")

    orders = spoilt["orders"]
    rows = rng.choice(len(orders), (2, _EACH), replace=False)
    spoil("order_date", rows[0], _reworded(orders["order_date"].take(rows[0])), "mixed_date", "orders")
    dear = [f"${float(amount):,.2f}" for amount in orders["amount"].take(rows[1])]
    spoil("amount", rows[1], dear, "currency_symbol", "orders")

    copies = _twins(accounts.take(twin), len(accounts))
    found += [
        {"table": "accounts", "column": "name", "row": key, "kind": "near_duplicate"} for key in copies["account_id"]
    ]
    spoilt["accounts"] = pd.concat([accounts, copies], ignore_index=True)
    return spoilt, found


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write every value as an export does: ISO dates, whole numbers without a point, nothing for what is missing."""
    text = {}
    for column, values in frame.items():
        if pd.api.types.is_datetime64_any_dtype(values):
            text[column] = values.dt.strftime("%Y-%m-%d")
        elif pd.api.types.is_numeric_dtype(values):
            text[column] = values.map("{:.10g}".format, na_action="ignore").astype("str")
        else:
            text[column] = values.astype("str")
    return pd.DataFrame(text).fillna("")


def _reworded(dates: pd.Series) -> list[str]:
    """Write dates as people do."""
    ways = ["%d/%m/%Y", "%B %d, %Y", "%m-%d-%y", "%d.%m.%Y"]
    return [pd.Timestamp(date).strftime(way) for date, way in zip(dates, ways, strict=True)]


def _twins(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Enter firms a second time: in capitals, with another legal form, with a letter dropped or doubled."""
    names = rows["name"].tolist()
    again = [names[0].upper(), names[1] + ", Incorporated", names[2][:2] + names[2][3:], names[3][:3] + names[3][2:]]
    keys = [f"A{count + 1 + place}" for place in range(len(rows))]
    return rows.assign(account_id=keys, name=again, parent_id="")
