"""How many territories, and which quota for each: what a rep costs and what counts are set here, and kept."""

import ipywidgets as w

from territory_lab import charts, journey, quota
from territory_lab.widgets.learning import keeper, stated
from territory_lab.widgets.panel import Shown, panel, slider
from territory_lab.workspace import Workspace

DEAREST = 3  # times what a rep costs as stated


def sizes(space: Workspace) -> w.Box:
    """
    Let the analyst see what another number of territories earns, by what a rep costs.

    Parameters
    ----------
    space : Workspace
        With accounts, reps and orders.

    Returns
    -------
    Box
        The panel; what it keeps is ``rep_cost`` in ``workspace.toml``.
    """
    step, settings = journey.resources(space), space.settings
    top = DEAREST * settings.rep_cost
    note = f"{settings.currency} a year, all told"
    cost = slider("A rep costs", settings.rep_cost, 0.1 * top, top, top / 100, note=note)

    def draw(rep_cost: float) -> Shown:
        return charts.sizing(journey.sizes(space, rep_cost), step.facts["reps_today"], settings.currency)

    keep, code = keeper(space, "rep_cost"), lambda **now: stated(now, "rep_cost")
    return panel({"rep_cost": cost}, draw, keep=keep, code=code)


def quotas(space: Workspace) -> w.Box:
    """
    Let the analyst set what counts how much in a quota; the total is kept to the cent.

    Parameters
    ----------
    space : Workspace
        With accounts, reps and orders.

    Returns
    -------
    Box
        The panel; what it keeps are ``quota_history_share`` and ``quota_potential_share`` in ``workspace.toml``.
    """
    step, settings = journey.resources(space), space.settings
    proposed = journey.territories(space)["proposed"]
    total = step.facts["quota_total"]
    controls = {
        "quota_history_share": slider("History", settings.quota_history_share, 0.0, 1.0, 0.05, unit="%"),
        "quota_potential_share": slider(
            "Potential", settings.quota_potential_share, 0.0, 1.0, 0.05, unit="%", note="the rest counts workload"
        ),
    }

    def draw(**now: float) -> Shown:
        weights = type(settings).of(now).quota_weights
        found = quota.allocate(
            proposed["revenue"], proposed["potential"], proposed["workload_h"], total, weights=weights
        )
        return [charts.quotas(found, settings.currency), *quota.fairness(found)["words"]]

    return panel(controls, draw, keep=keeper(space, *controls), code=lambda **now: stated(now, *now))
