"""Animations of a ball that rolls, and what a player shows of a file."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

SIZE = 20, 12
DURATIONS = (70.0, 80.0, 90.0, 250.0)


class Shown(NamedTuple):
    """A frame as it is seen: RGBA, and for how long in milliseconds."""

    pixels: np.ndarray
    duration: float | None


def ball(step: int, transparent: bool) -> Image.Image:
    image = Image.new("RGBA", SIZE, (0, 0, 0, 0) if transparent else (240, 230, 200, 255))
    ImageDraw.Draw(image).rectangle((step * 4, 3, step * 4 + 5, 8), fill=(200, 30, 30, 255))
    return image if transparent else image.convert("RGB")


def write(path: Path, transparent: bool = False, plays: int = 0) -> Path:
    """An animation of four frames, by Pillow; `plays` counts as the player does, 0 for without end."""
    frames = [ball(step, transparent) for step in range(len(DURATIONS))]
    options: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
    if path.suffix == ".gif":  # which counts repeats
        options |= {"disposal": 2 if transparent else 0} | (
            {"loop": plays and plays - 1} if plays != 1 else {}
        )
    else:
        options["loop"] = plays
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=list(DURATIONS), **options)
    return path


def shown(path: Path) -> list[Shown]:
    """All frames or pages of a file."""
    with Image.open(path) as image:
        frames = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(Shown(np.asarray(image.convert("RGBA")), image.info.get("duration")))
        return frames


def plays(path: Path) -> int:
    """How often a file is played; 0 for without end."""
    with Image.open(path) as image:
        loop = image.info.get("loop")
        if image.format == "GIF":
            return 1 if loop is None else loop and loop + 1
        return loop or 0
