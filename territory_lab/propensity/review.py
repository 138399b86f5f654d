"""What a model would have earned and how steady it was, on the later rows it was judged on."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from territory_lab.propensity import metrics
from territory_lab.propensity.evidence import Evidence


def profit(y: ArrayLike, p: ArrayLike, margin: float, cost: float, *, steps: int = 200) -> pd.DataFrame:
    """
    Say what working the best-scored share of a list earns.

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    p : array-like of shape (n,)
        Probabilities.
    margin : float
        Money that a buyer brings.
    cost : float
        Money that working one row costs.
    steps : int
        Shares tried.

    Returns
    -------
    DataFrame
        share_worked, profit and any_order (the profit if rows were worked in any order), in money per 1,000 rows of
        the list; from nothing worked to all.
    """
    gains = metrics.gains_table(y, p, steps=steps)
    worked, reached = (np.r_[0.0, gains[name]] for name in ("share_worked", "share_reached"))
    earned, spent = 1_000 * float(np.asarray(y, dtype=float).mean()) * margin, 1_000 * cost * worked
    columns = {"share_worked": worked, "profit": earned * reached - spent, "any_order": earned * worked - spent}
    return pd.DataFrame(columns)


def stability(evidence: Evidence, name: str, dates: tuple[pd.Timestamp, ...]) -> pd.DataFrame:
    """
    Measure a model snapshot by snapshot, each foretold from those before it.

    Parameters
    ----------
    evidence : Evidence
        Of a fitted model (``evidence_``).
    name : str
        Its learner (``algorithm_``).
    dates : tuple of Timestamp
        The snapshots learnt on; the first is never foretold, and calibration may have used up the next.

    Returns
    -------
    DataFrame
        as_of, auc, low and high, foretold (mean probability), bought (share), rows.
    """
    code = np.unique(evidence.block, return_inverse=True)[1]
    parts = -(-(code.max() + 1) // (len(dates) - 1))  # each snapshot was foretold in so many, by groups
    back = (code.max() - code) // parts
    rows = []
    for turn in range(back.max(), -1, -1):
        now, date = back == turn, dates[-1 - turn]
        y, p = evidence.y[now], evidence.by[name][now]
        auc = metrics.interval(y, p, evidence.groups[now], seed=evidence.seed)
        figures = {"foretold": p.mean(), "bought": y.mean(), "rows": int(now.sum())}
        rows.append({"as_of": date, "auc": auc.value, "low": auc.low, "high": auc.high} | figures)
    return pd.DataFrame(rows)
