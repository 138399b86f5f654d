"""What a room shows to others is described as numpydoc asks: parameters, returns, and what they are."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from enum import Enum
from types import ModuleType

import pytest
from numpydoc.validate import validate

import territory_lab

MATTER = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "PR10", "RT01", "RT03", "SS01", "SS02", "SS03", "YD01"}
"""A docstring; its summary in one sentence; parameters all there, in order, with type and text; returns or yields."""

ROOMS = sorted(room.name for room in pkgutil.iter_modules(territory_lab.__path__) if room.name != "cli")


def shown(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Name what others may use of a room: what its face lists, else what it defines."""
    listed = getattr(module, "__all__", None)
    for name in listed if listed is not None else dir(module):
        thing = getattr(module, name)
        if inspect.isclass(thing) and issubclass(thing, Enum):  # numpydoc takes the signature of Enum itself
            continue
        own = listed is not None or getattr(thing, "__module__", "") == module.__name__
        if not name.startswith("_") and own and (inspect.isclass(thing) or inspect.isfunction(thing)):
            yield f"{thing.__module__}.{thing.__qualname__}", thing


def described(name: str, thing: object) -> Iterator[str]:
    """Name a thing and, of a class, its own public methods."""
    yield name
    for member, value in vars(thing).items() if inspect.isclass(thing) else ():
        inner = getattr(value, "__func__", value)
        if not member.startswith("_") and inspect.isfunction(inner) and inner.__module__ == thing.__module__:
            yield f"{name}.{member}"


@pytest.mark.filterwarnings("ignore:Widget:DeprecationWarning")  # old attributes of ipywidgets that are looked at
@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_shows_is_described(room: str) -> None:
    module = importlib.import_module(f"territory_lab.{room}")
    names = {one for name, thing in shown(module) for one in described(name, thing)}
    faults = [(name, *fault) for name in sorted(names) for fault in validate(name)["errors"] if fault[0] in MATTER]
    assert faults == []
