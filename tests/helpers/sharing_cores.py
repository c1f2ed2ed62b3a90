"""Who computes in a server, in a process of its own: `-m helpers.sharing_cores FOLDER`.

Printed, as JSON: the share of the time in threads of the usual priority, for small pictures, larger ones,
samples, and a job.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import psutil

from helpers.serving import face, png
from helpers.waiting import until
from srez.serve.inference.options import Options
from srez.serve.limits import Settings
from srez.serve.service import Service

_SMALL, _LARGE, _FACE = (png(face(2, side)) for side in (60, 120, 30))
# Of one network: small and large pictures would have two where they are repaired differently.
_PLAIN = Options(repair=0)
_SAMPLES = Options(model="faces", samples=16, format="tiff")
_TIMES = 6


class _Clock:
    """What this process has computed since then."""

    def __init__(self) -> None:
        self._all, self._each = time.process_time(), _usual_seconds()

    def share_of_usual(self) -> float:
        """The share of the threads with the usual priority; those with a lower one may have ended."""
        seconds = _usual_seconds()
        spent = sum(seconds[each] - self._each.get(each, 0.0) for each in seconds)
        return spent / (time.process_time() - self._all)


def _usual_seconds() -> dict[int, float]:
    """How long each thread of the usual priority has computed."""
    return {
        each.id: each.user_time + each.system_time
        for each in psutil.Process().threads()
        if os.getpriority(os.PRIO_PROCESS, each.id) == 0
    }


async def _direct(service: Service, body: bytes, options: Options) -> float:
    clock = _Clock()
    for _ in range(_TIMES):
        await service.upscale(body, options, lambda _: None)
    return clock.share_of_usual()


async def _job(service: Service) -> float:
    clock = _Clock()
    await service.add_job(_FACE, _SAMPLES)
    await asyncio.to_thread(until, lambda: service.store.counts() == {"done": 1})
    return clock.share_of_usual()


async def shares(service: Service) -> list[float]:
    """The share of the usual priority for each kind of work."""
    await _direct(service, _SMALL, _PLAIN)  # what is loaded at the first picture
    return [
        await _direct(service, _SMALL, _PLAIN),
        await _direct(service, _LARGE, _PLAIN),
        await _direct(service, _FACE, _SAMPLES),
        await _job(service),
    ]


if __name__ == "__main__":
    running = Service(Settings(state=Path(sys.argv[1]), max_wait=3600, max_seconds=3600))
    running.start()
    print(json.dumps(asyncio.run(shares(running))))
    running.stop()
