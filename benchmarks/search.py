"""Generators of one recipe against each other: each trained for the same time on the same pictures.

The speed of a training step is measured first, and the number of steps follows from it, so that other work on
the machine does not decide.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import onnxruntime
from rich.progress import track

import train_speed
from machine import in_turn, report, seconds
from srez.errors import TrainingError
from srez.train import data, export, networks, recipes, trainer

Generators = dict[str, Callable[[], keras.Model]]


def compare(
    chosen: str,
    generators: Generators,
    pictures: data.TrainingData,
    minutes: float,
    timed: tuple[int, int, int],
    out: Path,
    changes: list[str],
) -> None:
    """Train each, print and keep the table.

    Args:
        chosen: the recipe, whose generator is replaced.
        generators: what to compare.
        pictures: to train and validate on.
        minutes: of training, each.
        timed: number, height and width of the pictures that a run of the exported network is timed on.
        out: a new folder for the runs.
        changes: keys of the recipe.
    """
    times = in_turn(
        {name: lambda m=make: step_time(chosen, m, pictures, changes) for name, make in generators.items()},
        rounds=2,
    )
    rows, runners = [], {}
    for name, make in track(generators.items(), "training"):
        settings = recipes.load(chosen, [*changes, f"steps={round(60 * minutes / times[name])}"])
        with instead_of_the_recipes(make):
            result = trainer.train(trainer.prepare(settings), pictures, out / name)
        figures = result.figures["psnr"], result.figures["ssim"]
        rows.append([name, result.average.count_params() / 1e6, settings.steps, *figures])
        try:
            runners[name] = runner(result.average, out / f"{name}.onnx", timed)
        except TrainingError as error:  # such as of a network that explodes on noise
            print(error)
    runs = in_turn(runners)
    rows = [[*row, 1000 * runs[row[0]] if row[0] in runs else "not exported"] for row in rows]
    columns = ["generator", "M weights", "steps", "PSNR", "SSIM", "ms"]
    title = f"{chosen}: {minutes:g} minutes each; ms for {timed[0]} of {timed[2]}x{timed[1]}"
    report(title, columns, rows, out / "table.json")


def instead_of_the_recipes(make: Callable[[], keras.Model]) -> AbstractContextManager[Any]:
    """Within this, training is of another generator: those that were not chosen have no recipe."""
    return patch.object(networks, "build_generator", lambda _: make())


def step_time(
    chosen: str, make: Callable[[], keras.Model], pictures: data.TrainingData, changes: list[str]
) -> float:
    few = [*changes, f"steps={train_speed.STEPS}", "every.checkpoint=1000", "every.log=1000"]
    with instead_of_the_recipes(make):
        return train_speed.step_seconds(recipes.load(chosen, few), pictures)


def runner(generator: keras.Model, file: Path, timed: tuple[int, int, int]) -> Callable[[], float]:
    """What gives the seconds of one run of the exported network, by ONNX Runtime."""
    about = {"name": file.stem, "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    export.export(generator, file, about)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    low = np.random.default_rng(0).random((*timed, 3), np.float32)
    name = session.get_inputs()[0].name
    return lambda: seconds(lambda: session.run(None, {name: low}))
