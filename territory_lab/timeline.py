"""Time kept straight: features from before a date, labels from after it, and splits that never look ahead."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from territory_lab.errors import BadInput, Fault

EVENTS = {"orders": "order_date", "opportunities": "created_date", "calls": "call_date"}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """
    What was known on one day, and what happened next: the only road from events to features.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Accounts and events (orders, opportunities, calls); other tables are handed on as they are.
    as_of : Timestamp
        Events before this moment are known; those from it on are the future.
    lookback : Timedelta
        How far back events are handed to the feature builders.
    horizon : Timedelta
        How long after ``as_of`` the label is watched.
    end : Timestamp or None
        When the data stops; None: the day after the last event in ``tables``.

    Notes
    -----
    An account's own columns carry no history: their values are today's.
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    lookback: pd.Timedelta
    horizon: pd.Timedelta
    end: pd.Timestamp | None = None

    def __post_init__(self) -> None:
        faults = [
            Fault(table, column, "", "dates carry a time zone", "turn them to UTC and drop the zone")
            for table, frame in self.tables.items()
            for column in frame.select_dtypes("datetimetz").columns
        ]
        if self.as_of.tzinfo is not None:
            faults.append(Fault("", "as_of", "", f"{self.as_of} carries a time zone", "turn it to UTC and drop it"))
        faults += [
            Fault("", name, "", f"{span} is not a positive length of time", "give a number of days above zero")
            for name, span in (("lookback", self.lookback), ("horizon", self.horizon))
            if span <= pd.Timedelta(0)
        ]
        if faults:
            raise BadInput(faults)

    @property
    def mature(self) -> bool:
        """
        Whether the whole horizon lies within the data.

        Returns
        -------
        bool
            False where labels could still change.
        """
        end = self.end if self.end is not None else data_end(self.tables)
        return self.as_of + self.horizon <= end

    @cached_property
    def before(self) -> dict[str, pd.DataFrame]:
        """
        Every table as it stood at ``as_of``.

        Returns
        -------
        dict of str to DataFrame
            Events of the lookback, accounts already created, opportunities with later outcomes hidden again.
        """
        known = dict(self.tables) | self._events(self.as_of - self.lookback, self.as_of)
        accounts = self.tables["accounts"]
        if "created_date" in accounts:
            known["accounts"] = accounts[~(accounts["created_date"] >= self.as_of)]
        if "opportunities" in known:
            known["opportunities"] = self._reopened(known["opportunities"])
        return known

    @cached_property
    def after(self) -> dict[str, pd.DataFrame]:
        """
        The events of the horizon, from which labels are made.

        Returns
        -------
        dict of str to DataFrame
            Event tables only.

        Raises
        ------
        BadInput
            Where the horizon reaches past the end of the data: such labels are not ripe.
        """
        if not self.mature:
            problem = f"labels of {self.as_of:%Y-%m-%d} are not ripe until {self.as_of + self.horizon:%Y-%m-%d}"
            raise BadInput([Fault("", "as_of", "", problem, "take an earlier as_of or a shorter horizon")])
        return self._events(self.as_of, self.as_of + self.horizon)

    @cached_property
    def customers(self) -> pd.Index:
        """
        Accounts that ordered within the lookback.

        Returns
        -------
        Index
            account_id, sorted.
        """
        ids, buyers = self.before["accounts"]["account_id"], self.before["orders"]["account_id"].unique()
        found: pd.Index = pd.Index(ids[ids.isin(buyers)], name="account_id").sort_values()
        return found

    def _events(self, start: pd.Timestamp, stop: pd.Timestamp) -> dict[str, pd.DataFrame]:
        """Cut the event tables to start <= date < stop."""
        found = ((table, self.tables[table], date) for table, date in EVENTS.items() if table in self.tables)
        return {table: frame[(frame[date] >= start) & (frame[date] < stop)] for table, frame, date in found}

    def _reopened(self, opportunities: pd.DataFrame) -> pd.DataFrame:
        """Hide outcomes that were not known yet."""
        if "close_date" not in opportunities:
            return opportunities.assign(stage="open")
        unknown = ~(opportunities["close_date"] < self.as_of)
        return opportunities.assign(
            stage=opportunities["stage"].mask(unknown, "open"), close_date=opportunities["close_date"].mask(unknown)
        )


def data_end(tables: Mapping[str, pd.DataFrame]) -> pd.Timestamp:
    """
    Say when the data stops.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables by name, at least one of them with events.

    Returns
    -------
    Timestamp
        The start of the day after the last event.

    Raises
    ------
    BadInput
        Where no table holds an event.
    """
    last = [tables[table][date].max() for table, date in EVENTS.items() if table in tables]
    known = [date for date in last if pd.notna(date)]
    if not known:
        raise BadInput([Fault("orders", "order_date", "", "there are no events", "add orders, opportunities or calls")])
    return pd.Timestamp(max(known)).normalize() + pd.Timedelta(days=1)


@dataclass(frozen=True)
class Rolling:
    """
    Snapshots one after another.

    Parameters
    ----------
    snapshots : tuple of Snapshot
        Those with ripe labels, earliest first.
    dropped : tuple of Timestamp
        Dates left out because their horizon reaches past the end of the data.
    """

    snapshots: tuple[Snapshot, ...]
    dropped: tuple[pd.Timestamp, ...]

    def frame(self, build: Callable[[Snapshot], pd.DataFrame]) -> pd.DataFrame:
        """
        Stack what a builder makes of each snapshot.

        Parameters
        ----------
        build : callable
            Snapshot -> DataFrame with features and labels.

        Returns
        -------
        DataFrame
            All rows, index reset, with the column ``as_of``.
        """
        parts = [build(snapshot).assign(as_of=snapshot.as_of) for snapshot in self.snapshots]
        return pd.concat(parts, ignore_index=True)


def rolling(
    tables: Mapping[str, pd.DataFrame], as_ofs: Iterable[pd.Timestamp], lookback: pd.Timedelta, horizon: pd.Timedelta
) -> Rolling:
    """
    Take snapshots at several dates, leaving out those whose labels are not ripe.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables by name.
    as_ofs : iterable of Timestamp
        The dates.
    lookback, horizon : Timedelta
        As in `Snapshot`.

    Returns
    -------
    Rolling
        The snapshots, and the dates dropped.

    Raises
    ------
    BadInput
        Where no date has ripe labels.
    """
    end = data_end(tables)
    taken = [Snapshot(tables, as_of, lookback, horizon, end) for as_of in sorted(as_ofs)]
    ripe = tuple(snapshot for snapshot in taken if snapshot.mature)
    if not ripe:
        raise BadInput([Fault("", "as_ofs", "", f"no horizon ends by {end:%Y-%m-%d}", "take earlier dates")])
    return Rolling(ripe, tuple(snapshot.as_of for snapshot in taken if not snapshot.mature))


class OutOfTimeSplit:
    """
    Train on earlier times, test on the next; a group is never on both sides.

    Works as a scikit-learn splitter. Rows are cut by time into ``n_splits`` + 1 blocks of about equal size, and each
    block but the first is tested on the rows before it. Where groups come back at several times (the same customers
    in every snapshot), each block is tested in ``group_folds`` parts, each trained without the groups of that part.

    Parameters
    ----------
    n_splits : int
        Blocks of time tested; fewer where there are fewer distinct times.
    width : Timedelta, number or None
        Length of a block, in the unit of the times (rows where there are none); the latest ``n_splits`` are tested.
        None: blocks of about equal size.
    embargo : Timedelta, number or None
        Training rows end this long before the test block begins: the label's horizon where snapshots overlap.
    group_folds : int
        Parts into which returning groups are dealt.
    shuffled : str or None
        A reason to give up time order and deal rows (or groups) at random; it belongs on the model's card.
    seed : int
        For dealing groups.
    """

    def __init__(
        self,
        n_splits: int = 3,
        *,
        width: pd.Timedelta | float | None = None,
        embargo: pd.Timedelta | float | None = None,
        group_folds: int = 2,
        shuffled: str | None = None,
        seed: int = 0,
    ) -> None:
        self.n_splits = n_splits
        self.width = width
        self.embargo = embargo
        self.group_folds = group_folds
        self.shuffled = shuffled
        self.seed = seed

    def get_n_splits(self, X: object = None, y: object = None, groups: ArrayLike | None = None) -> int:  # noqa: ARG002 - scikit-learn's signature
        """
        Say how many splits there will be at most.

        Parameters
        ----------
        X, y : object
            Not used.
        groups : array-like or None
            Group of each row.

        Returns
        -------
        int
            Number of (train, test) pairs.
        """
        return self.n_splits * (self.group_folds if groups is not None and not self.shuffled else 1)

    def split(
        self, X: Sized, y: object = None, groups: ArrayLike | None = None, *, times: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """
        Yield row numbers for training and for testing.

        Parameters
        ----------
        X : sized
            Only its length is used.
        y : object
            Not used.
        groups : array-like or None
            Group (parent account) of each row.
        times : array-like or None
            Time of each row; None: rows are in time order.

        Yields
        ------
        train, test : array of int
            Positions of rows; empty sides are left out.
        """
        del y
        size = len(X)
        when = np.arange(size) if times is None else pd.Series(times).to_numpy()
        parts = _deal(groups, size, self.n_splits if self.shuffled else self.group_folds, self.seed)
        if self.shuffled:
            block = np.zeros(size, dtype=int)
            parts = np.random.default_rng(self.seed).permutation(size) % self.n_splits if parts is None else parts
        else:
            block = self._blocks(when)
        for number in range(0 if self.shuffled else 1, block.max() + 1):
            now = block == number
            past = np.ones(size, dtype=bool) if self.shuffled else self._past(when, when[now].min())
            for part in [None] if parts is None else range(parts.max() + 1):
                train = np.flatnonzero(past if part is None else past & (parts != part))
                test = np.flatnonzero(now if part is None else now & (parts == part))
                if len(train) and len(test):
                    yield train, test

    def _past(self, when: NDArray[Any], start: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - a date or a number
        """Tell which rows may be trained on before a block that starts then."""
        past = when < start
        return np.asarray(past if self.embargo is None else past & (when <= start - _span(self.embargo)))

    def _blocks(self, when: NDArray[Any]) -> NDArray[np.intp]:
        """Give each row the number of its block of time: about as many rows in each, one time never in two."""
        if self.width is not None:
            back = np.floor((when.max() - when) / _span(self.width)).astype(int)
            return np.unique(self.n_splits - np.minimum(back, self.n_splits), return_inverse=True)[1]
        distinct, code, count = np.unique(when, return_inverse=True, return_counts=True)
        wanted = min(self.n_splits + 1, len(distinct))
        if wanted < self.n_splits + 1:
            warnings.warn(f"{len(distinct)} distinct times give {wanted - 1} splits", stacklevel=3)
        if wanted == len(distinct):
            return code
        middle = (np.cumsum(count) - count / 2) / count.sum()
        block = np.floor(middle * wanted).astype(int)
        return np.unique(block, return_inverse=True)[1][code]


def group_codes(groups: ArrayLike | None, size: int) -> NDArray[np.intp]:
    """
    Give each group a number; a row without a group is one by itself.

    Parameters
    ----------
    groups : array-like or None
        Group of each row.
    size : int
        Number of rows.

    Returns
    -------
    array of int
        One number per row, from 0 without holes.
    """
    if groups is None:
        return np.arange(size)
    code, names = pd.factorize(pd.Series(groups))
    alone = code < 0
    code[alone] = len(names) + np.arange(alone.sum())
    return np.asarray(code)


def _deal(groups: ArrayLike | None, size: int, folds: int, seed: int) -> NDArray[np.intp] | None:
    """Deal groups that come more than once into folds; None where none does."""
    code = group_codes(groups, size)
    count = len(np.unique(code))
    return None if count == size else np.asarray((np.random.default_rng(seed).permutation(count) % folds)[code])


def _span(embargo: pd.Timedelta | float) -> np.timedelta64 | float:
    """Make a length of time that numpy can subtract."""
    return embargo.to_timedelta64() if isinstance(embargo, pd.Timedelta) else embargo
