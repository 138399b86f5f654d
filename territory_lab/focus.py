"""Where to look: by what accounts are ranked, and what sets one local market apart from the next."""

import pandas as pd

from territory_lab import market

_DRIVERS = ("sector", "employees")
_FACTORS = ("density", "median_income")
_STATED = ("competition", "prestige")  # columns of accounts that only the analyst can know


def criteria(known: pd.DataFrame, scores: pd.DataFrame, engagement: pd.Series) -> pd.DataFrame:
    """
    Measure every account by what can make it a key account.

    Parameters
    ----------
    known : DataFrame
        From `book.accounts`.
    scores : DataFrame
        By account_id: probability.
    engagement : Series
        By account_id, from `scoring.engagement`.

    Returns
    -------
    DataFrame
        By account_id, higher is better: revenue (last 12 months), growth_amount (above the 12 months before), potential
        (what customers of its sector and size spend, times the chance that it buys), need (potential less revenue),
        engagement; competition and prestige where the accounts have such columns.
    """
    table = pd.DataFrame({"revenue": known["spend"], "growth_amount": known["spend"] - known["spend_before"]})
    customers = known[known["spend"] > 0]
    if len(customers) and "sector" in known:
        worth = market.expected_spend(known, scores["probability"], market.contract_values(customers))
        table["potential"] = worth.reindex(known.index)
        table["need"] = (table["potential"] - table["revenue"]).clip(lower=0)
    table["engagement"] = engagement.reindex(known.index).fillna(0.0)
    return table.join(known[[one for one in _STATED if one in known]])


def regions(
    sized: pd.DataFrame, known: pd.DataFrame, deals: pd.DataFrame | None = None, *, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """
    Hold the local markets against each other.

    Parameters
    ----------
    sized : DataFrame
        From `market.size_market`.
    known : DataFrame
        From `book.accounts`.
    deals : DataFrame or None
        Opportunities, where there are any.
    seed : int
        Of intervals and segments.

    Returns
    -------
    dict of str to DataFrame
        penetration (by area_id: how much is held, and the room), regions (by area_id: factors, segment, description,
        play, advice), check (by sector: how well it is known, the market from the top beside that from the bottom) and,
        with opportunities, drivers (where something counts otherwise than in the nation, beyond chance).
    """
    names = sized.drop_duplicates("area_id").set_index("area_id")["area"]
    sectors = sized.drop_duplicates("sector").set_index("sector")["sector_name"]
    local = known.groupby("area_id")[[one for one in _FACTORS if one in known]].median()
    factors = market.local_factors(sized, known, deals, extra=local)
    profiles = market.regional_profiles(factors, seed=seed)
    told = profiles[["segment", "description", "play", "advice"]]
    frames = {
        "penetration": market.penetration(sized, known, seed=seed).join(names),
        "regions": factors.join(told).join(names),
        "check": market.cross_check(sized, known).join([sectors, market.certainty(sized)]).reset_index(),
    }
    if deals is None or not (deals["stage"] != "open").any():
        return frames
    drivers = market.local_drivers(deals, known, [one for one in _DRIVERS if one in known])
    return frames | {"drivers": drivers[drivers["differs"]].assign(area=lambda one: one["region"].map(names))}
