"""Cartoons of faces: to train on where there is no data, in the smoke recipe and in tests."""

import numpy as np

# Ellipses as shares of the side: offset from the face's centre (x, y) and half-axes (x, y).
_FEATURES = (
    (0.0, 0.0, 0.30, 0.38),  # the face
    (-0.13, -0.08, 0.05, 0.03),  # eyes
    (0.13, -0.08, 0.05, 0.03),
    (0.0, 0.14, 0.12, 0.03),  # mouth
)


def face(seed: int, width: int, height: int) -> np.ndarray:
    """A cartoon of a face, never twice the same: ellipses in random colours on a random ground.

    Args:
        seed: decides everything.
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        `(height, width, 3)` uint8.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    centre_x, centre_y = width / 2 + random.normal(0, 2), height * 0.55 + random.normal(0, 2)
    pixels = np.full((height, width, 3), random.uniform(0, 255, 3))
    for right, down, wide, high in _FEATURES:
        across = ((x - centre_x) / width - right) / wide
        along = ((y - centre_y) / height - down) / high
        pixels[across**2 + along**2 < 1] = random.uniform(0, 255, 3)
    pixels += random.normal(0, 4, pixels.shape)
    return np.rint(pixels.clip(0, 255)).astype(np.uint8)
