"""What the page shows of a picture before and after: files that a browser opens, whole."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import SrezError
from srez.images import Format, resample
from srez.serve.inference.picture import BYTES_PER_PIXEL, UpscalePlan
from srez.serve.page import faces, guesses
from srez.serve.page.browsers import MAX_SHOWN, SHOWN_BY_BROWSERS, png
from srez.serve.page.files import PageFiles
from srez.serve.service import Hold, Service


async def comparison(
    service: Service,
    files: PageFiles,
    upload: Path,
    result: Path,
    plan: UpscalePlan,
    hold: Hold,
    distance: Path | None = None,
    others: Sequence[Path] = (),
    found: faces.Found = None,
) -> tuple[str, str]:
    """Before and after, as HTML for `viewer.js`, `guesses.js` and `faces.js`.

    The browser enlarges the picture itself, and opens the result itself: a copy is only made of what it
    cannot show.

    Args:
        service: reads pictures.
        files: where copies go.
        upload: the picture, one of the files.
        result: what was made of it, another.
        plan: how.
        hold: of `memory.holding`.
        distance: how far the result may be from the truth, another, if that is known.
        others: other guesses, more of them.
        found: the faces, if they were looked for.

    Returns:
        The HTML, "" if there is no room for a copy; and a sentence if not every pixel is shown.
    """
    try:
        before = await _shown_before(service, files, upload)
        after, reduced = await _shown_after(service, files, result, plan, hold)
        sure, switch = await service.in_thread(_sure, files, distance) if distance else ("", "")
    except (SrezError, MemoryError):
        return "", "It is too large to be shown here; the download is complete."
    note = f"It is shown at 1/{reduced} of its size; the download is complete." if reduced > 1 else ""
    shown = files.address(after)
    boxes, boxes_switch = faces.layer(found, plan)
    html = _html(files.address(before), shown, plan.target, sure, boxes, switch + boxes_switch)
    return html + guesses.strip(files, shown, others), note


async def _shown_before(service: Service, files: PageFiles, upload: Path) -> Path:
    body = await service.in_thread(upload.read_bytes)
    format = images.format_of_bytes(body)
    if format is None or format.name not in SHOWN_BY_BROWSERS:
        picture = await service.read(body)
        return await service.in_thread(files.keep, "before.png", png(picture.pixels))
    if upload.suffix != format.suffix:  # a browser goes by the name
        return await service.in_thread(files.keep, "before" + format.suffix, body)
    return upload


async def _shown_after(
    service: Service, files: PageFiles, result: Path, plan: UpscalePlan, hold: Hold
) -> tuple[Path, int]:
    """The file to show, and by how much it is reduced."""
    format: Format = plan.options.file_format
    pixels = math.prod(plan.target)
    if format.name in SHOWN_BY_BROWSERS and pixels <= MAX_SHOWN:
        return result, 1
    hold(pixels * BYTES_PER_PIXEL)
    factor = math.ceil(math.sqrt(pixels / MAX_SHOWN))
    copy = await service.in_thread(_reduced, result, factor)
    return await service.in_thread(files.keep, "after.png", copy), factor


def _sure(files: PageFiles, distance: Path) -> tuple[str, str]:
    """The layer that shows how sure a result is, and its switch, as HTML."""
    layer = files.keep("layer.png", guesses.overlay(distance))
    switch = guesses.switch(files.address(distance), distance.name, guesses.caveat(distance))
    return guesses.layer(files.address(layer)), switch


def _reduced(result: Path, factor: int) -> bytes:
    """A result as PNG, `factor` times smaller, without rows and columns that do not fill a block."""
    pixels = images.rgb(images.read(result))
    height, width = (side - side % factor for side in pixels.shape[:2])
    return png(np.rint(resample.area(pixels[:height, :width], factor)).astype(np.uint8))


def _html(before: str, after: str, size: tuple[int, int], layer: str, boxes: str, switch: str) -> str:
    width, height = size
    # Without a blank line: it would end the HTML in what Gradio takes for Markdown.
    return f"""<div class="compare" style="--width: {width}; --height: {height}">
  <div class="stage" role="group" tabindex="0"
    aria-label="Before and after. Plus and minus zoom, arrow keys move.">
    <div class="before"><img src="{escape(before)}" alt="Before: your picture, enlarged by the browser"
      draggable="false"></div>
    <div class="after"><img src="{escape(after)}" alt="After: the result of srez" draggable="false">
      {layer}</div>{boxes}
    <div class="divider"></div>
    <span class="tag left" aria-hidden="true">before</span>
    <span class="tag right" aria-hidden="true">after</span>
  </div>
  <input type="range" class="split" min="0" max="100" value="50" step="1"
    aria-label="Divider between before and after">
  <div class="tools">
    <button type="button" data-zoom="out" aria-label="Zoom out">&minus;</button>
    <button type="button" data-zoom="in" aria-label="Zoom in">+</button>
    <button type="button" data-zoom="pixels">Actual pixels</button>
    <button type="button" data-zoom="fit">Whole picture</button>
  </div>{switch}
</div>"""
