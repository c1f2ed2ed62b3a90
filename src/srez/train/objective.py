"""What a training step minimises: the losses of both networks on some rows. Written in `keras.ops`."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from srez.train import losses, perceptual, spread
from srez.train.data import SCALE
from srez.train.data.pairs import generator
from srez.train.recipe import Recipe
from srez.train.state import State

Tensor = Any
Values = dict[str, Tensor]
Scored = tuple[Tensor, list[Tensor]]
"""What a discriminator says of pictures: logits, `(N, 1)` or one for every patch, and its features."""
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types

_DRAWS = 2**33  # added to the seed: batches have other numbers


@dataclass(frozen=True)
class Drawn:
    """The random numbers of one pass, the same on every backend.

    Attributes:
        corner: where the crops begin that perceptual and adversarial losses see, in [0, SCALE) each.
        shares: `(batch, 1, 1, 1)`, uniform in [0, 1): for the interpolates of the gradient penalty.
    """

    corner: tuple[np.int32, np.int32]
    shares: np.ndarray

    @staticmethod
    def of(seed: int, number: int, rows: int) -> "Drawn":
        """The numbers of a pass.

        Args:
            seed: of the run.
            number: of the pass, from its start.
            rows: of the batch on all devices: a row's share must not depend on their number.
        """
        random = generator(seed + _DRAWS, number)
        top, left = random.integers(0, SCALE, 2, np.int32)
        return Drawn((top, left), random.random((rows, 1, 1, 1), np.float32))


class Objective:
    """The losses of a state's networks, as a recipe weighs them."""

    def __init__(self, recipe: Recipe, state: State) -> None:
        """Prepare the losses.

        Raises:
            OptionError: the perceptual network has no such layer.
            DataError: the perceptual network's weights cannot be loaded.
        """
        self._loss, self._state = recipe.loss, state
        self._samples = recipe.samples
        self._generator_loss, self._discriminator_loss = losses.ADVERSARIAL[recipe.loss.variant]
        self._features = perceptual.features(recipe.perceptual) if recipe.loss.perceptual else None

    def __call__(
        self,
        pairs: tuple[Tensor, Tensor, Tensor],
        corner: tuple[Tensor, Tensor],
        shares: Tensor,
        with_generator: bool,
        penalise: bool,
    ) -> tuple[Values, list[Tensor | None]]:
        """Both networks' losses, from one pass through the generator.

        Args:
            pairs: the network's input, clean LR and HR.
            corner: see `Drawn`.
            shares: see `Drawn`, of these rows.
            with_generator: whether the generator's loss is computed too.
            penalise: whether the discriminator's loss includes its penalty.

        Returns:
            What is logged, and the losses of the generator and of the discriminator, scaled as their
            optimisers need it; None for what is not trained.
        """
        state, (noisy, low, high) = self._state, pairs
        generator_loss = discriminator_loss = None
        output = ops.cast(state.generator(noisy, training=True), "float32")
        terms = self._distances(output, low, high, corner) if with_generator else {}
        if state.discriminator_optimizer:
            real, fake = self._score(high, low, corner), self._score(output, low, corner)
            if with_generator:
                terms |= self._adversarial(real, fake)
            adversarial_loss = discriminator_loss = self._discriminator_loss(real[0], fake[0])
            if penalise:
                weight, terms["penalty"] = self._penalty(output, low, high, corner, shares)
                discriminator_loss = adversarial_loss + weight * terms["penalty"]
            terms["discriminator"] = adversarial_loss
            terms |= self._mean_scores(real, fake)
            discriminator_loss = state.discriminator_optimizer.scale_loss(discriminator_loss)
        if with_generator:
            generator_loss = sum(weight * terms[name] for name, weight in self._loss.terms().items())
            generator_loss = state.generator_optimizer.scale_loss(generator_loss)
        return terms, [generator_loss, discriminator_loss]

    def _score(self, picture: Tensor, low: Tensor, corner: tuple[Tensor, Tensor]) -> Scored:
        """The discriminator's output for pictures, given their inputs."""
        assert self._state.discriminator
        logits, features = self._state.discriminator([self._seen(picture, corner), low], training=True)
        return ops.cast(logits, "float32"), keras.tree.flatten(features)

    def _mean_scores(self, real: Scored, fake: Scored) -> Values:
        """The discriminator's mean outputs, to be logged."""
        variant = self._loss.variant
        return {
            "real": losses.mean_score(variant, real[0]),
            "fake": losses.mean_score(variant, fake[0]),
        }

    def _distances(self, output: Tensor, low: Tensor, high: Tensor, corner: tuple[Tensor, Tensor]) -> Values:
        """The generator's losses that need no discriminator."""
        loss, terms = self._loss, {}
        if loss.l1:
            terms["l1"] = losses.l1(output, high)
        if loss.mean_l1:
            terms["mean_l1"] = spread.mean_l1(output, high, self._samples)
        if loss.spread:
            terms["spread"] = spread.spread(output, high, self._samples, loss.share)
        if loss.mse:
            terms["mse"] = losses.mse(output, high)
        if loss.ssim:
            terms["ssim"] = losses.ssim(output, high)
        if loss.consistency:
            terms["consistency"] = losses.consistency(output, low)
        if loss.grid:
            terms["grid"] = losses.grid(output, high)
        if self._features:
            found, truth = (self._features(self._seen(picture, corner)) for picture in (output, high))
            terms["perceptual"] = losses.feature_distance(found, truth)
        return terms

    def _adversarial(self, real: Scored, fake: Scored) -> Values:
        """The generator's losses that depend on the discriminator."""
        terms = {"adversarial": self._generator_loss(real[0], fake[0])}
        if self._loss.feature_matching:
            truth = [ops.stop_gradient(features) for features in real[1]]
            terms["feature_matching"] = losses.feature_distance(fake[1], truth, losses.l1)
        return terms

    def _penalty(
        self, output: Tensor, low: Tensor, high: Tensor, corner: tuple[Tensor, Tensor], shares: Tensor
    ) -> tuple[float, Tensor]:
        """The weight and the value of the discriminator's penalty: R1 or WGAN-GP's."""

        def logits(picture: Tensor) -> Tensor:
            return self._score(picture, low, corner)[0]

        if self._loss.r1:
            return self._loss.r1 * self._loss.r1_every, losses.r1(logits, high)
        output = ops.stop_gradient(output)
        return self._loss.gradient_penalty, losses.gradient_penalty(logits, high, output, shares)

    def _seen(self, pictures: Tensor, corner: tuple[Tensor, Tensor]) -> Tensor:
        """Pictures as perceptual and adversarial losses see them.

        With `loss.shift`, they are less by the width of an input pixel, from a corner that changes from step
        to step. A network with strides sees some places of an input pixel's 4x4 better than others. Always at
        the same places, that would teach the generator a grid.
        """
        if not self._loss.shift:
            return pictures
        top, left = corner
        return pictures[:, top : top - SCALE, left : left - SCALE]  # the ends count from behind
