"""
A fitted model as a folder that can be read, checked and carried: no pickle, nothing half written, no byte unaccounted.

``manifest.json`` holds the SHA-256 of every other file and of itself. That shows damage and careless edits. It does not
prove who wrote the folder, and xgboost trusts the bytes of its trees: keep folders where only those may write who may
change a model.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import sklearn
import skops
import xgboost
from sklearn.utils.validation import check_is_fitted

from territory_lab.errors import BadInput, Fault
from territory_lab.files import writing
from territory_lab.propensity.card import Card
from territory_lab.propensity.state import from_json, to_json

FORMAT = 1
_MANIFEST, _SCHEMA, _STATE, _NOTES = "manifest.json", "schema.json", "model.json", "notes.json"
_CARD, _PAGE = "card.json", "card.html"
_APART = {
    "encoder.json": ("encoder_",),
    "metrics.json": ("metrics_", "calibration_", "gains_"),
    "profile.json": ("profile_",),
}
_NEEDED = {*_APART, _SCHEMA, _STATE, _NOTES, _CARD, _PAGE}
_ENGINES = {engine.__name__: engine.__version__ for engine in (sklearn, skops, xgboost)}


class Kept:
    """
    What lets a fitted model be saved and loaded.

    Attributes
    ----------
    notes_ : object
        What was saved beside a loaded model.
    """

    notes_: Any

    def save(self, folder: str | os.PathLike[str], notes: object = None) -> None:
        """
        Save the fitted model as a folder, without pickle; the rows of ``evidence_`` stay behind.

        Parameters
        ----------
        folder : path
            New or empty, or holding a model that is replaced.
        notes : object
            Plain values that travel with the model.

        Raises
        ------
        BadInput
            Where the folder holds something else, or a part of the model cannot be kept.
        """
        check_is_fitted(self)
        state = {name: value for name, value in vars(self).items() if name != "notes_"} | {"evidence_": None}
        write(Path(folder), state, notes)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """
        Load a model that foretells the same, to the last bit.

        Parameters
        ----------
        folder : path
            From `save`.

        Returns
        -------
        Kept
            Fitted, without ``evidence_``.

        Raises
        ------
        BadInput
            Naming what was changed, added, lost or is not known.
        """
        state, notes = read(Path(folder))
        model = cls()
        for name, value in (state | {"notes_": notes}).items():
            setattr(model, name, value)
        return model


def write(folder: Path, state: Mapping[str, Any], notes: object = None) -> None:
    """
    Write a model's folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        New, empty, or holding a model that is replaced.
    state : mapping of str to object
        Parameters and fitted attributes of the model.
    notes : object
        Anything plain that belongs to the model and travels with it.

    Raises
    ------
    BadInput
        Where the folder holds something else, or a part cannot be kept.
    """
    if folder.exists() and not (folder.is_dir() and ((folder / _MANIFEST).is_file() or not any(folder.iterdir()))):
        problem = "holds something that is no model; nothing was changed"
        raise BadInput([Fault("artefact", folder.name, "", problem, "name a new folder")])
    rest, card = dict(state), state["card_"]
    del rest["card_"]
    files: dict[str, bytes] = {}
    texts = {name: {part: rest.pop(part) for part in parts} for name, parts in _APART.items()}
    written = {name: to_json(part, files) for name, part in (texts | {_STATE: rest, _NOTES: notes}).items()}
    written |= {_SCHEMA: _schema(state), _CARD: card.to_json(), _PAGE: card.to_page()}
    files |= {name: text.encode() for name, text in written.items()}
    with writing(folder) as draft:
        for name, content in (files | {_MANIFEST: _manifest(files)}).items():
            (draft / name).write_bytes(content)


def read(folder: Path) -> tuple[dict[str, Any], Any]:
    """
    Read a model's folder, after checking every byte of it.

    Parameters
    ----------
    folder : Path
        From `write`.

    Returns
    -------
    state : dict of str to object
        Parameters and fitted attributes, every float to the last bit.
    notes : object
        What travelled with it.

    Raises
    ------
    BadInput
        Naming every file that was changed, added or lost, or the type that is not known.
    """
    files = _checked(folder)
    texts = {name: content.decode() for name, content in files.items() if name.endswith(".json")}
    then = json.loads(texts[_SCHEMA])["engines"]
    other = [f"{name} {then.get(name)}, here {now}" for name, now in _ENGINES.items() if then.get(name) != now]
    if other:
        warnings.warn(f"{folder.name} was made with {'; '.join(other)}: compare its scores first", stacklevel=3)
    state: dict[str, Any] = from_json(texts[_STATE], files, _STATE)
    for name in _APART:
        state |= from_json(texts[name], files, name)
    state["card_"] = Card(**json.loads(texts[_CARD]))
    return state, from_json(texts[_NOTES], files, _NOTES)


def _checked(folder: Path) -> dict[str, bytes]:
    """Read every file once and hold it against the manifest."""
    if not (folder / _MANIFEST).is_file():
        raise BadInput([_fault(folder, _MANIFEST, "is missing: the folder holds no model")])
    sealed = (folder / _MANIFEST).read_bytes()
    try:
        known = dict(json.loads(sealed)["files"])
        intact = json.loads(sealed)["format"] == FORMAT and sealed == _sealed(known)
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise BadInput([_fault(folder, _MANIFEST, f"was changed, or is not of format {FORMAT}")])
    there = {path.name: path for path in folder.iterdir() if path.name != _MANIFEST}
    faults = [_fault(folder, name, "is missing") for name in sorted(known.keys() - there.keys())]
    faults += [_fault(folder, name, "does not belong here") for name in sorted(there.keys() - known.keys())]
    files = {name: there[name].read_bytes() for name in known if name in there and there[name].is_file()}
    changed = [name for name in known if name in there and (name not in files or _digest(files[name]) != known[name])]
    faults += [_fault(folder, name, "was changed since it was saved") for name in changed]
    faults += [_fault(folder, name, "is missing") for name in sorted(_NEEDED - known.keys())]
    if faults:
        raise BadInput(faults)
    return files


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """Sum up every file."""
    return _sealed({name: _digest(content) for name, content in sorted(files.items())})


def _sealed(digests: Mapping[str, str]) -> bytes:
    """Write the manifest in the one way there is, so that a change anywhere in it shows."""
    seal = _digest(json.dumps([FORMAT, digests]).encode())
    return (json.dumps({"format": FORMAT, "files": digests, "seal": seal}, indent=1) + "\n").encode()


def _digest(content: bytes) -> str:
    """Sum up bytes by SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _schema(state: Mapping[str, Any]) -> str:
    """Say which columns the model needs, and what it was made with."""
    columns = [
        {"column": name, "dtype": column.dtype, "kind": column.kind}
        for name, column in state["profile_"].columns.items()
    ]
    told = {"format": FORMAT, "columns": columns, "classes": state["classes_"].tolist(), "engines": _ENGINES}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _fault(folder: Path, file: str, problem: str) -> Fault:
    """Name a file of the folder."""
    return Fault(folder.name, file, "", problem, "restore the folder from where it was saved, or train again")
