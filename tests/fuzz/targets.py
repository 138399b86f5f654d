"""What is fuzzed: every reader takes any bytes and gives a table or a named error, and loses no row."""

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path

from territory_lab import book, crm, scenarios
from territory_lab.errors import TerritoryLabError
from territory_lab.propensity.playbook import Playbook
from territory_lab.scoring._rules import read_rules
from territory_lab.settings import Settings
from territory_lab.workspace import Workspace

SEEDS = Path(__file__).with_name("seeds")


def csv(place: Path, data: bytes) -> None:
    """Take an export of accounts, as text."""
    _taken(place, "accounts.csv", data)


def xlsx(place: Path, data: bytes) -> None:
    """Take an export of accounts, as a workbook."""
    _taken(place, "accounts.xlsx", data)


def geojson(place: Path, data: bytes) -> None:
    """Take accounts as shapes."""
    _taken(place, "accounts.geojson", data)


def parquet(place: Path, data: bytes) -> None:
    """Take accounts as Parquet."""
    _taken(place, "accounts.parquet", data)


def toml(place: Path, data: bytes) -> None:
    """Read each of the files that a person may write."""
    file = place / "icp.toml"
    file.write_bytes(data)
    version = place / "scenarios" / "plan" / "0001"
    version.mkdir(parents=True, exist_ok=True)
    (version / "scenario.toml").write_bytes(data)
    readers: list[Callable[[], object]] = [
        lambda: Settings.read(file),
        lambda: crm.Layout.load(file),
        lambda: Playbook.read(file),
        lambda: read_rules(book.rules(Workspace(place)) or {}),
        lambda: scenarios.load(place / "scenarios", "plan"),
    ]
    for read in readers:
        with contextlib.suppress(TerritoryLabError):
            read()


TARGETS: dict[str, Callable[[Path, bytes], None]] = {
    "csv": csv,
    "toml": toml,
    "geojson": geojson,
    "xlsx": xlsx,
    "parquet": parquet,
}


def _taken(place: Path, name: str, data: bytes) -> None:
    """Read an export, and hold its rows to account."""
    file = place / name
    file.write_bytes(data)
    with contextlib.suppress(TerritoryLabError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        intake = crm.read(file, crm.Layout.of("csv"))
        assert (intake.ledger["rows"] == intake.ledger["used"] + intake.ledger["set_aside"]).all()
        assert intake.ledger["used"].sum() == len(intake.tables["accounts"])
        assert (intake.aside["reason"] != "").all()
