"""The territory map: look at a plan, change it by hand, and go on from it in the next cell."""

import getpass
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, reduce
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from territory_lab import editing
from territory_lab.alignment import Plan, Problem
from territory_lab.canvas.legend import named, quantities, why
from territory_lab.canvas.scene import OUTSIDE, Anchors, kept_tints, onto, page_of, scene, state, tints
from territory_lab.canvas.scripts import bundle, style
from territory_lab.charts.words import plural
from territory_lab.editing import Draft, Step
from territory_lab.errors import BadInput, Fault, TerritoryLabError
from territory_lab.maps import Sheet, territories


class TerritoryMap(anywidget.AnyWidget):
    """
    A plan on a map that can be edited, by mouse, by keyboard and from Python.

    Parameters
    ----------
    plan : Plan or Problem
        What is edited; a problem begins with today's alignment.
    units : DataFrame, optional
        By unit_id, or with a column of it: ``geometry`` or ``lon, lat``; ``name``; and quantities to be looked at
        (`scene.LAYERS`). The problem's own units by default.
    today : Series, optional
        territory_id by unit_id, against which change is drawn; the problem's ``current`` by default.
    accounts : DataFrame, optional
        ``lon, lat``; with ``unit_id`` and ``propensity`` a layer of its mean by unit.
    homes : DataFrame, optional
        By territory_id: ``lon, lat``; the plan's centres by default.
    who : str, optional
        The editor; the name of the account that runs Python by default.

    Attributes
    ----------
    selection : list of str
        The selected unit ids; may be set.
    who : str
        In whose name edits are made; may be set.
    """

    _esm = bundle()
    _css = style()
    _scene = traitlets.Dict().tag(sync=True)
    _state = traitlets.Dict().tag(sync=True)
    selection = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        plan: Plan | Problem,
        units: pd.DataFrame | None = None,
        *,
        today: pd.Series | None = None,
        accounts: pd.DataFrame | None = None,
        homes: pd.DataFrame | None = None,
        who: str = "",
    ) -> None:
        super().__init__()
        first = editing.started(plan, today) if isinstance(plan, Problem) else plan
        problem = first.problem
        self._draft = Draft(first)
        self._listeners: list[Callable[[Step], object]] = []
        self.who = who or getpass.getuser()
        self._today = problem.current if today is None else today
        self._homes = homes
        self._page: Sheet = page_of(problem, units)
        self._scene = scene(
            self._page,
            problem,
            quantities(problem, units, accounts),
            accounts=None if accounts is None or "lon" not in accounts else self._placed(accounts),
            names=named(problem.units if units is None else units),
        )
        self._colours = tints(self._page, first.alignment)
        self._show(plural(len(problem.territory_ids), "territory") + f", {plural(len(problem.units), 'unit')}.")
        self.on_msg(self._hear)

    @property
    def plan(self) -> Plan:
        """The plan as it now stands; setting another one of the same units is an edit like any other."""
        return self._draft.plan

    @plan.setter
    def plan(self, plan: Plan) -> None:
        if not plan.problem.unit_ids.equals(self.plan.problem.unit_ids):
            raise BadInput([Fault("plan", "unit_id", "", "has other units than the map", "make a map of its own")])
        self._take(plan, "set", plan.alignment.index[plan.alignment != self.plan.alignment])

    @property
    def alignment(self) -> pd.Series:
        """territory_id by unit_id, as it now stands; setting it is an edit like any other."""
        return self.plan.alignment.copy()

    @alignment.setter
    def alignment(self, alignment: pd.Series) -> None:
        self.plan = editing.started(self.plan.problem, alignment)

    @property
    def locked(self) -> list[str]:
        """The unit ids that are held where they are."""
        return list(editing.locks(self.plan))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The edits that hold, the oldest first, to be stored with a scenario."""
        return self._draft.steps

    def on_step(self, callback: Callable[[Step], object]) -> None:
        """
        Call a function after every edit.

        Parameters
        ----------
        callback : callable
            Takes the `Step`; the plan is then `plan`.
        """
        self._listeners.append(callback)

    def assign(self, units: Iterable[str], territory_id: str) -> None:
        """
        Give units to a territory; locked ones stay where they are.

        Parameters
        ----------
        units : iterable of str
            Unit ids.
        territory_id : str
            A territory of the plan.
        """
        before, plan = self.plan.alignment, editing.assign(self.plan, units, territory_id)
        self._take(plan, "assign", before.index[before.ne(plan.alignment)], territory_id)

    def lock(self, units: Iterable[str]) -> None:
        """
        Hold units where they are, against edits and solver alike.

        Parameters
        ----------
        units : iterable of str
            Unit ids.
        """
        names = list(units)
        self._take(editing.lock(self.plan, names), "lock", names)

    def unlock(self, units: Iterable[str]) -> None:
        """
        Release units.

        Parameters
        ----------
        units : iterable of str
            Unit ids.
        """
        names = list(units)
        self._take(editing.unlock(self.plan, names), "unlock", names)

    def split_off(self, units: Iterable[str], name: str = "") -> None:
        """
        Make a territory of some units.

        Parameters
        ----------
        units : iterable of str
            Unit ids.
        name : str
            The new territory_id; the next free number by default.
        """
        names = list(units)
        plan = editing.split_off(self.plan, names, name)
        self._take(plan, "split off", names, str(plan.problem.territory_ids[-1]))

    def new_territory(self, home: str, name: str = "") -> None:
        """
        Found a territory whose owner lives in a unit; `mend` lets it grow.

        Parameters
        ----------
        home : str
            A unit id.
        name : str
            The new territory_id; the next free number by default.
        """
        plan = editing.split_off(self.plan, [home], name)
        self._take(plan, "new territory", [home], str(plan.problem.territory_ids[-1]))

    def merge(self, into: str, *others: str) -> None:
        """
        Join territories.

        Parameters
        ----------
        into : str
            The one that stays.
        *others : str
            Those that go.
        """
        went = self.plan.alignment.index[self.plan.alignment.isin(others)]
        self._take(reduce(lambda plan, other: editing.merge(plan, into, other), others, self.plan), "merge", went, into)

    def mend(self, around: Iterable[str] | None = None) -> None:
        """
        Bring the plan back within its limits, keeping the edits made since it was last mended as far as that can be.

        Parameters
        ----------
        around : iterable of str, optional
            Unit ids; the selection by default, or else what was edited.
        """
        recent: list[str] = []
        for step in reversed(self.steps):
            if step.what in ("mend", "set"):
                break
            recent += step.units if step.what not in ("lock", "unlock") else ()
        names = list(around if around is not None else self.selection or recent)
        if not names:
            raise BadInput([Fault("units", "", "", "nothing is selected or edited", "select where to mend")])
        plan = editing.mend(self.plan, names, list(dict.fromkeys(recent)))
        before = self.plan.alignment
        lost = sum(before[unit] != plan.alignment[unit] for unit in set(recent))
        note = f" {plural(lost, 'edited unit')} could not stay where you put them." if lost else ""
        self._take(plan, "mend", before.index[before.ne(plan.alignment)], note=note)

    def undo(self) -> None:
        """Go back by one edit."""
        self._turn(self._draft.undone(), "Undone")

    def redo(self) -> None:
        """Take up again the edit that was undone last."""
        self._turn(self._draft.redone(), "Done again")

    def glimpse(self, alignment: pd.Series | None = None) -> None:
        """
        Show a plan in passing, such as the best so far while a solver works; the plan under edit stays what it is.

        Parameters
        ----------
        alignment : Series, optional
            ``territory_id`` by ``unit_id``, territories of any names; None: back to the plan under edit.
        """
        if alignment is None:
            self._show("The plan under edit.")
            return
        problem, names = self.plan.problem, sorted(alignment.dropna().unique().tolist())
        if not set(names) <= set(problem.territory_ids):
            far = "great_circle" if isinstance(problem.distance, pd.DataFrame) else problem.distance  # to the old homes
            problem = replace(problem, territories=len(names), distance=far, locked=None, forbidden=None)
            problem = replace(problem, max_moved_share=None)
            alignment = alignment.replace(dict(zip(names, problem.territory_ids, strict=True)))
        self._show("In passing: the best plan so far.", shown=editing.started(problem, alignment))

    def explain(self, unit: str) -> pd.DataFrame:
        """
        Say why a unit is where it is, and what it would cost elsewhere.

        Parameters
        ----------
        unit : str
            A unit id.

        Returns
        -------
        DataFrame
            By territory_id, as `editing.explain` gives it.
        """
        return editing.explain(self.plan, unit)

    def _repr_mimebundle_(self, **kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Bring a picture along, for pages and readers that run no widget."""
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        data, metadata = shown
        still = territories(self._page, self.alignment, self._homes_now() if self._page.parts else None)
        return data | {"text/html": still.svg()}, metadata

    def _placed(self, frame: pd.DataFrame) -> np.ndarray:
        """Find points on the sheet, those off it left out."""
        xy = self._page.place(frame["lon"], frame["lat"])
        return np.asarray(xy[np.isfinite(xy).all(axis=1)])

    def _homes_now(self) -> pd.DataFrame | None:
        """Give the homes in degrees, those of new territories where their centre is."""
        centres = self.plan.territories
        given = centres.iloc[:0] if self._homes is None else self._homes[self._homes.index.isin(centres.index)]
        if not {"lon", "lat"} <= set(centres):
            return given if len(given) else None
        return pd.concat([given[["lon", "lat"]], centres.loc[~centres.index.isin(given.index), ["lon", "lat"]]])

    @cached_property
    def _sides(self) -> np.ndarray:
        """Pairs of positions of units that share a border on the map, shape (n, 2)."""
        beside = np.frombuffer(self._scene["edge_units"], "<u4").reshape(-1, 2)
        return np.unique(beside[beside[:, 1] != OUTSIDE], axis=0)

    @cached_property
    def _anchors(self) -> Anchors:
        """Where names can stand."""
        beside = np.frombuffer(self._scene["edge_units"], "<u4").reshape(-1, 2)
        edges = np.frombuffer(self._scene["edges"], "<f4").reshape(-1, 4)[beside[:, 1] == OUTSIDE]
        middles = np.frombuffer(self._scene["middles"], "<f4").reshape(-1, 2)
        return Anchors(middles.astype(float), (edges[:, :2] + edges[:, 2:]) / 2)

    def _take(self, plan: Plan, what: str, units: Iterable[str], territory_id: str = "", note: str = "") -> None:
        """Go on to an edited plan, show it and tell who listens."""
        before = self.plan
        self._draft = self._draft.done(plan, what, map(str, units), territory_id, self.who)
        step = self.steps[-1]
        where = f" to {territory_id}" if territory_id else ""
        self._show(f"{what.capitalize()}: {plural(len(step.units), 'unit')}{where}. {_verdict(plan)}{note}", before)
        for callback in self._listeners:
            callback(step)

    def _turn(self, draft: Draft, word: str) -> None:
        """Go to another state of the same draft."""
        before, gone = self._draft, self._draft.step if word == "Undone" else draft.step
        self._draft = draft
        told = f"{word}: {gone.what}. {_verdict(draft.plan)}" if draft is not before and gone else "Nothing to go to."
        self._show(told, before.plan)

    def _show(self, said: str, before: Plan | None = None, shown: Plan | None = None) -> None:
        """Send the state, with the territories that differ from before; or that of another plan shown in passing."""
        plan, touched = self.plan if shown is None else shown, list[str]()
        if before is not None:
            self._colours = kept_tints(self._colours, plan, self._sides)
            differs = before.alignment.ne(plan.alignment)
            owners = pd.concat([before.alignment[differs], plan.alignment[differs]]).dropna()
            touched = [str(name) for name in plan.problem.territory_ids if name in set(owners)]
        homes = self._homes_now()
        xy = np.empty((0, 2)) if homes is None else self._page.place(homes["lon"], homes["lat"])
        colours = self._colours if shown is None else kept_tints({}, plan, self._sides)
        self._state = state(plan, self._today, colours, self._anchors) | {
            "homes": onto(self._page, xy[np.isfinite(xy).all(axis=1)]).tolist(),
            "touched": touched,
            "undo": self._draft.before is not None,
            "redo": self._draft.after is not None,
            "said": said,
            "broken": [str(message) for message in plan.violations["message"]],
        }

    def _hear(self, _: object, message: dict[str, Any], __: object) -> None:
        """Do what the browser asks, or say in words why not."""
        units = [self.plan.problem.unit_ids[i] for i in message.get("units", [])]
        name = message.get("territory", "")
        asked: dict[str, Callable[[], object]] = {
            "assign": lambda: self.assign(units, name),
            "lock": lambda: self.lock(units),
            "unlock": lambda: self.unlock(units),
            "split": lambda: self.split_off(units),
            "new": lambda: self.new_territory(units[0]),
            "merge": lambda: self.merge(name, *message["others"]),
            "mend": lambda: self.mend(units or None),
            "undo": self.undo,
            "redo": self.redo,
            "explain": lambda: self.send({"why": why(self.plan, units[0])}),
        }
        try:
            asked[message["do"]]()
        except (TerritoryLabError, ValueError) as error:
            self.send({"trouble": str(error)})


def _verdict(plan: Plan) -> str:
    """Say whether a plan keeps its limits."""
    return "Every limit is kept." if plan.feasible else f"{plural(len(plan.violations), 'limit')} broken."
