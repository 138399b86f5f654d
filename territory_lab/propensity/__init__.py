"""Who will buy more, who will buy what next, and what that is worth: judged on later data, calibrated, explained."""

from territory_lab.propensity.contest import Comparison, Terms, compare
from territory_lab.propensity.leaks import leak_scan
from territory_lab.propensity.learning import Learned, learn
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.score import Scored, apply, potential, score_accounts
from territory_lab.propensity.value import Forecast, forecast_revenue
from territory_lab.propensity.watch import Profile, drift

__all__ = [
    "Comparison",
    "Forecast",
    "Learned",
    "Profile",
    "PropensityModel",
    "Scored",
    "Terms",
    "apply",
    "compare",
    "drift",
    "forecast_revenue",
    "leak_scan",
    "learn",
    "potential",
    "score_accounts",
]
