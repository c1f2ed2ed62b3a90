"""Repaired results that keep to what their JPEG file says.

JPEG rounds the frequencies of each block to multiples of its steps. So a file rules out all pictures but
those within half a step of it, and a repair that leaves these is wrong: as where it takes the slats of a
fence for the waves that JPEG leaves. Here, what a result is reduced to is brought back to the nearest picture
that the file does not rule out (Zakhor, "Iterative procedures for reduction of blocking effects in transform
image coding", IEEE TCSVT 1992), and the difference is added to the result.

Most frequencies are nearer than half a step, and held so (Park and Kim, "Theory of projection onto the narrow
quantization constraint set and its application", IEEE TIP 1999). But one of which little is left may be
noise, and the lowest are what blocks differ by, which repairing removes: these may be as far as half a step.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from srez.images import Jpeg, from_float, resample, white
from srez.images.jpeg import BLOCK
from srez.images.luma import luma
from srez.upscaling import stretches

_HALF = 0.5  # steps: what the file rules out lies beyond
_NEAR = 0.2  # steps; chosen on BSDS500's photographs for training, at qualities of 30 and 65
_SURE = 2  # steps from which on a frequency is held near
_LOWEST = [(0, 0), (0, 1), (1, 0)]  # frequencies: what blocks differ by
_CLEAR = 4  # grey levels that a frequency may be off a whole step; chosen on the same, and on drawings
_SEEN = 20  # rows on both sides: a block, and what reduction and upscaling reach
_ROUNDS = 1  # of back-projection

_DCT = np.sqrt(2 / BLOCK) * np.cos(np.pi * np.outer(np.arange(BLOCK), np.arange(BLOCK) + 0.5) / BLOCK)
_DCT[0] /= np.sqrt(2)


def kept(
    bands: Iterable[np.ndarray], image: np.ndarray, jpeg: Jpeg | None, scale: int
) -> Iterator[np.ndarray]:
    """Bands of a result, changed where what they are reduced to is not what the file allows.

    The colours of a pixel change by the same, so gray stays gray; alpha stays as it is. Blocks that do not
    show what the file holds, as where decoding clipped much, stay too.

    Args:
        bands: from top to bottom, `(h, scale W, C)` each, in the image's dtype.
        image: the picture as decoded, `(H, W, C)`.
        jpeg: what its file tells; without steps, the bands stay as they are.
        scale: of the result.

    Yields:
        The same rows, in other bands.
    """
    if not jpeg or not jpeg.steps:
        yield from bands
        return
    steps = np.reshape(jpeg.steps, (BLOCK, BLOCK))
    for stretch in stretches.along(bands, len(image), scale, _SEEN):
        begin = (jpeg.begin[0] - stretch.seen.start) % BLOCK, jpeg.begin[1]
        change = _change(stretch.rows, image[stretch.seen], steps, begin, scale)
        yield _changed(stretch.rows[stretch.inner], None if change is None else change[stretch.inner])


def _changed(rows: np.ndarray, change: np.ndarray | None) -> np.ndarray:
    if change is None or not change.any():
        return rows
    colours = rows[..., :1] if rows.shape[2] < 3 else rows[..., :3]
    if rows.dtype.kind == "f":
        colours = from_float(colours + change[..., None], rows.dtype)
    else:
        most = white(rows.dtype)
        levels = np.rint(change * np.float32(most)).astype(np.int32)  # as to floats and back, but faster
        colours = (colours + levels[..., None]).clip(0, most).astype(rows.dtype)
    return np.concatenate([colours, rows[..., colours.shape[2] :]], axis=2)


def _change(
    rows: np.ndarray, image: np.ndarray, steps: np.ndarray, begin: tuple[int, int], scale: int
) -> np.ndarray | None:
    """What to add to some rows of a result, where 1 is from black to white; None for nothing."""
    below, right = begin
    height, width = (image.shape[0] - below) // BLOCK * BLOCK, (image.shape[1] - right) // BLOCK * BLOCK
    if height <= 0 or width <= 0:
        return None
    blocks = slice(below, below + height), slice(right, right + width)
    ours = resample.bicubic_to(_level(rows)[..., None], image.shape[1], len(image))[..., 0][blocks]
    wrong = _wrong(ours, _level(image)[blocks], steps)
    if not wrong.any():
        return None
    change = np.zeros((*image.shape[:2], 1), np.float32)
    change[blocks] = wrong[..., None] / -255
    return _enlarged(change, scale)[..., 0]


def _enlarged(change: np.ndarray, scale: int) -> np.ndarray:
    """What is reduced to a change, by back-projection as in the network: bicubic alone softens it."""
    larger = resample.bicubic(change[None], scale)[0]
    for _ in range(_ROUNDS):
        missing = change - resample.bicubic_to(larger, change.shape[1], len(change))
        larger += resample.bicubic(missing[None], scale)[0]
    return larger


def _level(image: np.ndarray) -> np.ndarray:
    """Luma as JPEG transforms it, `(H, W)` float32: 0 is middle gray."""
    return luma(image) - 128


def _wrong(ours: np.ndarray, theirs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """How far one picture is from what the file of the other allows, `(H, W)`; both are whole blocks."""
    shape = (len(ours) // BLOCK, BLOCK, ours.shape[1] // BLOCK, BLOCK)
    steps = steps.astype(np.float32)[:, None]
    decoded = _transformed(theirs, _DCT).reshape(shape) / steps
    held = np.rint(decoded)
    clear = (np.abs(decoded - held) * steps).max(axis=(1, 3), keepdims=True) <= _CLEAR
    allowed = np.where(np.abs(held) >= _SURE, np.float32(_NEAR), np.float32(_HALF))
    for row, column in _LOWEST:
        allowed[:, row, :, column] = _HALF
    found = _transformed(ours, _DCT).reshape(shape) / steps
    beyond = (found - np.clip(found, held - allowed, held + allowed)) * steps * clear
    return _transformed(beyond.reshape(ours.shape), _DCT.T)


def _transformed(plane: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A transform of each block, along both of its sides."""
    matrix = matrix.astype(np.float32)
    rows = (matrix @ plane.reshape(-1, BLOCK, plane.shape[1])).reshape(-1, BLOCK)
    return (rows @ matrix.T).reshape(plane.shape)
