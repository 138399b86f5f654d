"""When an alignment is due for review, and the smallest mend."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from territory_lab.errors import BadInput, Fault


def triggers(
    by_territory: pd.DataFrame,
    planned: pd.DataFrame | None = None,
    reps: pd.DataFrame | None = None,
    beside: pd.DataFrame | None = None,
    *,
    tolerance: float = 0.15,
    market_change: float = 0.15,
) -> pd.DataFrame:
    """
    Return the territories that are due for review, why, and the smallest mend.

    Parameters
    ----------
    by_territory : DataFrame
        By ``territory_id``: activities and, for each balanced one, ``deviation_<activity>`` (share from its target).
    planned : DataFrame, optional
        The same table when the alignment was made; its ``potential`` shows how the market has moved.
    reps : DataFrame, optional
        ``territory_id`` of every rep now; a territory that nobody holds is vacant.
    beside : DataFrame, optional
        ``territory_a``, ``territory_b``: which territories lie side by side, as ``staffing.borders`` returns. With it
        the mend names the neighbour with most room.
    tolerance : float, default 0.15
        Allowed deviation of an activity from its target.
    market_change : float, default 0.15
        Allowed change of potential since the plan, beyond the change of the whole.

    Returns
    -------
    DataFrame
        ``territory_id``, ``trigger`` (balance, market, vacancy), ``activity``, ``value`` and ``limit`` (shares),
        ``mend`` (words); the widest first.
    """
    rows = []
    for name in [column for column in by_territory if str(column).startswith("deviation_")]:
        rows += _drifted(by_territory, str(name).removeprefix("deviation_"), tolerance, beside)
    if planned is not None:
        rows += _market_moved(by_territory["potential"], planned["potential"], market_change)
    if reps is not None and "territory_id" in reps:
        vacant = by_territory.index.difference(pd.Index(reps["territory_id"].dropna()))
        words = "Name a rep, or share its units among the neighbours."
        rows += [(territory, "vacancy", "", 1.0, 0.0, words) for territory in vacant]
    table = pd.DataFrame(rows, columns=["territory_id", "trigger", "activity", "value", "limit", "mend"])
    return table.sort_values("value", key=abs, ascending=False, kind="stable", ignore_index=True)


_Row = tuple[object, str, str, float, float, str]
_SAID = {"workload_h": "hours of work"}


def _drifted(table: pd.DataFrame, activity: str, tolerance: float, beside: pd.DataFrame | None) -> list[_Row]:
    """Name territories out of balance, how much to hand over, and the neighbour with most room for it."""
    deviation = table[f"deviation_{activity}"]
    load = table[activity].astype(float)
    target = (load / (1 + deviation).where(deviation > -1)).fillna(load.mean())
    give = load - target * (1 + tolerance)
    take = target * (1 - tolerance) - load
    rows: list[_Row] = []
    for place in np.flatnonzero(deviation.abs() > tolerance).tolist():
        over = give.iloc[place] > 0
        amount, room = (give.iloc[place], -give) if over else (take.iloc[place], -take)
        room = room[_around(table.index[place], beside)].sort_values(ascending=False, kind="stable")
        verb, other = ("Hand", "to") if over else ("Take", "from")
        words = f"{verb} {amount:,.0f} {_SAID.get(activity, f'of {activity}')} {other} its neighbours"
        if len(room):
            words += (
                f": {room.index[0]} has room for {room.iloc[0]:,.0f}"
                if room.iloc[0] > 0
                else ", none of which has room"
            )
        rows.append((table.index[place], "balance", activity, float(deviation.iloc[place]), tolerance, f"{words}."))
    return rows


def _around(territory: object, beside: pd.DataFrame | None) -> pd.Index:
    """Return the territories beside one, as far as is known."""
    if beside is None:
        return pd.Index([])
    a, b = beside["territory_a"], beside["territory_b"]
    around: pd.Index = pd.Index(pd.concat([b[a == territory], a[b == territory]]).to_numpy())
    return around


def _market_moved(potential: pd.Series, planned: pd.Series, limit: float) -> list[_Row]:
    """Name territories whose potential has moved against that of all."""
    both = pd.concat([potential, planned], axis=1, keys=["now", "then"]).dropna()
    change = both["now"] / both["then"] / (both["now"].sum() / both["then"].sum()) - 1
    mend = "Realign with today's potential; its quota is out of date too."
    return [
        (territory, "market", "potential", float(value), limit, mend)
        for territory, value in change[change.abs() > limit].items()
    ]


def mend(
    load: pd.Series,
    alignment: pd.Series,
    neighbours: pd.DataFrame,
    tolerance: float = 0.15,
    shares: pd.Series | None = None,
) -> pd.DataFrame:
    """
    Return few units that, handed over the border, bring every territory back within tolerance.

    The territory farthest out gives to, or takes from, territories beside it, that unit first which evens them out
    most. Nobody is pushed out of tolerance, except to be nearer to it than the giver is and to hand on in turn; no
    territory is cut in two and no unit moves twice. What then stays out of tolerance needs ``solve``, with a price on
    moves.

    Parameters
    ----------
    load : Series
        The activity, zero or more, by ``unit_id``.
    alignment : Series
        Territory of each ``unit_id``.
    neighbours : DataFrame
        ``unit_a``, ``unit_b``.
    tolerance : float, default 0.15
        Allowed deviation from the target.
    shares : Series, optional
        Of the whole activity by ``territory_id``; equal without it.

    Returns
    -------
    DataFrame
        ``unit_id``, ``from_territory``, ``to_territory``, ``load``, in the order of the moves; empty where nothing is
        out of tolerance or nothing helps.
    """
    units = alignment.dropna()
    missing = units.index[~(load.reindex(units.index) >= 0)]
    if len(missing):
        raise BadInput(Fault("units", str(load.name), str(unit), "no load", "give zero or more") for unit in missing)
    state = _State(load.reindex(units.index), units, neighbours, tolerance, shares)
    stuck: set[int] = set()
    while (worst := state.worst(stuck)) is not None:
        if state.hand_over(worst):
            stuck -= state.stirred()
        else:
            stuck.add(worst)
    return pd.DataFrame(state.moves, columns=["unit_id", "from_territory", "to_territory", "load"])


class _State:
    """An alignment being mended: loads, owners and borders as arrays."""

    def __init__(
        self, load: pd.Series, units: pd.Series, neighbours: pd.DataFrame, tolerance: float, shares: pd.Series | None
    ) -> None:
        self.load, self.index = load.to_numpy(dtype=float), units.index
        self.owner, self.names = pd.factorize(units, sort=True)
        a, b = (units.index.get_indexer(pd.Index(neighbours[side])) for side in ("unit_a", "unit_b"))
        known = (a >= 0) & (b >= 0)
        self.starts, self.ends = np.concatenate([a[known], b[known]]), np.concatenate([b[known], a[known]])
        equal = np.full(len(self.names), 1 / len(self.names))
        share = equal if shares is None else shares.reindex(self.names).to_numpy(dtype=float)
        self.target = self.load.sum() * share / share.sum()
        self.low, self.high = self.target * (1 - tolerance), self.target * (1 + tolerance)
        self.held = np.bincount(self.owner, self.load, len(self.names))
        size = len(self.load)
        self.beside = coo_array((np.ones(len(self.starts)), (self.starts, self.ends)), shape=(size, size)).tocsr()
        self.moved = np.zeros(len(self.load), dtype=bool)
        self.moves: list[tuple[object, object, object, float]] = []

    def worst(self, stuck: set[int]) -> int | None:
        """Return the territory farthest out of tolerance that may still be helped."""
        out = np.maximum(self.held - self.high, self.low - self.held) / np.maximum(self.target, 1e-300)
        out[list(stuck)] = 0.0
        place = int(out.argmax())
        return place if out[place] > 1e-9 else None

    def hand_over(self, territory: int) -> bool:
        """Move the unit over a territory's border that evens loads out most; whether there was one."""
        outwards = self.owner[self.starts] == territory
        inwards = self.owner[self.ends] == territory
        gives = self.held[territory] > self.high[territory]
        border = np.flatnonzero((outwards if gives else inwards) & (outwards != inwards) & ~self.moved[self.starts])
        unit, goal = self.starts[border], self.owner[self.ends[border]]
        source, load = self.owner[unit], self.load[unit]
        given, taken = self.held[source] - load, self.held[goal] + load
        nearer = taken / self.target[goal] <= given / self.target[source]
        fits = (load > 0) & (nearer | ((given >= self.low[source]) & (taken <= self.high[goal])))
        for place in np.lexsort((goal, unit, abs(given / self.target[source] - taken / self.target[goal]))):
            if fits[place] and self._stays_whole(int(unit[place])):
                self._move(int(unit[place]), int(goal[place]))
                return True
        return False

    def _stays_whole(self, unit: int) -> bool:
        """Whether a territory has no more pieces without a unit than with it."""
        others = np.flatnonzero(self.owner == self.owner[unit])
        others = others[others != unit]
        near = self.beside.indices[self.beside.indptr[unit] : self.beside.indptr[unit + 1]]
        near = np.unique(near[self.owner[near] == self.owner[unit]])
        if len(near) < 2 or self._pieces(near) == 1:  # what it joined holds together without it
            return len(others) > 0
        return self._pieces(others) <= self._pieces(np.append(others, unit))

    def _pieces(self, units: np.ndarray) -> int:
        """Count connected pieces among some units."""
        return int(connected_components(self.beside[units][:, units])[0])

    def stirred(self) -> set[int]:
        """Return the territories that the last move may have opened a way for: its own two and those beside them."""
        two = self.names.get_indexer(pd.Index(self.moves[-1][1:3]))
        start, end = self.owner[self.starts], self.owner[self.ends]
        return {*two.tolist(), *end[np.isin(start, two)].tolist()}

    def _move(self, unit: int, goal: int) -> None:
        """Hand a unit over."""
        source = self.owner[unit]
        self.moves.append((self.index[unit], self.names[source], self.names[goal], float(self.load[unit])))
        self.held[source] -= self.load[unit]
        self.held[goal] += self.load[unit]
        self.owner[unit], self.moved[unit] = goal, True
