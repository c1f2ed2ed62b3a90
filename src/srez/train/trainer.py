"""The training loop. What a step computes is in `step_tensorflow`, what a run leaves in `run_folder`."""

import time
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from srez.runs.layout import VALIDATION, RunLayout
from srez.train import health, interrupts, replicas, schedules, validation
from srez.train import state as states
from srez.train.data import TrainingData
from srez.train.recipe import Recipe
from srez.train.reporter import Reporter
from srez.train.run_folder import ChiefRunFolder, Identity, RunFolder
from srez.train.state import Counters, State
from srez.train.step_tensorflow import TrainingStep
from srez.train.weights import InitialWeights

GRADIENTS = ("generator_gradient", "discriminator_gradient")  # norms, which may overflow in float16


@dataclass(frozen=True)
class Prepared:
    """A training that can begin: its networks are built. Train it once.

    Attributes:
        recipe: what to do.
        state: new networks and optimisers.
        take_step: trains them by one step.
        strategy: of the devices or processes that share every batch; the chief alone validates and writes.
        init: the fingerprint of the weights that the generator starts from; None for random ones.
    """

    recipe: Recipe
    state: State
    take_step: TrainingStep
    strategy: replicas.Strategy
    init: str | None


@dataclass(frozen=True)
class Result:
    """Where a run stands: its averaged generator, steps done, seconds in all, its last figures."""

    average: keras.Model
    step: int
    seconds: float
    figures: dict[str, float]


def prepare(
    recipe: Recipe, init: InitialWeights | None = None, strategy: replicas.Strategy | None = None
) -> Prepared:
    """Build the networks, so that what cannot be trained is refused before any data is read.

    Args:
        recipe: what to do.
        init: weights for the generator to start from; random ones by default.
        strategy: of several devices or processes; one device by default.

    Raises:
        OptionError: the devices cannot share this training, the initial weights are of another network, or
            the perceptual network has no such layer.
        DataError: the perceptual network's weights cannot be had.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    strategy = strategy or replicas.one()
    state = states.build(recipe, init)
    replicas.require_fit(recipe, strategy, state.moving())
    step = TrainingStep(recipe, state, strategy)
    return Prepared(recipe, state, step, strategy, init.fingerprint if init else None)


def train(prepared: Prepared, data: TrainingData, out: Path, reporter: Reporter | None = None) -> Result:
    """Train until the recipe's last step, from the newest checkpoint in the run folder if there is one.

    What the folder receives is in `srez.runs.layout`. A Ctrl-C or SIGTERM ends the step, saves and returns
    early; a second one is not held back.

    Args:
        prepared: what to train; its networks are changed.
        data: what to train it on.
        out: the run folder.
        reporter: is told of every step, every validation, and of what is resumed or damaged.

    Raises:
        OptionError: the folder holds a run of another recipe or from other weights, or another process
            trains in it.
        DataError: the folder holds a run on other data.
        TrainingError: losses or weights that are not finite, a discriminator that has won; the last
            checkpoint stays.
        OutputError: the folder cannot be written.
    """
    recipe, state, strategy = prepared.recipe, prepared.state, prepared.strategy
    every, reporter = recipe.every, reporter or Reporter()
    chief, layout = replicas.is_chief(strategy), RunLayout(out)
    with _open(prepared, data, layout, reporter) as folder, interrupts.stop_request() as stop:
        counters = states.restore(state, layout, reporter)
        replicas.require_same_step(strategy, counters.step, out)
        folder.begin(counters.step)
        evaluate = validation.evaluator(data.validation, folder.show)
        rows = _rows(prepared, data, counters.step)
        began = time.monotonic() - counters.seconds
        saved_step, saved_at = counters.step, time.monotonic()

        while counters.step < recipe.steps and not stop.is_set():
            share = schedules.share(recipe.optimizer, counters.step, recipe.steps)
            values = prepared.take_step(counters.step, share, rows)
            counters.add(values)
            step = counters.step
            losses = [value for name, value in values.items() if name not in GRADIENTS]
            health.require_finite(layout, step, "losses", losses)
            reporter.step(step, values)
            counters.seconds = time.monotonic() - began

            if step % every.log == 0:
                _log(recipe, counters, share, folder)
            best = False
            if chief and (step % every.validate_ == 0 or step == recipe.steps):
                counters.figures = dict(evaluate(state.average, step))
                best = _note(counters, folder, reporter)
            overdue = time.monotonic() - saved_at >= 60 * every.minutes
            if chief and (best or overdue or step % every.checkpoint == 0):
                states.save(state, counters, layout, every.keep, best)
                saved_step, saved_at = step, time.monotonic()

        if chief and saved_step < counters.step:
            states.save(state, counters, layout, every.keep, best=False)
    return Result(state.average, counters.step, counters.seconds, counters.figures)


def _open(prepared: Prepared, data: TrainingData, layout: RunLayout, reporter: Reporter) -> RunFolder:
    if not replicas.is_chief(prepared.strategy):
        return RunFolder(layout)
    identity = Identity(prepared.recipe, data.provenance.fingerprint, prepared.init)
    return ChiefRunFolder(layout, identity, data, reporter)


def _rows(prepared: Prepared, data: TrainingData, step: int) -> replicas.Rows:
    """The rows of all batches from a step to the last, as this process's replicas take them."""
    recipe = prepared.recipe
    per_step = recipe.batch * (recipe.discriminator.updates if recipe.discriminator else 1)
    start, stop = step * per_step, recipe.steps * per_step
    return replicas.rows_of_batches(prepared.strategy, data.training, recipe, start, stop)


def _log(recipe: Recipe, counters: Counters, share: float, folder: RunFolder) -> None:
    """Log the means since the last log, and stop a run whose discriminator has won."""
    means = counters.take_means()
    rates = {name: share * rate for name, rate in recipe.learning_rates().items()}
    folder.log(counters.step, {**means, **rates, "seconds": round(counters.seconds, 1)})
    counters.paralysed = counters.paralysed + 1 if health.paralysed(recipe, means) else 0
    health.require_alive(folder.layout, recipe, counters.step, counters.paralysed)


def _note(counters: Counters, folder: RunFolder, reporter: Reporter) -> bool:
    """Log and report the figures of a validation; whether they are the best so far."""
    figures = counters.figures
    folder.log(counters.step, {f"{VALIDATION}{name}": value for name, value in figures.items()})
    reporter.validation(counters.step, figures)
    score, best_before = figures[validation.BEST_BY], counters.best
    counters.best = max(score, best_before)
    return score > best_before
