"""Columns that know the outcome before it happened: found by their power, their name, or a change after the fact."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from territory_lab.propensity.metrics import Floats, auc
from territory_lab.timeline import group_codes

NAMES = re.compile(
    r"(^|[^a-z])(after|cancel\w*|churn\w*|closed?|duration|invoiced?|label|next|outcome|result|signed|target)($|[^a-z])"
)
_NAMED_AUC = 0.65
_DOUBTFUL_AUC = 0.80
_CERTAIN_AUC = 0.95
_CHANGED_SHARE = 0.10
_BINS = 20
_PRIOR = 5.0


def leak_scan(
    X: pd.DataFrame,
    y: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    later: pd.DataFrame | None = None,
    allow: Mapping[str, str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """
    Look for columns known only after the outcome.

    A column is refused where it alone ranks outcomes almost perfectly (AUC of .95), where its name speaks of the
    outcome or of what follows it and it ranks outcomes clearly (.65), or where its values changed after the fact more
    often with the outcome than without. It is doubtful where it alone reaches .80.

    Parameters
    ----------
    X : DataFrame
        Columns as they come.
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    groups : array-like or None
        Rows that stand or fall together.
    later : DataFrame or None
        The same rows and columns, read again after the horizon.
    allow : mapping of str to str or None
        Reason by column why it may be used all the same.
    seed : int
        For dealing rows into halves.

    Returns
    -------
    DataFrame
        One row per column, worst first: column, auc (by this column alone, gaps counted as a value, on rows not used
        to order its values), finding ("refused" | "doubtful" | "allowed" | "fine"), why.
    """
    outcome = np.asarray(y, dtype=float)
    code = group_codes(groups, len(outcome))
    half = (np.random.default_rng(seed).permutation(int(code.max()) + 1) % 2 == 0)[code]
    allowed = allow or {}
    rows = []
    for name in X.columns:
        power = _power(X[name], outcome, half)
        why = _reasons(str(name), power, X[name], later[name] if later is not None and name in later else None, outcome)
        finding = "refused" if why else "doubtful" if power >= _DOUBTFUL_AUC else "fine"
        why = why or [f"alone it reaches an AUC of {power:.2f}"] * (finding == "doubtful")
        if finding != "fine" and str(name) in allowed:
            finding, why = "allowed", [*why, f"allowed because: {allowed[str(name)]}"]
        rows.append((str(name), power, finding, "; ".join(why)))
    table = pd.DataFrame(rows, columns=["column", "auc", "finding", "why"])
    rank = table["finding"].map({"refused": 0, "doubtful": 1, "allowed": 2, "fine": 3})
    return table.iloc[np.lexsort((-table["auc"], rank))].reset_index(drop=True)


def _reasons(name: str, power: float, values: pd.Series, after: pd.Series | None, y: Floats) -> list[str]:
    """Say why a column is refused; empty where it is not."""
    why = []
    if power >= _CERTAIN_AUC:
        why.append(f"alone it reaches an AUC of {power:.2f}")
    elif power >= _NAMED_AUC and NAMES.search(name.lower()):
        why.append(f"its name speaks of what follows, and alone it reaches an AUC of {power:.2f}")
    if after is not None:
        changed = ~((values.to_numpy(object) == after.to_numpy(object)) | (values.isna() & after.isna()).to_numpy())
        more = float(changed[y == 1].mean() - changed[y == 0].mean())
        if more > _CHANGED_SHARE:
            why.append(f"it changed after the fact, {more:.0%} more often with the outcome than without")
    return why


def _power(values: pd.Series, y: Floats, half: np.ndarray) -> float:
    """Rank outcomes by one column: mean outcome per bin learnt on one half, tried on the other, and the reverse."""
    code = _codes(values)
    found = []
    for learn in (half, ~half):
        tried = ~learn
        seen = np.bincount(code[learn], minlength=code.max() + 1)
        bought = np.bincount(code[learn], y[learn], minlength=code.max() + 1)
        rate = y[learn].mean() if learn.any() else 0.5
        score = (bought + _PRIOR * rate) / (seen + _PRIOR)
        found.append(auc(y[tried], score[code[tried]], np.ones(int(tried.sum()))))
    return float(np.nanmean(found)) if np.isfinite(found).any() else 0.5


def _codes(values: pd.Series) -> np.ndarray:
    """Give each level of a column a number, or each of 20 bins of numbers and dates; gaps are a level."""
    numbers = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values)
    if numbers and not pd.api.types.is_bool_dtype(values) and values.nunique() > _BINS:
        values = (values.rank(pct=True) * _BINS).round()
    return np.asarray(pd.factorize(values.astype(object), use_na_sentinel=False)[0])
