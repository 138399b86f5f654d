"""A database in: the sample company from a real PostgreSQL with PostGIS, typed, placed, and no password anywhere."""

import sqlite3
import tomllib
import traceback
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from territory_lab import book, cli, crm, geography, schema, shipped, workspace
from territory_lab.errors import BadInput
from tests import postgres


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with postgres.cluster() as where:
        yield where


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERRITORY_LAB_SQL_PASSWORD", postgres.PASSWORD)


def test_the_sample_company_comes_out_of_postgresql_as_it_went_in(address: str, tmp_path: Path) -> None:
    truth = workspace.open_workspace(shipped.data("sample")).tables
    postgres.serve(address, truth)
    told = CliRunner().invoke(cli.app, ["new", str(tmp_path / "own"), "--from", address])
    assert told.exit_code == 0, told.output
    space = workspace.open_workspace(tmp_path / "own")
    assert space.faults()[0] == []
    for name, table in truth.items():
        key = list(schema.TABLES[name].columns)[: 2 if name == "neighbours" else 1]
        known = [column for column in schema.TABLES[name].columns if column in table]
        found = space.tables[name][known].sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(found, table[known].sort_values(key, ignore_index=True))
    written = "".join(
        file.read_text(encoding="utf-8") for file in space.folder.rglob("*") if file.suffix in (".toml", ".csv")
    )
    assert postgres.PASSWORD not in written + told.output
    stated = tomllib.loads((space.folder / "mapping.toml").read_text(encoding="utf-8"))["tables"]
    assert stated["orders"]["query"] == 'SELECT * FROM "orders"'


def test_queries_of_the_mapping_are_run_and_shapes_of_postgis_place_units_and_accounts(
    address: str, tmp_path: Path
) -> None:
    counties = geography.counties().set_index("unit_id").loc[["25017", "25025", "25021"]]
    with postgres.admin(address) as connection:
        connection.execute(text("DROP TABLE IF EXISTS shop, area"))
        connection.execute(text("CREATE TABLE area (code text, shape geometry)"))
        connection.execute(text("CREATE TABLE shop (no int, label text, spot geometry)"))
        for code, shape in counties["geometry"].items():  # stored on a flat map, as a surveyor would
            at = {"code": code, "shape": shape.wkt}
            flat = "INSERT INTO area VALUES (:code, ST_Transform(ST_GeomFromText(:shape, 4326), 26986))"
            connection.execute(text(flat), at)
        spots = {1: (-71.1106, 42.3736), 2: (-71.0589, 42.3601)}
        for number, (lon, lat) in spots.items():
            at = {"no": number, "lon": lon, "lat": lat}
            connection.execute(text("INSERT INTO shop VALUES (:no, 'Shop', ST_Point(:lon, :lat, 4326))"), at)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'crm = "csv"\n[tables.accounts]\nquery = "SELECT no, label, spot FROM shop"\n'
        '[tables.accounts.columns]\naccount_id = ["no"]\nname = ["label"]\ngeometry = ["spot"]\n'
        '[tables.units]\nquery = "SELECT code, shape FROM area"\n'
        '[tables.units.columns]\nunit_id = ["code"]\ngeometry = ["shape"]\n',
        encoding="utf-8",
    )
    space, _ = crm.create(tmp_path / "own", address, crm.Layout.load(mapping))
    places = book.units(space)
    assert isinstance(places, gpd.GeoDataFrame)
    flat = places.to_crs("EPSG:5070").area / counties.to_crs("EPSG:5070").area
    assert flat.to_numpy() == pytest.approx([1, 1, 1], rel=1e-6)
    accounts = space.tables["accounts"]
    assert accounts[["lon", "lat"]].to_numpy().tolist() == [list(spot) for spot in spots.values()]
    assert geography.unit_of(accounts, places.reset_index()).tolist() == ["25017", "25025"]


def test_no_error_shows_a_password(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = crm.Layout.of("csv")
    wrong = "wrong-s3cret"
    shown = []
    for where, secret in [(address.replace("/postgres", "/nowhere"), postgres.PASSWORD), (address, wrong)]:
        monkeypatch.setenv("TERRITORY_LAB_SQL_PASSWORD", secret)
        with pytest.raises(BadInput, match="database") as error:
            crm.read(where, layout)
        shown += traceback.format_exception(error.value)
    carried = [address.replace("analyst@", f"analyst:{wrong}@"), f"{address}?password={wrong}", f"x://{wrong}:{wrong}"]
    for where in carried:
        with pytest.raises(BadInput) as error:
            crm.read(where, layout)
        shown += traceback.format_exception(error.value)
    assert not any(secret in line for line in shown for secret in (wrong, postgres.PASSWORD))


def test_a_query_cannot_write(address: str) -> None:
    postgres.serve(address, {"victims": pd.DataFrame({"account_id": [1], "name": ["a"]})})
    for query in ("DELETE FROM victims", "WITH gone AS (DELETE FROM victims RETURNING *) SELECT * FROM gone"):
        layout = crm.Layout.of("csv")
        layout.tables["accounts"] = crm.layout.TableLayout(columns={"account_id": [], "name": []}, query=query)
        with pytest.raises(BadInput, match=r"only reads|data-modifying"):
            crm.read(address, layout)
    with postgres.admin(address) as connection:
        assert connection.execute(text("SELECT count(*) FROM victims")).scalar() == 1


def test_any_database_that_sqlalchemy_speaks_to_is_read_and_every_row_accounted_for(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "firm.db") as base:
        base.execute('CREATE TABLE customers (account_id INTEGER, name TEXT, revenue REAL, "odd \'name" TEXT)')
        rows = [(1, "Acme", 1.234, "x"), (2, None, 2.5, "50% off :x"), (1, "Twin", None, None)]
        base.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", rows)
    intake = crm.read(f"sqlite:///{tmp_path / 'firm.db'}", crm.Layout.of("csv"))
    assert intake.tables["accounts"]["revenue"].tolist() == ["1.2340"]
    assert intake.ledger[["rows", "used", "set_aside"]].to_numpy().tolist() == [[3, 1, 2]]
    assert intake.aside["reason"].tolist() == ["its id stands in an earlier row", "the value is missing"]
