"""The answer: an alignment with its centres, its objective and how far it can be from the best."""

from dataclasses import dataclass

import pandas as pd

from territory_lab.alignment.problem import Problem
from territory_lab.errors import TerritoryLabError

SPOKEN = 6  # names that a sentence bears


def gap_between(objective: float, bound: float) -> float:
    """How far an objective is above a bound, as a share of it; NaN where the bound is not positive."""
    if bound > 0:
        return objective / bound - 1
    return 0.0 if objective <= bound else float("nan")


def some(names: list[str]) -> str:
    """Name a few and count the rest."""
    return ", ".join(names) if len(names) <= SPOKEN else f"{', '.join(names[:SPOKEN])} and {len(names) - SPOKEN} more"


class Infeasible(TerritoryLabError):  # noqa: N818 - read as a verdict; raised only with a proof
    """
    No plan exists, and the message is the proof in words.

    Parameters
    ----------
    reason : str
        What stands in the way.
    units, territories : list of str
        The smallest conflicting set found, kept as attributes.
    """

    def __init__(self, reason: str, units: list[str] | None = None, territories: list[str] | None = None) -> None:
        self.units = units or []
        self.territories = territories or []
        super().__init__(reason)


@dataclass(frozen=True, eq=False)
class Plan:
    """
    An alignment together with the problem it solves, its objective and its proven bound.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment : Series
        ``territory_id`` by unit_id.
    territories : DataFrame
        Centres by territory_id: ``lon, lat`` or ``x_km, y_km``, and ``site`` where the centre stands at a known site.
    objective : float
        Sum of weight x distance ** power, plus the price of what moves.
    bound : float
        No plan within the bands has a lower objective, within ``bound_scope``.
    bound_scope : str
        ``these centres`` or ``any centres``.
    seed : int
        Seed of the run.
    violations : DataFrame
        What `audit` finds; not empty where no plan within all limits was found in time.
    prices : DataFrame
        Shadow price of each balanced activity by territory_id: what one unit of load more costs there, in cost.
    """

    problem: Problem
    alignment: pd.Series
    territories: pd.DataFrame
    objective: float
    bound: float
    bound_scope: str
    seed: int
    violations: pd.DataFrame
    prices: pd.DataFrame

    @property
    def gap(self) -> float:
        """How far the objective is above the bound, as a share of the bound; NaN where the bound is not positive."""
        return gap_between(self.objective, self.bound)

    @property
    def feasible(self) -> bool:
        """Whether the plan keeps every limit."""
        return self.violations.empty
