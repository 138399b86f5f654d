"""Numbers and dates as people and programs write them, turned into plain ones; the column tells how to read them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable

import pandas as pd

SIGNS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "C$": "CAD", "A$": "AUD"}
_CURRENCY = r"[A-Z]{3}|[A-Z]{0,2}\$|[€£¥₹₩]"
_SIGN = "[-+\N{MINUS SIGN}]?"
_DIGITS = "[0-9][0-9.,'\N{RIGHT SINGLE QUOTATION MARK}]*"
_NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>{_SIGN})(?P<before>{_CURRENCY})?(?P<sign_2>{_SIGN})"
    rf"(?P<digits>{_DIGITS})(?P<power>[eE][-+]?\d+)?(?P<after>{_CURRENCY})?\)?"
)
_PLAIN = r"(?:-?[0-9]+(?:\.(?:[0-9]{1,2}|[0-9]{4,}))?)?"
_DATE = re.compile(
    r"(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})(?:[ T,]+[\d:. ]+(?:[AP]M)?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})(?P<sep>[./-]?)(?P<a>\d{1,2})(?P=sep)(?P<b>\d{1,2})")
_WORDS = ("%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y")
_CLEAR = 10  # times as many cells on one side decide those that could be read either way


def currency_of(text: str) -> str:
    """Say which currency an amount is written in."""
    found = _NUMBER.fullmatch(_tight(text))
    sign = (found["before"] or found["after"] or "") if found else ""
    return SIGNS.get(sign, sign)


def plain(cells: pd.Series) -> "pd.Series[bool]":
    """Say which cells are empty, or a number that can be read in one way only."""
    return cells.str.fullmatch(_PLAIN)


def numbers(cells: pd.Series, *, decimal_comma: bool = False, currency: str = "") -> tuple[pd.Series, str]:
    """Write numbers plainly: 1.234,50 € as 1234.50."""
    if plain(cells).all():
        return cells, ""
    once = pd.unique(cells)
    found = {cell: match for cell in once if (match := _NUMBER.fullmatch(_tight(cell)))}
    votes = Counter(_decimal(match["digits"]) for match in found.values())
    unclear = votes["?,"] + votes["?."]
    if votes[","] >= _CLEAR * votes["."] and votes[","]:
        settled = ","
    elif votes["."] >= _CLEAR * votes[","] and votes["."]:
        settled = "."
    else:
        settled = "" if votes[","] or votes["."] else "," if decimal_comma and votes["?,"] else "."

    def plainly(cell: str) -> str:
        match = found.get(cell)
        if match is None or (currency and currency_of(cell) not in ("", currency)):
            return cell
        own = _decimal(match["digits"])
        decimal = settled if own.startswith("?") else own or "."
        whole, _, part = match["digits"].partition(decimal or "x")
        odd_group = re.search(r"[^\d](?!\d{2,3}(\D|$))", whole)  # of a length that no thousands separator leaves
        if not decimal or odd_group or not re.fullmatch(r"\d*", part):
            return cell
        minus = match["open"] or (match["sign"] + match["sign_2"]).strip("+")
        digits = re.sub(r"\D", "", whole) + ("." + part if part else "") + (match["power"] or "")
        return f"-{digits}" if minus else digits

    assumed = votes["?,"] and settled and not votes[","] and not votes["."]
    said = f"{unclear} number(s) such as 1,234 read with a {'decimal comma' if settled == ',' else 'thousands comma'}"
    return _mapped(cells, once, plainly), said if assumed else ""


def date_order(cells: pd.Series) -> str:
    """Say in which order a column writes day and month."""
    slashed = [match for cell in pd.unique(cells) if (match := _DATE.fullmatch(cell)) and match["sep"] != "."]
    return _order(slashed)


def dates(cells: pd.Series, order: str = "") -> pd.Series:
    """Write dates as YYYY-MM-DD; ISO dates with a time and zone are left to the schema."""
    if cells.str.fullmatch(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?)?").all():
        return cells
    once = pd.unique(cells)
    found = {cell: match for cell in once if (match := _DATE.fullmatch(cell))}

    def iso(cell: str) -> str:
        if match := found.get(cell):
            a, b = int(match["a"]), int(match["b"])
            own = "dmy" if match["sep"] == "." or a > 12 else "mdy" if b > 12 else "dmy" if a == b else order
            day, month = (a, b) if own == "dmy" else (b, a)
            year = int(match["year"]) + (0 if len(match["year"]) == 4 else 2000 if match["year"] < "69" else 1900)
            return f"{year:04}-{month:02}-{day:02}" if own in ("dmy", "mdy") else cell
        if match := _ISO.fullmatch(cell):
            return f"{match['year']}-{int(match['a']):02}-{int(match['b']):02}"
        if re.fullmatch(r"1\d{12}", cell):  # milliseconds since 1970, as HubSpot's interface gives them
            return f"{pd.Timestamp(int(cell), unit='ms'):%Y-%m-%d}"
        worded = (
            pd.to_datetime(cell, format=form, errors="coerce") for form in _WORDS if re.search("[A-Za-z]{3}", cell)
        )
        return next((f"{date:%Y-%m-%d}" for date in worded if not pd.isna(date)), cell)

    return _mapped(cells, once, iso)


def _mapped(cells: pd.Series, once: Iterable[str], read: Callable[[str], str]) -> pd.Series:
    """Read each distinct cell once."""
    return cells.map({cell: read(cell) for cell in once}).astype("str")


def _tight(cell: str) -> str:
    """Take out the spaces that stand between digits and round signs."""
    return re.sub(r"(?<=[^A-Za-z])\s+|\s+(?=[^A-Za-z])", "", cell)


def _decimal(digits: str) -> str:
    """Say which sign stands before the decimals: a comma, a point, ?, or ?. where it cannot be told, empty for none."""
    signs = re.sub(r"[^.,]", "", digits)
    if not signs:
        return ""
    if len(set(signs)) == 2:
        return signs[-1]
    if len(signs) > 1:
        return "." if signs[0] == "," else ","
    tail = re.split(r"[.,]", digits)[1]
    head = re.split(r"[.,]", digits)[0]
    thousands_like = len(tail) == 3 and not head.startswith("0") and len(head) <= 3
    return f"?{signs}" if thousands_like else signs


def _order(found: list[re.Match[str]]) -> str:
    """Let the cells whose first or second number is no month decide."""
    votes = {"dmy" if int(m["a"]) > 12 else "mdy" for m in found if (int(m["a"]) > 12) != (int(m["b"]) > 12)}
    return "mixed" if len(votes) == 2 else next(iter(votes), "open" if found else "")
