"""Static maps of units and territories."""

from territory_lab.maps.pictures import change, choropleth, classed, round_limits, territories
from territory_lab.maps.sheet import Sheet, centres, colouring, dissolve, sheet

__all__ = [
    "Sheet",
    "centres",
    "change",
    "choropleth",
    "classed",
    "colouring",
    "dissolve",
    "round_limits",
    "sheet",
    "territories",
]
