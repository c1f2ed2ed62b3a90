"""All that training changes: networks, optimisers and counters. Built once, saved, restored."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from srez.datasets.faces import FACE_SIDE
from srez.errors import OptionError
from srez.runs import reading
from srez.runs.layout import RunLayout
from srez.train import backend, checkpoint, health, networks
from srez.train.recipe import FacesData, Recipe
from srez.train.reporter import Reporter
from srez.train.weights import InitialWeights


@dataclass(frozen=True)
class State:
    """The networks and their optimisers. `average` is the generator that is validated and exported."""

    generator: keras.Model
    average: keras.Model
    discriminator: keras.Model | None
    generator_optimizer: keras.Optimizer
    discriminator_optimizer: keras.Optimizer | None

    def variables(self) -> dict[str, Any]:
        """Every variable, by its name in a checkpoint."""
        parts = {
            "generator": self.generator,
            "average": self.average if self.average is not self.generator else None,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }
        return {
            f"{name}/{index:04d}": variable
            for name, part in parts.items()
            if part is not None
            for index, variable in enumerate(part.variables)
        }

    def changed_by_passes(self) -> list[Any]:
        """What every pass through the networks changes: averages of batch norm."""
        networks = [self.generator, *([self.discriminator] if self.discriminator else [])]
        layers = [layer for network in networks for layer in network.layers]
        normalising = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        return [variable for layer in normalising for variable in layer.non_trainable_variables]


@dataclass
class Counters:
    """What is counted beside the weights; saved with them.

    Attributes:
        step: steps done.
        seconds: of training.
        sums: for each value to be logged, its sum and count since the last log.
        figures: of the last validation.
        start: of the validation at step 0; empty if there was none.
        validation_seconds: how long a validation takes.
        best: the best validation's figure so far, its sign changed where less is better.
        best_by: which figure that is.
        best_step: the step of that validation.
        paralysed: for how many logs in a row the discriminator's loss has been close to 0.
    """

    step: int = 0
    seconds: float = 0.0
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    start: dict[str, float] = field(default_factory=dict)
    validation_seconds: float = 0.0
    best: float = -math.inf
    best_by: str = "psnr"
    best_step: int = 0
    paralysed: int = 0

    def add(self, values: dict[str, float]) -> None:
        """Add a step's values to the sums, except those that are not finite."""
        for name, value in values.items():
            if np.isfinite(value):  # a gradient may overflow in float16; its update was skipped
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = (total + value, count + 1)

    def judge_by(self, name: str) -> None:
        """Choose the best by a figure; by another than before, whatever was best counts no longer."""
        if name != self.best_by:
            self.best, self.best_by, self.best_step = -math.inf, name, self.step

    def note_validation(self, figures: dict[str, float]) -> bool:
        """Remember a validation; whether it is the best."""
        self.figures = figures
        score = reading.score(self.best_by, figures[self.best_by])
        if score <= self.best:
            return False
        self.best, self.best_step = score, self.step
        return True

    def note_paralysed(self, paralysed: bool) -> None:
        """Count the logs in a row at which the discriminator was paralysed."""
        self.paralysed = self.paralysed + 1 if paralysed else 0

    def take_means(self) -> dict[str, float]:
        """The means since they were last taken."""
        means = {name: total / count for name, (total, count) in self.sums.items()}
        self.sums.clear()
        return means


def build(recipe: Recipe, init: InitialWeights | None) -> State:
    """New networks and optimisers, as a recipe describes them.

    Args:
        recipe: what to build.
        init: weights for the generator to start from, and for the discriminator where they fit it.

    Raises:
        OptionError: `init` is of another network.
    """
    with _precision(recipe):
        generator = networks.build_generator(recipe.generator)
        discriminator = None
        if recipe.discriminator:
            size = FACE_SIDE if isinstance(recipe.data, FacesData) else recipe.data.crop
            discriminator = networks.build_discriminator(recipe.discriminator, size)
    if init:
        init.copy_into(generator)
        if discriminator:
            init.copy_discriminator_into(discriminator)
    average = generator
    # The average is always float32, as is what is exported.
    if recipe.optimizer.ema or recipe.precision != "float32":
        average = networks.build_generator(recipe.generator)
        average.set_weights(generator.get_weights())
    rates = recipe.learning_rates()
    return State(
        generator,
        average,
        discriminator,
        _optimizer(recipe, generator, rates["learning_rate"]),
        _optimizer(recipe, discriminator, rates["discriminator_learning_rate"]) if discriminator else None,
    )


def save(state: State, counters: Counters, layout: RunLayout, keep: int, best: bool) -> None:
    """Write a checkpoint.

    Args:
        state: the networks and optimisers.
        counters: saved with them.
        layout: of the run folder.
        keep: how many checkpoints to keep.
        best: whether it replaces the best checkpoint as well.

    Raises:
        TrainingError: a weight is not finite; nothing is written.
        OutputError: the checkpoint cannot be written.
    """
    arrays = {name: backend.as_numpy(variable) for name, variable in state.variables().items()}
    # A loss is taken before its update, so a weight may be NaN while every loss was finite.
    health.require_finite(layout, counters.step, "weights", list(arrays.values()))
    checkpoint.save(layout, counters.step, arrays, vars(counters), keep, best)


def restore(state: State, layout: RunLayout, reporter: Reporter) -> Counters:
    """Load the newest whole checkpoint of a run folder, or the best if no other is whole.

    Args:
        state: the networks and optimisers to load it into.
        layout: of the run folder.
        reporter: is told where the run resumes, and what is damaged.

    Returns:
        The counters of the checkpoint; new ones where there is none.

    Raises:
        OptionError: the checkpoint is of other networks.
        TrainingError: there are checkpoints but none is whole.
    """
    saved, damaged = checkpoint.load(layout)
    for path in damaged:
        reporter.say(f"{path} is damaged: passed over")
    if saved is None:
        return Counters()
    arrays, facts = saved
    variables = state.variables()
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if shapes != {name: array.shape for name, array in arrays.items()}:
        raise OptionError(
            f"{layout.folder} holds checkpoints of other networks: use the recipe it was trained with, or "
            "another --out"
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])
    is_best = not set(layout.all_checkpoints()) - set(damaged)
    best = ", the best: no other checkpoint is whole" if is_best else ""
    reporter.say(f"{layout.folder}: resuming from step {facts['step']:,}{best}")
    return Counters(**facts)


def _optimizer(recipe: Recipe, network: keras.Model, rate: float) -> keras.Optimizer:
    settings = recipe.optimizer
    made: keras.Optimizer = keras.optimizers.Adam(
        rate, settings.beta_1, settings.beta_2, global_clipnorm=settings.clip_norm or None
    )
    if recipe.precision == "float16":
        made = keras.optimizers.LossScaleOptimizer(made)
    made.build(network.trainable_variables)
    return made


@contextmanager
def _precision(recipe: Recipe) -> Iterator[None]:
    """Build networks whose arithmetic is of the recipe's precision; their variables are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else f"mixed_{recipe.precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
