"""From a trained generator to the file that `srez.load` takes: ONNX, with its card."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tomli_w

from srez.errors import TrainingError
from srez.models import card as cards
from srez.models.card import Card
from srez.models.runtime import Network
from srez.output import atomic
from srez.train import backend, networks, onnx_graph, weights
from srez.train.data import SCALE

TOLERANCE = 1e-4  # of a value range of 1
PARITY_SIZES = ((16, 16), (17, 23), (64, 48))  # height, width


def export(generator: keras.Model, path: Path, about: dict[str, Any]) -> Card:
    """Write a generator as ONNX, with its card beside it, after checking that both compute the same.

    Args:
        generator: `(N, H, W, 3)` to `(N, 4H, 4W, 3)`.
        path: the .onnx file to write; the card gets the same name with .toml.
        about: the card's other fields.

    Returns:
        The card.

    Raises:
        TrainingError: the network has an operation that cannot be exported, or the exported graph's outputs
            differ from the generator's.
        OutputError: a file cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "model.onnx"
        model = onnx_graph.build(generator)
        weights.remember(model, generator)
        onnx.save(model, draft)
        description = networks.describe(generator)
        card = Card(
            scale=SCALE,
            minimum_size=description.minimum_size,
            receptive_radius=description.receptive_radius,
            parameters=description.parameters,
            multiply_adds=description.multiply_adds,
            memory=description.memory,
            sha256=cards.sha256(draft),
            **about,
        )
        text = tomli_w.dumps(cards.as_dict(card)).encode()
        draft.with_suffix(".toml").write_bytes(text)
        difference = parity(generator, draft)
        if difference > TOLERANCE:
            raise TrainingError(
                f"{path}: the exported model's outputs differ from the network's by {difference:.2g}"
            )
        with atomic(path) as file, draft.open("rb") as source:
            shutil.copyfileobj(source, file)
        with atomic(path.with_suffix(".toml")) as file:
            file.write(text)
    return card


def parity(generator: keras.Model, model: Path) -> float:
    """The largest difference between a generator's outputs and those of its exported file.

    Random inputs of several sizes, odd ones among them.

    Args:
        generator: the network.
        model: its .onnx file.
    """
    exported = Network(model, str(model))
    random = np.random.default_rng(0)
    inputs = [random.random((2, *size, generator.input_shape[-1]), np.float32) for size in PARITY_SIZES]
    with backend.current().without_gradients():
        pairs = [(exported.run(x), backend.as_numpy(generator(x, training=False))) for x in inputs]
    return max(float(np.abs(theirs - ours).max()) for theirs, ours in pairs)
