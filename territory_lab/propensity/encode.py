"""Columns as they come (numbers, yes/no, categories, dates, gaps) into numbers, by rules learnt once."""

import warnings
from collections.abc import Hashable
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from territory_lab.errors import BadInput, Fault

Kind = Literal["number", "category", "date", "empty"]
Floats = NDArray[np.float64]

_OTHER, _MISSING = "other", "missing"
_SHIFT_ROWS = 20
_SHIFT_POWER = 2  # of ten
_SAMPLE = 20_000  # rows looked at for a change of unit


class Encoder(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """
    Learn how each column is read, and read later data in the same way.

    A category becomes one column per frequent level and one for the rare ones together. A level never seen becomes
    missing, with a warning: it is never taken for another level. A date becomes days since the first one seen (held
    to the span seen) and the season. A gap stays a gap (NaN).

    Parameters
    ----------
    max_levels : int
        Levels of a category that get their own column, most frequent first.
    min_count : int
        Rows a level needs for its own column.

    Attributes
    ----------
    rules_ : list of dict
        How each column is read; plain JSON.
    """

    def __init__(self, max_levels: int = 30, min_count: int = 10) -> None:
        self.max_levels = max_levels
        self.min_count = min_count

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """
        Learn kinds, levels and ranges.

        Parameters
        ----------
        X : DataFrame
            Columns as they come.
        y : object
            Not used.

        Returns
        -------
        Encoder
            Itself.
        """
        del y
        frame = framed(self, X, reset=True)
        self.rules_ = [self._learn(str(name), values) for name, values in frame.items()]
        empty = [rule["name"] for rule in self.rules_ if rule["kind"] == "empty"]
        if empty:
            warnings.warn(f"columns without a single value are left out: {', '.join(empty)}", stacklevel=2)
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """
        Read rows by the rules learnt.

        Parameters
        ----------
        X : DataFrame
            The columns seen in `fit`; others are left out with a warning.

        Returns
        -------
        array of shape (n, columns)
            Floats with NaN for what is missing; a DataFrame after ``set_output(transform="pandas")``.

        Raises
        ------
        BadInput
            Where columns are missing, cannot be read, or seem to be in another unit.
        """
        check_is_fitted(self)
        frame = framed(self, X, reset=False)
        faults: list[Fault] = []
        _warn_of_gaps(self.rules_, frame)
        parts = [_READ[rule["kind"]](rule, frame[_name(frame, rule)], faults) for rule in self.rules_]
        if faults:
            raise BadInput(faults)
        return np.column_stack(parts) if parts else np.empty((len(frame), 0))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """
        Name the columns that `transform` gives.

        Parameters
        ----------
        input_features : object
            Not used.

        Returns
        -------
        array of str
            ``column``, ``column=level`` or ``column:season``.
        """
        del input_features
        check_is_fitted(self)
        return np.array([name for rule in self.rules_ for name in _names(rule)], dtype=object)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn's tags have no public type
        """Tell scikit-learn what is accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _learn(self, name: str, values: pd.Series) -> dict[str, Any]:
        """Decide how one column is read."""
        kind = _kind(values)
        rule = {"name": name, "kind": kind, "missing": float(values.isna().mean())}
        if kind == "number":
            low, middle, high = np.nanquantile(_numbers(values), [0, 0.5, 1])
            return rule | {"low": float(low), "middle": float(middle), "high": float(high)}
        if kind == "date":
            dates = _dates(values, name)
            return rule | {"first": str(dates.min()), "last": str(dates.max())}
        if kind == "empty":
            return rule
        code, levels = _levels(values)
        count = pd.Series(np.bincount(code[code >= 0], minlength=len(levels)), levels)
        count = count.sort_index(kind="stable").sort_values(ascending=False, kind="stable")
        kept = [str(level) for level in count.index[: self.max_levels][count.iloc[: self.max_levels] >= self.min_count]]
        rare = [str(level) for level in count.index if str(level) not in set(kept)]
        return rule | {"kept": kept, "rare": rare, "gaps": bool((code < 0).any())}


def framed(estimator: Any, X: Any, *, reset: bool) -> pd.DataFrame:  # noqa: ANN401 - any estimator, any table
    """
    Take a table as a frame with the columns an estimator knows, or say what is wrong with it.

    Parameters
    ----------
    estimator : estimator
        Learns the column names where ``reset``.
    X : DataFrame or array
        The table.
    reset : bool
        True in `fit`.

    Returns
    -------
    DataFrame
        Columns in the order of `fit`.

    Raises
    ------
    BadInput
        Where columns are missing or named twice, or numbers are infinite.
    """
    if not isinstance(X, pd.DataFrame):
        array = validate_data(estimator, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        names = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(array.shape[1])])
        return pd.DataFrame(array, columns=list(names)).infer_objects()
    faults = [
        Fault("X", str(name), "", "the column stands twice", "rename or drop one")
        for name in X.columns[X.columns.duplicated()].unique()
    ]
    faults += [
        Fault("X", str(name), str(X.index[infinite][0]), f"{infinite.sum()} infinite value(s) (inf)", "mend or clear")
        for name, infinite in ((name, np.isinf(X[name].to_numpy(float, na_value=np.nan))) for name in _numeric(X))
        if infinite.any()
    ]
    known = None if reset else getattr(estimator, "feature_names_in_", None)
    if known is not None:
        faults += [
            Fault("X", str(name), "", "the column is missing", "give the columns of the training data")
            for name in known
            if name not in X.columns
        ]
    if faults:
        raise BadInput(faults)
    if known is not None and list(X.columns) != list(known):
        extra = [str(name) for name in X.columns if name not in set(known)]
        what = f"columns not seen in training are left out: {', '.join(extra)}" if extra else "columns are put in order"
        warnings.warn(what, stacklevel=3)
        X = X.loc[:, list(known)]
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if reset and not len(X):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")  # scikit-learn's words
    return pd.DataFrame(X)


def _numeric(frame: pd.DataFrame) -> list[Hashable]:
    """Name the columns that hold floats."""
    return list(frame.loc[:, ~frame.columns.duplicated()].select_dtypes("number").columns)


def _kind(values: pd.Series) -> Kind:
    """Tell what a column holds from its type, or from its values where the type says nothing."""
    if values.isna().all():
        return "empty"
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    seen = pd.api.types.infer_dtype(values, skipna=True)
    if seen in {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}:
        return "number"
    return "date" if seen in {"datetime", "datetime64", "date"} else "category"


def _warn_of_gaps(rules: list[dict[str, Any]], frame: pd.DataFrame) -> None:
    """Say which columns have lost all their values since training."""
    if len(frame) < _SHIFT_ROWS:
        return
    lost = [rule["name"] for rule in rules if rule["missing"] < 0.5 and frame[_name(frame, rule)].isna().all()]
    if lost:
        warnings.warn(f"columns with values in training have none now: {', '.join(lost)}", stacklevel=3)


def _numbers(values: pd.Series) -> Floats:
    """Read numbers and yes/no; what cannot be read raises."""
    if pd.api.types.is_numeric_dtype(values):
        return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
    return np.asarray(pd.to_numeric(values.astype(object).where(values.notna(), np.nan)), dtype=float)


def _dates(values: pd.Series, name: str) -> pd.Series:
    """Read dates, a time zone turned to UTC and dropped."""
    if pd.api.types.is_object_dtype(values):
        zoned = {getattr(date, "tzinfo", None) is not None for date in values.dropna()}
        if len(zoned) == 2:
            warnings.warn(f"{name}: dates with and without a time zone; those without are taken for UTC", stacklevel=4)
    return pd.to_datetime(values, utc=True).dt.tz_localize(None)


def _levels(values: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Give each level of a column a number (-1 is missing) and write them as text: 3 and 3.0 are the same level."""
    code, distinct = pd.factorize(values)
    text = [f"{level:g}" if isinstance(level, float) else str(level) for level in distinct]
    same, levels = pd.factorize(np.array(text, dtype=object))
    return np.append(same, -1)[code], [str(level) for level in levels]


def _name(frame: pd.DataFrame, rule: dict[str, Any]) -> Hashable:
    """Find the column of a rule, whose name may have been a number."""
    return next(name for name in frame.columns if str(name) == rule["name"])


def _names(rule: dict[str, Any]) -> list[str]:
    """Name the output columns of a rule."""
    name = rule["name"]
    match rule["kind"]:
        case "number":
            return [name]
        case "date":
            return [f"{name}:days", f"{name}:summer", f"{name}:spring"]
        case "category":
            levels = rule["kept"] + [_OTHER] * bool(rule["rare"]) + [_MISSING] * rule["gaps"]
            return [f"{name}={level}" for level in levels]
    return []


def _read_number(rule: dict[str, Any], values: pd.Series, faults: list[Fault]) -> Floats:
    """Read a column of numbers; text that holds numbers is mended with a warning."""
    name = rule["name"]
    if _kind(values) not in {"number", "empty"}:
        try:
            numbers = _numbers(values)
        except (TypeError, ValueError):
            faults.append(Fault("X", name, "", f"was numbers in training, is {values.dtype} now", "give numbers"))
            return np.full((len(values), 1), np.nan)
        warnings.warn(f"{name}: numbers come as {values.dtype}; read as numbers", stacklevel=4)
    else:
        numbers = _numbers(values)
    if np.isinf(numbers).any():
        faults.append(Fault("X", name, "", f"{np.isinf(numbers).sum()} infinite value(s) (inf)", "mend or clear"))
    if len(numbers) >= _SHIFT_ROWS and np.isfinite(numbers).any():
        _check_unit(rule, numbers, faults)
    return numbers[:, None]


def _check_unit(rule: dict[str, Any], numbers: Floats, faults: list[Fault]) -> None:
    """Refuse numbers in another unit, warn where most lie outside what was seen."""
    some = numbers[:: 1 + len(numbers) // _SAMPLE]
    name, known = rule["name"], some[np.isfinite(some)]
    if not len(known):
        return
    before, now = rule["middle"], float(np.median(known))
    one_sign = rule["low"] * rule["high"] >= 0  # a measure round zero has no scale to be off by
    if one_sign and before * now > 0 and abs(np.log10(now / before)) >= _SHIFT_POWER:
        problem = f"the median was {before:.4g} in training and is {now:.4g} now"
        faults.append(Fault("X", name, "", problem, "give it in the unit of the training data"))
    elif np.mean((known < rule["low"]) | (known > rule["high"])) > 0.5:
        seen = f"{rule['low']:.4g} to {rule['high']:.4g}"
        warnings.warn(f"{name}: most values lie outside what was seen in training ({seen})", stacklevel=5)


def _read_category(rule: dict[str, Any], values: pd.Series, faults: list[Fault]) -> Floats:
    """Read a column of levels; an unseen one becomes missing with a warning."""
    del faults
    code, levels = _levels(values)
    size = len(rule["kept"]) + bool(rule["rare"]) + rule["gaps"]
    place = {level: i for i, level in enumerate(rule["kept"])} | dict.fromkeys(rule["rare"], len(rule["kept"]))
    unseen = np.array([level not in place for level in levels] + [False])[code]
    if unseen.any():
        shown = ", ".join(sorted(level for level in levels if level not in place)[:5])
        warnings.warn(f"{rule['name']}: {unseen.sum()} row(s) with levels unseen in training ({shown})", stacklevel=4)
    lost = size - 1 if rule["gaps"] else size
    rows = np.vstack([np.eye(size), np.full(size, np.nan)])
    return np.asarray(rows[np.array([place.get(level, lost) for level in levels] + [lost])[code]])


def _read_date(rule: dict[str, Any], values: pd.Series, faults: list[Fault]) -> Floats:
    """Read a column of dates as days since the first one seen, and the season."""
    try:
        dates = _dates(values, rule["name"])
    except (TypeError, ValueError):
        faults.append(Fault("X", rule["name"], "", f"was dates in training, is {values.dtype} now", "give dates"))
        return np.full((len(values), 3), np.nan)
    first, last = pd.Timestamp(rule["first"]), pd.Timestamp(rule["last"])
    days = ((dates - first) / pd.Timedelta(days=1)).clip(0, (last - first) / pd.Timedelta(days=1))
    turn = 2 * np.pi * dates.dt.day_of_year / 365.25
    return np.column_stack([days, -np.cos(turn), np.sin(turn)])


def _read_empty(rule: dict[str, Any], values: pd.Series, faults: list[Fault]) -> Floats:
    """Leave out a column that had no value in training."""
    del rule, faults
    return np.empty((len(values), 0))


_READ = {"number": _read_number, "category": _read_category, "date": _read_date, "empty": _read_empty}
