"""
How sales answer selling time, and what that makes a plan worth.

A unit of potential ``p`` with ``t`` hours of selling time sells ``scale * p**(1 - b) * t**b``, with elasticity ``b``
in (0, 1): the power form of Skiera and Albers (1998, Marketing Science 17:3), written so that cutting a unit in two
changes nothing. A rep who splits ``T`` hours best gives each unit time in proportion to its potential, which leaves
``scale * P**(1 - b) * T**b`` for a territory of total potential ``P``. By the inequality of Jensen (Hölder) no
alignment of the same potential and hours sells more than one territory holding both sums: the bound.
The default elasticity is the mean of the meta-analysis of Albers, Mantrala and Sridhar (2010, JMR 47:5).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

LOSS_SHARE = (0.0, 0.05, 0.176)
"""Lowest, usual and highest share of sales lost where the rep changes (the highest: Shi et al. 2017, JM 81:2)."""

BAND = (0.05, 0.95)
"""Quantiles of every band in this module."""

_SWEPT = 7  # elasticities
_DRAWS = 400
# How far off what is known may be, as standard deviations of the logarithm of true over known: the potential of a unit,
# of all units of one of today's territories together (its trade, its competitors, its largest accounts), and what a
# rep makes of the same potential and hours.
_UNIT, _PLACE, _REP = 0.3, 0.2, 0.1


@dataclass(frozen=True)
class SalesResponse:
    """
    Sales as a power of selling time, with the range in which the power is believed to lie.

    Parameters
    ----------
    elasticity : float, default 0.34
        Per cent of sales gained by one per cent more selling time.
    low, high : float, default 0.20 and 0.50
        The range of ``elasticity`` that bands sweep.
    scale : float, default 1.0
        Sales per ``potential**(1 - b) * hours**b``; see ``calibrate``.
    """

    elasticity: float = 0.34
    low: float = 0.20
    high: float = 0.50
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.elasticity <= self.high < 1:
            found = f"low {self.low}, elasticity {self.elasticity}, high {self.high}"
            raise BadInput([Fault("settings", "elasticity", "", found, "keep 0 < low <= elasticity <= high < 1")])

    def calibrate(self, sales: float, potential: pd.Series, alignment: pd.Series, hours: float | pd.Series) -> Self:
        """
        Set the scale so that an alignment is expected to sell what it did sell.

        Parameters
        ----------
        sales : float
            Money sold in a year under ``alignment``.
        potential : Series
            Money a year by ``unit_id``.
        alignment : Series
            Territory of each ``unit_id``.
        hours : float or Series
            Selling hours a year, the same in each territory or by ``territory_id``.

        Returns
        -------
        SalesResponse
            The same response with another scale.
        """
        expected = self.expected_sales(potential, alignment, hours).sum()
        return replace(self, scale=self.scale * sales / float(expected))

    def expected_sales(self, potential: pd.Series, alignment: pd.Series, hours: float | pd.Series) -> pd.Series:
        """
        Return what each territory sells when its rep splits the time best.

        Parameters
        ----------
        potential : Series
            Money a year by ``unit_id``, zero or more.
        alignment : Series
            Territory of each ``unit_id``; units without one sell nothing.
        hours : float or Series
            Selling hours a year (net of travel), the same in each territory or by ``territory_id``.

        Returns
        -------
        Series
            ``expected_sales`` by ``territory_id``, in the money of ``scale``.
        """
        total = _potential_by_territory(potential, alignment)
        time = _hours_by_territory(hours, total.index)
        return (self.scale * total ** (1 - self.elasticity) * time**self.elasticity).rename("expected_sales")

    def best_split(self, potential: pd.Series, hours: float) -> pd.Series:
        """
        Return how one rep splits the time best: in proportion to potential.

        Parameters
        ----------
        potential : Series
            Money a year by ``unit_id``.
        hours : float
            Selling hours a year.

        Returns
        -------
        Series
            ``hours`` by ``unit_id``, which sum to the given hours.
        """
        return (hours * potential / potential.sum()).rename("hours")

    def attractiveness(self, sales_at_one_hour: pd.Series) -> pd.Series:
        """
        Turn unequal responses into the additive activity that takes the place of potential.

        Where unit ``i`` sells ``a_i * t**b``, plans that balance ``a_i**(1 / (1 - b))`` sell most
        (Skiera and Albers 1998, eq. 8), which balancing potential does only if all units respond alike.

        Parameters
        ----------
        sales_at_one_hour : Series
            ``a_i`` by ``unit_id``, money.

        Returns
        -------
        Series
            ``attractiveness`` by ``unit_id``, to be given wherever ``potential`` is asked for.
        """
        return (sales_at_one_hour ** (1 / (1 - self.elasticity))).rename("attractiveness")

    def bound(self, potential: pd.Series, hours: float | pd.Series, territories: int = 1) -> float:
        """
        Return sales that no alignment of these units and hours exceeds.

        Parameters
        ----------
        potential : Series
            Money a year by ``unit_id``.
        hours : float or Series
            Selling hours a year, the same in each territory or by ``territory_id``.
        territories : int, default 1
            How many territories have those hours, where ``hours`` is one number.

        Returns
        -------
        float
            Money a year.
        """
        total_hours = float(hours.sum()) if isinstance(hours, pd.Series) else hours * territories
        return float(self.scale * potential.sum() ** (1 - self.elasticity) * total_hours**self.elasticity)

    def price_of_fairness(
        self, attractiveness: pd.Series, fair: pd.Series, best: pd.Series, hours: float | pd.Series
    ) -> pd.Series:
        """
        Return what it costs to share out work evenly rather than where it sells most.

        Parameters
        ----------
        attractiveness : Series
            What a plan must balance to sell most, by ``unit_id``: see ``attractiveness``.
        fair : Series
            Territory of each ``unit_id`` where work or potential is balanced.
        best : Series
            The same where attractiveness is.
        hours : float or Series
            Selling hours a year, the same in each territory or by ``territory_id``.

        Returns
        -------
        Series
            ``fair`` and ``best`` (sales of the two), ``price`` (of ``best``, lost with ``fair``) and ``at_most``
            (lost against the bound over all plans), the last two as shares.
        """
        sold = {
            name: float(self.expected_sales(attractiveness, plan, hours).sum())
            for name, plan in (("fair", fair), ("best", best))
        }
        most = self.bound(attractiveness, hours, fair.nunique())
        shares = {"price": 1 - sold["fair"] / sold["best"], "at_most": 1 - sold["fair"] / most}
        return pd.Series(sold | shares, name="price_of_fairness")

    def lift(
        self,
        potential: pd.Series,
        today: pd.Series,
        proposed: pd.Series,
        hours: float | pd.Series,
        hours_proposed: float | pd.Series | None = None,
        *,
        revenue: pd.Series | None = None,
        retained_share: float = 0.0,
        seed: int = 0,
    ) -> pd.DataFrame:
        """
        Return what a proposed alignment brings, in parts, each with its band.

        The band is the 5 % to 95 % range over draws of the elasticity (triangular on its range), of the loss where a
        unit changes hands (triangular on ``LOSS_SHARE``), and of errors in what is known of units, places and reps.

        Parameters
        ----------
        potential : Series
            Money a year by ``unit_id``.
        today, proposed : Series
            Territory of each ``unit_id``, with the same names for the same reps.
        hours : float or Series
            Selling hours a year under ``today``, net of travel.
        hours_proposed : float or Series, optional
            The same under ``proposed``; without it only the balance changes.
        revenue : Series, optional
            Money sold a year by ``unit_id``, which is at risk where the rep changes; otherwise expected sales.
        retained_share : float, default 0.0
            Share of the moved revenue that stays with its rep or is handed over in person.
        seed : int, default 0
            Of the draws.

        Returns
        -------
        DataFrame
            ``value``, ``low``, ``high`` as shares of today's sales, by ``part``: balance, travel, disruption, total.
        """
        later = hours if hours_proposed is None else hours_proposed
        units = _Pair(potential, (today, hours), (proposed, later), revenue)
        generator = np.random.default_rng(seed)
        elasticity = triangular(generator, (self.low, self.elasticity, self.high), _DRAWS)
        loss = triangular(generator, LOSS_SHARE, _DRAWS) * (1 - retained_share)
        pairs = zip(elasticity, loss, strict=True)
        drawn = np.array([units.parts(b, lost, *units.draw(generator)) for b, lost in pairs])
        value = units.parts(self.elasticity, LOSS_SHARE[1] * (1 - retained_share), 1.0, np.ones(len(units.territories)))
        low, high = np.quantile(drawn, BAND, axis=0)
        parts = pd.Index(["balance", "travel", "disruption", "total"], name="part")
        return pd.DataFrame({"value": value, "low": low, "high": high}, index=parts)

    def swept(
        self,
        potential: pd.Series,
        today: pd.Series,
        proposed: pd.Series,
        hours: float | pd.Series,
        hours_proposed: float | pd.Series | None = None,
        *,
        revenue: pd.Series | None = None,
    ) -> pd.DataFrame:
        """
        Return what a proposed alignment brings at each elasticity of the range, and where staying would win.

        Parameters
        ----------
        potential, today, proposed, hours, hours_proposed, revenue : Series or float
            As in `lift`.

        Returns
        -------
        DataFrame
            By ``elasticity``: ``gain_share`` (of today's sales, at the usual loss) and ``break_even_loss_share`` (of
            the sales that change hands: the loss at which nothing is gained; missing where nothing moves).
        """
        later = hours if hours_proposed is None else hours_proposed
        units = _Pair(potential, (today, hours), (proposed, later), revenue)
        steps = np.linspace(self.low, self.high, _SWEPT)
        skill = np.ones(len(units.territories))
        parts = np.array([units.parts(b, 1.0, 1.0, skill) for b in steps])
        gained, moved = parts[:, 0] + parts[:, 1], -parts[:, 2]
        even = np.divide(gained, moved, out=np.full(_SWEPT, np.nan), where=moved > 0)
        swept = {"gain_share": gained - LOSS_SHARE[1] * moved, "break_even_loss_share": even}
        return pd.DataFrame(swept, index=pd.Index(steps.round(2), name="elasticity"))


class _Pair:
    """Two alignments of the same units as arrays, ready to be valued many times."""

    def __init__(
        self,
        potential: pd.Series,
        today: tuple[pd.Series, float | pd.Series],
        proposed: tuple[pd.Series, float | pd.Series],
        revenue: pd.Series | None,
    ) -> None:
        before, after = today[0].reindex(potential.index), proposed[0].reindex(potential.index)
        self.potential = potential.to_numpy(dtype=float)
        self.revenue = None if revenue is None else revenue.reindex(potential.index).fillna(0.0).to_numpy(dtype=float)
        self.moved = (before.notna() & (before != after)).to_numpy(dtype=bool)
        self.territories = pd.Index(sorted(set(before.dropna()) | set(after.dropna())))
        self.before, self.hours_before = self._codes_and_hours(before, today[1])
        self.after, self.hours_after = self._codes_and_hours(after, proposed[1])

    def _codes_and_hours(self, alignment: pd.Series, hours: float | pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return each unit's territory as a number (-1 for none) and the hours of each territory, 0 where it is not."""
        there = self.territories[self.territories.isin(alignment)]
        return self.territories.get_indexer(pd.Index(alignment)), (
            _hours_by_territory(hours, there).reindex(self.territories, fill_value=0.0).to_numpy(dtype=float)
        )

    def draw(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw factors on the potential of units (with their place, which is today's territory) and on reps' sales."""
        place = generator.lognormal(0.0, _PLACE, len(self.territories) + 1)
        unit = generator.lognormal(0.0, _UNIT, len(self.potential))
        return unit * place[self.before], generator.lognormal(0.0, _REP, len(self.territories))

    def parts(self, elasticity: float, loss: float, factor: np.ndarray | float, skill: np.ndarray) -> np.ndarray:
        """Value balance, travel, disruption and total as shares of today's sales."""
        potential = self.potential * factor
        now = _sales(potential, self.before, self.hours_before, elasticity) @ skill
        then = _sales(potential, self.after, self.hours_after, elasticity) @ skill
        total_gain = then / now - 1
        more_time = float(self.hours_after.sum() / self.hours_before.sum())
        balance = (1 + total_gain) / more_time**elasticity - 1
        at_risk = potential if self.revenue is None else self.revenue
        disruption = -loss * float(at_risk[self.moved].sum() / at_risk.sum())
        return np.array([balance, total_gain - balance, disruption, total_gain + disruption])


def _potential_by_territory(potential: pd.Series, alignment: pd.Series) -> pd.Series:
    """Sum potential by territory, after checking that it can be summed."""
    faults = [
        Fault("units", "potential", str(unit), f"{value}", "give zero or more")
        for unit, value in potential[~(potential >= 0)].items()
    ]
    unknown = alignment.index.difference(potential.index)
    faults += [Fault("alignment", "unit_id", str(unit), "has no potential", "add it to the units") for unit in unknown]
    if faults:
        raise BadInput(faults)
    return potential.groupby(alignment.reindex(potential.index)).sum().rename_axis("territory_id")


def _hours_by_territory(hours: float | pd.Series, territories: pd.Index) -> pd.Series:
    """Return hours for each territory, naming every one that has none."""
    if not isinstance(hours, pd.Series):
        return pd.Series(float(hours), index=territories)
    given = hours.reindex(territories)
    faults = [
        Fault("territories", "hours", str(territory), f"{value}", "give selling hours, zero or more")
        for territory, value in given[~(given >= 0)].items()
    ]
    if faults:
        raise BadInput(faults)
    return given


def _sales(potential: np.ndarray, codes: np.ndarray, hours: np.ndarray, elasticity: float) -> np.ndarray:
    """Value the territories of an alignment at scale one."""
    covered = codes >= 0
    total = np.bincount(codes[covered], weights=potential[covered], minlength=len(hours))
    return np.asarray(total ** (1 - elasticity) * hours**elasticity)


def triangular(generator: np.random.Generator, span: tuple[float, float, float], draws: int) -> np.ndarray:
    """
    Draw from a triangle, or repeat its mode where it has no width.

    Parameters
    ----------
    generator : Generator
        Source of the draws.
    span : tuple of float
        Low, mode and high.
    draws : int
        How many.

    Returns
    -------
    array
        Shape (draws,).
    """
    low, mode, high = span
    return generator.triangular(low, mode, high, draws) if low < high else np.full(draws, mode)
