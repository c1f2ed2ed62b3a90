"""What is a picture, or a batch of them, and what is not."""

import numpy as np

from srez.errors import ImageError
from srez.images.pillow import PillowImage, from_pillow


def as_channels(image: np.ndarray | PillowImage) -> np.ndarray:
    """A picture as `(H, W, C)`, C from 1 to 4.

    Args:
        image: a PIL image, or an array of `(H, W)`, or `(H, W, C)` with 2 to 4 channels; uint8, uint16, or
            float32 or float64 from 0 to 1.

    Raises:
        ImageError: it is anything else.
    """
    if isinstance(image, PillowImage):
        image = from_pillow(image)
    if isinstance(image, np.ndarray):  # of the other byte order, as a file may have it
        image = image.astype(image.dtype.newbyteorder("="), copy=False)
    if (
        not isinstance(image, np.ndarray)
        or image.dtype not in (np.uint8, np.uint16, np.float32, np.float64)
        or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (2, 3, 4)))
        or not image.size
    ):
        raise ImageError(
            "a picture is a PIL image, or an array of uint8, uint16, float32 or float64 of shape (H, W), "
            f"(H, W, 2), (H, W, 3) or (H, W, 4), not {_kind(image)}"
        )
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= 1):  # NaN is not either
        raise ImageError(
            f"a picture of {image.dtype} has values from 0 to 1, not {image.min():g} to {image.max():g}"
        )
    return image if image.ndim == 3 else image[..., None]


def check_batch(images: np.ndarray) -> None:
    """Refuse what is no batch of pictures: `(N, H, W, 3)` uint8, or float32 from 0 to 1.

    Raises:
        ImageError: it is not.
    """
    if (
        not isinstance(images, np.ndarray)
        or images.ndim != 4
        or images.shape[3] != 3
        or images.dtype not in (np.uint8, np.float32)
    ):
        raise ImageError(
            f"a batch is an array of uint8 or float32 of shape (N, H, W, 3), not {_kind(images)}"
        )
    if images.dtype == np.float32 and images.size and not (images.min() >= 0 and images.max() <= 1):
        raise ImageError(
            f"a batch of float32 has values from 0 to 1, not {images.min():g} to {images.max():g}"
        )


def _kind(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
