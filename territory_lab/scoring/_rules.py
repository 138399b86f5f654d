"""The rule card: what each level or size of a trait adds to the log-odds of winning, as plain values."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from territory_lab.errors import BadInput, Fault

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Levels:
    """What each level of a trait told in words adds to the average account (log-odds, or stated points)."""

    weights: Mapping[str, float]

    def of(self, values: pd.Series) -> Floats:
        """Look up each account's level; a missing one adds nothing, an unseen one neither, with a warning."""
        levels = as_levels(values)
        unseen = sorted(set(levels.dropna().unique()) - set(self.weights))
        if unseen:
            warnings.warn(f"{values.name}: no weight for {', '.join(unseen)}; counted as missing", stacklevel=2)
        return np.asarray(levels.map(self.weights).fillna(0.0), np.float64)

    def plain(self) -> dict[str, Any]:
        """Return what TOML can hold."""
        return dict(self.weights)

    def lines(self) -> list[tuple[str, float]]:
        """List level and weight."""
        return list(self.weights.items())

    def scaled(self, factor: float) -> Self:
        """Stretch all weights alike."""
        return type(self)({level: factor * weight for level, weight in self.weights.items()})


@dataclass(frozen=True)
class Curve:
    """
    What a number adds: straight lines between stated points, level beyond the ends.

    ``log`` draws the lines over the logarithm of the value, for sizes, which spread over powers of ten.
    """

    at: tuple[float, ...]
    weight: tuple[float, ...]
    log: bool = True

    def of(self, values: pd.Series) -> Floats:
        """Read off each account's value; a missing one adds nothing."""
        x = values.to_numpy("float64", na_value=np.nan).clip(self.at[0], self.at[-1])
        at = np.asarray(self.at)
        weight = np.interp(np.log(x), np.log(at), self.weight) if self.log else np.interp(x, at, self.weight)
        return np.where(np.isnan(x), 0.0, weight)

    def plain(self) -> dict[str, Any]:
        """Return what TOML can hold."""
        return {"at": list(self.at), "weight": list(self.weight), "log": self.log}

    def lines(self) -> list[tuple[str, float]]:
        """List the points."""
        return [(f"at {at:,.6g}", weight) for at, weight in zip(self.at, self.weight, strict=True)]

    def scaled(self, factor: float) -> Self:
        """Stretch all weights alike."""
        return type(self)(self.at, tuple(factor * weight for weight in self.weight), self.log)


Rule = Levels | Curve


def as_levels(values: pd.Series) -> pd.Series:
    """Read text, categories or truth values (yes and no) as levels."""
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "yes", False: "no"}).astype("str")
    return values.astype("str")


def read_rules(card: Mapping[str, Any]) -> tuple[float | None, dict[str, Rule]]:
    """Read the intercept, where there is one, and the rule of each trait; name every trait that cannot be read."""
    faults: list[Fault] = []
    rules: dict[str, Rule] = {}
    for trait, entry in card.items():
        if trait == "intercept":
            continue
        try:
            rules[trait] = _read_rule(entry)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            mend = "give {level: weight}, or at = [...] rising and weight = [...] of the same length"
            faults.append(Fault("rules", trait, "", f"cannot be read ({error})", mend))
    intercept = card.get("intercept")
    if intercept is not None and not (isinstance(intercept, int | float) and abs(intercept) < np.inf):
        faults.append(Fault("rules", "intercept", "", f"{intercept} is not a number", "give the average log-odds"))
    if faults:
        raise BadInput(faults)
    return (None if intercept is None else float(intercept)), rules


def _read_rule(entry: Mapping[str, Any]) -> Rule:
    """Tell a curve from levels by its points."""
    if not isinstance(entry.get("at"), list | tuple):
        levels = {str(level): float(weight) for level, weight in entry.items()}
        if not np.isfinite(list(levels.values())).all():
            raise ValueError("a weight is not finite")
        return Levels(levels)
    at, weight = tuple(map(float, entry["at"])), tuple(map(float, entry["weight"]))
    log = bool(entry.get("log", min(at) > 0))
    if len(at) != len(weight) or not at:
        raise ValueError("at and weight differ in length")
    if not np.isfinite([*at, *weight]).all() or any(np.diff(at) <= 0) or (log and at[0] <= 0):
        raise ValueError("the points must be finite, rising and, on a log scale, above 0")
    return Curve(at, weight, log)
