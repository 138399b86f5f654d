"""The house as CONTRIBUTING.md draws it: imports run one way and rooms stay small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "territory_lab"
FLOORS = [
    {"errors", "files", "shipped", "audience"},
    {"charts", "response", "quota", "quality", "travel", "settings", "timeline", "reading", "cluster", "bucket"},
    {"schema", "alignment", "sizing"},
    {"parts"},
    {"workspace", "geography", "scoring", "maps", "editing"},
    {"hexagons", "canvas"},
    {"market", "workload", "propensity", "crm", "sample", "scenarios", "results", "book", "registry"},
    {"evaluation", "staffing", "proposal", "focus", "lifecycle", "serving", "worklist", "handover", "affected"},
    {"journey"},
    {"widgets", "reporting"},
    {"cli"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
STRANGERS_MAY_LIFT_OUT = {"alignment": {"errors"}, "propensity": {"errors", "files", "timeline"}}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "territory_lab":
            rooms |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("territory_lab."):
            rooms.add(node.module.split(".")[1])
    return rooms - {room_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    assert {room for room in imported_rooms(path) if FLOOR[room] >= FLOOR[room_of(path)]} <= set()
    allowed = STRANGERS_MAY_LIFT_OUT.get(room_of(path))
    assert allowed is None or imported_rooms(path) <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_outgrows_its_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
