"""A model from a checkpoint of a run, without its data: the best, that of a step, or the newest."""

from pathlib import Path
from typing import Any, Literal

from srez.errors import OptionError
from srez.runs import reading
from srez.runs.layout import VALIDATION, RunLayout, step_of
from srez.runs.reading import Run
from srez.train import checkpoint, export, networks, recipes, weights
from srez.train.checkpoint import Saved
from srez.train.recipe import Recipe
from srez.train.run import history, statements
from srez.train.weights import InitialWeights

Which = int | Literal["best", "newest"]
"""A checkpoint: of so many steps, or by what it is."""


def export_checkpoint(folder: Path, which: Which, target: Path | None = None) -> Path:
    """Write the model of a checkpoint, with its card.

    The card's figures are those that the run logged at the checkpoint's step.

    Args:
        folder: the run folder; nothing else in it is changed, and a training in it is not disturbed.
        which: the checkpoint.
        target: the .onnx file; in the run folder by default: `model.onnx`, `best.onnx` or `step-N.onnx`.

    Returns:
        The .onnx file.

    Raises:
        OptionError: it is no run folder, or has no such checkpoint.
        TrainingError: the checkpoint is damaged.
        OutputError: a file cannot be written.
    """
    run = reading.read(folder)
    arrays, facts = _saved(run.layout, which)
    chosen = recipes.validate(run.facts["recipe"], str(run.layout.run)) if run.facts else _recipe(run.layout)
    generator = networks.build_generator(chosen.generator)
    InitialWeights(str(folder), weights.averaged(arrays)).copy_into(generator)
    name = folder.resolve().name
    about = {
        "name": name,
        "training": {**_data(run), **history(chosen, facts["step"], facts["seconds"])},
        "figures": _figures(run, facts["step"], name),
        **statements(chosen),
    }
    stems = {"newest": run.layout.model.stem, "best": "best"}
    model = target or folder / f"{stems.get(str(which), f'step-{which}')}.onnx"
    export.export(generator, model, about)
    return model


def _saved(layout: RunLayout, which: Which) -> Saved:
    if which == "newest":
        saved, _ = checkpoint.load(layout)
        if not saved:
            raise OptionError(f"{layout.folder} has no checkpoint yet: train it first")
        return saved
    path = layout.best_checkpoint if which == "best" else layout.checkpoint(which)
    if not path.is_file():
        raise OptionError(f"{layout.folder} has no {path.name}: {_instead(layout, which)}")
    saved = checkpoint.read(path)
    if not saved:
        raise OptionError(f"{path} is damaged: {_instead(layout, which)}")
    return saved


def _instead(layout: RunLayout, which: Which) -> str:
    """What to do where a checkpoint is missing."""
    steps = ", ".join(str(step_of(path)) for path in layout.all_checkpoints())
    there = f"choose --step from {steps}" if steps else "there are no others"
    return f"no validation was better than that of step 0; {there}" if which == "best" else there


def _recipe(layout: RunLayout) -> Recipe:
    """The recipe from its own file, where `run.json` is damaged."""
    return recipes.load(str(layout.recipe))


def _data(run: Run) -> dict[str, Any]:
    """What a card says of the data, as far as `run.json` does."""
    known = {"data": "sources", "data_sha256": "data", "pictures": "pictures"}
    return {key: run.facts[name] for key, name in known.items() if name in run.facts}


def _figures(run: Run, step: int, name: str) -> list[dict[str, Any]]:
    """The figures of bicubic and of the model, as they were validated at a step; none if it was not."""
    validation = run.facts.get("validation")
    logged = [record for record in run.records if record["step"] == step]
    found = {
        key.removeprefix(VALIDATION): value
        for record in logged
        for key, value in record.items()
        if key.startswith(VALIDATION)
    }
    if not validation or not found:
        return []
    where = {"set": validation["set"], "protocol": validation["protocol"]}
    rows = {"bicubic": validation["bicubic"], name: found}
    return [
        {**where, "method": method, **{key: round(value, 4) for key, value in row.items()}}
        for method, row in rows.items()
    ]
