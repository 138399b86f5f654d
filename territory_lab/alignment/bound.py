"""How good any plan could be: lower bounds that rounding of floating-point numbers cannot break."""

import math

import numpy as np

from territory_lab.alignment.costs import Costs, Floats, lowest
from territory_lab.alignment.prices import Bands


def certificate(costs: Costs, bands: Bands, price: Floats, move_price: float = 0.0, room: float = np.inf) -> float:
    """
    Lower bound on the cost of any plan with these centres, contiguous or not, for any prices.

    By weak duality sum_i min_j (c_ij + load_i p_j) - U p+ + L p- over *all* centres bounds every plan within the
    bands from below. The sum is exact (`math.fsum`); what is left is the rounding of each term, at most a few units
    in the last place, and a margin of 64 of them times the sum of absolute terms is taken off. ``move_price`` is the
    price of the limit ``room`` on the weight that may leave its owner. Infinite where a unit has no allowed territory.
    """
    owned = costs._replace(move_price=costs.move_price + move_price)
    _, value = lowest(owned, bands.loads, price)
    if not np.isfinite(value).all():
        return np.inf
    paid = np.where(price > 0, price * bands.upper, price * bands.lower).ravel()
    terms = [*value, *-paid]
    size = math.fsum(np.abs(value)) + 2 * math.fsum(np.abs(bands.loads).sum(axis=1) * np.abs(price).max(axis=1))
    if move_price > 0:
        terms.append(-move_price * room)
        size += move_price * room
    return math.fsum(terms) - 64 * np.finfo(float).eps * size
