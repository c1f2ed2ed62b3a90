"""Write docs/images/certainty.png: what faces guesses of one portrait, and how sure it is.

    python benchmarks/certainty_sheet.py

The portrait of Eileen Collins (NASA, with scikit-image) is in the public domain, and was not trained on.
"""

from pathlib import Path

import numpy as np

import srez
from srez import images
from srez.datasets import faces
from srez.evaluation import demo, report
from srez.images import resample

SAMPLES, SEED = 16, 1
SHOWN = 4
BRIGHTEST = 60  # grey levels, of the uncertainty


def main() -> None:
    truth = demo.portrait()
    low = faces.reduced(truth[None])[0]
    upscaler = srez.load("faces")
    samples = np.stack(upscaler.samples(low, SAMPLES, SEED))
    distance = np.repeat((upscaler.uncertainty(low) * 255 / BRIGHTEST)[..., None], 3, axis=2)
    spread = np.repeat((samples * 255).std(axis=0).max(axis=2, keepdims=True) / (BRIGHTEST / 4), 3, axis=2)
    columns = {
        "input": resample.nearest(low[None], 4)[0],
        **{f"sample {number + 1}": samples[number] for number in range(SHOWN)},
        f"mean of {SAMPLES}": samples.mean(axis=0),
        "faithful": srez.load("faces", 1.0)(low),
        "truth": truth / np.float32(255),
        "where they differ": spread,
        "how sure": distance,
    }
    sheet = report.sheet({title: images.to_uint8(each)[None] for title, each in columns.items()}, zoom=2)
    images.write(Path("docs/images/certainty.png"), images.Picture(sheet))


if __name__ == "__main__":
    main()
