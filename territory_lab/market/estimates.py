"""What a company's own books say about its market: contract values, fit and win rates, each with its error."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from territory_lab.errors import BadInput, Fault

Stated = float | Mapping[str, float] | pd.Series

HALF_80 = float(norm.ppf(0.9))  # standard errors to either end of an 80 % interval
_ENOUGH = 30  # customers with known size, below which spend is not scaled by size
FIRM = 1e6  # strength of a rate that is stated, not estimated
_MOST_POOLED = 1e4
_TINY = 1e-12


class ContractValues(NamedTuple):
    """
    What a customer of a common size spends a year, by sector.

    Parameters
    ----------
    table : DataFrame
        By sector: customers, contract_value (money a year), low, high (80 %), error (standard error of its logarithm).
    employees : float
        The common size: mean employees of the customers; missing where unknown.
    size_exponent, size_error : float
        Spend grows with employees to this power, and its standard error; 0 where size is unknown.
    """

    table: pd.DataFrame
    employees: float
    size_exponent: float
    size_error: float


def contract_values(customers: pd.DataFrame) -> ContractValues:
    """
    Estimate what a customer of each sector spends a year, small sectors leaning on the whole.

    The value of a sector is spend over size (a ratio estimate), so that sectors with large customers do not look like
    sectors that spend much. Values are pooled on the log scale (DerSimonian and Laird 1986); the error of each comes
    from the relative spread of spend within all sectors, since that within a sector of three customers is not known.

    Parameters
    ----------
    customers : DataFrame
        spend (money in the last 12 months, above 0), sector, employees where known.

    Returns
    -------
    ContractValues
        By sector, with the power by which spend grows with size (least squares of log spend on log employees within
        sectors, held between 0 and 1).
    """
    exponent, exponent_error, employees = 0.0, 0.0, np.nan
    size = pd.Series(1.0, customers.index)
    if "employees" in customers and (known := customers["employees"] > 0).sum() >= _ENOUGH:
        sized = customers[known]
        employees = float(sized["employees"].mean())
        exponent, exponent_error = _size_exponent(sized)
        size[known] = sized["employees"] ** exponent
        size = size / size[known].mean()
        size[~known] = 1.0
    sums = pd.DataFrame({"spend": customers["spend"], "size": size, "square": size**2})
    sums = sums.groupby(customers["sector"]).sum()
    value = sums["spend"] / sums["size"]
    spread = customers["spend"] / (size * customers["sector"].map(value)) - 1
    left = len(spread) - len(value)  # with one customer a sector the spread is not known and taken as 1
    variance = float((spread**2).sum()) / left if left > 0 else 1.0
    centre, error = _pool(value.map(np.log), variance * sums["square"] / sums["size"] ** 2 + _TINY)
    ends = {end: np.exp(centre + sign * HALF_80 * error) for end, sign in (("low", -1), ("high", 1))}
    count = customers.groupby("sector")["spend"].count()
    table = pd.DataFrame({"customers": count, "contract_value": np.exp(centre), **ends, "error": error})
    return ContractValues(table, employees, exponent, exponent_error)


def stated_values(value: Stated, sectors: pd.Index) -> ContractValues:
    """
    Take contract values as stated, without error.

    Parameters
    ----------
    value : float, mapping or Series
        Money a year for all sectors, or by sector.
    sectors : Index
        The sectors wanted.

    Returns
    -------
    ContractValues
        By sector; 0 where none is stated.
    """
    stated = by_group(value, sectors)
    table = pd.DataFrame({"customers": 0, "contract_value": stated, "low": stated, "high": stated})
    return ContractValues(table.assign(error=0.0), np.nan, 0.0, 0.0)


def _pool(value: pd.Series, variance: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Shrink means towards their weighted mean by as much as their own errors explain their spread."""
    weight = 1 / variance
    middle = (weight * value).sum() / weight.sum()
    excess = (weight * (value - middle) ** 2).sum() - (len(value) - 1)
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(0.0, excess / scale) if len(value) > 1 else np.inf
    own = between / (between + variance) if np.isfinite(between) else value * 0 + 1
    overall = 1 / (1 / (between + variance)).sum() if np.isfinite(between) else 0.0
    return own * value + (1 - own) * middle, (own * variance + (1 - own) ** 2 * overall) ** 0.5


def _size_exponent(sized: pd.DataFrame) -> tuple[float, float]:
    """Regress log spend on log employees within sectors; a power between 0 and 1."""
    y, x = np.log(sized["spend"]), np.log(sized["employees"])
    y, x = (one - one.groupby(sized["sector"]).transform("mean") for one in (y, x))
    squares = float((x**2).sum())
    if squares == 0:
        return 0.0, 0.0
    slope = float((x * y).sum()) / squares
    left = max(len(sized) - sized["sector"].nunique() - 1, 1)
    return float(np.clip(slope, 0, 1)), float(np.sqrt(((y - slope * x) ** 2).sum() / left / squares))


def pooled_rates(successes: pd.Series, trials: pd.Series) -> pd.DataFrame:
    """
    Estimate a rate for each group, small groups leaning on the whole.

    Parameters
    ----------
    successes, trials : Series
        By group; trials above 0 somewhere.

    Returns
    -------
    DataFrame
        By group: rate, and strength, the trials it is worth (own trials plus those lent by the whole): the rate is
        Beta distributed with parameters rate x strength and (1 - rate) x strength. What is lent follows from the
        spread between groups by moments (Kleinman 1973).
    """
    known = trials > 0
    k, n = successes[known].astype("float64"), trials[known].astype("float64")
    mean = (k.sum() + 0.5) / (n.sum() + 1)
    noise = mean * (1 - mean)
    scale = n.sum() - (n**2).sum() / n.sum()
    excess = float((n * (k / n - mean) ** 2).sum() - (len(n) - 1) * noise)
    between = excess / scale if scale > 0 else 0.0
    lent = float(np.clip(noise / between - 1, 1, _MOST_POOLED)) if between > 0 else _MOST_POOLED
    strength = trials + min(lent, float(n.sum()) + 1)
    rate = (successes + mean * (strength - trials)) / strength
    return pd.DataFrame({"rate": rate, "strength": strength})


def stated_rates(value: Stated, groups: pd.Index) -> pd.DataFrame:
    """
    Take rates as stated, without error.

    Parameters
    ----------
    value : float, mapping or Series
        One share for all, or a share by group; groups that it does not name have 0.
    groups : Index
        The groups wanted.

    Returns
    -------
    DataFrame
        By group: rate, strength.

    Raises
    ------
    BadInput
        Where a share is not between 0 and 1.
    """
    rate = by_group(value, groups)
    wrong = rate.index[~rate.between(0, 1)]
    if len(wrong):
        raise BadInput(
            Fault("settings", "", str(one), f"{rate[one]} is no share", "state it between 0 and 1") for one in wrong
        )
    return pd.DataFrame({"rate": rate, "strength": FIRM})


def by_group(value: Stated, groups: pd.Index) -> pd.Series:
    """
    Spread a stated number over groups.

    Parameters
    ----------
    value : float, mapping or Series
        One number for all, or one by group.
    groups : Index
        The groups wanted.

    Returns
    -------
    Series of float64
        By group; 0 for groups that are not named.
    """
    if isinstance(value, int | float):
        return pd.Series(float(value), groups)
    return pd.Series(dict(value), dtype="float64").reindex(groups).fillna(0.0)


def serviceable(probability: pd.Series, customer: pd.Series, share: float = 0.8) -> pd.Series:
    """
    Find the accounts that fit as well as most of today's customers.

    Parameters
    ----------
    probability : Series of float64
        By account_id, from the ideal customer profile.
    customer : Series of bool
        By account_id.
    share : float
        Of the customers whose fit sets the limit: with .8, an account fits if it scores above the weakest fifth.

    Returns
    -------
    Series of bool
        ``fit`` by account_id.
    """
    buying = customer.reindex(probability.index, fill_value=False).to_numpy(bool)
    return (probability >= probability[buying].quantile(1 - share)).rename("fit")
