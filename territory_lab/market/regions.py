"""How regions differ: local factors, segments with a suggested play, and where a national strategy fails."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from territory_lab.errors import BadInput, Fault
from territory_lab.market._rates import HALF_80, pooled_rates
from territory_lab.scoring.logit import fit_logit
from territory_lab.scoring.traits import SPREAD, Design, design, stack

Floats = NDArray[np.float64]

_GOODS = ("11", "21", "22", "23", "31-33", "42", "48-49")
_MOST_SEGMENTS = 6
_CLEAR = 0.5  # standard deviations from the average region at which a factor is worth a word
_TOLD = 3
_HALF_95 = float(norm.ppf(0.975))


class Play(NamedTuple):
    """
    What to do in regions of a kind.

    Parameters
    ----------
    name : str
        In a word or two.
    when : mapping of str to {"high", "low"}
        Factors, and on which side of the average region they lie.
    advice : str
        A sentence to act on.
    """

    name: str
    when: Mapping[str, str]
    advice: str


PLAYBOOK = (
    Play("attack", {"held_share": "low", "win_rate": "high"}, "Add selling time: little is held, and deals are won."),
    Play("repair", {"win_rate": "low", "cycle_days": "high"}, "Find out why deals are lost before adding people."),
    Play("defend", {"held_share": "high", "growth": "low"}, "Guard the key accounts: much is held, and it shrinks."),
    Play(
        "deepen", {"held_share": "high", "growth": "high"}, "Sell more to those who buy: further products, more sites."
    ),
    Play("bundle", {"density": "low", "establishments": "low"}, "Cover by phone, partners and bundled trips."),
    Play("hold the price", {"price_realisation": "low"}, "Tighten discounts; see what the competitor really offers."),
    Play(
        "answer the rival", {"competitor_share": "high", "win_rate": "low"}, "Pick the sectors where the rival is weak."
    ),
)


def local_factors(
    market: pd.DataFrame,
    accounts: pd.DataFrame,
    opportunities: pd.DataFrame | None = None,
    *,
    extra: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    Describe each region by numbers that can be compared.

    Parameters
    ----------
    market : DataFrame
        From :func:`size_market`.
    accounts : DataFrame
        By account_id: area_id, spend; spend_before (the 12 months before) and list_spend (the year's orders at list
        price) where there.
    opportunities : DataFrame, optional
        account_id, stage, created_date, close_date.
    extra : DataFrame, optional
        By region, what else is known: density, median_income, competitor_share, a language or a rule as 0 and 1.

    Returns
    -------
    DataFrame
        By region: establishments, mean_size (employees per establishment), goods_share (of employees, in sectors that
        make, build or move things), held_share (of the SAM); growth (relative) and price_realisation (of list price)
        where known; with opportunities win_rate with _low and _high (80 %), deals, cycle_days (from created to closed;
        both leaning on the whole where deals are few); and the extra columns.
    """
    sums = market.groupby("area_id")[["establishments", "employees", "sam", "held"]].sum()
    goods = market["employees"].where(market["sector"].isin(_GOODS), 0.0).groupby(market["area_id"]).sum()
    table = pd.DataFrame(
        {
            "establishments": sums["establishments"],
            "mean_size": sums["employees"] / sums["establishments"],
            "goods_share": goods / sums["employees"],
            "held_share": sums["held"] / sums["sam"],
        }
    )
    known = [one for one in ("spend", "spend_before", "list_spend") if one in accounts]
    money = accounts.groupby("area_id")[known].sum().reindex(table.index).where(lambda one: one > 0)
    if "spend_before" in money:
        table["growth"] = money["spend"] / money["spend_before"] - 1
    if "list_spend" in money:
        table["price_realisation"] = money["spend"] / money["list_spend"]
    if opportunities is not None:
        table = table.join(_deals(opportunities, accounts["area_id"], table.index))
    return table if extra is None else table.join(extra)


def _deals(opportunities: pd.DataFrame, region: pd.Series, regions: pd.Index) -> pd.DataFrame:
    """Count, win and time the decided deals of each region, few deals leaning on the whole."""
    decided = opportunities[opportunities["stage"] != "open"]
    place = decided["account_id"].map(region)
    won = (decided["stage"] == "won").groupby(place).agg(["sum", "count"]).reindex(regions).fillna(0.0)
    rates = pooled_rates(won["sum"], won["count"])
    error = np.sqrt(rates["rate"] * (1 - rates["rate"]) / (rates["strength"] + 1))
    days = (decided["close_date"] - decided["created_date"]).dt.days.clip(lower=1).map(np.log)
    local = days.groupby(place).mean().reindex(regions)
    within = float((days - place.map(local)).var())
    between = max(float(local.var()) - within * float((1 / won["count"].where(won["count"] > 0)).mean()), 1e-12)
    own = (between / (between + within / won["count"].clip(lower=1))).where(won["count"] > 0, 0.0)
    return pd.DataFrame(
        {
            "deals": won["count"],
            "win_rate": rates["rate"],
            "win_rate_low": (rates["rate"] - HALF_80 * error).clip(lower=0),
            "win_rate_high": (rates["rate"] + HALF_80 * error).clip(upper=1),
            "cycle_days": np.exp(own * local.fillna(0.0) + (1 - own) * float(days.mean())),
        }
    )


def regional_profiles(factors: pd.DataFrame, *, playbook: Sequence[Play] = PLAYBOOK, seed: int = 0) -> pd.DataFrame:
    """
    Sort regions into segments, and suggest a play for each.

    Factors are standardised by rank (normal scores), so that neither unit nor outlier decides; k-means makes the
    segments, from 2 to 6 of them, as many as the mean silhouette likes best.

    Parameters
    ----------
    factors : DataFrame
        By region, numeric columns such as :func:`local_factors` gives; interval ends and deals are not used.
    playbook : sequence of Play
        The plays to choose from; those that ask for a factor that is not there are left out.
    seed : int
        Of k-means.

    Returns
    -------
    DataFrame
        By region: segment (1 is the largest), description (what sets the segment apart), play, advice; then each factor
        standardised (0 is the average region).

    Raises
    ------
    BadInput
        With fewer than four regions.
    """
    used = [one for one in factors.columns if one != "deals" and not one.endswith(("_low", "_high"))]
    if len(factors) < 4:
        mend = "give at least four regions"
        raise BadInput([Fault("regions", "", "", f"{len(factors)} regions are too few to sort", mend)])
    ranks = factors[used].astype("float64").rank()
    standard = pd.DataFrame(norm.ppf((ranks - 0.5) / ranks.count()), factors.index, pd.Index(used)).fillna(0.0)
    label = _clustered(standard.to_numpy(), seed)
    centres = standard.groupby(label).mean()
    words = centres.apply(_described, axis=1)
    plays = [_play(centres.loc[one], playbook) for one in centres.index]
    table = pd.DataFrame({"segment": label}, index=factors.index)
    table["description"] = table["segment"].map(words)
    table["play"] = table["segment"].map(dict(zip(centres.index, (one.name for one in plays), strict=True)))
    table["advice"] = table["segment"].map(dict(zip(centres.index, (one.advice for one in plays), strict=True)))
    return table.join(standard)


def _clustered(points: Floats, seed: int) -> NDArray[np.intp]:
    """Sort regions into segments, numbered from the largest."""
    tried = range(2, min(_MOST_SEGMENTS, len(points) - 1) + 1)
    labels = [KMeans(k, n_init=10, random_state=seed).fit_predict(points) for k in tried]
    fits = [silhouette_score(points, one) if len(set(one)) > 1 else -1.0 for one in labels]
    best = labels[int(np.argmax(fits))]
    order = np.argsort(-np.bincount(best), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(1, len(order) + 1)
    return np.asarray(rank[best])


def _described(centre: pd.Series) -> str:
    """Name what sets a segment apart."""
    strong = centre[centre.abs() >= _CLEAR].sort_values(key=np.abs, ascending=False, kind="stable")[:_TOLD]
    said = [f"{'high' if value > 0 else 'low'} {str(name).replace('_', ' ')}" for name, value in strong.items()]
    return ", ".join(said) or "average in everything"


def _play(centre: pd.Series, playbook: Sequence[Play]) -> Play:
    """Choose the play whose conditions the segment meets most clearly; none where it meets none."""
    best, value = Play("as elsewhere", {}, "Nothing sets these regions apart: the national plan serves."), _CLEAR
    for play in playbook:
        if set(play.when) <= set(centre.index):
            met = np.mean([centre[factor] * (1 if side == "high" else -1) for factor, side in play.when.items()])
            if met > value:
                best, value = play, float(met)
    return best


def local_drivers(opportunities: pd.DataFrame, accounts: pd.DataFrame, traits: Sequence[str]) -> pd.DataFrame:
    """
    Say where a region wins more or less than its accounts suggest, and where a trait counts for more or less.

    A national regression of won against lost deals gives each trait its weight. Each region's departure from it is one
    Newton step on its own deals, shrunk by as much as the departures of all regions are explained by chance: a region
    with eight deals stays near the nation.

    Parameters
    ----------
    opportunities : DataFrame
        account_id, stage; open ones do not count.
    accounts : DataFrame
        By account_id: area_id and the traits.
    traits : sequence of str
        Columns of ``accounts`` to weigh.

    Returns
    -------
    DataFrame
        region, part (``winning`` for all deals alike, else the trait's level or its effect per doubling), deals,
        national, local, low, high (log-odds, 95 %), differs (the interval leaves out the national weight: there the
        national strategy fails, or is bettered); strongest departures first.
    """
    decided = opportunities[opportunities["stage"] != "open"]
    known = decided["account_id"].isin(accounts.index[accounts["area_id"].notna()])
    decided = decided[known.to_numpy()]
    deals = accounts.loc[decided["account_id"]].reset_index(drop=True)
    won = np.asarray(decided["stage"] == "won", np.float64)
    designs = [design(deals[trait], bent=False) for trait in traits if len(deals[trait].dropna().unique()) > 1]
    columns = stack(designs, len(won))
    fitted = fit_logit(columns, won, SPREAD)
    codes, regions = pd.factorize(deals["area_id"], sort=True)
    count = np.bincount(codes, minlength=len(regions))
    eta = fitted.coef[0] + columns @ fitted.coef[1:]
    shift, shift_error = _departures(np.ones(len(won)), won, eta, codes, len(regions))
    parts = [("winning", 0.0, shift, shift_error)]
    eta = eta + shift[codes]
    weighing = expit(eta) * expit(-eta)
    for (part, national, scale), column in zip(_parts(designs, fitted.coef[1:]), columns.T, strict=True):
        middle = np.bincount(codes, weighing * column) / np.bincount(codes, weighing)
        departure, error = _departures(column - middle[codes], won, eta, codes, len(regions))
        parts.append((part, national, departure * scale, error * scale))
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "region": regions,
                    "part": part,
                    "deals": count,
                    "national": national,
                    "local": national + departure,
                    "low": national + departure - _HALF_95 * error,
                    "high": national + departure + _HALF_95 * error,
                    "differs": np.abs(departure) > _HALF_95 * error,
                }
            )
            for part, national, departure, error in parts
        ],
        ignore_index=True,
    )
    strength = (table["local"] - table["national"]).abs()
    return table.loc[strength.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _parts(designs: Sequence[Design], coef: Floats) -> list[tuple[str, float, float]]:
    """Name each column, with its national weight and the unit that it is reported in."""
    listed: list[tuple[str, float, float]] = []
    for one in designs:
        own = coef[len(listed) : len(listed) + one.columns.shape[1]]
        scale = float(one.contrast[0, 0]) if one.at else 1.0
        listed += [
            (f"{one.trait}: {part}", float(weight), scale)
            for part, weight in zip(one.parts, one.contrast @ own, strict=True)
        ]
    return listed


def _departures(column: Floats, won: Floats, eta: Floats, codes: NDArray[np.intp], count: int) -> tuple[Floats, Floats]:
    """Take one Newton step for each region and shrink it (DerSimonian and Laird around zero)."""
    p = expit(eta)
    push = np.bincount(codes, column * (won - p), count)
    information = np.bincount(codes, column**2 * p * (1 - p), count)
    told = information > 0
    step = np.divide(push, information, out=np.zeros(count), where=told)
    between = max(0.0, float((information * step**2).sum() - told.sum()) / max(float(information.sum()), 1e-12))
    own = between * information / (between * information + 1)
    return own * step, np.sqrt(np.where(told, own / np.where(told, information, 1.0), between))
