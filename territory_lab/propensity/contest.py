"""Champion against challenger on the same later rows: what each would have earned, and whether that is beyond doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity.metrics import Floats, Interval, ece, resampled
from territory_lab.timeline import group_codes

ECE_SLACK = 0.01


class Foretells(Protocol):
    """What is asked of a contestant."""

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """
        Give the probability of each outcome.

        Parameters
        ----------
        X : DataFrame
            Columns as they come.

        Returns
        -------
        array of shape (n, 2)
            The outcome foretold in the second column.
        """
        ...


@dataclass(frozen=True)
class Terms:
    """
    What a sale brings, what trying costs, and how much can be tried.

    Parameters
    ----------
    margin : float or array-like of shape (n,)
        Money earned where a row has the outcome, known beforehand; one figure, or one per row.
    cost : float
        Money spent on every row worked.
    capacity_share : float
        Share of the rows of each period that can be worked.
    """

    margin: ArrayLike = 1.0
    cost: float = 0.0
    capacity_share: float = 0.2

    def __post_init__(self) -> None:
        margin = np.asarray(self.margin, dtype=float)
        faults = []
        if not (np.isfinite(margin).all() and (margin >= 0).all()):
            faults.append(Fault("terms", "margin", "", "is missing or below zero", "give money earned per sale"))
        if not self.cost >= 0:
            faults.append(Fault("terms", "cost", "", f"{self.cost} is below zero", "give money spent per row"))
        if not 0 < self.capacity_share <= 1:
            faults.append(Fault("terms", "capacity_share", "", f"{self.capacity_share}", "a share above 0, at most 1"))
        if faults:
            raise BadInput(faults)


@dataclass(frozen=True)
class Comparison:
    """
    Two models judged on the same rows.

    Parameters
    ----------
    champion_profit, challenger_profit : float
        Money the rows worked would have earned less what working them costs.
    gain : Interval
        Profit of the challenger less that of the champion, with its paired interval.
    champion_ece, challenger_ece : float
        Expected calibration error of each.
    rows, groups, periods : int
        What this rests on.
    """

    champion_profit: float
    challenger_profit: float
    gain: Interval
    champion_ece: float
    challenger_ece: float
    rows: int
    groups: int
    periods: int

    @property
    def promote(self) -> bool:
        """
        Whether the challenger has earned the place.

        Returns
        -------
        bool
            True where it earns more beyond doubt and its probabilities are no worse by more than 0.01 (ECE).
        """
        return self.gain.low > 0 and self.challenger_ece - self.champion_ece <= ECE_SLACK

    @property
    def why(self) -> str:
        """
        Say in words what the decision rests on.

        Returns
        -------
        str
            One sentence.
        """
        profit = f"profit {self.gain.value:+,.0f} ({self.gain.low:+,.0f} to {self.gain.high:+,.0f})"
        error = f"ECE {self.champion_ece:.3f} -> {self.challenger_ece:.3f}"
        reasons = [] if self.gain.low > 0 else ["the gain could be chance"]
        if self.challenger_ece - self.champion_ece > ECE_SLACK:
            reasons.append("the calibration is worse")
        verdict = "keep the champion: " + " and ".join(reasons) if reasons else "promote"
        return f"{verdict}; {profit}, {error}, on {self.rows:,} rows of {self.groups:,} accounts"


def compare(  # noqa: PLR0917 - the two models, then the arguments of fit
    champion: Foretells,
    challenger: Foretells,
    X: pd.DataFrame,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    times: ArrayLike | None = None,
    *,
    terms: Terms | None = None,
    seed: int = 0,
    draws: int = 1_000,
    level: float = 0.95,
) -> Comparison:
    """
    Let two models choose among the same rows and say which choice earned more.

    Parameters
    ----------
    champion, challenger : PropensityModel
        Neither may have been fitted on these rows.
    X : DataFrame
        The columns of both; each takes its own.
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    groups : array-like or None
        Account of each row; None: each row by itself.
    times : array-like or None
        Period of each row, each with its own capacity; None: one period.
    terms : Terms or None
        Margin, cost and capacity; None: one unit of money per buyer, no cost, the best fifth.
    seed, draws, level : int, int, float
        Of the bootstrap.

    Returns
    -------
    Comparison
        With ``promote`` and ``why``.

    Raises
    ------
    BadInput
        Where the rows cannot be judged.
    """
    p, q = (np.asarray(model.predict_proba(X))[:, 1] for model in (champion, challenger))
    return judge(p, q, y, groups, times, terms=terms, seed=seed, draws=draws, level=level)


def judge(
    champion: ArrayLike,
    challenger: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    times: ArrayLike | None = None,
    *,
    terms: Terms | None = None,
    seed: int = 0,
    draws: int = 1_000,
    level: float = 0.95,
) -> Comparison:
    """
    Do as `compare` with probabilities in place of models.

    Rows are worked in the order of expected profit, p x margin - cost, while that is above zero and capacity lasts;
    rows that tie for the last places share them. Accounts and periods are drawn with replacement, and a row weighs
    the product of both (the pigeonhole bootstrap of Owen 2007), so that neither an account nor a good month that
    repeats itself passes for many. With one period only accounts are drawn.

    Parameters
    ----------
    champion, challenger : array-like of shape (n,)
        Probabilities.
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    groups, times : array-like or None
        Account and period of each row.
    terms : Terms or None
        Margin, cost and capacity.
    seed, draws, level : int, int, float
        Of the bootstrap.

    Returns
    -------
    Comparison
        With ``promote`` and ``why``.

    Raises
    ------
    BadInput
        Where lengths differ, outcomes are not 0 and 1, or probabilities are missing.
    """
    terms = terms or Terms()
    p, q = (np.asarray(part, dtype=float) for part in (champion, challenger))
    outcome = np.asarray(pd.to_numeric(pd.Series(y), errors="coerce"), dtype=float)
    both = {"champion": p, "challenger": q}
    margin = np.asarray(terms.margin, dtype=float)
    _check(outcome, {**both, "groups": groups, "times": times, "margin": margin if margin.ndim else None}, both)
    margin = np.broadcast_to(margin, outcome.shape)
    account = group_codes(groups, len(outcome))
    period = np.zeros(len(outcome), dtype=int) if times is None else group_codes(times, len(outcome))
    earned = outcome * margin - terms.cost
    one, two = (_worked(share * margin - terms.cost, period, terms.capacity_share) * earned for share in (p, q))
    cells = pd.DataFrame({"gain": two - one, "rows": 1.0}).groupby([account, period]).sum()
    codes = [cells.index.get_level_values(part).to_numpy() for part in (0, 1)]
    drawn = [
        cells["gain"] @ (a * b) / max(cells["rows"] @ (a * b), 1.0) * len(outcome)
        for a, b in zip(
            *(resampled(len(cells), code, seed=seed + part, draws=draws) for part, code in enumerate(codes)),
            strict=True,
        )
    ]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    ones = np.ones(len(outcome))
    return Comparison(
        float(one.sum()),
        float(two.sum()),
        Interval(float((two - one).sum()), float(low), float(high)),
        ece(outcome, p, ones),
        ece(outcome, q, ones),
        len(outcome),
        len(np.unique(account)),
        len(np.unique(period)),
    )


def _check(y: Floats, sized: Mapping[str, ArrayLike | None], probabilities: Mapping[str, Floats]) -> None:
    """List everything that keeps rows from being judged."""
    sizes = {name: len(pd.Series(part)) for name, part in sized.items() if part is not None}
    faults = [
        Fault(name, "", "", f"{size} rows, y has {len(y)}", "give one per row")
        for name, size in sizes.items()
        if size != len(y)
    ]
    if not len(y) or not np.isin(y, [0, 1]).all():
        faults.append(Fault("y", "", "", "is empty, or not 0 and 1 everywhere", "give ripe outcomes only"))
    faults += [
        Fault(name, "", "", "is not between 0 and 1 everywhere", "give probabilities")
        for name, part in probabilities.items()
        if not ((part >= 0) & (part <= 1)).all()
    ]
    if faults:
        raise BadInput(faults)


def _worked(worth: Floats, period: ArrayLike, capacity_share: float) -> Floats:
    """Give each row the share in which it is worked: 1 the best of its period, 0 the rest, ties at the end a part."""
    rows = pd.DataFrame({"worth": worth, "period": period})
    rows["capacity"] = np.floor(rows.groupby("period")["worth"].transform("size") * capacity_share + 0.5)
    tied = rows.groupby(["period", "worth"])["worth"]
    size = tied.transform("size")
    better = rows.groupby("period")["worth"].rank(method="min", ascending=False) - 1
    share = ((rows["capacity"] - better) / size).clip(0, 1)
    return np.asarray(share.where(rows["worth"] > 0, 0.0), dtype=float)
