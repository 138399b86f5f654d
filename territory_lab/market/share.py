"""How much of the market is ours: penetration, white space, concentration, and a second opinion on its size."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import beta

from territory_lab.market._rates import Stated, by_group
from territory_lab.market.size import market_by

_TAILS = (0.1, 0.9)
_CLOSE = 2.0  # two ways to the same figure within this factor still tell the same story


def penetration(market: pd.DataFrame, accounts: pd.DataFrame, by: str = "area_id", *, seed: int = 0) -> pd.DataFrame:
    """
    Say where the company is strong, and where the room is.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`.
    accounts : DataFrame
        By account_id: spend (last 12 months), and the column ``by``.
    by : str
        ``area_id``, ``sector``, or a column that both frames have.
    seed : int
        Of the simulation behind the intervals.

    Returns
    -------
    DataFrame
        By group, most white space first: establishments, customers, customer_share with _low and _high (80 %, share of
        the establishments), sam, held (money a year), held_share with _low and _high (80 %, share of the SAM),
        white_space with _low and _high (SAM less what is held), effective_customers (the number of equal customers
        as concentrated as these: one over the sum of squared shares), largest_share (of the largest customer).
    """
    sized = market_by(market, by, seed=seed)
    customers = accounts[accounts["spend"] > 0]
    spend = customers.groupby(by)["spend"]
    held, largest = spend.sum(), spend.max()
    squares = (customers["spend"] ** 2).groupby(customers[by]).sum()
    table = sized[["establishments"]].copy()
    table["customers"] = spend.count().reindex(table.index).fillna(0)
    others = (table["establishments"] - table["customers"]).clip(lower=0)
    table["customer_share"] = table["customers"] / table["establishments"]
    for end, tail in zip(("low", "high"), _TAILS, strict=True):
        table[f"customer_share_{end}"] = beta.ppf(tail, table["customers"] + 0.5, others + 0.5)  # Jeffreys
    table[["sam", "held"]] = sized[["sam", "held"]]
    for name, sam in (("", "sam"), ("_low", "sam_high"), ("_high", "sam_low")):
        table[f"held_share{name}"] = (sized["held"] / sized[sam]).where(sized[sam] > 0)
    for name in ("", "_low", "_high"):
        table[f"white_space{name}"] = sized[f"sam{name}"] - sized["held"]
    table["effective_customers"] = (held**2 / squares).reindex(table.index)
    table["largest_share"] = (largest / held).reindex(table.index)
    return table.sort_values("white_space", ascending=False, kind="stable")


def cross_check(market: pd.DataFrame, accounts: pd.DataFrame, stated: Stated | None = None) -> pd.DataFrame:
    """
    Come to the TAM from the top, and compare.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`: its TAM comes from establishments.
    accounts : DataFrame
        By account_id: sector, spend, employees; customers' spend per employee times all employees is the second way.
    stated : float or by sector, optional
        A figure from elsewhere (an industry report, imports plus production), money a year, in place of that.

    Returns
    -------
    DataFrame
        By sector, largest first: bottom_up with low and high (80 %), top_down, ratio (top_down over bottom_up) and
        verdict (``agrees`` inside the interval, ``close`` within a factor of two, else ``differs``).
    """
    sized = market_by(market, "sector")
    if stated is None:
        known = accounts[(accounts["spend"] > 0) & (accounts["employees"] > 0)].groupby("sector")
        per_employee = known["spend"].sum() / known["employees"].sum()
        needed = (market["employees"] * market["need_share"]).groupby(market["sector"]).sum()
        top_down = (per_employee * needed).reindex(sized.index)
    else:
        top_down = by_group(stated, sized.index)
    table = pd.DataFrame(
        {"bottom_up": sized["tam"], "low": sized["tam_low"], "high": sized["tam_high"], "top_down": top_down}
    )
    ratio = table["top_down"] / table["bottom_up"]
    inside = table["top_down"].between(table["low"], table["high"])
    close = ratio.between(1 / _CLOSE, _CLOSE)
    verdict = np.select([inside, close], ["agrees", "close"], "differs")
    return table.assign(ratio=ratio, verdict=pd.Series(verdict, table.index, dtype="str")).sort_values(
        "bottom_up", ascending=False, kind="stable"
    )


def certainty(market: pd.DataFrame) -> pd.Series:
    """
    Say how well each sector's establishments are known.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`.

    Returns
    -------
    Series of float64
        ``factor`` by sector, the roughest first: the count of a middling cell lies within this factor of its estimate
        (80 %; 1 where it is reported).
    """
    low = market["establishments_low"]
    factor: pd.Series = (market["establishments_high"] / low.where(low > 0)) ** 0.5
    return factor.groupby(market["sector"]).median().sort_values(ascending=False, kind="stable").rename("factor")


def unmatched(market: pd.DataFrame, areas: Iterable[str]) -> pd.DataFrame:
    """
    List the market's areas that no map unit belongs to, and what would be lost with them.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`.
    areas : iterable of str
        The area_id of the map's units.

    Returns
    -------
    DataFrame
        By area_id, largest first: area, sam (money a year), share (of the whole SAM, 0-1).
    """
    sums = market.groupby("area_id").agg(area=("area", "first"), sam=("sam", "sum"))
    sums["share"] = sums["sam"] / sums["sam"].sum()
    return sums[~sums.index.isin(list(areas))].sort_values("sam", ascending=False, kind="stable")
