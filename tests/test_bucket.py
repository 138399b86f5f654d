"""Tables in object storage, by their address."""

from pathlib import Path

import pytest

from territory_lab import bucket, sample
from territory_lab.errors import TerritoryLabError
from tests.test_cli import run


@pytest.mark.parametrize(
    ("address", "yes"),
    [
        ("s3://sales/2026", True),
        ("abfs://sales@account/2026", True),
        ("postgresql://host/name", False),
        ("https://yours.my.salesforce.com", False),
        ("s3/2026", False),
        ("exports", False),
    ],
)
def test_buckets_are_told_from_databases_and_folders(address: str, yes: bool) -> None:
    assert bucket.holds(address) is yes


def test_a_workspace_takes_its_tables_from_an_address(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    store = tmp_path / "store"
    sample.write(sample.company(1_000)[0], store)
    (store / "archive").mkdir()
    code, output = run("new", tmp_path / "own", "--from", store.as_uri())
    assert code == 0, output
    for table in store.glob("*.*"):
        assert (tmp_path / "own" / table.name).read_bytes() == table.read_bytes()
    assert not (tmp_path / "own" / "archive").exists()


def test_an_address_where_nothing_is_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    code, output = run("new", tmp_path / "own", "--from", (tmp_path / "nowhere").as_uri())
    assert (code, "nowhere cannot be read" in output) == (1, True)
    assert not (tmp_path / "own").exists()


def test_a_driver_that_is_not_installed_is_named() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(TerritoryLabError, match="ossfs"), bucket.near("oss://sales/2026"):
        pass


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    code, output = run("new", tmp_path / "own", "--from", "s3://ann:hunter2@sales/2026")
    assert (code, "carries a password" in output, "hunter2" in output) == (1, True, False)
