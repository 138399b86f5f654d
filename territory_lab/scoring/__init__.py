"""Who the ideal customer is, how well each account fits, and which accounts come first."""

from territory_lab.scoring.plans import account_plans
from territory_lab.scoring.priority import engagement, grade, key_accounts, moved, pareto, tiers, top_share
from territory_lab.scoring.profile import IdealCustomerProfile

__all__ = [
    "IdealCustomerProfile",
    "account_plans",
    "engagement",
    "grade",
    "key_accounts",
    "moved",
    "pareto",
    "tiers",
    "top_share",
]
