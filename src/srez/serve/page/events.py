"""Handles the events of the page."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import gradio

from srez.errors import TooLargeError
from srez.serve.errors import INTERNAL_ERROR, HttpError, as_http_error
from srez.serve.inference.found import FoundFace
from srez.serve.observe.logs import log
from srez.serve.page import examples, faces, guesses, names, planning, work
from srez.serve.page.comparison import comparison
from srez.serve.page.files import PageFiles
from srez.serve.service import Service

_MAX_RUNNING = 8  # pictures upscaled at the same time
_FOR_OPERATORS = re.compile(r"(: if you trust it, allow more)? \(--[^)]*\)")
NO_PICTURE = "Choose a picture first."
EMPTY = "<p>The result will appear here.</p>"

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
            yield _working(work.WAITING)
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
            name = names.own_name(upload.get("orig_name"), file, body)
            plan = await planning.plan(service, body, name, choices)
            await service.in_thread(self.files.make_room, 0)
            result = self.files.new(names.result_name(name, plan))
            yield _working("Upscaling …")
            sure = await guesses.sure(service, body, plan)
            made = result if sure is plan else result.with_name("sure.zip")
            found: list[FoundFace] | None = [] if plan.options.faces else None
            async with aclosing(work.run(service, body, sure, made, hold, found)) as fractions:
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
