"""Pictures that come in bands, brought to any size: smaller by area, larger by Lanczos' kernel."""

from collections.abc import Iterable, Iterator

import numpy as np

_ROWS_AT_ONCE = 64  # so that running sums in float64 stay small
_LOBES = 3  # of Lanczos' kernel


def shrink(
    bands: Iterable[np.ndarray], size: tuple[int, int], target: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Downscale by area to any smaller size, of a picture that comes in bands.

    Each pixel of the result is the mean of what it covers, fractions of pixels included.

    Args:
        bands: from top to bottom, `(h, W, C)` each, uint8 or uint16.
        size: width and height of them all, in pixels.
        target: width and height wanted, no larger.

    Yields:
        From top to bottom, `(h, target width, C)` of the same dtype, rounded.
    """
    (width, height), (to_width, to_height) = size, target
    top, first, carried = 0, 0, np.zeros(())
    for band in bands:
        for part in np.split(band, range(_ROWS_AT_ONCE, len(band), _ROWS_AT_ONCE)):
            bottom = top + len(part)
            # In units of 1 / to_height of an input row: output row i covers [i height, (i + 1) height).
            y = np.arange(top, bottom) * to_height
            i = np.arange(first, -(-bottom * to_height // height))[:, None] * height
            share = np.minimum(i + height, y + to_height) - np.maximum(i, y)
            rows = np.tensordot(share.clip(0) / height, _shrink_columns(part, width, to_width), axes=1)
            rows[0] += carried
            whole = bottom * to_height // height - first
            carried = rows[whole] if whole < len(rows) else np.zeros(())
            top, first = bottom, first + whole
            if whole:
                yield np.rint(rows[:whole]).astype(band.dtype)


def _shrink_columns(rows: np.ndarray, width: int, to_width: int) -> np.ndarray:
    """`(h, width, C)` to `(h, to_width, C)` float64, by differences of running sums."""
    sums = np.zeros((len(rows), width + 1, rows.shape[2]))
    np.cumsum(rows, axis=1, dtype=np.float64, out=sums[:, 1:])
    place, rest = np.divmod(np.arange(to_width + 1) * width, to_width)
    inside = rows[:, np.minimum(place, width - 1)] * (rest / to_width)[:, None]
    return np.diff(sums[:, place] + inside, axis=1) * (to_width / width)


def enlarge(
    bands: Iterable[np.ndarray], size: tuple[int, int], target: tuple[int, int]
) -> Iterator[np.ndarray]:
    """Upscale by Lanczos' kernel to any larger size, of a picture that comes in bands.

    The kernel has three lobes and half-pixel centres; its weights are renormalised at the border. Duchon,
    "Lanczos filtering in one and two dimensions", Journal of Applied Meteorology 1979.

    Args:
        bands: from top to bottom, `(h, W, C)` each, uint8 or uint16.
        size: width and height of them all, in pixels.
        target: width and height wanted, no smaller.

    Yields:
        From top to bottom, `(h, target width, C)` of the same dtype, rounded and clipped.
    """
    (width, height), (to_width, to_height) = size, target
    across, along = _lanczos_taps(width, to_width), _lanczos_taps(height, to_height)
    first, done = 0, 0  # the first row that is kept, and the rows of the result that are finished
    kept: np.ndarray | None = None
    for band in bands:
        for part in np.split(band, range(_ROWS_AT_ONCE, len(band), _ROWS_AT_ONCE)):
            rows = _weighted(part.swapaxes(0, 1), *across).swapaxes(0, 1)
            kept = rows if kept is None else np.concatenate([kept, rows])
            ready = int(np.searchsorted(along[0][:, -1], first + len(kept)))
            for start in range(done, ready, _ROWS_AT_ONCE):
                chosen = slice(start, min(start + _ROWS_AT_ONCE, ready))
                larger = _weighted(kept, along[0][chosen] - first, along[1][chosen])
                most = np.iinfo(band.dtype).max
                yield np.rint(larger).clip(0, most).astype(band.dtype)
            done = ready
            spent = int(along[0][done, 0]) - first if done < to_height else len(kept)
            kept, first = kept[spent:], first + spent


def _lanczos_taps(length: int, to_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel takes its value from, and with which weights: `(to_length, 6)` each."""
    centres = (np.arange(to_length) + 0.5) * length / to_length - 0.5
    places = np.floor(centres).astype(int)[:, None] + np.arange(1 - _LOBES, 1 + _LOBES)
    distances = centres[:, None] - places
    weights = np.sinc(distances) * np.sinc(distances / _LOBES) * ((places >= 0) & (places < length))
    weights /= weights.sum(axis=1, keepdims=True)
    return places.clip(0, length - 1), weights.astype(np.float32)


def _weighted(rows: np.ndarray, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of rows, `(n, ...)` float32."""
    sums = np.zeros((len(places), *rows.shape[1:]), np.float32)
    for place, weight in zip(places.T, weights.T, strict=True):
        sums += rows[place] * weight.reshape(-1, *(1 for _ in rows.shape[1:]))
    return sums
