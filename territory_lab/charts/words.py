"""How numbers are written, everywhere the same: three significant digits, a space before the unit, a true minus."""

import math
import re
from collections.abc import Callable
from functools import partial

from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol

from territory_lab.charts.speech import say, spoken

MISSING = "\u2013"
SPACE = "\u00a0"
MINUS = "\u2212"
# currency sign, figures, unit
_PARTS = re.compile(rf"([^\d+{MINUS}.]*)([\d+{MINUS}.,]+(?:{SPACE}\d{{3}}(?!\d)[.,\d]*)*)({SPACE}.*)?")
SCALES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def number(value: float, digits: int = 3) -> str:
    """
    Write a number with so many significant digits, thousands separated.

    Parameters
    ----------
    value : float
        Any number; not a number means missing.
    digits : int
        Significant digits.

    Returns
    -------
    str
        For instance ``12,300``, ``1.8`` or an en dash.
    """
    if not math.isfinite(value):
        return MISSING
    rounded = float(f"{value:.{digits}g}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    text = f"{rounded:,.{decimals}f}"
    return localised(text.rstrip("0").rstrip(".") if "." in text else text)


def localised(figures: str) -> str:
    """Give figures as Python writes them (``-1,234.5``) the separators of the locale and a true minus."""
    marks = {ord(","): get_group_symbol(spoken()), ord("."): get_decimal_symbol(spoken()), ord("-"): MINUS}
    return figures.translate(marks)


def count(value: float) -> str:
    """
    Write a count in full.

    Parameters
    ----------
    value : float
        A whole number.

    Returns
    -------
    str
        For instance ``3,108``.
    """
    return localised(f"{value:,.0f}") if math.isfinite(value) else MISSING


def symbol(currency: str) -> str:
    """
    Give the sign of a currency.

    Parameters
    ----------
    currency : str
        ISO 4217 code.

    Returns
    -------
    str
        The sign of the locale, or the code and a space where no sign is common.
    """
    sign: str = get_currency_symbol(currency, spoken())
    return f"{sign}{SPACE}" if sign.isalpha() else sign


def money(value: float, currency: str = "USD") -> str:
    """
    Write money short.

    Parameters
    ----------
    value : float
        Amount, in whole units of the currency.
    currency : str
        ISO 4217 code.

    Returns
    -------
    str
        For instance ``$1.2 M``.
    """
    if not math.isfinite(value):
        return MISSING
    size = float(f"{abs(value):.3g}")
    scale, letter = next(((s, SPACE + scale_word(name)) for s, name in SCALES if size >= s), (1.0, ""))
    amount, minus = f"{number(size / scale)}{letter}", MINUS if value < 0 else ""
    if sign_leads():
        return f"{minus}{symbol(currency)}{amount}"
    return f"{minus}{amount}{SPACE}{symbol(currency).strip()}"


def sign_leads() -> bool:
    """Tell whether the currency's sign stands before the amount in this locale."""
    return str(spoken().currency_formats["standard"].pattern).startswith("¤")


def scale_word(letter: str) -> str:
    """Write a thousand (``k``), a million (``M``) or a billion (``B``) as the language has it."""
    return {"k": say("k"), "M": say("M"), "B": say("B")}.get(letter, letter)


def percent(share: float, *, signed: bool = False) -> str:
    """
    Write a share as a percentage: whole from 10 % on, one decimal below.

    Parameters
    ----------
    share : float
        A share, 0.018 for 1.8 %.
    signed : bool
        Whether a gain carries its plus sign.

    Returns
    -------
    str
        For instance ``1.8 %`` or ``+12 %``.
    """
    if not math.isfinite(share):
        return MISSING
    points = 100 * share + 0.0  # no minus before nothing
    if 0 < abs(points) < 0.05:
        least = f"{localised('0.1')}{SPACE}%"
        return f"<{least}" if points > 0 else f">{MINUS}{least}"
    text = f"{points:,.0f}" if abs(points) >= 9.95 else f"{float(f'{points:.1f}'):g}"
    sign = "+" if signed and points > 0 and text != "0" else ""
    return f"{sign}{localised(text)}{SPACE}%"


def band(value: float, low: float, high: float, form: Callable[[float], str] = number) -> str:
    """
    Write a value with its interval.

    Parameters
    ----------
    value, low, high : float
        The value and the ends of its interval.
    form : callable
        How one number is written; the unit is said once where all three share it.

    Returns
    -------
    str
        For instance ``1.8 % (0.9 to 2.6)``.
    """
    texts = [form(value), form(low), form(high)]
    if MISSING in texts[1:]:
        return texts[0]
    parts = [_PARTS.fullmatch(text) for text in texts]
    if all(parts) and len({(part[1], part[3]) for part in parts if part}) == 1:
        texts[1:] = [part[2] for part in parts[1:] if part]
    ends = say("{low} to {high}").format(low=texts[1], high=texts[2])
    return f"{texts[0]} ({ends})"


def best_possible(gap: float | None, scope: str = "") -> str:
    """
    Say how near a plan is to the best there can be.

    Parameters
    ----------
    gap : float or None
        How far its travel is above the proven least, as a share of that; missing where nothing is proven.
    scope : str
        What the proof speaks of: ``these homes``, ``these centres`` or ``any centres``.

    Returns
    -------
    str
        For instance ``within 7 % of the best possible for these homes``.
    """
    reach = f" for {scope}" if scope else ""
    if gap is None or not math.isfinite(gap):
        return f"not proven to be near the best possible{reach}"
    return f"the best possible{reach}" if gap < 1e-6 else f"within {percent(gap)} of the best possible{reach}"


def plural(n: int, one: str) -> str:
    """
    Write a count with its noun.

    Parameters
    ----------
    n : int
        How many.
    one : str
        The noun for one.

    Returns
    -------
    str
        For instance ``1 territory`` or ``30 territories``.
    """
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{count(n)} {one if n == 1 else many}"


def in_currency(currency: str) -> Callable[[float], str]:
    """
    Fix the currency of :func:`money`.

    Parameters
    ----------
    currency : str
        ISO 4217 code.

    Returns
    -------
    callable
        From an amount to its text.
    """
    return partial(money, currency=currency)
