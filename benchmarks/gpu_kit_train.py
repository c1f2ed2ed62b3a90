"""Train `photo`, then its vivid look, within some minutes, with what is in this folder; see gpu_kit.py.

    python train.py --minutes 9.5 --out runs [--set generator.channels=96 ...]

What --set changes, it changes for both. The runs are left in the folder given, with a checkpoint every
minute; run it again to resume. Back home, `srez export runs/photo` makes ONNX of them.
"""

import argparse
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAITHFUL = 0.6  # of the time; the rest is for the vivid look
START = 0.2  # minutes that a command is thought to take before its training and after it
LEAST = 0.05  # of the time, for the vivid look, if starting took long
COMMON = ("precision=bfloat16", "deterministic=false", "batch=64", "data.crop=256", "data.candidates=1",
          "every.minutes=1", "every.keep=1", "every.log=50", "every.validate=1000",
          "every.checkpoint=1000000", "generator.repair=false")  # fmt: skip
VIVID = ("data.damage.share=0", "best_by=psnr", f"perceptual.network={HERE}/features.keras")


def install() -> Path:
    """Unpack the wheels into a folder of their own; NumPy only where the machine has none."""
    target = HERE / "site"
    if not target.exists():
        wheels = [
            path for path in sorted((HERE / "wheels").glob("*.whl"))
            if not (path.name.startswith("numpy-") and find_spec("numpy"))
        ]  # fmt: skip
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        subprocess.run([*pip, "--target", target, *wheels], check=True)
    return target


def train(name: str, out: Path, minutes: float, changes: list[str], init: Path | None, site: Path) -> float:
    """Run `srez train` on all pictures of the kit; how many minutes more than that it took."""
    words = [sys.executable, "-m", "srez", "train", name, "--out", str(out), "--minutes", f"{minutes:.3f}"]
    words += [word for path in sorted((HERE / "data").glob("*.zip")) for word in ("--data", str(path))]
    words += [word for change in changes for word in ("--set", change)]
    words += ["--init", str(init)] if init else []
    places = os.pathsep.join([str(HERE / "code"), str(site)])
    began = time.monotonic()
    subprocess.run(words, env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": places}, check=True)
    took = (time.monotonic() - began) / 60
    print(f"{name}: {took:.2f} minutes, {minutes:.2f} of them training", flush=True)
    return took - minutes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=9.5, help="for both, once the wheels are unpacked")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="the folder of both runs")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="see srez train")
    chosen = parser.parse_args()
    site = install()
    began = time.monotonic()

    def left() -> float:
        return chosen.minutes - (time.monotonic() - began) / 60

    photo, vivid = chosen.out / "photo", chosen.out / "photo_vivid"
    around = train("photo", photo, FAITHFUL * chosen.minutes - START, [*COMMON, *chosen.set], None, site)
    rest = max(left() - around, LEAST * chosen.minutes)
    train("photo_vivid", vivid, rest, [*COMMON, *VIVID, *chosen.set], photo, site)
    print(f"{chosen.minutes - left():.2f} minutes of {chosen.minutes}", flush=True)


if __name__ == "__main__":
    main()
