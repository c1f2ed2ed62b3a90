"""One training step with TensorFlow: losses, gradients and updates."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from srez.train import losses, perceptual, replicas
from srez.train.recipe import Recipe
from srez.train.state import State

Values = dict[str, tf.Tensor]
Judged = tuple[tf.Tensor, list[tf.Tensor]]
"""A discriminator's logits, `(N, 1)`, and its features."""


class TrainingStep:
    """Trains a state's networks by one step: the discriminator's updates, the last with the generator's."""

    def __init__(self, recipe: Recipe, state: State, strategy: replicas.Strategy) -> None:
        """Prepare the step; nothing is computed yet.

        Args:
            recipe: losses, batch and optimiser.
            state: what to train.
            strategy: of the devices or processes that share every batch.

        Raises:
            OptionError: the perceptual network has no such layer.
            DataError: the perceptual network's weights cannot be had.
        """
        self._recipe, self._state = recipe, state
        self._rates = recipe.learning_rates()
        self._replicas = strategy.num_replicas_in_sync
        self._generator_loss, self._discriminator_loss = losses.ADVERSARIAL[recipe.loss.variant]
        self._features = perceptual.features(recipe.perceptual) if recipe.loss.perceptual else None
        compute = tf.function(self._losses_and_gradients, jit_compile=recipe.xla)
        self._compute = replicas.averaged(strategy, compute, state.moving())
        self._update_generator = _updater(state.generator, state.generator_optimizer, recipe.xla)
        if state.discriminator and state.discriminator_optimizer:
            self._update_discriminator = _updater(
                state.discriminator, state.discriminator_optimizer, recipe.xla
            )
        self._move_average = tf.function(self._towards_the_generator, jit_compile=recipe.xla)

    def __call__(self, done: int, share: float, rows: replicas.Rows) -> dict[str, float]:
        """Take one step.

        Args:
            done: the steps done so far.
            share: of the learning rates, in [0, 1].
            rows: of the next batches, or parts of batches.

        Returns:
            The losses, the discriminator's mean outputs for real and fake, and the norms of the gradients.
        """
        recipe, state = self._recipe, self._state
        state.generator_optimizer.learning_rate = share * self._rates["learning_rate"]
        if state.discriminator_optimizer:
            state.discriminator_optimizer.learning_rate = share * self._rates["discriminator_learning_rate"]
        updates = recipe.discriminator.updates if recipe.discriminator else 1
        values: Values = {}
        for update in range(updates):
            values |= self._update(done * updates + update, update == updates - 1, rows)
        if state.average is not state.generator:
            # Early on the average follows faster, or it would remember the initial weights.
            decay = min(recipe.optimizer.ema, (2 + done) / (11 + done)) if recipe.optimizer.ema else 0.0
            self._move_average(tf.constant(decay))
        return {name: float(value) for name, value in values.items()}

    def _update(self, number: int, teach: bool, rows: replicas.Rows) -> Values:
        """One update of the discriminator, and of the generator where that is taught, on one batch."""
        loss, parts = self._recipe.loss, self._recipe.optimizer.accumulate
        penalise = bool(loss.gradient_penalty) or bool(loss.r1 and number % loss.r1_every == 0)
        found = []
        for part in range(parts):
            seed = tf.constant([self._recipe.seed, number * parts + part], tf.int64)
            found.append(self._compute(next(rows), seed, teach, penalise))
        values, generator_gradients, discriminator_gradients = _mean(found)
        if teach:
            values["generator_gradient"] = self._update_generator(generator_gradients)
        if self._state.discriminator:
            values["discriminator_gradient"] = self._update_discriminator(discriminator_gradients)
        return values

    def _losses_and_gradients(
        self,
        noisy: tf.Tensor,
        low: tf.Tensor,
        high: tf.Tensor,
        replica: tf.Tensor,
        seed: tf.Tensor,
        teach: bool,
        penalise: bool,
    ) -> tuple[Values, list[tf.Tensor], list[tf.Tensor]]:
        """Losses and gradients on some rows, from one pass through the generator.

        Args:
            noisy: the network's input, `(N, h, w, 3)`.
            low: the same without noise.
            high: the truth, `(N, 4h, 4w, 3)`.
            replica: the number of the replica that these rows are of.
            seed: of the penalty's interpolates.
            teach: whether the generator is updated.
            penalise: whether the discriminator's loss has its penalty.

        Returns:
            What is logged, and the gradients of the generator and of the discriminator.
        """
        state = self._state
        total = cost = None
        with tf.GradientTape(persistent=True) as tape:
            output = tf.cast(state.generator(noisy, training=True), tf.float32)
            terms = self._distances(output, low, high) if teach else {}
            if state.discriminator_optimizer:
                real, fake = self._judge(high, low), self._judge(output, low)
                if teach:
                    terms |= self._adversarial(real, fake)
                verdict = cost = self._discriminator_loss(real[0], fake[0])
                if penalise:
                    weight, terms["penalty"] = self._penalty(output, low, high, replica, seed)
                    cost = verdict + weight * terms["penalty"]
                terms["discriminator"] = verdict
                for name, (logits, _) in (("real", real), ("fake", fake)):
                    terms[name] = losses.verdict(self._recipe.loss.variant, logits)
                cost = state.discriminator_optimizer.scale_loss(cost)
            if teach:
                weights = self._recipe.loss.terms()
                total = tf.add_n([weight * terms[name] for name, weight in weights.items()])
                total = state.generator_optimizer.scale_loss(total)
        return terms, _gradients(tape, total, state.generator), _gradients(tape, cost, state.discriminator)

    def _judge(self, picture: tf.Tensor, low: tf.Tensor) -> Judged:
        assert self._state.discriminator
        logits, features = self._state.discriminator([picture, low], training=True)
        return tf.cast(logits, tf.float32), keras.tree.flatten(features)

    def _distances(self, output: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> Values:
        """The generator's losses that need no discriminator."""
        loss, terms = self._recipe.loss, {}
        if loss.l1:
            terms["l1"] = losses.l1(output, high)
        if loss.mse:
            terms["mse"] = losses.mse(output, high)
        if loss.consistency:
            terms["consistency"] = losses.consistency(output, low)
        if self._features:
            terms["perceptual"] = losses.feature_distance(self._features(output), self._features(high))
        return terms

    def _adversarial(self, real: Judged, fake: Judged) -> Values:
        """The generator's losses that the discriminator gives."""
        terms = {"adversarial": self._generator_loss(real[0], fake[0])}
        if self._recipe.loss.feature_matching:
            truth = [tf.stop_gradient(features) for features in real[1]]
            terms["feature_matching"] = losses.feature_distance(fake[1], truth, losses.l1)
        return terms

    def _penalty(
        self, output: tf.Tensor, low: tf.Tensor, high: tf.Tensor, replica: tf.Tensor, seed: tf.Tensor
    ) -> tuple[float, tf.Tensor]:
        """The discriminator's penalty, R1 or WGAN-GP's, behind its weight."""
        loss = self._recipe.loss

        def judge(picture: tf.Tensor) -> tf.Tensor:
            return self._judge(picture, low)[0]

        if loss.r1:
            return loss.r1 * loss.r1_every, losses.r1(judge, high)
        # Drawn for the whole batch, so that each row has the same share however many replicas there are.
        rows = tf.shape(high)[0] * self._replicas
        shares = tf.random.stateless_uniform((rows, 1, 1, 1), seed)[replica :: self._replicas]
        return loss.gradient_penalty, losses.gradient_penalty(judge, high, tf.stop_gradient(output), shares)

    def _towards_the_generator(self, decay: tf.Tensor) -> None:
        """Move the averaged generator towards the present one."""
        pairs = zip(self._state.average.variables, self._state.generator.variables, strict=True)
        for mean, variable in pairs:
            mean.assign(decay * mean + (1 - decay) * variable)


def _gradients(tape: tf.GradientTape, loss: tf.Tensor | None, network: keras.Model | None) -> list[tf.Tensor]:
    """The gradients of a network's loss; none where it has no loss."""
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
    """The mean of equal structures of tensors, as of the parts of one batch."""
    if len(parts) == 1:
        return parts[0]
    return keras.tree.map_structure(lambda *values: tf.add_n(values) / len(values), *parts)
