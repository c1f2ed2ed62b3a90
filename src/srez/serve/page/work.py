"""Upscales a picture of the page into a file: at once, or as a job."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from srez.serve.errors import DISK_FULL, HttpError
from srez.serve.inference.found import FoundFace
from srez.serve.inference.picture import UpscalePlan
from srez.serve.jobs.job import Job
from srez.serve.service import Hold, Service

WAITING = "Waiting for other pictures …"
_POLL_SECONDS = 0.25  # between two polls of a job


async def run(
    service: Service,
    body: bytes,
    plan: UpscalePlan,
    result: Path,
    hold: Hold,
    found: list[FoundFace] | None,
) -> AsyncGenerator[tuple[float, str], None]:
    """Upscale a picture into a file: at once if it is small, else as a job that is removed in the end.

    Args:
        service: upscales.
        body: of the upload.
        plan: what to do with it.
        result: the file to write.
        hold: takes memory for the result.
        found: is filled with the faces found; None where nobody asked for them.

    Yields:
        The fraction done, and what is being done.

    Raises:
        HttpError: the server is stopping (503), its disk is full (507), or the job failed (503).
        SrezError: a small picture cannot be upscaled.
    """
    options = plan.options.model_copy(update={"model": plan.model})
    if plan.is_small:
        upscaled = await service.upscale(body, options, hold)
        await service.in_thread(result.write_bytes, upscaled.data)
        if found is not None:
            found.extend(upscaled.faces or ())
        return
    job: Job | None = await service.add_job(body, options)
    try:
        while job and job.state not in ("done", "failed"):
            if service.stopping:
                raise HttpError(503, "The server is stopping: try again in a moment.")
            if service.worker.lacks_room(job):  # nobody waits here until there is some
                raise HttpError(507, DISK_FULL)
            waits = job.state == "queued"
            yield service.worker.progress(job), WAITING if waits else "Upscaling …"
            await asyncio.sleep(_POLL_SECONDS)
            job = await service.look_up(service.store.get, job.id)
        if job is None or job.error:
            raise HttpError(503, job.error if job and job.error else "The job was cancelled.")
        await service.look_up(service.store.result(job).replace, result)
        if found is not None:
            found.extend(job.faces or ())
    finally:
        if job:
            await service.look_up(service.store.remove, job.id)
