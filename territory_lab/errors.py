"""The few errors of the package; each lists every fault it found, not the first only."""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """
    One thing wrong in the data, and how to mend it.

    Parameters
    ----------
    table : str
        The table it stands in, e.g. ``accounts``.
    column : str
        The column, or an empty string where the whole table is meant.
    row : str
        Where: the key of the row or its line in the file, or an empty string for all rows.
    problem : str
        What is wrong, with the value found.
    mend : str
        What to do about it.
    """

    table: str
    column: str
    row: str
    problem: str
    mend: str

    def __str__(self) -> str:
        """Say it in one line."""
        place = ".".join(part for part in (self.table, self.column) if part)
        row = f" [{self.row}]" if self.row else ""
        return f"{place}{row}: {self.problem} -> {self.mend}"


class TerritoryLabError(Exception):
    """Anything this package raises on purpose."""


class BadInput(TerritoryLabError, ValueError):  # noqa: N818 - the name says whose error it is
    """
    Data that cannot be used as it stands.

    Parameters
    ----------
    faults : iterable of Fault
        Every fault found, kept as ``self.faults``.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{len(self.faults)} fault(s) in the data:\n{lines}")


class MissingTable(TerritoryLabError):  # noqa: N818 - read as a noun, like KeyError's key
    """A step needs a table that the workspace does not have; the message names both."""
