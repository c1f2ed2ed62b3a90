"""One training step with TensorFlow: losses, gradients and updates."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from srez.train import losses, perceptual, replicas
from srez.train.data import SCALE, to_pairs
from srez.train.recipe import Recipe
from srez.train.state import State

Values = dict[str, tf.Tensor]
Scored = tuple[tf.Tensor, list[tf.Tensor]]
"""What a discriminator says of pictures: logits, `(N, 1)` or one for every patch, and its features."""


class TrainingStep:
    """Trains a state's networks by one step.

    A step updates the discriminator as often as the recipe says, each time on a new batch. The generator is
    updated once, together with the last of them.
    """

    def __init__(self, recipe: Recipe, state: State, strategy: replicas.Strategy) -> None:
        """Prepare the step; nothing is computed yet.

        Args:
            recipe: losses, batch and optimiser.
            state: what to train.
            strategy: the devices or processes that share every batch.

        Raises:
            OptionError: the perceptual network has no such layer.
            DataError: the perceptual network's weights cannot be loaded.
        """
        self._recipe, self._state = recipe, state
        self._rates = recipe.learning_rates()
        self._replicas = strategy.num_replicas_in_sync
        self._generator_loss, self._discriminator_loss = losses.ADVERSARIAL[recipe.loss.variant]
        self._features = perceptual.features(recipe.perceptual) if recipe.loss.perceptual else None
        self._to_pairs = to_pairs(recipe.data)
        compute = tf.function(self._losses_and_gradients, jit_compile=recipe.xla)
        self._compute = replicas.averaged(strategy, compute, state.changed_by_passes())
        self._update_generator = _updater(state.generator, state.generator_optimizer, recipe.xla)
        if state.discriminator and state.discriminator_optimizer:
            self._update_discriminator = _updater(
                state.discriminator, state.discriminator_optimizer, recipe.xla
            )
        self._update_average = tf.function(self._move_average, jit_compile=recipe.xla)

    def __call__(self, steps_done: int, rate_factor: float, rows: replicas.Rows) -> Values:
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
            self._update_average(tf.constant(self._decay(steps_done)))
        return values

    def _decay(self, steps_done: int) -> float:
        """How much of its past the averaged generator keeps; less at first, to forget the initial weights."""
        ema = self._recipe.optimizer.ema
        return min(ema, (2 + steps_done) / (11 + steps_done)) if ema else 0.0

    def _update(self, number: int, with_generator: bool, rows: replicas.Rows) -> Values:
        """Update the discriminator and, if asked, the generator on one batch.

        Args:
            number: of this update, counted from the start of the run.
            with_generator: whether the generator is updated too.
            rows: the parts of the batch come from here.
        """
        loss, parts = self._recipe.loss, self._recipe.optimizer.accumulate
        penalise = bool(loss.gradient_penalty) or bool(loss.r1 and number % loss.r1_every == 0)
        computed = []
        for part in range(parts):
            seed = tf.constant([self._recipe.seed, number * parts + part], tf.int64)
            computed.append(self._compute(next(rows), seed, with_generator, penalise))
        values, generator_gradients, discriminator_gradients = _mean(computed)
        if with_generator:
            values["generator_gradient"] = self._update_generator(generator_gradients)
        if self._state.discriminator:
            values["discriminator_gradient"] = self._update_discriminator(discriminator_gradients)
        return values

    def _losses_and_gradients(
        self,
        raw: dict[str, tf.Tensor],
        replica: tf.Tensor,
        seed: tf.Tensor,
        with_generator: bool,
        penalise: bool,
    ) -> tuple[Values, list[tf.Tensor], list[tf.Tensor]]:
        """Losses and gradients on some rows, from one pass through the generator.

        Args:
            raw: the rows as they were drawn; see `srez.train.data.to_pairs`.
            replica: the number of the replica that has these rows.
            seed: for the interpolates of the gradient penalty, and for the shift.
            with_generator: whether the generator's loss is computed too.
            penalise: whether the discriminator's loss includes its penalty.

        Returns:
            What is logged, and the gradients of the generator and of the discriminator.
        """
        state = self._state
        noisy, low, high = self._to_pairs(raw)
        generator_loss = discriminator_loss = None
        corner = self._corner(seed)
        with tf.GradientTape(persistent=True) as tape:
            output = tf.cast(state.generator(noisy, training=True), tf.float32)
            terms = self._distances(output, low, high, corner) if with_generator else {}
            if state.discriminator_optimizer:
                real, fake = self._score(high, low, corner), self._score(output, low, corner)
                if with_generator:
                    terms |= self._adversarial(real, fake)
                adversarial_loss = discriminator_loss = self._discriminator_loss(real[0], fake[0])
                if penalise:
                    weight, terms["penalty"] = self._penalty(output, low, high, corner, replica, seed)
                    discriminator_loss = adversarial_loss + weight * terms["penalty"]
                terms["discriminator"] = adversarial_loss
                terms |= self._mean_scores(real, fake)
                discriminator_loss = state.discriminator_optimizer.scale_loss(discriminator_loss)
            if with_generator:
                weights = self._recipe.loss.terms()
                generator_loss = tf.add_n([weight * terms[name] for name, weight in weights.items()])
                generator_loss = state.generator_optimizer.scale_loss(generator_loss)
        return (
            terms,
            _gradients(tape, generator_loss, state.generator),
            _gradients(tape, discriminator_loss, state.discriminator),
        )

    def _corner(self, seed: tf.Tensor) -> tf.Tensor | None:
        """Where the crops begin that perceptual and adversarial losses see; None where they see all."""
        if not self._recipe.loss.shift:
            return None
        _, own_seed = tf.unstack(tf.random.split(seed, 2))
        return tf.random.stateless_uniform([2], own_seed, 0, SCALE, tf.int32)

    def _score(self, picture: tf.Tensor, low: tf.Tensor, corner: tf.Tensor | None) -> Scored:
        """The discriminator's output for pictures, given their inputs."""
        assert self._state.discriminator
        logits, features = self._state.discriminator([_shifted(picture, corner), low], training=True)
        return tf.cast(logits, tf.float32), keras.tree.flatten(features)

    def _mean_scores(self, real: Scored, fake: Scored) -> Values:
        """The discriminator's mean outputs, to be logged."""
        variant = self._recipe.loss.variant
        return {
            "real": losses.mean_score(variant, real[0]),
            "fake": losses.mean_score(variant, fake[0]),
        }

    def _distances(
        self, output: tf.Tensor, low: tf.Tensor, high: tf.Tensor, corner: tf.Tensor | None
    ) -> Values:
        """The generator's losses that need no discriminator."""
        loss, terms = self._recipe.loss, {}
        if loss.l1:
            terms["l1"] = losses.l1(output, high)
        if loss.mse:
            terms["mse"] = losses.mse(output, high)
        if loss.consistency:
            terms["consistency"] = losses.consistency(output, low)
        if loss.grid:
            terms["grid"] = losses.grid(output, high)
        if self._features:
            found, truth = (self._features(_shifted(picture, corner)) for picture in (output, high))
            terms["perceptual"] = losses.feature_distance(found, truth)
        return terms

    def _adversarial(self, real: Scored, fake: Scored) -> Values:
        """The generator's losses that depend on the discriminator."""
        terms = {"adversarial": self._generator_loss(real[0], fake[0])}
        if self._recipe.loss.feature_matching:
            truth = [tf.stop_gradient(features) for features in real[1]]
            terms["feature_matching"] = losses.feature_distance(fake[1], truth, losses.l1)
        return terms

    def _penalty(
        self,
        output: tf.Tensor,
        low: tf.Tensor,
        high: tf.Tensor,
        corner: tf.Tensor | None,
        replica: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[float, tf.Tensor]:
        """The weight and the value of the discriminator's penalty: R1 or WGAN-GP's."""
        loss = self._recipe.loss

        def logits(picture: tf.Tensor) -> tf.Tensor:
            return self._score(picture, low, corner)[0]

        if loss.r1:
            return loss.r1 * loss.r1_every, losses.r1(logits, high)
        # Drawn for the whole batch: a row's share must not depend on the number of replicas.
        rows = tf.shape(high)[0] * self._replicas
        shares = tf.random.stateless_uniform((rows, 1, 1, 1), seed)[replica :: self._replicas]
        return loss.gradient_penalty, losses.gradient_penalty(logits, high, tf.stop_gradient(output), shares)

    def _move_average(self, decay: tf.Tensor) -> None:
        """Move the averaged generator towards the current one."""
        pairs = zip(self._state.average.variables, self._state.generator.variables, strict=True)
        for mean, variable in pairs:
            mean.assign(decay * mean + (1 - decay) * variable)


def _shifted(pictures: tf.Tensor, corner: tf.Tensor | None) -> tf.Tensor:
    """Pictures less the width of an input pixel, from a corner that changes from step to step.

    A network with strides sees some places of an input pixel's 4x4 better than others. Always at the same
    places, that would teach the generator a grid.
    """
    if corner is None:
        return pictures
    top, left = corner[0], corner[1]
    return pictures[:, top : top - SCALE, left : left - SCALE]  # the ends count from behind


def _gradients(tape: tf.GradientTape, loss: tf.Tensor | None, network: keras.Model | None) -> list[tf.Tensor]:
    """The gradients of a network's loss; empty if there is no loss."""
    if loss is None or network is None:
        return []
    found: Any = tape.gradient(loss, network.trainable_variables)
    return found


def _updater(
    network: keras.Model, optimizer: keras.Optimizer, xla: bool
) -> Callable[[list[tf.Tensor]], tf.Tensor]:
    """A function that applies gradients to a network and returns their norm."""

    @tf.function(jit_compile=xla)
    def update(gradients: list[tf.Tensor]) -> tf.Tensor:
        norm = tf.linalg.global_norm(gradients)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            norm /= optimizer.dynamic_scale
        optimizer.apply(gradients, network.trainable_variables)
        return norm

    return update


def _mean(parts: list[Any]) -> Any:
    """The mean, tensor by tensor, of what was computed for each part of a batch."""
    if len(parts) == 1:
        return parts[0]
    return keras.tree.map_structure(lambda *values: tf.add_n(values) / len(values), *parts)
