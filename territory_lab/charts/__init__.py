"""How everything looks: design tokens, number formats, tables, and one figure function per question."""

from territory_lab.charts.customers import funnel, lift, market_bars, pareto
from territory_lab.charts.models import calibration, gains, profit, reliability, stability, white_space
from territory_lab.charts.picture import Picture
from territory_lab.charts.plans import balance, fairness, frontier, performance, quotas, sizing
from territory_lab.charts.speech import languages, say, says, speaking
from territory_lab.charts.tables import Table, table
from territory_lab.charts.tokens import css_tokens
from territory_lab.charts.words import band, best_possible, count, in_currency, money, number, percent, plural

__all__ = [
    "Picture",
    "Table",
    "balance",
    "band",
    "best_possible",
    "calibration",
    "count",
    "css_tokens",
    "fairness",
    "frontier",
    "funnel",
    "gains",
    "in_currency",
    "languages",
    "lift",
    "market_bars",
    "money",
    "number",
    "pareto",
    "percent",
    "performance",
    "plural",
    "profit",
    "quotas",
    "reliability",
    "say",
    "says",
    "sizing",
    "speaking",
    "stability",
    "table",
    "white_space",
]
