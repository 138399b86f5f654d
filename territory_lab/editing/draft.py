"""A plan under edit: every state it went through, and who did what when."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from territory_lab.alignment import Plan
from territory_lab.charts.words import plural


@dataclass(frozen=True)
class Step:
    """
    One edit: what was done to which units, by whom and when.

    Parameters
    ----------
    what : str
        assign, lock, unlock, split off, merge, new territory, mend or set.
    units : tuple of str
        The units that it touched.
    territory_id : str
        Where they went; empty where the edit names none.
    who : str
        The editor.
    when : datetime
        With its time zone.
    """

    what: str
    units: tuple[str, ...]
    territory_id: str
    who: str
    when: datetime

    def __str__(self) -> str:
        """Say it in one line."""
        where = f" to {self.territory_id}" if self.territory_id else ""
        return f"{self.when:%Y-%m-%d %H:%M} {self.who}: {self.what}, {plural(len(self.units), 'unit')}{where}"


@dataclass(frozen=True, eq=False)
class Draft:
    """
    A plan under edit with all it was before; every method gives another draft.

    Parameters
    ----------
    plan : Plan
        As it now stands.
    step : Step, optional
        The edit that led here.
    before : Draft, optional
        What it led from.
    after : Draft, optional
        What was undone last.
    """

    plan: Plan
    step: Step | None = None
    before: "Draft | None" = None
    after: "Draft | None" = None

    def done(self, plan: Plan, what: str, units: Iterable[str] = (), territory_id: str = "", who: str = "") -> "Draft":
        """
        Go on to an edited plan; what was undone is forgotten.

        Parameters
        ----------
        plan : Plan
            The edited plan.
        what : str
            The edit.
        units : iterable of str
            The units that it touched.
        territory_id : str
            Where they went.
        who : str
            The editor.

        Returns
        -------
        Draft
            With this one before it.
        """
        step = Step(what, tuple(units), territory_id, who, datetime.now(UTC))
        return Draft(plan, step, replace(self, after=None))

    def undone(self) -> "Draft":
        """
        Go back by one edit.

        Returns
        -------
        Draft
            The one before, or this one where there is none.
        """
        return self if self.before is None else replace(self.before, after=self)

    def redone(self) -> "Draft":
        """
        Take up again what was undone last.

        Returns
        -------
        Draft
            The one after, or this one where there is none.
        """
        return self if self.after is None else replace(self.after, before=replace(self, after=None))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The edits that hold, the oldest first."""
        found, draft = [], self
        while draft.before is not None and draft.step is not None:
            found.append(draft.step)
            draft = draft.before
        return tuple(reversed(found))
