"""Who reads a report: known before anything heavy is imported, so that the command line starts at once."""

from enum import StrEnum


class Audience(StrEnum):
    """Who reads a report."""

    BOARD = "board"
    MANAGER = "manager"
    REP = "rep"
    FULL = "full"
