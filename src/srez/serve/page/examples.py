"""The examples of the page; `benchmarks/page_examples.py` made their files, and says whose they are."""

from pathlib import Path

import numpy as np

from srez.evaluation import demo
from srez.images import resample
from srez.serve.page.browsers import png

_FOLDER = Path(__file__).parent / "examples"
_FACE_SCALE = 4
LABELS = {
    "photograph.jpg": "Photograph",
    "old-photograph.jpg": "Old photograph",
    "face.png": "Tiny face",
}


def read(name: str) -> tuple[str, bytes]:
    """An example, by its name in `LABELS`: a file name and the bytes of the file."""
    if name == "face.png":  # that of `srez demo`
        return name, png(np.rint(resample.area(demo.portrait(), _FACE_SCALE)).astype(np.uint8))
    return name, (_FOLDER / name).read_bytes()
