"""Who gets the cores first."""

import asyncio
import time
from pathlib import Path

import numpy as np

from helpers.serving import face, png
from srez.serve.inference.options import Options
from srez.serve.limits import Settings
from srez.serve.service import Service

MOST_SLOWER = 2  # times; three threads that share two cores alike make it 3
HEAVY = Options(model="faces", samples=64, format="tiff")  # seconds of computing


def test_a_small_picture_hardly_waits_for_samples_and_jobs(tmp_path: Path) -> None:
    service = Service(Settings(state=tmp_path, max_wait=3600, max_seconds=3600))
    service.start()
    small, large = png(face(2, 60)), png(face(3, 30))

    async def seconds() -> float:
        taken = []
        for _ in range(8):
            began = time.perf_counter()
            await service.upscale(small, Options(), lambda _: None)
            taken.append(time.perf_counter() - began)
        return float(np.median(taken))

    async def alone_and_beside() -> tuple[float, float]:
        await seconds()  # what is loaded at the first picture
        alone = await seconds()
        samples = [asyncio.create_task(service.upscale(large, HEAVY, lambda _: None)) for _ in range(2)]
        jobs = [await service.add_job(large, HEAVY) for _ in range(2)]
        while len(service.queue) > 1 or service.store.counts().get("running") != 1:
            await asyncio.sleep(0.01)
        beside = await seconds()
        assert not all(task.done() for task in samples)
        for task in samples:
            task.cancel()
        for job in jobs:
            service.store.remove(job.id)
        return alone, beside

    try:
        alone, beside = asyncio.run(alone_and_beside())
    finally:
        service.stop()
    assert beside < MOST_SLOWER * alone
