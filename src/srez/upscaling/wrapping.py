"""Seamless textures: pictures that go on at their other side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from srez.images.hidden import HIDDEN_REACH
from srez.models.face_finder import Face
from srez.upscaling.clipping import REACH
from srez.upscaling.resizing import seen_beyond
from srez.upscaling.tiling import Progress
from srez.upscaling.upscaler import Upscaler


def wrapped_bands(
    target: tuple[int, int],
    upscaler: Upscaler,
    image: np.ndarray,
    progress: Progress,
    repair: float,
    faces: Sequence[Face],
) -> Iterator[np.ndarray]:
    """As `Upscaler.bands`, for a picture whose left edge meets its right one, and its top its bottom.

    The network is shown what lies beyond an edge as far as it sees, and so is what resizes its results: both
    meet as well.

    Args:
        target: width and height that `resized_bands` will bring the result to; the others are those of
            `Upscaler.bands`.

    Yields:
        From top to bottom, `(h, scale (W + 2 b), C)`; all h together are scale (H + 2 b), where b is what
        `seen_beyond` says.
    """
    height, width = image.shape[:2]
    card, beyond = upscaler.card, seen_beyond((width, height), upscaler.card, target)
    unseen = card.receptive_radius + REACH + HIDDEN_REACH  # in the result
    margin = unseen + beyond
    sides = ((margin, margin), (margin, margin), *((0, 0) for _ in image.shape[2:]))
    inside = slice(unseen * card.scale, (unseen + width + 2 * beyond) * card.scale)
    first, last = unseen * card.scale, (unseen + height + 2 * beyond) * card.scale
    top = 0
    shifts = [
        (margin + across, margin + down) for across in (0, -width, width) for down in (0, -height, height)
    ]
    everywhere = [_moved(face, *shift) for face in faces for shift in shifts]
    for band in upscaler.bands(np.pad(image, sides, mode="wrap"), progress, repair, everywhere):
        inner = band[max(first - top, 0) : max(last - top, 0), inside]
        top += len(band)
        if len(inner):
            yield inner


def _moved(face: Face, across: int, down: int) -> Face:
    left, top, right, bottom = face.box
    return replace(face, box=(left + across, top + down, right + across, bottom + down))
