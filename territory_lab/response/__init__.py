"""How sales answer selling time, and what that makes a plan worth."""

from territory_lab.response.judged import Adbudg
from territory_lab.response.power import BAND, LOSS_SHARE, SalesResponse, triangular

__all__ = ["BAND", "LOSS_SHARE", "Adbudg", "SalesResponse", "triangular"]
