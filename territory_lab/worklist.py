"""What the scores are worth in a rep's week: the next best actions under the hours there are, and what lists earn."""

import pandas as pd

from territory_lab import propensity
from territory_lab.workload import CallPlan
from territory_lab.workspace import Workspace

GROWTH_SHARE = 0.2  # of a rep's hours, for calls that no plan asks for
PLAYBOOK = "playbook.toml"  # in the workspace, in place of the shipped one


def actions(space: Workspace, scored: propensity.Scored, listed: pd.DataFrame, kind: str) -> propensity.Actions:
    """
    Fill each rep's time for one kind of growth, within one horizon, with the actions worth most.

    Each kind has its own hours: part of what upsell foretells comes by itself, so its values do not compare with those
    of cross-sell until calls given by lot tell what a call brings (`propensity.UpliftModel`).

    Parameters
    ----------
    space : Workspace
        Whose accounts have an ``owner_id``; hours come from reps, margins from products, where there.
    scored : Scored
        Models and features of today.
    listed : DataFrame
        Scores with the names of accounts and products.
    kind : str
        upsell or cross_sell.

    Returns
    -------
    Actions
        See `propensity.next_best_action`.
    """
    plan, tables, listed = CallPlan(), space.tables, listed[listed["kind"] == kind]
    owner = listed["account_id"].map(tables["accounts"].set_index("account_id")["owner_id"])
    products, own = tables.get("products", pd.DataFrame()), space.folder / PLAYBOOK
    return propensity.next_best_action(
        listed.assign(rep_id=owner, effort=_call_h(plan)),
        _hours(space, owner, len(scored.models)),
        margin_share=products.set_index("product_id")["margin_share"] if "margin_share" in products else margin(space),
        cost=space.settings.rep_cost / plan.rep_h,
        models=scored.models,
        features=scored.features,
        playbook=propensity.Playbook.read(own) if own.exists() else None,
    )


def refilled(space: Workspace, listed: pd.DataFrame) -> propensity.Actions:
    """
    Bring the lists of parts of the accounts together, within the same hours.

    Parameters
    ----------
    space : Workspace
        As for :func:`actions`.
    listed : DataFrame
        Rows of :func:`actions`, of any parts and kinds.

    Returns
    -------
    Actions
        As the accounts would have it undivided, kind by kind (``by_rep`` by kind and rep).
    """
    kinds = list(listed["kind"].unique())
    lists = [listed[listed["kind"] == kind] for kind in kinds]
    found = [propensity.filled(own, _hours(space, own["rep_id"], len(kinds))) for own in lists]
    return propensity.Actions(
        pd.concat([one for one, _ in found], ignore_index=True),
        pd.concat(dict(zip(kinds, (by_rep for _, by_rep in found), strict=True)), names=["kind"]),
    )


def reviewed(space: Workspace, scored: propensity.Scored, kind: str) -> dict[str, pd.DataFrame]:
    """
    Say what a model would have earned by share worked, and how steady it was.

    Parameters
    ----------
    space : Workspace
        Margin and cost come from its products and settings.
    scored : Scored
        Models and scores.
    kind : str
        Which model.

    Returns
    -------
    dict of str to DataFrame
        profit_ and stability_ with the kind; nothing where the model could not be judged.
    """
    model, own = scored.models[kind], scored.propensity[scored.propensity["kind"] == kind]
    plan, evidence = CallPlan(), model.evidence_
    if evidence is None:
        return {}
    worth = float(own["expected_revenue"].sum() / own["probability"].sum()) * margin(space)
    cost = _call_h(plan) * space.settings.rep_cost / plan.rep_h
    return {
        f"profit_{kind}": propensity.profit(evidence.y, evidence.by[model.algorithm_], worth, cost),
        f"stability_{kind}": propensity.stability(evidence, model.algorithm_, scored.snapshots),
    }


def margin(space: Workspace) -> float:
    """
    Give the gross margin as a share of sales: of the products sold, else as stated.

    Parameters
    ----------
    space : Workspace
        With orders and products, or only settings.

    Returns
    -------
    float
        A share.
    """
    if not {"orders", "products"} <= set(space.tables) or "margin_share" not in space.tables["products"]:
        return space.settings.margin_share
    margins = space.tables["products"].set_index("product_id")["margin_share"]
    orders = space.tables["orders"]
    share = orders["product_id"].map(margins)
    return float((orders["amount"] * share).sum() / orders["amount"].where(share.notna()).sum())


def _hours(space: Workspace, owner: pd.Series, kinds: int) -> pd.Series:
    """Hours of each rep for one kind of growth within a horizon."""
    hours = pd.Series(CallPlan().rep_h, owner.dropna().unique())
    if "selling_h" in space.tables.get("reps", pd.DataFrame()):
        stated = space.tables["reps"].set_index("rep_id")["selling_h"]
        hours = stated.reindex(hours.index).fillna(hours)
    return GROWTH_SHARE / kinds * hours * space.settings.horizon_days / 365


def _call_h(plan: CallPlan) -> float:
    """Hours of one call on a customer of the middle, with what goes before and after it."""
    return plan.call_h["B"] + plan.preparation_h
