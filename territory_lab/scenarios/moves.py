"""What a plan's moves bring, one after the other, so that most of the gain can be had with few of them."""

from typing import Any, Protocol

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.response import LOSS_SHARE, SalesResponse


class Planned(Protocol):
    """A plan of ``territory_lab.alignment``, or anything with its alignment and its problem."""

    @property
    def alignment(self) -> pd.Series:
        """Territory of each unit, by ``unit_id``."""

    @property
    def problem(self) -> Any:  # noqa: ANN401 - only its units and first activity are read
        """Where potential comes from unless it is given."""


def explain(
    plan: Planned,
    current: pd.Series,
    *,
    potential: pd.Series | None = None,
    hours: float | pd.Series = 1.0,
    travel_h: pd.DataFrame | None = None,
    revenue: pd.Series | None = None,
    response: SalesResponse | None = None,
    loss_share: float = LOSS_SHARE[1],
    by_unit: bool = False,
) -> pd.DataFrame:
    """
    Rank the moves from today to a plan by what each adds to expected sales, given those before it.

    Each step takes the move that adds most to what is already done (the greedy order), less what the change of rep
    puts at risk. A move is all units that go from one territory to another, or one unit.

    Parameters
    ----------
    plan : Plan
        The plan, or anything with its ``alignment`` and ``problem``.
    current : Series
        Today's alignment, ``territory_id`` by ``unit_id``.
    potential : Series, optional
        Money a year by ``unit_id``; the first balanced activity of the problem without it.
    hours : float or Series
        Hours a rep has in a year, travel included where ``travel_h`` is given, the same or by ``territory_id``.
    travel_h : DataFrame, optional
        By ``unit_id``: ``today`` and ``proposed``, hours a year on the road to it.
    revenue : Series, optional
        Money sold a year by ``unit_id``, at risk where the rep changes; potential without it.
    response : SalesResponse, optional
        Elasticity of sales to time; the default response without it.
    loss_share : float, default 0.05
        Share of moved revenue that is lost.
    by_unit : bool, default False
        A move for each unit rather than for each pair of territories.

    Returns
    -------
    DataFrame
        By ``rank``: ``from_territory`` (missing where nobody had it), ``to_territory``, ``units`` (number),
        ``unit_ids`` (list), ``effect`` (of the move, as a share of today's expected sales),
        ``gain_share`` (of the most that first moves bring, up to and with this move: later moves may cost more than
        they bring), ``moved_share`` (of revenue, up to and with this move).
    """
    response = response or SalesResponse()
    if potential is None:
        potential = plan.problem.units[plan.problem.activities[0]]
    units = pd.DataFrame({"to": plan.alignment, "from": current.reindex(plan.alignment.index)})
    units["potential"] = potential.reindex(units.index)
    units["revenue"] = units["potential"] if revenue is None else revenue.reindex(units.index).fillna(0.0)
    for side in ("today", "proposed"):
        units[side] = 0.0 if travel_h is None else travel_h[side].reindex(units.index).fillna(0.0)
    faults = [
        Fault("units", "potential", str(unit), "is missing or below zero", "give zero or more")
        for unit in units.index[~(units["potential"] >= 0)]
    ]
    if faults:
        raise BadInput(faults)
    return _Ranking(units, hours, response.elasticity, loss_share, by_unit=by_unit).table()


def enough(moves: pd.DataFrame, share: float = 0.8) -> pd.DataFrame:
    """
    Return the first moves that bring a share of the gain.

    Parameters
    ----------
    moves : DataFrame
        As ``explain`` returns.
    share : float, default 0.8
        Of the whole gain.

    Returns
    -------
    DataFrame
        Its first rows; none where the plan gains nothing.
    """
    reached = np.flatnonzero(moves["gain_share"] >= share)
    return moves.iloc[: reached[0] + 1 if len(reached) else 0]


def made(current: pd.Series, moves: pd.DataFrame) -> pd.Series:
    """
    Return today's alignment after some moves.

    Parameters
    ----------
    current : Series
        Today's alignment, ``territory_id`` by ``unit_id``.
    moves : DataFrame
        Rows of ``explain``, e.g. those that ``enough`` keeps. They may leave a territory in two pieces: audit it.

    Returns
    -------
    Series
        The alignment, in the order of ``current`` with units that nobody had at the end.
    """
    goal = moves.explode("unit_ids").set_index("unit_ids")["to_territory"]
    index = current.index.append(goal.index.difference(current.index))
    alignment = goal.reindex(index).fillna(current.reindex(index))
    return pd.Series(alignment.to_numpy(), index.rename(current.index.name), dtype=current.dtype, name=current.name)


def at_risk(
    revenue: pd.Series,
    today: pd.Series,
    proposed: pd.Series,
    *,
    margin_share: float = 1.0,
    retained_share: float = 0.0,
    tenure_years: pd.Series | None = None,
) -> pd.DataFrame:
    """
    Return what is at risk where accounts or units change hands, by the territory that gives them away.

    Moved revenue x margin x loss rate (``LOSS_SHARE``: low, usual, high) x (1 - retained). With ``tenure_years`` the
    rate grows with how long the tie has lasted, in proportion to the mean and at most twice the rate.

    Parameters
    ----------
    revenue : Series
        Money sold a year by account or unit.
    today, proposed : Series
        Territory of each of them; what nobody has today is at no risk.
    margin_share : float, default 1.0
        Margin as a share of revenue; 1 gives sales, not profit.
    retained_share : float, default 0.0
        Share that keeps its rep or is handed over in person.
    tenure_years : Series, optional
        How long each has had its rep.

    Returns
    -------
    DataFrame
        By ``territory_id`` (today's): ``revenue_moved`` (money a year), ``low``, ``usual``, ``high`` (money a year).
    """
    table = pd.DataFrame(
        {"revenue": revenue, "from": today.reindex(revenue.index), "to": proposed.reindex(revenue.index)}
    )
    moved = table[table["from"].notna() & (table["from"] != table["to"])]
    tie = pd.Series(1.0, index=moved.index)
    if tenure_years is not None:
        mean = float(np.average(tenure_years.reindex(table.index).fillna(0.0), weights=table["revenue"]))
        tie = (tenure_years.reindex(moved.index).fillna(0.0) / mean).clip(upper=2.0) if mean > 0 else tie
    base = moved["revenue"] * tie * margin_share * (1 - retained_share)
    risk = pd.DataFrame({name: base * rate for name, rate in zip(("low", "usual", "high"), LOSS_SHARE, strict=True)})
    risk.insert(0, "revenue_moved", moved["revenue"])
    return risk.groupby(moved["from"]).sum().rename_axis("territory_id")


class _Ranking:
    """Territories' potential and travel as they stand while moves are made one by one."""

    def __init__(
        self, units: pd.DataFrame, hours: float | pd.Series, elasticity: float, loss_share: float, *, by_unit: bool
    ) -> None:
        self.elasticity = elasticity
        self.territories = pd.Index(sorted(set(units["to"].dropna()) | set(units["from"].dropna())))
        given = hours.reindex(self.territories) if isinstance(hours, pd.Series) else hours
        self.hours = np.broadcast_to(np.asarray(given, dtype=float), len(self.territories))
        if not (self.hours > 0).all():
            short = self.territories[~(self.hours > 0)]
            raise BadInput(Fault("territories", "hours", str(name), "none", "give hours above zero") for name in short)
        before = self.territories.get_indexer(units["from"])
        owned = units.assign(code=before)[before >= 0].groupby("code")
        self.potential = (
            owned["potential"].sum().reindex(range(len(self.territories)), fill_value=0.0).to_numpy(copy=True)
        )
        self.travel = owned["today"].sum().reindex(range(len(self.territories)), fill_value=0.0).to_numpy(copy=True)
        self.today = float(self._sales(np.arange(len(self.territories)), 0.0, 0.0).sum())
        self.moves = _grouped(units, by_unit=by_unit)
        self.source = self.territories.get_indexer(self.moves["from"])
        self.goal = self.territories.get_indexer(self.moves["to"])
        revenue = float(units["revenue"].sum())
        self.moved_share = self.moves["revenue"].to_numpy() / revenue if revenue > 0 else np.zeros(len(self.moves))
        self.risk = loss_share * self.moved_share * (self.source >= 0)

    def _sales(self, territory: np.ndarray, potential: np.ndarray | float, travel: np.ndarray | float) -> np.ndarray:
        """Value territories after they took on potential and travel."""
        held = np.maximum(self.potential[territory] + potential, 0.0)
        time = np.maximum(self.hours[territory] - self.travel[territory] - travel, 0.05 * self.hours[territory])
        return np.asarray(held ** (1 - self.elasticity) * time**self.elasticity)

    def _effects(self, move: np.ndarray) -> np.ndarray:
        """Value moves on top of what is done already, as shares of today's sales."""
        gain = np.zeros(len(move))
        for territory, sign, road in ((self.source[move], -1, "today"), (self.goal[move], 1, "proposed")):
            potential = sign * self.moves["potential"].to_numpy()[move]
            travel = sign * self.moves[road].to_numpy()[move]
            change = self._sales(territory, potential, travel) - self._sales(territory, 0.0, 0.0)
            gain += np.where(territory >= 0, change, 0.0)
        return np.asarray(gain / self.today - self.risk[move])

    def _make(self, move: int) -> None:
        """Make one move."""
        for territory, sign, road in ((self.source[move], -1, "today"), (self.goal[move], 1, "proposed")):
            if territory >= 0:
                self.potential[territory] += sign * self.moves["potential"].iloc[move]
                self.travel[territory] += sign * self.moves[road].iloc[move]

    def table(self) -> pd.DataFrame:
        """Make the best move until none is left, and tell."""
        effects = self._effects(np.arange(len(self.moves)))
        left = np.ones(len(self.moves), dtype=bool)
        order, effect = [], []
        while left.any():
            best = int(np.where(left, effects, -np.inf).argmax())
            order.append(best)
            effect.append(effects[best])
            left[best] = False
            self._make(best)
            touched = [territory for territory in (self.source[best], self.goal[best]) if territory >= 0]
            again = np.flatnonzero(left & (np.isin(self.source, touched) | np.isin(self.goal, touched)))
            effects[again] = self._effects(again)
        done = np.cumsum(effect)
        most = done.max() if len(done) else 0.0
        moves = self.moves.iloc[order]
        return pd.DataFrame(
            {
                "from_territory": moves["from"].to_numpy(),
                "to_territory": moves["to"].to_numpy(),
                "units": moves["units"].to_numpy(),
                "unit_ids": moves["unit_ids"].to_numpy(),
                "effect": np.array(effect, dtype=float),
                "gain_share": done / most if most > 0 else np.full(len(done), np.nan),
                "moved_share": np.cumsum(self.moved_share[order]),
            },
            index=pd.RangeIndex(1, len(order) + 1, name="rank"),
        )


def _grouped(units: pd.DataFrame, *, by_unit: bool) -> pd.DataFrame:
    """Collect the units that change hands into moves, in the order of their names."""
    moved = units[(units["from"] != units["to"]) | units["from"].isna()].sort_index()
    moved = moved[moved["to"].notna()].assign(units=1)
    if by_unit:
        return moved.assign(unit_ids=pd.Series([[unit] for unit in moved.index], moved.index, dtype=object))
    moved = moved.assign(unit_ids=moved.index)
    pairs = moved.groupby(["from", "to"], dropna=False)
    sums = pairs[["potential", "revenue", "today", "proposed", "units"]].sum()
    return sums.assign(unit_ids=pairs["unit_ids"].agg(list)).reset_index()
