"""What a company's own books say about its market: contract values, each with its error, and who fits."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from territory_lab.market._rates import HALF_80

_ENOUGH = 30  # customers with known size, below which spend is not scaled by size
_TINY = 1e-12


class ContractValues(NamedTuple):
    """What a customer of a common size spends a year, by sector."""

    table: pd.DataFrame  # by sector: customers, contract_value (money a year), low, high (80 %), error (of its log)
    employees: float  # the common size: mean employees of the customers; missing where unknown
    size_exponent: float  # spend grows with employees to this power; 0 where size is unknown
    size_error: float  # standard error of the power


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


def expected_spend(accounts: pd.DataFrame, probability: pd.Series, values: ContractValues) -> pd.Series:
    """
    Say what accounts would spend by their sector and size alone, whatever they spend today.

    Parameters
    ----------
    accounts : DataFrame
        By account_id: sector, employees where known.
    probability : Series
        That an account buys, by account_id, as :meth:`IdealCustomerProfile.probability` gives it.
    values : ContractValues
        From :func:`contract_values`.

    Returns
    -------
    Series
        ``expected_spend`` by account_id, money a year; 0 in sectors without customers.
    """
    value = accounts["sector"].map(values.table["contract_value"]).fillna(0.0)
    if values.size_exponent and "employees" in accounts:
        size = (accounts["employees"].clip(lower=1) / values.employees) ** values.size_exponent
        value = value * size.fillna(1.0)
    return (value * probability.reindex(accounts.index)).rename("expected_spend")


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
