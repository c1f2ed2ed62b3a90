"""The run folder: what a run is, its logs and its sheets."""

import hashlib
import json
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import filelock
import keras
import numpy as np
import tensorflow as tf
import tomli_w

import srez
from srez import images
from srez.errors import DataError, OptionError, OutputError
from srez.evaluation import report
from srez.images import resample
from srez.output import atomic, make_folder
from srez.train.data import Data
from srez.train.recipe import Recipe, validate

SHEET_ROWS = 8
SCALE = 4
_MAY_CHANGE = {"steps", "description", "licence", "limits", "every"}  # between a run's start and its going on


class RunFolder:
    """The folder of one run, held by one process at a time; use it in a `with` statement.

    Attributes:
        path: the folder.
        checkpoints: where its checkpoints are.
    """

    def __init__(self, path: Path, recipe: Recipe, pictures: Data, init: list[np.ndarray] | None) -> None:
        """Name the folder, what it is for and the weights it starts from; nothing is written yet."""
        self.path = path
        self.checkpoints = path / "checkpoints"
        self._recipe = recipe
        self._pictures = pictures
        self._init = _fingerprint(init) if init else None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Take the folder, and write what the run is; if it already holds a run, it must be the same one.

        A run that has neither logged nor saved anything does not count: there is nothing to go on from.

        Raises:
            OptionError: another process trains in it, or it holds a run of another recipe or from other
                weights.
            DataError: it holds a run on other data.
            OutputError: it cannot be written.
        """
        make_folder(self.path)
        try:
            self._stack.enter_context(filelock.FileLock(self.path / "lock", timeout=1))
        except filelock.Timeout:
            raise OptionError(f"another process trains in {self.path}: take another --out") from None
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from None
        with ExitStack() as undo:
            undo.push(self._stack)
            self._claim()
            self._board = tf.summary.create_file_writer(str(self.path / "tensorboard"))
            undo.pop_all()
        return self

    def __exit__(self, kind: type | None, *exception: object) -> None:
        """Close the logs and give the folder free."""
        with self._stack:
            try:
                with self._written():
                    self._board.close()
            except OutputError:
                if kind is None:  # else the first error says more
                    raise

    def log(self, step: int, values: dict[str, float]) -> None:
        """Append values to `metrics.jsonl` and to TensorBoard."""
        with self._written():
            with (self.path / "metrics.jsonl").open("a") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")
            with self._board.as_default(step):
                for name, value in values.items():
                    tf.summary.scalar(name, value)
            self._board.flush()

    def drop_metrics_after(self, step: int) -> None:
        """Forget what a killed run logged after its last checkpoint: it is about to be done again."""
        log = self.path / "metrics.jsonl"
        if not log.exists():
            return
        lines = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        with atomic(log) as file:
            file.write("".join(line for line in lines if json.loads(line)["step"] <= step).encode())

    def show(self, step: int, outputs: np.ndarray, raw: np.ndarray, pictures: Data) -> None:
        """Write a sheet of the first validation pictures, and a histogram of all output values.

        Args:
            step: the steps done.
            outputs: `(M, H, W, 3)` uint8.
            raw: the same, float, neither clipped nor rounded.
            pictures: the inputs and truths.
        """
        shown = slice(SHEET_ROWS)
        low = pictures.validation_low[shown]
        sheet = report.sheet(
            {
                "input": resample.nearest(images.to_uint8(low), SCALE),
                "bicubic": images.to_uint8(resample.bicubic(low, SCALE)),
                "network": outputs[shown],
                "truth": pictures.validation[shown],
            }
        )
        make_folder(self.path / "sheets")
        images.write(self.path / "sheets" / f"step-{step:08d}.png", images.Picture(sheet))
        with self._written(), self._board.as_default(step):
            tf.summary.image("sheet", sheet[None])
            tf.summary.histogram("outputs", raw)

    def _claim(self) -> None:
        recipe = self._recipe.model_dump(mode="json", by_alias=True)
        known = self.path / "run.json"
        if known.exists() and self._has_begun():
            self._require_same(json.loads(known.read_text()))
        versions = {module.__name__: module.__version__ for module in (srez, tf, keras, np)}
        facts = {
            "recipe": recipe,
            "data": self._pictures.fingerprint,
            "init": self._init,
            "versions": {"python": platform.python_version(), **versions},
            "skipped": self._pictures.skipped,
        }
        with atomic(known) as file:
            file.write(json.dumps(facts, indent=1).encode())
        with atomic(self.path / "recipe.toml") as file:
            file.write(tomli_w.dumps(_without_none(recipe)).encode())

    def _has_begun(self) -> bool:
        return (self.path / "metrics.jsonl").exists() or any(self.checkpoints.glob("*.npz"))

    def _require_same(self, before: dict[str, Any]) -> None:
        if before["data"] != self._pictures.fingerprint:
            raise DataError(
                f"{self.path} holds a run on other data: give it the same --data, or take another --out"
            )
        if before["init"] != self._init:
            raise OptionError(
                f"{self.path} holds a run that started from other weights: give it the same --init, or take "
                "another --out"
            )
        earlier = validate(before["recipe"], str(self.path / "run.json"))
        changed = [
            key
            for key in Recipe.model_fields
            if key not in _MAY_CHANGE and getattr(self._recipe, key) != getattr(earlier, key)
        ]
        if changed:
            raise OptionError(
                f"{self.path} holds a run of another recipe ({', '.join(changed)} differ): take another "
                f"--out, or the recipe in {self.path / 'recipe.toml'}"
            )

    @contextmanager
    def _written(self) -> Iterator[None]:
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
                f"the logs in {self.path} cannot be written: {reason}; its checkpoints are intact"
            ) from None


class Onlooker:
    """A run folder to a process that is not the chief: its checkpoints can be read, nothing is written."""

    def __init__(self, path: Path) -> None:
        """Name the folder."""
        self.path = path
        self.checkpoints = path / "checkpoints"

    def __enter__(self) -> Self:
        """Nothing is taken."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is given free."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """The chief does it."""

    def drop_metrics_after(self, step: int) -> None:
        """The chief does it."""

    def show(self, step: int, outputs: np.ndarray, raw: np.ndarray, pictures: Data) -> None:
        """The chief does it."""


def _fingerprint(weights: list[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in weights:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }
