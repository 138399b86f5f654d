"""Numbers in sentences: each carries the place in the numbers where it stands, and is written in one way."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup

from territory_lab.charts.speech import say, says
from territory_lab.charts.words import MISSING, band, count, in_currency, number, percent
from territory_lab.reporting.numbers import Numbers


class KeyNumber(NamedTuple):
    """
    One figure of the first page.

    Parameters
    ----------
    label : Markup
        What it is.
    value : Markup
        The figure with its unit, and its band where there is one.
    note : Markup
        What it is held against.
    """

    label: Markup
    value: Markup
    note: Markup

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.label}: {self.value}{self.note and f' - {self.note}'}"

    def plain(self) -> "KeyNumber":
        """
        Give it without traces.

        Returns
        -------
        KeyNumber
            Plain text in each part.
        """
        return KeyNumber(*(Markup(part.striptags()) for part in self))  # noqa: S704 - text without tags


class Teller:
    """
    Write the numbers of a report.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self.forms: dict[str, Callable[[float], str]] = {
            "count": count,
            "money": in_currency(numbers["meta"]["currency"]),
            "number": number,
            "heads": partial(number, digits=2),
            "percent": percent,
            "size": lambda share: percent(abs(share)),
            "signed": partial(percent, signed=True),
        }

    def find(self, key: str) -> Any:  # noqa: ANN401 - JSON is any of its types
        """
        Look a number up.

        Parameters
        ----------
        key : str
            Names and row numbers joined by dots.

        Returns
        -------
        object
            None where there is none.
        """
        at: Any = self.numbers
        for part in key.split("."):
            try:
                at = at[int(part)] if isinstance(at, list) else at[part]
            except (KeyError, IndexError, TypeError):
                return None
        return at

    def row(self, table: str, value: object) -> str:
        """
        Find a record by its first entry.

        Parameters
        ----------
        table : str
            Key of a list of records.
        value : object
            Of the first entry.

        Returns
        -------
        str
            Its key; empty where there is none.
        """
        records = self.find(table) or []
        return next((f"{table}.{i}" for i, row in enumerate(records) if next(iter(row.values())) == value), "")

    def show(self, key: str, form: str) -> Markup:
        """
        Write one number.

        Parameters
        ----------
        key : str
            Where it stands.
        form : str
            count, money, number, heads, percent, size (percent without sign) or signed.

        Returns
        -------
        Markup
            Traced by ``data-key`` and ``data-form``.
        """
        value = self.find(key)
        text = MISSING if value is None else self.forms[form](float(value))
        return Markup("<span data-key='{}' data-form='{}'>{}</span>").format(key, form, text)

    def band(self, key: str, form: str, ends: tuple[str, str, str] = ("value", "low", "high")) -> Markup:
        """
        Write a number with its interval.

        Parameters
        ----------
        key : str
            Of a record with its value and the ends of its interval.
        form : str
            As in :meth:`show`.
        ends : tuple of str
            What the three are called.

        Returns
        -------
        Markup
            Traced as one number.
        """
        record = self.find(key)
        value, low, high = (math.nan if record[end] is None else float(record[end]) for end in ends)
        text = band(value, low, high, self.forms[form])
        return Markup("<span data-key='{}' data-form='{}' data-band='{}'>{}</span>").format(
            key, form, " ".join(ends), text
        )

    def counted(self, key: str, one: str, many: str) -> Markup:
        """
        Write a count with its noun.

        Parameters
        ----------
        key : str
            Where the count stands.
        one, many : str
            The English texts, with ``{n}``.

        Returns
        -------
        Markup
            In the language spoken.
        """
        n = int(self.find(key) or 0)
        return Markup(says(one, many, n)).format(n=self.show(key, "count"))  # noqa: S704 - our own texts


def told(text: str, **parts: object) -> Markup:
    """
    Fill a translated text; what is no markup is escaped.

    Parameters
    ----------
    text : str
        As translated.
    **parts : object
        By name.

    Returns
    -------
    Markup
        The sentence.
    """
    return Markup(text).format(**parts)  # noqa: S704 - our own texts


def territories(tell: Teller, key: str = "key.territories") -> Markup:
    """
    Write how many territories there are.

    Parameters
    ----------
    tell : Teller
        Of the report.
    key : str
        Where the count stands.

    Returns
    -------
    Markup
        Such as ``30 territories``.
    """
    return tell.counted(key, "{n} territory", "{n} territories")


def decision(numbers: Numbers) -> Markup:
    """
    Say what is to be decided, in a sentence or two.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.

    Returns
    -------
    Markup
        The answer the report starts with.
    """
    return Markup(" ").join(_decision(Teller(numbers)))


def _decision(tell: Teller) -> Iterator[Markup]:
    """Say it sentence by sentence."""
    key, facts = tell.numbers.get("key", {}), tell.find("territories.facts") or {}
    if "territories" not in key:
        yield Markup(say("No territories are proposed: the tables do not allow it."))  # noqa: S704 - our own text
        return
    heaviest = {"before": tell.show("key.heaviest_today", "size"), "after": tell.show("key.heaviest", "size")}
    if facts.get("moved_workload_h") == 0:
        yield told(
            say("Keep today's alignment of {territories}: the plan moves nothing."), territories=territories(tell)
        )
    elif "heaviest_today" not in key:
        yield told(say("Adopt the proposed alignment of {territories}."), territories=territories(tell))
    elif key["heaviest"] >= 0:
        text = say(
            "Adopt the proposed alignment of {territories}: the heaviest workload goes from {before} above its share "
            "to {after} above."
        )
        yield told(text, territories=territories(tell), **heaviest)
    else:
        text = say(
            "Adopt the proposed alignment of {territories}: the heaviest workload goes from {before} above its share "
            "to {after} below."
        )
        yield told(text, territories=territories(tell), **heaviest)
    if "gap" in facts:
        yield near_best(tell)
    if facts.get("violations"):
        broken = tell.counted("territories.facts.violations", "{n} limit is not kept.", "{n} limits are not kept.")
        yield broken


def near_best(tell: Teller) -> Markup:
    """
    Say how near the plan is to the best there can be.

    Parameters
    ----------
    tell : Teller
        Of the report.

    Returns
    -------
    Markup
        A sentence.
    """
    gap, scope = tell.find("territories.facts.gap"), say(str(tell.find("territories.facts.bound_scope") or ""))
    if gap is None:
        return told(say("Its travel is not proven to be near the best possible."))
    if gap < 1e-6:
        return told(say("Its travel is the best possible for {scope}."), scope=scope)
    shown = tell.show("territories.facts.gap", "percent")
    return told(say("Its travel is within {gap} of the best possible for {scope}."), gap=shown, scope=scope)


def key_numbers(numbers: Numbers) -> list[KeyNumber]:
    """
    Choose the figures that matter most, at most five.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.

    Returns
    -------
    list of KeyNumber
        Those the numbers can tell, the most important first.
    """
    return list(_key_numbers(Teller(numbers)))


def _key_numbers(tell: Teller) -> Iterator[KeyNumber]:
    """Tell gain, fairness, disruption, market and heads, each where it is known."""
    key, facts = tell.numbers.get("key", {}), tell.find("territories.facts") or {}
    if "gain" in key:
        yearly = told(say("{money} a year, estimated"), money=tell.band("key.gain", "money"))
        yield KeyNumber(told(say("Expected gain in sales")), tell.band("key.gain_share", "percent"), yearly)
    if "tolerance_share" in facts and "territories" in key:
        limit = tell.show("territories.facts.tolerance_share", "percent")
        label = told(say("Territories more than {limit} off their share"), limit=limit)
        value = told(
            say("{some} of {all}"), some=tell.show("key.outside", "count"), all=tell.show("key.territories", "count")
        )
        note = told(say("allowed: ±{limit}"), limit=limit)
        if "outside_today" in key:
            some, everyone = tell.show("key.outside_today", "count"), tell.show("key.territories_today", "count")
            note = told(say("today {some} of {all}"), some=some, all=everyone)
        yield KeyNumber(label, value, note)
    if "moved_workload_h" in facts:
        note = Markup()
        if "at_risk" in key:
            risk = tell.band("key.at_risk", "money", ("usual", "low", "high"))
            note = told(say("{money} of margin a year at risk, estimated"), money=risk)
        moved = tell.show("territories.facts.moved_workload_h", "percent")
        yield KeyNumber(told(say("Workload that changes hands")), moved, note)
    whole, reach = (tell.row("tam.totals", step) for step in ("TAM", "SOM"))
    if whole and reach:
        note = told(say("of {money}, estimated"), money=tell.show(f"{whole}.value", "money"))
        yield KeyNumber(told(say("Market within reach, a year")), tell.band(reach, "money"), note)
    need = tell.row("resources.headcount", "all")
    if need:
        note = told(say("today {n}"), n=tell.show("resources.facts.reps_today", "count"))
        heads = tell.band(need, "heads", ("reps", "low", "high"))
        yield KeyNumber(told(say("Reps the workload asks for")), heads, note)
