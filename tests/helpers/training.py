"""Tiny trainings and what they leave."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from srez.runs.layout import RunLayout
from srez.train import backend, checkpoint, data, recipe, recipes, trainer
from srez.train.reporter import Figures, Reporter
from srez.train.weights import InitialWeights

TINY = {
    "faces": ["generator.channels=8", "generator.blocks=1"],
    "srez": ["generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]", "data.noise=0"],
}
PACE = ["batch=4", "every.log=2", "every.validate=6", "every.checkpoint=4"]


class Listener(Reporter):
    """Keeps what a training reports."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.figures: dict[int, dict[str, float]] = {}
        self.beside: dict[int, dict[str, dict[str, float]]] = {}
        self.sentences: list[str] = []
        self.last = ""

    def step(self, step: int, values: dict[str, float]) -> None:
        del values
        self.steps.append(step)

    def validation(self, step: int, figures: Figures, beside: dict[str, Figures]) -> None:
        self.figures[step], self.beside[step] = figures, beside

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def warn_at_end(self, sentence: str) -> None:
        self.last = sentence


def tiny(name: str, *changes: str) -> recipe.Recipe:
    return recipes.load(name, [*TINY[name], *PACE, *changes])


def gan(*changes: str) -> recipe.Recipe:
    """A tiny GAN without batch norm."""
    critic = "discriminator={network='critic', units=[4, 8], conditional=true}"
    return tiny("faces", critic, "loss.adversarial=0.01", "steps=8", *changes)


def train(
    chosen: recipe.Recipe,
    pictures: data.TrainingData,
    out: Path,
    reporter: Reporter | None = None,
    init: InitialWeights | None = None,
) -> trainer.Result:
    return trainer.train(trainer.prepare(chosen, init), pictures, out, reporter)


def pairs(batches: Iterable[dict[str, np.ndarray]], settings: recipe.Data) -> list:
    """Batches as the step sees them: network input, clean LR and HR of each."""
    convert = backend.current().compiled(data.to_pairs(settings))
    return [tuple(backend.as_numpy(part) for part in convert(batch)) for batch in batches]


def log(out: Path) -> list[dict]:
    """What a run logged, without the time it took."""
    lines = [json.loads(line) for line in RunLayout(out).metrics.read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def board(out: Path) -> dict[str, str]:
    """What a run wrote for TensorBoard: the kind of each of its tags."""
    events = EventAccumulator(str(RunLayout(out).tensorboard)).Reload()
    tags = events.Tags()["tensors"]
    return {tag: events.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags}


def newest(out: Path) -> checkpoint.Saved:
    """A run's newest checkpoint."""
    saved, _ = checkpoint.load(RunLayout(out))
    assert saved is not None
    return saved


def assert_same_checkpoint(one: Path, other: Path) -> None:
    """The newest checkpoints of both runs agree bit for bit: networks, optimisers, averages."""
    (ours, our_facts), (theirs, their_facts) = newest(one), newest(other)
    assert our_facts["step"] == their_facts["step"]
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
