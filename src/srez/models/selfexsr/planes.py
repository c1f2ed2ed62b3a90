"""Planes of a scene, such as walls and floors, from where their parallel lines meet.

As in section 3.3 of the paper: segments vote for vanishing points, each two vanishing points make a
plane, and how many segments of both are near says how likely a pixel lies on it.
"""

import enum
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from srez.models.selfexsr.lines import segments
from srez.models.selfexsr.resizing import resize

_MOST_POINTS = 3
_TRIALS = 500  # pairs of segments whose crossing is tried as a vanishing point
_ANGLE = np.deg2rad(2.0)  # between a segment and the direction to its vanishing point, at most
_LEAST_SHARE = 0.12  # of the length of all segments, that must point to a vanishing point
_LEAST_SEGMENTS = 6
_SPREAD = 8  # pixels over which a segment makes its planes likely
_WEIGHT = 1e-4  # of the logarithm of how likely a plane is, in squared grey values
_LEAST_LIKELY = 1e-3


class Geometry(enum.StrEnum):
    """What matches may do: move, also turn and stretch, also follow the perspective of planes."""

    TRANSLATION = "translation"
    AFFINE = "affine"
    PLANES = "planes"


@dataclass(frozen=True)
class Planes:
    """Planes of a picture; the first is the one that faces the camera, which is always there.

    Attributes:
        lines: `(N, 9)` float32, homogeneous, in pixels of the picture: the line where a plane vanishes, and
            its two vanishing points.
        costs: of taking a pixel for one of a plane, `(N, h, w)` float32.
    """

    lines: np.ndarray
    costs: np.ndarray


def find(plane: np.ndarray, geometry: Geometry = Geometry.PLANES) -> Planes:
    """The planes that a picture shows; without any but the first where lines are few.

    Args:
        plane: `(H, W)` float32 in [0, 1].
        geometry: only with `PLANES` more than the first are looked for.
    """
    facing = np.array([0, 0, 1, 1, 0, 0, 0, 1, 0], np.float32)
    found = segments(plane) if geometry == Geometry.PLANES else np.zeros((0, 4), np.float32)
    points = vanishing_points(found, plane.shape)
    pairs = [pair for pair in combinations(range(len(points)), 2) if _makes_plane(points, pair, plane.shape)]
    if not pairs:
        return Planes(facing[None], np.zeros((1, *plane.shape), np.float32))
    lines = [np.concatenate([np.cross(points[i], points[j]), points[i], points[j]]) for i, j in pairs]
    near = [_near(found[toward(found, point)], plane.shape) for point in points]
    # The first costs nothing: what matches as well without perspective needs none.
    likely = np.stack([np.ones(plane.shape), *(near[i] * near[j] for i, j in pairs)])
    return Planes(
        np.stack([facing, *(_scaled(line) for line in lines)]).astype(np.float32),
        (-_WEIGHT * np.log(likely.clip(_LEAST_LIKELY, 1))).astype(np.float32),
    )


def vanishing_points(found: np.ndarray, shape: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """Where the segments of a picture meet, those of most length first.

    Args:
        found: segments, as `lines.segments` gives them.
        shape: of the picture, in pixels.
        seed: of the pairs that are tried.

    Returns:
        Up to three, homogeneous, of length 1 in pixels.
    """
    chance = np.random.default_rng(seed)
    long = lengths(found)
    least = _LEAST_SHARE * long.sum()
    points: list[np.ndarray] = []
    while len(found) >= _LEAST_SEGMENTS and len(points) < _MOST_POINTS:
        first, second = chance.choice(len(found), (2, _TRIALS), p=long / long.sum())
        lines = _lines(found)
        crossings = np.cross(lines[first], lines[second])
        sizes = np.linalg.norm(crossings / max(shape), axis=1)
        crossings = crossings[sizes > 1e-9]
        if not len(crossings):
            break
        votes = [long[toward(found, crossing)].sum() for crossing in crossings]
        best = crossings[int(np.argmax(votes))]
        inside = toward(found, best)
        if long[inside].sum() < least or np.count_nonzero(inside) < _LEAST_SEGMENTS:
            break
        refined = _meeting(found[inside])
        points.append(refined)
        inside |= toward(found, refined)
        found, long = found[~inside], long[~inside]
    return points


def lengths(found: np.ndarray) -> np.ndarray:
    """Of segments, in pixels."""
    return np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]).astype(np.float64)


def _lines(found: np.ndarray) -> np.ndarray:
    """The lines on which segments lie, homogeneous, with normals of length 1."""
    ends = np.concatenate([found.reshape(-1, 2, 2), np.ones((len(found), 2, 1))], axis=2)
    lines = np.cross(ends[:, 0], ends[:, 1])
    return lines / np.linalg.norm(lines[:, :2], axis=1, keepdims=True)


def toward(found: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Which segments point to a vanishing point."""
    middle = (found[:, :2] + found[:, 2:]) / 2
    there = point[:2] - point[2] * middle
    along = found[:, 2:] - found[:, :2]
    across = np.abs(along[:, 0] * there[:, 1] - along[:, 1] * there[:, 0])
    reach = np.linalg.norm(there, axis=1) * np.linalg.norm(along, axis=1)
    return across <= np.sin(_ANGLE) * reach


def _meeting(found: np.ndarray) -> np.ndarray:
    """The point nearest to the lines of all segments, the longer ones first."""
    size = float(np.abs(found).max())
    lines = _lines(found) * [1, 1, 1 / size]  # so that all three count alike
    _, _, directions = np.linalg.svd(lines * lengths(found)[:, None])
    return _scaled(directions[-1] * [size, size, 1])


def _scaled(line: np.ndarray) -> np.ndarray:
    return line / np.linalg.norm(line[:3])


def _makes_plane(points: list[np.ndarray], pair: tuple[int, int], shape: tuple[int, ...]) -> bool:
    """Whether the line through two vanishing points leaves most of the picture on one side."""
    line = _scaled(np.cross(points[pair[0]], points[pair[1]]))
    corners = np.array([[0, 0, 1], [shape[1], 0, 1], [0, shape[0], 1], [shape[1], shape[0], 1]])
    sides = corners @ line
    return bool(np.isfinite(line).all() and np.abs(sides).max() > 1e-9)


def _near(found: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """How many segments are near each pixel, blurred; 1 where they are densest."""
    coarse = [max(side // _SPREAD, 1) for side in shape]
    counts = np.zeros(coarse)
    for x0, y0, x1, y1 in found:
        steps = np.linspace(0, 1, max(int(np.hypot(x1 - x0, y1 - y0)), 2))
        columns = ((x0 + steps * (x1 - x0)) * coarse[1] / shape[1]).astype(int).clip(0, coarse[1] - 1)
        rows = ((y0 + steps * (y1 - y0)) * coarse[0] / shape[0]).astype(int).clip(0, coarse[0] - 1)
        np.add.at(counts, (rows, columns), 1)
    smooth = resize(counts.astype(np.float32), *shape)
    return np.maximum(smooth, 0) / max(float(smooth.max()), 1e-6)
