"""
Sales-territory alignment: the fastest balanced, contiguous, compact plan, with a proof of how good it is.

Minimises weight x distance (Hess et al. 1965; Zoltners and Sinha 1983; Kalcsics, Nickel and Schröder 2005) within
hard balance limits. Knows nothing of files or screens.
"""

from territory_lab.alignment import metrics
from territory_lab.alignment.audit import audit
from territory_lab.alignment.frontier import frontier
from territory_lab.alignment.locate import Located, locate
from territory_lab.alignment.plan import Infeasible, Plan
from territory_lab.alignment.problem import Problem, great_circle_km
from territory_lab.alignment.reoptimise import reoptimise
from territory_lab.alignment.solve import solve

__all__ = [
    "Infeasible",
    "Located",
    "Plan",
    "Problem",
    "audit",
    "frontier",
    "great_circle_km",
    "locate",
    "metrics",
    "reoptimise",
    "solve",
]
