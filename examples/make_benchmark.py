"""Make a benchmark of your own photographs, for `srez evaluate --benchmark`.

    python make_benchmark.py FOLDER PHOTO...

HR/ gets the photographs, cut to multiples of 4; LR_x4/ the same reduced as by MATLAB's imresize, which is
how published benchmarks are made. Without arguments it takes two pictures that scikit-image ships.
"""

import sys
from pathlib import Path

import skimage.data

from srez import images
from srez.images import resample

SHIPPED = Path(skimage.data.__file__).parent
folder, *photos = map(Path, sys.argv[1:] or ("benchmark", SHIPPED / "chelsea.png", SHIPPED / "coffee.png"))
for photo in photos:
    pixels = images.rgb(images.read(photo))
    height, width = (side - side % 4 for side in pixels.shape[:2])
    high = pixels[:height, :width]
    for below, picture in {"HR": high, "LR_x4": resample.bicubic_reduce(high, 4)}.items():
        (folder / below).mkdir(parents=True, exist_ok=True)
        images.write(folder / below / f"{photo.stem}.png", images.Picture(picture))
