"""Long work in a process of its own: the page stays free, better results are told as they come, and it can be ended."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from territory_lab.errors import TerritoryLabError

_ENDED = "It ended without a word; the memory may have run out. Run it again, or ask for less."


class Job:
    """
    Work that goes on beside the kernel.

    The work is a function of a module; it is given ``progress``, to call with what was found and the share done, and
    arguments that travel to the other process.
    """

    def __init__(self, work: Callable[..., Any], *args: object, **kwargs: object) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy the kernel's threads half
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, work, args, kwargs), daemon=True)
        self._process.start()
        theirs.close()

    def stop(self) -> None:
        """Ask for the best so far; a second time ends the work at once."""
        if self._process.pid is not None and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGINT)

    async def result(self, told: Callable[[object, float], object] = lambda *_: None) -> Any:  # noqa: ANN401 - the work's own
        """Wait for what the work returns, or for its failure in words; ``told`` is given what is found on the way."""
        try:
            while True:
                kind, *said = await asyncio.to_thread(self._pipe.recv)
                if kind == "done":
                    return said[0]
                if kind == "failed":
                    raise TerritoryLabError(said[0])
                told(*said)
        except EOFError:
            raise TerritoryLabError(_ENDED) from None
        finally:
            self._pipe.close()
            self._process.join()


def _work(pipe: Connection, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Do the work in the other process and send what it says."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a server begun in the background ignores it
    try:
        found = work(*args, **kwargs, progress=lambda *said: pipe.send(("progress", *said)))
        pipe.send(("done", found))
    except KeyboardInterrupt:
        pipe.send(("failed", "Stopped before anything was found."))
    except (TerritoryLabError, ValueError) as error:
        pipe.send(("failed", str(error)))
