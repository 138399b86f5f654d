"""Pipelines of scikit-learn as skops files: every type in a file is on a short, reviewed list, or it is not opened."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import skops.io
from sklearn.base import BaseEstimator

from territory_lab.errors import BadInput, Fault

# (skops node, module, name). Reviewed: each holds numbers, texts or arrays and computes with them; none runs code from
# the file, opens a file or calls another program. The only functions are numpy ufuncs.
_REVIEWED = frozenset(
    {
        ("JsonNode", "builtins", "str"),
        ("DictNode", "builtins", "dict"),
        ("ListNode", "builtins", "list"),
        ("TupleNode", "builtins", "tuple"),
        ("TypeNode", "builtins", "str"),
        ("NdArrayNode", "numpy", "ndarray"),
        ("NdArrayNode", "numpy", "float64"),
        ("NdArrayNode", "numpy", "int64"),
        ("DTypeNode", "numpy", "dtype"),
        ("FunctionNode", "numpy", "arcsinh"),
        ("FunctionNode", "numpy", "tanh"),
        ("ObjectNode", "sklearn.pipeline", "Pipeline"),
        ("ObjectNode", "sklearn.impute._base", "SimpleImputer"),
        ("ObjectNode", "sklearn.impute._base", "MissingIndicator"),
        ("ObjectNode", "sklearn.preprocessing._data", "RobustScaler"),
        ("ObjectNode", "sklearn.preprocessing._data", "StandardScaler"),
        ("ObjectNode", "sklearn.preprocessing._function_transformer", "FunctionTransformer"),
        ("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression"),
    }
)
_TRUSTED = ["numpy.dtype"]  # all that skops itself would ask about
_SCHEMA, _PROTOCOL = "schema.json", 2
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip file can say


def write(pipeline: BaseEstimator) -> bytes:
    """
    Write a fitted pipeline, the same bytes for the same pipeline.

    Parameters
    ----------
    pipeline : estimator
        Built of reviewed types.

    Returns
    -------
    bytes
        A skops file without memory addresses and times.

    Raises
    ------
    BadInput
        Where it holds a type that is not on the list.
    """
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(pipeline))) as dumped:
        schema = json.loads(dumped.read(_SCHEMA))
        _audit(schema, "pipeline")
        numbers: dict[int, int] = {}
        files: dict[str, bytes] = {}
        for node in _nodes(schema):
            if "__id__" in node:
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers))
            if "file" in node:
                stored, node["file"] = node["file"], f"{node['__id__']}.npy"
                files[node["file"]] = dumped.read(stored)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as steady:
        for name, content in (files | {_SCHEMA: json.dumps(schema, indent=1).encode()}).items():
            steady.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return target.getvalue()


def read(data: bytes, file: str) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    """
    Read a pipeline, after looking at every type in it.

    Parameters
    ----------
    data : bytes
        A skops file.
    file : str
        Its name, for messages.

    Returns
    -------
    estimator
        The fitted pipeline.

    Raises
    ------
    BadInput
        Where the file is no skops file, or holds a type that is not on the list.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            schema = json.loads(zipped.read(_SCHEMA))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BadInput([Fault("artefact", file, "", f"is no skops file ({error})", "restore the folder")]) from error
    _audit(schema, file)
    return skops.io.loads(data, trusted=_TRUSTED)


def _audit(schema: dict[str, Any], file: str) -> None:
    """Refuse what is not on the list, by name."""
    if schema.get("protocol") != _PROTOCOL:
        problem = f"skops protocol {schema.get('protocol')}, expected {_PROTOCOL}"
        raise BadInput([Fault("artefact", file, "", problem, "save the model again")])
    there = {tuple(node.get(f"__{part}__") for part in ("loader", "module", "class")) for node in _nodes(schema)}
    unknown = sorted(f"{module}.{name} ({node})" for node, module, name in there - _REVIEWED)
    if unknown:
        mend = "do not open it; a new type is reviewed in propensity/sklearn_file.py first"
        raise BadInput([Fault("artefact", file, "", f"holds the type {name}", mend) for name in unknown])


def _nodes(part: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - what JSON holds
    """Go through every node of a skops schema."""
    if isinstance(part, dict):
        if part.keys() & {"__class__", "__module__", "__loader__", "__id__"}:
            yield part
        for inside in part.values():
            yield from _nodes(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from _nodes(inside)
