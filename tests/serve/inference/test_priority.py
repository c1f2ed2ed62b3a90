"""Who gets the cores first."""

import asyncio
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from helpers.serving import face, png
from helpers.waiting import until
from srez.serve.inference.options import Options
from srez.serve.limits import Settings
from srez.serve.service import Service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities on Linux only")
SMALL, LARGE, FACE = (png(face(2, side)) for side in (60, 120, 30))
SAMPLES = Options(model="faces", samples=16, format="tiff")
FEW = 0.2  # of the time: planning and answering
TIMES = 6


@pytest.fixture
def service(tmp_path: Path) -> Service:
    service = Service(Settings(state=tmp_path, max_wait=3600, max_seconds=3600))
    service.start()
    return service


class Clock:
    """What this process has computed since then."""

    def __init__(self) -> None:
        self._all, self._each = time.process_time(), usual_seconds()

    def share_of_usual(self) -> float:
        """The share of it in threads with the usual priority; threads with a lower one may have ended."""
        seconds = usual_seconds()
        return sum(seconds[each] - self._each.get(each, 0.0) for each in seconds) / (
            time.process_time() - self._all
        )


def usual_seconds() -> dict[int, float]:
    """How long each thread of the usual priority has computed."""
    return {
        each.id: each.user_time + each.system_time
        for each in psutil.Process().threads()
        if os.getpriority(os.PRIO_PROCESS, each.id) == 0
    }


def test_only_small_pictures_compute_with_the_usual_priority(service: Service) -> None:
    async def direct(body: bytes, options: Options) -> float:
        clock = Clock()
        for _ in range(TIMES):
            await service.upscale(body, options, lambda _: None)
        return clock.share_of_usual()

    async def job() -> float:
        clock = Clock()
        await service.add_job(FACE, SAMPLES)
        await asyncio.to_thread(until, lambda: service.store.counts() == {"done": 1})
        return clock.share_of_usual()

    async def shares() -> list[float]:
        await direct(SMALL, Options())  # what is loaded at the first picture
        return [
            await direct(SMALL, Options()),
            await direct(LARGE, Options()),  # by the same model
            await direct(FACE, SAMPLES),
            await job(),
        ]

    try:
        small, *others = asyncio.run(shares())
    finally:
        service.stop()
    assert max(others) < FEW
    assert small > 2 * FEW
