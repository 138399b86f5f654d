"""Parts of a company worked on by several processes or machines: the one module that knows of Dask."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from territory_lab.errors import TerritoryLabError

Part = TypeVar("Part")
Found = TypeVar("Found")

LOCAL = "local"


@contextmanager
def workers(address: str) -> Iterator[Callable[[Callable[[Part], Found], Iterable[Part]], Iterator[Found]]]:
    """
    Connect to a Dask cluster, or start one on this machine.

    Parameters
    ----------
    address : str
        Of a scheduler (``tcp://HOST:PORT``) whose workers see the workspace under the same path, or ``local``: one
        process for each core.

    Yields
    ------
    callable
        Like ``map``: calls a function on each part, wherever there is room, and gives what it returned, in order. What
        a lost worker had in hand is done again by another; leaving early calls the rest off.

    Raises
    ------
    TerritoryLabError
        Where Dask is not installed, or nobody answers.
    """
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise TerritoryLabError("more than one worker needs Dask: pip install 'territory-lab[dask]'") from missing
    with ExitStack() as open_:
        if address == LOCAL:
            own = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
            address = open_.enter_context(LocalCluster(os.cpu_count(), **own)).scheduler_address  # type: ignore[no-untyped-call]
        try:
            client = open_.enter_context(Client(address))  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise TerritoryLabError(f"no Dask scheduler answers at {address}: {error}") from error

        def each(work: Callable[[Part], Found], parts: Iterable[Part]) -> Iterator[Found]:
            everywhere = client.scatter(work, broadcast=True)  # once to each worker, not with every part
            futures = client.map(_call, list(parts), work=everywhere, pure=False)
            try:
                for future in futures:
                    yield future.result()
            finally:
                client.cancel(futures)

        yield each


def _call(part: Part, work: Callable[[Part], Found]) -> Found:
    """Do the work on one part."""
    return work(part)
