"""The names of all files in a run folder, and of the values in its log. Nobody else spells them."""

from dataclasses import dataclass
from pathlib import Path

RUN = "run.json"  # a folder that holds one is a run folder
VALIDATION = "validation_"  # what the names of validation figures begin with in the log


@dataclass(frozen=True)
class RunLayout:
    """Where everything is in the folder of one training run."""

    folder: Path

    @property
    def run(self) -> Path:
        """What the run is: recipe, hash of the data, versions, pictures left out."""
        return self.folder / RUN

    @property
    def recipe(self) -> Path:
        """The recipe with its changes, to be used again."""
        return self.folder / "recipe.toml"

    @property
    def metrics(self) -> Path:
        """The log: a JSON object of a step and its values on each line."""
        return self.folder / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """The same for TensorBoard, a folder."""
        return self.folder / "tensorboard"

    @property
    def native_log(self) -> Path:
        """What TensorFlow's or PyTorch's C++ code has to say."""
        return self.folder / "tensorflow.log"

    @property
    def lock(self) -> Path:
        """Locked by the process that trains."""
        return self.folder / "lock"

    @property
    def ray(self) -> Path:
        """What Ray writes when it trains, a folder."""
        return self.folder / "ray"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The checkpoint of a step."""
        return self.checkpoints / f"step-{step:08d}.npz"

    @property
    def best_checkpoint(self) -> Path:
        """A copy of the checkpoint with the best validation."""
        return self.checkpoints / "best.npz"

    def all_checkpoints(self) -> list[Path]:
        """The checkpoints that are there, by step, without the best."""
        return sorted(self.checkpoints.glob(f"step-{'[0-9]' * 8}.npz"))

    def unfinished_checkpoints(self) -> list[Path]:
        """What a process that was killed while it wrote a checkpoint left."""
        return list(self.checkpoints.glob(".*.npz.*"))

    @property
    def sheets(self) -> Path:
        """The folder of sheets of validation pictures."""
        return self.folder / "sheets"

    def sheet(self, step: int) -> Path:
        """The sheet of a step."""
        return self.sheets / f"step-{step:08d}.png"

    def all_sheets(self) -> list[Path]:
        """The sheets that are there, by step."""
        return sorted(self.sheets.glob("step-*.png"))

    @property
    def model(self) -> Path:
        """The exported model; its card is beside it."""
        return self.folder / "model.onnx"

    @property
    def report(self) -> Path:
        """The page that `srez report` writes."""
        return self.folder / "report.html"


def step_of(path: Path) -> int:
    """The step of a checkpoint or a sheet, by its name.

    Raises:
        ValueError: it has no such name.
    """
    return int(path.stem.removeprefix("step-"))
