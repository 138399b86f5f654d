"""What looks wrong in accounts beyond one column: impossible places, shortened postcodes, loops, twins, odd names."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process, utils

from territory_lab.errors import Fault

Bounds = tuple[float, float, float, float]

NEAR = 90  # token-sort similarity (0-100) at which two names at one postcode look like the same firm
_TOLD = 10  # members of a loop that its fault names
_WINDOW = 200  # at a place of more than twice as many, names this far apart in the alphabet are not compared
_LEGAL_FORM = r"\b(inc|incorporated|llc|ltd|limited|corp|corporation|co|company|gmbh|plc)\b"


def faults(accounts: pd.DataFrame, bounds: Bounds | None = None) -> list[Fault]:
    """
    List what no step can work with.

    Parameters
    ----------
    accounts : DataFrame
        Typed accounts, as ``schema.inspect`` makes them.
    bounds : (west, south, east, north) or None
        Degrees outside which no account can lie; None: the whole world.

    Returns
    -------
    list of Fault
        Impossible coordinates, postcodes without their leading zeros, parents that lead back to themselves.
    """
    accounts = accounts.set_axis(row_names(accounts, "account_id"))
    return _place_faults(accounts, bounds) + _postcode_faults(accounts) + loops(accounts)


def doubts(accounts: pd.DataFrame) -> list[Fault]:
    """
    List what a person should look at, though nothing stops for it.

    Parameters
    ----------
    accounts : DataFrame
        Typed accounts.

    Returns
    -------
    list of Fault
        Accounts that look like the same firm twice, and names that carry a formula or markup.
    """
    if "name" not in accounts:
        return []
    accounts = accounts.set_axis(row_names(accounts, "account_id"))
    return _name_doubts(accounts) + _twin_doubts(accounts)


def row_names(frame: pd.DataFrame, key: str | None) -> pd.Index:
    """
    Name every row by its key where it has one, else by its place under the header.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    key : str or None
        The key column.

    Returns
    -------
    Index
        One name a row.
    """
    if key in frame and not frame[key].hasnans:
        named: pd.Index = pd.Index(frame[key])
        return named
    numbered = pd.Series([f"row {i + 1}" for i in range(len(frame))], index=frame.index, dtype="str")
    return pd.Index(frame[key].fillna(numbered) if key in frame else numbered)


def _place_faults(accounts: pd.DataFrame, bounds: Bounds | None) -> list[Fault]:
    """Find coordinates that cannot be where an account is."""
    if not {"lon", "lat"} <= set(accounts):
        return []
    lon, lat = accounts["lon"], accounts["lat"]
    west, south, east, north = bounds or (-180.0, -90.0, 180.0, 90.0)
    on_earth = lon.between(-180, 180) & lat.between(-90, 90)  # the rest is out of its column's range already
    off_map = ((lon == 0) & (lat == 0)) | ~(lon.between(west, east) & lat.between(south, north))
    mend = "correct it, or empty both to place the account by its postcode"
    return [
        Fault("accounts", "lat", str(row), f"({x:g}, {y:g}) lies outside the map", mend)
        for row, x, y in accounts.loc[on_earth & off_map, ["lon", "lat"]].itertuples()
    ]


def _postcode_faults(accounts: pd.DataFrame) -> list[Fault]:
    """Find American postcodes that a spreadsheet has shortened."""
    if "postcode" not in accounts:
        return []
    american = accounts["country"].isin(["US", "USA", "United States"]) if "country" in accounts else True
    short = american & accounts["postcode"].str.fullmatch(r"\d{3,4}")
    problem, mend = "{!r} has lost its leading zeros", "write {!r}; keep the column as text"
    return [
        Fault("accounts", "postcode", str(row), problem.format(code), mend.format(code.zfill(5)))
        for row, code in accounts.loc[short, "postcode"].items()
    ]


def loops(accounts: pd.DataFrame) -> list[Fault]:
    """
    Find accounts that are their own parent, at whatever remove.

    Parameters
    ----------
    accounts : DataFrame
        Typed, with account_id and parent_id where there.

    Returns
    -------
    list of Fault
        One for each account of a loop.
    """
    if not {"account_id", "parent_id"} <= set(accounts):
        return []
    linked = accounts.dropna(subset=["account_id", "parent_id"])
    parent = dict(zip(linked["account_id"], linked["parent_id"], strict=True))
    mend = "empty the parent of the one that stands on top"
    found: list[Fault] = []
    settled: set[str] = set()
    for start in parent:
        path: list[str] = []
        at: str | None = start
        while at is not None and at not in settled:
            settled.add(at)
            path.append(at)
            at = parent.get(at)
        if at in path:
            loop = path[path.index(at) :]
            first = loop.index(min(loop))  # told the same way round whichever row came first
            loop = loop[first:] + loop[:first]
            problem = "its parents lead back to itself: " + " -> ".join(
                [*loop[:_TOLD], *(["..."] if len(loop) > _TOLD else []), loop[0]]
            )
            found += [Fault("accounts", "parent_id", account, problem, mend) for account in loop]
    return found


def _name_doubts(accounts: pd.DataFrame) -> list[Fault]:
    """Find names that a spreadsheet would run or a page would render."""
    kinds = {r"^[=+\-@\t]": "begins like a spreadsheet formula", r"<[a-zA-Z/!]": "carries markup"}
    mend = "correct it at the source; here it is only ever shown as text"
    return [
        Fault("accounts", "name", str(row), f"{name!r} {problem}", mend)
        for sign, problem in kinds.items()
        for row, name in accounts.loc[accounts["name"].str.contains(sign), "name"].items()
    ]


def _twin_doubts(accounts: pd.DataFrame) -> list[Fault]:
    """Name the second of each pair that looks like one firm."""
    return [
        Fault(
            "accounts",
            "name",
            str(pair.account_b),
            f"{pair.name_b!r} looks like {pair.name_a!r} ({pair.account_a}) at the same place",
            "keep one, or give both a parent",
        )
        for pair in twins(accounts.assign(account_id=accounts.index)).itertuples()
    ]


def twins(accounts: pd.DataFrame) -> pd.DataFrame:
    """
    List pairs of accounts at one place whose names are nearly the same; nothing is merged.

    Parameters
    ----------
    accounts : DataFrame
        Typed accounts; the place is the postcode, or the city and state where there is none.

    Returns
    -------
    DataFrame
        account_a, name_a, account_b, name_b, place, score (token-sort similarity, 0 to 100); the likeliest first.
    """
    columns = ["account_a", "name_a", "account_b", "name_b", "place", "score"]
    nowhere = pd.Series(np.nan, index=accounts.index, dtype="str")
    postcode, city, state = (accounts.get(column, nowhere).astype("str") for column in ("postcode", "city", "state"))
    place = (
        postcode.str.replace("-.*", "", regex=True).str.zfill(5).fillna(city.str.casefold() + " " + state.fillna(""))
    )
    named = accounts.assign(place=place).dropna(subset=["name", "place", "account_id"])
    named = named[named["place"].duplicated(keep=False)].sort_values("place", kind="stable")
    keys, names, where = (named[column].tolist() for column in ("account_id", "name", "place"))
    ends = [*np.flatnonzero(~named["place"].duplicated()), len(named)]
    found = [
        (keys[start + one], names[start + one], keys[start + other], names[start + other], where[start], score)
        for start, end in pairwise(ends)
        for one, other, score in _alike(names[start:end])
    ]
    return pd.DataFrame(found, columns=columns).sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _alike(names: list[str]) -> list[tuple[int, int, float]]:
    """Pairs of places whose names differ in order, case, signs, legal form or a letter only, and how alike they are."""
    plain = [re.sub(_LEGAL_FORM, "", utils.default_process(name)) for name in names]
    order = sorted(range(len(names)), key=lambda place: sorted(plain[place].split()))
    found = {}
    for start in range(0, max(1, len(names) - _WINDOW), _WINDOW):
        near = sorted(order[start : start + 2 * _WINDOW])
        some = [plain[place] for place in near]
        score = process.cdist(some, some, scorer=fuzz.token_sort_ratio, score_cutoff=NEAR)
        for one, other in np.argwhere(np.triu(score, k=1)):
            found[near[one], near[other]] = round(float(score[one, other]), 1)
    return [(one, other, score) for (one, other), score in sorted(found.items())]
