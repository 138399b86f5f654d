"""How territories sell for what they hold: the strong, the troubled, and those that are as expected."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize

Z_90 = 1.645
"""Half-width of a 90 % interval in standard deviations."""

SLOPES = {"sales": 0.66, "reach": 0.0, "depth": -0.34}
"""How each is believed to rise with potential before looking, by the elasticity of ``response``."""

BELIEF = 0.2
"""Standard deviation of that belief."""

DRIVERS = {
    "workload_h": (1.15, 1, "carries {value:,.0f} h of work against {usual:,.0f} h"),
    "reach": (1.15, -1, "reaches {relative:.0%} of the accounts usual for its mix"),
    "depth": (1.15, -1, "sells {relative:.0%} of the usual to those it reaches"),
    "mean_km": (1.3, 1, "lies {value:,.0f} km from its centre on average against {usual:,.0f} km"),
    "win_rate": (1.2, -1, "wins {value:.0%} of its opportunities against {usual:.0%}"),
    "on_plan_share": (1.15, -1, "gets {value:.0%} of the planned calls against {usual:.0%}"),
}
"""What may explain a result: by what factor it must differ from the median, which way it hurts, and how to say it."""


def territory_sales(
    sales: pd.Series, territory: pd.Series, potential: pd.Series | None = None, territories: pd.Index | None = None
) -> pd.DataFrame:
    """
    Sum the sales of accounts by territory, and say what they would be without the luck of a few large accounts.

    A sum over accounts is as noisy as its largest ones. Where potential is known, each account is held against those of
    its tenth of potential: does it buy, and how much for its potential. The first gives ``reach``, the second (the mean
    of its logarithm) ``depth``; potential x reach x depth are sales without that noise.

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
        By ``territory_id``: ``sales``, ``sales_sd`` (noise: root of the summed squares of account sales), ``customers``
        (accounts that bought) and, with potential, ``reach`` and ``depth`` (ratios), ``reach_sd``, ``depth_sd``.
    """
    sold = sales.reindex(territory.index).fillna(0.0)
    buys = sold > 0
    frame = pd.DataFrame({"sales": sold, "sales_sd": sold**2, "customers": buys.astype(int)})
    table = frame.groupby(territory).sum().rename_axis("territory_id")
    table["sales_sd"] = np.sqrt(table["sales_sd"])
    if potential is not None:
        table = table.join(_reach_and_depth(sold, territory, potential.reindex(territory.index).fillna(0.0)))
    if territories is None:
        return table
    zero = dict.fromkeys(("sales", "sales_sd", "customers"), 0)
    return table.reindex(territories).fillna(zero).rename_axis("territory_id")


def _reach_and_depth(sold: pd.Series, territory: pd.Series, potential: pd.Series) -> pd.DataFrame:
    """Compare accounts with those of their tenth of potential, territory by territory."""
    known = (potential > 0) & territory.notna()
    sold, territory, potential = sold[known], territory[known], potential[known]
    tenth = (potential.rank(method="first") * 10 // (len(potential) + 1)).astype(int)
    buys = sold > 0
    chance = buys.groupby(tenth).transform("mean")
    sums = pd.DataFrame({"buys": buys, "chance": chance, "luck": chance * (1 - chance)}).groupby(territory).sum()
    depth = pd.Series(np.log(sold[buys] / potential[buys]))
    depth = depth - depth.groupby(tenth[buys]).transform("mean")
    reach = sums["buys"] / sums["chance"]
    deep = pd.Series(np.exp(depth.groupby(territory[buys]).mean())).reindex(sums.index)
    table = pd.DataFrame({"reach": reach, "depth": deep, "reach_sd": np.sqrt(sums["luck"]) / sums["chance"] * reach})
    return table.assign(depth_sd=depth.std() / np.sqrt(sums["buys"].where(sums["buys"] > 0)) * deep)


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

    The logarithm of sales (of reach and of depth, where these are known) is a line in the logarithms of potential and
    workload, plus what is peculiar to the territory, plus noise. How much is peculiar is learnt from all territories at
    once (empirical Bayes), so that a small territory with a bad year is pulled towards the others. A verdict needs a
    90 % interval beyond 1 and a ratio beyond the margin.

    Parameters
    ----------
    territories : DataFrame
        By ``territory_id``: ``sales`` (money a year), ``potential`` (money a year), ``workload_h``; where known
        ``reach``, ``depth`` and their ``_sd`` (see ``territory_sales``; judged in place of the sum), else ``sales_sd``;
        and the possible reasons ``mean_km``, ``win_rate``, ``on_plan_share``.
    margin : float, default 0.1
        Departures from 1 smaller than this are as expected.
    noise : float, default 0.15
        Standard deviation of a year's sales as a share of them, where ``sales_sd`` is not known.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``sales``, ``expected`` (money a year), ``ratio`` (what remains of sales over expected once
        luck is allowed for), ``low``, ``high`` (its 90 % interval), ``verdict`` (strong, as expected, troubled) and
        ``reason``. A territory that sold nothing is troubled, one without potential or workload is as expected; both
        without ratio and interval.
    """
    parts = ["reach", "depth"] if {"reach", "depth"} <= set(territories) else ["sales"]
    names = territories.index.rename("territory_id")
    holds = (territories[["potential", "workload_h"]] > 0).all(axis=1).to_numpy()
    sells = holds & (territories[parts] > 0).all(axis=1).to_numpy()
    held = territories[["potential", "workload_h"]].to_numpy(dtype=float)
    design = np.log(np.where(holds[:, None], held, 1.0))
    design -= design[sells].mean(axis=0) if sells.any() else 0.0
    line, peculiar, variance = np.zeros(len(design)), np.zeros(sells.sum()), np.zeros(sells.sum())
    for part in parts:
        known = territories.loc[sells, part]
        spread = territories.loc[sells, f"{part}_sd"] / known if f"{part}_sd" in territories else known * 0 + noise
        fit = _pool(np.log(known.to_numpy(dtype=float)), design[sells], spread.fillna(noise).to_numpy(), SLOPES[part])
        line += fit.level + design @ fit.slopes
        peculiar += fit.peculiar
        variance += fit.variance
    expected = np.where(holds, np.exp(line), 0.0)
    if "sales" not in parts and sells.any():
        bought = territories["potential"] * territories[parts].fillna(0.0).prod(axis=1)
        expected = expected * territories["potential"].to_numpy() * territories["sales"].sum() / bought.sum()
    table = pd.DataFrame({"sales": territories["sales"].to_numpy(), "expected": expected}, index=names)
    for name, z in (("ratio", 0.0), ("low", -Z_90), ("high", Z_90)):
        table.loc[sells, name] = np.exp(peculiar + z * np.sqrt(variance))
    strong = (table["low"] > 1) & (table["ratio"] >= 1 + margin)
    troubled = ((table["high"] < 1) & (table["ratio"] <= 1 - margin)) | (holds & ~sells)
    verdict = np.select([strong, troubled], ["strong", "troubled"], "as expected")
    table["verdict"] = pd.Series(verdict, names, dtype="str")
    usual = territories.select_dtypes("number").median()
    rows = zip(table.iterrows(), territories.iterrows(), strict=True)
    reasons = [_reason(result, facts, usual) for (_, result), (_, facts) in rows]
    return table.assign(reason=pd.Series(reasons, names, dtype="str"))


class _Fit(NamedTuple):
    """What ``_pool`` learns: the line, and for each territory what is peculiar to it."""

    level: float
    slopes: np.ndarray
    peculiar: np.ndarray
    variance: np.ndarray


def _pool(logs: np.ndarray, design: np.ndarray, noise: np.ndarray, slope: float) -> _Fit:
    """Fit ``logs = level + design @ slopes + peculiar + noise``, the spread of ``peculiar`` by highest likelihood."""
    count, slopes = design.shape
    believed = np.array([slope] + [0.0] * (slopes - 1))
    if count == 0:
        return _Fit(0.0, believed, np.empty(0), np.empty(0))
    line = np.column_stack([np.ones(count), design])
    belief = np.diag([100.0] + [BELIEF**2] * slopes)
    centred = logs - logs.mean() - design @ believed
    known = line @ belief @ line.T + np.diag(noise**2)

    def surprise(log_spread: float) -> float:
        cover = known + np.exp(2 * log_spread) * np.eye(count)
        _, size = np.linalg.slogdet(cover)
        return float(size + centred @ np.linalg.solve(cover, centred))

    spread = float(np.exp(optimize.minimize_scalar(surprise, bounds=(-7.0, 1.0), method="bounded").x))
    inverse = np.linalg.inv(known + spread**2 * np.eye(count))
    learnt = belief @ line.T @ inverse @ centred
    variance = np.maximum(spread**2 - spread**4 * np.diag(inverse), 0.0)
    return _Fit(float(logs.mean() + learnt[0]), believed + learnt[1:], spread**2 * inverse @ centred, variance)


def _reason(result: pd.Series, facts: pd.Series, usual: pd.Series) -> str:
    """Say a territory's result and what may lie behind it."""
    if not (facts["potential"] > 0 and facts["workload_h"] > 0):
        return "Holds nothing to be judged by."
    if result["verdict"] == "as expected":
        return "Sells what its potential and workload explain, as far as one year can tell."
    if not result["sales"] > 0:
        return "Sold nothing."
    strong = result["verdict"] == "strong"
    word = "more" if strong else "less"
    off, near, far = abs(result["ratio"] - 1), *sorted(abs(result[["low", "high"]] - 1))
    said = f"Sells {off:.0%} {word} than its potential and workload explain ({near:.0%} to {far:.0%})."
    clauses = [
        words.format(value=facts[name], usual=usual[name], relative=facts[name] / usual[name])
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
