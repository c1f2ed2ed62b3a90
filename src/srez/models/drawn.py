"""Is a picture drawn pixel by pixel? Networks made for photographs do such pictures no good."""

import numpy as np

LARGEST = 1024 * 1024  # pixels that are looked at; nobody draws more of them by hand

_MOST_COLOURS = 64
_SAMPLE = 4096  # pixels that tell most photographs by their colours
_LEAST_ALIKE = 0.5  # of neighbours: areas are filled
_LEAST_STEP = 24  # grey levels between neighbours that differ, in the middle of all: edges are hard
_MOST_BETWEEN = 0.15  # of edges lead over a third colour, as smoothed ones do
_SCAN_STEP = 128  # grey levels from ink to paper
_SMALLEST_SCAN = 96  # pixels a side; smaller pictures of two grays are icons


def kind(pixels: np.ndarray) -> str | None:
    """What kind of drawn picture it is.

    Args:
        pixels: `(H, W)`, or `(H, W, C)` with 1 to 4 channels; uint8, uint16 or float32 in [0, 1].

    Returns:
        "scan" for ink and paper in 1 bit; "pixels" for pixel art: few colours, filled areas and hard edges;
        None for anything else.
    """
    values = pixels.reshape(*pixels.shape[:2], -1)
    if values.dtype != np.uint8:  # nobody draws pixels in 16 bits
        return None
    flat = values.reshape(-1, values.shape[2])
    if len(_colours(flat[:: max(1, len(flat) // _SAMPLE)])) > _MOST_COLOURS:
        return None
    colours = _colours(flat)
    if not 2 <= len(colours) <= _MOST_COLOURS:
        return None
    if min(values.shape[:2]) >= _SMALLEST_SCAN and _is_ink(colours):
        return "scan"
    return "pixels" if _is_filled(values) and _is_hard(values) else None


def _colours(flat: np.ndarray) -> np.ndarray:
    """The different colours of `(K, C)` pixels."""
    packed = np.zeros(len(flat), np.uint32)
    for channel in range(flat.shape[1]):
        packed = packed << 8 | flat[:, channel]
    return flat[np.unique(packed, return_index=True)[1]]


def _is_ink(colours: np.ndarray) -> bool:
    """Whether these are two grays, far apart and opaque."""
    gray = colours[:, :3] if colours.shape[1] >= 3 else colours[:, :1]
    opaque = colours.shape[1] in (1, 3) or bool((colours[:, -1] == 255).all())
    return (
        len(colours) == 2
        and opaque
        and bool((gray == gray[:, :1]).all())
        and abs(int(gray[0, 0]) - int(gray[1, 0])) >= _SCAN_STEP
    )


def _is_filled(values: np.ndarray) -> bool:
    alike = [(values[:, 1:] == values[:, :-1]).all(axis=2), (values[1:] == values[:-1]).all(axis=2)]
    return bool(np.concatenate([each.ravel() for each in alike]).mean() >= _LEAST_ALIKE)


def _is_hard(values: np.ndarray) -> bool:
    """Whether edges go from colour to colour at once."""
    signed = values.astype(np.int16)
    steps, between = [], 0
    for lines in (signed, signed.swapaxes(0, 1)):
        step = np.diff(lines, axis=1)
        largest = np.abs(step).max(axis=2)
        steps.append(largest[largest > 0])
        # Two steps in a row that go the same way pass a colour between two others. Opaque outlines beside
        # what is transparent do too, but smooth nothing.
        same_way = ((step[:, 1:] * step[:, :-1]) >= 0).all(axis=2)
        between += int((same_way & (largest[:, 1:] > 0) & (largest[:, :-1] > 0) & ~_is_outline(lines)).sum())
    edges = np.concatenate(steps)
    return bool(np.median(edges) >= _LEAST_STEP) and between <= _MOST_BETWEEN * len(edges)


def _is_outline(lines: np.ndarray) -> np.ndarray:
    """Where a pixel is opaque and one beside it transparent, `(H, W - 2)`, without the ends of lines."""
    alpha = lines[..., -1] if lines.shape[2] in (2, 4) else np.full(lines.shape[:2], 255)
    return (alpha[:, 1:-1] == 255) & ((alpha[:, 2:] == 0) | (alpha[:, :-2] == 0))
