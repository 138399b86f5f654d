"""What each cell of the market rests on: establishments, contract value, fit, win rate, and what is held there."""

import numpy as np
import pandas as pd

from territory_lab.errors import Fault
from territory_lab.market._rates import Stated, by_group, pooled_rates
from territory_lab.market.estimates import ContractValues
from territory_lab.schema import SECTORS

KEYS = ["area_id", "area", "sector", "sector_name", "employees", "establishments"]
INPUTS = [
    "establishments_low",
    "establishments_high",
    "contract_value",
    "contract_error",
    "need_share",
    "fit_share",
    "fit_strength",
    "reach_share",
    "win_rate",
    "win_strength",
    "held",
    "workable_share",
]


def served(reference: pd.DataFrame, customers: pd.DataFrame, values: ContractValues) -> pd.DataFrame:
    """Keep the sectors that the company serves, with the price of each cell at its size and what is held in it."""
    cells = reference.reset_index(drop=True).copy()
    for name, key in (("area", "area_id"), ("sector_name", "sector")):
        cells[name] = cells[name].fillna(cells[key]) if name in cells else cells[key]
    for end in ("establishments_low", "establishments_high"):
        cells[end] = cells[end].fillna(cells["establishments"]) if end in cells else cells["establishments"]
    cells = cells[cells["sector"].isin(values.table.index[values.table["contract_value"] > 0])].reset_index(drop=True)
    value, error = (cells["sector"].map(values.table[one]) for one in ("contract_value", "error"))
    size = cells["employees"] / cells["establishments"] / values.employees
    ratio = np.log(size.where(size > 0).fillna(1.0))
    cells["contract_value"] = value * np.exp(values.size_exponent * ratio)
    cells["contract_error"] = np.hypot(error, values.size_error * ratio)
    if not {"area_id", "spend"} <= set(customers) or customers.empty:
        return cells.assign(held=0.0)
    held = customers.groupby(["area_id", "sector"])["spend"].sum()
    return cells.assign(
        held=held.reindex(pd.MultiIndex.from_frame(cells[["area_id", "sector"]])).fillna(0.0).to_numpy()
    )


def stated_values(value: Stated, sectors: pd.Index) -> ContractValues:
    """Take contract values as stated, without error; 0 for a sector that has none."""
    stated = by_group(value, sectors)
    table = pd.DataFrame({"customers": 0, "contract_value": stated, "low": stated, "high": stated})
    return ContractValues(table.assign(error=0.0), np.nan, 0.0, 0.0)


def fit_rates(accounts: pd.DataFrame, sectors: pd.Index, size_exponent: float) -> pd.DataFrame:
    """
    Estimate the share of each sector's value that fits, as rate and strength.

    Accounts count by employees to the power by which spend grows with size; ``fit`` may be a probability.
    """
    size = accounts["employees"].clip(lower=1).fillna(1.0) if "employees" in accounts else 1.0
    weight = pd.Series(size**size_exponent, accounts.index)
    sums = (
        pd.DataFrame({"w": weight, "w2": weight**2, "fit": weight * accounts["fit"]}).groupby(accounts["sector"]).sum()
    )
    sums = sums.reindex(sectors).fillna(0.0)
    worth = (sums["w"] ** 2 / sums["w2"]).fillna(0.0)
    return pooled_rates((sums["fit"] / sums["w"]).fillna(0.0) * worth, worth)


def win_rates(opportunities: pd.DataFrame, accounts: pd.DataFrame, sectors: pd.Index) -> pd.DataFrame:
    """Estimate the share of decided opportunities that was won, by sector, as rate and strength."""
    decided = opportunities[opportunities["stage"] != "open"]
    won = (decided["stage"] == "won").groupby(decided["account_id"].map(accounts["sector"]))
    return pooled_rates(*(counts.reindex(sectors).fillna(0.0) for counts in (won.sum(), won.count())))


def worked(opportunities: pd.DataFrame) -> float:
    """
    Count the opportunities won and lost in the 365 days up to the last decision.

    Parameters
    ----------
    opportunities : DataFrame
        stage (open, won or lost) and close_date.

    Returns
    -------
    float
        What a team can pursue in a year.
    """
    closed = opportunities.loc[opportunities["stage"] != "open", "close_date"]
    return float((closed > closed.max() - pd.Timedelta(days=365)).sum())


def rates(cells: pd.DataFrame, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Lay a rate by sector beside the cells as ``name``, its strength as the first word and ``_strength``."""
    strength = name.split("_", maxsplit=1)[0] + "_strength"
    return cells.assign(**{name: cells["sector"].map(table["rate"]), strength: cells["sector"].map(table["strength"])})


def reference_faults(reference: pd.DataFrame) -> list[Fault]:
    """Find missing columns, cells that stand twice, unknown sectors, bad counts and intervals turned round."""
    needed = ["area_id", "sector", "employees", "establishments", "source"]
    faults = [
        Fault("market", one, "", "the column is missing", "add it") for one in needed if one not in reference.columns
    ]
    if faults:
        return faults
    cell = reference["area_id"].astype("str") + " / " + reference["sector"].astype("str")
    twice = cell[cell.duplicated()].unique()
    faults += [Fault("market", "area_id", one, "stands in more than one row", "add the rows up") for one in twice]
    unknown = reference.loc[~reference["sector"].isin(SECTORS), "sector"].unique()
    mend = "use two-digit NAICS sectors such as 31-33; leave totals (00, 31, ...) out"
    faults += [Fault("market", "sector", str(one), "is no sector", mend) for one in unknown]
    for column in ("employees", "establishments"):
        bad = cell[~(reference[column] >= 0)]
        faults += [
            Fault("market", column, one, "is missing or below 0", "estimate or leave the cell out") for one in bad
        ]
    if {"establishments_low", "establishments_high"} <= set(reference):
        turned = cell[reference["establishments_low"] > reference["establishments_high"]]
        faults += [
            Fault("market", "establishments_low", one, "lies above establishments_high", "swap them") for one in turned
        ]
    return faults


def account_faults(accounts: pd.DataFrame, priced: bool, fitting: bool, winning: bool) -> list[Fault]:
    """Find what the accounts lack for the figures that are neither stated nor to be had elsewhere."""
    faults = []
    if "sector" not in accounts:
        faults.append(Fault("accounts", "sector", "", "the column is missing", "add it; the market is cut by sector"))
    if not priced and not ("spend" in accounts and (accounts["spend"] > 0).any()):
        faults.append(
            Fault("accounts", "spend", "", "nobody has spent", "join the year's orders or state contract_value")
        )
    if not fitting and "fit" not in accounts:
        faults.append(Fault("accounts", "fit", "", "the column is missing", "add serviceable(...) or state fit_share"))
    if not winning:
        faults.append(Fault("opportunities", "", "", "no win rate can be estimated", "give them, or state win_rate"))
    for column in ("spend", "employees"):
        if column in accounts:
            below = accounts.index[accounts[column] < 0]
            faults += [
                Fault("accounts", column, str(one), f"{accounts.loc[one, column]} is below 0", "correct or empty it")
                for one in below
            ]
    return faults
