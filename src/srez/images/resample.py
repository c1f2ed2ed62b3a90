"""Area, nearest and bicubic resampling: defined once, for training, evaluation and baselines alike."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

from srez.errors import ImageError

HIDDEN_REACH = 8  # pixels that visible colours are spread under transparent ones
_ROWS_AT_ONCE = 64  # so that running sums in float64 stay small


def area(images: np.ndarray, scale: int) -> np.ndarray:
    """Downscale by the mean of each `scale` x `scale` block (*area*, as in srez).

    Args:
        images: `(..., H, W, C)`, any dtype, any range; H and W multiples of `scale`.
        scale: the side of a block, in pixels.

    Returns:
        `(..., H / scale, W / scale, C)`, float64 for float64 input and float32 otherwise, not rounded.

    Raises:
        ImageError: the size is not a multiple of `scale`.
    """
    *lead, height, width, channels = images.shape
    if height % scale or width % scale:
        raise ImageError(
            f"a {width}x{height} picture cannot be divided into {scale}x{scale} blocks: crop it first"
        )
    blocks = images.reshape(*lead, height // scale, scale, width // scale, scale, channels)
    dtype = np.float64 if images.dtype == np.float64 else np.float32
    return blocks.mean(axis=(-4, -2), dtype=dtype)


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


_LOBES = 3  # of Lanczos' kernel


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


def nearest(images: np.ndarray, scale: int) -> np.ndarray:
    """Repeat every pixel `scale` times in both directions.

    Args:
        images: `(..., H, W, C)`, any dtype, any range.
        scale: how many times larger.

    Returns:
        `(..., H * scale, W * scale, C)` of the same dtype.
    """
    return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def bicubic(images: np.ndarray, scale: int) -> np.ndarray:
    """Upscale by Keys' cubic convolution (a = -0.5, half-pixel centres), on unrounded values.

    Pillow's implementation; its weights are renormalised at the border. Keys, "Cubic convolution
    interpolation for digital image processing", IEEE TASSP 1981, eq. 15.

    Args:
        images: `(N, H, W, C)` float32, any range.
        scale: how many times larger.

    Returns:
        `(N, H * scale, W * scale, C)` float32; may overshoot the input's range.
    """
    size = (images.shape[2] * scale, images.shape[1] * scale)
    return np.stack([bicubic_to(image, *size) for image in images])


def bicubic_to(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The same to any size; the kernel is widened where it reduces, against aliasing.

    Args:
        image: `(H, W, C)` float, any range.
        width: wanted, in pixels.
        height: wanted, in pixels.

    Returns:
        `(height, width, C)` float32; may overshoot the input's range.
    """
    planes = np.moveaxis(image.astype(np.float32, copy=False), -1, 0)
    return np.stack([_resize_plane(plane, (width, height)) for plane in planes], axis=-1)


def bicubic_reduce(image: np.ndarray, scale: int) -> np.ndarray:
    """Downscale as MATLAB's `imresize` does: Keys' cubic (a = -0.5), widened by `scale` against aliasing.

    Rows first, then columns, rounded after each; the picture is mirrored at its border. The inputs of the x4
    benchmarks were made so, and come out equal.

    Args:
        image: `(H, W, C)` uint8; H and W multiples of `scale`, which is even.
        scale: how many times smaller.

    Returns:
        `(H / scale, W / scale, C)` uint8.

    Raises:
        ImageError: the size is not a multiple of `scale`.
    """
    height, width, _ = image.shape
    if height % scale or width % scale:
        raise ImageError(f"a {width}x{height} picture is not a multiple of {scale}: crop it first")
    return _reduce_rows(_reduce_rows(image, scale).swapaxes(0, 1), scale).swapaxes(0, 1)


def _reduce_rows(image: np.ndarray, scale: int) -> np.ndarray:
    taps = keys_cubic((np.arange(4 * scale) - 2 * scale + 0.5) / scale).astype(np.float32)
    taps /= taps.sum()
    before = (len(taps) - scale) // 2
    padded = np.pad(image, ((before, before), (0, 0), (0, 0)), mode="symmetric")
    rows = np.zeros((image.shape[0] // scale, *image.shape[1:]), np.float32)
    for start, tap in enumerate(taps):
        rows += tap * padded[start : start + image.shape[0] : scale]
    return np.floor(rows + np.float32(0.5)).clip(0, 255).astype(np.uint8)


def keys_cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel with a = -0.5 (Keys 1981, eq. 15), at distances in pixels."""
    distance = np.abs(distance)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def flat(images: np.ndarray, radius: int) -> np.ndarray:
    """Where pictures have one colour all around.

    Args:
        images: `(N, H, W, C)`, any dtype.
        radius: how far to look, in pixels; beyond the border there is nothing to differ.

    Returns:
        `(N, H, W)` bool.
    """
    differs = np.zeros(images.shape[:3], bool)  # from the next pixel to the right or below
    differs[:, :, :-1] |= (images[:, :, 1:] != images[:, :, :-1]).any(axis=3)
    differs[:, :-1] |= (images[:, 1:] != images[:, :-1]).any(axis=3)
    return _clear(differs, radius, radius - 1)


def saturated(images: np.ndarray, radius: int) -> np.ndarray:
    """Where a channel is at the end of its range all around.

    Args:
        images: `(N, H, W, C)` float in [0, 1].
        radius: as for `flat`.

    Returns:
        `(N, H, W, C)` bool.
    """
    count, height, width, channels = images.shape
    planes = np.moveaxis(images, 3, 1).reshape(count * channels, height, width, 1)
    alike = np.moveaxis(flat(planes, radius).reshape(count, channels, height, width), 1, 3)
    return alike & ((images == 0) | (images == 1))


def gray(images: np.ndarray, radius: int) -> np.ndarray:
    """Where pictures have no colour all around: all channels are equal; arguments and result as of `flat`."""
    return _clear((images != images[..., :1]).any(axis=3), radius, radius)


def _clear(marks: np.ndarray, before: int, after: int) -> np.ndarray:
    """Where no mark is near.

    Args:
        marks: `(N, H, W)` bool.
        before: how far to look up and to the left, in pixels.
        after: how far to look down and to the right.
    """
    count, height, width = marks.shape
    sums = np.zeros((count, height + 1, width + 1), np.int32)  # from the upper left corner
    np.cumsum(marks, axis=1, out=sums[:, 1:, 1:])
    sums.cumsum(axis=2, out=sums)
    top, bottom = (np.clip(np.arange(height) + reach, 0, height) for reach in (-before, after + 1))
    left, right = (np.clip(np.arange(width) + reach, 0, width) for reach in (-before, after + 1))
    across = sums[:, :, right] - sums[:, :, left]
    return across[:, bottom] == across[:, top]


def fill_hidden(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Carry visible colours under what is fully transparent, so that no hidden colour bleeds out.

    The nearest visible colours are averaged outwards, one pixel a pass. What is hidden farther than
    `HIDDEN_REACH` pixels from anything visible keeps its colour.

    Args:
        colours: `(H, W, C)` float32.
        alpha: `(H, W, 1)`, 0 where hidden.

    Returns:
        `(H, W, C)` float32; equal to `colours` wherever alpha is not 0.
    """
    known = (alpha > 0).astype(np.float32)
    if known.all() or not known.any():
        return colours
    filled = np.where(known > 0, colours, 0)
    for _ in range(HIDDEN_REACH):
        near = _sum_of_neighbours(known)
        fresh = (known == 0) & (near > 0)
        if not fresh.any():
            break
        filled = np.where(fresh, _sum_of_neighbours(filled) / np.maximum(near, 1), filled)
        known = np.maximum(known, fresh.astype(np.float32))
    return np.where(known > 0, filled, colours)


def _sum_of_neighbours(image: np.ndarray) -> np.ndarray:
    """The sum of each 3x3 block, `(H, W, C)`; nothing lies outside."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]


def _resize_plane(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
