"""Peak memory of `srez upscale` for a large photograph, and for one twice as high.

    python benchmarks/upscale_memory.py [MODEL]

Each run is a process of its own; its peak is what the system counted as resident. The picture is noise in
blotches of all sizes, which is as hard to compress as a grainy photograph. Takes half an hour with `faces`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

import mistakes
from machine import report

SIZES = ((6000, 1000), (6000, 4000), (6000, 8000))
RUN = """
import pathlib, sys
from srez.cli import main
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print(status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


def photograph(width: int, height: int, path: Path) -> None:
    random = np.random.default_rng(0)
    picture = Image.new("RGB", (width, height), "gray")
    for side in (8, 40, 200, 1000):
        blotches = random.integers(0, 256, (height // side + 1, width // side + 1, 3), np.uint8)
        layer = Image.fromarray(blotches).resize((width, height), Image.Resampling.BICUBIC)
        picture = Image.blend(picture, layer, 0.4)
    picture.save(path, quality=95)


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "faces"
    rows = []
    for width, height in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "photograph.jpg", Path(folder) / "large.png"
            photograph(width, height, source)
            began = time.perf_counter()
            words = ["upscale", str(source), "-o", str(target), "--model", model]
            done = subprocess.run(
                [sys.executable, "-c", RUN, *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds = time.perf_counter() - began
            peak = int(done.stderr.split()[-1]) * 1024 / 1e6
            written = target.stat().st_size / 1e6
        rows.append([f"{width}x{height}", peak, peak / rows[0][1] if rows else 1.0, written, seconds])
        print(*rows[-1], flush=True)
    columns = ["picture", "peak, MB", "times the first", "PNG, MB", "seconds"]
    report(f"srez upscale --model {model}", columns, rows, Path("runs/benchmarks/upscale_memory.json"))


if __name__ == "__main__":
    with mistakes.told():
        main()
