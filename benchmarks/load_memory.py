"""Memory that training needs for photographs that are read and kept, in bytes a pixel.

    python benchmarks/load_memory.py photos_train.zip [CROP]

At the peak, while they are read and reduced, and afterwards; both beyond what the process had before.
"""

import argparse
import threading
import time
from pathlib import Path

import psutil

import mistakes
from machine import report
from srez.train import backend, data
from srez.train.recipe import PhotosData


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", help="a zip or folder")
    parser.add_argument("crop", type=int, nargs="?", default=160)
    arguments = parser.parse_args()
    process, reading, seen = psutil.Process(), True, [0]
    backend.current().compiled(lambda x: x)([0.0])  # what the framework itself takes does not count
    before = process.memory_info().rss

    def watch() -> None:
        while reading:
            seen.append(process.memory_info().rss)
            time.sleep(0.01)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    loaded = data.load(PhotosData(pictures="photos", crop=arguments.crop), [arguments.photographs])
    kept = process.memory_info().rss
    reading = False
    watcher.join()
    megapixels = float(loaded.provenance.summary[1].split()[-2])
    row = [megapixels, *((each - before) / megapixels / 1e6 for each in (max(seen), kept))]
    columns = ["megapixels", "peak, bytes a pixel", "afterwards"]
    report("Photographs in memory", columns, [row], Path("runs/benchmarks/load_memory.json"))


if __name__ == "__main__":
    with mistakes.told():
        main()
