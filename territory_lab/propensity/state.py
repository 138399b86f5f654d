"""
What a fitted model remembers, as strict JSON and back: one road for every class of this room.

Text, whole numbers, finite floats, yes/no, lists and maps stand as they are; anything else is a map of one entry whose
key begins with ``$``. Floats keep every bit. Classes are found by name in the modules of `HOMES` only and are rebuilt
from their fields; nothing stored is ever run.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.base import BaseEstimator

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import encode, evidence, learners, metrics, recent, sklearn_file, watch

HOMES: tuple[ModuleType, ...] = (encode, evidence, learners, metrics, recent, watch)


class Form(NamedTuple):
    """
    How values of one kind are written.

    Parameters
    ----------
    kind : type
        Of the value; a builtin stands for itself and not for classes made from it.
    apart : callable
        Value -> plainer parts.
    together : callable
        Parts -> value.
    """

    kind: type
    apart: Callable[[Any], Any]
    together: Callable[[Any], Any]


class Attachment(NamedTuple):
    """
    How a fitted object of another library is kept in a file of its own.

    Parameters
    ----------
    kind : type
        Of the object.
    suffix : str
        Of the file.
    write : callable
        Object -> bytes.
    read : callable
        (bytes, file name) -> object.
    """

    kind: type
    suffix: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes, str], Any]


def to_json(value: object, attached: dict[str, bytes]) -> str:
    """
    Write a value as JSON.

    Parameters
    ----------
    value : object
        Built of plain values, numpy, pandas and the classes of `HOMES`.
    attached : dict of str to bytes
        Receives a file for each booster and pipeline.

    Returns
    -------
    str
        The same bytes for the same value.

    Raises
    ------
    BadInput
        Where a part is of a kind that is not kept.
    """
    return json.dumps(_plain(value, attached), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, attached: Mapping[str, bytes], file: str) -> Any:  # noqa: ANN401 - what was written
    """
    Read a value that `to_json` wrote.

    Parameters
    ----------
    text : str
        The JSON.
    attached : mapping of str to bytes
        The files of boosters and pipelines.
    file : str
        Where the text comes from, for messages.

    Returns
    -------
    object
        As it was written.

    Raises
    ------
    BadInput
        Where the text is no such JSON, or names a class or a file that is not known.
    """
    try:
        return _living(json.loads(text), attached)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        if isinstance(error, BadInput):
            raise
        reason = f"cannot be understood: {type(error).__name__} {error}"
        raise BadInput([Fault("artefact", file, "", reason, "save the model again with this release")]) from error


def _plain(value: Any, attached: dict[str, bytes]) -> Any:  # noqa: ANN401 - what JSON holds
    """Write any value with plain ones."""
    kind = type(value)
    if value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value)):
        return value
    if kind is list:
        return [_plain(part, attached) for part in value]
    if kind is dict and all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: _plain(part, attached) for key, part in value.items()}
    for name, attachment in _ATTACHMENTS.items():
        if isinstance(value, attachment.kind) and kind not in _CLASSES.values():
            alike = sum(file.endswith(attachment.suffix) for file in attached)
            file = f"{name}{alike + 1 if alike else ''}{attachment.suffix}"
            attached[file] = attachment.write(value)
            return {f"${name}": file}
    tag, parts = _apart(value)
    return {f"${tag}": _plain(parts, attached)}


def _living(plain: Any, attached: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - what was written
    """Read any value from plain ones."""
    if isinstance(plain, list):
        return [_living(part, attached) for part in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1 or not next(iter(plain)).startswith("$"):
        return {key: _living(part, attached) for key, part in plain.items()}
    ((tag, inside),) = plain.items()
    name = tag[1:]
    if name in _ATTACHMENTS:
        return _ATTACHMENTS[name].read(attached[inside], inside)
    parts = _living(inside, attached)
    return _FORMS[name].together(parts) if name in _FORMS else _rebuilt(_CLASSES[name], parts)


def _apart(value: object) -> tuple[str, Any]:
    """Name the kind of a value and take it apart."""
    kind = type(value)
    if _CLASSES.get(kind.__name__) is kind:
        return kind.__name__, {name: getattr(value, name) for name in _fields(value)}
    for tag, form in _FORMS.items():
        if kind is form.kind or (isinstance(value, form.kind) and form.kind.__module__ != "builtins"):
            return tag, form.apart(value)
    raise BadInput([Fault("artefact", "", "", f"{kind} is not kept", "keep plain values, or add its module to HOMES")])


def _fields(value: object) -> list[str]:
    """Name what a value of our own is made of."""
    kind: Any = type(value)
    if hasattr(kind, "_fields"):
        return list(kind._fields)
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    return list(kind.__slots__) if isinstance(value, str) else list(vars(value))


def _rebuilt(kind: type, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - an instance of the class
    """Make a value of our own again: by its constructor where that takes its fields, else as it stood."""
    if issubclass(kind, tuple | str) or dataclasses.is_dataclass(kind):
        return kind(**fields)
    made = kind.__new__(kind)
    vars(made).update(fields)
    return made


def _booster(data: bytes, file: str) -> xgb.Booster:
    """Read trees; on one thread, as they were grown."""
    try:
        return xgb.Booster({"nthread": 1}, model_file=bytearray(data))
    except xgb.core.XGBoostError as error:
        raise BadInput([Fault("artefact", file, "", "holds no trees of xgboost", "restore the folder")]) from error


def _column(parts: list[Any]) -> Any:  # noqa: ANN401 - a Series, whose stubs want its type
    """Read a column."""
    name, dtype, values, index = parts
    return pd.Series(values, index, dtype=dtype, name=name)


def _frame(parts: list[Any]) -> pd.DataFrame:
    """Read a table."""
    columns, index = parts
    return pd.DataFrame({name: _column([name, dtype, values, index]) for name, dtype, values in columns}, index=index)


_FORMS = {
    "float": Form(float, repr, float),
    "tuple": Form(tuple, list, tuple),
    "pairs": Form(dict, lambda pairs: [list(pair) for pair in pairs.items()], dict),
    "scalar": Form(np.generic, lambda v: [str(v.dtype), v.item()], lambda parts: np.dtype(parts[0]).type(parts[1])),
    "never": Form(type(pd.NaT), lambda _: [], lambda _: pd.NaT),
    "time": Form(pd.Timestamp, pd.Timestamp.isoformat, pd.Timestamp),
    "span": Form(pd.Timedelta, pd.Timedelta.isoformat, pd.Timedelta),
    "array": Form(np.ndarray, lambda v: [str(v.dtype), v.tolist()], lambda parts: np.array(parts[1], dtype=parts[0])),
    "index": Form(
        pd.Index,
        lambda v: [v.name, str(v.dtype), v.tolist()],
        lambda parts: pd.Index(parts[2], dtype=parts[1], name=parts[0]),
    ),
    "column": Form(pd.Series, lambda v: [v.name, str(v.dtype), v.tolist(), v.index], _column),
    "table": Form(
        pd.DataFrame, lambda v: [[[name, str(part.dtype), part.tolist()] for name, part in v.items()], v.index], _frame
    ),
}
_ATTACHMENTS = {
    "booster": Attachment(xgb.Booster, ".ubj", lambda booster: bytes(booster.save_raw("ubj")), _booster),
    "pipeline": Attachment(BaseEstimator, ".skops", sklearn_file.write, sklearn_file.read),
}
_CLASSES: dict[str, type] = {
    name: found
    for home in HOMES
    for name, found in vars(home).items()
    if isinstance(found, type) and found.__module__ == home.__name__
}
