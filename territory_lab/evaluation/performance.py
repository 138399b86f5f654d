"""How territories sell for what they hold: the strong, the troubled, and those that are as expected."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

from territory_lab.errors import BadInput, Fault

Z_90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""

ELASTICITIES = np.array([0.66, 0.0])
"""What is believed before looking: sales rise with potential at 1 - 0.34 (see ``response``), not with workload."""

BELIEF = 0.2
"""Standard deviation of that belief."""

DRIVERS = {
    "workload_h": (1.15, 1, "carries {value:,.0f} h of work against {usual:,.0f} h"),
    "mean_km": (1.3, 1, "lies {value:,.0f} km from its centre on average against {usual:,.0f} km"),
    "win_rate": (1.2, -1, "wins {value:.0%} of its opportunities against {usual:.0%}"),
    "on_plan_share": (1.15, -1, "gets {value:.0%} of the planned calls against {usual:.0%}"),
}
"""What may explain a result: by what factor it must differ from the median, which way it hurts, and how to say it."""


def territory_sales(
    sales: pd.Series, territory: pd.Series, potential: pd.Series | None = None, territories: pd.Index | None = None
) -> pd.DataFrame:
    """
    Sum the sales of accounts by territory, with the noise in each sum.

    The noise is that of a sum over accounts of which each departs from its share of the potential (from zero, where no
    potential is known) as accounts will: the root of the summed squares of these departures.

    Parameters
    ----------
    sales : Series
        Money a year by ``account_id``; accounts left out sold nothing.
    territory : Series
        Territory of each ``account_id``.
    potential : Series, optional
        Money a year by ``account_id``.
    territories : Index, optional
        Territories to list, also those without accounts.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``sales``, ``sales_sd``, ``customers`` (accounts that sold).
    """
    sold = sales.reindex(territory.index).fillna(0.0)
    wanted = 0.0 if potential is None else potential.reindex(territory.index).fillna(0.0)
    usual = wanted * (sold.sum() / wanted.sum()) if isinstance(wanted, pd.Series) and wanted.sum() > 0 else 0.0
    frame = pd.DataFrame({"sales": sold, "sales_sd": (sold - usual) ** 2, "customers": (sold > 0).astype(int)})
    table = frame.groupby(territory).sum().rename_axis("territory_id")
    table["sales_sd"] = np.sqrt(table["sales_sd"])
    return table if territories is None else table.reindex(territories, fill_value=0).rename_axis("territory_id")


def outcomes(
    opportunities: pd.DataFrame, territory: pd.Series, sales: pd.Series, sales_before: pd.Series
) -> pd.DataFrame:
    """
    Return win rates and trends by territory, as possible reasons of a result.

    Parameters
    ----------
    opportunities : DataFrame
        ``account_id``, ``stage`` (open, won, lost) of the period.
    territory : Series
        Territory of each ``account_id``.
    sales, sales_before : Series
        Money by ``account_id`` in the last year and the year before.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``closed`` (opportunities won or lost), ``win_rate`` with ``win_low``, ``win_high`` (Wilson
        1927, 90 %), ``trend`` (growth of sales, a share; missing where nothing was sold before).
    """
    closed = opportunities[opportunities["stage"].isin(["won", "lost"])]
    won = (closed["stage"] == "won").groupby(closed["account_id"].map(territory)).agg(["sum", "size"])
    names = pd.Index(territory.dropna().unique(), name="territory_id").sort_values()
    won = won.reindex(names, fill_value=0)
    count = won["size"].where(won["size"] > 0)
    rate = won["sum"] / count
    middle = (rate + Z_90**2 / (2 * count)) / (1 + Z_90**2 / count)
    width = Z_90 / (1 + Z_90**2 / count) * np.sqrt(rate * (1 - rate) / count + Z_90**2 / (4 * count**2))
    now, before = (
        year.reindex(territory.index).fillna(0.0).groupby(territory).sum().reindex(names)
        for year in (sales, sales_before)
    )
    trend = now / before.where(before > 0) - 1
    return pd.DataFrame(
        {"closed": won["size"], "win_rate": rate, "win_low": middle - width, "win_high": middle + width, "trend": trend}
    )


def performance(territories: pd.DataFrame, margin: float = 0.1, noise: float = 0.15) -> pd.DataFrame:
    """
    Return how each territory sells against what its potential and workload explain.

    The logarithm of sales is a line in the logarithms of potential and workload, plus what is peculiar to the
    territory, plus noise. How much is peculiar is learnt from all territories at once (empirical Bayes), so that a
    small territory with a bad year is pulled towards the others. A verdict needs a 90 % interval beyond 1 and a ratio
    beyond the margin.

    Parameters
    ----------
    territories : DataFrame
        By ``territory_id``: ``sales`` (money a year), ``potential`` (money a year), ``workload_h``; where known
        ``sales_sd`` (see ``territory_sales``) and the possible reasons ``mean_km``, ``win_rate``, ``on_plan_share``.
    margin : float, default 0.1
        Departures from 1 smaller than this are as expected.
    noise : float, default 0.15
        Standard deviation of a year's sales as a share of them, where ``sales_sd`` is not known.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``sales``, ``expected`` (money a year), ``ratio`` (what remains of sales over expected once
        luck is allowed for), ``low``, ``high`` (its 90 % interval), ``verdict`` (strong, as expected, troubled) and
        ``reason``. A territory that sold nothing is troubled, with ratio and interval missing.
    """
    faults = [
        Fault("territories", column, str(row), f"{value}", "give a number above zero")
        for column in ("potential", "workload_h")
        for row, value in territories.loc[~(territories[column] > 0), column].items()
    ]
    if faults:
        raise BadInput(faults)
    sells = territories["sales"] > 0
    selling = territories[sells]
    share = selling["sales_sd"] / selling["sales"] if "sales_sd" in selling else pd.Series(noise, index=selling.index)
    design = np.log(territories[["potential", "workload_h"]].to_numpy(dtype=float))
    design -= design[sells].mean(axis=0) if sells.any() else 0.0
    fit = _pool(
        np.log(selling["sales"].to_numpy(dtype=float)), design[sells], share.fillna(noise).to_numpy(dtype=float)
    )
    expected = np.exp(fit.level + design @ fit.slopes)
    table = pd.DataFrame({"sales": territories["sales"], "expected": expected}, index=territories.index)
    for name, z in (("ratio", 0.0), ("low", -Z_90), ("high", Z_90)):
        table.loc[sells, name] = np.exp(fit.peculiar + z * fit.peculiar_sd)
    strong = (table["low"] > 1) & (table["ratio"] >= 1 + margin)
    troubled = ((table["high"] < 1) & (table["ratio"] <= 1 - margin)) | ~sells
    table["verdict"] = pd.Series(
        np.select([strong, troubled], ["strong", "troubled"], "as expected"), table.index, "str"
    )
    usual = territories.select_dtypes("number").median()
    table["reason"] = pd.Series(
        [
            _reason(result, facts, usual)
            for (_, result), (_, facts) in zip(table.iterrows(), territories.iterrows(), strict=True)
        ],
        table.index,
        dtype="str",
    )
    return table


class _Fit(NamedTuple):
    """What ``_pool`` learns: the line, and for each territory what is peculiar to it."""

    level: float
    slopes: np.ndarray
    peculiar: np.ndarray
    peculiar_sd: np.ndarray


def _pool(logs: np.ndarray, design: np.ndarray, noise: np.ndarray) -> _Fit:
    """Fit ``logs = level + design @ slopes + peculiar + noise``, the spread of ``peculiar`` by highest likelihood."""
    count, slopes = design.shape
    if count == 0:
        return _Fit(0.0, ELASTICITIES, np.empty(0), np.empty(0))
    line = np.column_stack([np.ones(count), design])
    belief = np.diag([100.0] + [BELIEF**2] * slopes)
    centred = logs - logs.mean() - design @ ELASTICITIES
    known = line @ belief @ line.T + np.diag(noise**2)

    def surprise(log_spread: float) -> float:
        cover = known + np.exp(2 * log_spread) * np.eye(count)
        _, size = np.linalg.slogdet(cover)
        return float(size + centred @ np.linalg.solve(cover, centred))

    spread = float(np.exp(optimize.minimize_scalar(surprise, bounds=(-7.0, 1.0), method="bounded").x))
    inverse = np.linalg.inv(known + spread**2 * np.eye(count))
    learnt = belief @ line.T @ inverse @ centred
    variance = spread**2 - spread**4 * np.diag(inverse)
    return _Fit(
        float(logs.mean() + learnt[0]),
        ELASTICITIES + learnt[1:],
        spread**2 * inverse @ centred,
        np.sqrt(np.maximum(variance, 0.0)),
    )


def _reason(result: pd.Series, facts: pd.Series, usual: pd.Series) -> str:
    """Say a territory's result and what may lie behind it."""
    if result["verdict"] == "as expected":
        return "Sells what its potential and workload explain, as far as one year can tell."
    if not result["sales"] > 0:
        return "Sold nothing."
    strong = result["verdict"] == "strong"
    word = "more" if strong else "less"
    off, near, far = abs(result["ratio"] - 1), *sorted(abs(result[["low", "high"]] - 1))
    said = f"Sells {off:.0%} {word} than its potential and workload explain ({near:.0%} to {far:.0%})."
    clauses = [
        words.format(value=facts[name], usual=usual[name])
        for name, (factor, hurts, words) in DRIVERS.items()
        if name in facts.index and _differs(facts[name], usual[name], factor, hurts * (-1 if strong else 1))
    ]
    if not clauses:
        return f"{said} Nothing known about the territory explains it: look at the rep and the competition."
    return f"{said} It {' and '.join(clauses)}."


def _differs(value: float, usual: float, factor: float, way: int) -> bool:
    """Whether a value lies beyond the usual one by the factor, upwards for way 1 and downwards for -1."""
    if not (np.isfinite(value) and np.isfinite(usual) and usual > 0):
        return False
    return bool(value > usual * factor if way > 0 else value * factor < usual)
