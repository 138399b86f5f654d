"""How large the market is, how much of it is ours, and how its regions differ."""

from territory_lab.market.census import read_cbp, read_counts
from territory_lab.market.estimates import contract_values, serviceable
from territory_lab.market.share import cross_check, penetration, unmatched
from territory_lab.market.size import market_by, size_market, totals

__all__ = [
    "contract_values",
    "cross_check",
    "market_by",
    "penetration",
    "read_cbp",
    "read_counts",
    "serviceable",
    "size_market",
    "totals",
    "unmatched",
]
