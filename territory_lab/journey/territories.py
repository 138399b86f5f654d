"""Steps 4 to 6: who owns what, with how many people and which quota, and how it goes."""

from types import SimpleNamespace

import pandas as pd

from territory_lab import alignment, book, market, proposal, quota, scenarios, sizing, worklist
from territory_lab.errors import MissingTable
from territory_lab.evaluation import mend, performance, territory_sales, triggers
from territory_lab.journey.customers import fitting, propensity
from territory_lab.journey.worth import shown, worth
from territory_lab.response import SalesResponse
from territory_lab.results import Result, kept
from territory_lab.staffing import borders, districts
from territory_lab.timeline import EVENTS
from territory_lab.workload import CallPlan, headcount, time_use, travel_h
from territory_lab.workspace import Workspace

LEAST_SELLING_SHARE = 0.2  # of a rep's hours, where the road would eat the rest
SIZES = (0.5, 1.6)  # numbers of territories tried, relative to today's
_SOLD = ("unit_id", "sector", "employees", "spend", "fit")


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
        Frames accounts (tier, potential by account_id), units (activities), alignment, territories (centres), prices,
        verdict (how good the plan is, in words), broken (limits it does not keep, with remedies),
        proposed and, where there is an alignment, today (by territory), districts (the manager of each territory) where
        the reps have managers; objective, bound and gap as facts.
    """
    places = book.units(space)
    known = worth(space)
    load = proposal.activities(known, places)
    current = book.today(space, places)
    plan, facts = proposal.propose(space, load, current)
    problem = plan.problem
    frames = {
        "accounts": shown(space, known[["unit_id", "tier", "customer", "spend", "potential"]]),
        "units": load,
        "alignment": plan.alignment.to_frame(),
        "territories": plan.territories,
        "prices": plan.prices,
        "verdict": proposal.verdict(facts),
        "broken": proposal.broken(plan),
        "proposed": proposal.by_territory(problem, plan.alignment, plan.territories),
    }
    off: dict[str, str] = {}
    _manage(space, plan, frames, off)
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


def plan(space: Workspace) -> alignment.Plan:
    """
    Take up the proposed plan, to be edited or solved on.

    Parameters
    ----------
    space : Workspace
        As for :func:`territories`.

    Returns
    -------
    Plan
        As it was solved.
    """
    step = territories(space)
    facts, owner = step.facts, step["alignment"]["territory_id"]
    current = step["current"]["territory_id"] if "current" in step else None
    problem = proposal.question(space, step["units"], current, facts["tolerance_share"])
    return alignment.Plan(
        problem=problem,
        alignment=owner,
        territories=step["territories"],
        objective=facts["objective"],
        bound=facts["bound"],
        bound_scope=facts["bound_scope"] if problem.free else "these centres",
        seed=space.settings.seed,
        violations=alignment.audit(problem, owner),
        prices=step["prices"],
    )


def on_the_map(space: Workspace) -> pd.DataFrame:
    """
    Return the accounts as the territory map shows them.

    Parameters
    ----------
    space : Workspace
        With accounts.

    Returns
    -------
    DataFrame
        By account_id: ``unit_id``; ``lon, lat`` where known; ``propensity`` (the best chance of a purchase) where it
        can be learned.
    """
    placed = territories(space)["accounts"].filter(["unit_id", "lon", "lat"])
    if space.deal is None:
        placed = placed.join(space.tables["accounts"].set_index("account_id").filter(["lon", "lat"]))
    try:
        chances = propensity(space)["propensity"].groupby("account_id")["probability"].max()
    except MissingTable:  # nothing to learn from
        return placed
    return placed.join(chances.rename("propensity"))


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
        Frames headcount (by state and in all), sizing (by number of territories), quotas (by territory), time_use
        (hours by activity, as planned and as the calls say).
    """
    step = territories(space)
    load, proposed = step["units"], step["proposed"]
    plan = CallPlan()
    rep_h = _rep_h(space, plan)
    need = headcount(float(load["workload_h"].sum()), rep_h)
    if "state" in load:
        need = pd.concat([need, headcount(load.groupby("state")["workload_h"].sum(), rep_h)])
    facts = {"reps_needed": float(need["reps"].iloc[0]), "reps_today": len(proposed), "rep_h": rep_h}
    frames = {"headcount": need}
    owned = space.tables["accounts"].set_index("account_id")
    if "calls" in space.tables and "owner_id" in owned:
        span = space.tables["calls"][EVENTS["calls"]]
        years = max((span.max() - span.min()) / book.YEAR, 1 / 12)
        use = time_use(space.tables["calls"], _planned(space).join(owned["owner_id"]), plan, years)
        counted = ["planned", "made", "call_h"]
        frames["time_use"] = use.assign(**(space.times * use[counted]))
    if "orders" not in space.tables:
        reason = "needs orders"
        return Result(frames, facts, {"sizing": f"sizing {reason}", "quotas": f"quotas by history {reason}"})
    sales = float(load["revenue"].sum())
    frames["sizing"] = sizes(space, space.settings.rep_cost)
    frames["quotas"] = quota.allocate(
        proposed["revenue"],
        proposed["potential"],
        proposed["workload_h"],
        round(target(space, sales), 2),
        weights=space.settings.quota_weights,
    )
    frames["fairness"] = quota.fairness(frames["quotas"])
    return Result(frames, facts | {"quota_total": float(frames["quotas"]["quota"].sum())})


def sizes(space: Workspace, rep_cost: float) -> pd.DataFrame:
    """
    Say what another number of territories would earn.

    Parameters
    ----------
    space : Workspace
        With accounts, reps and orders.
    rep_cost : float
        Money that a rep costs a year, all told.

    Returns
    -------
    DataFrame
        As ``sizing.sweep`` has it, from half of today's number to well above it.
    """
    step, rep_h = territories(space), _rep_h(space, CallPlan())
    today = len(step["proposed"])
    selling_h = _hours(space, step["units"], step["alignment"]["territory_id"], step["territories"], rep_h)
    return sizing.sweep(
        SalesResponse(),
        range(max(1, round(SIZES[0] * today)), round(SIZES[1] * today) + 1),
        sales=float(step["units"]["revenue"].sum()),
        territories=today,
        rep_cost=rep_cost,
        margin_share=worklist.margin(space),
        travel_share=1 - float(selling_h.sum()) / (rep_h * today),
        seed=space.settings.seed,
    ).reset_index()


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
        Frames performance, triggers (today's territories), mends (few units that bring them within tolerance), lift
        (part, value, low, high as shares of sales), explained (the moves of the proposal, ranked by what each adds),
        at_risk (margin at risk with the moves, by today's territory) and swept (gain and break-even by elasticity).
    """
    space.need("alignment", step="evaluation")
    step = territories(space)
    load, now = step["units"], step["today"]
    pairs = book.neighbours(space, book.units(space))
    beside = None if pairs is None else borders(step["current"]["territory_id"], pairs)
    frames = {"triggers": triggers(now, reps=space.tables.get("reps"), beside=beside)}
    if pairs is not None:
        frames["mends"] = mend(load["workload_h"], step["current"]["territory_id"], pairs)
    if "orders" not in space.tables:
        reason = "it needs orders"
        return Result(frames, {}, {"performance": f"performance: {reason}", "lift": f"the expected gain: {reason}"})
    current, proposed = step["current"]["territory_id"], step["alignment"]["territory_id"]
    frames["performance"] = _performance(fitting(space, *_SOLD), current, now)
    frames |= weighed(space, proposed)
    return Result(frames, {"sales": float(load["revenue"].sum())})


def weighed(space: Workspace, owner: pd.Series, centres: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """
    Weigh what an alignment brings and puts at risk against today.

    Parameters
    ----------
    space : Workspace
        With accounts, today's alignment and orders.
    owner : Series
        ``territory_id`` by ``unit_id``.
    centres : DataFrame, optional
        Where the plan's reps stand, by ``territory_id``; the proposal's without it.

    Returns
    -------
    dict of str to DataFrame
        explained, at_risk, lift and swept, as :func:`evaluation` has them.
    """
    step = territories(space)
    load, current, homes = step["units"], step["current"]["territory_id"], step["territories"]
    sides = {"today": (current, homes), "proposed": (owner, homes if centres is None else centres)}
    road = {name: _road_h(space, load, owned, at) for name, (owned, at) in sides.items()}
    explained = scenarios.explain(
        SimpleNamespace(alignment=owner, problem=None),
        current,
        potential=load["potential"],
        hours=_rep_h(space, CallPlan()),
        travel_h=pd.DataFrame(road),
        revenue=load["revenue"],
        response=SalesResponse(),
    )
    at_risk = scenarios.at_risk(load["revenue"], current, owner, margin_share=worklist.margin(space))
    swept = SalesResponse().swept(*_plans(space, owner, centres), revenue=load["revenue"]).reset_index()
    lift = gain(space, owner, centres).reset_index()
    return {"explained": explained, "at_risk": at_risk, "lift": lift, "swept": swept}


def gain(space: Workspace, owner: pd.Series, centres: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Say what a plan would bring against today, in parts.

    Parameters
    ----------
    space : Workspace
        With accounts, today's alignment and orders.
    owner : Series
        ``territory_id`` by ``unit_id``.
    centres : DataFrame, optional
        Where the plan's reps stand, by ``territory_id``; the proposal's without it.

    Returns
    -------
    DataFrame
        As ``SalesResponse.lift``: by part, ``value``, ``low`` and ``high`` as shares of sales.
    """
    revenue, seed = territories(space)["units"]["revenue"], space.settings.seed
    return SalesResponse().lift(*_plans(space, owner, centres), revenue=revenue, seed=seed)


def _plans(space: Workspace, owner: pd.Series, centres: pd.DataFrame | None) -> tuple[pd.Series, ...]:
    """Lay out potential, today's alignment and another, and the selling hours under each."""
    step = territories(space)
    load, current, rep_h = step["units"], step["current"]["territory_id"], _rep_h(space, CallPlan())
    before = _hours(space, load, current, step["territories"], rep_h)
    after = _hours(space, load, owner, step["territories"] if centres is None else centres, rep_h)
    return load["potential"], current, owner, before, after


def _manage(space: Workspace, plan: alignment.Plan, frames: dict[str, pd.DataFrame], off: dict[str, str]) -> None:
    """Add the managers' districts, or the reason why there are none."""
    reps = space.tables.get("reps", pd.DataFrame())
    if not {"manager_id", "lon", "lat"} <= set(reps):
        off["districts"] = "districts are switched off: they need reps with manager_id, and managers with lon and lat"
        return
    managers = reps[reps["rep_id"].isin(reps["manager_id"])].dropna(subset=["lon", "lat"]).set_index("rep_id")
    if len(managers) < 2:
        off["districts"] = "districts are switched off: fewer than two managers have a home"
        return
    try:
        found = districts(plan, managers[["lon", "lat", "name"]].rename_axis("territory_id"), seed=space.settings.seed)
    except alignment.Infeasible as proof:
        off["districts"] = f"there are no districts within a fifth of their fair share: {proof}"
        return
    manager = found.alignment.rename("manager_id").rename_axis("territory_id").to_frame()
    frames["districts"] = manager.assign(manager=manager["manager_id"].map(managers["name"]))


def _planned(space: Workspace) -> pd.DataFrame:
    """Give the accounts that the tables show, each with its tier among all."""
    if space.deal is None:
        return territories(space)["accounts"]
    ids = space.tables["accounts"]["account_id"]
    return worth(space).head(len(ids)).set_axis(pd.Index(ids))


def _rep_h(space: Workspace, plan: CallPlan) -> float:
    """Hours a year of one territory: as the reps state them, else as the call plan has them."""
    try:
        stated = float(book.homes(space)["selling_h"].mean())
    except MissingTable:
        return plan.rep_h
    return plan.rep_h if pd.isna(stated) else stated


def _road_h(space: Workspace, load: pd.DataFrame, owner: pd.Series, centres: pd.DataFrame) -> pd.Series:
    """Hours a year on the road to each unit, by the router's times where the workspace has them."""
    km = proposal.road_km(space, load, centres)
    return travel_h(load["calls"], load, owner, centres, CallPlan(), known_km=km)


def _hours(space: Workspace, load: pd.DataFrame, owner: pd.Series, centres: pd.DataFrame, rep_h: float) -> pd.Series:
    """Selling hours of each territory: the rep's year less the road from home."""
    road = _road_h(space, load, owner, centres).groupby(owner).sum()
    return (rep_h - road).clip(lower=LEAST_SELLING_SHARE * rep_h).reindex(centres.index, fill_value=rep_h)


def _performance(known: pd.DataFrame, current: pd.Series, now: pd.DataFrame) -> pd.DataFrame:
    """Hold sales against what sector and size alone would bring: a potential that knows nothing of the sales judged."""
    values = market.contract_values(known[known["spend"] > 0])
    worth = market.expected_spend(known, known["fit"], values)
    owner = known["unit_id"].map(current)
    sold = territory_sales(known["spend"], owner, worth, now.index)
    fair = worth.groupby(owner).sum().reindex(now.index)
    return performance(now[["workload_h", "mean_km"]].assign(potential=fair).join(sold.drop(columns="customers")))


def target(space: Workspace, sales: float) -> float:
    """
    Give the total that quotas share out.

    Parameters
    ----------
    space : Workspace
        With reps.
    sales : float
        Money sold last year.

    Returns
    -------
    float
        The sum of the stated quotas, else last year's sales.
    """
    stated = space.tables["reps"]["quota"].sum() if "quota" in space.tables["reps"] else 0.0
    return float(stated) or sales
