"""All figures of a network of samples that its model card gives, of aligned faces.

    python benchmarks/samples.py img_align_celeba.zip --partition list_eval_partition.txt --split val \
        --limit 250
    python benchmarks/samples.py img_align_celeba.zip --partition list_eval_partition.txt \
        --samples runs/faces-samples/model.onnx --share 0.25 --strength 1.2

Without `--samples`, it measures the file in the box. `--share` and `--strength` are those of
`srez.train.combine.add_samples`, to choose them before a file is installed. ST-LPIPS and the diversity score
need srez[perceptual], identity needs srez[identity]; what is not installed is left out and said so. The
environment needs no TensorFlow. 250 faces take about five minutes on one core.

Printed are the means over faces for the faithful look, the mean of sixteen samples, one sample (the mean over
the first ten), and for each figure the worst of these ten numbers; LR-PSNR is that of 8 bits; and the
diversity score of the NTIRE 2022 challenge, with ten samples. Seeds follow from the names of the pictures.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.progress import track

import mistakes
import srez
from machine import report
from srez.datasets.partition import Part
from srez.evaluation import identity, methods, metrics, pairs, perceptual, sampling
from srez.evaluation.evaluate import UNMEASURED
from srez.evaluation.pairs import Pair
from srez.evaluation.perceptual import StLpips
from srez.evaluation.protocol import FACES_RGB
from srez.images import to_uint8
from srez.models import blending, box
from srez.models.card import sha256

OF_MEAN, OF_EACH = 16, 10  # samples that the mean is of, and that are measured one by one
PARTS = {"train": Part.TRAIN, "val": Part.VALIDATION, "test": Part.TEST}
COLUMNS = ["", "PSNR, dB", "LR-PSNR, dB", "ST-LPIPS", "identity"]
MORE_IS_BETTER = np.array([True, True, False, False])


def main(
    faces: Annotated[Path, typer.Argument(help="A zip or folder of aligned faces.", exists=True)],
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt.", exists=True)
    ] = None,
    split: Annotated[str, typer.Option(help="Part of the partition: train, val or test.")] = "val",
    limit: Annotated[int | None, typer.Option(help="Measure only the first N faces.")] = None,
    samples: Annotated[
        Path | None, typer.Option(help="The .onnx file of a network of samples.", exists=True)
    ] = None,
    share: Annotated[float, typer.Option(help="Of the faithful weights, from 0 to 1.")] = 0.0,
    strength: Annotated[float, typer.Option(help="Of the random numbers.")] = 1.0,
    out: Annotated[Path, typer.Option(help="A JSON file.")] = Path("runs/benchmarks/samples.json"),
) -> None:
    pair_set = pairs.from_faces(faces, partition, PARTS[split], limit)
    distances = [perceptual.st_lpips(), identity.distance()]
    for sentence, distance in zip(UNMEASURED.values(), distances, strict=True):
        if not distance:
            print(sentence)
    faithful, each, diversity = srez.load("faces", fidelity=1.0), [], []
    with tempfile.TemporaryDirectory() as folder:
        model = str(with_samples(Path(folder), samples, share, strength))
        draw = methods.sampled(model, FACES_RGB.scale, OF_MEAN).samples
        assert draw
        for pair in track(pair_set.pairs):
            drawn = draw(pair)
            mean = to_uint8((drawn.astype(np.float32) / 255).mean(axis=0))
            outputs = np.stack([to_uint8(faithful(pair.low)), mean, *drawn[:OF_EACH]])
            each.append(figures(outputs, pair, distances))
            if isinstance(distances[0], StLpips):
                truths = np.stack([pair.high] * OF_EACH)
                diversity.append(sampling.diversity(distances[0].maps(drawn[:OF_EACH], truths)))
    found = np.mean(each, axis=0)
    ones = found[2:]
    rows = {
        "faithful": found[0],
        f"mean of {OF_MEAN}": found[1],
        "a sample": ones.mean(axis=0),
        "the worst number": np.where(MORE_IS_BETTER, ones.min(axis=0), ones.max(axis=0)),
    }
    report(
        f"{len(each)} faces of {pair_set.name}, {split}",
        COLUMNS,
        [[name, *(f"{value:.4f}" for value in row)] for name, row in rows.items()],
        out,
    )
    print(f"The mean of {OF_MEAN} is {found[0, 0] - found[1, 0]:.3f} dB below the faithful look.")
    if diversity:
        print(f"Diversity of {OF_EACH}: {np.mean(diversity):.2f}")


def with_samples(folder: Path, samples: Path | None, share: float, strength: float) -> Path:
    """A copy of the faces model with another network of samples."""
    original = box.find("faces")
    card = box.card(original)
    assert card.samples
    for file in original.parent.glob(f"{original.stem}*"):
        shutil.copy(file, folder)
    own = folder / card.samples.file
    data = (samples or own).read_bytes()
    if share or strength != 1:
        data = blending.sampler(data, original.read_bytes(), share, strength)
    own.write_bytes(data)
    text = (folder / f"{original.stem}.toml").read_text(encoding="utf-8")
    text = text.replace(card.samples.sha256, sha256(own))
    (folder / f"{original.stem}.toml").write_text(text, encoding="utf-8")
    return folder / original.name


def figures(outputs: np.ndarray, pair: Pair, distances: list[perceptual.Distance | None]) -> np.ndarray:
    """`(N, 4)`, in the order of the columns; NaN for what is not measured."""
    truths = np.stack([pair.high] * len(outputs))
    by_column = [
        [metrics.psnr(output, pair.high, FACES_RGB) for output in outputs],
        [metrics.lr_psnr(output, pair.low, FACES_RGB) for output in outputs],
        *(distance(outputs, truths) if distance else [np.nan] * len(outputs) for distance in distances),
    ]
    return np.array(by_column).T


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
