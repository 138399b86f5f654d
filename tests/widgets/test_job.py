"""Work beside the kernel, in real processes."""

import asyncio
import os
import time

import pytest

from territory_lab.errors import TerritoryLabError
from territory_lab.widgets.job import Job


def count(to, *, progress):
    for number in range(to):
        progress(number, number / to)
    return os.getpid()


def patient(*, progress):
    try:
        progress("best so far", 0.5)
        time.sleep(60)
    except KeyboardInterrupt:
        return "best so far"


def stubborn(*, progress):
    progress("nothing yet", 0.0)
    time.sleep(60)


def refuse(*, progress):
    progress("", 0.0)
    raise TerritoryLabError("T01 cannot reach its minimum")


def vanish(*, progress):
    progress("", 0.0)
    os._exit(1)


def test_it_works_in_another_process_and_tells_how_far_it_is():
    said = []
    where = asyncio.run(Job(count, 4).result(lambda *told: said.append(told)))
    assert where != os.getpid()
    assert said == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75)]


def test_the_page_stays_free_while_it_works():
    async def both():
        ticks = 0
        waiting = asyncio.ensure_future(Job(count, 3).result())
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert asyncio.run(both()) > 5


def test_stopping_gives_the_best_so_far():
    job = Job(patient)
    assert asyncio.run(job.result(lambda *_: job.stop())) == "best so far"


@pytest.mark.parametrize(
    ("work", "words"),
    [(stubborn, "Stopped before anything"), (refuse, "T01 cannot reach"), (vanish, "ended without a word")],
)
def test_what_goes_wrong_is_told_in_words(work, words):
    job = Job(work)
    with pytest.raises(TerritoryLabError, match=words):
        asyncio.run(job.result(lambda *_: job.stop() if work is stubborn else None))
