"""The training loop. `step` computes a step, `run_folder` writes logs and sheets."""

import time
from dataclasses import dataclass
from pathlib import Path

import keras

from srez.errors import OptionError
from srez.runs.layout import VALIDATION, RunLayout
from srez.train import backend, health, interrupts, schedules, validation, verdict
from srez.train import state as states
from srez.train.data import TrainingData
from srez.train.length import Length
from srez.train.pending import Pending
from srez.train.recipe import Recipe
from srez.train.replicas import Replicas, Rows
from srez.train.reporter import Reporter
from srez.train.run_folder import ChiefRunFolder, RunFolder
from srez.train.run_identity import Identity
from srez.train.state import Counters, State
from srez.train.step import TrainingStep
from srez.train.weights import InitialWeights
from srez.wording import counted

JUMP = 1.5  # a change of the learning rate by this factor is announced
UNLIMITED = 2**40  # steps: more than any run takes whose length is given in minutes


@dataclass(frozen=True)
class Prepared:
    """A training that is ready to begin, with its networks built. Train it only once.

    Attributes:
        recipe: what to do.
        state: new networks and optimisers.
        take_step: trains them by one step.
        replicas: the devices or processes that share every batch; only the chief validates and writes.
        init: fingerprint of the generator's initial weights; None if they are random.
    """

    recipe: Recipe
    state: State
    take_step: TrainingStep
    replicas: Replicas
    init: str | None


@dataclass(frozen=True)
class Result:
    """The state of a run that has ended or was stopped.

    Attributes:
        average: the averaged generator.
        step: steps done.
        seconds: of training, in all sessions together.
        figures: of the last validation.
        finished: whether it has reached its end.
    """

    average: keras.Model
    step: int
    seconds: float
    figures: dict[str, float]
    finished: bool


def prepare(recipe: Recipe, init: InitialWeights | None = None, replicas: Replicas | None = None) -> Prepared:
    """Build the networks, and refuse what cannot be trained before any data is read.

    Args:
        recipe: what to do.
        init: weights for the generator to start from; random ones by default.
        replicas: several devices or processes; one device by default.

    Raises:
        OptionError: the devices cannot share this training, the initial weights belong to another network,
            or the perceptual network has no such layer.
        DataError: the perceptual network's weights cannot be loaded.
    """
    keras.utils.set_random_seed(recipe.seed)
    backend.current().prepare(recipe.deterministic)
    replicas = replicas or Replicas()
    state = states.build(recipe, init)
    replicas.require_distributable(recipe, state.changed_by_passes())
    step = TrainingStep(recipe, state, replicas)
    return Prepared(recipe, state, step, replicas, init.fingerprint if init else None)


def train(prepared: Prepared, data: TrainingData, out: Path, reporter: Reporter | None = None) -> Result:
    """Train until the recipe's last step or minute, resuming from the newest checkpoint in the run folder.

    `srez.runs.layout` lists what is written there. After Ctrl-C or SIGTERM it finishes the step, saves and
    returns early; a second one interrupts at once.

    Args:
        prepared: what to train; its networks are changed.
        data: what to train it on.
        out: the run folder.
        reporter: hears of every step and validation, and of what is resumed or damaged.

    Raises:
        OptionError: the folder holds a run of another recipe, from other weights or of more steps, or
            another process trains in it.
        DataError: the folder holds a run on other data.
        TrainingError: losses or weights that are not finite, or a discriminator that has won; the last
            checkpoint is kept.
        OutputError: the folder cannot be written.
    """
    recipe, state, replicas = prepared.recipe, prepared.state, prepared.replicas
    every, reporter = recipe.every, reporter or Reporter()
    chief, layout = replicas.is_chief, RunLayout(out)
    with _open(prepared, data, layout, reporter) as folder, interrupts.stop_request() as stop:
        counters = states.restore(state, layout, reporter)
        _require_not_shorter(counters.step, recipe, out)
        _announce_jump(folder.earlier_recipe, recipe, counters.step, reporter)
        replicas.require_same_step(counters.step, out)
        counters.judge_by(validation.deciding_figure(recipe, reporter))
        bicubic = validation.bicubic_figures(data.validation, reporter) if chief else {}
        folder.begin(counters.step, bicubic)
        evaluate = validation.evaluator(data.validation, folder.write_sheet)

        def validate() -> bool:
            started = time.monotonic()
            is_best = counters.note_validation(evaluate(state.average, counters.step))
            counters.validation_seconds = time.monotonic() - started
            _log_validation(counters, bicubic, folder, reporter)
            return is_best

        if chief and counters.step == 0:
            validate()
            counters.start = counters.figures
        length = Length.of(recipe, counters.validation_seconds)
        pending = Pending(counters, layout, reporter)
        rows = _rows(prepared, data, counters.step)
        saved_step, saved_at = counters.step, time.monotonic()
        began = saved_at - counters.seconds
        progress = length.progress(counters.step, counters.seconds)

        while progress < 1 and not stop.is_set():
            rate_factor = schedules.rate_factor(recipe.optimizer, counters.step, progress)
            pending.add(prepared.take_step(counters.step, rate_factor, rows))
            step, counters.seconds = counters.step, time.monotonic() - began
            progress = length.progress(step, counters.seconds)
            reporter.progress(progress)

            if step % every.log == 0:
                pending.fetch()
                means = counters.take_means()
                _log(recipe, counters, means, rate_factor, folder)
                counters.note_paralysed(health.paralysed(recipe, means))
                health.require_alive(layout, recipe, step, counters.paralysed)
            is_best = False
            if chief and (step % every.validate_ == 0 or progress == 1):
                pending.fetch()
                is_best = validate()
            overdue = time.monotonic() - saved_at >= 60 * every.minutes
            if chief and (is_best or overdue or step % every.checkpoint == 0):
                pending.fetch()
                states.save(state, counters, layout, every.keep, is_best)
                saved_step, saved_at = step, time.monotonic()

        pending.fetch()
        if chief and saved_step < counters.step:
            states.save(state, counters, layout, every.keep, best=False)
        if chief and progress == 1:
            sentence = verdict.worse(counters, out)
            if sentence:
                reporter.warn_at_end(sentence)
    return Result(state.average, counters.step, counters.seconds, counters.figures, progress == 1)


def _require_not_shorter(step: int, recipe: Recipe, out: Path) -> None:
    if step > recipe.steps and not recipe.minutes:
        raise OptionError(
            f"{out} has already trained {counted(step, 'step')}: give --steps {step} or more, or "
            "another --out"
        )


def _announce_jump(earlier: Recipe | None, recipe: Recipe, step: int, reporter: Reporter) -> None:
    """Say so if a run that is made longer or shorter goes on at quite another learning rate."""
    if not earlier or not step or earlier.minutes or recipe.minutes or earlier.steps == recipe.steps:
        return
    last = step - 1  # of the steps done; both schedules rise alike
    before = schedules.rate_factor(earlier.optimizer, last, min(1.0, last / earlier.steps))
    after = schedules.rate_factor(recipe.optimizer, last, last / recipe.steps)
    if before / JUMP < after < before * JUMP:
        return
    rate = recipe.optimizer.learning_rate
    reporter.say(
        f"the learning rate jumps from {before * rate:.2g} to {after * rate:.2g} at step {step:,}: "
        f"the run was to end at step {earlier.steps:,}, and now ends at {recipe.steps:,}"
    )


def _open(prepared: Prepared, data: TrainingData, layout: RunLayout, reporter: Reporter) -> RunFolder:
    if not prepared.replicas.is_chief:
        return RunFolder(layout)
    identity = Identity(prepared.recipe, data.provenance.fingerprint, prepared.init)
    return ChiefRunFolder(layout, identity, data, reporter)


def _rows(prepared: Prepared, data: TrainingData, step: int) -> Rows:
    """The rows that this process's replicas take of every batch, from a step to the last."""
    recipe = prepared.recipe
    per_step = recipe.batch * (recipe.discriminator.updates if recipe.discriminator else 1)
    start, stop = step * per_step, (UNLIMITED if recipe.minutes else recipe.steps) * per_step
    return prepared.replicas.rows(data.training, recipe, start, stop)


def _log(
    recipe: Recipe, counters: Counters, means: dict[str, float], rate_factor: float, folder: RunFolder
) -> None:
    """Log means over the last steps, learning rates and time."""
    rates = {name: rate_factor * rate for name, rate in recipe.learning_rates().items()}
    folder.log(counters.step, {**means, **rates, "seconds": round(counters.seconds, 1)})


def _log_validation(
    counters: Counters, bicubic: dict[str, float], folder: RunFolder, reporter: Reporter
) -> None:
    """Log the figures of a validation, and report them beside bicubic's and those of the start."""
    figures, seconds = counters.figures, {"seconds": round(counters.seconds, 1)}
    folder.log(counters.step, {f"{VALIDATION}{name}": value for name, value in figures.items()} | seconds)
    start = {"start": counters.start} if counters.step and counters.start else {}
    reporter.validation(counters.step, figures, {**start, "bicubic": bicubic})
