"""What each learner foretold about rows it had not seen and that came later, and what follows from it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from territory_lab.propensity import metrics
from territory_lab.propensity.encode import Encoder
from territory_lab.propensity.learners import Boosted, Constant, Learner, Logistic, logit
from territory_lab.propensity.metrics import Floats, Interval
from territory_lab.propensity.recent import Recent, ridge

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
BASE = "base"
VERDICT_LEVEL = 0.98
MEMORY = 125.0  # rows; about 180 rows count in the end, enough to see a base rate jump
_BEYOND_DOUBT = 20.0  # likelihood ratio that chance reaches in 5 % of fits at most


class Calibrator(NamedTuple):
    """
    A straight line through log-odds (Platt 1999).

    Parameters
    ----------
    slope, intercept : float
        Of the log-odds; 1 and 0 change nothing.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, p: Floats) -> Floats:
        """Mend probabilities."""
        return 1 / (1 + np.exp(-(self.slope * logit(p) + self.intercept)))


class Verdict(str):
    """
    Whether a model knows anything: "signal" or "no signal", with the interval this rests on.

    Parameters
    ----------
    auc : Interval
        Out-of-time AUC with its 98 % interval; a signal is one that excludes 0.5.
    """

    __slots__ = ("auc",)
    auc: Interval

    def __new__(cls, auc: Interval) -> Self:
        """Judge the interval."""
        verdict = super().__new__(cls, "signal" if auc.low > 0.5 else "no signal")
        verdict.auc = auc
        return verdict

    def __repr__(self) -> str:
        """Show the interval beside the word."""
        return f"{self!s} (AUC {self.auc.value:.3f}, {self.auc.low:.3f} to {self.auc.high:.3f})"

    def __reduce__(self) -> tuple[type, tuple[Interval]]:
        """Let it be copied."""
        return type(self), (self.auc,)


@dataclass(frozen=True)
class Evidence:
    """
    Predictions for later rows of groups not trained on.

    Parameters
    ----------
    y : array of shape (n,)
        Outcomes, 0 or 1.
    groups : array of int
        Group of each row.
    block : array of int
        Number of the block of time, from 0.
    by : dict of str to array
        Probabilities by learner.
    memory : dict of str to float or None
        Half-life of the correction for the recent past by learner, in rows; None: without.
    seed : int
        For intervals.
    """

    y: Floats
    groups: NDArray[np.intp]
    block: NDArray[np.intp]
    by: dict[str, Floats]
    memory: dict[str, float | None]
    seed: int

    def verdict(self, name: str) -> Verdict:
        """
        Judge a learner by how it ranks within each block.

        Probabilities that follow the level from block to block rank no account above another, so only ranks within
        the block count.

        Parameters
        ----------
        name : str
            The learner.

        Returns
        -------
        Verdict
            "signal" or "no signal".
        """
        rank = pd.Series(self.by[name]).groupby(self.block).rank(pct=True).to_numpy()
        return Verdict(metrics.interval(self.y, rank, self.groups, seed=self.seed, level=VERDICT_LEVEL))

    def best(self) -> tuple[str, Interval | None]:
        """
        Pick the learner: trees, in full or by half, only where they rank better beyond doubt.

        Returns
        -------
        name : str
            "logistic", or of "both" and "boosting" the one that gains most among those whose gain excludes zero.
        gain : Interval or None
            AUC of that one (else of the best challenger) less that of logistic regression, on the same rows.
        """
        names = [name for name in self.by if name != BASE]
        if len(names) == 1:
            return names[0], None
        gains = {
            name: metrics.difference(self.y, self.by[name], self.by["logistic"], self.groups, seed=self.seed)
            for name in names
            if name != "logistic"
        }
        name, gain = max(gains.items(), key=lambda pair: (pair[1].low > 0, pair[1].value))
        return (name if gain.low > 0 else "logistic"), gain

    def calibrator(self, name: str) -> tuple[Calibrator | None, Interval | None, "Evidence"]:
        """
        Calibrate on later predictions where the error asks for it.

        Each block is mended with a line fitted to the block before it. The line is kept where the Brier score of the
        mended blocks is better beyond doubt. The correction for the recent past has calibrated on the latest rows
        already; a line on top would follow the same jump twice.

        Parameters
        ----------
        name : str
            The learner.

        Returns
        -------
        calibrator : Calibrator or None
            Fitted to the last block; None: not needed.
        gain : Interval or None
            Brier score mended less unmended; None where there is one block only, or the recent past is corrected for.
        evidence : Evidence
            What the figures of the card rest on: mended blocks, or all of them as they are.
        """
        p, blocks = self.by[name], np.unique(self.block)
        later = self.block > blocks[0]
        if not later.any() or self.memory[name] is not None:
            return None, None, self
        mended = p.copy()
        for before, now in pairwise(blocks):
            seen = self.block == before
            mended[self.block == now] = _line(p[seen], self.y[seen])(p[self.block == now])
        gain = metrics.difference(
            self.y[later], mended[later], p[later], self.groups[later], metric=metrics.brier, seed=self.seed
        )
        if gain.high >= 0:
            return None, gain, self
        last = self.block == blocks[-1]
        kept = {other: values[later] for other, values in (self.by | {name: mended}).items()}
        proof = Evidence(self.y[later], self.groups[later], self.block[later], kept, self.memory, self.seed)
        return _line(p[last], self.y[last]), gain, proof


def gather(
    X: pd.DataFrame,
    y: Floats,
    groups: NDArray[np.intp],
    place: NDArray[np.intp],
    folds: list[Fold],
    *,
    encoder: Encoder,
    algorithm: str,
    base: Learner,
    base_columns: list[str],
    memory: float | None,
    always: bool,
    seed: int,
) -> Evidence | None:
    """
    Let every learner foretell every fold.

    Parameters
    ----------
    X : DataFrame
        Columns as they come.
    y : array of shape (n,)
        Outcomes, 0 or 1.
    groups : array of int
        Group of each row.
    place : array of int
        How many rows came no later, for each row.
    folds : list of (train, test)
        Positions of rows.
    encoder : Encoder
        Fitted afresh on each training part.
    algorithm : str
        As in `learner`; "auto" for all of them.
    base : Learner
        What they have to beat.
    base_columns : list of str
        All the base model sees.
    memory : float or None
        Half-life of the correction for the recent past, in rows; None: no such correction.
    always : bool
        Correct even where later rows do not ask for it: where the correction does not foretell them better than the
        learner alone and than the same correction from all rows alike, which mends what is no matter of time.
    seed : int
        For intervals.

    Returns
    -------
    Evidence or None
        None where no fold has both classes in its training part.
    """
    usable = [(train, test) for train, test in folds if 0 < y[train].sum() < len(train)]
    if not usable:
        return None
    half_lives = [] if memory is None else [memory] if always else [memory, np.inf]
    tried: list[dict[tuple[str, float | None], Floats]] = []
    for train, test in usable:
        past, later = X.iloc[train], X.iloc[test]
        turn, age = np.argsort(place[train], kind="stable"), (place[train].max() - place[train]).astype(float)
        known = encoder.fit(past[base_columns])
        ready, unseen = known.transform(past[base_columns]), known.transform(later[base_columns])
        part: dict[tuple[str, float | None], Floats] = {
            (BASE, None): base.fit(ready, y[train], turn).predict(unseen),
        }
        fitted = encoder.fit(past)
        ready, unseen = fitted.transform(past), fitted.transform(later)
        for name, learnt in _trained(algorithm, seed, ready, y[train], turn).items():
            p = part[name, None] = learnt.predict(unseen)
            for half_life in half_lives:
                part[name, half_life] = Recent.fit(ready, y[train], learnt, age, half_life)(unseen, p)
        tried.append(part)
    rows = np.concatenate([test for _, test in usable])
    block = np.repeat(_blocks(usable, place), [len(test) for _, test in usable])
    foretold = {key: np.concatenate([part[key] for part in tried]) for key in tried[0]}
    kept: dict[str, float | None] = dict.fromkeys(name for name, _ in foretold)
    if memory is not None:
        for name in [name for name in kept if name != BASE]:
            rivals = [] if always else [foretold[name, None], foretold[name, np.inf]]
            better = all(_beats(y[rows], foretold[name, memory], rival, groups[rows], block) for rival in rivals)
            kept[name] = memory if better else None
    by = {name: foretold[name, chosen] for name, chosen in kept.items()}
    return Evidence(y[rows], groups[rows], block, by, kept, seed)


def _trained(algorithm: str, seed: int, X: Floats, y: Floats, order: NDArray[np.intp]) -> dict[str, Learner]:
    """Fit a learner, or all of them at once: trees are grown upon the regression they are held against."""
    if algorithm != "auto":
        return {algorithm: learner(algorithm, seed).fit(X, y, order)}
    trees = Boosted(seed).fit(X, y, order)
    return {"logistic": trees.start, "both": trees.shared(0.5), "boosting": trees}


def _blocks(folds: list[Fold], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give each fold the number of its block of time: parts of one block that differ by group belong together."""
    first, last = (np.array([end(place[test]) for _, test in folds]) for end in (np.min, np.max))
    if any(place[train].max() > start for (train, _), start in zip(folds, first, strict=True)):
        return np.arange(len(folds))  # dealt at random: every fold stands for a block
    turn = np.argsort(first)
    number = np.zeros(len(folds), dtype=np.intp)
    number[turn[1:]] = np.cumsum(first[turn[1:]] > np.maximum.accumulate(last[turn])[:-1])
    return number


def _row_loss(y: Floats, p: Floats) -> Floats:
    """Measure the log loss of each row: -log(probability of what happened)."""
    log_odds = logit(p)
    return np.asarray(np.logaddexp(0, log_odds) - y * log_odds)


def _beats(y: Floats, p: Floats, rival: Floats, groups: NDArray[np.intp], block: NDArray[np.intp]) -> bool:
    """
    Tell whether probabilities foretold later rows better than a rival beyond doubt.

    A bet against the rival: were it right, the likelihood ratio of what happened has mean 1, be it counted from the
    first block on or from a later one, and so has the mean of these; it exceeds 20 in one fit of 20 at most (Markov's
    inequality; Shafer 2021, testing by betting). Of a group's rows, which may repeat each other, the geometric mean
    counts, which is no greater than the arithmetic one.
    """
    gain = (_row_loss(y, rival) - _row_loss(y, p)) / np.bincount(groups)[groups]
    since = np.cumsum(np.bincount(block, gain)[::-1])
    return bool(logsumexp(since) - np.log(len(since)) > np.log(_BEYOND_DOUBT))


def learner(name: str, seed: int, monotone: tuple[int, ...] = ()) -> Learner:
    """
    Make a learner by name.

    Parameters
    ----------
    name : {"logistic", "both", "boosting", "constant"}
        Which; "both" is the mean of the log-odds of logistic regression and boosting.
    seed : int
        For boosting.
    monotone : tuple of int
        For boosting: direction of each encoded column.

    Returns
    -------
    Learner
        Not fitted.
    """
    if name in {"both", "boosting"}:
        return Boosted(seed, monotone, 1.0 if name == "boosting" else 0.5)
    return Logistic() if name == "logistic" else Constant()


def _line(p: Floats, y: Floats) -> Calibrator:
    """Fit the line to log-odds by penalised maximum likelihood: a little data changes little."""
    start = logit(p)
    steeper, intercept = ridge(np.column_stack([start, np.ones(len(p))]), y, start, np.ones(len(p)), np.ones(2))
    slope = 1 + steeper
    if slope <= 0:
        return Calibrator(0.0, float(logit(np.mean(y, keepdims=True))[0]))
    return Calibrator(float(slope), float(intercept))
