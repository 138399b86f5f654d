"""A response judged by people, where sales history cannot tell it."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from territory_lab.errors import BadInput, Fault


@dataclass(frozen=True)
class Adbudg:
    """
    An S-shaped response judged by people: sales at no, half, the same, half more and any effort.

    The form is ``least + (most - least) * x**shape / (half + x**shape)`` for effort ``x`` relative to today
    (Little 1970, Management Science 16:8).

    Parameters
    ----------
    least, most : float
        Sales without any effort and with all effort one could think of, relative to today's.
    shape, half : float
        Steepness, and the level at which half of the way is reached.
    """

    least: float
    most: float
    shape: float
    half: float

    @classmethod
    def judged(cls, none: float, less: float, same: float, more: float, most: float) -> Self:
        """
        Fit the five judged points, by least squares in the logarithm of the odds.

        Parameters
        ----------
        none, less, same, more, most : float
            Sales with 0, 0.5, 1, 1.5 times today's effort and with saturation, in rising order.

        Returns
        -------
        Adbudg
            The curve.
        """
        points = np.array([none, less, same, more, most], dtype=float)
        if not (np.diff(points) > 0).all():
            mend = "judge five rising sales figures"
            raise BadInput([Fault("settings", "adbudg", "", f"points {points.tolist()} do not rise", mend)])
        odds = np.log((points[1:4] - none) / (most - points[1:4]))
        slope, level = np.polyfit(np.log([0.5, 1.0, 1.5]), odds, 1)
        return cls(none, most, float(slope), float(np.exp(-level)))

    def sales(self, effort: np.ndarray) -> np.ndarray:
        """
        Return sales at each effort.

        Parameters
        ----------
        effort : array
            Relative to today's, zero or more.

        Returns
        -------
        array
            In the unit of the judged points, same shape.
        """
        power = np.asarray(effort, dtype=float) ** self.shape
        share: np.ndarray = power / (self.half + power)
        return self.least + (self.most - self.least) * share

    def elasticity(self, effort: float = 1.0) -> float:
        """
        Return the elasticity at one effort, which a ``SalesResponse`` can take for small changes.

        Parameters
        ----------
        effort : float, default 1.0
            Relative to today's.

        Returns
        -------
        float
            Per cent of sales for one per cent of effort.
        """
        power = effort**self.shape
        slope = (self.most - self.least) * self.shape * self.half * power / (self.half + power) ** 2
        return float(slope / self.sales(np.array(effort)))
