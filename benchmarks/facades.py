"""Drawn buildings in perspective: as in Urban100, what is small far away is large near the camera.

A scene is a few rectangles in space, covered with rows of windows, which are alike but for the shade of their
panes: what a far one should look like, the near ones show.
"""

from dataclasses import dataclass

import numpy as np

from srez.images import to_uint8

SCENES = ("wall", "corner", "street", "ceiling")
_FINER = 4  # samples of a pixel in each direction
_NOISE = 0.01  # of grey values, as of a camera
_SHADES = 0.08  # by which the panes of windows differ


@dataclass(frozen=True)
class Surface:
    """A rectangle in space, covered with square cells of length 1.

    Attributes:
        corner: where cell (0, 0) begins, `(3,)`: right, down and forward from the camera.
        across: direction of length 1 of a row, `(3,)`.
        down: the same of a column.
        size: in cells, `(2,)`.
    """

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    size: tuple[float, float]


def drawn(scene: str, seed: int, height: int = 512, width: int = 640) -> np.ndarray:
    """Draw a scene.

    Args:
        scene: one of `SCENES`.
        seed: of the view and of the windows.
        height: in pixels.
        width: in pixels.

    Returns:
        `(height, width, 3)` uint8.
    """
    chance = np.random.default_rng([SCENES.index(scene), seed])
    rays = _rays(height * _FINER, width * _FINER, pitch=chance.uniform(-0.25, 0.05))
    picture = np.array([0.7, 0.8, 0.95]) - 0.25 * (rays[..., 1:2] + 0.5).clip(0, 1)  # the sky
    nearest = np.full(rays.shape[:2], np.inf)
    for surface in _surfaces(scene, chance):
        normal = np.cross(surface.across, surface.down)
        with np.errstate(divide="ignore"):
            far = (normal @ surface.corner) / (rays @ normal)
        u, v = (((rays @ way) * far - way @ surface.corner) for way in (surface.across, surface.down))
        seen = (
            (far > 0) & (far < nearest) & (u >= 0) & (u < surface.size[0]) & (v >= 0) & (v < surface.size[1])
        )
        picture[seen] = _windows(u[seen], v[seen], chance)
        nearest[seen] = far[seen]
    reduced = picture.reshape(height, _FINER, width, _FINER, 3).mean(axis=(1, 3))
    return to_uint8((reduced + chance.normal(0, _NOISE, reduced.shape)).astype(np.float32))


def _rays(height: int, width: int, pitch: float) -> np.ndarray:
    """The direction in which each pixel looks, `(height, width, 3)`; `pitch` in radians, down if positive."""
    right = (np.arange(width) + 0.5 - width / 2) / width
    down = (np.arange(height) + 0.5 - height / 2) / width
    x, y = np.meshgrid(right, down)
    forward = np.full(x.shape, 0.8)
    cos, sin = np.cos(pitch), np.sin(pitch)
    return np.stack([x, cos * y + sin * forward, cos * forward - sin * y], axis=2)


def _surfaces(scene: str, chance: np.random.Generator) -> list[Surface]:
    below = np.array([0.0, 1.0, 0.0])

    def wall(corner: list[float], angle: float, length: float, floors: float) -> Surface:
        return Surface(np.array(corner), np.array([np.sin(angle), 0, np.cos(angle)]), below, (length, floors))

    turn = chance.uniform(0.15, 0.5)
    if scene == "wall":
        return [wall([chance.uniform(-3, -2), -9, 2.5], turn + 0.2, 60, 14)]
    if scene == "corner":
        edge = [chance.uniform(-1, 1), -8.0, 4.5]
        return [wall(edge, turn + 0.5, 40, 14), wall(edge, turn - 1.2, 40, 14)]
    if scene == "street":
        return [wall([-3.0, -10, 1.5], 0.1, 60, 14), wall([3.5, -7, 1.5], -0.15, 60, 14)]
    level = chance.uniform(-2, -1.2)
    ahead, aside = np.array([np.sin(turn), 0, np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
    return [Surface(np.array([0, level, 0]) - 20 * aside, aside, ahead, (40, 40))]


def _windows(u: np.ndarray, v: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Colours of a surface at positions in cells, `(N, 3)`."""
    columns, rows = np.floor(u).astype(int), np.floor(v).astype(int)
    x, y = u - columns, v - rows
    stone, frame, pane = chance.uniform(0.45, 0.7), chance.uniform(0.8, 0.95), chance.uniform(0.1, 0.3)
    margin, bars, louvres = chance.uniform(0.12, 0.22), chance.integers(2, 5), chance.integers(0, 5)
    grey = np.full(u.shape, stone)
    grey[(y * 8) % 1 < 0.12] -= 0.06  # courses
    grey[y < 0.05] = stone - 0.3  # the edge of a floor
    inside = (np.abs(x - 0.5) < 0.5 - margin) & (np.abs(y - 0.55) < 0.45 - margin)
    shades = chance.uniform(-_SHADES, _SHADES, (64, 64))
    grey[inside] = (pane + shades[rows % 64, columns % 64])[inside]
    across, down = (x - margin) / (1 - 2 * margin), (y - 0.1 - margin) / (0.9 - 2 * margin)
    grey[inside & (_near(across, bars) | _near(down, 2))] = frame
    if louvres:
        grey[inside & (down < 0.35) & ((down * 4 * louvres) % 1 < 0.4)] = frame - 0.15
    tint = np.array([1.0, 0.97, 0.9]) + chance.uniform(-0.05, 0.05, 3)
    return (grey[:, None] * tint).clip(0, 1)


def _near(place: np.ndarray, count: int) -> np.ndarray:
    """Which places lie on one of so many bars."""
    return np.abs(place * count - np.round(place * count)) < 0.06 * count
