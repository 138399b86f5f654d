"""What stands behind a learned profile: the won beside the market, every weight tried, a check on held-out accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from territory_lab.scoring._learn import LEVEL, Learned, bands, learn, lifts, split, weights
from territory_lab.scoring._rules import Rule, as_levels
from territory_lab.scoring.logit import Separation, separation
from territory_lab.scoring.traits import Design, design, is_number, stack

_FOLDS = 5
_FEW = 100  # won accounts below which a profile is called a first impression
_PROFILE = ["trait", "level", "share_won", "share_market", "lift", "lift_low", "lift_high", "weight"]
_WEIGHTS = ["trait", "part", "weight", "low", "high", "p_value", "chosen", "proxy"]


@dataclass(frozen=True)
class Evidence:
    """What a fit leaves behind for its readers; the tables are described where the profile returns them."""

    profile: pd.DataFrame
    weights: pd.DataFrame
    separation: Separation
    accounts: int
    won: int

    @property
    def verdict(self) -> str:
        """Say in words how far to trust the profile."""
        auc, low, high = self.separation
        band = f"{auc:.2f} ({low:.2f} to {high:.2f})"
        if not self.weights["chosen"].any() or low <= 0.5:
            return f"{self.won} won accounts: no trait tells them from the market with any certainty; separation {band}"
        if self.won < _FEW:
            return f"{self.won} won accounts: a first impression, not yet a profile; separation {band}"
        return f"{self.won} won accounts are told from the market with separation {band}; .50 is chance, 1 is perfect"


def gather(
    accounts: pd.DataFrame,
    designs: Sequence[Design],
    found: Learned,
    rules: Mapping[str, Rule],
    won: NDArray[np.bool_],
    *,
    place: str | None,
    seed: int,
) -> Evidence:
    """Collect the evidence for what was learned, strongest trait first."""
    table = _weights(designs, found)
    table["proxy"] = table["trait"].isin(_proxies(found.chosen, won, None if place is None else accounts[place]))
    profile = _profile(accounts, rules, won, list(table["trait"].unique()))
    held_out = _held_out(accounts, designs, won, np.random.default_rng(seed))
    return Evidence(profile, table, held_out, len(won), int(won.sum()))


def stated(rules: Mapping[str, Rule]) -> pd.DataFrame:
    """Lay out a rule card that rests on no evidence: all but trait, level and weight is missing."""
    lines = [
        {"trait": trait, "level": level, "weight": w} for trait, rule in rules.items() for level, w in rule.lines()
    ]
    return pd.DataFrame(lines, columns=_PROFILE)


def _weights(designs: Sequence[Design], found: Learned) -> pd.DataFrame:
    """List every weight; those not chosen as they would weigh beside all others."""
    part = dict(zip((one.trait for one in designs), split(designs, found.full), strict=True))
    part |= dict(zip((one.trait for one in found.chosen), split(found.chosen, found.fitted), strict=True))
    chosen = {one.trait for one in found.chosen}
    blocks = [
        weights(designs[i], *part[designs[i].trait]).assign(p_value=found.p_value[i], chosen=designs[i].trait in chosen)
        for i in np.argsort(found.p_value, kind="stable")
    ]
    return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=_WEIGHTS)


def _proxies(chosen: Sequence[Design], won: NDArray[np.bool_], place: pd.Series | None) -> list[str]:
    """Find the traits that fail the test beside the place: they tell where the team sells, not whom it wins."""
    if place is None or len(place.dropna().unique()) < 2:
        return []
    beside = learn([*chosen, design(place)], won.astype(float))
    return [one.trait for one, p in zip(chosen, beside.p_value[:-1], strict=True) if p > LEVEL]


def _profile(
    accounts: pd.DataFrame, rules: Mapping[str, Rule], won: NDArray[np.bool_], order: Sequence[str]
) -> pd.DataFrame:
    """Lay the won beside the market, level by level."""
    blocks = []
    for trait in order:
        number = is_number(accounts[trait])
        levels = bands(accounts[trait]) if number else as_levels(accounts[trait])
        block = lifts(levels, won)
        if trait in rules:
            added = pd.Series(rules[trait].of(accounts[trait]), accounts.index)
            block["weight"] = added.groupby(levels, observed=True).mean()
        else:
            block["weight"] = 0.0
        block = block if number else block.sort_values("lift", ascending=False, kind="stable")
        blocks.append(block.assign(trait=trait, level=block.index.astype("str"))[_PROFILE])
    return pd.concat(blocks, ignore_index=True) if blocks else stated({})


def _held_out(
    accounts: pd.DataFrame, designs: Sequence[Design], won: NDArray[np.bool_], rng: np.random.Generator
) -> Separation:
    """Choose and weigh on four fifths of the account families in turn; measure on the fifth held out."""
    fold = _folds(accounts, won, rng)
    log_odds = np.zeros(len(won))
    for k in range(_FOLDS):
        held, rest = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        if 0 < won[rest].sum() < len(rest):
            found = learn(designs, won.astype(float), rest)
            log_odds[held] = found.fitted.coef[0] + stack(found.chosen, len(held), held) @ found.fitted.coef[1:]
    return separation(won, log_odds)


def _folds(accounts: pd.DataFrame, won: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal whole account families into folds, those with a won account first so that each fold has its share."""
    own = accounts.index.to_series().astype("str")
    family = accounts["parent_id"].fillna(own) if "parent_id" in accounts else own
    codes, names = pd.factorize(family)
    has_won = np.bincount(codes, weights=won, minlength=len(names)) > 0
    shuffled = rng.permutation(len(names))
    order = shuffled[np.argsort(~has_won[shuffled], kind="stable")]
    fold = np.empty(len(names), dtype=np.intp)
    fold[order] = np.arange(len(names)) % _FOLDS
    return fold[codes]
