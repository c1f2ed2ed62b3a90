"""Training steps a second of the recipes in the box, and how much faster the input pipeline is.

    python benchmarks/train_speed.py

The faces are drawn: the speed does not depend on them.
"""

import math
import tempfile
import time
from pathlib import Path

import keras

from machine import in_turn, matrix_gflops, report
from srez.train import backend, data, networks, recipe, recipes, trainer
from srez.train.reporter import Reporter

RECIPES = ("srez", "faces")
FACES = 2000
STEPS = 13
WARM = 3


class Clock(Reporter):
    """Notes when every step ends."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def step(self, step: int, values: dict[str, float]) -> None:
        del step, values
        self.times.append(time.perf_counter())


def step_seconds(chosen: recipe.Recipe, faces: data.TrainingData) -> float:
    """Seconds of a training step, input included, without validation; the first steps do not count."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(trainer.prepare(chosen), faces, Path(folder), clock)
    return (clock.times[STEPS - 1] - clock.times[WARM - 1]) / (STEPS - WARM)


def pipeline_seconds(chosen: recipe.Recipe, faces: data.TrainingData) -> float:
    """Seconds that the input pipeline alone takes for a batch."""
    steps = 500
    drawn = data.batches(faces.training, chosen.batch, 1, 0, steps * chosen.batch)
    batches = map(backend.current().compiled(data.to_pairs(chosen.data)), drawn)
    next(batches)
    began = time.perf_counter()
    for _ in batches:
        pass
    return (time.perf_counter() - began) / (steps - 1)


def main() -> None:
    rows = []
    for name in RECIPES:
        chosen = recipes.load(name, [f"steps={STEPS}", "every.checkpoint=1000", "every.log=1000"])
        faces = data.draw(chosen.data.model_copy(update={"drawn": FACES}))
        works = {
            "limit": matrix_gflops,
            "step": lambda c=chosen, f=faces: step_seconds(c, f),
            "pipeline": lambda c=chosen, f=faces: pipeline_seconds(c, f),
        }
        medians = in_turn(works, rounds=2)
        gflops = flops(chosen) / medians["step"] / 1e9
        rows.append(
            [
                name,
                1 / medians["step"],
                gflops,
                gflops / medians["limit"],
                1 / medians["pipeline"],
                medians["step"] / medians["pipeline"],
            ]
        )
    columns = ["recipe", "steps/s", "GFLOP/s", "share of limit", "pipeline batches/s", "pipeline times step"]
    report("training, batch of 16", columns, rows, Path("runs/benchmarks/train_speed.json"))


def flops(chosen: recipe.Recipe) -> float:
    """Floating-point operations of the convolutions in one step.

    A backward pass costs two forward ones. The discriminator runs forward on two batches and backward on
    both for itself, and once more backward, to its input only, for the generator.
    """
    total = 3 * networks.describe(networks.build_generator(chosen.generator)).multiply_adds * 16 * 16
    if chosen.discriminator:
        network = networks.build_discriminator(chosen.discriminator, 64)
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        side, forward = 64, 0
        for layer in convolutions:
            side //= layer.strides[0]
            forward += math.prod(layer.kernel.shape) * side**2
        total += 7 * forward
    return 2.0 * chosen.batch * total


if __name__ == "__main__":
    main()
