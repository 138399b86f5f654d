"""TAM, SAM and SOM from the bottom up: establishments x need x annual contract value, with intervals by simulation."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from territory_lab.errors import BadInput, Fault
from territory_lab.market._cells import (
    INPUTS,
    KEYS,
    account_faults,
    fit_rates,
    rates,
    reference_faults,
    served,
    stated_values,
    win_rates,
    worked,
)
from territory_lab.market._rates import FIRM, HALF_80, Stated, stated_rates
from territory_lab.market.estimates import contract_values

Floats = NDArray[np.float64]

STEPS = ("tam", "sam", "som")
# Share of a cell's error variance that is common to its sector (a wrong national ratio). Against County Business
# Patterns 2018 it is .17 for the shipped estimate (379 metros x 19 sectors); rounded up.
_SHARED = 0.25
_WIDEST = 1.5  # largest standard error of a logarithm taken from an interval
_TAILS = (0.1, 0.9)
_DRAWS = 500


def size_market(
    reference: pd.DataFrame,
    accounts: pd.DataFrame,
    opportunities: pd.DataFrame | None = None,
    *,
    contract_value: Stated | None = None,
    need_share: Stated = 1.0,
    fit_share: Stated | None = None,
    reach_share: Stated = 1.0,
    win_rate: Stated | None = None,
    capacity: float | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """
    Size the market in every area and sector that the company serves.

    TAM is establishments x need x annual contract value; SAM the part of it that fits and is reached; SOM what is held
    today and what the team can win of the rest in a year. The contract value is that of own customers, scaled to the
    size of the cell's establishments. No figure falls below what is sold there already.

    Parameters
    ----------
    reference : DataFrame
        One row for each area and sector: area_id, sector, employees, establishments, source (``estimate`` or
        ``reported``); establishments_low and establishments_high (80 %), area and sector_name where there.
    accounts : DataFrame
        By account_id: sector; spend (money in the last 12 months; missing or 0: no customer), employees, area_id and
        fit where there: the probability that it buys, or whether it fits at all (see :func:`serviceable`).
    opportunities : DataFrame or None
        account_id, stage (open, won or lost) and close_date, for the win rate and the team's capacity.
    contract_value : float or by sector, optional
        Money a year, in place of the one estimated from spend. Sectors without one are not served.
    need_share : float or by sector
        Share of the establishments that need such a product at all.
    fit_share : float or by sector, optional
        Share of the market's value that fits, in place of the one estimated from ``accounts``.
    reach_share : float or by area
        Share of an area that is covered.
    win_rate : float or by sector, optional
        In place of the one estimated from opportunities.
    capacity : float or None
        New establishments that the team can pursue in a year; None: as many as the opportunities decided in the last
        365 days of the data, and no limit without opportunities.
    draws : int
        Simulated markets.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        One row for each area and served sector: area_id, area, sector, sector_name, employees, establishments, tam,
        sam, som with _low and _high (80 %), source; then what they rest on, from which :func:`totals` and
        :func:`market_by` simulate again: establishments_low, establishments_high, contract_value, contract_error,
        need_share, fit_share, fit_strength, reach_share, win_rate, win_strength, held, workable_share.

    Raises
    ------
    BadInput
        With every fault in the reference, the accounts or the settings.
    """
    decided = opportunities is not None and bool((opportunities["stage"] != "open").any())
    faults = reference_faults(reference) + account_faults(
        accounts,
        priced=contract_value is not None,
        fitting=fit_share is not None,
        winning=decided or win_rate is not None,
    )
    if faults:
        raise BadInput(faults)
    customers = accounts[accounts["spend"] > 0] if "spend" in accounts else accounts.iloc[:0]
    values = (
        contract_values(customers)
        if contract_value is None
        else stated_values(contract_value, pd.Index(reference["sector"].unique()))
    )
    cells = served(reference, customers, values)
    areas, sectors = pd.Index(cells["area_id"].unique()), pd.Index(cells["sector"].unique())
    fit = fit_rates(accounts, sectors, values.size_exponent) if fit_share is None else stated_rates(fit_share, sectors)
    if win_rate is None and opportunities is not None:
        win = win_rates(opportunities, accounts, sectors)
    else:
        win = stated_rates(0.0 if win_rate is None else win_rate, sectors)
    if capacity is None and opportunities is not None and decided:
        capacity = worked(opportunities)
    cells = rates(rates(cells, fit, "fit_share"), win, "win_rate")
    cells["need_share"] = cells["sector"].map(stated_rates(need_share, sectors)["rate"])
    cells["reach_share"] = cells["area_id"].map(stated_rates(reach_share, areas)["rate"])
    cells["workable_share"] = 1.0 if capacity is None else min(1.0, capacity / _prospects(cells))
    return _sized(cells, draws, seed)


def assume(
    market: pd.DataFrame,
    *,
    need_share: float | None = None,
    reach_share: float | None = None,
    win_rate: float | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """
    Size the same market under other assumptions, without going back to the accounts.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`.
    need_share, reach_share, win_rate : float or None
        Shares, 0-1, that hold in every cell from now on; None: as they are.
    draws : int
        Simulated markets.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        As :func:`size_market` gives it. The team pursues as many establishments as before.
    """
    shares = {"need_share": need_share, "reach_share": reach_share, "win_rate": win_rate}
    stated = {name: share for name, share in shares.items() if share is not None}
    mend = "give a share between 0 and 1"
    faults = [
        Fault("settings", name, "", f"{share} is no share", mend)
        for name, share in stated.items()
        if not 0 <= share <= 1
    ]
    if faults:
        raise BadInput(faults)
    cells = market.assign(**stated)
    if win_rate is not None:
        cells["win_strength"] = FIRM
    limited = market["workable_share"] < 1
    capacity = market["workable_share"] * _prospects(market)
    cells["workable_share"] = (capacity / _prospects(cells)).clip(upper=1.0).where(limited, 1.0)
    return _sized(cells, draws, seed)


def _prospects(cells: pd.DataFrame) -> float:
    """Count the establishments that need, fit and are reached, and are not held yet; one at least."""
    fitting = cells["establishments"] * cells["need_share"] * cells["fit_share"] * cells["reach_share"]
    return max(float((fitting - cells["held"] / cells["contract_value"]).clip(lower=0).sum()), 1.0)


def _sized(cells: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Size every cell, with intervals by simulation."""
    point, low, high = _point(cells), np.empty((len(cells), 3)), np.empty((len(cells), 3))
    for rows, sizes in _simulate(cells, draws, seed):
        low[rows], high[rows] = np.quantile(sizes, _TAILS, axis=2)
    return pd.concat([cells[KEYS], _framed(point, low, high, cells.index), cells[["source", *INPUTS]]], axis=1)


def totals(market: pd.DataFrame, *, draws: int = _DRAWS, seed: int = 0) -> pd.DataFrame:
    """
    Add the market up.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`, whole or a part of its rows.
    draws : int
        Simulated markets; the interval is that of the sum, which is narrower than the sum of the intervals.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        Indexed by step (TAM, SAM, SOM): value, low, high (80 %), money a year.
    """
    one = market_by(market.assign(all="all"), "all", draws=draws, seed=seed).iloc[0]
    return pd.DataFrame(
        {
            "value": one[list(STEPS)].to_numpy(),
            **{end: [one[f"{step}_{end}"] for step in STEPS] for end in ("low", "high")},
        },
        index=pd.Index([step.upper() for step in STEPS], name="step"),
    )


def market_by(market: pd.DataFrame, by: str, *, draws: int = _DRAWS, seed: int = 0) -> pd.DataFrame:
    """
    Add the market up by area, sector or any other column.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`, with further columns to group by where wanted.
    by : str
        Column whose values are the groups.
    draws : int
        Simulated markets; intervals are those of the sums.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        Indexed by group, largest SAM first: employees, establishments, held, and tam, sam, som with _low and _high
        (80 %), money a year.
    """
    codes, groups = pd.factorize(market[by], sort=True)
    adder = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(len(groups), len(codes)))
    sums = np.zeros((3, len(groups), draws))
    for rows, sizes in _simulate(market, draws, seed):
        for step, values in enumerate(sizes.swapaxes(0, 1)):
            sums[step] += adder[:, rows] @ values
    low, high = np.quantile(sums, _TAILS, axis=2).swapaxes(1, 2)
    index = pd.Index(groups, name=by)
    counts = market.groupby(by)[["employees", "establishments", "held"]].sum().reindex(index)
    sized = _framed(adder @ _point(market), low, high, index)
    return pd.concat([counts, sized], axis=1).sort_values("sam", ascending=False, kind="stable")


def _framed(point: Floats, low: Floats, high: Floats, index: pd.Index) -> pd.DataFrame:
    """Lay sizes out: each step, then its interval, which holds the estimate even where the draws are skew."""
    columns: dict[str, Floats] = {}
    for j, step in enumerate(STEPS):
        ends = np.minimum(low[:, j], point[:, j]), np.maximum(high[:, j], point[:, j])
        columns |= {step: point[:, j], f"{step}_low": ends[0], f"{step}_high": ends[1]}
    return pd.DataFrame(columns, index=index)


def _steps(cells: pd.DataFrame, tam: Floats, fit: Floats, win: Floats) -> Floats:
    """Go from TAM to SAM to SOM, none below what is held; the second axis of the result is the step."""
    held, reach, workable = (_upright(cells, one) for one in ("held", "reach_share", "workable_share"))
    sam = np.maximum(tam * fit * reach, held)
    return np.stack([np.maximum(tam, sam), sam, held + (sam - held) * win * workable], axis=1)


def _point(cells: pd.DataFrame) -> Floats:
    """Size each cell with every input at its estimate; shape (cells, 3)."""
    tam = _upright(cells, "establishments") * _upright(cells, "need_share") * _upright(cells, "contract_value")
    return _steps(cells, tam, _upright(cells, "fit_share"), _upright(cells, "win_rate"))[..., 0]


def _upright(cells: pd.DataFrame, column: str) -> Floats:
    """Return a column with shape (cells, 1), to multiply draws with."""
    return cells[column].to_numpy("float64")[:, None]


def _simulate(cells: pd.DataFrame, draws: int, seed: int) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """Draw the market sector by sector: rows of the sector, and their sizes with shape (rows, 3, draws)."""
    rng = np.random.default_rng(seed)
    numbers = cells[["establishments", *INPUTS]]
    for rows in map(np.asarray, dict(sorted(cells.groupby("sector").indices.items())).values()):
        cell = numbers.iloc[rows]
        shared, own = rng.standard_normal(draws), rng.standard_normal((len(rows), draws))
        establishments = _establishments(cell, np.sqrt(_SHARED) * shared + np.sqrt(1 - _SHARED) * own)
        error = _upright(cell, "contract_error")
        price = np.exp(error * rng.standard_normal(draws) - error**2 / 2)
        tam = establishments * (_upright(cell, "need_share") * _upright(cell, "contract_value")) * price
        yield rows, _steps(cell, tam, _drawn(cell, "fit_share", rng, draws), _drawn(cell, "win_rate", rng, draws))


def _drawn(cell: pd.DataFrame, name: str, rng: np.random.Generator, draws: int) -> Floats:
    """Draw a sector's rate; one that is stated, or 0 or 1, stands."""
    rate, strength = float(cell[name].iloc[0]), float(cell[name.split("_", maxsplit=1)[0] + "_strength"].iloc[0])
    if strength >= FIRM or not 0 < rate < 1:
        return np.full(draws, rate)
    return rng.beta(rate * strength, (1 - rate) * strength, draws)


def _establishments(cell: pd.DataFrame, z: Floats) -> Floats:
    """Draw counts whose 80 % interval is the one given: log-normal, each side as wide as its end says."""
    count = _upright(cell, "establishments")
    spread = []
    for end in ("establishments_low", "establishments_high"):
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.abs(np.log(_upright(cell, end) / count)) / HALF_80
        spread.append(np.nan_to_num(distance, nan=0.0, posinf=_WIDEST).clip(max=_WIDEST))
    drawn: Floats = count * np.exp(np.where(z < 0, *spread) * z)
    return drawn
