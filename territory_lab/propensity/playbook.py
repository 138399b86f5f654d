"""How to act on a score: who, through which channel, with what message and when, from a file that anybody can edit."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any, Self

import numpy as np
import pandas as pd

from territory_lab.errors import BadInput, Fault

SHIPPED = Path(__file__).with_name("playbook.toml")
TELLS = ["play", "who", "channel", "angle", "timing"]
_TEXTS = ("name", "who", "channel", "angle", "timing")
_FORM = r"[+,]{0,2}(\.\d)?[a-zA-Z%]?"  # of a number; a width could ask for all the memory there is
_KINDS = ("upsell", "cross_sell")


@dataclass(frozen=True)
class Play:
    """
    One way to act, and when it is the one.

    Parameters
    ----------
    name, who, channel, angle, timing : str
        What to do; ``{product}`` in the angle stands for the product's name.
    kind : str
        upsell or cross_sell; empty: either.
    at_least, at_most : mapping of str to float
        Limits by column; a missing value keeps none.
    """

    name: str
    who: str
    channel: str
    angle: str
    timing: str
    kind: str = ""
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)

    def fits(self, rows: pd.DataFrame) -> np.ndarray:
        """
        Tell the rows it may be played on.

        Parameters
        ----------
        rows : DataFrame
            kind, and the columns of the model.

        Returns
        -------
        array of bool
            One per row.
        """
        held = np.full(len(rows), True) if not self.kind else (rows["kind"] == self.kind).to_numpy()
        for limits, sign in ((self.at_least, 1), (self.at_most, -1)):
            for column, limit in limits.items():
                values = rows[column] if column in rows else pd.Series(np.nan, rows.index)
                held = held & (sign * values.astype(float) >= sign * limit).to_numpy()
        return np.asarray(held)


@dataclass(frozen=True)
class Playbook:
    """
    Plays in order, and how columns read as reasons.

    Parameters
    ----------
    plays : tuple of Play
        The first that fits is played; the last fits every row.
    reasons : mapping of str to str
        Sentence by column, with ``{value}``.
    """

    plays: tuple[Play, ...]
    reasons: Mapping[str, str]

    @classmethod
    def read(cls, file: Path = SHIPPED) -> Self:
        """
        Read a playbook.

        Parameters
        ----------
        file : Path
            TOML as the shipped one, to be copied and edited.

        Returns
        -------
        Playbook
            Checked.

        Raises
        ------
        BadInput
            With every unknown key, missing text and sentence that cannot be filled in.
        """
        try:
            stated = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput([Fault(file.name, "", "", str(error), "correct the TOML")]) from error
        faults = [
            Fault(file.name, key, "", "unknown key", "one of play, reasons")
            for key in stated
            if key not in ("play", "reasons")
        ]
        plays, sentences = stated.get("play", []), stated.get("reasons", {})
        if not (isinstance(sentences, dict) and isinstance(plays, list) and all(map(_is_play, plays))):
            mend = "write plays as [[play]], limits as numbers under [play.when.at_least], sentences under [reasons]"
            raise BadInput([*faults, Fault(file.name, "play, reasons", "", "are not tables", mend)])
        for number, play in enumerate(plays, 1):
            faults += _play_faults(file.name, str(play.get("name", number)), play)
        faults += [
            Fault(file.name, f"reasons.{column}", "", problem, "text with {value} or {value:.0f}")
            for column, text in sentences.items()
            if (problem := _unfilled(text, {"value"}))
        ]
        if not plays or plays[-1].get("when"):
            faults.append(
                Fault(file.name, "play", "", "some rows would get no play", "end with one without conditions")
            )
        if faults:
            raise BadInput(faults)
        parts = [{key: value for key, value in play.items() if key != "when"} | play.get("when", {}) for play in plays]
        return cls(tuple(Play(**part) for part in parts), sentences)

    def choose(self, rows: pd.DataFrame) -> pd.DataFrame:
        """
        Choose the play of each row.

        Parameters
        ----------
        rows : DataFrame
            kind, product (a name; may be missing), and the columns of the model.

        Returns
        -------
        DataFrame
            play, who, channel, angle, timing; index of ``rows``.
        """
        number = np.argmax([play.fits(rows) for play in self.plays], axis=0)
        products = rows["product"].fillna("") if "product" in rows else pd.Series("", rows.index)
        chosen = [self.plays[i] for i in number]
        told = [
            (play.name, play.who, play.channel, play.angle.format(product=product), play.timing)
            for play, product in zip(chosen, products, strict=True)
        ]
        return pd.DataFrame(told, index=rows.index, columns=TELLS)

    def sentence(self, column: str, value: object, effect: float) -> str:
        """
        Say what a column has to do with a score.

        Parameters
        ----------
        column : str
            Its name.
        value : object
            Its value; missing is said so.
        effect : float
            What it adds to the log-odds.

        Returns
        -------
        str
            The column's sentence, and how much it moves the odds.
        """
        text = self.reasons.get(column, column.replace("_", " ") + " is {value}")
        if pd.isna(value):  # type: ignore[call-overload]  # any scalar
            text = column.removesuffix("_d").replace("_", " ") + " is not known"
        try:
            text = text.format(value=value)
        except ValueError:  # a number's format for a text: it is said as it is
            text = f"{column} is {value}"
        change = np.expm1(effect)
        if change >= 1:
            return f"{text}: odds {change + 1:.1f} times as high"
        return f"{text}: odds {'up' if change >= 0 else 'down'} by {abs(change):.0%}"


def _is_play(play: object) -> bool:
    """Whether it is a table of tables."""
    when = play.get("when", {}) if isinstance(play, dict) else None
    return isinstance(when, dict) and all(isinstance(when.get(side, {}), dict) for side in ("at_least", "at_most"))


def _play_faults(file: str, name: str, play: Mapping[str, Any]) -> list[Fault]:
    """Find what is wrong with one play."""
    when = play.get("when", {})
    known = {"play": (*_TEXTS, "when"), "when": ("kind", "at_least", "at_most")}
    faults = [
        Fault(file, f"{place}.{key}", name, "unknown key", "one of " + ", ".join(known[place]))
        for place, table in (("play", play), ("when", when))
        for key in table
        if key not in known[place]
    ]
    faults += [
        Fault(file, f"play.{key}", name, "is missing or not text", "say it")
        for key in _TEXTS
        if not isinstance(play.get(key), str)
    ]
    if when.get("kind", _KINDS[0]) not in _KINDS:
        faults.append(Fault(file, "when.kind", name, f"{when['kind']!r} is not known", "one of " + ", ".join(_KINDS)))
    faults += [
        Fault(file, f"when.{side}.{column}", name, f"{limit!r} is not a number", "give a number")
        for side in ("at_least", "at_most")
        for column, limit in when.get(side, {}).items()
        if isinstance(limit, bool) or not isinstance(limit, int | float)
    ]
    if problem := _unfilled(play.get("angle", ""), {"product"}):
        faults.append(Fault(file, "play.angle", name, problem, "only {product} can be filled in"))
    return faults


def _unfilled(text: object, known: set[str]) -> str:
    """Say what of a text cannot be filled in; nothing where all can."""
    if not isinstance(text, str):
        return f"{text!r} is not text"
    try:
        parts = [(name, form or "") for _, name, form, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        return str(error)
    if wide := [form for _, form in parts if not re.fullmatch(_FORM, form)]:
        return f"{wide[0]!r} is no format"
    unknown = {name for name, _ in parts} - known
    return f"{', '.join(sorted(unknown))!r} is not known" if unknown else ""
