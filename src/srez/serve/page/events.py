"""Handles the events of the page."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio
import numpy as np

from srez import images
from srez.evaluation import demo
from srez.images import Picture, resample
from srez.models import box
from srez.serve.errors import DISK_FULL, INTERNAL_ERROR, HttpError, as_http_error
from srez.serve.inference import options as options_
from srez.serve.inference.options import Options
from srez.serve.jobs.job import Job
from srez.serve.observe.logs import log
from srez.serve.page import comparison
from srez.serve.page.files import PageFiles
from srez.serve.service import Service

_POLL_SECONDS = 0.25  # between two polls of a job
_EXAMPLE_SCALE = 4
NO_PICTURE = "Choose a picture first."


@dataclass(frozen=True)
class Events:
    """The functions behind the page's buttons.

    Attributes:
        service: upscales.
        files: where uploads and results are.
    """

    service: Service
    files: PageFiles

    async def upscale(
        self,
        upload: Any,
        model: Any,
        fidelity: Any,
        format: Any,
        progress: gradio.Progress = gradio.Progress(),  # noqa: B008  (Gradio finds it here)
    ) -> tuple[tuple[str, str] | None, str, gradio.DownloadButton]:
        """Upscale an upload: before and after, a sentence, and the result to download.

        A browser may send anything, so every argument is checked.

        Raises:
            gradio.Error: with what to tell the user.
        """
        try:
            return await self._upscale(upload, model, fidelity, format, progress)
        except gradio.Error:
            raise
        except Exception as error:
            raise _page_error(_sentence(error)) from None

    def example(self) -> str:
        """The portrait of `srez demo`, downscaled to 16x16 as there, as a file."""
        path = self.files.new("example.png")
        pixels = np.rint(resample.area(demo.portrait(), _EXAMPLE_SCALE)).astype(np.uint8)
        images.write(path, Picture(pixels))
        return str(path)

    async def _upscale(
        self, upload: Any, model: Any, fidelity: Any, format: Any, progress: gradio.Progress
    ) -> tuple[tuple[str, str] | None, str, gradio.DownloadButton]:
        service = self.service
        with service.memory.holding() as hold:
            body = await service.in_thread(_read, upload)
            hold(len(body))
            plan = await service.plan(body, self._options(model, fidelity, format))
            options = plan.options.model_copy(update={"model": plan.model})
            await service.in_thread(self.files.make_room, 0)
            result = self.files.new("srez" + options.file_format.suffix)
            if plan.is_small:
                upscaled = await service.upscale(body, options, hold)
                await service.in_thread(result.write_bytes, upscaled.data)
            else:
                await self._run_job(body, options, result, progress)
            is_shown_whole = max(plan.target) <= comparison.MAX_SIDE
            whole = await service.in_thread(result.read_bytes) if is_shown_whole else None
            pair, note = await comparison.before_and_after(service, body, whole, options, plan, hold)
            shown = await service.in_thread(self._kept, pair) if pair else None
        (width, height), (to_width, to_height) = plan.size, plan.target
        facts = f"{width}x{height} became {to_width}x{to_height}. {note}"
        return shown, facts, gradio.DownloadButton(value=str(result), interactive=True)

    def _kept(self, pair: comparison.Pair) -> tuple[str, str]:
        """Before and after as files; Gradio would log a full disk as a defect."""
        before, after = (self.files.keep("shown.png", comparison.png(pixels)) for pixels in pair)
        return str(before), str(after)

    def _options(self, model: Any, fidelity: Any, format: Any) -> Options:
        """What was chosen; "auto" has no fidelity to choose, and that of a model with one look is hidden."""
        models = self.service.models
        chosen = options_.parse({"model": model, "format": format})
        models.require(chosen.model)
        if chosen.model == box.AUTO or not models.cards[chosen.model].vivid:
            return chosen
        return options_.parse({"model": model, "format": format, "fidelity": fidelity})

    async def _run_job(self, body: bytes, options: Options, result: Path, progress: gradio.Progress) -> None:
        """Upscale a picture as a job, show its progress, and move its result into a file."""
        service = self.service
        job: Job | None = await service.add_job(body, options)
        try:
            while job and job.state not in ("done", "failed"):
                if service.stopping:
                    raise _page_error("The server is stopping: try again in a moment.")
                if service.worker.lacks_room(job):  # nobody waits here until there is some
                    raise _page_error(DISK_FULL)
                waiting = "waiting for other pictures" if job.state == "queued" else "upscaling"
                progress(service.worker.progress(job), waiting)
                await asyncio.sleep(_POLL_SECONDS)
                job = await service.look_up(service.store.get, job.id)
            if job is None or job.error:
                raise _page_error(job.error if job and job.error else "The job was cancelled.")
            await service.look_up(service.store.result(job).replace, result)
        finally:
            if job:
                await service.look_up(service.store.remove, job.id)


def _read(upload: Any) -> bytes:
    """The bytes of an upload, as the page describes it."""
    path = upload.get("path") if isinstance(upload, dict) else None
    if not isinstance(path, str):
        raise HttpError(400, NO_PICTURE)
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):  # ValueError: a null character
        raise HttpError(404, "The picture has expired: choose it again.") from None


def _sentence(error: Exception) -> str:
    """What to tell the user of an error; a defect is logged."""
    try:
        return str(as_http_error(error))
    except Exception:
        log.exception("defect")
        return INTERNAL_ERROR


def _page_error(sentence: str) -> gradio.Error:
    return gradio.Error(sentence, print_exception=False)
