"""The six steps in order: read from the workspace, call one public function of a room, keep the result."""

import json
from collections.abc import Callable

import pandas as pd

from territory_lab import alignment, book, geography, market, proposal, quota, scoring, sizing, worklist
from territory_lab import propensity as models
from territory_lab.errors import MissingTable
from territory_lab.evaluation import performance, territory_sales, triggers
from territory_lab.response import SalesResponse
from territory_lab.results import Result, kept
from territory_lab.staffing import borders
from territory_lab.timeline import Snapshot
from territory_lab.workload import CallPlan, headcount, travel_h
from territory_lab.workspace import Workspace

LEAST_SELLING_SHARE = 0.2  # of a rep's hours, where the road would eat the rest
SIZES = (0.5, 1.6)  # numbers of territories tried, relative to today's


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
        Frames profile, weights, scores (by account_id: probability, score, tier), prospects (those that do not buy,
        the best first), pareto; the card as facts.
    """
    if not {"orders", "opportunities"} & set(space.tables):
        raise MissingTable("ideal customer is switched off: it needs orders or opportunities to tell who bought")
    known = book.accounts(space, book.units(space))
    model = scoring.IdealCustomerProfile(seed=space.settings.seed).fit(known, known["customer"])
    scores = model.assess(known)
    shown = known.loc[~known["customer"], known.columns.intersection(["name", "sector", "employees", "state"])]
    frames = {
        "profile": _spelt_out(model.profile(), "level"),
        "weights": _spelt_out(model.weights(), "part"),
        "scores": scores,
        "prospects": shown.join(scores).sort_values("probability", ascending=False, kind="stable"),
    }
    facts = model.card() | {"customers": int(known["customer"].sum()), "accounts": len(known)}
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
        Frames market (sector x metro), totals (TAM, SAM, SOM with intervals), sectors, metros.
    """
    space.need("orders", step="market size")
    known = book.accounts(space, book.units(space))
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
    by = {name: market.market_by(sized, column, seed=space.settings.seed) for name, column in _MARKET_CUTS.items()}
    return Result({"market": sized, "totals": market.totals(sized, seed=space.settings.seed)} | by)


_MARKET_CUTS = {"sectors": "sector_name", "metros": "area"}


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
    local = book.accounts(space, book.units(space)).filter(["density", "median_income"])
    scored = models.score_accounts(space.tables, horizon_d=settings.horizon_days, extra=local, seed=settings.seed)
    base = models.forecast_revenue(space.tables["orders"], scored.as_of)
    known = book.accounts(space, book.units(space))
    frames = {
        "propensity": _with_names(space, scored.propensity),
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
        frames["white_space"] = _with_names(space, models.white_space(now, gaps))
    off = {}
    if "owner_id" in known:
        found = {kind: worklist.actions(space, scored, frames["propensity"], kind) for kind in scored.models}
        frames["actions"] = pd.concat([actions.listed for actions in found.values()], ignore_index=True)
        frames["capacity"] = pd.concat({kind: actions.by_rep for kind, actions in found.items()}, names=["kind"])
    else:
        off = dict.fromkeys(("actions", "capacity"), "next best actions are switched off: they need accounts.owner_id")
    cards = {kind: json.loads(model.card.to_json()) for kind, model in scored.models.items()}
    verdicts = {f"verdict_{kind}": repr(model.verdict) for kind, model in scored.models.items()}
    return Result(frames, verdicts | {"as_of": str(scored.as_of.date()), "cards": cards}, off)


@kept
def territories(space: Workspace) -> Result:
    """
    Propose who owns which unit: balanced, contiguous, close to home.

    Parameters
    ----------
    space : Workspace
        With accounts; reps with homes, today's alignment and neighbours where there.

    Returns
    -------
    Result
        Frames accounts (tier, potential by account_id), units (activities), alignment, territories (centres),
        verdict (how good the plan is, in words), broken (limits it does not keep, with remedies),
        proposed and, where there is an alignment, today (by territory); objective, bound and gap as facts.
    """
    places = book.units(space)
    known = _worth(space, book.accounts(space, places))
    load = proposal.activities(known, places)
    current = book.today(space, places)
    plan, facts = proposal.propose(space, load, current)
    problem = plan.problem
    frames = {
        "accounts": known[["unit_id", "tier", "customer", "spend", "potential"]],
        "units": load,
        "alignment": plan.alignment.to_frame(),
        "territories": plan.territories,
        "verdict": proposal.verdict(facts),
        "broken": proposal.broken(plan),
        "proposed": proposal.by_territory(problem, plan.alignment, plan.territories),
    }
    off = {}
    if current is None:
        off["today"] = "the comparison with today is switched off: it needs alignment"
    else:
        frames["current"] = current.to_frame()
        frames["today"] = proposal.by_territory(problem, current, plan.territories)
        frames["moves"] = proposal.moves(load, current, plan.alignment)
        facts |= {
            f"moved_{name}": share
            for name, share in alignment.metrics.disruption(problem, plan.alignment, current).items()
        }
    return Result(frames, facts, off)


@kept
def resources(space: Workspace) -> Result:
    """
    Say how many reps, where, and with what quota.

    Parameters
    ----------
    space : Workspace
        With accounts and reps.

    Returns
    -------
    Result
        Frames headcount (by state and in all), sizing (by number of territories), quotas (by territory).
    """
    step = territories(space)
    load, proposed = step["units"], step["proposed"]
    plan = CallPlan()
    rep_h = _rep_h(space, plan)
    need = headcount(float(load["workload_h"].sum()), rep_h)
    if "state" in load:
        need = pd.concat([need, headcount(load.groupby("state")["workload_h"].sum(), rep_h)])
    share = _hours(load, step["alignment"]["territory_id"], step["territories"], rep_h, plan)
    facts = {"reps_needed": float(need["reps"].iloc[0]), "reps_today": len(proposed), "rep_h": rep_h}
    frames = {"headcount": need}
    if "orders" not in space.tables:
        reason = "needs orders"
        return Result(frames, facts, {"sizing": f"sizing {reason}", "quotas": f"quotas by history {reason}"})
    sales = float(load["revenue"].sum())
    frames["sizing"] = sizing.sweep(
        SalesResponse(),
        range(max(1, round(SIZES[0] * len(proposed))), round(SIZES[1] * len(proposed)) + 1),
        sales=sales,
        territories=len(proposed),
        rep_cost=space.settings.rep_cost,
        margin_share=worklist.margin(space),
        travel_share=1 - float(share.sum()) / (rep_h * len(proposed)),
        seed=space.settings.seed,
    ).reset_index()
    frames["quotas"] = quota.allocate(
        proposed["revenue"], proposed["potential"], proposed["workload_h"], round(_target(space, sales), 2)
    )
    frames["fairness"] = quota.fairness(frames["quotas"])
    return Result(frames, facts | {"quota_total": float(frames["quotas"]["quota"].sum())})


@kept
def evaluation(space: Workspace) -> Result:
    """
    Say how today's territories do, what the proposal would bring, and when to look again.

    Parameters
    ----------
    space : Workspace
        With accounts, today's alignment and, for sales, orders.

    Returns
    -------
    Result
        Frames performance, triggers (today's territories) and lift (part, value, low, high as shares of sales).
    """
    space.need("alignment", step="evaluation")
    step = territories(space)
    load, now = step["units"], step["today"]
    pairs = book.neighbours(space, book.units(space))
    beside = None if pairs is None else borders(step["current"]["territory_id"], pairs)
    frames = {"triggers": triggers(now, reps=space.tables.get("reps"), beside=beside)}
    if "orders" not in space.tables:
        reason = "it needs orders"
        return Result(frames, {}, {"performance": f"performance: {reason}", "lift": f"the expected gain: {reason}"})
    current = step["current"]["territory_id"]
    frames["performance"] = _performance(space, step["accounts"], current, now)
    plan = CallPlan()
    rep_h = _rep_h(space, plan)
    before, after = (
        _hours(load, owned, step["territories"], rep_h, plan) for owned in (current, step["alignment"]["territory_id"])
    )
    response = SalesResponse()
    frames["lift"] = response.lift(
        load["potential"],
        current,
        step["alignment"]["territory_id"],
        before,
        after,
        revenue=load["revenue"],
        seed=space.settings.seed,
    ).reset_index()
    return Result(frames, {"sales": float(load["revenue"].sum())})


STEPS: dict[str, Callable[[Workspace], Result]] = {
    "1_icp": icp,
    "2_tam": tam,
    "3_propensity": propensity,
    "4_territories": territories,
    "5_resources": resources,
    "6_evaluation": evaluation,
}


def _spelt_out(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Write sectors by name where a trait's level is a code."""
    names = table[column].map(geography.sectors().set_index("sector")["short"])
    return table.assign(**{column: names.where(table["trait"] == "sector").fillna(table[column])})


def _with_names(space: Workspace, listed: pd.DataFrame) -> pd.DataFrame:
    """Add the names of accounts and products, where they are known."""
    names = {
        table: space.tables[table].set_index(f"{table[:-1]}_id")["name"]
        for table in ("accounts", "products")
        if table in space.tables
    }
    return listed.assign(**{table[:-1]: listed[f"{table[:-1]}_id"].map(known) for table, known in names.items()})


def _judged(model: models.PropensityModel) -> pd.DataFrame:
    """Set a model's measures in one table, with how far its AUC is above the base model's."""
    table = model.metrics_[["value", "low", "high"]].copy()
    if model.over_base_ is not None:
        table.loc["auc_over_base"] = list(model.over_base_)
    return table.rename_axis("metric")


def _worth(space: Workspace, known: pd.DataFrame) -> pd.DataFrame:
    """Add what each account may buy in a year, and its tier by that; without orders its own revenue stands in."""
    if "orders" in space.tables:
        worth = propensity(space)["potential"]["potential"].reindex(known.index)
    elif "revenue" in known:
        worth = known["revenue"].fillna(known["revenue"].median())
    else:
        worth = pd.Series(1.0, index=known.index)
    return known.assign(potential=worth, tier=scoring.tiers(worth))


def _rep_h(space: Workspace, plan: CallPlan) -> float:
    """Hours a year of one territory: as the reps state them, else as the call plan has them."""
    try:
        stated = float(book.homes(space)["selling_h"].mean())
    except MissingTable:
        return plan.rep_h
    return plan.rep_h if pd.isna(stated) else stated


def _hours(load: pd.DataFrame, owner: pd.Series, centres: pd.DataFrame, rep_h: float, plan: CallPlan) -> pd.Series:
    """Selling hours of each territory: the rep's year less the road from home."""
    road = travel_h(load["calls"], load, owner, centres, plan).groupby(owner).sum()
    return (rep_h - road).clip(lower=LEAST_SELLING_SHARE * rep_h).reindex(centres.index, fill_value=rep_h)


def _performance(space: Workspace, known: pd.DataFrame, current: pd.Series, now: pd.DataFrame) -> pd.DataFrame:
    """Hold sales against what sector and size alone would bring: a potential that knows nothing of the sales judged."""
    traits = book.accounts(space, book.units(space))
    values = market.contract_values(traits[traits["spend"] > 0])
    worth = market.expected_spend(traits, icp(space)["scores"]["probability"], values)
    owner = known["unit_id"].map(current)
    sold = territory_sales(known["spend"], owner, worth, now.index)
    fair = worth.groupby(owner).sum().reindex(now.index)
    return performance(now[["workload_h", "mean_km"]].assign(potential=fair).join(sold.drop(columns="customers")))


def _target(space: Workspace, sales: float) -> float:
    """Give the total to be shared out: the sum of the stated quotas, else last year's sales."""
    stated = space.tables["reps"]["quota"].sum() if "quota" in space.tables["reps"] else 0.0
    return float(stated) or sales
