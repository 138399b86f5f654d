"""The life of a company's propensity models: learnt again, held against the champion, promoted, rolled back."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import pandas as pd

from territory_lab import book
from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import Comparison, Learned, Terms, learn
from territory_lab.propensity.contest import judge
from territory_lab.propensity.learning import Builder, builders, kinds, parents
from territory_lab.registry import Shelf, shelves, version_name
from territory_lab.timeline import data_end
from territory_lab.workspace import Workspace


class Outcome(NamedTuple):
    """
    What became of one kind of model.

    Parameters
    ----------
    kind : str
        upsell or cross_sell.
    version : str
        The challenger.
    champion : str
        The version whose scores count from now on.
    why : str
        In words.
    """

    kind: str
    version: str
    champion: str
    why: str


def shelf_of(space: Workspace, kind: str) -> Shelf:
    """
    Say where a workspace keeps one kind of model.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    kind : str
        upsell or cross_sell.

    Returns
    -------
    Shelf
        It need not hold anything yet.
    """
    return Shelf(space.folder / "models", kind)


def retrain(space: Workspace, *, capacity_share: float | None = None, cost: float = 0.0) -> list[Outcome]:
    """
    Learn on all of today's data, and let each new model serve where it has earned that.

    The challenger is judged as it would have stood one horizon ago: learnt from nothing later, against the champion,
    by what came since. The model kept is the same recipe learnt on all the data. The first of its kind serves at once.
    A version that was rolled back is promoted by a person only. Interrupted or run again on the same data, it goes on
    where it stopped.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.
    capacity_share : float, optional
        Share of the rows that can be worked within a horizon; as the settings say by default.
    cost : float
        Money spent on working a row.

    Returns
    -------
    list of Outcome
        One per kind.

    Raises
    ------
    BadInput
        Where the history of orders is too short to learn from.
    """
    space.need("orders", step="retraining")
    with space.alone():
        return _retrained(space, _capacity(space, capacity_share), cost)


def _retrained(space: Workspace, capacity_share: float, cost: float) -> list[Outcome]:
    """Learn what is not on the shelf yet, judge it, and settle."""
    stamp = hashlib.sha256(f"{space.data_hash} {version('territory-lab')}".encode()).hexdigest()
    name = version_name(space.end - pd.Timedelta(days=1), stamp)
    there = [shelf_of(space, kind) for kind in kinds(space.tables)]
    if not all(shelf.place(name).is_dir() for shelf in there):
        for kind, known in learn(space.tables, **_settings(space)).items():
            known.save(shelf_of(space, kind).place(name), data_hash=space.data_hash)
    open_ = [shelf for shelf in there if shelf.champion not in {None, name} and name not in shelf.withdrawn]
    verdicts = _verdicts(space, open_, capacity_share, cost) if open_ else {}
    return [_settled(shelf, name, verdicts.get(shelf.kind)) for shelf in there]


def contest(
    space: Workspace,
    kind: str,
    champion: Learned,
    challenger: Learned,
    *,
    capacity_share: float | None = None,
    cost: float = 0.0,
) -> Comparison:
    """
    Judge two models as they stand by the outcomes of the last horizon, on the rows they have in common.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.
    kind : str
        upsell or cross_sell.
    champion, challenger : Learned
        One that was learnt on these outcomes can only look better than it is.
    capacity_share : float, optional
        Share of the rows that can be worked within a horizon; as the settings say by default.
    cost : float
        Money spent on working a row.

    Returns
    -------
    Comparison
        Profit counts the margin of what both expect a purchase to bring, on average.

    Raises
    ------
    BadInput
        Where the horizons differ, or a model cannot read today's data.
    """
    if champion.horizon != challenger.horizon:
        problem = f"horizons of {champion.horizon.days} and {challenger.horizon.days} days ask different questions"
        raise BadInput([Fault("models", kind, "", problem, "promote one by hand")])
    build = builders(book.local_market(space))[kind]
    one, two = (_foretold(build, side, space.tables) for side in (champion, challenger))
    rows = one.add_suffix("_before").join(two, how="inner").reset_index()
    margin = space.settings.margin_share * (rows["amount"] + rows["amount_before"]) / 2
    return judge(
        rows["p_before"],
        rows["p"],
        rows["bought"],
        parents(space.tables, rows["account_id"]),
        terms=Terms(
            margin.to_numpy(), cost, space.settings.capacity_share if capacity_share is None else capacity_share
        ),
        seed=space.settings.seed,
    )


def compared(space: Workspace, kind: str, name: str, *, capacity_share: float | None = None, cost: float = 0.0) -> str:
    """
    Hold a version against the champion, both as they stand, and say what it comes to.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.
    kind : str
        upsell or cross_sell.
    name : str
        The version.
    capacity_share : float, optional
        Share of the rows that can be worked within a horizon; as the settings say by default.
    cost : float
        Money spent on working a row.

    Returns
    -------
    str
        One sentence; it says where a model had seen the outcomes it is judged by.

    Raises
    ------
    BadInput
        Where there is no such version, or they cannot be compared.
    """
    shelf = shelf_of(space, kind)
    if shelf.champion is None:
        raise BadInput([Fault("models", kind, "", "there is no champion yet", "promote a version")])
    champion, challenger = (Learned.load(shelf.there(version)) for version in (shelf.champion, name))
    found = contest(space, kind, champion, challenger, capacity_share=capacity_share, cost=cost)
    return _seen(space, champion=champion, challenger=challenger) + found.why


def promote(space: Workspace, kind: str, name: str) -> None:
    """
    Let a version serve because a person says so, after checking every byte of it.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    kind : str
        upsell or cross_sell.
    name : str
        The version.

    Raises
    ------
    BadInput
        Where there is no such version, or it was changed.
    """
    shelf = shelf_of(space, kind)
    Learned.load(shelf.there(name))
    shelf.promote(name)


def roll_back(space: Workspace, kind: str) -> str:
    """
    Withdraw the champion and return to the one before.

    Parameters
    ----------
    space : Workspace
        Any workspace.
    kind : str
        upsell or cross_sell.

    Returns
    -------
    str
        The version that serves now.

    Raises
    ------
    BadInput
        Where there is none before.
    """
    return shelf_of(space, kind).roll_back()


def listed(space: Workspace) -> pd.DataFrame:
    """
    List the models of a workspace.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    DataFrame
        kind, version, role (champion | withdrawn | empty), algorithm, verdict; oldest data first.

    Raises
    ------
    BadInput
        Where a folder was changed.
    """
    found = []
    for shelf in shelves(space.folder / "models"):
        for name in shelf.versions:
            model = Learned.load(shelf.place(name)).model
            role = "champion" if name == shelf.champion else "withdrawn" if name in shelf.withdrawn else ""
            found.append((shelf.kind, name, role, model.algorithm_, repr(model.verdict)))
    return pd.DataFrame(found, columns=["kind", "version", "role", "algorithm", "verdict"])


def _capacity(space: Workspace, stated: float | None) -> float:
    """Take the share that can be worked as stated, else as the settings say."""
    return space.settings.capacity_share if stated is None else stated


def _settings(space: Workspace) -> dict[str, Any]:
    """Say what the workspace states about learning."""
    settings = space.settings
    return {"horizon_d": settings.horizon_days, "extra": book.local_market(space), "seed": settings.seed}


def _verdicts(space: Workspace, open_: list[Shelf], capacity_share: float, cost: float) -> dict[str, tuple[bool, str]]:
    """Judge each kind's recipe, learnt one horizon ago, against its champion."""
    then = space.end - pd.Timedelta(days=space.settings.horizon_days)
    try:
        trial = learn(space.tables, then, **_settings(space))
    except BadInput as error:
        return {shelf.kind: (False, f"not compared: {error.faults[0].problem}") for shelf in open_}
    return {shelf.kind: _verdict(space, shelf, trial[shelf.kind], capacity_share, cost) for shelf in open_}


def _verdict(space: Workspace, shelf: Shelf, trial: Learned, capacity_share: float, cost: float) -> tuple[bool, str]:
    """Judge one recipe."""
    champion = Learned.load(shelf.there(str(shelf.champion)))
    try:
        found = contest(space, shelf.kind, champion, trial, capacity_share=capacity_share, cost=cost)
    except BadInput as error:
        return False, f"not compared: {'; '.join(map(str, error.faults))}"
    return found.promote, _seen(space, champion=champion) + found.why


def _seen(space: Workspace, **sides: Learned) -> str:
    """Say which side had learnt from the outcomes it is judged by, which can only speak for it."""
    then = space.end
    days = {side: (known.as_of - then + known.horizon).days for side, known in sides.items()}
    seen = [f"leans to the {side}, which had seen {n} days of these outcomes: " for side, n in days.items() if n > 0]
    return "".join(seen)


def _settled(shelf: Shelf, name: str, verdict: tuple[bool, str] | None) -> Outcome:
    """Promote where it was earned, and say what happened."""
    earned, why = verdict or (shelf.champion is None, "")
    if shelf.champion == name:
        why = "nothing has changed since it was learnt"
    elif shelf.champion is None:
        why = "the first of its kind"
    elif name in shelf.withdrawn:
        why = "it was rolled back; only a person promotes it again"
    if earned:
        shelf.promote(name)
    return Outcome(shelf.kind, name, str(shelf.champion), why)


def _foretold(build: Builder, side: Learned, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Let a model foretell the last horizon, beside what came of it."""
    rows = build.labelled(side.snapshot(tables, data_end(tables) - side.horizon))
    keys = [name for name in ("account_id", "product_id") if name in rows]
    table = rows[[*keys, "bought"]].assign(p=side.foretell(rows), amount=side.amount(rows))
    return table.set_index(keys)
