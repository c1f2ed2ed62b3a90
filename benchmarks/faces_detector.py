"""Train and measure the network that tells faces of 16x16 pixels from other pictures.

    python benchmarks/faces_detector.py celeba.zip list_eval_partition.txt photos.zip --output detector.onnx

Faces are CelebA's, by its partition. Others are parts of photographs, of which every second is left to
measure on, and drawings: shapes, letters, smileys, symmetric ones. `--icons FOLDER` measures on icons of
16x16 pixels too, over white and over black. Without --output, it measures the network that is in the box.
"""

import logging
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw, ImageFont

import mistakes
from machine import report
from srez.datasets import pictures
from srez.datasets.opaque import opaque
from srez.datasets.partition import Part
from srez.evaluation import pairs
from srez.images import to_float
from srez.models import detector
from srez.models.runtime import Network

SIDE, EPOCHS, BATCH = detector.SIDE, 8, 128
PARTS = 120  # of each photograph
DRAWINGS = 12_000  # to train on


def faces(source: Path, partition: Path, part: Part) -> np.ndarray:
    """`(N, 16, 16)` float, gray."""
    return np.stack([pair.low for pair in pairs.from_faces(source, partition, part).pairs]).mean(axis=3)


def parts_of_photographs(source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Squares of any size, reduced, `(N, 16, 16)` each: of every other photograph, and of the rest."""
    random = np.random.default_rng(0)
    parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for index, photo in enumerate(pictures.decode(pictures.find(source), lambda each, _: opaque(each))):
        if photo.pixels is None:
            continue
        image = Image.fromarray(photo.pixels).convert("L")
        parts[index % 2].append(_small(image))
        for _ in range(PARTS):
            side = int(np.exp(random.uniform(np.log(SIDE), np.log(min(image.size)))))
            left, top = (int(random.integers(0, length - side + 1)) for length in image.size)
            parts[index % 2].append(_small(image.crop((left, top, left + side, top + side))))
    return np.stack(parts[0]), np.stack(parts[1])


def drawing(seed: tuple[int, int]) -> np.ndarray:
    """Shapes and letters, now and then symmetric or with a smiley, `(16, 16)`."""
    random = np.random.default_rng(seed)
    side = SIDE * int(random.integers(1, 5))
    image = Image.new("L", (side, side), int(random.integers(0, 256)))
    for _ in range(random.integers(1, 7)):
        _draw_one(ImageDraw.Draw(image), side, random)
    if random.random() < 0.3:
        pixels = np.array(image)
        pixels[:, side // 2 :] = pixels[:, : side // 2][:, ::-1]
        image = Image.fromarray(pixels)
    if random.random() < 0.35:
        _draw_smiley(ImageDraw.Draw(image), side, random)
    small = _small(image, Image.Resampling.BOX if random.random() < 0.6 else Image.Resampling.NEAREST)
    return small + random.normal(0, random.uniform(1, 12) / 255 * (random.random() < 0.3), small.shape)


def _draw_one(draw: ImageDraw.ImageDraw, side: int, random: np.random.Generator) -> None:
    x0, y0, x1, y1 = ends = random.uniform(-0.15, 1.15, 4) * side
    box = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    ink, width = int(random.integers(0, 256)), int(random.integers(1, 2 + side // 8))
    letters = "".join(chr(random.integers(33, 127)) for _ in range(random.integers(1, 4)))
    font = ImageFont.load_default(float(random.uniform(0.3, 1) * side))
    [
        lambda: draw.ellipse(box, ink),
        lambda: draw.rectangle(box, ink),
        lambda: draw.line(list(ends), ink, width),
        lambda: draw.polygon(list(random.uniform(-0.1, 1.1, 6) * side), ink),
        lambda: draw.ellipse(box, outline=ink, width=width),
        lambda: draw.text((0.6 * x0, 0.6 * y0), letters, ink, font),
    ][random.integers(6)]()


def _draw_smiley(draw: ImageDraw.ImageDraw, side: int, random: np.random.Generator) -> None:
    rim, eye = random.uniform(0, 0.15) * side, random.uniform(0.03, 0.1) * side
    high, apart = random.uniform(0.3, 0.45) * side, random.uniform(0.15, 0.25) * side
    skin, ink = (int(value) for value in random.integers(0, 256, 2))
    draw.ellipse((rim, rim, side - 1 - rim, side - 1 - rim), skin)
    for x in (side / 2 - apart, side / 2 + apart):
        draw.ellipse((x - eye, high - eye, x + eye, high + eye), ink)
    mouth = 0.3 * side, 0.4 * side, 0.7 * side, random.uniform(0.65, 0.8) * side
    draw.arc(mouth, random.uniform(0, 40), random.uniform(140, 180), ink, max(1, side // 16))


def blur(seed: int) -> np.ndarray:
    """Smooth spots, `(16, 16)`."""
    random = np.random.default_rng((77, seed))
    few = int(random.integers(2, 9))
    return _small(
        Image.fromarray(random.uniform(0, 255, (few, few)).astype(np.float32)), Image.Resampling.BICUBIC
    )


def _small(image: Image.Image, filter_: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    return np.asarray(image.resize((SIDE, SIDE), filter_), np.float32) / 255


def icons(folder: Path) -> np.ndarray:
    """All PNGs of 16x16 pixels below a folder, over white and over black."""
    found = []
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as image:
            if image.size == (SIDE, SIDE):
                pixels = to_float(np.asarray(image.convert("RGBA")))
                gray, alpha = pixels[..., :3].mean(axis=2), pixels[..., 3]
                found += [gray * alpha + ground * (1 - alpha) for ground in (0, 1)]
    return np.stack(found)


def trained(positive: np.ndarray, negative: np.ndarray) -> bytes:
    """The network as ONNX, trained to tell some pictures, `(N, 16, 16)`, from others."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    positive = np.concatenate([positive, positive[:, :, ::-1]])
    negative = np.concatenate([negative, negative[:, :, ::-1], negative[:, ::-1], 1 - negative])
    pixels = np.concatenate([positive, negative])
    labels = np.repeat(np.float32([1, 0]), [len(positive), len(negative)])
    inputs = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Dense(32, activation="relu")(layers.Flatten()(x))
    network = keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.3)(x)))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * len(pixels) // BATCH)
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.01)
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss)
    random = np.random.default_rng(3)
    for _ in range(EPOCHS):
        gamma = np.exp(random.normal(0, 0.25, (len(pixels), 1, 1)))
        noise = random.normal(0, 1, pixels.shape) * random.exponential(3 / 255, (len(pixels), 1, 1))
        varied = detector.prepared(pixels.clip(0, 1) ** gamma + noise)
        network.fit(varied, labels, BATCH, verbose=0, class_weight={0: 1.0, 1: 2.0})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.onnx"
        logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
        network.export(path, format="onnx", verbose=False)
        return path.read_bytes()


def main(
    celeba: Annotated[Path, typer.Argument(exists=True)],
    partition: Annotated[Path, typer.Argument(exists=True)],
    photos: Annotated[Path, typer.Argument(exists=True)],
    icons_: Annotated[Path | None, typer.Option("--icons", exists=True)] = None,
    output: Path | None = None,
) -> None:
    """Print what share of each kind of picture is taken for a face."""
    known, others = parts_of_photographs(photos)
    if output:
        drawings = [drawing((1, seed)) for seed in range(DRAWINGS)] + [blur(seed) for seed in range(3000)]
        noise = np.random.default_rng(5).random((1500, SIDE, SIDE))
        negative = np.concatenate([known, np.stack(drawings), noise])
        output.write_bytes(trained(faces(celeba, partition, Part.TRAIN), negative))
    network = Network(output or detector.FILE, "the detector")
    held_out = faces(celeba, partition, Part.VALIDATION)
    sets = {
        "faces": held_out,
        "faces, mirrored": held_out[:, :, ::-1],
        "parts of other photographs": others,
        "drawings": np.stack([drawing((2, seed)) for seed in range(2000)]),
        **({"icons": icons(icons_)} if icons_ else {}),
    }
    scores = {name: network.run(detector.prepared(grays))[:, 0] for name, grays in sets.items()}
    thresholds = (-1, 0, 1)
    rows = [
        [name, len(values), *(f"{(values > threshold).mean():.2%}" for threshold in thresholds)]
        for name, values in scores.items()
    ]
    columns = ["pictures", "count", *(f"above {threshold}" for threshold in thresholds)]
    report("Taken for faces", columns, rows, Path("runs/benchmarks/faces_detector.json"))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
