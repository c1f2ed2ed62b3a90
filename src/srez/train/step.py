"""One training step on any backend: its gradients, and what is done with them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from srez.train import backend, losses
from srez.train.data import to_pairs
from srez.train.objective import Drawn, Objective, Values
from srez.train.recipe import Recipe
from srez.train.replicas import Replicas, Rows
from srez.train.state import State

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types


class TrainingStep:
    """Trains a state's networks by one step.

    A step updates the discriminator as often as the recipe says, each time on a new batch. The generator is
    updated once, together with the last of them.
    """

    def __init__(self, recipe: Recipe, state: State, replicas: Replicas) -> None:
        """Prepare the step; nothing is computed yet.

        Args:
            recipe: losses, batch and optimiser.
            state: what to train.
            replicas: the devices or processes that share every batch.

        Raises:
            OptionError: the perceptual network has no such layer.
            DataError: the perceptual network's weights cannot be loaded.
        """
        self._recipe, self._state = recipe, state
        self._rates = recipe.learning_rates()
        self._replicas = replicas.count
        self._objective = Objective(recipe, state)
        self._to_pairs = to_pairs(recipe.data)
        self._backend = backend.current()
        compute = self._backend.compiled(self._losses_and_gradients, recipe.xla)
        self._compute = replicas.averaged(compute, state.changed_by_passes())
        self._update_generator = _updater(state.generator, state.generator_optimizer, recipe.xla)
        if state.discriminator and state.discriminator_optimizer:
            self._update_discriminator = _updater(
                state.discriminator, state.discriminator_optimizer, recipe.xla
            )
        self._update_average = self._backend.compiled(self._move_average, recipe.xla)

    def __call__(self, steps_done: int, rate_factor: float, rows: Rows) -> Values:
        """Take one step.

        Args:
            steps_done: how many steps came before.
            rate_factor: scales both learning rates, in [0, 1].
            rows: the next batches, or parts of batches.

        Returns:
            The losses, the discriminator's mean outputs for real and fake, and the norms of the gradients; a
            GPU may still be computing them.
        """
        recipe, state = self._recipe, self._state
        state.generator_optimizer.learning_rate = rate_factor * self._rates["learning_rate"]
        if state.discriminator_optimizer:
            state.discriminator_optimizer.learning_rate = (
                rate_factor * self._rates["discriminator_learning_rate"]
            )
        updates = recipe.discriminator.updates if recipe.discriminator else 1
        values: Values = {}
        for update in range(updates):
            is_last = update == updates - 1
            values |= self._update(steps_done * updates + update, is_last, rows)
        if state.average is not state.generator:
            self._update_average(np.float32(self._decay(steps_done)))
        return values

    def _decay(self, steps_done: int) -> float:
        """How much of its past the averaged generator keeps; less at first, to forget the initial weights."""
        ema = self._recipe.optimizer.ema
        return min(ema, (2 + steps_done) / (11 + steps_done)) if ema else 0.0

    def _update(self, number: int, with_generator: bool, rows: Rows) -> Values:
        """Update the discriminator and, if asked, the generator on one batch.

        Args:
            number: of this update, counted from the start of the run.
            with_generator: whether the generator is updated too.
            rows: the parts of the batch come from here.
        """
        recipe, loss, parts = self._recipe, self._recipe.loss, self._recipe.optimizer.accumulate
        penalise = bool(loss.gradient_penalty) or bool(loss.r1 and number % loss.r1_every == 0)
        computed = []
        for part in range(parts):
            drawn = Drawn.of(recipe.seed, number * parts + part, recipe.batch // parts)
            computed.append(self._compute(next(rows), drawn.corner, drawn.shares, with_generator, penalise))
        values, generator_gradients, discriminator_gradients = _mean(computed)
        if with_generator:
            values["generator_gradient"] = self._update_generator(generator_gradients)
        if self._state.discriminator:
            values["discriminator_gradient"] = self._update_discriminator(discriminator_gradients)
        return values

    def _losses_and_gradients(
        self,
        raw: dict[str, Tensor],
        replica: Tensor,
        corner: tuple[Tensor, Tensor],
        shares: Tensor,
        with_generator: bool,
        penalise: bool,
    ) -> tuple[Values, list[Tensor], list[Tensor]]:
        """Losses and gradients on some rows.

        Args:
            raw: the rows as they were drawn; see `srez.train.data.to_pairs`.
            replica: the number of the replica that has these rows.
            corner: see `Drawn`.
            shares: see `Drawn`.
            with_generator: whether the generator's loss is computed too.
            penalise: whether the discriminator's loss includes its penalty.

        Returns:
            What is logged, and the gradients of the generator and of the discriminator.
        """
        pairs, own = self._to_pairs(raw), shares[replica :: self._replicas]
        networks = (self._state.generator, self._state.discriminator)
        values, (of_generator, of_discriminator) = self._backend.gradients(
            lambda: self._objective(pairs, corner, own, with_generator, penalise),
            [network.trainable_variables if network else [] for network in networks],
        )
        return values, of_generator, of_discriminator

    def _move_average(self, decay: Tensor) -> None:
        """Move the averaged generator towards the current one."""
        pairs = zip(self._state.average.variables, self._state.generator.variables, strict=True)
        for mean, variable in pairs:
            mean.assign(decay * mean + (1 - decay) * variable)


def _updater(network: keras.Model, optimizer: keras.Optimizer, xla: bool) -> Callable[[list[Tensor]], Tensor]:
    """A function that applies gradients to a network and returns their norm."""

    def update(gradients: list[Tensor]) -> Tensor:
        norm = losses.global_norm(gradients)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            norm = norm / optimizer.dynamic_scale
        optimizer.apply(gradients, network.trainable_variables)
        return norm

    return backend.current().compiled(update, xla)


def _mean(parts: list[Any]) -> Any:
    """The mean, tensor by tensor, of what was computed for each part of a batch."""
    if len(parts) == 1:
        return parts[0]
    return keras.tree.map_structure(lambda *values: sum(values) / len(values), *parts)
