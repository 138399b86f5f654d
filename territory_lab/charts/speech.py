"""
The language that pages and pictures speak: a Babel locale, and a gettext catalogue for what is not English.

English is the text in the code. Another language is one file ``catalogues/<language>.po``; numbers, money and dates
follow the locale by themselves.
"""

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from territory_lab.errors import TerritoryLabError

CATALOGUES = Path(__file__).parent / "catalogues"
_SPOKEN: ContextVar[Locale | None] = ContextVar("spoken", default=None)


@contextmanager
def speaking(language: str) -> Iterator[Locale]:
    """
    Write texts, numbers, money and dates for a locale as long as the block runs.

    Parameters
    ----------
    language : str
        Such as ``en_US``, ``en-GB`` or ``ru``.

    Yields
    ------
    Locale
        As Babel knows it.

    Raises
    ------
    TerritoryLabError
        If there is no such locale or no catalogue for its language.
    """
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise TerritoryLabError(f"no language is called {language!r}; write en_US, ru and the like") from error
    if locale.language not in languages():
        raise TerritoryLabError(f"no texts in {language!r}; there are {', '.join(languages())}")
    token = _SPOKEN.set(locale)
    try:
        yield locale
    finally:
        _SPOKEN.reset(token)


def spoken() -> Locale:
    """
    Give the locale that is spoken now.

    Returns
    -------
    Locale
        American English outside of :func:`speaking`.
    """
    return _SPOKEN.get() or Locale("en", "US")


def languages() -> list[str]:
    """
    List the languages that texts are there in.

    Returns
    -------
    list of str
        ISO 639 codes.
    """
    return ["en", *sorted(file.stem for file in CATALOGUES.glob("*.po"))]


def say(text: str) -> str:
    """
    Translate a text.

    Parameters
    ----------
    text : str
        In English.

    Returns
    -------
    str
        In the language spoken now.
    """
    return translations(spoken().language).gettext(text) if text else ""


def says(one: str, many: str, n: int) -> str:
    """
    Translate a text that depends on a count.

    Parameters
    ----------
    one, many : str
        In English.
    n : int
        The count.

    Returns
    -------
    str
        In the language spoken now, in the form the count asks for.
    """
    return translations(spoken().language).ngettext(one, many, n)


def term(text: str) -> str:
    """
    Mark a text for the catalogues that is translated where it is shown.

    Parameters
    ----------
    text : str
        In English.

    Returns
    -------
    str
        The same.
    """
    return text


@lru_cache
def translations(language: str) -> gettext.NullTranslations:
    """
    Read a catalogue.

    Parameters
    ----------
    language : str
        ISO 639 code.

    Returns
    -------
    NullTranslations
        As gettext has them; English translates nothing.
    """
    if language == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
