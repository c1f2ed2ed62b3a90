"""Write docs/images/faces-portraits.png: srez's own network and the looks of faces on two portraits.

    python benchmarks/portraits.py runs/srez/model.onnx

The portraits ship with dependencies, and were not trained on: Eileen Collins (NASA, with scikit-image) and
Grace Hopper (US Navy, with Matplotlib), both in the public domain.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib import cbook

import mistakes
import srez
from srez import images
from srez.datasets import faces
from srez.evaluation import demo, report
from srez.images import resample

# Left, top and side of Hopper's face, framed about as CelebA's aligned faces are: eyes at 0.37 of the height.
HOPPER = (135, 92, 256)
LOOKS = (1.0, 0.5, 0.0)


def hopper() -> np.ndarray:
    left, top, side = HOPPER
    file = Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    face = images.read(file).pixels[top : top + side, left : left + side]
    return np.rint(resample.area(face, side // 64)).astype(np.uint8)


def main(original: Annotated[Path, typer.Argument(exists=True)]) -> None:
    truths = np.stack([demo.portrait(), hopper()])
    lows = faces.reduced(truths)
    columns = {
        "input": images.to_uint8(resample.nearest(lows, 4)),
        "bicubic": images.to_uint8(resample.bicubic(lows, 4)),
        "srez's recipe": images.to_uint8(srez.load(original).batch(lows)),
    }
    columns |= {f"fidelity {look:g}": images.to_uint8(srez.load("faces", look).batch(lows)) for look in LOOKS}
    sheet = report.sheet({**columns, "truth": truths}, zoom=3)
    images.write(Path("docs/images/faces-portraits.png"), images.Picture(sheet))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
