"""Before and after, as the page shows them."""

import io

import numpy as np

from srez import images
from srez.errors import SrezError
from srez.images import Picture, resample
from srez.serve.inference.options import Options
from srez.serve.inference.picture import BYTES_PER_PIXEL, NAME, UpscalePlan
from srez.serve.service import Hold, Service
from srez.upscaling.upscaler import HIDDEN_REACH

Pair = tuple[np.ndarray, np.ndarray]
MAX_SIDE = 1024  # of what is shown, in pixels


async def before_and_after(
    service: Service, body: bytes, result: bytes | None, options: Options, plan: UpscalePlan, hold: Hold
) -> tuple[Pair | None, str]:
    """What to show: the bicubic enlargement and the result, or the middle of both.

    Args:
        service: upscales the middle.
        body: the input.
        result: the result, if it is small enough to be shown whole.
        options: that it was asked for with.
        plan: how it was made.
        hold: of `memory.holding`.

    Returns:
        Both pictures, or None if the server is too busy; and a sentence if not all is shown.
    """
    if result is not None:
        low, high = await service.read(body), await service.in_thread(images.read, result, NAME)
        return (_bicubic(low, plan), images.rgb(high)), ""
    try:
        pair = await _middle(service, body, options, plan, hold)
    except (SrezError, MemoryError):
        return None, "The server is too busy for a preview; the download is complete."
    return pair, "The preview shows the middle; the download is complete."


async def _middle(service: Service, body: bytes, options: Options, plan: UpscalePlan, hold: Hold) -> Pair:
    """Before and after of the middle, upscaled once more: reading the whole result would take its memory."""
    card = service.models.cards[plan.model]
    hold(plan.pixels * BYTES_PER_PIXEL)
    pixels = (await service.read(body)).pixels
    inner = [_middle_of(side, MAX_SIDE // card.scale) for side in pixels.shape[:2]]
    reach = (
        card.receptive_radius + HIDDEN_REACH
    )  # with as much around it, it comes out as in the whole picture
    outer = [slice(max(span.start - reach, 0), span.stop + reach) for span in inner]
    upscaled = await service.upscale(png(pixels[*outer]), options.model_copy(update={"format": "png"}), hold)
    high = images.rgb(await service.in_thread(images.read, upscaled.data, NAME))
    before = _bicubic(Picture(pixels[*inner]), plan)
    top, left = (card.scale * (span.start - around.start) for span, around in zip(inner, outer, strict=True))
    return before, high[top : top + before.shape[0], left : left + before.shape[1]]


def png(pixels: np.ndarray) -> bytes:
    """A picture, `(H, W, C)`, as a file."""
    picture = Picture(np.ascontiguousarray(pixels))
    file = io.BytesIO()
    images.save(file, NAME, images.Encoding(images.PNG), [picture.pixels], picture.size, picture)
    return file.getvalue()


def _middle_of(side: int, length: int) -> slice:
    """The middle of a side, of some length at most."""
    length = min(side, length)
    start = (side - length) // 2
    return slice(start, start + length)


def _bicubic(picture: Picture, plan: UpscalePlan) -> np.ndarray:
    """A picture, or a part of it, as large as the result, `(H, W, 3)` uint8."""
    low = images.rgb(picture)[None] / np.float32(255)
    return images.to_uint8(resample.bicubic(low, plan.target[0] // plan.size[0])[0])
