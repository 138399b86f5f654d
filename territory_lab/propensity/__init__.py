"""Who will buy more, who will buy what next, and what that is worth: judged on later data, calibrated, explained."""

from territory_lab.propensity.actions import Actions, filled, next_best_action
from territory_lab.propensity.contest import Comparison, Terms, compare
from territory_lab.propensity.leaks import leak_scan
from territory_lab.propensity.learning import LOOKBACK, Learned, learn
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.playbook import Playbook
from territory_lab.propensity.review import profit, stability
from territory_lab.propensity.score import Scored, apply, potential, score_accounts
from territory_lab.propensity.uplift import UpliftModel
from territory_lab.propensity.value import Forecast, forecast_revenue
from territory_lab.propensity.watch import Profile, drift
from territory_lab.propensity.whitespace import WhiteSpaceModel, white_space

__all__ = [
    "LOOKBACK",
    "Actions",
    "Comparison",
    "Forecast",
    "Learned",
    "Playbook",
    "Profile",
    "PropensityModel",
    "Scored",
    "Terms",
    "UpliftModel",
    "WhiteSpaceModel",
    "apply",
    "compare",
    "drift",
    "filled",
    "forecast_revenue",
    "leak_scan",
    "learn",
    "next_best_action",
    "potential",
    "profit",
    "score_accounts",
    "stability",
    "white_space",
]
