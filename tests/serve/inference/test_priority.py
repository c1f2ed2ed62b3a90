"""Who gets the cores first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import helpers

# In a process of its own: a network that another test has loaded keeps the threads that it got there.
SHARES = """
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

SMALL, LARGE, FACE = (png(face(2, side)) for side in (60, 120, 30))
SAMPLES = Options(model="faces", samples=16, format="tiff")
TIMES = 6


class Clock:
    def __init__(self):
        self.all, self.each = time.process_time(), usual_seconds()

    def share_of_usual(self):  # threads with a lower priority may have ended
        seconds = usual_seconds()
        spent = sum(seconds[each] - self.each.get(each, 0.0) for each in seconds)
        return spent / (time.process_time() - self.all)


def usual_seconds():
    return {
        each.id: each.user_time + each.system_time
        for each in psutil.Process().threads()
        if os.getpriority(os.PRIO_PROCESS, each.id) == 0
    }


async def direct(service, body, options):
    clock = Clock()
    for _ in range(TIMES):
        await service.upscale(body, options, lambda _: None)
    return clock.share_of_usual()


async def job(service):
    clock = Clock()
    await service.add_job(FACE, SAMPLES)
    await asyncio.to_thread(until, lambda: service.store.counts() == {"done": 1})
    return clock.share_of_usual()


async def shares(service):
    await direct(service, SMALL, Options())  # what is loaded at the first picture
    return [
        await direct(service, SMALL, Options()),
        await direct(service, LARGE, Options()),  # by the same model
        await direct(service, FACE, SAMPLES),
        await job(service),
    ]


service = Service(Settings(state=Path(sys.argv[1]), max_wait=3600, max_seconds=3600))
service.start()
print(json.dumps(asyncio.run(shares(service))))
service.stop()
"""
FEW = 0.2  # of the time: planning and answering


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities on Linux only")
def test_only_small_pictures_compute_with_the_usual_priority(tmp_path: Path) -> None:
    folder = str(Path(helpers.__file__ or "").parents[1])
    path = os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-c", SHARES, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    small, *others = json.loads(done.stdout)
    assert small > FEW > max(others)
