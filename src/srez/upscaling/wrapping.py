"""Seamless textures: pictures that go on at their other side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from srez.images.hidden import HIDDEN_REACH
from srez.models.face_finder import Face
from srez.upscaling.clipping import REACH
from srez.upscaling.tiling import Progress
from srez.upscaling.upscaler import Upscaler


def wrapped_bands(
    upscaler: Upscaler, image: np.ndarray, progress: Progress, repair: float, faces: Sequence[Face]
) -> Iterator[np.ndarray]:
    """As `Upscaler.bands`, for a picture whose left edge meets its right one, and its top its bottom.

    The network is shown what lies beyond an edge as far as it sees, so its results meet as well.

    Yields:
        From top to bottom, `(h, scale W, C)`; all h together are scale H.
    """
    scale, margin = upscaler.card.scale, upscaler.card.receptive_radius + REACH + HIDDEN_REACH
    sides = ((margin, margin), (margin, margin), *((0, 0) for _ in image.shape[2:]))
    left, width = margin * scale, image.shape[1] * scale
    first, last = margin * scale, (margin + image.shape[0]) * scale
    top = 0
    shifts = [
        (margin + across, margin + down)
        for across in (0, -image.shape[1], image.shape[1])
        for down in (0, -image.shape[0], image.shape[0])
    ]
    everywhere = [_moved(face, *shift) for face in faces for shift in shifts]
    for band in upscaler.bands(np.pad(image, sides, mode="wrap"), progress, repair, everywhere):
        inner = band[max(first - top, 0) : max(last - top, 0), left : left + width]
        top += len(band)
        if len(inner):
            yield inner


def _moved(face: Face, across: int, down: int) -> Face:
    left, top, right, bottom = face.box
    return replace(face, box=(left + across, top + down, right + across, bottom + down))
