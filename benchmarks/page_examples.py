"""Write the examples of the page, src/srez/serve/page/examples/: pictures as people have them.

    python benchmarks/page_examples.py

Both are free to show: a cat (Stéfan van der Walt, CC0), which scikit-image ships, and Grace Hopper (US Navy,
public domain), which Matplotlib ships. The portrait is faded, given grain, and saved as a bad JPEG. The third
example is the face of `srez demo`.
"""

from pathlib import Path

import numpy as np
import skimage.data
from matplotlib import cbook
from PIL import Image

from srez import images
from srez.images import resample

OUT = Path("src/srez/serve/page/examples")
CAT = (slice(0, 300), slice(0, 448))
GRAIN = 4  # grey levels
OLD_QUALITY = 35


def photograph() -> np.ndarray:
    return np.rint(resample.area(skimage.data.chelsea()[CAT], 2)).astype(np.uint8)


def old() -> np.ndarray:
    file = Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    pixels = images.read(file).pixels
    height, width = (side - side % 3 for side in pixels.shape[:2])
    small = resample.area(pixels[:height, :width], 3)
    grey = small @ np.array([0.299, 0.587, 0.114])
    grey = 40 + 0.8 * grey + np.random.default_rng(0).normal(0, GRAIN, grey.shape)  # faded, and with grain
    sepia = grey[..., None] * np.array([1.04, 0.98, 0.86])
    return np.clip(np.rint(sepia), 0, 255).astype(np.uint8)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    Image.fromarray(photograph()).save(OUT / "photograph.jpg", quality=95, subsampling=0)
    Image.fromarray(old()).save(OUT / "old-photograph.jpg", quality=OLD_QUALITY)


if __name__ == "__main__":
    main()
