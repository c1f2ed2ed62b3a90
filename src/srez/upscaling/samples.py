"""Several results for one picture, each as plausible as the next."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from srez.errors import ModelError, OptionError, TooLargeError
from srez.images import from_float, resample, to_float
from srez.models import planes
from srez.models.card import Card
from srez.models.devices import Place
from srez.models.fitting import Run, fitted
from srez.upscaling import cutting, running
from srez.upscaling.beside import colours, placed

MOST = 64  # samples of a picture
MOST_PIXELS = 512 * 512  # of a picture, which is run whole: each sample has its random numbers
_TOGETHER = 8 * 1024  # input pixels that are run at once; four times as many take 100 MB more


def check(card: Card, count: int, seed: int) -> None:
    """Refuse samples that a model cannot make.

    Raises:
        ModelError: the model makes none.
        OptionError: the count or the seed is out of range.
    """
    if not card.samples:
        raise ModelError(f"model {card.name} makes no samples: choose the model faces, or omit them")
    if not 1 <= count <= MOST:
        raise OptionError(f"{count} samples: choose from 1 to {MOST}")
    if not 0 <= seed < 2**63:
        raise OptionError(f"seed {seed}: choose a whole number from 0 to 2**63 - 1")


def refuse_large(width: int, height: int) -> None:
    """Refuse a picture of which no samples are made.

    Raises:
        TooLargeError: it has more than `MOST_PIXELS`.
    """
    if height * width > MOST_PIXELS:
        raise TooLargeError(
            f"samples are made of pictures of at most {MOST_PIXELS:,} pixels, not {width}x{height}: cut out "
            "the face"
        )


def draw(
    model: Path,
    card: Card,
    place: Place | None,
    pixels: np.ndarray,
    seed: int,
    count: int,
    seconds: float | None = None,
) -> Iterator[np.ndarray]:
    """The samples of one picture.

    Args:
        model: the .onnx file of the model.
        card: of it.
        place: where to run.
        pixels: `(h, w, C)`.
        seed: of all samples.
        count: how many.
        seconds: that the model may take for a batch; no limit by default.

    Yields:
        `(scale h, scale w, C)` of the same dtype.

    Raises:
        TooLargeError: the picture is too large.
        ModelError: the weights are damaged.
    """
    height, width, _ = pixels.shape
    refuse_large(width, height)
    assert card.samples
    own = placed(model.with_name(card.samples.file), place, seconds)
    run = fitted(own.whole, card, own.fixed)
    edge = cutting.edge(card, height, width)
    seen = colours(pixels)
    shape = (height + 2 * edge, width + 2 * edge, card.samples.planes)
    together = max(1, _TOGETHER // (shape[0] * shape[1]))
    for start in range(0, count, together):
        numbers = range(start, min(start + together, count))
        random = np.stack([planes.drawn(seed, number, shape) for number in numbers])
        images = np.repeat(seen[None], len(random), axis=0)
        for larger in running.run(partial(_run, run, random, edge, card.scale), card, images):
            yield from_float(_like(larger, pixels, card.scale), pixels.dtype)


def _run(run: Run, random: np.ndarray, edge: int, scale: int, images: np.ndarray) -> np.ndarray:
    """The network on images of which each has its random numbers; those reach over the edge too."""
    rim = ((0, 0), (edge, edge), (edge, edge), (0, 0))
    output = run(np.concatenate([np.pad(images, rim, mode="reflect"), random], axis=3))
    height, width = output.shape[1:3]
    return output[:, edge * scale : height - edge * scale, edge * scale : width - edge * scale]


def _like(larger: np.ndarray, pixels: np.ndarray, scale: int) -> np.ndarray:
    """A result, `(H, W, 3)`, with the channels that the picture has."""
    channels = pixels.shape[2]
    larger = larger if channels > 2 else larger[..., :1]
    if channels in (1, 3):
        return larger
    alpha = to_float(pixels[..., -1:]).astype(np.float32, copy=False)
    return np.concatenate([larger, resample.bicubic(alpha[None], scale)[0]], axis=2)
