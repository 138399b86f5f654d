"""What several test files share."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test workers on two cores; read when numpy is first imported

import pytest


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of real benchmark cases, which stand beside the checkout and never in it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip("the shared benchmark cases are not beside this checkout")
    return folder


def needs(condition: object, part: str) -> None:
    """Skip with the reason where a part of the machine is missing, but fail in CI, where it must be there."""
    if not condition:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"this machine has no {part}")
