"""Ask for another plan: tolerance, number of territories, how much may move; solved beside the kernel, and kept."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w
import pandas as pd

from territory_lab import journey
from territory_lab.scenarios import Scenario
from territory_lab.widgets.panel import Shown, choice, line, runner, slider
from territory_lab.widgets.shelf import compared
from territory_lab.workspace import Workspace

MOST_TERRITORIES = 3  # times today's


def another_plan(space: Workspace, watch: Callable[[pd.Series | None], object] = lambda _: None) -> w.Box:
    """
    Let the analyst ask for a plan under other settings.

    Parameters
    ----------
    space : Workspace
        With accounts.
    watch : callable
        Is given each better alignment while the solver works, and None at the end: ``TerritoryMap.glimpse``.

    Returns
    -------
    Box
        The panel; what it finds is saved on the workspace's shelf with its settings.
    """
    today = len(journey.territories(space)["territories"])
    stated = float(journey.territories(space).facts["tolerance_share"])
    counts = {"one at each home": 0, **{str(count): count for count in range(2, MOST_TERRITORIES * today + 1)}}
    controls = {
        "name": line("Name", "Another plan"),
        "tolerance_share": slider("Tolerance", stated, 0.01, 0.5, 0.01, unit="%", note="round a fair workload"),
        "count": choice("Territories", counts),
        "max_moved_share": slider("May move", 1.0, 0.0, 1.0, 0.01, unit="%", note="of today's workload"),
        "note": line("Why"),
    }

    def draw(made: Scenario) -> Shown:
        known = next(iter(journey.as_scenarios(space).values()))
        kept = f"{made.name} is on the shelf ({journey.shelf(space).name}/{made.name})."
        return [kept, compared([known, made], space.data_hash)]

    given = {"space": Workspace(space.folder)}
    return runner(controls, journey.draft, draw, action="Find a plan", given=given, watch=watch, code=_code)


def _code(**asked: Any) -> str:  # noqa: ANN401 - whatever the controls hold
    """Write the call."""
    name = asked.pop("name")
    rest = "".join(f", {key}={value!r}" for key, value in asked.items() if value != "")
    return f"journey.draft(space, {name!r}{rest})"
