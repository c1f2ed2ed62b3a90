"""Handles the events of the page."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from html import escape
from pathlib import Path, PurePath
from typing import Any

import gradio

from srez import images
from srez.errors import OutputError, TooLargeError
from srez.models import box
from srez.serve.errors import DISK_FULL, INTERNAL_ERROR, HttpError, as_http_error
from srez.serve.inference import options as options_
from srez.serve.inference.found import FoundFace
from srez.serve.inference.options import Options
from srez.serve.inference.picture import UpscalePlan
from srez.serve.jobs.job import Job
from srez.serve.observe.logs import log
from srez.serve.page import examples, faces, guesses
from srez.serve.page.comparison import comparison
from srez.serve.page.files import PageFiles
from srez.serve.service import Hold, Service
from srez.upscaling.plan import Rules, result_name, result_suffix

_MAX_RUNNING = 8  # pictures upscaled at the same time
_POLL_SECONDS = 0.25  # between two polls of a job
_MAX_STEM = 50  # characters of a file's name that its result keeps
_FOR_OPERATORS = re.compile(r"(: if you trust it, allow more)? \(--[^)]*\)")
_WAITING = "Waiting for other pictures …"
NO_PICTURE = "Choose a picture first."
EMPTY = "<p>The result will appear here.</p>"
AUTO = "auto"  # of the size, the format and the repair

Shown = tuple[str, str, gradio.DownloadButton, Any]
"""Before and after and what is said of them, as HTML, the button, and the choice of faces."""

_Step = tuple[tuple[str, str, gradio.DownloadButton], faces.Found]
"""The first three of them, and the faces."""


@dataclass(frozen=True)
class Events:
    """The functions behind the page's buttons.

    Attributes:
        service: upscales.
        files: where uploads and results are.
        room: for as many pictures as are upscaled at the same time.
    """

    service: Service
    files: PageFiles
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MAX_RUNNING))

    async def upscale(
        self, upload: Any, size: Any, format: Any, model: Any, fidelity: Any, repair: Any, faces_too: Any
    ) -> AsyncGenerator[Shown, None]:
        """Upscale an upload: how far it is, then the result.

        A browser may send anything, so every argument is checked.

        Args:
            upload: as Gradio describes it.
            size: a scale, or `AUTO` for the model's.
            format: of the result, or `AUTO` for that of the picture.
            model: its name.
            fidelity: of a model that has two looks.
            repair: of a model that repairs, or `AUTO`.
            faces_too: whether faces are found, and all that fit enlarged.

        Yields:
            What to show.

        Raises:
            gradio.Error: with what to tell the user, which is shown too.
        """
        choices = {"size": size, "format": format, "model": model, "fidelity": fidelity, "repair": repair}
        choices |= faces.asked(faces_too, None)
        async with aclosing(self._told(upload, choices)) as steps:
            async for shown, found in steps:
                yield *shown, faces.choice(found)

    async def again(self, *inputs: Any) -> AsyncGenerator[Shown, None]:
        """Upscale an upload again with some of its faces: the choice of them stays as the visitor left it.

        Args:
            inputs: those of `upscale`, and the numbers of the faces.

        Yields:
            As `upscale`.

        Raises:
            gradio.Error: as for `upscale`.
        """
        upload, size, format, model, fidelity, repair, _, chosen = inputs
        choices = {"size": size, "format": format, "model": model, "fidelity": fidelity, "repair": repair}
        choices |= faces.asked(True, chosen)
        async with aclosing(self._told(upload, choices)) as steps:
            async for shown, _ in steps:
                yield *shown, gradio.skip()

    async def _told(self, upload: Any, choices: dict[str, Any]) -> AsyncGenerator[_Step, None]:
        """As `_upscale`; what is wrong is shown as well."""
        if self.room.locked():
            yield _working(_WAITING)
        try:
            async with self.room, aclosing(self._upscale(upload, choices)) as steps:
                async for step in steps:
                    yield step
        except Exception as error:
            sentence = _sentence(error)
            yield ("", f"<p role='alert'>{escape(sentence)}</p>", no_download()), None
            raise gradio.Error(sentence, print_exception=False) from None

    async def example(self, name: str, _: Any, *choices: Any) -> AsyncGenerator[tuple[Any, ...], None]:
        """Upscale one of the examples.

        Args:
            name: of the example.
            _: the picture that there was.
            choices: the other arguments of `upscale`.

        Yields:
            The picture, and what `upscale` does.

        Raises:
            gradio.Error: as for `upscale`.
        """
        file, body = examples.read(name)
        path = str(self.files.keep(file, body))  # a file of its own, so that it expires alone
        yield path, *nothing()
        async with aclosing(self.upscale({"path": path, "orig_name": file}, *choices)) as steps:
            async for shown in steps:
                yield gradio.skip(), *shown

    async def change(self, _: Any) -> AsyncGenerator[Shown, None]:
        """Show nothing of the picture that there was."""
        yield nothing()

    async def _upscale(self, upload: Any, choices: dict[str, Any]) -> AsyncGenerator[_Step, None]:
        service = self.service
        yield _working("Looking at the picture …")
        with service.memory.holding() as hold:
            file = _file(upload)
            body = await service.in_thread(_read, file)
            hold(len(body))
            name = _own_name(upload, file, body)
            plan = await self._plan(body, name, choices)
            await service.in_thread(self.files.make_room, 0)
            result = self.files.new(_result_name(name, plan))
            yield _working("Upscaling …")
            sure = await guesses.sure(service, body, plan)
            made = result if sure is plan else result.with_name("sure.zip")
            found: list[FoundFace] | None = [] if plan.options.faces else None
            async with aclosing(self._run(body, sure, made, hold, found)) as fractions:
                async for fraction, doing in fractions:
                    yield _working(doing, fraction)
            distance = None if sure is plan else await service.in_thread(guesses.unpacked, made, result)
            others = await guesses.others(service, self.files, body, plan, result.name, hold)
            told = None if found is None else tuple(found)
            view, note = await comparison(
                service, self.files, file, result, plan, hold, distance, others, told
            )
        (width, height), (to_width, to_height) = plan.size, plan.target
        said = f"<p>{width} × {height} pixels became {to_width} × {to_height}. {note}</p>"
        button = gradio.DownloadButton(f"Download {result.name}", str(result), interactive=True)
        yield (view, said + faces.said(told), button), told

    async def _plan(self, body: bytes, name: PurePath, choices: dict[str, Any]) -> UpscalePlan:
        """What to do with an upload; one that is too large for its own format becomes a PNG."""
        own = images.format_of_suffix(name) or images.format_of_bytes(body)
        format = own.name if own and own.writable and own.is_available else images.PNG.name
        if choices["format"] != AUTO:
            return await self._plan_in(choices["format"], body, choices)
        try:
            return await self._plan_in(format, body, choices)
        except (TooLargeError, OutputError):
            return await self._plan_in(images.PNG.name, body, choices)

    async def _plan_in(self, format: Any, body: bytes, choices: dict[str, Any]) -> UpscalePlan:
        return await self.service.plan(body, self._options({**choices, "format": format}))

    def _options(self, choices: dict[str, Any]) -> Options:
        """What was chosen; a knob that the model does not have is hidden, and not looked at."""
        wanted = ("model", "format", "faces", "only_faces")
        models, values = self.service.models, {key: choices[key] for key in wanted if key in choices}
        if choices["size"] != AUTO:
            values["scale"] = choices["size"]
        model = options_.parse(values).model
        models.require(model)
        card = None if model == box.AUTO else models.cards[model]
        if card and card.vivid:
            values["fidelity"] = choices["fidelity"]
        if choices["repair"] != AUTO and (card is None or card.repair):
            values["repair"] = choices["repair"]
        return options_.parse(values)

    async def _run(
        self, body: bytes, plan: UpscalePlan, result: Path, hold: Hold, found: list[FoundFace] | None
    ) -> AsyncGenerator[tuple[float, str], None]:
        """Upscale a picture into a file: at once if it is small, else as a job. Fill in the faces found.

        Yields:
            The fraction done, and what is being done.
        """
        service = self.service
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
                yield service.worker.progress(job), _WAITING if waits else "Upscaling …"
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


def _file(upload: Any) -> Path:
    """Where an upload is, as the page describes it."""
    path = upload.get("path") if isinstance(upload, dict) else None
    if not isinstance(path, str):
        raise HttpError(400, NO_PICTURE)
    return Path(path)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError):  # ValueError: a null character
        raise HttpError(404, "The picture has expired: choose it again.") from None


def _own_name(upload: Any, file: Path, body: bytes) -> PurePath:
    """What the visitor calls the picture, without what a file name should not have.

    Pictures from the clipboard have no name; those from elsewhere may have a wrong ending.
    """
    told = upload.get("orig_name")
    name = PurePath(told.replace("\\", "/") if isinstance(told, str) else file.name)
    stem = re.sub(r"[^\w.()+ -]", "_", name.stem)[:_MAX_STEM].strip(". ")
    format = images.format_of_bytes(body)
    known = images.format_of_suffix(name)
    suffix = name.suffix if known and known == format else format.suffix if format else ""
    return PurePath((stem or "picture") + suffix)


def _result_name(name: PurePath, plan: UpscalePlan) -> str:
    """As `srez upscale` calls a result beside its input."""
    format = plan.options.file_format
    own = images.format_of_suffix(name) == format
    rules = Rules(None, None if own else format, result_suffix(Rules(), plan.options.size, plan.card.scale))
    return result_name(name, rules, lambda: b"")


def _working(doing: str, fraction: float = 0.0) -> _Step:
    """What is shown while a picture is upscaled: nothing of the one before."""
    bar = f"<progress max='1' value='{fraction:.3f}' aria-label='Progress'></progress>"
    return ("", f"<p>{doing}</p>{bar}", no_download()), None


def nothing() -> Shown:
    """What is shown as long as nothing was made of a picture."""
    return "", EMPTY, no_download(), faces.choice()


def no_download() -> gradio.DownloadButton:
    """The button while there is nothing to download."""
    return gradio.DownloadButton("Download", None, interactive=False)


def _sentence(error: Exception) -> str:
    """What to tell a visitor, who cannot set the server's options; a defect is logged."""
    try:
        told = _FOR_OPERATORS.sub("", str(as_http_error(error)))
    except Exception:
        log.exception("defect")
        return INTERNAL_ERROR
    is_bare = isinstance(error, TooLargeError) and ":" not in told
    return f"{told}: make it smaller first" if is_bare else told
