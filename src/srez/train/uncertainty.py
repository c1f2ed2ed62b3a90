"""Training how sure a model is: a small network learns the errors of another, which stays as it is.

The error of a pixel is the largest of its channels. It is taken for the absolute value of a Laplace
distribution, whose scale is its mean (Kendall and Gal, arXiv 1703.04977, section 2.2). How many such scales
hold the truth in nine of ten pixels is then counted on pictures that this network has not seen: split
conformal prediction (Angelopoulos and Bates, arXiv 2107.07511, section 2.3.2).
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx

from srez.errors import ModelError, TrainingError
from srez.models import card as cards
from srez.models.card import COVERAGE, Card
from srez.progress import Track, untracked
from srez.train import combine, export, onnx_graph
from srez.train.errors import examples
from srez.train.networks import uncertainty
from srez.train.networks.uncertainty import SCALE
from srez.upscaling.upscaler import Upscaler

POWERS = (0.6, 0.7, 0.8, 0.9, 1.0)

STEPS = 5000
BATCH = 32
CROP = 32  # input pixels, of the side

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types


def learn(
    model: Path,
    sources: Sequence[Path],
    partition: Path | None = None,
    steps: int = STEPS,
    seed: int = 1,
    track: Track = untracked,
) -> Card:
    """Give a model an uncertainty: train it on the model's errors, calibrate it, and add it to the card.

    It takes minutes, and begins anew if it is stopped.

    Args:
        model: an .onnx file with its card, which is rewritten; x4.
        sources: as for `srez.train.errors.examples`.
        partition: likewise.
        steps: of the training.
        seed: of weights and crops.
        track: shows how many pictures of a source are upscaled.

    Returns:
        The card.

    Raises:
        DataError: a source or the partition cannot be used, or there are too few pictures.
        ModelError: a file is missing or damaged, or the model is not x4.
        TrainingError: the exported network differs from the trained one.
        OutputError: a file cannot be written.
    """
    card = cards.read(model)
    if card.scale != SCALE:
        raise ModelError(
            f"{model} upscales x{card.scale}: only models of x{SCALE} can be given an uncertainty"
        )
    learning, held = examples(Upscaler(model), sources, partition, track)
    crop = min(CROP, *(side for low in learning.lows for side in low.shape[:2]))
    network = train(learning.lows, learning.errors, crop, steps, BATCH, seed)
    factor, power = calibrated(network, held.lows, held.errors)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "uncertainty.onnx"
        onnx.save(onnx_graph.build(network), draft)
        if (difference := export.parity(network, draft)) > export.TOLERANCE:
            raise TrainingError(f"{model}: the exported uncertainty differs by {difference:.2g}")
        how = {
            "data": [source.name for source in sources],
            "pictures": len(learning.lows),
            "calibrated_on": len(held.lows),
            "steps": steps,
            "batch": BATCH,
            "seed": seed,
        }
        combine.add_uncertainty(model, draft, factor, power, how)
    return cards.read(model)


def laplace(error: Tensor, scale: Tensor) -> Tensor:
    """The mean negative logarithm of the likelihood of absolute errors, up to a constant.

    Args:
        error: `(N, H, W, 1)`.
        scale: the expected error, the same shape, above 0.
    """
    return ops.mean(error / scale + ops.log(scale))


def train(
    lows: Sequence[np.ndarray], errors: Sequence[np.ndarray], crop: int, steps: int, batch: int, seed: int = 1
) -> keras.Model:
    """A new network, trained on inputs and the errors of their upscaling.

    Args:
        lows: inputs, `(h, w, 3)` uint8 or float32 in [0, 1] each; larger ones are drawn from more often.
        errors: of their upscaling, `(4h, 4w)` uint8 each.
        crop: side of the crops, in input pixels.
        steps: of Adam; its rate falls to 0 along a cosine.
        batch: crops in a step.
        seed: of weights and crops.
    """
    keras.utils.set_random_seed(seed)
    network = uncertainty.network()
    rate: Any = keras.optimizers.schedules.CosineDecay(1e-6, steps, warmup_target=2e-3, warmup_steps=100)
    network.compile(keras.optimizers.Adam(rate), laplace)
    drawn = _batches(lows, errors, crop, batch, np.random.default_rng(seed))
    quiet: Any = 0  # which Keras types as text
    network.fit(drawn, steps_per_epoch=steps, shuffle=False, verbose=quiet)
    return network


def calibrated(
    network: keras.Model, lows: Sequence[np.ndarray], errors: Sequence[np.ndarray]
) -> tuple[float, float]:
    """What makes distances of expected errors that hold the truth in nine of ten pixels of held-out pictures.

    Any function of the expected error can be calibrated so. Of its powers, the one is taken whose distances
    are the shortest in the mean.

    Args:
        network: the trained one.
        lows: as for `train`.
        errors: as for `train`.

    Returns:
        Factor and power; see `srez.models.card.UncertaintyFile`.
    """
    expected = [np.asarray(network(_values(low)[None], training=False)).ravel() for low in lows]
    scales = np.concatenate(expected)
    found = np.concatenate([error.ravel() for error in errors]) / np.float32(255)
    factors = {power: float(np.quantile(found / scales**power, COVERAGE)) for power in POWERS}
    power = min(POWERS, key=lambda power: float((factors[power] * scales**power).mean()))
    return factors[power], power


def _batches(
    lows: Sequence[np.ndarray],
    errors: Sequence[np.ndarray],
    crop: int,
    batch: int,
    random: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random crops without end, mirrored and, unless they are whole pictures, turned."""
    areas = np.array([low.shape[0] * low.shape[1] for low in lows], np.float64)
    while True:
        chosen = random.choice(len(lows), batch, p=areas / areas.sum())
        pairs = [_crop(lows[index], errors[index], crop, random) for index in chosen]
        yield (
            np.stack([_values(low) for low, _ in pairs]),
            np.stack([error for _, error in pairs])[..., None] / np.float32(255),
        )


def _crop(
    low: np.ndarray, error: np.ndarray, side: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    top, left = (int(random.integers(length - side + 1)) for length in low.shape[:2])
    turns = int(random.integers(4)) if low.shape[:2] != (side, side) else 0
    flip = 1 - 2 * int(random.integers(2))
    inside = low[top : top + side, left : left + side]
    below = error[top * SCALE :, left * SCALE :][: side * SCALE, : side * SCALE]
    return np.rot90(inside, turns)[:, ::flip], np.rot90(below, turns)[:, ::flip]


def _values(low: np.ndarray) -> np.ndarray:
    return low.astype(np.float32) / np.float32(255 if low.dtype == np.uint8 else 1)
