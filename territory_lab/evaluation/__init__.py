"""How territories do for what they hold: strong and troubled ones, when to review, what a past change brought."""

from territory_lab.evaluation.past import backtest
from territory_lab.evaluation.performance import performance, territory_sales
from territory_lab.evaluation.review import triggers

__all__ = ["backtest", "performance", "territory_sales", "triggers"]
