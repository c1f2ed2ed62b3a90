"""Aligned faces: where in a picture the 64x64 face is."""

import numpy as np

from srez import images
from srez.datasets.opaque import opaque
from srez.errors import ImageError
from srez.images import resample

FACE_SIDE = 64  # side of the truth, in pixels
RIM = 4  # pixels kept around it, for random shifts
FACE_SCALE = 4  # side of the truth over side of the input

# The part of an aligned picture that holds the face and its rim: (left, top, right, bottom), by picture size.
# The face itself is srez's: 128x128 at (25, 60) of a full-size CelebA file.
FRAMINGS = {
    (178, 218): (17, 52, 161, 196),  # CelebA, aligned and cropped
    (89, 109): (8, 26, 80, 98),  # the same at half size
    (144, 144): (0, 0, 144, 144),  # a face already cut out, with its rim
    (72, 72): (0, 0, 72, 72),
}


def frame(picture: images.Picture, name: str) -> np.ndarray:
    """Cut an aligned face out of its picture.

    Args:
        picture: of one of the sizes in `FRAMINGS`, or 64x64, which then gets its rim by repeating its edge.
        name: what to call it in an error.

    Returns:
        The face with its rim, `(72, 72, 3)` uint8.

    Raises:
        ImageError: another size.
    """
    pixels = opaque(picture)
    height, width = pixels.shape[:2]
    if (height, width) == (FACE_SIDE, FACE_SIDE):
        return np.pad(pixels, ((RIM, RIM), (RIM, RIM), (0, 0)), mode="edge")
    if (width, height) not in FRAMINGS:
        sizes = ", ".join(f"{w}x{h}" for w, h in [*FRAMINGS, (FACE_SIDE, FACE_SIDE)])
        raise ImageError(f"{name} is {width}x{height}; aligned faces are {sizes}")
    left, top, right, bottom = FRAMINGS[width, height]
    face = pixels[top:bottom, left:right]
    scale = face.shape[0] // (FACE_SIDE + 2 * RIM)
    return np.rint(resample.area(face, scale)).astype(np.uint8) if scale > 1 else face


def without_rim(pixels: np.ndarray) -> np.ndarray:
    """`(72, 72, 3)` to the `(64, 64, 3)` face."""
    return pixels[RIM:-RIM, RIM:-RIM]


def reduced(faces: np.ndarray) -> np.ndarray:
    """The inputs of faces, `(N, 64, 64, 3)` uint8 to `(N, 16, 16, 3)` float32 in [0, 1], not rounded."""
    return resample.area(faces, FACE_SCALE) / np.float32(255)
