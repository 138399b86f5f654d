"""What to do next: the actions worth most in the time that each rep has, why, and how."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.metrics import Floats
from territory_lab.propensity.model import PropensityModel
from territory_lab.propensity.playbook import Playbook
from territory_lab.propensity.reasons import explain

_NEEDED = ("account_id", "rep_id", "kind", "probability", "expected_revenue")


@dataclass(frozen=True)
class Actions:
    """
    The next best action of each account that is worth working.

    Parameters
    ----------
    listed : DataFrame
        By rep, the most value for the effort first: the columns of the candidates, value, place (1 is the rep's
        first), and for shown rows reason_1 to reason_3, play, who, channel, angle, timing.
    by_rep : DataFrame
        Indexed by rep_id: actions, effort, capacity, value, bound (no choice of actions is worth more), gap (what the
        choice may fall short, as a share of the bound; 0 is proven best).
    """

    listed: pd.DataFrame
    by_rep: pd.DataFrame


def next_best_action(
    candidates: pd.DataFrame,
    capacity: float | pd.Series,
    *,
    margin_share: float | pd.Series = 1.0,
    cost: float = 0.0,
    models: dict[str, PropensityModel] | None = None,
    features: dict[str, pd.DataFrame] | None = None,
    playbook: Playbook | None = None,
    shown: int = 10,
) -> Actions:
    """
    Choose whom to approach with what, within each rep's capacity.

    The value of an action is probability x revenue where bought x margin - cost x effort. Where a treatment was given
    by lot or logged and `UpliftModel` has learnt its effect, the column ``uplift`` takes the place of the probability:
    what would have been bought anyway is not won by the action. Each account gets one action, its most valuable. A
    rep's list is filled by value per unit of effort and set against the fractional knapsack's bound (Dantzig 1957):
    exact where every action takes the same effort, else at least half the best and in practice within one action.

    Parameters
    ----------
    candidates : DataFrame
        account_id, rep_id, kind, probability, expected_revenue (probability x revenue where bought); product_id,
        product (its name), effort (hours or calls that the account takes; 1 where missing) and uplift where known.
    capacity : float or Series
        Effort of one rep, or by rep_id.
    margin_share : float or Series
        Gross margin as a share of revenue, or by product_id; products not named get the mean.
    cost : float
        Money that a unit of effort costs.
    models : dict of str to PropensityModel or None
        By kind, for reasons.
    features : dict of str to DataFrame or None
        By kind, the columns the models saw, indexed by account_id or (account_id, product_id); for reasons and plays.
    playbook : Playbook or None
        None: the shipped one.
    shown : int
        Actions per rep that get reasons.

    Returns
    -------
    Actions
        Only actions worth more than they cost.

    Raises
    ------
    BadInput
        Where columns are missing, or probabilities, effort or capacity are out of range.
    """
    rows = candidates.reset_index(drop=True)
    _check(rows)
    rows["effort"] = rows["effort"].fillna(1.0) if "effort" in rows else 1.0
    rows["value"] = _value(rows, margin_share) - cost * rows["effort"]
    listed, by_rep = filled(rows[rows["value"] > 0], capacity)
    told = _told(listed[listed["place"] <= shown], models or {}, features or {}, playbook or Playbook.read())
    return Actions(listed.join(told), by_rep)


def filled(rows: pd.DataFrame, capacity: float | pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Fill each rep's capacity with the actions worth most for their effort, one an account.

    What is best for all accounts is among what is best for each part of them, so lists of parts can be filled again.

    Parameters
    ----------
    rows : DataFrame
        account_id, rep_id, value, effort.
    capacity : float or Series
        Effort of one rep, or by rep_id.

    Returns
    -------
    listed, by_rep : DataFrame
        As in `Actions`, without reasons and plays.
    """
    rows = rows[rows["rep_id"].notna()].sort_values(["value", "account_id"], ascending=[False, True], kind="stable")
    rows = rows.drop_duplicates("account_id")
    rows = rows.iloc[np.lexsort((rows["account_id"], -rows["value"] / rows["effort"], rows["rep_id"]))]
    lists, sums = [], {}
    for rep, own in rows.groupby("rep_id", sort=True):
        hours = capacity if isinstance(capacity, int | float) else float(capacity.get(rep, 0.0))
        taken, bound = fill(own["value"].to_numpy(), own["effort"].to_numpy(), hours)
        mine = own[taken]
        value = float(mine["value"].sum())
        gap = 0.0 if bound <= value else 1 - value / bound
        sums[rep] = [len(mine), float(mine["effort"].sum()), hours, value, max(bound, value), gap]
        lists.append(mine.assign(place=np.arange(1, len(mine) + 1)))
    listed = pd.concat(lists, ignore_index=True) if lists else rows.assign(place=0)
    columns = ["actions", "effort", "capacity", "value", "bound", "gap"]
    return listed, pd.DataFrame.from_dict(sums, orient="index", columns=columns).rename_axis("rep_id")


def fill(value: Floats, effort: Floats, capacity: float) -> tuple[np.ndarray, float]:
    """
    Fill a capacity with the most value: take what fits in the order given, or the one best action where that is more.

    Parameters
    ----------
    value, effort : array of shape (n,)
        Of each action, the highest value per effort first.
    capacity : float
        Effort to spend.

    Returns
    -------
    taken : array of bool
        Which.
    bound : float
        Value if the first action that does not fit could be taken in part (Dantzig 1957): none can reach more.
    """
    used = np.concatenate([[0.0], effort.cumsum()])
    whole = int(np.searchsorted(used, capacity, side="right")) - 1
    fits = effort <= capacity
    bound = float(value[:whole].sum())
    if whole < len(value):
        bound += float(value[whole] * (capacity - used[whole]) / effort[whole])
    if len(value) and (effort == effort[0]).all():
        bound = float(value[:whole].sum())  # equal efforts leave no room for a part
    taken, left = np.zeros(len(value), dtype=bool), capacity
    for place in range(len(value)):
        if effort[place] <= left:
            taken[place] = True
            left -= effort[place]
    best = int(np.argmax(np.where(fits, value, -np.inf))) if fits.any() else -1
    if best >= 0 and value[best] > value[taken].sum():
        taken = np.arange(len(value)) == best
    return taken, bound


def _check(rows: pd.DataFrame) -> None:
    """Refuse what no list can be made of."""
    faults = [
        Fault("candidates", name, "", "the column is missing", "add it") for name in _NEEDED if name not in rows.columns
    ]
    limits = {"probability": (0.0, 1.0), "uplift": (-1.0, 1.0), "effort": (1e-9, np.inf)}
    for name, (low, high) in limits.items():
        if name in rows:
            wrong = (rows[name] < low) | (rows[name] > high)
            if wrong.any():
                found = f"{rows.loc[wrong, name].iloc[0]:g}"
                faults.append(Fault("candidates", name, str(rows.index[wrong][0]), found, f"from {low:g} to {high:g}"))
    if faults:
        raise BadInput(faults)


def _value(rows: pd.DataFrame, margin_share: float | pd.Series) -> pd.Series:
    """Expect the margin that the action brings."""
    if isinstance(margin_share, pd.Series):
        product = rows["product_id"] if "product_id" in rows else pd.Series(np.nan, rows.index)
        margin: float | pd.Series = product.map(margin_share).fillna(margin_share.mean())
    else:
        margin = margin_share
    caused = pd.Series(1.0, rows.index)
    if "uplift" in rows:
        caused = (rows["uplift"] / rows["probability"].clip(lower=1e-9)).fillna(1.0)
    return rows["expected_revenue"] * margin * caused


def _told(
    rows: pd.DataFrame, models: dict[str, PropensityModel], features: dict[str, pd.DataFrame], playbook: Playbook
) -> pd.DataFrame:
    """Add reasons and plays, each kind with its own columns."""
    parts = []
    for kind, own in rows.groupby("kind", sort=True):
        known = features.get(str(kind), pd.DataFrame())
        keys = (
            own["account_id"]
            if known.index.nlevels == 1
            else pd.MultiIndex.from_frame(own[["account_id", "product_id"]])
        )
        columns = known.reindex(keys).set_axis(own.index)
        told = playbook.choose(own.join(columns[columns.columns.difference(own.columns)]))
        if str(kind) in models and len(columns.columns):
            told = explain(models[str(kind)], columns, playbook).join(told)
        parts.append(told)
    return pd.concat(parts).sort_index() if parts else pd.DataFrame(index=rows.index)
