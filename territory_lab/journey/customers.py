"""Steps 1 to 3: who the customers are, how large the market, who will buy; and which accounts come first."""

from dataclasses import replace

import pandas as pd

from territory_lab import book, focus, geography, market, scoring
from territory_lab.errors import MissingTable
from territory_lab.journey.everyone import SHOWN, everyone, learning, rows, scored
from territory_lab.journey.taught import foretold, profiles
from territory_lab.parts import DEALT
from territory_lab.results import Result, kept
from territory_lab.workspace import Workspace

KEY_ACCOUNTS = 50
_MARKET = ("area_id", "sector", "employees", "density", "median_income", "spend", "spend_before", "fit")
_MARKET_CUTS = {"sectors": "sector_name", "metros": "area"}


@kept
def icp(space: Workspace) -> Result:
    """
    Say who the ideal customer is and how well each account fits.

    Parameters
    ----------
    space : Workspace
        With accounts, and orders or opportunities that tell who bought.

    Returns
    -------
    Result
        Frames profile, weights (learned), scores (by account_id: probability, score, tier and grade; by the rule card
        that is stated, else by the learned one), prospects (those that do not buy, the best first), criteria (by
        account_id, what can make a key account), pareto; the card as facts, and whether its rules are stated.
    """
    if not {"orders", "opportunities"} & set(space.tables):
        raise MissingTable("ideal customer is switched off: it needs orders or opportunities to tell who bought")
    known = book.accounts(space, book.units(space))
    learned, model = profiles(space, known)
    touch = scoring.engagement(book.contacts(space), space.end)
    scores = model.assess(known)
    scores["grade"] = scoring.grade(scores["score"], touch)
    shown = known.loc[~known["customer"], known.columns.intersection(["name", "sector", "employees", "state"])]
    frames = {
        "profile": _spelt_out(learned.profile(), "level"),
        "weights": _spelt_out(learned.weights(), "part"),
        "scores": scores,
        "criteria": focus.criteria(known, scores, touch),
        "prospects": shown.join(scores).sort_values("probability", ascending=False, kind="stable"),
    }
    facts = learned.card() | {"customers": int(known["customer"].sum()), "accounts": len(known)}
    facts |= {"rules": model.rules(), "learned_rules": learned.rules(), "stated": model is not learned}
    if space.deal is not None:
        facts |= scored(space).facts
        frames["prospects"] = scored(space)["prospects"]
    if "orders" not in space.tables:
        return Result(frames, facts, {"pareto": "the Pareto curve is switched off: it needs orders"})
    buying = known.loc[known["spend"] > 0, "spend"]
    facts["top_fifth_share"] = scoring.top_share(buying, 0.2)
    return Result(frames | {"pareto": scoring.pareto(buying)}, facts)


@kept
def tam(space: Workspace) -> Result:
    """
    Size the market by sector and metro.

    Parameters
    ----------
    space : Workspace
        With accounts in the United States and orders.

    Returns
    -------
    Result
        Frames market (sector x metro), totals (TAM, SAM, SOM with intervals), sectors, metros; unmatched (areas of the
        market that no unit lies in), and penetration, regions, check and drivers as `focus.regions` gives them.
    """
    space.need("orders", step="market size")
    places = book.units(space)
    known, deals = fitting(space, *_MARKET), _deals(space)
    if "area_id" not in known or not known["area_id"].isin(geography.areas()["area_id"]).any():
        raise MissingTable(
            "market size is switched off: no account lies in an area with reference data (units.area_id)"
        )
    reference = geography.market_reference().merge(geography.sectors().rename(columns={"short": "sector_name"}))
    reference = reference.merge(geography.areas()[["area_id", "name"]].rename(columns={"name": "area"}))
    sized = market.size_market(
        reference,
        known,
        deals,
        win_rate=space.settings.win_rate_share if deals is None else None,
        capacity=None if deals is None or space.deal is None else space.times * market.worked(deals),
        seed=space.settings.seed,
    )
    asked = {name: getattr(space.settings, name) for name in ("need_share", "reach_share")}
    if min(asked.values()) < 1:
        sized = market.assume(sized, **asked, seed=space.settings.seed)
    by = {name: market.market_by(sized, column, seed=space.settings.seed) for name, column in _MARKET_CUTS.items()}
    frames = {
        "market": sized,
        "totals": market.totals(sized, seed=space.settings.seed),
        "unmatched": market.unmatched(sized, places["area_id"]),
    }
    return Result(frames | by | focus.regions(sized, known, deals, seed=space.settings.seed))


@kept
def propensity(space: Workspace) -> Result:
    """
    Say who will buy more, and who will buy something else, with models judged on later data only.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.

    Returns
    -------
    Result
        Frames propensity (account_id, account, product_id, product, kind, probability, expected_revenue; the most
        revenue first), potential (by account_id), expected (revenue of the next year as things are, by account_id,
        with low and high), expected_units (the same by unit), metrics (model, metric, value, low, high), for each
        model its calibration, gains, profit and stability, white_space (`propensity.white_space`), and the next best
        actions: actions and capacity (`propensity.Actions`). Of a large company propensity holds the first rows only,
        and what is by account or judges a model is of the first part.
    """
    if space.deal is None:
        return foretold(space, icp(space)["scores"]["probability"])
    known, whole = learning(space), scored(space)
    ours = ("propensity", "actions", "capacity", "expected_units")
    return replace(known, frames={**known.frames, **{name: whole[name] for name in ours if name in whole}})


@kept
def key_accounts(space: Workspace) -> Result:
    """
    Say which accounts come first, and write a page on each.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.

    Returns
    -------
    Result
        Frames ranking (by account_id, the first first: rank, priority, how firm its place is, what each criterion adds)
        and plans (the pages of the first ones, as `scoring.account_plans` gives them).
    """
    space.need("orders", step="key accounts")
    listed = None if space.deal is None else SHOWN
    ranking = scoring.key_accounts(_criteria(space), top=KEY_ACCOUNTS, listed=listed, seed=space.settings.seed)
    tables, known = space.tables, book.accounts(space, book.units(space))
    if space.deal is not None:
        ranking.index = pd.Index(everyone(space, ["account_id"])["account_id"][ranking.index])
        tables = tables | {name: rows(space, name, ranking.index[:KEY_ACCOUNTS]) for name in DEALT if name in tables}
        known = tables["accounts"].set_index("account_id")
    first = ranking.index[:KEY_ACCOUNTS]
    plans = scoring.account_plans(
        known.loc[first],
        tables["orders"],
        space.end,
        products=tables.get("products"),
        propensity=propensity(space)["propensity"],
        opportunities=tables.get("opportunities"),
        calls=tables.get("calls"),
    )
    return Result({"ranking": ranking, "plans": plans})


def _criteria(space: Workspace) -> pd.DataFrame:
    """Measure every account by what can make it a key account; those of a large company are numbered."""
    if space.deal is None:
        return icp(space)["criteria"]
    known = fitting(space, "sector", "employees", "spend", "spend_before", "fit", "engagement")
    return focus.criteria(known, known[["fit"]].set_axis(["probability"], axis=1), known["engagement"])


def _spelt_out(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Write sectors by name where a trait's level is a code."""
    names = table[column].map(geography.sectors().set_index("sector")["short"])
    return table.assign(**{column: names.where(table["trait"] == "sector").fillna(table[column])})


def fitting(space: Workspace, *columns: str) -> pd.DataFrame:
    """
    Return every account with how well it fits.

    Parameters
    ----------
    space : Workspace
        With accounts.
    *columns : str
        What is read of a large company, from `everyone.COLUMNS`.

    Returns
    -------
    DataFrame
        As `book.accounts`, with ``fit``, the probability that it buys; of a large company as `everyone` has it.
    """
    if space.deal is None:
        return book.accounts(space, book.units(space)).assign(fit=icp(space)["scores"]["probability"])
    scored(space)
    return everyone(space, columns)


def _deals(space: Workspace) -> pd.DataFrame | None:
    """Give the opportunities with the accounts as :func:`fitting` names them; of a large company its first part's."""
    deals = space.tables.get("opportunities")
    if deals is None or space.deal is None:
        return deals
    ids = pd.Index(space.tables["accounts"]["account_id"])
    return deals.assign(account_id=ids.get_indexer(deals["account_id"]))
