"""Writes the pictures of `web/tests` into a folder, and what `srez upscale` makes of them into others."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw
from skimage import data

from helpers.pictures import deep_png

PHOTO = data.astronaut()[60:, 120:]
_ROTATED = 6  # the value of EXIF's orientation


def main(folder: Path) -> None:
    """Make `in/`, `settings/`, `bad/` and `long/`, and the command's results of two in `results/`."""
    for name in ("in", "settings", "bad", "long", "results"):
        (folder / name).mkdir(parents=True)
    write_good(folder / "in")
    Image.fromarray(PHOTO[100:150, :60]).save(folder / "settings/photo.png")
    write_bad(folder / "bad")
    Image.fromarray(PHOTO.repeat(2, axis=0).repeat(2, axis=1)).save(folder / "long/large.png")
    upscale(folder / "in", folder / "results/in", "--repair", "0", "--fidelity", "1")
    upscale(folder / "settings", folder / "results/vivid", "--repair", "0", "--fidelity", "0.25")
    upscale(folder / "settings", folder / "results/repaired", "--repair", "0.5", "--fidelity", "1")


def write_good(folder: Path) -> None:
    small, alpha = PHOTO[40:101, 60:133], alpha_of(61, 73)
    gray = small[..., 1]
    rgba = np.dstack([small, alpha])
    Image.fromarray(small).save(folder / "odd.png")
    Image.fromarray(PHOTO[:2, :3]).save(folder / "tiny.png")
    Image.fromarray(PHOTO[100:160, :390].repeat(2, axis=1)).save(folder / "wide.png")  # several tiles
    Image.fromarray(gray).save(folder / "gray.png")
    Image.fromarray(np.dstack([gray, alpha])).save(folder / "gray_alpha.png")
    Image.fromarray(rgba).save(folder / "alpha.png")
    Image.fromarray(rgba).quantize(100).save(folder / "palette.png")
    drawing().save(folder / "drawing.png")
    drawing().convert("1").save(folder / "bits.png")
    deep = small.astype(np.uint16) * 257 + np.arange(73, dtype=np.uint16)[:, None]
    (folder / "deep.png").write_bytes(deep_png(deep.clip(0, 65535)))
    (folder / "deep_alpha.png").write_bytes(deep_png(np.dstack([deep, alpha.astype(np.uint16) * 257])))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = _ROTATED
    Image.fromarray(small).save(folder / "turned.jpg", quality=95, exif=exif, icc_profile=profile)
    Image.fromarray(gray).save(folder / "gray_jpeg.jpg", quality=95)
    Image.fromarray(small).save(folder / "photo.webp", lossless=True, icc_profile=profile)


def alpha_of(height: int, width: int) -> np.ndarray:
    """From opaque to invisible, and a hole with hidden colours."""
    alpha = np.linspace(255, 0, width).round().astype(np.uint8)[None].repeat(height, axis=0)
    alpha[10:30, 10:30] = 0
    return alpha


def drawing() -> Image.Image:
    """Black, white and gray, and stripes that more contrast is put into than fits."""
    picture = Image.new("RGB", (120, 90), "white")
    draw = ImageDraw.Draw(picture)
    draw.text((5, 5), "srez", "black")
    draw.rectangle((60, 10, 110, 40), "#808080")
    for x in range(5, 55, 3):
        draw.line((x, 30, x, 80), "black")
    draw.ellipse((65, 50, 105, 80), "red")
    return picture


def write_bad(folder: Path) -> None:
    Image.fromarray(PHOTO).save(folder / "cut.png")
    Image.fromarray(PHOTO).save(folder / "cut.jpg")
    for name in ("cut.png", "cut.jpg"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no picture at all")
    (folder / "empty.jpg").touch()
    frames = [Image.fromarray(PHOTO[:20, start : start + 20]) for start in (0, 20)]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "animated.png", save_all=True, append_images=frames[1:])


def upscale(source: Path, target: Path, *options: str) -> None:
    command = [sys.executable, "-m", "srez", "upscale", str(source), "-o", str(target), "--model", "photo"]
    subprocess.run([*command, "--format", "png", *options], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
