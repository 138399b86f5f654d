"""How large the market is, how much of it is ours, and how its regions differ."""

from territory_lab.market.estimates import contract_values, serviceable
from territory_lab.market.size import market_by, size_market, totals

__all__ = ["contract_values", "market_by", "serviceable", "size_market", "totals"]
