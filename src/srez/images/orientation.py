"""What the EXIF orientation asks for, from 1 to 8: exchange rows and columns, then mirror each."""

import numpy as np


def turn(orientation: int) -> tuple[bool, bool, bool]:
    """Whether rows and columns are exchanged, and whether then rows and columns are in reverse."""
    return orientation >= 5, orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """A picture, `(H, W)` or `(H, W, C)`, turned and mirrored as asked."""
    exchanged, rows, columns = turn(orientation)
    if exchanged:
        pixels = pixels.swapaxes(0, 1)
    if rows:
        pixels = pixels[::-1]
    if columns:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
