"""Quotas: a total shared out to the cent, and whether the shares are fair."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from territory_lab.errors import BadInput, Fault

PARTS = ("history", "potential", "workload_h")
WEIGHTS: Mapping[str, float] = {"history": 0.5, "potential": 0.4, "workload_h": 0.1}
"""How much each part counts unless said otherwise."""


def allocate(
    history: pd.Series,
    potential: pd.Series,
    workload_h: pd.Series,
    total: float,
    *,
    weights: Mapping[str, float] = WEIGHTS,
    floor: float = 0.0,
    cap: float = np.inf,
    ramp: pd.Series | None = None,
) -> pd.DataFrame:
    """
    Share a total out to the territories, so that the quotas sum to it to the cent.

    The wish is the weighted mean of a territory's shares of history, potential and workload, times its ramp. Where a
    wish falls outside floor or cap it is held there and the others move in proportion; cents left over go to the
    largest remainders.

    Parameters
    ----------
    history : Series
        Money sold last year by ``territory_id``.
    potential : Series
        Money a year that could be sold, by ``territory_id``.
    workload_h : Series
        Hours a year, by ``territory_id``.
    total : float
        Money to share out, in whole cents.
    weights : mapping of str to float
        Of ``history``, ``potential`` and ``workload_h``; those left out count nothing.
    floor, cap : float
        Lowest and highest quota as a multiple of history; territories without history are free.
    ramp : Series, optional
        What a rep can do by ``territory_id``, e.g. 0.5 for a new hire; others 1. It lowers the floor in proportion.

    Returns
    -------
    DataFrame
        By ``territory_id``: ``history``, ``potential``, ``workload_h``, ``quota`` (money), ``share`` (of the total).
    """
    table = pd.DataFrame({"history": history, "potential": potential, "workload_h": workload_h}).astype(float)
    table = table.rename_axis("territory_id")
    ready = pd.Series(1.0, index=table.index) if ramp is None else ramp.reindex(table.index).fillna(1.0)
    _check(table, weights, total, ready)
    parts = table[list(weights)]
    wish = (parts / parts.sum() * pd.Series(weights)).sum(axis=1) / sum(weights.values()) * ready
    bound = table["history"] > 0
    low = np.ceil((floor * table["history"] * ready).where(bound, 0.0) * 100 - 1e-6)
    high = np.floor((table["history"] * cap).where(bound, np.inf) * 100 + 1e-6)
    cents = _share_out(round(total * 100), wish.to_numpy(), low.to_numpy(), high.to_numpy())
    return table.assign(quota=cents / 100, share=cents / cents.sum())


def fairness(quotas: pd.DataFrame, attainment: pd.Series | None = None) -> pd.DataFrame:
    """
    Test whether quotas ask the same of everyone.

    Parameters
    ----------
    quotas : DataFrame
        By ``territory_id``: ``quota``, ``potential``, as ``allocate`` returns; those without potential are left out.
    attainment : Series, optional
        Sales over quota by ``territory_id``, of the year that is judged.

    Returns
    -------
    DataFrame
        By ``measure``: ``value``, ``low`` and ``high`` (its 90 % interval, where there is one), ``limit``, ``fair``
        (bool) and ``words``. Measures: ``spread`` (largest over smallest quota per potential), ``gini`` (of quota per
        potential, 0 equal), ``size`` (rank correlation of quota per potential with potential) and, with attainment,
        ``attainment`` (rank correlation of attainment with potential).
    """
    quotas = quotas[quotas["potential"] > 0]
    if quotas.empty:
        raise BadInput([Fault("territories", "potential", "", "is zero everywhere", "give what could be sold")])
    intensity = (quotas["quota"] / quotas["potential"]).to_numpy()
    spread = float(intensity.max() / intensity.min()) if intensity.min() > 0 else np.inf
    rows = [
        (
            "spread",
            spread,
            np.nan,
            np.nan,
            1.5,
            spread <= 1.5,
            f"The hardest quota asks {spread:.2f} times the easiest.",
        ),
        _gini_row(gini(intensity)),
        _rank_row("size", intensity, quotas["potential"].to_numpy(), "Quota per potential"),
    ]
    if attainment is not None:
        reached = attainment.reindex(quotas.index).to_numpy(dtype=float)
        rows.append(_rank_row("attainment", reached, quotas["potential"].to_numpy(), "Attainment"))
    columns = ["measure", "value", "low", "high", "limit", "fair", "words"]
    return pd.DataFrame(rows, columns=columns).set_index("measure")


def attainment_shares(results: pd.DataFrame, steps: int = 24) -> pd.DataFrame:
    """
    Split the spread of attainment into what lies in the territory, in the rep, and in neither.

    A mixed model with territories and reps as crossed random effects and periods as fixed ones. The restricted
    likelihood (Patterson and Thompson 1971), with the whole variance integrated out, is read on a grid over the three
    shares, all equally likely beforehand. Territory and rep come apart only where reps have changed territories: where
    none has, the intervals say so by being wide.

    Parameters
    ----------
    results : DataFrame
        ``territory_id``, ``rep_id``, ``period``, ``attainment`` (sales over quota): a row for each.
    steps : int, default 24
        Fineness of the grid.

    Returns
    -------
    DataFrame
        By ``source`` (territory, rep, rest): ``share``, ``low``, ``high`` (mean and 90 % interval).
    """
    rows = results.dropna(subset=["territory_id", "rep_id", "period", "attainment"])
    fixed = pd.get_dummies(rows["period"], dtype=float).to_numpy()
    if len(rows) < fixed.shape[1] + 4:
        found, mend = f"{len(rows)} rows in {fixed.shape[1]} periods", "give more territories or periods"
        raise BadInput([Fault("attainment", "", "", found, mend)])
    same = [
        (rows[name].to_numpy()[:, None] == rows[name].to_numpy()).astype(float) for name in ("territory_id", "rep_id")
    ]
    shares = np.array([(i, j, steps - i - j) for i in range(steps) for j in range(steps - i)]) / steps
    values = rows["attainment"].to_numpy(dtype=float)
    fits = [_restricted(values, fixed, a * same[0] + b * same[1] + c * np.eye(len(rows))) for a, b, c in shares]
    weight = np.exp(np.array(fits) - max(fits))
    weight /= weight.sum()
    table = []
    for column in shares.T:
        order = np.argsort(column, kind="stable")
        reached = np.cumsum(weight[order])
        low, high = (column[order][np.searchsorted(reached, level)] for level in (0.05, 0.95 - 1e-12))
        table.append((float(weight @ column), low, high))
    return pd.DataFrame(table, ["territory", "rep", "rest"], ["share", "low", "high"]).rename_axis("source")


def _restricted(values: np.ndarray, fixed: np.ndarray, cover: np.ndarray) -> float:
    """Return the restricted log likelihood of a covariance known but for its scale."""
    root = np.linalg.cholesky(cover)
    design, observed = np.linalg.solve(root, fixed), np.linalg.solve(root, values)
    orthogonal, triangle = np.linalg.qr(design)
    rest = observed - orthogonal @ (orthogonal.T @ observed)
    free = len(values) - fixed.shape[1]
    logs = np.log(np.diag(root)).sum() + np.log(abs(np.diag(triangle))).sum()
    return float(-logs - free / 2 * np.log(rest @ rest))


def gini(values: np.ndarray) -> float:
    """
    Return the Gini coefficient: half the mean absolute difference over the mean.

    Parameters
    ----------
    values : array
        Zero or more, at least one above zero.

    Returns
    -------
    float
        0 where all are equal, towards 1 where one has all.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    count = len(ordered)
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return float((ranks * ordered).sum() / (count * ordered.sum()))


def _check(table: pd.DataFrame, weights: Mapping[str, float], total: float, ramp: pd.Series) -> None:
    """Name everything that keeps a total from being shared out, except bounds that cannot be met."""
    faults = [
        Fault("territories", column, str(row), f"{value}", "give zero or more")
        for column in PARTS
        for row, value in table.loc[~(table[column] >= 0), column].items()
    ]
    for name, weight in weights.items():
        if name not in PARTS or not weight >= 0:
            faults.append(
                Fault("settings", "weights", name, f"{weight}", f"weigh {', '.join(PARTS)} with zero or more")
            )
        elif weight > 0 and not table[name].sum() > 0:
            faults.append(Fault("territories", name, "", "is zero everywhere", "give it no weight"))
    if not sum(weights.values()) > 0:
        faults.append(Fault("settings", "weights", "", "all are zero", "give one part a weight"))
    if not 0 < total < np.inf or abs(total * 100 - round(total * 100)) > 1e-3:
        faults.append(Fault("settings", "total", "", f"{total}", "give an amount above zero in whole cents"))
    faults += [
        Fault("reps", "ramp", str(row), f"{value}", "give a share above zero, up to 1")
        for row, value in ramp[~((ramp > 0) & (ramp <= 1))].items()
    ]
    if faults:
        raise BadInput(faults)


def _share_out(total: int, wish: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return whole cents between the bounds, proportional to the wishes where free, that sum to the total."""
    room = np.where(wish > 0, high, low)
    if low.sum() > total or room.sum() < total:
        found = (
            f"floors sum to {low.sum() / 100:,.2f}, caps to {room.sum() / 100:,.2f}, the total is {total / 100:,.2f}"
        )
        raise BadInput([Fault("settings", "floor, cap", "", found, "widen them or change the total")])
    exact = np.clip(_level(total, wish, low, high) * wish, low, high)
    cents = np.floor(exact + 1e-6)
    left = int(total - cents.sum())
    order = np.lexsort((np.arange(len(wish)), -(exact - cents)))
    while left > 0:
        free = order[cents[order] + 1 <= room[order]][:left]
        cents[free] += 1
        left -= len(free)
    return cents


def _level(total: int, wish: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the factor at which wishes held within their bounds sum to the total, exactly between two kinks."""
    positive = wish > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = np.concatenate([(low / wish)[positive], (high / wish)[positive]])
    kinks = np.unique(np.append(kinks[np.isfinite(kinks)], 0.0))
    sums = np.array([np.clip(kink * wish, low, high).sum() for kink in kinks])
    last = int(np.searchsorted(sums, total, side="right")) - 1
    if last < 0:
        return 0.0
    inside = kinks[last : last + 2].mean() if last + 1 < len(kinks) else kinks[last] + 1
    slope = wish[(wish * inside > low) & (wish * inside < high)].sum()
    return float(kinks[last] + (total - sums[last]) / slope) if slope > 0 else float(kinks[last])


def _gini_row(value: float) -> tuple[str, float, float, float, float, bool, str]:
    """Say how unequal quota per potential is."""
    words = f"Quota per potential has a Gini coefficient of {value:.2f} (0 is equal)."
    return "gini", value, np.nan, np.nan, 0.1, value <= 0.1, words


def _rank_row(
    measure: str, values: np.ndarray, size: np.ndarray, name: str
) -> tuple[str, float, float, float, float, bool, str]:
    """Say whether something depends on the size of the territory (Spearman, Fisher's 90 % interval)."""
    known = np.isfinite(values) & np.isfinite(size)
    count = int(known.sum())
    constant = count < 4 or np.ptp(values[known]) <= 1e-12 * abs(values[known]).max() or np.ptp(size[known]) == 0
    value = 0.0 if constant else float(stats.spearmanr(values[known], size[known]).statistic)
    width = 1.645 * 1.03 / np.sqrt(count - 3) if count > 3 else np.inf
    centre = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    low, high = float(np.tanh(centre - width)), float(np.tanh(centre + width))
    fair = low <= 0 <= high
    verb = "does not depend on size as far as one can see" if fair else f"{'rises' if value > 0 else 'falls'} with size"
    return (
        measure,
        value,
        low,
        high,
        0.0,
        fair,
        f"{name} {verb} (rank correlation {value:.2f}, {low:.2f} to {high:.2f}).",
    )
