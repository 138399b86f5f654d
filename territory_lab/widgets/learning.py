"""Models: how far down a list to go, and learning them again."""

from collections.abc import Callable, Mapping

import ipywidgets as w
import numpy as np
import pandas as pd

from territory_lab import charts, journey, lifecycle
from territory_lab.charts.words import money, percent
from territory_lab.lifecycle import Outcome
from territory_lab.widgets.panel import Shown, choice, panel, runner, slider
from territory_lab.workspace import Workspace, state

PER = 1_000  # rows that the profit curve speaks of
_COLUMNS = {"kind": "Model", "version": "Learnt now", "champion": "Serves", "why": "Why"}


def cut_off(space: Workspace) -> w.Box:
    """
    Let the analyst choose how far down a list reps go.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.

    Returns
    -------
    Box
        The panel; what it keeps is ``capacity_share`` in ``workspace.toml``.
    """
    step, currency = journey.propensity(space), space.settings.currency
    kinds = {_spelt(kind): kind for kind in step.facts["cards"]}

    def draw(kind: str, capacity_share: float) -> Shown:
        if f"profit_{kind}" not in step:
            return "Too little happened after what was learnt to judge this model."
        gains, profit = step[f"gains_{kind}"], step[f"profit_{kind}"]
        found, earned, any_order = (
            float(np.interp(capacity_share, curve["share_worked"], curve[column]))
            for curve, column in ((gains, "share_reached"), (profit, "profit"), (profit, "any_order"))
        )
        best = profit.iloc[int(profit["profit"].argmax())]
        rows = {
            "Buyers reached": percent(found),
            "In any order": percent(capacity_share),
            f"Profit per {charts.count(PER)} rows": money(earned, currency),
            "Profit in any order": money(any_order, currency),
            "Most profit": f"{money(best['profit'], currency)}, at {percent(best['share_worked'])}",
        }
        told = [{"what": what, "figure": figure} for what, figure in rows.items()]
        heading = {"what": f"Working the best-scored {percent(capacity_share)}", "figure": ""}
        return [charts.table(told, heading), charts.gains(gains, capacity_share)]

    share = slider("Worked", space.settings.capacity_share, 0.01, 1.0, 0.01, unit="%", note="of the list, in a horizon")
    controls = {"kind": choice("Model", kinds), "capacity_share": share}
    return panel(controls, draw, keep=keeper(space, "capacity_share"), code=lambda **now: stated(now, "capacity_share"))


def training(space: Workspace) -> w.Box:
    """
    Let the analyst learn the models again; each serves only where it earns more than the one that does.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.

    Returns
    -------
    Box
        The panel; the horizon it learns for and the capacity it judges by are stated in ``workspace.toml``.
    """
    settings = space.settings
    controls = {
        "horizon_days": slider("Horizon", settings.horizon_days, 30, 365, 1, unit="days", note="how far ahead to look"),
        "capacity_share": slider("Worked", settings.capacity_share, 0.01, 1.0, 0.01, unit="%", note="of the list"),
    }

    def draw(outcomes: list[Outcome]) -> Shown:
        rows = pd.DataFrame(outcomes).assign(kind=lambda table: table["kind"].map(_spelt))
        return [charts.table(rows, _COLUMNS), charts.table(lifecycle.listed(space), caption="All that were learnt")]

    def code(**now: float) -> str:
        return f"{stated(now, *now)}\nlifecycle.retrain(space)"

    given = {"space": Workspace(space.folder)}
    return runner(controls, learnt_again, draw, action="Learn again", given=given, code=code)


def learnt_again(
    space: Workspace,
    horizon_days: int,
    capacity_share: float,
    progress: Callable[[object, float], object],  # noqa: ARG001 - a Job gives it; there is nothing between begun and done
) -> list[Outcome]:
    """State what the models are for, and learn them again."""
    return lifecycle.retrain(state(space, horizon_days=horizon_days, capacity_share=capacity_share))


def _spelt(kind: str) -> str:
    """Write a kind of model as people do."""
    return kind.replace("_", "-").capitalize()


def keeper(space: Workspace, *names: str) -> Callable[..., str]:
    """Make what a Keep button does: it states the controls that are settings, and says so."""

    def keep(**now: object) -> str:
        state(space, **{name: now[name] for name in names})
        return "It stands in workspace.toml. Run the notebook again to see every step with it."

    return keep


def stated(now: Mapping[str, object], *names: str) -> str:
    """Write the call that states settings, from the controls' values and the names of those that are settings."""
    return f"space = workspace.state(space, {', '.join(f'{name}={now[name]!r}' for name in names)})"
