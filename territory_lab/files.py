"""Files written whole or not at all, by one program at a time, and cells that a spreadsheet does not run."""

import errno
import glob
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from filelock import FileLock, Timeout

_RUN_BY_SPREADSHEETS = r"^([=+\-@\t\r])"
_LOCK = ".lock"


@contextmanager
def alone(folder: Path, patience_s: float = 60.0) -> Iterator[None]:
    """
    Keep other programs from writing in a folder meanwhile; the lock ends with the process that holds it.

    Parameters
    ----------
    folder : Path
        Made where it is not there. What is done inside must not ask for the same folder again.
    patience_s : float
        How long to wait for another program, in seconds.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    TimeoutError
        Where another program writes there for longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=patience_s)
    except Timeout:
        raise TimeoutError(errno.EBUSY, "another program is writing here", str(folder)) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """
    Give a folder to write in that takes the place of ``folder`` only when all went well.

    Parameters
    ----------
    folder : Path
        Replaced whole, or left as it was.

    Yields
    ------
    Path
        The folder to write in.
    """
    with alone(folder.parent):
        _clear_up(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as building:
            draft, old = Path(building) / "new", Path(building) / "old"
            draft.mkdir()
            yield draft
            if folder.exists():
                folder.rename(old)
            draft.rename(folder)


def _clear_up(folder: Path) -> None:
    """Put back what a killed process had moved aside, and take its drafts away."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-????????"):
        if (left / "old").is_dir() and not folder.exists():
            (left / "old").rename(folder)
        shutil.rmtree(left)


def write_whole(path: Path, text: str) -> Path:
    """
    Write a file beside its place and move it there, so that no reader ever sees half of it.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    text : str
        What it holds.

    Returns
    -------
    Path
        The file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        beside = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            beside.chmod(0o644)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    return path


def written(path: Path, save: Callable[[BinaryIO], object]) -> Path:
    """
    Write a file of bytes whole or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    save : callable
        Writes to the open file it is given.

    Returns
    -------
    Path
        The file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        draft = Path(folder) / path.name
        with draft.open("wb") as file:
            save(file)
        return draft.replace(path)


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    """
    Write a table for people: whole or not at all, and no cell that a spreadsheet would run.

    Parameters
    ----------
    path : Path
        The file; its folder is made.
    frame : DataFrame
        Its index is left out.

    Returns
    -------
    Path
        The file.
    """
    return write_whole(path, defused(frame).to_csv(index=False, lineterminator="\n"))


def defused(frame: pd.DataFrame) -> pd.DataFrame:
    """
    Put an apostrophe before texts that a spreadsheet would run as a formula.

    Parameters
    ----------
    frame : DataFrame
        Any table.

    Returns
    -------
    DataFrame
        The same with texts that begin with = + - @, a tab or a return made harmless; numbers stay numbers.
    """
    texts = frame.select_dtypes(["object", "string", "category"])
    return frame.assign(**texts.astype("object").replace(_RUN_BY_SPREADSHEETS, r"'\1", regex=True))
