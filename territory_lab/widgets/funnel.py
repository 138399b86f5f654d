"""The market under other assumptions: who needs the product, whom the team reaches, how many it wins."""

import ipywidgets as w

from territory_lab import charts, journey, market
from territory_lab.widgets.learning import keeper, stated
from territory_lab.widgets.panel import Shown, choice, panel, slider
from territory_lab.workspace import Workspace

DRAWS = 100  # fewer than the step takes, so that a slider answers at once
WIN_RATES = {"as estimated": 0.0, **{f"{rate} %": rate / 100 for rate in (5, 10, 20, 30, 40, 50)}}


def funnel(space: Workspace) -> w.Box:
    """
    Let the analyst see TAM, SAM and SOM under other assumptions.

    Parameters
    ----------
    space : Workspace
        With accounts in the United States and orders.

    Returns
    -------
    Box
        The panel; what it keeps are ``need_share`` and ``reach_share`` in ``workspace.toml``.
    """
    sized, settings = journey.tam(space)["market"], space.settings
    controls = {
        "need_share": slider("Need the product", settings.need_share, 0.05, 1.0, 0.05, unit="%"),
        "reach_share": slider("Reached", settings.reach_share, 0.05, 1.0, 0.05, unit="%"),
        "win_rate": choice("Win rate", WIN_RATES),
    }

    def draw(need_share: float, reach_share: float, win_rate: float) -> Shown:
        other = market.assume(
            sized, need_share=need_share, reach_share=reach_share, win_rate=win_rate or None, draws=DRAWS
        )
        return charts.funnel(market.totals(other, draws=DRAWS, seed=settings.seed), settings.currency)

    names = ("need_share", "reach_share")
    return panel(controls, draw, keep=keeper(space, *names), code=lambda **now: stated(now, *names))
