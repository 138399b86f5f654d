"""
Models on a shelf: ``<folder>/<kind>/<version>/``, and beside them ``champion.json``, which says whose scores count.

A version is named by the last day of its data and by what it rests on (``2026-06-30-a1b2c3d4``). Versions are never
changed; the pointer is replaced whole, so that whoever reads meets the old champion or the new one.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from territory_lab.errors import BadInput, Fault
from territory_lab.files import alone, write_whole

_KIND, _VERSION = re.compile(r"[a-z][a-z_]{0,39}"), re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}")
_POINTER = "champion.json"


def version_name(last_day: pd.Timestamp, stamp: str) -> str:
    """
    Name a version by its data, never by the clock.

    Parameters
    ----------
    last_day : Timestamp
        The last day with data.
    stamp : str
        Hash, in hexadecimal, of all that the model follows from.

    Returns
    -------
    str
        As ``2026-06-30-a1b2c3d4``: it sorts by time, and the same data gives the same name.
    """
    return f"{last_day:%Y-%m-%d}-{stamp[:8]}"


def shelves(folder: Path) -> list["Shelf"]:
    """
    List what kinds of models there are.

    Parameters
    ----------
    folder : Path
        Holds a shelf per kind; it need not be there.

    Returns
    -------
    list of Shelf
        In alphabetical order.
    """
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return [Shelf(folder, place.name) for place in there if place.is_dir() and _KIND.fullmatch(place.name)]


@dataclass(frozen=True)
class Shelf:
    """
    All versions of one kind of model.

    Parameters
    ----------
    root : Path
        Holds all shelves.
    kind : str
        What the models foretell; the name of a folder that need not be there yet.
    """

    root: Path
    kind: str

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind):
            raise BadInput([Fault("models", "kind", "", f"{self.kind!r}", "use small letters and _")])

    @property
    def folder(self) -> Path:
        """
        Say where the versions are.

        Returns
        -------
        Path
            It need not be there.
        """
        return self.root / self.kind

    @property
    def versions(self) -> list[str]:
        """
        Name the versions.

        Returns
        -------
        list of str
            Oldest data first.
        """
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(place.name for place in there if _VERSION.fullmatch(place.name))

    @property
    def champion(self) -> str | None:
        """
        Name the version whose scores count.

        Returns
        -------
        str or None
            None where there is none yet.
        """
        reigns = self._pointer()["reigns"]
        return reigns[-1] if reigns else None

    @property
    def withdrawn(self) -> list[str]:
        """
        Name the versions that were rolled back, which only a person promotes again.

        Returns
        -------
        list of str
            In the order they were withdrawn.
        """
        return self._pointer()["withdrawn"]

    def place(self, version: str) -> Path:
        """
        Say where a version is kept.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        Path
            Its folder, which need not be there.

        Raises
        ------
        BadInput
            Where that is no name of a version.
        """
        if not _VERSION.fullmatch(version):
            raise BadInput([Fault("models", self.kind, "", f"{version!r} is no version", self._known())])
        return self.folder / version

    def there(self, version: str) -> Path:
        """
        Say where a version is that must be there.

        Parameters
        ----------
        version : str
            Its name.

        Returns
        -------
        Path
            Its folder.

        Raises
        ------
        BadInput
            Where it is not there.
        """
        if not self.place(version).is_dir():
            raise BadInput([Fault("models", self.kind, "", f"{version!r} is not there", self._known())])
        return self.place(version)

    def promote(self, version: str) -> None:
        """
        Let a version's scores count.

        Parameters
        ----------
        version : str
            One that is on the shelf.
        """
        self.there(version)
        with alone(self.folder):
            pointer = self._pointer()
            if version != self.champion:
                withdrawn = [name for name in pointer["withdrawn"] if name != version]
                self._point({"reigns": [*pointer["reigns"], version], "withdrawn": withdrawn})

    def roll_back(self) -> str:
        """
        Withdraw the champion and return to the one before.

        Returns
        -------
        str
            The version whose scores count now.

        Raises
        ------
        BadInput
            Where there is none before.
        """
        with alone(self.folder):
            pointer = self._pointer()
            if len(pointer["reigns"]) < 2:
                problem = "there is no champion before this one"
                raise BadInput([Fault("models", self.kind, "", problem, "promote another version")])
            *before, last = pointer["reigns"]
            self._point({"reigns": before, "withdrawn": [*pointer["withdrawn"], last]})
            return before[-1]

    def _known(self) -> str:
        """Say what could be named."""
        return "one of: " + (", ".join(self.versions) or "none yet")

    def _point(self, pointer: dict[str, list[str]]) -> None:
        """Replace the pointer whole."""
        write_whole(self.folder / _POINTER, json.dumps(pointer, indent=1) + "\n")

    def _pointer(self) -> dict[str, list[str]]:
        """Read who served and who was withdrawn."""
        file = self.folder / _POINTER
        if not file.exists():
            return {"reigns": [], "withdrawn": []}
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            pointer = {part: [str(name) for name in told[part]] for part in ("reigns", "withdrawn")}
        except (ValueError, KeyError, TypeError) as error:
            problem, mend = f"cannot be read: {error}", "promote a version after taking the file away"
            raise BadInput([Fault("models", f"{self.kind}/{_POINTER}", "", problem, mend)]) from error
        lost = [name for name in pointer["reigns"][-1:] if not self.place(name).is_dir()]
        if lost:
            problem = f"names {lost[0]}, which is not there"
            raise BadInput([Fault("models", f"{self.kind}/{_POINTER}", "", problem, self._known())])
        return pointer
