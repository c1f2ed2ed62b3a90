"""Run folders as the trainer leaves them, with drawn pictures and made-up curves."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from srez import images
from srez.datasets import cartoons
from srez.models import box
from srez.models import card as cards
from srez.models.card import Card, sha256

RECIPE = """\
# A recipe for tests: <no> figures & no time.
description = "A GAN on cartoons"
steps = 400
"""


def values(step: int, steps: int, random: np.random.Generator) -> dict[str, float]:
    """What the trainer of a GAN logs at a step."""
    fall = math.exp(-4 * step / steps)
    noise = random.uniform(0.9, 1.1, 8).tolist()
    return {
        "l1": (0.03 + 0.05 * fall) * noise[0],
        "consistency": (0.001 + 0.02 * fall) * noise[1],
        "adversarial": (2 - fall) * noise[2],
        "discriminator": (0.4 + fall) * noise[3],
        "real": min(1.0, (0.6 + 0.2 * fall) * noise[4]),
        "fake": (0.4 - 0.2 * fall) * noise[5],
        "generator_gradient": (0.1 + 3 * fall) * noise[6],
        "discriminator_gradient": (0.5 + fall) * noise[7],
        "learning_rate": 1e-3 * min(1.0, 2 - 2 * step / steps),
        "seconds": 9.0 * step,
    }


def validation(step: int, steps: int) -> dict[str, float]:
    """What a validation logs; the best PSNR is at three quarters of the run."""
    lack = abs(step / steps - 0.75)
    return {
        "validation_psnr": 26.25 - 4 * lack**2,
        "validation_ssim": 0.84 - 0.1 * lack**2,
        "validation_consistency": 0.07 + 0.1 * lack,
    }


def write_run(folder: Path, steps: int = 400, done: int | None = None, **facts: Any) -> Path:
    """A run of a GAN that has done so many steps; the model and its card are there if all are done."""
    random = np.random.default_rng(1)
    done = steps if done is None else done
    (folder / "sheets").mkdir(parents=True)
    recipe = {"description": "A GAN on cartoons", "steps": steps, "batch": 4, "discriminator": None}
    versions = {"python": "3.11.7", "tensorflow": "2.21.0"}
    whole = {"recipe": recipe, "data": "ab" * 32, "versions": versions, "skipped": [], **facts}
    (folder / "run.json").write_text(json.dumps(whole))
    (folder / "recipe.toml").write_text(RECIPE)
    lines = []
    for step in range(10, done + 1, 10):
        lines.append({"step": step, **values(step, steps, random)})
        if step % 40 == 0:
            lines.append({"step": step, **validation(step, steps)})
            sheet = np.concatenate([cartoons.face(step + number, 64, 64) for number in range(4)], axis=1)
            images.write(folder / "sheets" / f"step-{step:08d}.png", images.Picture(sheet))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if done == steps:
        write_model(folder)
    return folder


def write_model(folder: Path) -> None:
    """The model in the box under a card of its own."""
    model = folder / "model.onnx"
    model.write_bytes(box.find("faces").read_bytes())
    figures = [
        {"method": "bicubic", "psnr": 23.334, "ssim": 0.6986},
        {"method": "cartoons", "psnr": 26.3161, "ssim": 0.8389, "consistency": 0.0614},
    ]
    training = {"recipe": "cartoons", "steps": 400, "data": ["a.zip", "b.zip"], "hours": 1.0}
    card = Card(
        "cartoons",
        "A GAN",
        "MIT",
        "<b>Cartoons</b> only.",
        4,
        3,
        19,
        905564,
        904239,
        sha256(model),
        training,
        figures,
    )
    (folder / "model.toml").write_text(tomli_w.dumps(cards.as_dict(card)))
