"""A plan edited by hand: each edit gives a new plan, and nothing that was is lost. Knows nothing of screens."""

from territory_lab.editing.draft import Draft, Step
from territory_lab.editing.edits import assign, lock, locks, mend, merge, split_off, started, unlock
from territory_lab.editing.looking import explain, strays

__all__ = [
    "Draft",
    "Step",
    "assign",
    "explain",
    "lock",
    "locks",
    "mend",
    "merge",
    "split_off",
    "started",
    "strays",
    "unlock",
]
