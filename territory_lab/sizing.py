"""How many territories pay: break-even of one more rep, and the sweep over sizes."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.response import BAND, SalesResponse, triangular


def break_even(sales_added: float, rep_cost: float, margin_share: float, carryover: Iterable[float] = ()) -> pd.Series:
    """
    Return whether one more rep pays, in the first year and with what carries over.

    Zoltners, Sinha and Lorimer (2006, Harvard Business Review 84:7), who find forces rightly sized at returns of
    50 % to 150 % over three years.

    Parameters
    ----------
    sales_added : float
        Money a year that the rep adds.
    rep_cost : float
        Money a year that the rep costs.
    margin_share : float
        Gross margin as a share of sales.
    carryover : iterable of float, default none
        Share of the added sales that comes again in the second, third, ... year without effort.

    Returns
    -------
    Series
        ``break_even_sales`` (money), ``break_even_ratio`` (1 pays back in the first year), ``return_share`` (profit
        over all years as a share of the cost).
    """
    margin = margin_share * sales_added
    gained = margin * (1 + sum(carryover))
    return pd.Series(
        {
            "break_even_sales": rep_cost / margin_share,
            "break_even_ratio": margin / rep_cost,
            "return_share": gained / rep_cost - 1,
        }
    )


def sweep(
    response: SalesResponse,
    sizes: Iterable[int],
    *,
    sales: float,
    territories: int,
    rep_cost: float,
    margin_share: float,
    travel_share: float | pd.Series = 0.0,
    draws: int = 1_000,
    seed: int = 0,
) -> pd.DataFrame:
    """
    Sweep the number of territories and say which number earns most.

    Sales grow with total selling time at the response's elasticity. A rep's hours are selling plus travel, and travel
    per selling hour falls with the square root of the number of territories, as distances in smaller territories do.

    Parameters
    ----------
    response : SalesResponse
        Elasticity and its range.
    sizes : iterable of int
        Numbers of territories to try.
    sales : float
        Money sold a year today.
    territories : int
        Number of territories today.
    rep_cost : float
        Money a rep costs a year, all told.
    margin_share : float
        Gross margin as a share of sales.
    travel_share : float or Series, default 0.0
        Share of a rep's hours spent on travel today; or, measured on plans, by number of territories (see
        ``staffing.travel_by_size``), with today's number within its range.
    draws : int, default 1000
        Of the elasticity, for the bands.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    DataFrame
        By ``territories``: ``sales``, ``sales_low``, ``sales_high``, ``cost``, ``profit``, ``profit_low``,
        ``profit_high`` (money a year), ``marginal_return`` (margin that one territory more adds, as a share of its
        cost), ``break_even_sales`` (money one rep must add to pay), ``best_share`` (of draws in which this size earns
        most) and ``verdict`` (undersized, best, oversized).
    """
    count = np.array(sorted(set(sizes)), dtype=float)
    shares = {"margin_share": [margin_share], "travel_share": np.ravel(travel_share).tolist()}
    faults = [
        Fault("settings", name, "", f"{value} is no share", "give 0 to 1")
        for name, values in shares.items()
        for value in values
        if not 0 <= value < 1
    ]
    if not len(count) or count[0] < 1:
        faults.append(Fault("settings", "sizes", "", f"{count.tolist()}", "give numbers of territories from 1 up"))
    if faults:
        raise BadInput(faults)

    def selling(size: np.ndarray) -> np.ndarray:
        if isinstance(travel_share, pd.Series):
            known = travel_share.sort_index()
            road = np.interp(size, known.index.to_numpy(dtype=float), known.to_numpy(dtype=float))
            return np.asarray(size * (1 - road))
        burden = travel_share / (1 - travel_share) * np.sqrt(territories / size)
        return np.asarray(size / (1 + burden))

    def time(size: np.ndarray) -> np.ndarray:
        return np.asarray(selling(size) / selling(np.array([float(territories)])))

    b = response.elasticity
    drawn_b = triangular(np.random.default_rng(seed), (response.low, b, response.high), draws)[:, None]
    drawn_sales = sales * time(count) ** drawn_b
    drawn_profit = margin_share * drawn_sales - rep_cost * count
    expected = sales * time(count) ** b
    profit = margin_share * expected - rep_cost * count
    added = sales * time(count + 1) ** b - expected
    best = count[profit.argmax()]
    table = pd.DataFrame(
        {
            "sales": expected,
            "sales_low": np.quantile(drawn_sales, BAND[0], axis=0),
            "sales_high": np.quantile(drawn_sales, BAND[1], axis=0),
            "cost": rep_cost * count,
            "profit": profit,
            "profit_low": np.quantile(drawn_profit, BAND[0], axis=0),
            "profit_high": np.quantile(drawn_profit, BAND[1], axis=0),
            "marginal_return": margin_share * added / rep_cost,
            "break_even_sales": rep_cost / margin_share,
            "best_share": np.bincount(drawn_profit.argmax(axis=1), minlength=len(count)) / draws,
            "verdict": np.select([count < best, count > best], ["undersized", "oversized"], "best"),
        },
        index=pd.Index(count.astype(int), name="territories"),
    )
    return table.astype({"verdict": "str"})
