"""Steps 1 to 3: who the customers are, how large the market, who will buy; and which accounts come first."""

import json

import pandas as pd

from territory_lab import book, focus, geography, market, scoring, worklist
from territory_lab import propensity as models
from territory_lab.errors import BadInput, MissingTable
from territory_lab.results import Result, kept
from territory_lab.timeline import Snapshot, data_end
from territory_lab.workspace import Workspace

KEY_ACCOUNTS = 50
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
    where = "state" if "state" in known else None
    learned = scoring.IdealCustomerProfile(seed=space.settings.seed).fit(known, known["customer"], place=where)
    stated = book.rules(space)
    model = learned
    if stated is not None:
        model = scoring.IdealCustomerProfile.from_rules(stated).calibrate(known, known["customer"])
    touch = scoring.engagement(book.contacts(space), data_end(space.tables))
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
    facts |= {"rules": model.rules(), "learned_rules": learned.rules(), "stated": stated is not None}
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
    known = book.accounts(space, places)
    if "area_id" not in known or not known["area_id"].isin(geography.areas()["area_id"]).any():
        raise MissingTable(
            "market size is switched off: no account lies in an area with reference data (units.area_id)"
        )
    reference = geography.market_reference().merge(geography.sectors().rename(columns={"short": "sector_name"}))
    reference = reference.merge(geography.areas()[["area_id", "name"]].rename(columns={"name": "area"}))
    known["fit"] = icp(space)["scores"]["probability"]
    sized = market.size_market(
        reference,
        known,
        space.tables.get("opportunities"),
        win_rate=None if "opportunities" in space.tables else space.settings.win_rate_share,
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
    return Result(frames | by | focus.regions(space, sized, known, seed=space.settings.seed))


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
        actions: actions and capacity (`propensity.Actions`).
    """
    space.need("orders", step="propensity")
    settings = space.settings
    # the fit was learnt from who buys today: it may weigh what comes, but not enter features of the past
    fit = icp(space)["scores"]["probability"]
    local = book.local_market(space)
    try:
        scored = models.score_accounts(space.tables, horizon_d=settings.horizon_days, extra=local, seed=settings.seed)
    except (
        BadInput
    ) as lacking:  # the tables themselves have passed the schema: there is too little in them to learn from
        raise MissingTable("propensity is switched off: " + "; ".join(map(str, lacking.faults))) from lacking
    base = models.forecast_revenue(space.tables["orders"], scored.as_of)
    known = book.accounts(space, book.units(space))
    frames = {
        "propensity": book.with_names(space, scored.propensity),
        "potential": models.potential(space.tables, scored, fit=fit, base=base).to_frame("potential"),
        "expected": base.expected.to_frame().join(base.interval[["low", "high"]]),
        "expected_units": base.summed(known["unit_id"]),
        "metrics": pd.concat({kind: _judged(model) for kind, model in scored.models.items()}, names=["kind"]),
    }
    for kind, model in scored.models.items():
        frames |= {f"calibration_{kind}": model.calibration_, f"gains_{kind}": model.gains_}
        frames |= worklist.reviewed(space, scored, kind)
    now = Snapshot(space.tables, scored.as_of, models.LOOKBACK, scored.horizon)
    if "cross_sell" in scored.models:
        gaps = scored.propensity[scored.propensity["kind"] == "cross_sell"].drop(columns="kind")
        frames["white_space"] = book.with_names(space, models.white_space(now, gaps))
    off = {}
    if "owner_id" in known and known["owner_id"].notna().any():
        found = {kind: worklist.actions(space, scored, frames["propensity"], kind) for kind in scored.models}
        frames["actions"] = pd.concat([actions.listed for actions in found.values()], ignore_index=True)
        frames["capacity"] = pd.concat({kind: actions.by_rep for kind, actions in found.items()}, names=["kind"])
    else:
        off = dict.fromkeys(("actions", "capacity"), "next best actions are switched off: they need accounts.owner_id")
    cards = {kind: json.loads(model.card.to_json()) for kind, model in scored.models.items()}
    verdicts = {f"verdict_{kind}": repr(model.verdict) for kind, model in scored.models.items()}
    return Result(frames, verdicts | {"as_of": str(scored.as_of.date()), "cards": cards}, off)


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
    known = book.accounts(space, book.units(space))
    ranking = scoring.key_accounts(icp(space)["criteria"], top=KEY_ACCOUNTS, seed=space.settings.seed)
    tables = space.tables
    plans = scoring.account_plans(
        known.loc[ranking.index[:KEY_ACCOUNTS]],
        tables["orders"],
        data_end(tables),
        products=tables.get("products"),
        propensity=propensity(space)["propensity"],
        opportunities=tables.get("opportunities"),
        calls=tables.get("calls"),
    )
    return Result({"ranking": ranking, "plans": plans})


def _spelt_out(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Write sectors by name where a trait's level is a code."""
    names = table[column].map(geography.sectors().set_index("sector")["short"])
    return table.assign(**{column: names.where(table["trait"] == "sector").fillna(table[column])})


def _judged(model: models.PropensityModel) -> pd.DataFrame:
    """Set a model's measures in one table, with how far its AUC is above the base model's."""
    table = model.metrics_.reindex(columns=["value", "low", "high"]).copy()
    if model.over_base_ is not None:
        table.loc["auc_over_base"] = list(model.over_base_)
    return table.rename_axis("metric")
