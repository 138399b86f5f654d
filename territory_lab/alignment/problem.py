"""The question: units, territories, what must balance, and what is not allowed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from territory_lab.alignment.checks import check
from territory_lab.alignment.costs import EARTH_RADIUS_KM, PLANE, SPHERE, TABLE, Costs, Flags, Floats, Ints
from territory_lab.errors import BadInput

Pairs = pd.DataFrame | Iterable[tuple[str, str]]


def great_circle_km(lon_a: ArrayLike, lat_a: ArrayLike, lon_b: ArrayLike, lat_b: ArrayLike) -> Floats:
    """
    Great-circle distance by the haversine formula, on a sphere of radius 6371.0088 km.

    Parameters
    ----------
    lon_a, lat_a, lon_b, lat_b : array_like
        Degrees; shapes broadcast.

    Returns
    -------
    ndarray of float
        Kilometres.
    """
    x_a, y_a, x_b, y_b = (np.radians(np.asarray(degrees, dtype=float)) for degrees in (lon_a, lat_a, lon_b, lat_b))
    square = np.sin((y_b - y_a) / 2) ** 2 + np.cos(y_a) * np.cos(y_b) * np.sin((x_b - x_a) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(square))))


class Arrays(NamedTuple):
    """A problem as numbers, for n units, k territories and m balanced activities."""

    points: Floats  # units in km, shape (n, 3); zeros where only a matrix of distances is known
    homes: Floats  # fixed homes in km, shape (k, 3), or (0, 3) where centres are free
    table: Floats  # distances, shape (n, sites), or (0, 0) without a matrix
    weight: Floats  # what multiplies distance, shape (n,)
    loads: Floats  # the balanced activities, shape (m, n)
    lower: Floats  # limit of each activity in each territory, shape (m, k)
    upper: Floats  # likewise
    owner: Ints  # today's territory, -1 for none, shape (n,)
    pinned: Ints  # the locked one, likewise
    banned: Flags  # forbidden pairs, shape (n, k), or (0, 0)
    starts: Ints  # neighbours of unit i: ``ends[starts[i]:starts[i + 1]]``; ``ends`` is empty without contiguity
    ends: Ints


@dataclass(frozen=True, eq=False)
class Problem:
    """
    An alignment problem: minimise weight x distance ** power while every activity stays in its band.

    Every territory is contiguous where ``neighbours`` is given: its units then lie in one connected piece of the
    neighbour graph. An island whose activity no number of territories can make up is `Infeasible`, named by its
    units; join it to the mainland by adding a pair to ``neighbours`` (a bridge, a ferry). A home need not stand in
    a unit of its own territory, and several homes may share one unit. With fixed homes, a locked unit that is in no
    pair of neighbours lies apart: it counts for its territory's load and is not held to be contiguous.

    Parameters
    ----------
    units : DataFrame
        Indexed by unit_id; ``lon, lat`` (degrees), ``x_km, y_km`` or ``geometry``; one column per activity.
    territories : int or DataFrame
        A number: centres are free. A frame indexed by territory_id: fixed homes (``lon, lat`` or ``x_km, y_km``) and,
        where territories differ, ``share_<activity>`` columns, scaled to a sum of one, and ``given_<activity>``: what
        a territory carries besides its units.
    balance : mapping of str to float
        Activity -> relative tolerance around each territory's target; hard limits.
    weight : str, optional
        Column that multiplies distance; the first balanced activity where absent.
    neighbours : DataFrame or iterable of pairs, optional
        Pairs of unit ids (``unit_a, unit_b``); given: every territory is contiguous.
    distance : str or DataFrame
        ``great_circle``, ``euclidean``, or a frame units x sites in km or hours (columns: territory ids where
        homes are fixed, else site ids); a missing value is a pair out of reach.
    power : int
        1, or 2 for the moment of inertia.
    sites : str
        Where free centres may stand: ``units`` (at a unit of the territory) or ``anywhere`` (in the plane).
    locked : mapping or Series, optional
        Unit -> the only territory it may have.
    forbidden : DataFrame or iterable of pairs, optional
        Pairs (unit, territory) that are not allowed.
    current : Series, optional
        Today's alignment, territory by unit_id; units it leaves out belong to nobody.
    max_moved_share : float, optional
        At most this share of ``weight`` (of the units that have an owner today) changes territory.
    move_price : float
        Cost of one unit of weight moved, in km ** power.

    Raises
    ------
    BadInput
        Naming every fault at once.
    """

    units: pd.DataFrame
    territories: int | pd.DataFrame
    balance: Mapping[str, float] = field(default_factory=lambda: {"workload_h": 0.05})
    weight: str | None = None
    neighbours: Pairs | None = None
    distance: str | pd.DataFrame = "great_circle"
    power: int = 1
    sites: str = "units"
    locked: Mapping[str, str] | pd.Series | None = None
    forbidden: Pairs | None = None
    current: pd.Series | None = None
    max_moved_share: float | None = None
    move_price: float = 0.0

    def __post_init__(self) -> None:
        """Keep iterables that can be read once, then refuse what cannot be solved as stated."""
        for name in ("neighbours", "forbidden"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, pd.DataFrame):
                object.__setattr__(self, name, pd.DataFrame(list(value), columns=["a", "b"], dtype=object))
        faults = check(self)
        if faults:
            raise BadInput(faults)

    @property
    def unit_ids(self) -> pd.Index:
        """Unit ids in the order of the arrays."""
        return self.units.index

    @property
    def free(self) -> bool:
        """Whether centres are chosen by the solver."""
        return not isinstance(self.territories, pd.DataFrame)

    @cached_property
    def territory_ids(self) -> pd.Index:
        """Territory ids: the homes' own, today's names where their number fits, else T1, T2, ..."""
        if isinstance(self.territories, pd.DataFrame):
            ids: pd.Index = self.territories.index.rename("territory_id")
            return ids
        if self.current is not None:
            today = sorted(self.current.dropna().unique().tolist())
            if len(today) == self.territories:
                known: pd.Index = pd.Index(today, name="territory_id", dtype="str")
                return known
        digits = len(str(self.territories))
        names = [f"T{number:0{digits}d}" for number in range(1, self.territories + 1)]
        return pd.Index(names, name="territory_id", dtype="str")

    @property
    def activities(self) -> list[str]:
        """The balanced activities, in order."""
        return list(self.balance)

    @property
    def weight_column(self) -> str:
        """The column that multiplies distance."""
        return self.weight or self.activities[0]

    @cached_property
    def shares(self) -> Floats:
        """Share of each activity each territory should carry, shape (activities, territories)."""
        k = len(self.territory_ids)
        rows = []
        for activity in self.activities:
            column = f"share_{activity}"
            if isinstance(self.territories, pd.DataFrame) and column in self.territories:
                share = self.territories[column].to_numpy(float)
                rows.append(share / share.sum())
            else:
                rows.append(np.full(k, 1 / k))
        return np.array(rows)

    @cached_property
    def given(self) -> Floats:
        """What each territory carries besides its units, shape (activities, territories)."""
        homes = (
            self.territories if isinstance(self.territories, pd.DataFrame) else pd.DataFrame(index=self.territory_ids)
        )
        columns = [f"given_{activity}" for activity in self.activities]
        return homes.reindex(columns=columns, fill_value=0.0).to_numpy(float).T

    @cached_property
    def apart(self) -> pd.Index:
        """Units that belong to a territory without lying in it: locked, and neighbours of none."""
        if self.free or self.locked is None or self.neighbours is None:
            return self.unit_ids[:0]
        a = self.arrays
        ids: pd.Index = self.unit_ids[(a.pinned >= 0) & (np.diff(a.starts) == 0)]
        return ids

    @cached_property
    def core(self) -> "Problem":
        """The problem without the units that lie apart, whose load is given."""
        a, there = self.arrays, ~self.unit_ids.isin(self.apart)
        assert isinstance(self.territories, pd.DataFrame)  # noqa: S101 - nothing lies apart where centres are free
        homes, locked = self.territories.copy(), pd.Series(self.locked, dtype=object)
        for row, activity in enumerate(self.activities):
            held = np.bincount(a.pinned[~there], a.loads[row, ~there], minlength=len(homes))
            homes[f"given_{activity}"] = self.given[row] + held
        forbidden = None if self.forbidden is None else pd.DataFrame(self.forbidden)
        share, owned = self.max_moved_share, a.owner >= 0
        if share is not None:
            moved = owned & ~there & (a.pinned != a.owner)
            left = share * a.weight[owned].sum() - a.weight[moved].sum()
            share = float(np.clip(left / max(a.weight[owned & there].sum(), 1e-300), 0.0, 1.0))
        return replace(
            self,
            units=self.units[there],
            territories=homes,
            locked=locked.drop(self.apart),
            forbidden=None if forbidden is None else forbidden[~forbidden.iloc[:, 0].isin(self.apart)],
            max_moved_share=share,
        )

    @cached_property
    def arrays(self) -> Arrays:
        """The problem as numbers."""
        loads = self.units[self.activities].to_numpy(float).T.copy()
        given = self.given
        target = self.shares * (loads.sum(axis=1) + given.sum(axis=1))[:, None]
        tolerance = np.array([self.balance[name] for name in self.activities])[:, None]
        starts, ends = _graph(self)
        homes = (
            np.empty((0, 3))
            if self.kind == TABLE or not isinstance(self.territories, pd.DataFrame)
            else self.place(self.territories)
        )
        return Arrays(
            points=self.place(self.units),
            homes=homes,
            table=self._table(),
            weight=self.units[self.weight_column].to_numpy(float).copy(),
            loads=loads,
            lower=np.maximum(target * (1 - tolerance) - given, 0.0),
            upper=target * (1 + tolerance) - given,
            owner=self.codes(self.current),
            pinned=self.codes(self.locked),
            banned=_banned(self),
            starts=starts,
            ends=ends,
        )

    @property
    def kind(self) -> int:
        """How distance is measured, as `Costs` names it."""
        if isinstance(self.distance, pd.DataFrame):
            return TABLE
        return PLANE if self.distance == "euclidean" else SPHERE

    def _table(self) -> Floats:
        """Read the matrix of distances, columns in the order of the homes where these are fixed."""
        if not isinstance(self.distance, pd.DataFrame):
            return np.empty((0, 0))
        frame = self.distance.loc[self.unit_ids]
        if not self.free:
            frame = frame[self.territory_ids]
        values = frame.to_numpy(float)
        return np.where(np.isnan(values), np.inf, values)

    def place(self, frame: pd.DataFrame) -> Floats:
        """
        Put rows in space: the plane in km, or the globe as points in three dimensions.

        Parameters
        ----------
        frame : DataFrame
            With ``lon, lat``, ``x_km, y_km`` or ``geometry``.

        Returns
        -------
        ndarray
            Shape (rows, 3); zeros where the frame has no coordinates and a matrix gives the distances.
        """
        points = np.zeros((len(frame), 3))
        if {"x_km", "y_km"} <= set(frame.columns) and self.kind != SPHERE:
            points[:, :2] = frame[["x_km", "y_km"]].to_numpy(float)
        elif self.kind == SPHERE or {"lon", "lat"} <= set(frame.columns):
            lon, lat = (np.radians(degrees) for degrees in degrees_of(frame))
            points[:, 0] = np.cos(lat) * np.cos(lon)
            points[:, 1] = np.cos(lat) * np.sin(lon)
            points[:, 2] = np.sin(lat)
            points *= EARTH_RADIUS_KM
        return points

    def codes(self, labels: Mapping[str, str] | pd.Series | None) -> Ints:
        """
        Translate a labelling of units into positions.

        Parameters
        ----------
        labels : mapping or Series, optional
            Territory by unit_id.

        Returns
        -------
        ndarray of int
            Position in `territory_ids` by unit, -1 where the unit has none of them.
        """
        if labels is None:
            return np.full(len(self.units), -1, np.int64)
        series = pd.Series(labels, dtype=object).reindex(self.unit_ids)
        return self.territory_ids.get_indexer(pd.Index(series)).astype(np.int64)

    def costs(self, centres: Floats, table: Floats) -> Costs:
        """
        Bind the costs of given centres.

        Parameters
        ----------
        centres : Floats
            Shape (k, 3), km.
        table : Floats
            Distances units x centres, or (0, 0).

        Returns
        -------
        Costs
            As the compiled loops read them.
        """
        a, price = self.arrays, float(self.move_price)
        return Costs(self.kind, self.power, a.points, centres, table, a.weight, a.owner, price, a.pinned, a.banned)


def degrees_of(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """
    Read longitude and latitude, from the columns or as the centroid of the geometry.

    Parameters
    ----------
    frame : DataFrame
        With ``lon, lat`` or ``geometry``.

    Returns
    -------
    tuple of ndarray
        Degrees of longitude and of latitude.
    """
    if {"lon", "lat"} <= set(frame.columns):
        return frame["lon"].to_numpy(float), frame["lat"].to_numpy(float)
    shapes = frame["geometry"]
    crs = getattr(shapes, "crs", None)
    if crs is not None and not crs.is_geographic:
        centroids = shapes.centroid.to_crs(4326)
        return centroids.x.to_numpy(float), centroids.y.to_numpy(float)
    middle = [shape.centroid for shape in shapes]
    return np.array([point.x for point in middle]), np.array([point.y for point in middle])


def _graph(problem: Problem) -> tuple[Ints, Ints]:
    """Neighbours of each unit in ascending order, as two arrays."""
    n = len(problem.units)
    if problem.neighbours is None:
        return np.zeros(n + 1, np.int64), np.empty(0, np.int64)
    pairs = pd.DataFrame(problem.neighbours).iloc[:, :2]
    a = problem.unit_ids.get_indexer(pd.Index(pairs.iloc[:, 0]))
    b = problem.unit_ids.get_indexer(pd.Index(pairs.iloc[:, 1]))
    links = np.unique(np.r_[np.c_[a, b], np.c_[b, a]][np.r_[a != b, a != b]], axis=0)
    starts = np.searchsorted(links[:, 0], np.arange(n + 1))
    return starts.astype(np.int64), links[:, 1].astype(np.int64)


def _banned(problem: Problem) -> Flags:
    """Forbidden pairs as a table of flags, empty where there is none."""
    if problem.forbidden is None or len(pd.DataFrame(problem.forbidden)) == 0:
        return np.zeros((0, 0), np.bool_)
    pairs = pd.DataFrame(problem.forbidden).iloc[:, :2]
    flags = np.zeros((len(problem.units), len(problem.territory_ids)), np.bool_)
    rows = problem.unit_ids.get_indexer(pd.Index(pairs.iloc[:, 0]))
    flags[rows, problem.territory_ids.get_indexer(pd.Index(pairs.iloc[:, 1]))] = True
    return flags
