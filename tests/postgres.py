"""A PostgreSQL cluster of one's own: made in a temporary folder, on loopback, and gone with it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine, text

from tests.conftest import needs

PASSWORD = "s3cret-of-the-test"  # noqa: S105 - of a cluster that lives for a test


def programs() -> Path | None:
    """Find where the newest server's programs are; Debian keeps them off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def cluster() -> Iterator[str]:
    """Start a server as a person without rights, and give an address of an empty database with PostGIS."""
    at = programs()
    needs(at is not None, "PostgreSQL server")
    demoted = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="territory-lab-pg-") as place:
        folder = Path(place)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="ascii")
        if demoted:
            for path in (folder, secret):
                shutil.chown(path, "postgres", "postgres")
        data = str(folder / "data")

        def run(program: str, *arguments: str) -> None:
            subprocess.run(  # noqa: S603 - programs of the machine
                [*demoted, str(at / program), *arguments], check=True, capture_output=True, cwd=place
            )

        run("initdb", "-D", data, "-U", "analyst", "-A", "scram-sha-256", f"--pwfile={secret}", "-N", "-E", "UTF8")
        quick = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off -c jit=off"
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", quick, "start")
        try:
            address = f"postgresql://analyst@127.0.0.1:{port}/postgres"
            with admin(address) as connection:
                connection.execute(text("CREATE EXTENSION postgis"))
            yield address
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@contextmanager
def admin(address: str):
    """Write into the database."""
    engine = create_engine(address.replace("postgresql://analyst@", f"postgresql+psycopg://analyst:{PASSWORD}@"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def serve(address: str, tables: dict[str, pd.DataFrame]) -> None:
    """Put tables into the database, typed as they are."""
    with admin(address) as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False, if_exists="replace", chunksize=5_000)
