"""
Load files for Salesforce's territories: what to insert and delete, in which order, and how to go back.

An ``ObjectTerritory2Association`` and a ``UserTerritory2Association`` of another territory cannot be updated, so a move
is a delete and an insert (Salesforce object reference). Ids of what is yet to be inserted are not known before: rows
that need them have an empty id until the files are made again with a later export (``ids``).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

LONGEST = 80  # characters of a DeveloperName and of a territory's label
_MANUAL = "Territory2Manual"
_BY_RULE = ("Territory2AssignmentRule", "Rules", "Rule")


@dataclass(frozen=True)
class Load:
    """What to load."""

    files: dict[str, pd.DataFrame]  # by file name, in the order to be loaded
    undo: dict[str, pd.DataFrame]  # the same for the way back to today
    summary: list[str]  # the dry run: what each file does, and what waits


def developer_names(labels: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """
    Make names that Salesforce takes: letters, digits and single underscores, a letter first, 80 characters, unique.

    Capitals do not tell names apart.
    """
    used, names = {name.casefold() for name in taken}, {}
    for label in dict.fromkeys(labels):
        letters = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Za-z0-9]+", "_", letters).strip("_")
        base = (base if base[:1].isalpha() else f"T_{base}").strip("_")
        tries = (base[: LONGEST - len(end)].rstrip("_") + end for end in _ends())
        names[label] = next(name for name in tries if name.casefold() not in used)
        used.add(names[label].casefold())
    return names


def load_files(
    today: Mapping[str, pd.DataFrame],
    accounts: pd.Series,
    reps: pd.Series,
    *,
    planned: Collection[str] = (),
    ids: Mapping[str, pd.DataFrame] | None = None,
) -> Load:
    """
    Say what changes between the CRM's territories of today and those wanted.

    Parameters
    ----------
    today : mapping of str to DataFrame of str
        As `today.load` reads it.
    accounts : Series
        Wanted ``territory_id`` by account_id; accounts that are not in it stay as they are.
    reps : Series
        Wanted ``territory_id`` by rep_id; reps that are not in it, or stand there already, stay as they are.
    planned : collection of str
        Territories of today's alignment: an account leaves these and the wanted ones only, so that what lies over them
        (a product specialist's territory) is left alone.
    ids : mapping of str to DataFrame of str, optional
        As `today.later` reads them: tells the ids of what has been inserted since.

    Returns
    -------
    Load
        Today's associations against the wanted ones.
    """
    later = ids or today
    known = today["territories"]
    fresh = sorted((set(accounts) | set(reps)) - set(known["territory_id"]))
    names = developer_names(fresh, known["developer_name"])
    crm_id = _ids(known, later["territories"], names)
    usual = {column: _most(known[column]) for column in ("model_id", "type_id", "parent_id")}
    inserts = pd.DataFrame(
        {
            "Name": [label[:LONGEST] for label in fresh],
            "DeveloperName": [names[label] for label in fresh],
            "Territory2ModelId": usual["model_id"],
            "Territory2TypeId": usual["type_id"],
            "ParentTerritory2Id": usual["parent_id"],
        },
        dtype="str",
    )
    stands = today["user_territories"].groupby("rep_id")["territory_id"].agg(set).to_dict()
    moving = reps[[territory not in stands.get(rep, ()) for rep, territory in reps.items()]]
    moves = {
        "ObjectTerritory2Association": ("account_territories", "account_id", accounts),
        "UserTerritory2Association": ("user_territories", "rep_id", moving),
    }
    files, undo = {"1_Territory2_insert": inserts}, {}
    for step, (name, (table, key, wanted)) in enumerate(moves.items()):
        now, then = today[table], later[table]
        gone, come = _changes(now, key, wanted, {*planned, *accounts})
        files[f"{2 + 2 * step}_{name}_delete"] = _rows(gone, now, key, crm_id)[["Id", *_HEAD[key]]]
        files[f"{3 + 2 * step}_{name}_insert"] = _rows(come, now, key, crm_id)[_HEAD[key] + _MORE[key]]
        given = then if ids else now.iloc[:0]
        undo[f"{3 - 2 * step}_{name}_delete"] = _rows(come, given, key, crm_id)[["Id", *_HEAD[key]]]
        undo[f"{4 - 2 * step}_{name}_insert"] = _rows(gone, now, key, crm_id)[_HEAD[key] + _MORE[key]]
    undo["5_Territory2_delete"] = inserts[["DeveloperName"]].assign(Id=[crm_id.get(label, "") for label in fresh])
    undo = dict(sorted(undo.items()))
    return Load(files, undo, _summary(files, undo, today, accounts))


_HEAD = {"account_id": ["ObjectId", "Territory2Id"], "rep_id": ["UserId", "Territory2Id"]}
_MORE = {"account_id": ["AssociationCause"], "rep_id": ["RoleInTerritory2"]}


def _ends() -> Iterable[str]:
    """Nothing, then _2, _3 and so on."""
    yield ""
    number = 2
    while True:
        yield f"_{number}"
        number += 1


def _ids(known: pd.DataFrame, later: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Ids by territory: today's, and those given since to the names we made."""
    given = dict(zip(later["developer_name"], later["crm_id"], strict=True))
    fresh = {label: given[name] for label, name in names.items() if name in given}
    return dict(zip(known["territory_id"], known["crm_id"], strict=True)) | fresh


def _most(values: pd.Series) -> str:
    """Return the value that most rows have."""
    filled = values[values != ""].mode()
    return str(filled.iloc[0]) if len(filled) else ""


def _changes(
    now: pd.DataFrame, key: str, wanted: pd.Series, ours: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Associations of today that are no longer wanted, and wanted ones that are not there."""
    target = now[key].map(wanted)
    gone = now[target.notna() & (target != now["territory_id"]) & now["territory_id"].isin(ours)]
    pairs = pd.MultiIndex.from_frame(now[[key, "territory_id"]])
    come = wanted.rename("territory_id").rename_axis(key).reset_index().astype("str")
    return gone, come[~pd.MultiIndex.from_frame(come).isin(pairs)]


def _rows(pairs: pd.DataFrame, known: pd.DataFrame, key: str, crm_id: Mapping[str, str]) -> pd.DataFrame:
    """Write pairs as Salesforce calls them, with the id of each association where it is known."""
    there = known["territory_id"].map(lambda territory: crm_id.get(territory, territory))
    given = dict(zip(zip(known[key], there, strict=True), known["association_id"], strict=True))
    where = [(row, crm_id.get(territory, "")) for row, territory in zip(pairs[key], pairs["territory_id"], strict=True)]
    return pd.DataFrame(
        {
            "Id": [given.get(pair, "") for pair in where],
            _HEAD[key][0]: pairs[key].to_numpy(),
            "Territory2Id": [territory for _, territory in where],
            "AssociationCause": _MANUAL,  # only the rules engine may state the other
            "RoleInTerritory2": pairs["role"].to_numpy() if "role" in pairs else "",
        },
        dtype="str",
    )


def _summary(
    files: Mapping[str, pd.DataFrame],
    undo: Mapping[str, pd.DataFrame],
    today: Mapping[str, pd.DataFrame],
    accounts: pd.Series,
) -> list[str]:
    """Say what would be done, and what a person must see to."""
    told = [f"{name}.csv: {len(frame)} rows" for name, frame in files.items()]
    waiting = sum(int((frame["Territory2Id"] == "").sum()) for name, frame in files.items() if "Territory2Id" in frame)
    if waiting:
        told.append(
            f"{waiting} rows wait for the ids of new territories: load step 1, export Territory2, add --ids FILE"
        )
    fresh = files["1_Territory2_insert"]
    if len(fresh) and (fresh["Territory2ModelId"] == "").any():
        told.append("step 1 lacks a model and type: export today's Territory2, or fill both columns in")
    associated = today["account_territories"]
    moved = set(files["2_ObjectTerritory2Association_delete"]["Id"])
    ruled = associated["association_id"].isin(moved) & associated["cause"].isin(_BY_RULE)
    if ruled.any():
        told.append(
            f"{int(ruled.sum())} of the deleted associations come from assignment rules: switch those off first"
        )
    left = set(associated["territory_id"]) - set(accounts)
    if left:
        told.append(f"no account is wanted in: {', '.join(sorted(left))}")
    blind = sum(int((frame["Id"] == "").sum()) for frame in undo.values() if "Id" in frame)
    if blind:
        told.append(
            f"undo: {blind} deletes get their ids after loading: export the associations again, add --ids FOLDER"
        )
    return told
