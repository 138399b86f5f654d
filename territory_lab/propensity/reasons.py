"""Why a row scores as it does: what each of its columns adds to the log-odds."""

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.pipeline import Pipeline

from territory_lab.propensity.encode import framed
from territory_lab.propensity.learners import Boosted, Learner, Logistic
from territory_lab.propensity.metrics import Floats
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.playbook import Playbook


def contributions(model: PropensityModel, rows: pd.DataFrame) -> pd.DataFrame:
    """
    Split the log-odds of rows into what each column adds.

    Logistic regression, and the correction for the recent past: weight x value, against the median customer. What trees
    add to it: the Shapley values of xgboost (Lundberg et al. 2020), against the mean of the training data. Levels of a
    category are summed. They explain the score, not the customer: a column that is not a cause can be a reason.

    Parameters
    ----------
    model : PropensityModel
        Fitted.
    rows : DataFrame
        The columns of `fit`; as few rows as are shown.

    Returns
    -------
    DataFrame
        Log-odds by column, index of ``rows``.
    """
    frame = framed(model, rows, reset=False)
    ready = model.encoder_.transform(frame)
    parts = _split(model.learner_, ready)
    if model.recent_ is not None:
        parts = parts + _weighed(model.recent_.scaler, model.recent_.weights[1:], ready)
    names = [str(name) for name in model.encoder_.get_feature_names_out()]
    slope = 1.0 if model.calibrator_ is None else model.calibrator_.slope
    columns = [str(name) for name in frame.columns]
    owner = [_column_of(name, columns) for name in names]
    table = pd.DataFrame(slope * parts, columns=owner, index=rows.index)
    return table.T.groupby(level=0, sort=False).sum().T


def explain(model: PropensityModel, rows: pd.DataFrame, playbook: Playbook, count: int = 3) -> pd.DataFrame:
    """
    Say in sentences why rows score as they do.

    Parameters
    ----------
    model : PropensityModel
        Fitted.
    rows : DataFrame
        The columns of `fit`; as few rows as are shown.
    playbook : Playbook
        How columns read.
    count : int
        Reasons per row.

    Returns
    -------
    DataFrame
        reason_1 to reason_n, those that speak most for the row first; index of ``rows``.
    """
    table = contributions(model, rows)
    parts, names = table.to_numpy(dtype=float), list(table.columns)
    values = rows[names].to_numpy(dtype=object)
    best = np.argsort(-parts, axis=1, kind="stable")[:, :count]
    told = [
        [playbook.sentence(names[place], values[row, place], parts[row, place]) for place in places]
        for row, places in enumerate(best)
    ]
    titles = [f"reason_{number + 1}" for number in range(best.shape[1])]
    return pd.DataFrame(told, columns=titles, index=rows.index)


def _column_of(name: str, columns: list[str]) -> str:
    """Find the column that a level or a part of a date came from: its own name, or the longest that begins it."""
    return max((column for column in columns if f"{name}=".startswith((f"{column}=", f"{column}:"))), key=len)


def _split(learner: Learner, X: Floats) -> Floats:
    """Split log-odds by encoded column; a constant has nothing to split."""
    if isinstance(learner, Boosted):
        grown = learner.booster.predict(xgb.DMatrix(X, base_margin=np.zeros(len(X))), pred_contribs=True)
        parts: Floats = _split(learner.start, X) + np.asarray(grown[:, :-1], dtype=float)
        return parts
    if isinstance(learner, Logistic):
        *prepare, (_, weights) = learner.pipeline.steps
        return _weighed(Pipeline(prepare), weights.coef_[0], X)
    return np.zeros(X.shape)


def _weighed(prepare: Pipeline, weights: Floats, X: Floats) -> Floats:
    """Multiply prepared columns by their weights; what it means that one is missing counts with it."""
    ready: Floats = np.asarray(prepare.transform(X) * weights, dtype=float)
    parts: Floats = ready[:, : X.shape[1]]
    parts[:, prepare[0].indicator_.features_] += ready[:, X.shape[1] :]
    return parts
