"""The training loop, readable top to bottom."""

import json
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tomli_w

import srez
from srez import images, resample
from srez.errors import DataError, OptionError, OutputError, TrainingError
from srez.evaluation import metrics, report
from srez.output import atomic, make_folder
from srez.train import checkpoint, data, losses, networks, schedules
from srez.train.recipe import Recipe, validate

SHEET_ROWS = 8
VALIDATION_BATCH = 50
_MAY_CHANGE = {"steps", "description", "licence", "limits"}  # between a run's start and its going on

Watcher = Callable[[int, dict[str, float]], None]


def unwatched(step: int, values: dict[str, float]) -> None:
    """A watcher for when nobody looks."""
    del step, values


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


@dataclass(frozen=True)
class Result:
    """How a run stands: its averaged generator, steps done, seconds in all, the last validation's figures."""

    average: keras.Model
    step: int
    seconds: float
    figures: metrics.Figures


def train(
    recipe: Recipe,
    faces: data.Faces,
    out: Path,
    watch: Watcher = unwatched,
) -> Result:
    """Train until the recipe's last step, from the newest checkpoint in the run folder if there is one.

    The folder receives `recipe.toml`, `run.json`, `metrics.jsonl`, `sheets/`, `tensorboard/`, `checkpoints/`.
    An interrupt (Ctrl-C, SIGTERM) ends the current step, saves and returns early.

    Args:
        recipe: what to do.
        faces: what to do it on.
        out: the run folder.
        watch: called with the number of steps done and, after every step, the losses; after a validation,
            its figures, their names beginning with `validation_`.

    Raises:
        OptionError: the folder holds a run of another recipe.
        DataError: the folder holds a run on other data.
        TrainingError: losses or weights that are not finite; the last checkpoint stays.
        OutputError: the folder cannot be written.
    """
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    _claim(out, recipe, faces)
    nets = _build(recipe)
    names = _loss_names(recipe)
    step, seconds, sums, figures = _restore(nets, out, len(names))
    _drop_later_metrics(out, step)
    train_step = _make_step(recipe, nets)
    board = tf.summary.create_file_writer(str(out / "tensorboard"))
    batches = iter(
        data.batches(faces.train, recipe.augmentation, recipe.batch, recipe.seed, step, recipe.steps)
    )
    began = time.monotonic() - seconds

    def save() -> None:
        arrays = _arrays(nets)
        # A loss is taken before its update, so the weights may be spoilt while all losses were fine.
        _require_finite(out, step, "weights", arrays.values())
        facts = {"seconds": time.monotonic() - began, "sums": sums.tolist(), "figures": figures}
        checkpoint.save(out / "checkpoints", step, arrays, facts)

    with _interrupts() as interrupted:
        while step < recipe.steps and not interrupted.is_set():
            rate = schedules.learning_rate(recipe.optimizer, step, recipe.steps)
            for optimizer in (nets.generator_optimizer, nets.discriminator_optimizer):
                if optimizer:
                    optimizer.learning_rate = rate
            values = train_step(*next(batches)).numpy()
            step += 1
            _require_finite(out, step, "losses", [values])
            sums += np.append(values, 1)
            watch(step, dict(zip(names, values.tolist(), strict=True)))
            if step % recipe.every.log == 0:
                means = dict(zip(names, (sums[:-1] / sums[-1]).tolist(), strict=True))
                _log(out, board, step, {**means, "learning_rate": rate})
                sums[:] = 0
            if step % recipe.every.validate_ == 0 or step == recipe.steps:
                figures = _validate(nets.average, faces, out, board, step)
                watch(step, {f"validation_{name}": value for name, value in figures.items()})
            if step % recipe.every.checkpoint == 0:
                save()
        if step % recipe.every.checkpoint:
            save()
    with _written(out):
        board.close()
    return Result(nets.average, step, time.monotonic() - began, figures)


def _build(recipe: Recipe) -> Networks:
    generator = networks.build_generator(recipe.generator)
    average = generator
    if recipe.optimizer.ema:
        average = networks.build_generator(recipe.generator)
        average.set_weights(generator.get_weights())
    discriminator = networks.build_discriminator(recipe.discriminator) if recipe.discriminator else None

    def optimizer(network: keras.Model) -> keras.Optimizer:
        made = keras.optimizers.Adam(
            recipe.optimizer.learning_rate, recipe.optimizer.beta_1, recipe.optimizer.beta_2
        )
        made.build(network.trainable_variables)
        return made

    return Networks(
        generator,
        average,
        discriminator,
        optimizer(generator),
        optimizer(discriminator) if discriminator else None,
    )


def _require_finite(out: Path, step: int, what: str, arrays: Iterable[np.ndarray]) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise TrainingError(
            f"{out}: the {what} of step {step} are not finite; the last checkpoint is intact: lower "
            "optimizer.learning_rate and start a new run"
        )


def _loss_names(recipe: Recipe) -> list[str]:
    terms = [name for name in ("l1", "consistency", "adversarial") if getattr(recipe.loss, name)]
    return [*terms, "discriminator"] if recipe.discriminator else terms


def _make_step(recipe: Recipe, nets: Networks) -> Callable[..., tf.Tensor]:
    """One update of all networks, from one pass through the generator, as a compiled function.

    It returns the losses, in the order of `_loss_names`.
    """
    decay = recipe.optimizer.ema

    @tf.function
    def train_step(noisy: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
        terms = {}
        with tf.GradientTape(persistent=True) as tape:
            output = nets.generator(noisy, training=True)
            if recipe.loss.l1:
                terms["l1"] = losses.l1(output, high)
            if recipe.loss.consistency:
                terms["consistency"] = losses.consistency(output, low)
            if nets.discriminator:
                real = nets.discriminator(high, training=True)
                fake = nets.discriminator(output, training=True)
                terms["adversarial"] = losses.adversarial(fake)
                terms["discriminator"] = losses.discrimination(real, fake)
            total = tf.add_n(
                [getattr(recipe.loss, name) * terms[name] for name in terms if name != "discriminator"]
            )
        _update(tape, total, nets.generator, nets.generator_optimizer)
        if nets.discriminator:
            _update(tape, terms["discriminator"], nets.discriminator, nets.discriminator_optimizer)
        if decay:
            # Early on the average follows faster, or it would remember the initial weights.
            done = tf.cast(nets.generator_optimizer.iterations, tf.float32)
            keep = tf.minimum(decay, (1 + done) / (10 + done))
            for mean, variable in zip(nets.average.variables, nets.generator.variables, strict=True):
                mean.assign(keep * mean + (1 - keep) * variable)
        return tf.stack(list(terms.values()))

    return train_step


def _update(tape: tf.GradientTape, loss: tf.Tensor, network: keras.Model, optimizer: Any) -> None:
    variables = network.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


def _validate(
    generator: keras.Model, faces: data.Faces, out: Path, board: tf.summary.SummaryWriter, step: int
) -> metrics.Figures:
    low = faces.validation_low
    parts = [low[i : i + VALIDATION_BATCH] for i in range(0, len(low), VALIDATION_BATCH)]
    outputs = images.to_uint8(np.concatenate([np.asarray(generator(part, training=False)) for part in parts]))
    figures = metrics.measure_faces(outputs, faces.validation, low)
    _log(out, board, step, {f"validation_{name}": value for name, value in figures.items()})
    shown = slice(SHEET_ROWS)
    picture = report.sheet(
        {
            "input": resample.nearest(images.to_uint8(low[shown]), data.SCALE),
            "bicubic": images.to_uint8(resample.bicubic(low[shown], data.SCALE)),
            "network": outputs[shown],
            "truth": faces.validation[shown],
        }
    )
    make_folder(out / "sheets")
    images.write(out / "sheets" / f"step-{step:08d}.png", images.Picture(picture))
    with board.as_default(step):
        tf.summary.image("sheet", picture[None])
    return figures


def _log(out: Path, board: tf.summary.SummaryWriter, step: int, values: dict[str, float]) -> None:
    with _written(out):
        with (out / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        with board.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        board.flush()


@contextmanager
def _written(out: Path) -> Iterator[None]:
    """Turn a full disk, as Python and TensorFlow report it, into one sentence."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = (
            error.strerror
            if isinstance(error, OSError)
            else error.message.splitlines()[0].rpartition("; ")[2]
        )
        raise OutputError(
            f"the logs in {out} cannot be written: {reason}; its checkpoints are intact"
        ) from None


def _claim(out: Path, recipe: Recipe, faces: data.Faces) -> None:
    """Write what the run is; if the folder already holds a run, make sure that it is the same one."""
    made_of = {"recipe": recipe.model_dump(mode="json", by_alias=True), "data": faces.fingerprint}
    make_folder(out)
    known = out / "run.json"
    if known.exists():
        before = json.loads(known.read_text())
        if before["data"] != made_of["data"]:
            raise DataError(
                f"{out} holds a run on other data: give it the same --data, or take another --out"
            )
        earlier = validate(before["recipe"], str(known))
        changed = [
            key
            for key in Recipe.model_fields
            if key not in _MAY_CHANGE and getattr(recipe, key) != getattr(earlier, key)
        ]
        if changed:
            raise OptionError(
                f"{out} holds a run of another recipe ({', '.join(changed)} differ): take another --out, or "
                f"the recipe in {out / 'recipe.toml'}"
            )
    versions = {module.__name__: module.__version__ for module in (srez, tf, keras, np)}
    facts = {
        **made_of,
        "versions": {"python": platform.python_version(), **versions},
        "skipped": faces.skipped,
    }
    with atomic(known) as file:
        file.write(json.dumps(facts, indent=1).encode())
    with atomic(out / "recipe.toml") as file:
        file.write(tomli_w.dumps(_without_none(facts["recipe"])).encode())


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _arrays(nets: Networks) -> dict[str, np.ndarray]:
    return {
        f"{part}/{index:04d}": np.asarray(variable)
        for part, variables in nets.parts().items()
        for index, variable in enumerate(variables)
    }


def _restore(nets: Networks, out: Path, losses_logged: int) -> tuple[int, float, np.ndarray, metrics.Figures]:
    """Load the newest checkpoint into the networks: (steps done, seconds, loss sums and count, figures)."""
    saved = checkpoint.load(out / "checkpoints")
    if saved is None:
        return 0, 0.0, np.zeros(losses_logged + 1), {}
    arrays, facts = saved
    for part, variables in nets.parts().items():
        for index, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{index:04d}"])
    return facts["step"], facts["seconds"], np.array(facts["sums"]), facts["figures"]


def _drop_later_metrics(out: Path, step: int) -> None:
    """Forget what a killed run logged after its last checkpoint: it is about to be done again."""
    log = out / "metrics.jsonl"
    if not log.exists():
        return
    lines = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    with atomic(log) as file:
        file.write("".join(line for line in lines if json.loads(line)["step"] <= step).encode())


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
