"""Draw pictures of text, lines and shapes to train on beside photographs; nobody's, so under any licence.

    python benchmarks/graphics.py

Writes runs/graphics.zip: 60 PNGs of 960x960, the same every time. Fonts are those that Matplotlib ships.
"""

import io
import random
import string
import zipfile
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

OUT = Path("runs/graphics.zip")
COUNT = 60
SIDE = 960  # pixels
WORDS = [
    "the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "five", "boxing", "wizards",
    "and", "one", "big", "sphinx", "of", "black", "quartz", "judge", "my", "vow", "to", "pack", "liquor",
    "jugs",
    "Invoice", "Total", "Date", "Page", "Chapter", "Figure", "North", "Exit", "Open", "Closed", "Menu",
    "File",
]  # fmt: skip
FONTS = sorted(Path(matplotlib.get_data_path(), "fonts/ttf").glob("DejaVu*.ttf"))
GRAYS = (0, 20, 240, 255, 255)

Colour = tuple[int, int, int]


def main() -> None:
    OUT.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(OUT, "w") as archive:
        for seed in track(range(COUNT), "drawing"):
            file = io.BytesIO()
            picture(seed).save(file, "PNG")
            archive.writestr(f"graphics_{seed:03d}.png", file.getvalue())
    print(OUT)


def picture(seed: int) -> Image.Image:
    """Shapes, then text, on one colour or a slope between two."""
    draw = random.Random(seed)
    image = ground(draw)
    canvas = ImageDraw.Draw(image)
    for _ in range(draw.randrange(5, 40)):
        draw.choice(SHAPES)(canvas, draw)
    for _ in range(draw.randrange(6, 30)):
        text(canvas, draw)
    return image


def colour(draw: random.Random) -> Colour:
    if draw.random() < 0.35:
        gray = draw.choice(GRAYS)
        return gray, gray, gray
    return draw.randrange(256), draw.randrange(256), draw.randrange(256)


def ground(draw: random.Random) -> Image.Image:
    if draw.random() < 0.6:
        return Image.new("RGB", (SIDE, SIDE), draw.choice([(255, 255, 255), colour(draw)]))
    first, last = (np.array(colour(draw), float) for _ in range(2))
    slope = first + (last - first) * np.linspace(0, 1, SIDE)[:, None, None] * np.ones((1, SIDE, 1))
    return Image.fromarray(slope.astype(np.uint8)).rotate(draw.choice([0, 90, 180, 270]))


def box(draw: random.Random) -> tuple[int, int, int, int]:
    left, top = draw.randrange(SIDE), draw.randrange(SIDE)
    return left, top, left + draw.randrange(10, 400), top + draw.randrange(10, 400)


def look(draw: random.Random) -> dict[str, object]:
    """How a shape is filled and outlined: at least one of both."""
    fill = colour(draw) if draw.random() < 0.6 else None
    outline = colour(draw) if fill is None or draw.random() < 0.4 else None
    return {"fill": fill, "outline": outline, "width": draw.randrange(1, 9)}


def rectangle(canvas: ImageDraw.ImageDraw, draw: random.Random) -> None:
    canvas.rounded_rectangle(box(draw), draw.choice([0, 0, 8, 30]), **look(draw))  # type: ignore[arg-type]


def ellipse(canvas: ImageDraw.ImageDraw, draw: random.Random) -> None:
    canvas.ellipse(box(draw), **look(draw))  # type: ignore[arg-type]


def line(canvas: ImageDraw.ImageDraw, draw: random.Random) -> None:
    ends = [(draw.randrange(SIDE), draw.randrange(SIDE)) for _ in range(2)]
    canvas.line(ends, colour(draw), draw.randrange(1, 13))


def polygon(canvas: ImageDraw.ImageDraw, draw: random.Random) -> None:
    left, top, right, bottom = box(draw)
    corners = [(draw.randint(left, right), draw.randint(top, bottom)) for _ in range(draw.randrange(3, 7))]
    canvas.polygon(corners, colour(draw))


SHAPES: list[Callable[[ImageDraw.ImageDraw, random.Random], None]] = [rectangle, ellipse, line, line, polygon]


def text(canvas: ImageDraw.ImageDraw, draw: random.Random) -> None:
    """Some lines, of 20 to 150 pixels, sometimes on a ground of their own."""
    font = ImageFont.truetype(str(draw.choice(FONTS)), int(2 ** draw.uniform(4.3, 7.2)))
    place = draw.randrange(-50, SIDE - 200), draw.randrange(SIDE)
    lines = [" ".join(word(draw) for _ in range(draw.randrange(2, 9))) for _ in range(draw.randrange(1, 10))]
    said = "\n".join(lines)
    if draw.random() < 0.5:
        left, top, right, bottom = canvas.multiline_textbbox(place, said, font)
        canvas.rectangle((left - 8, top - 8, right + 8, bottom + 8), colour(draw))
    canvas.multiline_text(place, said, colour(draw), font)


def word(draw: random.Random) -> str:
    if draw.random() < 0.85:
        return draw.choice(WORDS)
    return "".join(draw.choices(string.digits + string.punctuation, k=5))


if __name__ == "__main__":
    main()
