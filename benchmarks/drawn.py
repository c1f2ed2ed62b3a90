"""Write the models for drawn pictures, and compare them with what else there is.

    python benchmarks/drawn.py [--write]

The scans are pages of text and lines drawn at 4 times the size, reduced by area and made black and white.
Their truth is the page before. For pixel art, the nearest pixel is the truth by definition.
"""

import random
from pathlib import Path

import numpy as np
import onnx
import tomli_w
import typer
from onnx import helper
from PIL import Image, ImageDraw, ImageFont

import mistakes
import srez
from graphics import FONTS, word
from machine import report
from srez import images
from srez.evaluation import metrics
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.models import card as cards
from srez.models import drawn
from srez.models.card import Card

WEIGHTS = Path(cards.__file__).parent / "weights"
SCALE = 4
SIDE = 960  # pixels of a page
PAGES = 20


def main(write: bool = False) -> None:
    if write:
        model(
            "pixels",
            "Pixel art, x4: each pixel becomes a square",
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
            radius=0,
            keeps_flat=True,
            reduction="area",
            enlargement="nearest",
        )
        model(
            "scan",
            "Scans in black and white, x4: bicubic",
            {"mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.5},
            radius=2,
            keeps_flat=False,  # nothing is put into its place: it is bicubic
            reduction="bicubic",
            enlargement="Lanczos",
        )
    rows = []
    works = {name: srez.load(name) for name in ("pixels", "scan", "photo")}
    for number in range(PAGES):
        high = page(random.Random(number))
        low = ink(Image.fromarray(high).reduce(SCALE))
        rows.append([metrics.psnr(rgb(each(low)), rgb(high), Y_MATLAB_X4) for each in works.values()])
        assert drawn.kind(low) == "scan"
    report(
        f"{PAGES} scans, PSNR in dB",
        list(works),
        [list(np.mean(rows, axis=0))],
        Path("runs/benchmarks/drawn.json"),
    )


def model(
    name: str,
    description: str,
    resize: dict[str, object],
    radius: int,
    keeps_flat: bool,
    reduction: str,
    enlargement: str,
) -> None:
    image = [helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, ["n", h, w, 3])
             for end, h, w in (("input", "h", "w"), ("output", "H", "W"))]  # fmt: skip
    scales = helper.make_tensor("scales", onnx.TensorProto.FLOAT, [4], [1, 1, SCALE, SCALE])
    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["planes", "", "scales"], ["larger"], **resize),
        helper.make_node("Transpose", ["larger"], ["output"], perm=[0, 2, 3, 1]),
    ]
    graph = helper.make_graph(nodes, name, image[:1], image[1:], [scales])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    file = WEIGHTS / f"{name}.onnx"
    file.write_bytes(made.SerializeToString())
    described = Card(
        name=name,
        description=description,
        licence="MIT, for commercial use too; it has no weights",
        limits="It adds nothing to the input.",
        scale=SCALE,
        minimum_size=1,
        receptive_radius=radius,
        parameters=0,
        multiply_adds=0,
        sha256=cards.sha256(file),
        training={},
        figures=[],
        memory=1024,
        keeps_flat=keeps_flat,
        reduction=reduction,
        enlargement=enlargement,
    )
    file.with_suffix(".toml").write_text(tomli_w.dumps(cards.as_dict(described)), "utf-8")


def page(draw: random.Random) -> np.ndarray:
    """`(H, W)` uint8, 0 or 255."""
    image = Image.new("L", (SIDE, SIDE), 255)
    canvas = ImageDraw.Draw(image)
    for top in range(20, SIDE, 76):
        font = ImageFont.truetype(str(draw.choice(FONTS)), draw.choice([40, 56, 72]))
        canvas.text((20, top), " ".join(word(draw) for _ in range(6)), 0, font)
    canvas.line([(draw.randrange(SIDE), draw.randrange(SIDE)) for _ in range(2)], 0, 8)
    return ink(image)


def ink(image: Image.Image) -> np.ndarray:
    return np.where(np.asarray(image) > 127, np.uint8(255), np.uint8(0))


def rgb(gray: np.ndarray) -> np.ndarray:
    return images.rgb(images.Picture(gray))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
