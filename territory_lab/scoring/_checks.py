"""What would make a score wrong in silence, named before anything is computed."""

from collections.abc import Sequence

import pandas as pd

from territory_lab.errors import Fault
from territory_lab.schema import SECTORS

_NEVER_BELOW_ZERO = ("employees", "revenue", "density", "median_income")


def account_faults(accounts: pd.DataFrame, traits: Sequence[str]) -> list[Fault]:
    """Find missing traits, accounts that stand twice, numbers below 0 and unknown sectors."""
    faults = [
        Fault("accounts", trait, "", "the trait is missing", "join it to the accounts, or leave it out")
        for trait in traits
        if trait not in accounts
    ]
    if accounts.empty:
        faults.append(Fault("accounts", "", "", "there are no accounts", "give at least two"))
    twice = accounts.index[accounts.index.duplicated()].unique()
    faults += [Fault("accounts", "account_id", str(one), "stands in more than one row", "keep one") for one in twice]
    for column in (one for one in _NEVER_BELOW_ZERO if one in traits and one in accounts):
        below = accounts.loc[(accounts[column] < 0).to_numpy(), column]
        faults += [
            Fault("accounts", column, str(one), f"{value} is below 0", "correct or empty it")
            for one, value in below.items()
        ]
    if "sector" in traits and "sector" in accounts:
        unknown = accounts.loc[(accounts["sector"].notna() & ~accounts["sector"].isin(SECTORS)).to_numpy(), "sector"]
        mend = "use a two-digit NAICS sector, such as 31-33"
        faults += [
            Fault("accounts", "sector", str(one), f"{code!r} is no sector", mend) for one, code in unknown.items()
        ]
    return faults


def won_faults(accounts: pd.DataFrame, won: pd.Series) -> list[Fault]:
    """Find what would make a fit say something about other accounts."""
    strangers = won.index.difference(accounts.index)
    faults = [
        Fault("won", "account_id", str(one), "is not among the accounts", "add the account, or leave it out")
        for one in strangers
    ]
    if won.isna().any() or not set(won.dropna().unique()) <= {0, 1}:
        faults.append(
            Fault("won", "", "", "holds other values than true and false", "say for each account whether won")
        )
    elif not 0 < won[won.index.isin(accounts.index)].astype(bool).sum() < len(accounts):
        faults.append(Fault("won", "", "", "all or none of the accounts were won", "give both, or state the weights"))
    return faults
