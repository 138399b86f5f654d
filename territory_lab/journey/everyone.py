"""Every account of a company too large for memory: what one part taught, applied to all of them, part by part."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from territory_lab import book, schema, scoring, worklist
from territory_lab import propensity as models
from territory_lab.errors import BadInput, Fault, MissingTable
from territory_lab.journey.taught import foretold, profiles
from territory_lab.results import Result, kept, stamp
from territory_lab.workspace import Workspace, write_frames

Each = Callable[[Callable[[Workspace], list[Fault]], Iterable[Workspace]], Iterable[list[Fault]]]
"""How parts are gone through: ``map``, or what calls a function on each of them elsewhere."""

SHOWN = 20_000  # rows of a list that a person might still look through
_ORDER = ["expected_revenue", "account_id", "product_id"]
COLUMNS = (
    *("account_id", "unit_id", "area_id", "state", "sector", "employees", "density", "median_income"),  # book.accounts
    *("customer", "spend", "spend_before"),
    *("fit", "score", "engagement"),  # the probability that it buys, the score behind it, contacts
    *("potential", "expected", "sd"),  # what it may buy in a year, what is expected of it, the error of that
)


class Taught(NamedTuple):
    """
    What one part of a company taught, and where the scores of all parts go.

    Parameters
    ----------
    places : DataFrame
        Units.
    profile : IdealCustomerProfile
        Who fits.
    models : mapping of str to Learned
        Who will buy, by kind.
    forecast : str
        How revenue is foretold, as in `propensity.forecast_revenue`.
    folder : Path
        It gets one folder for each part.
    """

    places: pd.DataFrame
    profile: scoring.IdealCustomerProfile
    models: Mapping[str, models.Learned]
    forecast: str
    folder: Path


@kept
def learning(space: Workspace) -> Result:
    """
    Learn from the first part of a large company who will buy, and keep the models.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.

    Returns
    -------
    Result
        As the step propensity has it for the accounts of that part.
    """
    known = book.accounts(space, book.units(space))
    return foretold(space, profiles(space, known)[1].probability(known), keep=_models(space))


@kept
def scored(space: Workspace, each: Each = map) -> Result:
    """
    Score all accounts of a large company by what its first part taught.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.
    each : callable
        How its parts are gone through. Those done before an interruption are not done again.

    Returns
    -------
    Result
        Frames propensity (the first rows), actions, capacity and expected_units as the step propensity has them, and
        prospects as the step icp has them; accounts, customers and parts as facts.

    Raises
    ------
    BadInput
        With every fault of every part.
    MissingTable
        Where the company has what only works in memory.
    """
    whole_only = {"named_accounts": "named_accounts" in space.files, "h3_resolution": space.settings.h3_resolution > 0}
    for name in [name for name, stated in whole_only.items() if stated]:
        raise MissingTable(f"{name} works for a company in memory only: set part_accounts above its accounts")
    kinds = sorted(learning(space).facts["cards"], reverse=True)
    places = book.units(space)
    profile = profiles(space, book.accounts(space, places))[1]
    known = {kind: models.Learned.load(_models(space) / kind) for kind in kinds}
    base = models.forecast_revenue(space.tables["orders"], space.end)
    _go_through(space, Taught(places, profile, known, base.method, _scores(space)), each)
    whole = everyone(space, ["unit_id", "customer", "expected", "sd"])
    base = replace(base, expected=whole["expected"].dropna(), interval=whole[["sd"]])
    best = _listed(space, "propensity").sort_values(_ORDER, ascending=[False, True, True], kind="stable")
    frames = {
        "propensity": best.head(SHOWN).reset_index(drop=True),
        "prospects": _prospects(space),
        "expected_units": base.summed(whole["unit_id"]),
    }
    actions = _listed(space, "actions")
    if len(actions):
        chosen = worklist.refilled(space, actions)
        frames |= {"actions": chosen.listed, "capacity": chosen.by_rep}
    facts = {"accounts": len(whole), "customers": int(whole["customer"].sum()), "parts": len(list(space.parts))}
    return Result(frames, facts)


def _models(space: Workspace) -> Path:
    """Where what was learnt is kept."""
    return space.result("models")


def _scores(space: Workspace) -> Path:
    """Where the scores of all parts are kept: another folder for other data, settings or program."""
    return space.result("everyone") / stamp(space)[:16]


def count(part: Workspace, taught: Taught) -> list[Fault]:
    """
    Score the accounts of one part and write them down.

    Parameters
    ----------
    part : Workspace
        One of ``Workspace.parts``.
    taught : Taught
        From another part.

    Returns
    -------
    list of Fault
        What is wrong with the part; nothing is written then.
    """
    part = replace(part)  # what is read is let go with it, whoever keeps the part
    folder = taught.folder / str(part.part)
    if folder.is_dir():
        return []
    try:
        tables = part.tables
    except BadInput as wrong:
        return wrong.faults
    known = book.accounts(part, taught.places)
    assessed = taught.profile.assess(known)
    fit = assessed["probability"]
    scored = models.apply(taught.models, tables, part.end, extra=known.filter(["density", "median_income"]))
    base = models.forecast_revenue(tables["orders"], part.end, method=taught.forecast)
    known = known.filter(COLUMNS).assign(
        fit=fit,
        score=assessed["score"],
        engagement=scoring.engagement(book.contacts(part), part.end).reindex(known.index).fillna(0.0),
        potential=models.potential(tables, scored, fit=fit, base=base),
        expected=base.expected,
        sd=base.interval["sd"],
    )
    listed = book.with_names(part, scored.propensity)
    frames = {"accounts": known.reset_index(), "propensity": listed.head(SHOWN)}
    if "owner_id" in tables["accounts"]:
        chosen = [worklist.actions(part, scored, listed, kind).listed for kind in scored.models]
        frames["actions"] = pd.concat(chosen, ignore_index=True)
    write_frames(folder, frames, {})
    return []


def _go_through(space: Workspace, taught: Taught, each: Each) -> None:
    """Score all accounts, but for parts done before; drop what stands of other data."""
    gone = each(partial(count, taught=taught), space.parts)
    found = [fault for faults in tqdm(gone, "parts", space.deal.size if space.deal else 1) for fault in faults]
    if found:
        raise BadInput(dict.fromkeys(found))
    for old in set(taught.folder.parent.glob("*/")) - {taught.folder}:
        shutil.rmtree(old)


def _prospects(space: Workspace) -> pd.DataFrame:
    """List the accounts that do not buy and fit best."""
    whole = everyone(space, ["customer", "fit", "score", "engagement"])
    whole["tier"] = scoring.tiers(whole["score"])
    whole["grade"] = scoring.grade(whole["score"], whole["engagement"])
    best = whole.loc[whole["fit"].where(~whole["customer"]).nlargest(SHOWN).index]
    about = everyone(space, ["account_id", "sector", "employees", "state"]).loc[best.index]
    best = about.join(best[["score", "tier", "grade", "fit"]]).set_index("account_id")
    names = rows(space, "accounts", best.index).set_index("account_id")["name"]
    return best.rename(columns={"fit": "probability"}).assign(name=names)


def _listed(space: Workspace, name: str) -> pd.DataFrame:
    """Put a list of all parts together; empty where no part has one."""
    files = [file for file in _files(space, name) if file.is_file()]
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True) if files else pd.DataFrame()


def everyone(space: Workspace, columns: Iterable[str]) -> pd.DataFrame:
    """
    Return all accounts of a large company, with what a step needs of them.

    Parameters
    ----------
    space : Workspace
        As for :func:`scored`.
    columns : iterable of str
        Which of ``COLUMNS``; those that are not known are left out.

    Returns
    -------
    DataFrame
        Numbered, the first part first, in the order of its accounts.
    """
    files = _files(space, "accounts")
    known = pq.read_schema(files[0]).names
    wanted = [name for name in columns if name in known]
    return pd.concat([pd.read_parquet(file, columns=wanted) for file in files], ignore_index=True)


def rows(space: Workspace, table: str, account_ids: Iterable[str]) -> pd.DataFrame:
    """
    Read the rows of a few accounts.

    Parameters
    ----------
    space : Workspace
        A large company.
    table : str
        One that has accounts.
    account_ids : iterable of str
        Not many.

    Returns
    -------
    DataFrame
        Typed, one part after the other.
    """
    asked = [("account_id", "in", set(account_ids))]
    files = [part.sources[table] for part in space.parts if table in part.sources]
    found = [pd.read_parquet(file, filters=asked) for file in files]
    return schema.inspect({table: pd.concat(found, ignore_index=True)}, part=True)[0][table]


def _files(space: Workspace, name: str) -> list[Path]:
    """One file for each part, in their order."""
    return [_scores(space) / str(part.part) / f"{name}.parquet" for part in space.parts]
