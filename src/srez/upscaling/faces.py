"""Faces in photographs: each enlarged by a model of faces, and put into the photograph's result.

What is put there agrees with the photograph: reduced, the result is what it would have been without.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez.images import from_float, resample, to_float, to_uint8
from srez.models import box, face_finder
from srez.models.face_finder import Face
from srez.upscaling import beside

MODEL = "photo-faces"  # of the box
HEIGHTS = 8.0, 40.0  # of the boxes of faces that the model is used for, in pixels of the photograph
_REACH = 1.3, 1.1  # from the middle of a box, in its widths and heights: with hair and neck
_WHOLE = 0.65  # of the way from the middle of a face to its edge, from where on it fades into the photograph
_ROUNDS = 6  # of back-projection

Upscale = Callable[[np.ndarray], np.ndarray]
"""Makes a picture `(h, w, C)` larger, by a whole number of times."""


@dataclass(frozen=True)
class Patch:
    """A part of a result.

    Attributes:
        top: where it begins, in pixels of the result.
        left: likewise.
        pixels: what it is there, `(h, w, C)` of the picture's dtype; without alpha.
        mask: where a face is in it, `(h, w)` bool; elsewhere, the result stays as it is.
    """

    top: int
    left: int
    pixels: np.ndarray
    mask: np.ndarray


def model() -> Path:
    """The model of faces, where faces can be found.

    Raises:
        ModelError: the package with the finder's networks is missing; it says what to install.
    """
    face_finder.require_package()
    return box.find(MODEL)


def find(image: np.ndarray) -> list[Face]:
    """The faces of a picture, the surest first.

    Args:
        image: `(H, W, C)`, of any kind.

    Raises:
        ModelError: the package with the finder's networks is missing.
    """
    return face_finder.find(to_uint8(beside.colours(image)))


def fits(face: Face) -> bool:
    """Whether the model knows faces of this size."""
    return HEIGHTS[0] <= face.box[3] - face.box[1] <= HEIGHTS[1]


def patch(face: Face, image: np.ndarray, margin: int, photo: Upscale, faces: Upscale) -> Patch | None:
    """What to put into a result for a face; None for one that lies beyond the edge.

    Args:
        face: as `find` gives it.
        image: the photograph, `(H, W, C)`.
        margin: how far the models look, in pixels of the photograph.
        photo: makes a part of the photograph larger.
        faces: makes a face larger, RGB or gray.
    """
    (left, right), (top, bottom) = (
        (max(int(middle - reach), 0), min(int(np.ceil(middle + reach)), side))
        for middle, reach, side in zip(*_ellipse(face), image.shape[1::-1], strict=True)
    )
    if left >= right or top >= bottom:
        return None
    first, start = max(top - margin, 0), max(left - margin, 0)
    part = to_float(image[first : bottom + margin, start : right + margin])
    plain = _larger(photo, part.astype(np.float32))
    plain = plain[..., : 1 if plain.shape[2] < 3 else 3]
    scale = len(plain) // len(part)
    small = resample.bicubic_to(plain, *part.shape[1::-1])  # that the result agrees with: repaired, maybe
    larger = _larger(faces, small.clip(0, 1))
    mask = np.zeros((*plain.shape[:2], 1), np.float32)
    rows, columns = slice(top - first, bottom - first), slice(left - start, right - start)
    inner = tuple(slice(part.start * scale, part.stop * scale) for part in (rows, columns))
    mask[inner] = _mask(face, (top, bottom), (left, right), scale)[..., None]
    result = plain + mask * (larger - plain)
    for _ in range(_ROUNDS):
        rest = small - resample.bicubic_to(result, *part.shape[1::-1])
        result += (mask > 0) * resample.bicubic_to(rest, *plain.shape[1::-1])
    pixels = from_float(result[inner].clip(0, 1), image.dtype)
    return Patch(top * scale, left * scale, pixels, mask[inner][..., 0] > 0)


def put_in(bands: Iterable[np.ndarray], patches: Sequence[Patch]) -> Iterator[np.ndarray]:
    """Bands of a result, from top to bottom, with patches in it; the first lies on top."""
    top = 0
    for band in bands:
        changed = band.copy() if patches else band
        for each in reversed(patches):
            first, last = max(each.top - top, 0), min(each.top + len(each.mask) - top, len(band))
            if first < last:
                rows = slice(first + top - each.top, last + top - each.top)
                mask, colours = each.mask[rows], each.pixels[rows]
                place = changed[first:last, each.left : each.left + mask.shape[1], : colours.shape[2]]
                place[mask] = colours[mask]
        top += len(band)
        yield changed


def _larger(upscale: Upscale, part: np.ndarray) -> np.ndarray:
    return upscale(part) if part.shape[2] > 1 else upscale(part[..., 0])[..., None]


def _ellipse(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """The middle of a face, and how far it reaches from there: x and y, in pixels."""
    corners = np.array(face.box).reshape(2, 2)
    return corners.mean(axis=0), (corners[1] - corners[0]) * _REACH


def _mask(face: Face, rows: tuple[int, int], columns: tuple[int, int], scale: int) -> np.ndarray:
    """How much of a face each pixel of a part shows, `(h, w)` float32: 1 in the middle, 0 at its edge."""
    middle, reach = _ellipse(face)
    y, x = (np.arange((end - begin) * scale) + 0.5 for begin, end in (rows, columns))
    across = (x / scale + columns[0] - middle[0]) / reach[0]
    down = (y / scale + rows[0] - middle[1]) / reach[1]
    away = np.sqrt(across**2 + down[:, None] ** 2)
    inside = ((1 - away) / (1 - _WHOLE)).clip(0, 1)
    return (inside * inside * (3 - 2 * inside)).astype(np.float32)
