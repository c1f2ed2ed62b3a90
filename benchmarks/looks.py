"""Write docs/images/photo-looks.jpg: bicubic, the looks of photo, and the truth.

    python benchmarks/looks.py

The pictures are cut from photographs that scikit-image ships, reduced as the benchmarks do: a cat (Stéfan van
der Walt, CC0) and a cup of coffee (Rachel Michetti, CC0).
"""

from pathlib import Path

import numpy as np
import skimage.data

import srez
from srez import images
from srez.evaluation import report
from srez.images import resample

SIDE = 200
PLACES = {"chelsea": (60, 90), "coffee": (90, 200)}  # top and left of what is cut out
LOOKS = (1.0, 0.5, 0.0)


def main() -> None:
    truths = [
        getattr(skimage.data, name)()[top:, left:][:SIDE, :SIDE] for name, (top, left) in PLACES.items()
    ]
    lows = np.stack([resample.bicubic_reduce(np.ascontiguousarray(truth), 4) for truth in truths])
    columns = {"bicubic": images.to_uint8(resample.bicubic(images.to_float(lows), 4))}
    columns |= {f"fidelity {look:g}": srez.load("photo", look).batch(lows) for look in LOOKS}
    sheet = report.sheet({**columns, "truth": np.stack(truths)}, zoom=1)
    images.write(Path("docs/images/photo-looks.jpg"), images.Picture(sheet))


if __name__ == "__main__":
    main()
