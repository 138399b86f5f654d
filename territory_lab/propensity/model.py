"""A propensity model that is judged on later data only, says when it knows nothing, and explains itself on a card."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from territory_lab.errors import BadInput, Fault
from territory_lab.propensity import metrics
from territory_lab.propensity.artefact import Kept
from territory_lab.propensity.card import Card, rows
from territory_lab.propensity.encode import Encoder, framed
from territory_lab.propensity.evidence import BASE, MEMORY, Evidence, Verdict, gather, learner
from territory_lab.propensity.leaks import leak_scan
from territory_lab.propensity.metrics import Floats, Interval
from territory_lab.propensity.recent import Recent
from territory_lab.propensity.watch import Profile, profiled
from territory_lab.timeline import OutOfTimeSplit, group_codes

_FEW_ROWS = 250
_FEW_EACH = 20


class PropensityModel(Kept, ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """
    Learn the probability of an outcome, and prove it on rows that come later.

    Logistic regression comes first; boosted trees, or the mean of both, replace it where the paired out-of-time
    interval of the AUC excludes zero. Probabilities are mended by a line through log-odds where later data ask for it.

    Parameters
    ----------
    algorithm : {"auto", "logistic", "both", "boosting"}
        The learner; "both" is the mean of their log-odds, "auto" lets the evidence decide.
    seed : int
        For boosting, dealing groups and intervals.
    base_columns : sequence of str
        What the simple model to beat may see (recency, frequency); empty: it knows the base rate only.
    monotone : mapping of str to {-1, 1} or None
        For boosting: direction in which a column of numbers must act.
    embargo : Timedelta, number or None
        Length of the label's horizon, where times overlap.
    n_splits : int or None
        Blocks of time it is tested on; None: 6 where ``refresh`` is given, else 3.
    refresh : Timedelta, number or None
        How long the model serves before it is learnt again, in the unit of ``times`` (rows where there are none): the
        blocks it is tested on are as long. None: blocks of about equal size.
    memory : float, "auto" or None
        After how many rows a row counts half in the correction for the recent past (`recent.Recent`): say 125 where
        base rates are known to jump. "auto": 125, where later rows were foretold better with it beyond doubt: odds of
        20 to 1; None: no correction.
    shuffled : str or None
        Reason to give up time order; it lands on the card.
    allow : mapping of str to str or None
        Reason by column to use it although `leak_scan` refuses it; it lands on the card.

    Attributes
    ----------
    calibration_, gains_ : DataFrame
        See `metrics.calibration_table` and `metrics.gains_table`; from later data only.
    metrics_ : DataFrame
        See `metrics.evaluate`.
    algorithm_ : str
        The learner in use.
    profile_ : Profile
        How the training data looked; what `drift` holds later data against.
    memory_ : float or None
        Half-life of the correction for the recent past, in rows; None: not made.
    """

    verdict_: Verdict
    card_: Card
    algorithm_: str
    profile_: Profile
    memory_: float | None
    recent_: Recent | None

    def __init__(
        self,
        algorithm: Literal["auto", "logistic", "both", "boosting"] = "auto",
        *,
        seed: int = 0,
        base_columns: Sequence[str] = (),
        monotone: Mapping[str, int] | None = None,
        embargo: pd.Timedelta | float | None = None,
        n_splits: int | None = None,
        refresh: pd.Timedelta | float | None = None,
        memory: float | Literal["auto"] | None = "auto",
        shuffled: str | None = None,
        allow: Mapping[str, str] | None = None,
    ) -> None:
        self.algorithm = algorithm
        self.seed = seed
        self.base_columns = base_columns
        self.monotone = monotone
        self.embargo = embargo
        self.n_splits = n_splits
        self.refresh = refresh
        self.memory = memory
        self.shuffled = shuffled
        self.allow = allow

    def fit(
        self, X: pd.DataFrame, y: ArrayLike, groups: ArrayLike | None = None, times: ArrayLike | None = None
    ) -> Self:
        """
        Learn, prove, calibrate and write the card.

        Parameters
        ----------
        X : DataFrame
            Columns as they come.
        y : array-like of shape (n,)
            Outcomes of two kinds; the second in sorted order is the one foretold.
        groups : array-like or None
            Parent account of each row; None: each row by itself.
        times : array-like or None
            As-of date of each row; None: rows are in time order.

        Returns
        -------
        PropensityModel
            Itself.

        Raises
        ------
        BadInput
            Where X cannot be used as it stands, or columns seem to know the outcome beforehand.
        ValueError
            Where y is missing, has gaps or is not of two kinds.
        """
        frame = framed(self, X, reset=True).reset_index(drop=True)
        outcome = self._outcome(frame, y)
        for name, column in (("groups", groups), ("times", times)):
            if column is not None and len(pd.Series(column)) != len(frame):
                raise ValueError(f"{name} has {len(pd.Series(column))} rows, X has {len(frame)}")
        when = np.arange(len(frame)) if times is None else _when(times)
        _warn_of_twins(frame, groups, None if times is None else when)
        place = np.searchsorted(np.sort(when), when, side="right")
        if self.shuffled:
            place = np.random.default_rng(self.seed).permutation(len(frame)) + 1
        code = group_codes(groups, len(frame))
        self._scan(frame, outcome, code)
        evidence = self._gather(frame, outcome, code, when, place)
        self._decide(evidence)
        self.profile_ = profiled(frame, when)
        self.encoder_ = Encoder().fit(frame)
        self.learner_ = learner(self.algorithm_, self.seed, self._directions())
        ready = self.encoder_.transform(frame)
        self.learner_.fit(ready, outcome, np.argsort(place, kind="stable"))
        self.recent_ = None
        if self.memory_ is not None:
            age = (len(place) - place).astype(float)
            self.recent_ = Recent.fit(ready, outcome, self.learner_, age, self.memory_)
        self._describe(frame, outcome, code, when if times is not None else None)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """
        Give the probability of each outcome.

        Parameters
        ----------
        X : DataFrame
            The columns of `fit`; order and index are kept.

        Returns
        -------
        array of shape (n, 2)
            Probabilities in the order of ``classes_``.
        """
        check_is_fitted(self)
        ready = self.encoder_.transform(framed(self, X, reset=False))
        p = self.learner_.predict(ready)
        if self.recent_ is not None:
            p = self.recent_(ready, p)
        if self.calibrator_ is not None:
            p = self.calibrator_(p)
        return np.column_stack([1 - p, p])

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """
        Give the likelier outcome.

        Parameters
        ----------
        X : DataFrame
            The columns of `fit`.

        Returns
        -------
        array of shape (n,)
            Values of ``classes_``.
        """
        likelier = (self.predict_proba(X)[:, 1] > 0.5).astype(int)
        return np.asarray(self.classes_[likelier])

    @property
    def verdict(self) -> Verdict:
        """
        Whether the model knows anything, judged on later data.

        Returns
        -------
        Verdict
            "signal" or "no signal"; ``verdict.auc`` is the interval it rests on.
        """
        check_is_fitted(self)
        return self.verdict_

    @property
    def card(self) -> Card:
        """
        What a reader must know of the model.

        Returns
        -------
        Card
            Data, dates, metrics with intervals, calibration, gains, limits.
        """
        check_is_fitted(self)
        return self.card_

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn's tags have no public type
        """Tell scikit-learn what is accepted."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.classifier_tags.multi_class = False
        return tags

    def _outcome(self, frame: pd.DataFrame, y: ArrayLike) -> Floats:
        """Check the outcomes and write them as 0 and 1."""
        if y is None:
            raise ValueError("PropensityModel requires y to be passed, but the target y is None")
        known = column_or_1d(y, warn=True)
        check_consistent_length(frame, known)
        if pd.isna(known).any():
            raise ValueError("Input y contains NaN: leave rows without an outcome out")
        check_classification_targets(known)
        self.classes_, code = np.unique(known, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(
                f"Only binary classification is supported. The type of the target is {type_of_target(known)}."
            )
        if len(self.classes_) == 1:
            fault = Fault(
                "y", "", "", f"only one class: {self.classes_[0]!r}", "give rows with and without the outcome"
            )
            raise BadInput([fault])
        return np.asarray(code, dtype=float)

    def _scan(self, frame: pd.DataFrame, y: Floats, groups: NDArray[np.intp]) -> None:
        """Refuse columns that know the outcome; keep the others that stand out for the card."""
        found = leak_scan(frame, y, groups=groups, allow=self.allow, seed=self.seed)
        refused = found[found["finding"] == "refused"]
        if len(refused) and len(y) >= _FEW_ROWS:
            mend = "leave it out, or allow it with a reason"
            raise BadInput([Fault("X", str(row.column), "", str(row.why), mend) for row in refused.itertuples()])
        self.leaks_ = found[found["finding"].isin(["doubtful", "allowed"])]

    def _gather(
        self, frame: pd.DataFrame, y: Floats, groups: NDArray[np.intp], when: NDArray[Any], place: NDArray[np.intp]
    ) -> Evidence | None:
        """Let the learners foretell later rows."""
        split = OutOfTimeSplit(
            self._splits(), width=self.refresh, embargo=self.embargo, shuffled=self.shuffled, seed=self.seed
        )
        few = len(y) < _FEW_ROWS or min(y.sum(), len(y) - y.sum()) < _FEW_EACH
        if few:
            warnings.warn(f"{len(y)} rows with {int(y.sum())} buyers are too few to judge a model", stacklevel=3)
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a level unseen in an early block is no news for the caller
            return gather(
                frame,
                y,
                groups,
                place,
                list(split.split(frame, groups=groups, times=when)),
                encoder=Encoder(),
                algorithm=self.algorithm,
                base=learner("logistic" if len(self.base_columns) else "constant", self.seed),
                base_columns=list(self.base_columns),
                memory=self._half_life(),
                always=self.memory != "auto",
                seed=self.seed,
            )

    def _decide(self, evidence: Evidence | None) -> None:
        """Choose learner and calibration, and judge."""
        if evidence is None:
            self.memory_ = None
            self.algorithm_ = "logistic" if self.algorithm == "auto" else self.algorithm
            self.calibrator_ = self.promotion_ = self.mended_ = self.over_base_ = None
            self.metrics_, self.calibration_, self.gains_ = (pd.DataFrame() for _ in range(3))
            self.verdict_ = Verdict(Interval(np.nan, 0.0, 1.0))
            self.evidence_ = None
            return
        self.algorithm_, self.promotion_ = evidence.best()
        self.memory_ = evidence.memory[self.algorithm_]
        self.calibrator_, self.mended_, proof = evidence.calibrator(self.algorithm_)
        y, p, groups = proof.y, proof.by[self.algorithm_], proof.groups
        self.metrics_ = metrics.evaluate(y, p, groups, seed=self.seed)
        self.over_base_ = metrics.difference(y, p, proof.by[BASE], groups, seed=self.seed)
        self.calibration_, self.gains_ = metrics.calibration_table(y, p), metrics.gains_table(y, p)
        self.verdict_ = proof.verdict(self.algorithm_)
        self.evidence_ = proof

    def _splits(self) -> int:
        """Say how many blocks it is tested on."""
        return self.n_splits or (3 if self.refresh is None else 6)

    def _half_life(self) -> float | None:
        """Say which half-life to try; rows dealt at random have no recent past."""
        if self.memory is None or self.shuffled:
            return None
        return MEMORY if self.memory == "auto" else float(self.memory)

    def _directions(self) -> tuple[int, ...]:
        """Line up monotone constraints with the encoded columns."""
        wanted = self.monotone or {}
        return tuple(int(wanted.get(name, 0)) for name in self.encoder_.get_feature_names_out()) if wanted else ()

    def _describe(self, frame: pd.DataFrame, y: Floats, groups: NDArray[np.intp], when: NDArray[Any] | None) -> None:
        """Write the card."""
        limits = [] if self.verdict == "signal" else ["No signal: the scores rank no better than chance can."]
        if self.shuffled:
            limits.append(f"Judged on shuffled folds, not out of time, because: {self.shuffled}")
        if self.evidence_ is None:
            limits.append("Not judged: too few rows, or too few of one outcome.")
        limits += [f"{row.column}: {row.finding}, {row.why}" for row in self.leaks_.itertuples()]
        if when is None:
            limits.append("No dates were given: the order of rows was taken for the order of time.")
        self.card_ = Card(
            verdict=repr(self.verdict),
            algorithm=self.algorithm_,
            rows=len(y),
            buyers_share=float(y.mean()),
            groups=len(np.unique(groups)),
            first=str(when.min()) if when is not None else "row 0",
            last=str(when.max()) if when is not None else f"row {len(y) - 1}",
            judged_on="shuffled folds" if self.shuffled else f"{self._splits()} later blocks of time, unseen groups",
            metrics=rows(self.metrics_),
            auc_over_base=_entry(self.over_base_),
            base="logistic regression on " + ", ".join(self.base_columns) if len(self.base_columns) else "base rate",
            trees_over_logistic=_entry(self.promotion_),
            memory_rows=self.memory_,
            calibrated=self.calibrator_ is not None,
            brier_mended_less_unmended=_entry(self.mended_),
            calibration=rows(self.calibration_),
            gains=rows(self.gains_),
            columns=[str(name) for name in frame.columns],
            limits=limits,
        )


def _warn_of_twins(frame: pd.DataFrame, groups: ArrayLike | None, when: NDArray[Any] | None) -> None:
    """Say how many rows of a group stand twice at the same time; intervals take a group's rows together."""
    if groups is None:
        return
    beside = pd.DataFrame({"": pd.Series(groups).to_numpy(), " ": when})  # names no column of a table has
    twins = pd.concat([frame, beside], axis=1).duplicated()
    if twins.any():
        warnings.warn(f"{twins.sum()} row(s) stand twice: same group, time and columns", stacklevel=3)


def _when(times: ArrayLike) -> NDArray[Any]:
    """Take times as something that sorts."""
    column: pd.Series[Any] = pd.Series(times)
    if column.isna().any():
        raise BadInput([Fault("times", "", "", f"{int(column.isna().sum())} rows have no time", "fill them in")])
    if pd.api.types.is_object_dtype(column) and len({getattr(date, "tzinfo", None) is None for date in column}) == 2:
        mend = "turn all to UTC and drop the zone"
        raise BadInput([Fault("times", "", "", "some carry a time zone and some do not", mend)])
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.to_datetime(column, utc=True).dt.tz_localize(None)
    return column.to_numpy()


def _entry(interval: Interval | None) -> dict[str, float] | str:
    """Write an interval on the card."""
    return "not compared" if interval is None else interval._asdict()
