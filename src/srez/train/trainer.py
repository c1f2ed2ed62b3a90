"""The training loop, readable top to bottom; what it does with files is in `folder`."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from srez import images
from srez.errors import TrainingError
from srez.evaluation import metrics
from srez.train import checkpoint, data, losses, networks, perceptual, replicas, schedules
from srez.train.folder import Onlooker, RunFolder
from srez.train.recipe import FacesData, Recipe

VALIDATION_BATCH = 50
PARALYSED = 1e-3  # a discriminator's loss below which it teaches the generator nothing
PATIENCE = 5  # logs in a row
GRADIENTS = ("generator_gradient", "discriminator_gradient")  # norms

Watcher = Callable[[int, dict[str, float]], None]
Teller = Callable[[str], None]
Weights = list[np.ndarray]


def unwatched(step: int, values: dict[str, float]) -> None:
    """A watcher for when nobody looks."""
    del step, values


def untold(sentence: str) -> None:
    """A teller for when nobody listens."""
    del sentence


@dataclass(frozen=True)
class Networks:
    """All that training changes. `average` is what is validated and exported."""

    generator: keras.Model
    average: keras.Model
    discriminator: keras.Model | None
    generator_optimizer: keras.Optimizer
    discriminator_optimizer: keras.Optimizer | None

    def parts(self) -> dict[str, list[Any]]:
        """Every variable, under the name it has in a checkpoint."""
        groups = {
            "generator": self.generator,
            "average": self.average if self.average is not self.generator else None,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }
        return {name: group.variables for name, group in groups.items() if group is not None}

    def moving(self) -> list[Any]:
        """The variables that a pass through the networks changes: the averages of batch norm."""
        networks = [self.generator, *([self.discriminator] if self.discriminator else [])]
        layers = [layer for network in networks for layer in network.layers]
        normalising = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        return [variable for layer in normalising for variable in layer.non_trainable_variables]


@dataclass
class Progress:
    """How far a run is, beside its weights; saved with them.

    `sums` holds, for each value to be logged, its sum and count since the last log; `paralysed` counts the
    logs in a row at which the discriminator's loss was next to nothing; `best` is the highest PSNR so far.
    """

    step: int
    seconds: float
    sums: dict[str, tuple[float, int]]
    figures: metrics.Figures
    best: float
    paralysed: int


@dataclass(frozen=True)
class Result:
    """How a run stands: its averaged generator, steps done, seconds in all, the last validation's figures."""

    average: keras.Model
    step: int
    seconds: float
    figures: metrics.Figures


def require_possible(recipe: Recipe, strategy: replicas.Strategy | None = None) -> None:
    """Refuse what cannot be trained, before any data is read; `train` itself does it too.

    Args:
        recipe: what to do.
        strategy: as for `train`.

    Raises:
        OptionError: several devices cannot share this training, or the perceptual network has no such layer.
        DataError: the perceptual network's weights cannot be had.
    """
    _prepare(recipe, None, strategy or replicas.one())


def train(
    recipe: Recipe,
    pictures: data.Data,
    out: Path,
    watch: Watcher = unwatched,
    tell: Teller = untold,
    init: Weights | None = None,
    strategy: replicas.Strategy | None = None,
) -> Result:
    """Train until the recipe's last step, from the newest checkpoint in the run folder if there is one.

    The folder receives `recipe.toml`, `run.json`, `metrics.jsonl`, `sheets/`, `tensorboard/`, `checkpoints/`.
    An interrupt (Ctrl-C, SIGTERM) ends the current step, saves and returns early.

    Args:
        recipe: what to do.
        pictures: what to do it on.
        out: the run folder.
        watch: called with the number of steps done and, after every step, the losses; after a validation,
            its figures, their names beginning with `validation_`.
        tell: called with sentences, such as where the run goes on.
        init: weights for the generator to start from.
        strategy: of several devices or processes, which share every batch; the chief alone validates and
            writes. One device by default.

    Raises:
        OptionError: the folder holds a run of another recipe or from other weights, or another process
            trains in it; several devices cannot share this training.
        DataError: the folder holds a run on other data, or the perceptual network's weights cannot be had.
        TrainingError: losses or weights that are not finite, a discriminator that has collapsed; the last
            checkpoint stays.
        OutputError: the folder cannot be written.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    strategy = strategy or replicas.one()
    chief = replicas.is_chief(strategy)
    nets, features = _prepare(recipe, init, strategy)
    held = RunFolder(out, recipe, pictures, init) if chief else Onlooker(out)
    with held as folder, _interrupts() as interrupted:
        progress = _restore(nets, folder, tell)
        replicas.require_same_step(strategy, progress.step, out)
        folder.drop_metrics_after(progress.step)
        take_step = _make_step(recipe, nets, features, strategy)
        per_step = recipe.batch * (recipe.discriminator.updates if recipe.discriminator else 1)
        start, stop = progress.step * per_step, recipe.steps * per_step
        batches = replicas.batches(strategy, pictures, recipe, start, stop)
        began = time.monotonic() - progress.seconds
        saved_at = time.monotonic()
        saved_step = progress.step

        while progress.step < recipe.steps and not interrupted.is_set():
            share = schedules.share(recipe.optimizer, progress.step, recipe.steps)
            values = take_step(progress.step, share, batches)
            progress.step += 1
            step = progress.step
            _require_finite(out, step, "losses", [values[name] for name in values if name not in GRADIENTS])
            for name, value in values.items():
                if not np.isfinite(value):  # a gradient that float16 overflowed: its update was left out
                    continue
                total, count = progress.sums.get(name, (0.0, 0))
                progress.sums[name] = (total + value, count + 1)
            watch(step, values)
            progress.seconds = time.monotonic() - began
            if step % recipe.every.log == 0:
                means = {name: total / count for name, (total, count) in progress.sums.items()}
                progress.sums.clear()
                rates = {name: share * rate for name, rate in _rates(recipe).items()}
                folder.log(step, {**means, **rates, "seconds": round(progress.seconds, 1)})
                _require_alive(out, recipe, progress, means)
            best = False
            if chief and (step % recipe.every.validate_ == 0 or step == recipe.steps):
                progress.figures = _validate(nets.average, pictures, folder, step)
                watch(step, {f"validation_{name}": value for name, value in progress.figures.items()})
                best = progress.figures["psnr"] > progress.best
                progress.best = max(progress.best, progress.figures["psnr"])
            minutes = (time.monotonic() - saved_at) / 60
            due = best or step % recipe.every.checkpoint == 0 or minutes >= recipe.every.minutes
            if chief and due:
                _save(nets, folder, progress, recipe.every.keep, best)
                saved_at, saved_step = time.monotonic(), step
        if chief and saved_step < progress.step:
            _save(nets, folder, progress, recipe.every.keep, best=False)
    return Result(nets.average, progress.step, progress.seconds, progress.figures)


def _prepare(
    recipe: Recipe, init: Weights | None, strategy: replicas.Strategy
) -> tuple[Networks, perceptual.Features | None]:
    """The networks, and what the perceptual loss compares; or why there can be none."""
    nets = _build(recipe, init)
    replicas.require_fit(recipe, strategy, nets.moving())
    return nets, perceptual.features(recipe.perceptual) if recipe.loss.perceptual else None


def _rates(recipe: Recipe) -> dict[str, float]:
    """The learning rates, before the schedule, under the names they are logged by."""
    settings = recipe.optimizer
    rates = {"learning_rate": settings.learning_rate}
    if recipe.discriminator:
        own = settings.discriminator_learning_rate
        rates["discriminator_learning_rate"] = own or settings.learning_rate
    return rates


def _build(recipe: Recipe, init: Weights | None) -> Networks:
    settings = recipe.optimizer

    def optimizer(network: keras.Model, rate: float) -> keras.Optimizer:
        made = keras.optimizers.Adam(
            rate, settings.beta_1, settings.beta_2, global_clipnorm=settings.clip_norm or None
        )
        if recipe.precision == "float16":
            made = keras.optimizers.LossScaleOptimizer(made)
        made.build(network.trainable_variables)
        return made

    with _precision(recipe):
        generator = networks.build_generator(recipe.generator)
        discriminator = None
        if recipe.discriminator:
            size = 64 if isinstance(recipe.data, FacesData) else recipe.data.crop
            discriminator = networks.build_discriminator(recipe.discriminator, size)
    if init:
        generator.set_weights(init)
    average = generator
    if settings.ema or recipe.precision != "float32":  # the average is always float32, as is what is exported
        average = networks.build_generator(recipe.generator)
        average.set_weights(generator.get_weights())
    rates = _rates(recipe)
    return Networks(
        generator,
        average,
        discriminator,
        optimizer(generator, rates["learning_rate"]),
        optimizer(discriminator, rates["discriminator_learning_rate"]) if discriminator else None,
    )


@contextmanager
def _precision(recipe: Recipe) -> Iterator[None]:
    """Build networks whose arithmetic is of the recipe's precision; their variables are float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else f"mixed_{recipe.precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _make_step(
    recipe: Recipe, nets: Networks, features: perceptual.Features | None, strategy: replicas.Strategy
) -> Callable[[int, float, Iterator[Any]], dict[str, float]]:
    """A function that takes one step: the discriminator's updates, the last of them with the generator's.

    It is given the number of steps done, the share of the learning rates and the batches to take from, and
    returns the losses, D(real) and D(fake) and the norms of the gradients.
    """
    loss, settings = recipe.loss, recipe.optimizer
    generator_loss, discriminator_loss = losses.ADVERSARIAL[loss.variant]
    weights = loss.terms()
    updates = recipe.discriminator.updates if recipe.discriminator else 1
    count = strategy.num_replicas_in_sync
    rates = _rates(recipe)

    def judge(picture: tf.Tensor, low: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        logits, features = nets.discriminator([picture, low], training=True)
        return tf.cast(logits, tf.float32), keras.tree.flatten(features)

    def generator_terms(output: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> dict[str, tf.Tensor]:
        terms = {}
        if loss.l1:
            terms["l1"] = losses.l1(output, high)
        if loss.mse:
            terms["mse"] = losses.mse(output, high)
        if loss.consistency:
            terms["consistency"] = losses.consistency(output, low)
        if features:
            terms["perceptual"] = losses.feature_distance(features(output), features(high))
        return terms

    def penalty(
        output: tf.Tensor, low: tf.Tensor, high: tf.Tensor, replica: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        if loss.r1:
            return losses.r1(lambda x: judge(x, low)[0], high)
        # Drawn for the whole batch, so that each row has the same share however many replicas there are.
        shares = tf.random.stateless_uniform((tf.shape(high)[0] * count, 1, 1, 1), seed)[replica::count]
        return losses.gradient_penalty(lambda x: judge(x, low)[0], high, tf.stop_gradient(output), shares)

    @tf.function(jit_compile=recipe.xla)
    def compute(
        noisy: tf.Tensor,
        low: tf.Tensor,
        high: tf.Tensor,
        replica: tf.Tensor,
        seed: tf.Tensor,
        teach: bool,
        penalise: bool,
    ) -> tuple[dict[str, tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        """Losses and gradients of one part of a batch, from one pass through the generator."""
        with tf.GradientTape(persistent=True) as tape:
            output = tf.cast(nets.generator(noisy, training=True), tf.float32)
            terms = generator_terms(output, low, high) if teach else {}
            if nets.discriminator:
                real, real_features = judge(high, low)
                fake, fake_features = judge(output, low)
                if teach:
                    terms["adversarial"] = generator_loss(real, fake)
                if teach and loss.feature_matching:
                    terms["feature_matching"] = losses.feature_distance(
                        fake_features, [tf.stop_gradient(f) for f in real_features], losses.l1
                    )
                verdict = discriminator_loss(real, fake)
                cost = verdict
                if penalise:
                    times = loss.r1 * loss.r1_every if loss.r1 else loss.gradient_penalty
                    terms["penalty"] = penalty(output, low, high, replica, seed)
                    cost = verdict + times * terms["penalty"]
                cost = nets.discriminator_optimizer.scale_loss(cost)
            if teach:
                total = tf.add_n([weight * terms[name] for name, weight in weights.items()])
                total = nets.generator_optimizer.scale_loss(total)
        generator_gradients = tape.gradient(total, nets.generator.trainable_variables) if teach else []
        discriminator_gradients = []
        if nets.discriminator:
            discriminator_gradients = tape.gradient(cost, nets.discriminator.trainable_variables)
            terms["discriminator"] = verdict
            terms["real"], terms["fake"] = (losses.verdict(loss.variant, each) for each in (real, fake))
        return terms, generator_gradients, discriminator_gradients

    @tf.function(jit_compile=recipe.xla)
    def follow(keep: tf.Tensor) -> None:
        """Move the averaged generator towards the present one."""
        for mean, variable in zip(nets.average.variables, nets.generator.variables, strict=True):
            mean.assign(keep * mean + (1 - keep) * variable)

    update_generator = _make_update(nets.generator, nets.generator_optimizer, recipe.xla)
    update_discriminator = (
        _make_update(nets.discriminator, nets.discriminator_optimizer, recipe.xla)
        if nets.discriminator
        else None
    )

    compute_together = replicas.averaged(strategy, compute, nets.moving())

    def take_step(done: int, share: float, batches: Iterator[Any]) -> dict[str, float]:
        nets.generator_optimizer.learning_rate = share * rates["learning_rate"]
        if nets.discriminator_optimizer:
            nets.discriminator_optimizer.learning_rate = share * rates["discriminator_learning_rate"]
        values: dict[str, tf.Tensor] = {}
        for update in range(updates):
            teach = update == updates - 1
            number = done * updates + update
            penalise = bool(loss.gradient_penalty) or bool(loss.r1 and number % loss.r1_every == 0)
            parts = []
            for part in range(settings.accumulate):
                seed = tf.constant([recipe.seed, number * settings.accumulate + part], tf.int64)
                parts.append(compute_together(next(batches), seed, teach, penalise))
            terms, generator_gradients, discriminator_gradients = _mean(parts)
            values |= terms
            if teach:
                values["generator_gradient"] = update_generator(generator_gradients)
            if update_discriminator:
                values["discriminator_gradient"] = update_discriminator(discriminator_gradients)
        if nets.average is not nets.generator:
            # Early on the average follows faster, or it would remember the initial weights.
            follow(tf.constant(min(settings.ema, (2 + done) / (11 + done)) if settings.ema else 0.0))
        return {name: float(value) for name, value in values.items()}

    return take_step


def _make_update(network: keras.Model, optimizer: Any, xla: bool) -> Callable[[list[tf.Tensor]], tf.Tensor]:
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


def _require_finite(out: Path, step: int, what: str, arrays: list[Any]) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise TrainingError(
            f"{out}: the {what} of step {step} are not finite; {_last_good(out)}: lower "
            "optimizer.learning_rate and start a new run"
        )


def _require_alive(out: Path, recipe: Recipe, progress: Progress, means: dict[str, float]) -> None:
    """Stop when the discriminator has won: then the generator's adversarial gradient says nothing."""
    if "discriminator" not in means or recipe.loss.variant == "wasserstein":
        return
    progress.paralysed = progress.paralysed + 1 if means["discriminator"] < PARALYSED else 0
    if progress.paralysed == PATIENCE:
        raise TrainingError(
            f"{out}: the discriminator tells every output from the truth (its loss stayed below {PARALYSED} "
            f"for {PATIENCE * recipe.every.log} steps, up to step {progress.step}), so the generator learns "
            f"nothing from it; {_last_good(out)}: raise loss.r1 or lower "
            "optimizer.discriminator_learning_rate and start a new run"
        )


def _last_good(out: Path) -> str:
    saved, _ = checkpoint.load(out / "checkpoints")
    return (
        f"the last checkpoint, of step {saved[1]['step']}, is intact"
        if saved
        else "there is no checkpoint yet"
    )


def _validate(
    generator: keras.Model, pictures: data.Data, folder: RunFolder | Onlooker, step: int
) -> metrics.Figures:
    low, truths, protocol = pictures.validation_low, pictures.validation, pictures.protocol
    parts = [low[i : i + VALIDATION_BATCH] for i in range(0, len(low), VALIDATION_BATCH)]
    raw = np.concatenate([np.asarray(generator(part, training=False)) for part in parts])
    outputs = images.to_uint8(raw)
    each = zip(outputs, truths, low, strict=True)
    figures = metrics.mean([metrics.figures(*one, protocol) for one in each])
    folder.log(step, {f"validation_{name}": value for name, value in figures.items()})
    folder.show(step, outputs, raw, pictures)
    return figures


def _save(nets: Networks, folder: RunFolder | Onlooker, progress: Progress, keep: int, best: bool) -> None:
    arrays = {
        f"{part}/{index:04d}": np.asarray(variable)
        for part, variables in nets.parts().items()
        for index, variable in enumerate(variables)
    }
    # A loss is taken before its update, so the weights may be spoilt while all losses were fine.
    _require_finite(folder.path, progress.step, "weights", list(arrays.values()))
    checkpoint.save(folder.checkpoints, progress.step, arrays, vars(progress), keep, best)


def _restore(nets: Networks, folder: RunFolder | Onlooker, tell: Teller) -> Progress:
    """Load the newest whole checkpoint into the networks."""
    saved, damaged = checkpoint.load(folder.checkpoints)
    for path in damaged:
        tell(f"{path} is damaged and passed over")
    if saved is None:
        return Progress(0, 0.0, {}, {}, 0.0, 0)
    arrays, facts = saved
    for part, variables in nets.parts().items():
        for index, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{index:04d}"])
    tell(f"{folder.path}: going on from step {facts['step']:,}")
    return Progress(**facts)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, instead of ending the process in the middle of a step."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {kind: signal.signal(kind, lambda *_: event.set()) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
