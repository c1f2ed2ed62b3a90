"""A whole run: training data in, a model with its card out."""

from pathlib import Path
from typing import Any

from srez import __version__
from srez.datasets.faces import FACE_SCALE, FACE_SIDE
from srez.runs.layout import RunLayout
from srez.train import export, trainer, validation
from srez.train.data import TrainingData
from srez.train.recipe import FacesData, Recipe
from srez.train.reporter import Reporter

FACES_EDGE = 8  # pixels of reflection around larger pictures: see docs/adr/0010


def train_and_export(
    prepared: trainer.Prepared, name: str, data: TrainingData, out: Path, reporter: Reporter | None = None
) -> Path | None:
    """Train to the recipe's end and write the model with its card into the run folder.

    Args:
        prepared: what to train.
        name: what to call the model.
        data: what to train it on.
        out: the run folder.
        reporter: see `trainer.train`.

    Returns:
        The model, or None if the run was interrupted before its end or another process is the chief.

    Raises:
        SrezError: see `trainer.train` and `export.export`.
    """
    recipe = prepared.recipe
    result = trainer.train(prepared, data, out, reporter)
    if not result.finished or not prepared.replicas.is_chief:
        return None
    model = RunLayout(out).model
    figures = validation.card_figures(result.average, name, data.validation)
    training = {
        "data": data.provenance.sources,
        "data_sha256": data.provenance.fingerprint,
        "pictures": data.training.pictures,
        **history(recipe, result.step, result.seconds),
    }
    about = {"name": name, "training": training, "figures": figures}
    export.export(result.average, model, {**about, **statements(recipe)})
    return model


def statements(recipe: Recipe) -> dict[str, Any]:
    """What a card takes from the recipe."""
    whole_faces = isinstance(recipe.data, FacesData)
    return {
        "description": recipe.description,
        "licence": recipe.licence,
        "limits": recipe.limits,
        # Cut-outs have taught a network what the border of a picture looks like, whole faces have not.
        "edge": FACES_EDGE if whole_faces else 0,
        "trained_at": FACE_SIDE // FACE_SCALE if whole_faces else 0,
        "reduction": "area" if whole_faces else "bicubic",  # as its inputs were made
    }


def history(recipe: Recipe, step: int, seconds: float) -> dict[str, Any]:
    """What a card says under `training`, beside the data."""
    return {
        "generator": recipe.generator.model_dump(mode="json"),
        "steps": step,
        "batch": recipe.batch,
        "seed": recipe.seed,
        "hours": round(seconds / 3600, 2),
        "srez": __version__,
    }
