"""The page: a picture in, before and after under one slider, the result to take away."""

import asyncio
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

# Before Gradio is imported: else it tells its makers of this server, and looks for a newer version.
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_RUN_HISTORY="False", HF_HUB_OFFLINE="1")

import gradio
import numpy as np
from fastapi import FastAPI
from gradio.themes import Default

from srez import demo, files, images, resample
from srez.errors import SrezError
from srez.images import Picture
from srez.serve import work
from srez.serve.refusals import told
from srez.serve.security import PAGE
from srez.serve.service import Service
from srez.serve.work import Wish

GUESS = "The result is a plausible guess, not evidence of who or what was in the picture."
_SHOWN = 1024  # the longest side of what is compared on the page, in pixels
_LOOK_SECONDS = 0.25  # between two looks at a job
_KEEP_SECONDS = 3600  # that files of the page are kept
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
    """
    gradio.mount_gradio_app(
        app,
        _blocks(service),
        PAGE,
        footer_links=[],
        run_history=False,
        show_error=True,
        ssr_mode=False,
        max_file_size=service.settings.max_body,
        theme=Default(font=_FONTS, font_mono=["ui-monospace", "monospace"]),
        css=_CSS,
        head=_KEYS,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )


def _blocks(service: Service) -> gradio.Blocks:
    names = list(service.models.cards)
    has_looks = any(card.vivid for card in service.models.cards.values())
    with gradio.Blocks(title="srez", analytics_enabled=False, delete_cache=(600, _KEEP_SECONDS)) as blocks:
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
                model = gradio.Dropdown(names, value=Wish().model, label="Model")
                fidelity = gradio.Slider(
                    0, 1, 1, step=0.05, label="Fidelity: 0 vivid, 1 faithful", visible=has_looks
                )
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
            path: str | None,
            model: str,
            fidelity: float,
            kind: str,
            progress: gradio.Progress = gradio.Progress(),  # noqa: B008
        ) -> tuple[Any, ...]:
            if path is None:
                raise gradio.Error("Choose a picture first.", print_exception=False)
            looks = service.models.cards[model].vivid if model in service.models.cards else None
            wish = Wish(model, fidelity if looks else None, format=kind)
            try:
                return await _enlarge(service, Path(path), wish, progress)
            except (SrezError, MemoryError) as error:
                raise gradio.Error(str(told(error)), print_exception=False) from None

        enlarging: dict[str, Any] = {
            "inputs": [picture, model, fidelity, kind],
            "outputs": [slider, facts, result],
            "api_visibility": "private",
            "concurrency_limit": 8,
        }
        start.click(enlarge, **enlarging)
        example.click(_example, None, picture, api_visibility="private").then(enlarge, **enlarging)
    blocks.queue(max_size=service.settings.max_queue)
    return blocks


def _example() -> str:
    """The portrait of `srez demo`, reduced to 16x16 as there, as a file."""
    low = np.rint(resample.area(demo.portrait(), 4)).astype(np.uint8)
    return str(_written(images.Picture(low), "example"))


async def _enlarge(service: Service, path: Path, wish: Wish, progress: gradio.Progress) -> tuple[Any, ...]:
    """What the page shows of a picture: before and after, a sentence, and the file."""
    settings = service.settings
    with service.holding() as hold:
        body = await service.in_thread(path.read_bytes)
        hold(len(body))
        looked = await service.in_thread(
            work.look, service.models, body, wish, settings.max_pixels, settings.max_memory
        )
        target = _folder() / ("srez" + files.SUFFIXES[wish.format])
        if looked.pixels <= settings.max_direct_pixels:
            progress(0.1, "upscaling")
            answer = await service.upscale(body, wish, hold)
            await service.in_thread(target.write_bytes, answer.data)
        else:
            await _as_job(service, body, wish, target, progress)
    pair = await service.in_thread(_pair, path, target, settings.max_pixels)
    (width, height), (to_width, to_height) = looked.size, looked.target
    said = f"{width}x{height} became {to_width}x{to_height}."
    if max(looked.target) > _SHOWN:
        said += " Shown is the middle; the download is whole."
    return pair, said, gradio.DownloadButton(value=str(target), interactive=True)


async def _as_job(service: Service, body: bytes, wish: Wish, target: Path, progress: gradio.Progress) -> None:
    """Make a large picture larger as a job, and look at it until it is done."""
    job = await service.add_job(body, wish)
    try:
        while job and job.state not in ("done", "failed"):
            done = service.runner.progress(job)
            progress(done, "upscaling" if job.state == "running" else "waiting for other pictures")
            await asyncio.sleep(_LOOK_SECONDS)
            job = await service.in_thread(service.store.get, job.id)
        if job is None or job.error:
            raise gradio.Error(job.error if job and job.error else "It was cancelled.", print_exception=False)
        await service.in_thread(shutil.copyfile, service.store.result(job), target)
    finally:
        if job:
            await service.in_thread(service.runner.remove, job.id)


def _pair(before: Path, after: Path, max_pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """The input by bicubic and the result, `(H, W, 3)` uint8 of one size; of a large one, the middle."""
    low = images.rgb(images.read(before, work.NAME, max_pixels))
    high = images.rgb(images.read(after, work.NAME, max_pixels * 16))
    scale = high.shape[0] // low.shape[0]
    height, width = (min(side, _SHOWN // scale) for side in low.shape[:2])
    top, left = (low.shape[0] - height) // 2, (low.shape[1] - width) // 2
    low = low[top : top + height, left : left + width]
    high = high[top * scale :, left * scale :][: height * scale, : width * scale]
    plain = images.to_uint8(resample.bicubic(low[None] / np.float32(255), scale)[0])
    return plain, high


def _folder() -> Path:
    """A new folder for a file that the page hands out; Gradio copies it and forgets this one."""
    folder = Path(tempfile.gettempdir()) / "srez-page" / secrets.token_hex(8)
    folder.mkdir(parents=True)
    return folder


def _written(picture: Picture, name: str) -> Path:
    path = _folder() / f"{name}.png"
    images.write(path, picture)
    return path
