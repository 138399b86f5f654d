"""What a step of the journey leaves in the workspace: frames, facts, and what was switched off."""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import pandas as pd

from territory_lab.errors import MissingTable
from territory_lab.workspace import Workspace, digest, write_frames


@dataclass(frozen=True)
class Result:
    """
    One step's outcome, as it stands in the workspace.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables by name.
    facts : mapping of str to anything JSON holds
        Single figures by name.
    off : mapping of str to str
        What this workspace cannot say, by the name the frame would have, and why.
    """

    frames: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a frame, or say why there is none."""
        if name in self.off:
            raise MissingTable(self.off[name])
        return self.frames[name]

    def __contains__(self, name: str) -> bool:
        """Whether there is such a frame."""
        return name in self.frames


How = ParamSpec("How")
Step = Callable[Concatenate[Workspace, How], Result]


def kept(compute: Step[How]) -> Step[How]:
    """
    Keep a step's result in the workspace and compute it only when data, settings or program have changed.

    Parameters
    ----------
    compute : callable
        From a workspace to a result; its name is the step's. Further arguments say how, and change nothing of it.

    Returns
    -------
    callable
        The same, remembered. A damaged or outdated result is computed anew.
    """
    step = compute.__name__

    @functools.wraps(compute)
    def remembered(space: Workspace, /, *args: How.args, **how: How.kwargs) -> Result:
        """Read the result where it is fresh, else compute and save it."""
        folder = space.result(step)
        now = stamp(space)
        saved = _read(folder, now)
        if saved is None:
            fresh = compute(space, *args, **how)
            told = {"stamp": now, "facts": dict(fresh.facts), "off": dict(fresh.off), "frames": sorted(fresh.frames)}
            write_frames(folder, fresh.frames, told)
            saved = _read(folder, now)
        if saved is None:
            raise OSError(f"{folder} was written and could not be read again")
        return saved

    return remembered


def standing(space: Workspace, step: str) -> str:
    """
    Say where a step stands.

    Parameters
    ----------
    space : Workspace
        As it is now.
    step : str
        Name of the step.

    Returns
    -------
    str
        ``done``, ``done on older data or settings: run it again``, or ``not run yet``.
    """
    if not (space.result(step) / "facts.json").is_file():
        return "not run yet"
    return "done" if _read(space.result(step), stamp(space)) else "done on older data or settings: run it again"


def stamp(space: Workspace) -> str:
    """
    Name what a result rests on: the data, the settings and the program.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    return hashlib.sha256(f"{space.data_hash} {version('territory-lab')}".encode()).hexdigest()


def _read(folder: Path, now: str) -> Result | None:
    """Read a saved result whole, or nothing."""
    try:
        told = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        if told["stamp"] != now:
            return None
        if any(digest(folder / f"{name}.parquet") != told["sha256"][name] for name in told["frames"]):
            return None
        frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in told["frames"]}
        return Result(frames, told["facts"], told["off"])
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: either way it is computed anew
        return None
