"""How large the market is, how much of it is ours, and how its regions differ."""

from territory_lab.market._cells import worked
from territory_lab.market.census import read_cbp, read_counts
from territory_lab.market.estimates import contract_values, expected_spend, serviceable
from territory_lab.market.regions import PLAYBOOK, Play, local_drivers, local_factors, regional_profiles
from territory_lab.market.share import certainty, cross_check, penetration, unmatched
from territory_lab.market.size import assume, market_by, size_market, totals

__all__ = [
    "PLAYBOOK",
    "Play",
    "assume",
    "certainty",
    "contract_values",
    "cross_check",
    "expected_spend",
    "local_drivers",
    "local_factors",
    "market_by",
    "penetration",
    "read_cbp",
    "read_counts",
    "regional_profiles",
    "serviceable",
    "size_market",
    "totals",
    "unmatched",
    "worked",
]
