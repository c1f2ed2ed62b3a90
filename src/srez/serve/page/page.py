"""The page: a picture in, before and after under one slider, the result to take away."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

# Before Gradio is imported: else it tells its makers of this server, and looks for a newer version.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_RUN_HISTORY="False", HF_HUB_OFFLINE="1")

import gradio
import numpy as np
from fastapi import FastAPI
from gradio.themes import Base, Default
from starlette.middleware import Middleware

from srez import images
from srez.errors import SrezError
from srez.evaluation import demo
from srez.images import Picture, resample
from srez.models import box
from srez.serve.errors import INTERNAL_ERROR, as_http_error
from srez.serve.guard.access import PAGE
from srez.serve.inference import picture as work
from srez.serve.inference.picture import Options, UpscalePlan
from srez.serve.limits import PAGE_SECONDS
from srez.serve.observe.logs import log
from srez.serve.page.files import PageFiles
from srez.serve.page.guard import PageGuard
from srez.serve.service import Service
from srez.upscaling.upscaler import HIDDEN_REACH, load

GUESS = "The result is a plausible guess, not evidence of who or what was in the picture."
_SHOWN = 1024  # the longest side of what is compared on the page, in pixels
_LOOK_SECONDS = 0.25  # between two looks at a job
_SWEEP_SECONDS = 600  # between two looks for old files
_SCALE = 4  # of the example
_FONTS = ["system-ui", "sans-serif"]
# The image slider's handle takes no keys by itself; with this, arrows drag it.
_KEYS = """<script>
const slider = "#slider [data-testid=slider]";
document.addEventListener("keydown", event => {
  const handle = document.activeElement, step = {ArrowLeft: -10, ArrowRight: 10}[event.key];
  if (!step || !handle.matches(slider)) return;
  event.preventDefault();
  const box = handle.getBoundingClientRect();
  const at = {bubbles: true, view: window, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
  handle.dispatchEvent(new MouseEvent("mousedown", at));
  const moved = {...at, clientX: at.clientX + step};
  for (const name of ["mousemove", "mouseup"]) window.dispatchEvent(new MouseEvent(name, moved));
});
new MutationObserver(() => {
  const handle = document.querySelector(slider);
  if (handle && handle.tabIndex < 0) {
    handle.tabIndex = 0;
    handle.ariaLabel = "Where before and after meet: left and right arrows move it";
  }
}).observe(document, {childList: true, subtree: true});
</script>"""
_CSS = """
#input .image-frame img { width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated; }
footer { display: none !important; }
button:focus-visible, input:focus-visible, [data-testid=slider]:focus-visible {
  outline: 3px solid #1d4ed8 !important; outline-offset: 2px;
}
"""


def mount(app: FastAPI, service: Service) -> None:
    """Put the page into an application.

    Args:
        app: the API.
        service: behind it.

    Raises:
        OutputError: its folder, below the state folder, cannot be made.
    """
    kept = PageFiles(service.settings.state / "page")
    os.environ["GRADIO_TEMP_DIR"] = str(kept.folder)  # where it puts uploads and what the page shows
    blocks = _blocks(service, kept)
    kept.keep()
    # Else Gradio checks no path in a request: it takes a mounted application for one that is being written.
    blocks.has_launched = blocks.is_running = True
    gradio.mount_gradio_app(
        app,
        blocks,
        PAGE,
        footer_links=[],
        run_history=False,
        show_error=False,  # but those that are meant for people
        ssr_mode=False,
        max_file_size=service.settings.max_body,
        theme=_theme(),
        css=_CSS,
        head=_KEYS,
        app_kwargs={
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
            "middleware": [Middleware(PageGuard, files=kept)],
            "lifespan": _sweeping(kept),
        },
    )
    mounted: Any = app.routes[-1]
    service.at_quit.append(mounted.app.stop_event.set)  # else every open page would delay the stop


def _theme() -> Base:
    """Gradio's, with the fonts of the machine, and darker where its colours are hard to read."""
    return Default(font=_FONTS, font_mono=["ui-monospace", "monospace"]).set(
        block_info_text_color="*neutral_600",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
    )


def _sweeping(kept: PageFiles) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan during which old files are removed, and at the end all."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await asyncio.to_thread(kept.sweep, PAGE_SECONDS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(sweep())
        yield
        task.cancel()
        kept.clear()

    return lifespan


def _blocks(service: Service, kept: PageFiles) -> gradio.Blocks:
    names = [box.AUTO, *service.models.cards]
    with gradio.Blocks(title="srez", analytics_enabled=False) as blocks:
        gradio.Markdown(f"# srez: pictures made larger\n{GUESS}")
        with gradio.Row():
            with gradio.Column():
                picture = gradio.Image(
                    label="Your picture",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard", "webcam"],
                    height=320,
                    elem_id="input",
                )
                example = gradio.Button("Try it with an example", elem_id="example")
                with gradio.Accordion("Input, bicubic, srez and truth", open=False, elem_id="sheet"):
                    gradio.Image(
                        demo.sheet(load("faces")),  # that in the box, whatever a folder of models holds
                        show_label=False,
                        interactive=False,
                        buttons=[],
                        alt_text="A face of 16x16 pixels, made larger by bicubic and by srez, and the truth.",
                    )
                model = gradio.Dropdown(
                    names,
                    value=box.AUTO,
                    label="Model",
                    info="auto: faces for 16x16 pixels, photo for all others, each with its own fidelity; "
                    "choose one to set it",
                )
                fidelity = _fidelity(service, box.AUTO)
                kind = gradio.Dropdown(list(work.FORMATS), value="png", label="Format of the result")
                start = gradio.Button("Make it larger", variant="primary", elem_id="start")
            with gradio.Column():
                slider = gradio.ImageSlider(
                    label="Before (bicubic) and after",
                    format="png",
                    interactive=False,
                    buttons=["fullscreen"],
                    max_height=480,
                    elem_id="slider",
                )
                facts = gradio.Markdown(elem_id="facts")
                result = gradio.DownloadButton("Download the result", interactive=False, elem_id="download")

        async def enlarge(
            upload: dict[str, Any] | None,
            model: str,
            fidelity: float,
            kind: str,
            progress: gradio.Progress = gradio.Progress(),  # noqa: B008
        ) -> tuple[Any, ...]:
            if upload is None:
                raise _error("Choose a picture first.")
            try:
                work.refuse_format(kind)
                options = Options(model, fidelity, format=kind)
                return await _enlarge(service, kept, Path(upload["path"]), options, progress)
            except gradio.Error:
                raise
            except (SrezError, MemoryError) as error:
                raise _error(str(as_http_error(error))) from None
            except Exception:
                log.exception("defect")
                raise _error(INTERNAL_ERROR) from None

        enlarging: dict[str, Any] = {
            "inputs": [picture, model, fidelity, kind],
            "outputs": [slider, facts, result],
            "preprocess": False,  # what is wrong with a picture, or with a choice, is better told by us
            "api_visibility": "private",
            "concurrency_limit": 8,
        }
        model.change(lambda name: _fidelity(service, name), model, fidelity, api_visibility="private")
        start.click(enlarge, **enlarging)
        example.click(lambda: _example(kept), None, picture, api_visibility="private").then(
            enlarge, **enlarging
        )
    blocks.queue(max_size=service.settings.max_queue)
    return blocks


def _error(sentence: str) -> gradio.Error:
    """What the page tells a person."""
    return gradio.Error(sentence, print_exception=False)


def _fidelity(service: Service, model: str) -> gradio.Slider:
    """The knob between a model's two looks, at the model's own; hidden for "auto" and for one look."""
    card = None if model == box.AUTO else service.models.cards[model]
    two = card is not None and card.vivid is not None
    return gradio.Slider(
        0,
        1,
        card.fidelity if card and two else 1.0,
        step=0.05,
        label="Fidelity",
        info="0 vivid, 1 faithful",
        visible=two,
    )


def _example(kept: PageFiles) -> str:
    """The portrait of `srez demo`, reduced to 16x16 as there, as a file."""
    path = kept.place("example.png")
    images.write(path, Picture(np.rint(resample.area(demo.portrait(), _SCALE)).astype(np.uint8)))
    return str(path)


async def _enlarge(
    service: Service, kept: PageFiles, path: Path, options: Options, progress: gradio.Progress
) -> tuple[Any, ...]:
    """What the page shows of a picture: before and after, a sentence, and the file."""
    with service.holding() as hold:
        body = await service.in_thread(path.read_bytes)
        hold(len(body))
        service.models.require(options.model)
        size = await service.in_thread(images.size, body, work.NAME, service.settings.max_pixels)
        chosen = box.suited(options.model, size)
        if options.model == box.AUTO or not service.models.cards[chosen].vivid:
            options = replace(options, fidelity=None)  # the knob was hidden
        options = replace(options, model=chosen)
        plan = await service.in_thread(service.look, body, options)
        name = "srez" + options.kind.suffix
        if plan.is_small:
            answer = await service.upscale(body, options, hold)
            target = kept.place(name)
            await service.in_thread(target.write_bytes, answer.data)
        else:
            target = await _as_job(service, body, options, lambda: kept.place(name), progress)
        pair, shown = await _pair(service, body, target, options, plan, hold)
    (width, height), (to_width, to_height) = plan.size, plan.target
    said = f"{width}x{height} became {to_width}x{to_height}. {shown}"
    return pair, said, gradio.DownloadButton(value=str(target), interactive=True)


async def _as_job(
    service: Service, body: bytes, options: Options, place: Callable[[], Path], progress: gradio.Progress
) -> Path:
    """Make a picture larger as a job, look at it until it is done, and put its result into a place."""
    job = await service.add_job(body, options)
    try:
        while job and job.state not in ("done", "failed"):
            if service.stopping:
                raise _error("The server is stopping: try again in a moment.")
            done = service.worker.progress(job)
            progress(done, "upscaling" if job.state == "running" else "waiting for other pictures")
            await asyncio.sleep(_LOOK_SECONDS)
            job = await service.in_thread(service.store.get, job.id)
        if job is None or job.error:
            raise _error(job.error if job and job.error else "It was cancelled.")
        return await service.in_thread(service.store.result(job).replace, place())
    finally:
        if job:
            await service.in_thread(service.store.remove, job.id)


async def _pair(
    service: Service,
    body: bytes,
    target: Path,
    options: Options,
    plan: UpscalePlan,
    hold: Callable[[int], None],
) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
    """Before and after, of a large picture the middle, and a sentence if that is not all."""
    if max(plan.target) <= _SHOWN:
        low = await service.in_thread(images.read, body, work.NAME)
        high = await service.in_thread(images.read, target, work.NAME)
        return (_bicubic(low, plan), images.rgb(high)), ""
    try:
        return await _middle(
            service, body, options, plan, hold
        ), "Shown is the middle; the download is whole."
    except (SrezError, MemoryError):
        return None, "The server is too busy to show it; the download is whole."


async def _middle(
    service: Service, body: bytes, options: Options, plan: UpscalePlan, hold: Callable[[int], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Before and after of a picture's middle, made once more: to find it in the result, all is decoded."""
    card = service.models.cards[plan.model]
    hold(plan.pixels * work.BYTES_PER_PIXEL)
    pixels = (await service.in_thread(images.read, body, work.NAME, service.settings.max_pixels)).pixels
    inner = [_middle_of(side, _SHOWN // card.scale) for side in pixels.shape[:2]]
    seen = card.receptive_radius + HIDDEN_REACH  # with as much around it, it comes out as in the whole
    outer = [slice(max(span.start - seen, 0), span.stop + seen) for span in inner]
    part = Picture(np.ascontiguousarray(pixels[*outer]))
    file = io.BytesIO()
    images.save(file, work.NAME, images.PNG, [part.pixels], part.size, part)
    answer = await service.upscale(file.getvalue(), replace(options, format="png"), hold)
    high = images.rgb(await service.in_thread(images.read, answer.data, work.NAME))
    before = _bicubic(Picture(pixels[*inner]), plan)
    top, left = (card.scale * (span.start - around.start) for span, around in zip(inner, outer, strict=True))
    return before, high[top : top + before.shape[0], left : left + before.shape[1]]


def _middle_of(side: int, most: int) -> slice:
    """The part of a side that is shown."""
    length = min(side, most)
    start = (side - length) // 2
    return slice(start, start + length)


def _bicubic(picture: Picture, plan: UpscalePlan) -> np.ndarray:
    """A picture, or a part of it, as large as the result, `(H, W, 3)` uint8."""
    low = images.rgb(picture)[None] / np.float32(255)
    return images.to_uint8(resample.bicubic(low, plan.target[0] // plan.size[0])[0])
