"""Tables that lie in object storage, fetched through fsspec: S3, Google Cloud, Azure and the like."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from territory_lab.errors import TerritoryLabError

_STORES = {"s3", "gs", "az", "abfs", "oss", "file"}


def holds(address: str) -> bool:
    """
    Tell the address of a bucket from that of a database or a CRM.

    Parameters
    ----------
    address : str
        Any.

    Returns
    -------
    bool
        Whether it is one (``s3://bucket/folder``).
    """
    return urlsplit(address).scheme in _STORES and "://" in address


@contextmanager
def near(address: str) -> Iterator[Path]:
    """
    Copy a folder of tables here.

    Parameters
    ----------
    address : str
        Of a folder, as fsspec has it. Who may read it is for its driver to know (s3fs, gcsfs, adlfs).

    Yields
    ------
    Path
        A folder with the files that lie right in it, until left.

    Raises
    ------
    TerritoryLabError
        Where the address carries a password (it is not repeated), fsspec or the driver is not installed, or nothing can
        be read there.
    """
    if urlsplit(address).password:
        raise TerritoryLabError("the address carries a password: leave it to the driver (environment, profile, role)")
    try:
        import fsspec  # noqa: PLC0415 - an extra

        bucket, folder = fsspec.url_to_fs(address)
        found = [file for file in bucket.ls(folder, detail=False) if bucket.isfile(file)]
    except (ImportError, ValueError, OSError) as error:
        raise TerritoryLabError(f"{address} cannot be read: {error}") from error
    with TemporaryDirectory() as here:
        for file in found:
            bucket.get_file(file, str(Path(here) / Path(file).name))
        yield Path(here)
