"""Named, saved plans: kept whole, compared side by side, explained move by move, reviewed by people."""

from territory_lab.scenarios.moves import at_risk, enough, explain, made
from territory_lab.scenarios.review import remark, remarks, revised
from territory_lab.scenarios.store import Scenario, compare, load, names, save

__all__ = [
    "Scenario",
    "at_risk",
    "compare",
    "enough",
    "explain",
    "load",
    "made",
    "names",
    "remark",
    "remarks",
    "revised",
    "save",
]
