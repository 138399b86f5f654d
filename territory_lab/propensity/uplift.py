"""What an action changes: the chance with it less the chance without, learnt where some were treated and some not."""

from typing import Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils.validation import check_is_fitted

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import metrics
from territory_lab.propensity.encode import Encoder, framed
from territory_lab.propensity.evidence import learner
from territory_lab.propensity.learners import Learner
from territory_lab.propensity.metrics import Floats, Interval
from territory_lab.timeline import OutOfTimeSplit, group_codes

_FEW_EACH = 100
_FEW_BUYERS = 20


class UpliftModel(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """
    Learn how much a treatment (a call, a campaign) raises the chance of an outcome.

    "S" learns one model with the treatment as a column, "T" one for the treated and one for the others, "X" goes on
    from "T" to regress what each row gained, and weighs both sides by the chance of treatment (Künzel, Sekhon, Bickel
    and Yu 2019). None can tell effect from selection where the treated were chosen by what no column holds.

    Parameters
    ----------
    learner : {"X", "T", "S"}
        The scheme.
    algorithm : {"boosting", "logistic"}
        What each model in it is; one "S" of logistic regression would give everybody the same effect in log-odds.
    embargo : Timedelta, number or None
        Length of the label's horizon, where times overlap.
    n_splits : int
        Blocks of time it is tested on.
    seed : int
        For boosting, dealing groups and intervals.

    Attributes
    ----------
    qini_ : Interval
        Qini coefficient on later rows of groups not trained on; above zero, the ranking finds those who can be moved.
    effect_ : Interval
        Share that bought among the treated less that among the others, on the same rows.
    assignment_ : Interval
        AUC of the columns for who was treated: 0.5 where it was left to chance.
    curve_ : DataFrame
        See `qini_curve`.
    """

    qini_: Interval
    effect_: Interval
    assignment_: Interval
    curve_: pd.DataFrame

    def __init__(
        self,
        learner: Literal["X", "T", "S"] = "X",
        *,
        algorithm: Literal["boosting", "logistic"] = "boosting",
        embargo: pd.Timedelta | float | None = None,
        n_splits: int = 3,
        seed: int = 0,
    ) -> None:
        self.learner = learner
        self.algorithm = algorithm
        self.embargo = embargo
        self.n_splits = n_splits
        self.seed = seed

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        treated: ArrayLike | None,
        groups: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> Self:
        """
        Learn the effect, and measure it on later rows.

        Parameters
        ----------
        X : DataFrame
            Columns known before the treatment, as they come.
        y : array-like of shape (n,)
            Outcomes, 0 or 1.
        treated : array-like of shape (n,)
            1 where treated, 0 where not.
        groups : array-like or None
            Parent account of each row.
        times : array-like or None
            Time of each row; None: rows are in time order.

        Returns
        -------
        UpliftModel
            Itself.

        Raises
        ------
        BadInput
            Where there is no treatment to learn from, too few on either side, or a name that is not known.
        """
        frame = framed(self, X, reset=True).reset_index(drop=True)
        bought, given = self._checked(y, treated, len(frame))
        when = np.arange(len(frame)) if times is None else pd.Series(times).to_numpy()
        order = np.argsort(when, kind="stable")
        place = np.argsort(order, kind="stable")
        code = group_codes(groups, len(frame))
        folds = OutOfTimeSplit(self.n_splits, embargo=self.embargo, seed=self.seed).split(
            frame, groups=groups, times=when
        )
        rows, gained, chance = [], [], []
        for train, test in folds:
            encoder = Encoder().fit(frame.iloc[train])
            past, later = encoder.transform(frame.iloc[train]), encoder.transform(frame.iloc[test])
            turn = np.argsort(place[train])
            scheme = _Scheme.fit(self, past, bought[train], given[train], turn)
            rows.append(test)
            gained.append(scheme.predict(later))
            chance.append(scheme.treatment.predict(later))
        tested = np.concatenate(rows)
        self._judge(np.concatenate(gained), np.concatenate(chance), bought[tested], given[tested], code[tested])
        self.encoder_ = Encoder().fit(frame)
        self.scheme_ = _Scheme.fit(self, self.encoder_.transform(frame), bought, given, order)
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """
        Give the effect of the treatment.

        Parameters
        ----------
        X : DataFrame
            The columns of `fit`.

        Returns
        -------
        array of shape (n,)
            Probability with the treatment less the probability without it.
        """
        check_is_fitted(self, "scheme_")
        return self.scheme_.predict(self.encoder_.transform(framed(self, X, reset=False)))

    def _checked(self, y: ArrayLike, treated: ArrayLike | None, size: int) -> tuple[Floats, Floats]:
        """Refuse what no effect can be learnt from."""
        if treated is None:
            mend = "log who was contacted, better: leave some out by lot"
            raise BadInput([Fault("treated", "", "", "no treatment data: uplift cannot be told from propensity", mend)])
        faults = [
            Fault("UpliftModel", name, "", f"{value!r} is not known", f"one of {', '.join(known)}")
            for name, value, known in (
                ("learner", self.learner, tuple(_SCHEMES)),
                ("algorithm", self.algorithm, ("boosting", "logistic")),
            )
            if value not in known
        ]
        columns = {"y": np.asarray(y, dtype=float), "treated": np.asarray(treated, dtype=float)}
        for name, values in columns.items():
            if len(values) != size or not np.isin(values, (0, 1)).all():
                faults.append(Fault(name, "", "", f"needs 0 or 1 in each of {size} rows", "mend it"))
        if not faults:
            for side, name in ((0, "untreated"), (1, "treated")):
                bought = columns["y"][columns["treated"] == side]
                if len(bought) < _FEW_EACH or min(bought.sum(), len(bought) - bought.sum()) < _FEW_BUYERS:
                    problem = f"{len(bought)} {name} rows with {int(bought.sum())} buyers are too few"
                    mend = f"{_FEW_EACH} rows with {_FEW_BUYERS} of each outcome at least"
                    faults.append(Fault("treated", "", "", problem, mend))
        if faults:
            raise BadInput(faults)
        return columns["y"], columns["treated"]

    def _judge(self, gained: Floats, chance: Floats, y: Floats, treated: Floats, code: NDArray[np.intp]) -> None:
        """Measure the ranking, the mean effect and the assignment on rows not trained on."""
        drawn = list(metrics.resampled(len(y), code, seed=self.seed, draws=200))

        def banded(value: float, values: list[float]) -> Interval:
            low, high = np.nanquantile(values, [0.025, 0.975])
            return Interval(value, float(low), float(high))

        self.curve_ = qini_curve(y, gained, treated)
        self.qini_ = banded(qini(y, gained, treated), [qini(y, gained, treated, weight) for weight in drawn])
        same = np.zeros(len(y))
        self.effect_ = banded(
            float(self.curve_["extra"].iloc[-1]),
            [float(qini_curve(y, same, treated, weight)["extra"].iloc[-1]) for weight in drawn],
        )
        self.assignment_ = metrics.interval(treated, chance, code, seed=self.seed)


class _Scheme(NamedTuple):
    """Fitted models of a scheme: of the treatment, of the outcome on either side, and what "X" regresses."""

    kind: str
    treatment: Learner
    outcome: tuple[Learner, Learner]
    effect: tuple[HistGradientBoostingRegressor, HistGradientBoostingRegressor] | None

    @classmethod
    def fit(cls, model: UpliftModel, X: Floats, y: Floats, treated: Floats, order: NDArray[np.intp]) -> "_Scheme":
        """Learn on encoded columns, settings chosen on the latest rows."""

        def learnt(X: Floats, y: Floats, order: NDArray[np.intp]) -> Learner:
            return learner(model.algorithm, model.seed).fit(X, y, order)

        treatment = learner("logistic", model.seed).fit(X, treated, order)
        if model.learner == "S":
            both = learnt(np.column_stack([X, treated]), y, order)
            return cls("S", treatment, (both, both), None)
        sides = [np.flatnonzero(treated == side) for side in (0, 1)]
        place = np.argsort(order, kind="stable")
        outcome = tuple(learnt(X[side], y[side], np.argsort(place[side])) for side in sides)
        if model.learner == "T":
            return cls("T", treatment, (outcome[0], outcome[1]), None)
        gained = outcome[1].predict(X[sides[0]]) - y[sides[0]], y[sides[1]] - outcome[0].predict(X[sides[1]])
        effect = [_regression(model.seed).fit(X[side], gain) for side, gain in zip(sides, gained, strict=True)]
        return cls("X", treatment, (outcome[0], outcome[1]), (effect[0], effect[1]))

    def predict(self, X: Floats) -> Floats:
        """Give the effect."""
        return _SCHEMES[self.kind](self, X)

    def _s(self, X: Floats) -> Floats:
        """Switch the treatment on and off."""
        without, given = (np.column_stack([X, np.full(len(X), side)]) for side in (0.0, 1.0))
        return self.outcome[1].predict(given) - self.outcome[0].predict(without)

    def _t(self, X: Floats) -> Floats:
        """Take one model from the other."""
        return self.outcome[1].predict(X) - self.outcome[0].predict(X)

    def _x(self, X: Floats) -> Floats:
        """Lean on the regression of the side with fewer rows: its gains come from the model of more."""
        if self.effect is None:
            raise AssertionError(self.kind)
        chance = self.treatment.predict(X)
        return np.asarray(chance * self.effect[0].predict(X) + (1 - chance) * self.effect[1].predict(X))


_SCHEMES = {"X": _Scheme._x, "T": _Scheme._t, "S": _Scheme._s}  # noqa: SLF001 - its own methods


def _regression(seed: int) -> HistGradientBoostingRegressor:
    """Set up small trees: effects are noisy."""
    return HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=100, max_depth=3, min_samples_leaf=50, random_state=seed
    )


def qini_curve(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike, weight: ArrayLike | None = None) -> pd.DataFrame:
    """
    Say how many more buy when the best share of rows is treated (the Qini curve of Radcliffe 2007).

    Parameters
    ----------
    y : array-like of shape (n,)
        Outcomes, 0 or 1.
    uplift : array-like of shape (n,)
        What they are ranked by; ties are treated together.
    treated : array-like of shape (n,)
        1 where treated.
    weight : array-like or None
        Weight of each row.

    Returns
    -------
    DataFrame
        From nothing to everything: share_worked (of all rows), extra (buyers among the treated of that share, less
        buyers among its untreated scaled to as many rows, per treated row of all).
    """
    outcome, score, given = (np.asarray(values, dtype=float) for values in (y, uplift, treated))
    mass = np.ones(len(outcome)) if weight is None else np.asarray(weight, dtype=float)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=-np.inf))
    parts = np.column_stack([mass, mass * given, mass * given * outcome, mass * (1 - given) * outcome])[order]
    rows, ours, bought, others_bought = np.vstack([np.zeros(4), parts.cumsum(axis=0)[ends]]).T
    others = rows - ours
    scaled = np.divide(others_bought * ours, others, out=np.zeros(len(rows)), where=others > 0)
    return pd.DataFrame({"share_worked": rows / rows[-1], "extra": (bought - scaled) / ours[-1]})


def qini(y: ArrayLike, uplift: ArrayLike, treated: ArrayLike, weight: ArrayLike | None = None) -> float:
    """
    Measure a ranking by uplift: the area between its Qini curve and the line of treating at random (Radcliffe 2007).

    Parameters
    ----------
    y, uplift, treated, weight : array-like
        As in `qini_curve`.

    Returns
    -------
    float
        Extra buyers per treated row, averaged over all shares worked; 0 for a ranking by chance.
    """
    curve = qini_curve(y, uplift, treated, weight)
    return float(np.trapezoid(curve["extra"], curve["share_worked"]) - curve["extra"].iloc[-1] / 2)
