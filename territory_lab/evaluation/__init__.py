"""How territories do for what they hold: strong and troubled ones, when to review, what a past change brought."""

from territory_lab.evaluation.past import backtest
from territory_lab.evaluation.performance import outcomes, performance, territory_sales
from territory_lab.evaluation.review import mend, triggers

__all__ = ["backtest", "mend", "outcomes", "performance", "territory_sales", "triggers"]
