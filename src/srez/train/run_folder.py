"""The folder of a run in training: locks it, checks that it holds the same run, writes logs and sheets."""

import json
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import filelock
import keras
import numpy as np
import tomli_w

import srez
from srez import images
from srez.errors import OptionError, OutputError
from srez.evaluation import report
from srez.images import resample
from srez.output import atomic, make_folder
from srez.runs.layout import RunLayout
from srez.runs.reading import read_record
from srez.train import backend
from srez.train.board import Board
from srez.train.data import SCALE, TrainingData
from srez.train.data.pairs import Pictures
from srez.train.recipe import Recipe
from srez.train.reporter import Reporter
from srez.train.run_identity import Identity, require_same
from srez.wording import counted

SHEET_ROWS = 8
SHEET_SIDE = 48  # pixels of the input that are shown, at most


class RunFolder:
    """A run folder for processes that write nothing, because the chief does; every method is a no-op.

    `earlier_recipe` is that of the run that the folder holds, once it is entered; None if unknown.
    """

    earlier_recipe: Recipe | None = None

    def __init__(self, layout: RunLayout) -> None:
        """Name the folder."""
        self.layout = layout

    def __enter__(self) -> Self:
        """Nothing is claimed."""
        return self

    def __exit__(self, kind: type | None, *exception: object) -> None:
        """Nothing is released."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Log values."""

    def begin(self, step: int, bicubic: dict[str, float]) -> None:
        """Prepare the folder for training from a step."""

    def write_sheet(self, step: int, outputs: list[np.ndarray], values: np.ndarray) -> None:
        """Write a sheet of outputs for validation pictures."""


class ChiefRunFolder(RunFolder):
    """The folder of one run, locked by one process at a time; use it in a `with` statement."""

    def __init__(self, layout: RunLayout, identity: Identity, data: TrainingData, reporter: Reporter) -> None:
        """Name the folder; nothing is written yet.

        Args:
            layout: of the folder.
            identity: of the run that it is for.
            data: what it is trained on.
            reporter: is told what is damaged.
        """
        super().__init__(layout)
        self._identity, self._data, self._reporter = identity, data, reporter
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Lock the folder; if it already holds a run, it must be the same one.

        A run that has logged and saved no step does not count: there is nothing to resume. What is
        damaged is reported, and cannot be compared.

        Raises:
            OptionError: another process trains in it, or it holds a run of another recipe or from other
                weights.
            DataError: it holds a run on other data.
            OutputError: it cannot be written.
        """
        layout = self.layout
        make_folder(layout.folder)
        try:
            self._stack.enter_context(filelock.FileLock(layout.lock, timeout=1))
        except filelock.Timeout:
            raise OptionError(
                f"another process is training in {layout.folder}: choose another --out"
            ) from None
        except OSError as error:
            raise OutputError(f"{layout.folder} cannot be written: {error.strerror}") from None
        with ExitStack() as undo:
            undo.push(self._stack)
            if self._has_begun():
                self.earlier_recipe = require_same(self._identity, self.layout, self._reporter)
            with self._written():
                self._board = Board(layout.tensorboard)
            undo.pop_all()
        return self

    def __exit__(self, kind: type | None, *exception: object) -> None:
        """Close the logs and unlock the folder."""
        with self._stack:
            self._board.close()

    def log(self, step: int, values: dict[str, float]) -> None:
        """Append values to the log and to TensorBoard's."""
        with self._written():
            with self.layout.metrics.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")
            for name, value in values.items():
                self._board.scalar(step, name, value)

    def begin(self, step: int, bicubic: dict[str, float]) -> None:
        """Write the run's identity, and drop from the log the steps that are about to be repeated.

        A killed run may have logged such steps after its last checkpoint. Damaged lines are dropped and
        reported too, except a last line that the kill cut off.

        Args:
            step: the steps done.
            bicubic: its figures on the validation pictures.
        """
        self._write_identity(bicubic)
        log, lines = self.layout.metrics, self._logged_lines()
        if not lines:
            return
        records = [read_record(line) for line in lines]
        damaged = [number for number, record in enumerate(records, 1) if record is None]
        if damaged:
            more = f" and {counted(len(damaged) - 1, 'more line')}" if len(damaged) > 1 else ""
            self._reporter.say(f"{log} is damaged: line {damaged[0]}{more} left out")
        pairs = zip(lines, records, strict=True)
        with atomic(log) as file:
            # Step 0 is validated before it: a run that begins begins with an empty log.
            kept = [line for line, record in pairs if step and record and record["step"] <= step]
            file.writelines(line + b"\n" for line in kept)

    def write_sheet(self, step: int, outputs: list[np.ndarray], values: np.ndarray) -> None:
        """Write a sheet of the middles of the first pictures, and a histogram of all output values.

        Args:
            step: the steps done.
            outputs: `(H, W, 3)` uint8 each.
            values: of all outputs, float, neither clipped nor rounded.
        """
        shown = self._data.validation.low[:SHEET_ROWS]
        side = min([SHEET_SIDE, *(length for low in shown for length in low.shape[:2])])
        low = _middles(shown, side)
        sheet = report.sheet(
            {
                "input": resample.nearest(images.to_uint8(low), SCALE),
                "bicubic": images.to_uint8(resample.bicubic(low, SCALE)),
                "network": _middles(outputs[:SHEET_ROWS], side, SCALE),
                "truth": _middles(self._data.validation.truth[:SHEET_ROWS], side, SCALE),
            }
        )
        make_folder(self.layout.sheets)
        images.write(self.layout.sheet(step), images.Picture(sheet))
        height, width = sheet.shape[:2]
        with self._written():
            self._board.image(step, "sheet", self.layout.sheet(step).read_bytes(), width, height)
            self._board.histogram(step, "outputs", values)

    def _has_begun(self) -> bool:
        """Whether the folder holds a run that has logged or saved a step."""
        records = map(read_record, self._logged_lines())
        saved = [*self.layout.all_checkpoints(), self.layout.best_checkpoint]
        return any(path.exists() for path in saved) or any(not record or record["step"] for record in records)

    def _logged_lines(self) -> list[bytes]:
        """The whole lines of the log; none if it does not exist."""
        if not self.layout.metrics.exists():
            return []
        with self._written():
            # After the last newline there is nothing, or half a line that a kill cut off.
            return self.layout.metrics.read_bytes().split(b"\n")[:-1]

    def _write_identity(self, bicubic: dict[str, float]) -> None:
        recipe = self._identity.recipe.model_dump(mode="json", by_alias=True)
        versions = {module.__name__: module.__version__ for module in (srez, keras, np)}
        versions[keras.backend.backend()] = backend.current().version()
        facts = {
            "recipe": recipe,
            "data": self._identity.data,
            "init": self._identity.init,
            "versions": {"python": platform.python_version(), **versions},
            "sources": self._data.provenance.sources,
            "pictures": self._data.training.pictures,
            "validation": {
                "set": self._data.validation.name,
                "protocol": self._data.validation.protocol.name,
                "bicubic": bicubic,
            },
            "skipped": self._data.provenance.skipped,
        }
        with atomic(self.layout.run) as file:
            file.write(json.dumps(facts, indent=1).encode())
        with atomic(self.layout.recipe) as file:
            file.write(tomli_w.dumps(_without_none(recipe)).encode())

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Turn a full disk into one sentence."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"the logs in {self.layout.folder} cannot be written: {error.strerror}; its checkpoints are "
                "intact"
            ) from None


def _middles(pictures: Pictures, side: int, scale: int = 1) -> np.ndarray:
    """The middles of pictures that are `scale` times as large as inputs, `(N, scale side, scale side, 3)`."""
    cut = []
    for picture in pictures:
        top, left = ((length // scale - side) // 2 * scale for length in picture.shape[:2])
        cut.append(picture[top : top + side * scale, left : left + side * scale])
    return np.stack(cut)


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }
