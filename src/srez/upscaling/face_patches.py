"""Faces put into the result of a photograph, each enlarged by a model of faces.

What is put there agrees with the photograph: reduced, the result is what it would have been without.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from srez.images import from_float, resample, to_float, white
from srez.models.face_finder import Face

_REACH = 1.3, 1.1  # from the middle of a box, in its widths and heights: with hair and neck
_WHOLE = 0.65  # of the way from the middle of a face to its edge, from where on it fades into the photograph
_ROUNDS = 6  # of back-projection

Upscale = Callable[[np.ndarray], np.ndarray]
"""Makes a picture `(h, w, C)` larger, by a whole number of times."""

UpscalePart = Callable[[np.ndarray, tuple[int, int]], np.ndarray]
"""The same of a part of a picture that begins at a row and a column."""


@dataclass(frozen=True)
class Spot:
    """What a face may change of a photograph: an ellipse. All in pixels of the photograph.

    Attributes:
        middle: of the ellipse, x and y.
        reach: how far it goes from there, likewise.
        rows: that hold it, from and to.
        columns: likewise.
        turn: quarter turns to the left after which the face is upright.
    """

    middle: tuple[float, float]
    reach: tuple[float, float]
    rows: tuple[int, int]
    columns: tuple[int, int]
    turn: int

    def meets(self, other: "Spot") -> bool:
        """Whether both have pixels in common, or nearly so."""
        pairs = (self.rows, other.rows), (self.columns, other.columns)
        return all(one[0] < two[1] and two[0] < one[1] for one, two in pairs)

    def pixels(self, margin: int) -> int:
        """Pixels of the rows and columns, and of a margin around them."""
        return (self.rows[1] - self.rows[0] + 2 * margin) * (self.columns[1] - self.columns[0] + 2 * margin)


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


def spot(face: Face, size: tuple[int, int]) -> Spot | None:
    """What a face may change of a picture; None for one that lies beyond the edge.

    Args:
        face: as `find` gives it.
        size: width and height of the picture, in pixels.
    """
    corners = np.array(face.box).reshape(2, 2)
    far_across = _REACH[::-1] if face.turn % 2 else _REACH
    middle, reach = corners.mean(axis=0), (corners[1] - corners[0]) * far_across
    (left, right), (top, bottom) = (
        (max(int(at - far), 0), min(int(np.ceil(at + far)), side))
        for at, far, side in zip(middle, reach, size, strict=True)
    )
    if left >= right or top >= bottom:
        return None
    return Spot(tuple(middle), tuple(reach), (top, bottom), (left, right), face.turn)


def patch(
    place: Spot, image: np.ndarray, others: Sequence[Spot], margin: int, photo: UpscalePart, faces: Upscale
) -> Patch:
    """What to put into a result for a face.

    Args:
        place: of the face.
        image: the photograph, `(H, W, C)`.
        others: places of all faces that are put in; where they meet, each has its share.
        margin: how far the models look, in pixels of the photograph.
        photo: makes a part of the photograph larger.
        faces: makes a face larger, RGB or gray.
    """
    (top, bottom), (left, right) = place.rows, place.columns
    first, start = max(top - margin, 0), max(left - margin, 0)
    part = to_float(image[first : bottom + margin, start : right + margin])
    plain = _larger(lambda pixels: photo(pixels, (first, start)), part.astype(np.float32))
    plain = plain[..., : 1 if plain.shape[2] < 3 else 3]
    scale = len(plain) // len(part)
    small = resample.bicubic_to(plain, *part.shape[1::-1])  # that the result agrees with: repaired, maybe
    upright = np.ascontiguousarray(np.rot90(small.clip(0, 1), place.turn))
    larger = np.rot90(_larger(faces, upright), -place.turn)
    mask = np.zeros((*plain.shape[:2], 1), np.float32)
    rows, columns = slice(top - first, bottom - first), slice(left - start, right - start)
    inner = tuple(slice(part.start * scale, part.stop * scale) for part in (rows, columns))
    mask[inner] = _share(place, others, scale)[..., None]
    result = plain + mask * (larger - plain)
    for _ in range(_ROUNDS):
        rest = small - resample.bicubic_to(result, *part.shape[1::-1])
        result += (mask > 0) * resample.bicubic_to(rest, *plain.shape[1::-1])
    pixels = from_float(result[inner].clip(0, 1), image.dtype)
    return Patch(top * scale, left * scale, pixels, mask[inner][..., 0] > 0)


def put_in(
    bands: Iterable[np.ndarray], places: Sequence[Spot], make: Callable[[Spot], Patch], scale: int
) -> Iterator[np.ndarray]:
    """Bands of a result, from top to bottom, with faces in it; each is made when its band is there.

    Args:
        bands: of the result without.
        places: of the faces.
        make: makes what is put into a place.
        scale: of the result.
    """
    waiting = sorted(places, key=lambda place: place.rows[0], reverse=True)
    patches: list[Patch] = []
    top = 0
    for band in bands:
        bottom = top + len(band)
        while waiting and waiting[-1].rows[0] * scale < bottom:
            patches.append(make(waiting.pop()))
        yield _changed(band, top, patches) if patches else band
        patches = [each for each in patches if each.top + len(each.mask) > bottom]
        top = bottom
        del band  # or it would be kept while the next one is waited for


def _changed(band: np.ndarray, top: int, patches: Sequence[Patch]) -> np.ndarray:
    """A band with all that patches add to it: where two meet, no one covers the other."""
    changed = band.copy()
    most = white(band.dtype)
    for each in patches:
        first, last = max(each.top - top, 0), min(each.top + len(each.mask) - top, len(band))
        rows = slice(first + top - each.top, last + top - each.top)
        mask, colours = each.mask[rows], each.pixels[rows]
        part = slice(first, last), slice(each.left, each.left + mask.shape[1]), slice(colours.shape[2])
        added = colours[mask].astype(np.float64) - band[part][mask]
        changed[part][mask] = (changed[part][mask] + added).clip(0, most)
    return changed


def _larger(upscale: Upscale, part: np.ndarray) -> np.ndarray:
    return upscale(part) if part.shape[2] > 1 else upscale(part[..., 0])[..., None]


def _share(place: Spot, others: Sequence[Spot], scale: int) -> np.ndarray:
    """How much of a face each pixel of its place shows, `(h, w)` float32: with others' no more than 1."""
    own = _mask(place, place, scale)
    meeting = [_mask(each, place, scale) for each in others if each is not place and each.meets(place)]
    if not meeting:
        return own
    every = np.stack([own, *meeting])
    return own * every.max(axis=0) / np.maximum(every.sum(axis=0), 1e-6)


def _mask(face: Spot, place: Spot, scale: int) -> np.ndarray:
    """How much of a face each pixel of a place shows, `(h, w)` float32: 1 in the middle, 0 at its edge."""
    y, x = (np.arange((end - begin) * scale) + 0.5 for begin, end in (place.rows, place.columns))
    across = (x / scale + place.columns[0] - face.middle[0]) / face.reach[0]
    down = (y / scale + place.rows[0] - face.middle[1]) / face.reach[1]
    away = np.sqrt(across**2 + down[:, None] ** 2)
    inside = ((1 - away) / (1 - _WHOLE)).clip(0, 1)
    return (inside * inside * (3 - 2 * inside)).astype(np.float32)
