"""A whole run: faces in, a model with its card out."""

from pathlib import Path

from srez import __version__
from srez.train import data, export, trainer
from srez.train.recipe import Recipe


def train_and_export(
    recipe: Recipe, name: str, faces: data.Faces, sources: list[Path], out: Path, watch: trainer.Watcher
) -> Path | None:
    """Train to the recipe's end and write `model.onnx` with its card into the run folder.

    Args:
        recipe: what to do.
        name: what to call the model.
        faces: what to do it on.
        sources: where they came from, for the card.
        out: the run folder.
        watch: see `trainer.train`.

    Returns:
        The model, or None if the run was interrupted before its end.
    """
    result = trainer.train(recipe, faces, out, watch)
    if result.step < recipe.steps:
        return None
    about = {
        "name": name,
        "description": recipe.description,
        "licence": recipe.licence,
        "limits": recipe.limits,
        "training": {
            "data": [source.name for source in sources] or [f"{recipe.drawn_faces} drawn faces"],
            "data_sha256": faces.fingerprint,
            "faces": len(faces.train),
            "steps": result.step,
            "batch": recipe.batch,
            "seed": recipe.seed,
            "hours": round(result.seconds / 3600, 2),
            "srez": __version__,
        },
        "figures": export.figures(result.average, name, faces.validation, faces.validation_low),
    }
    model = out / "model.onnx"
    export.export(result.average, model, about)
    return model
