"""Valid pictures of every kind, to be damaged."""

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, PngImagePlugin

from helpers.pictures import deep_png, profile, smooth
from srez import images
from srez.images.formats import register_heif


@cache
def originals() -> dict[str, bytes]:
    """One valid picture of every kind, by its name, with all that a file can have beside its pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 30})
    picture = Image.fromarray(smooth((24, 30, 3)))
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "words", zip=True)
    everything = {"exif": exif, "icc_profile": profile("RGB "), "dpi": (300, 300)}
    kinds = {
        "a.png": (picture, {**everything, "pnginfo": text}),
        "palette.png": (picture.quantize(16), {"transparency": 3}),
        "alpha.png": (Image.fromarray(smooth((24, 30, 4))), {}),
        "b.jpg": (picture, everything),
        "cmyk.jpg": (picture.convert("CMYK"), {}),
        "progressive.jpg": (picture, {"progressive": True}),
        "c.webp": (picture, {"exif": exif}),
        "alpha.webp": (Image.fromarray(smooth((24, 30, 4))), {"lossless": True}),
        "d.tif": (picture, everything),
        "lzw.tif": (picture, {"compression": "tiff_lzw"}),
        "jpeg.tif": (picture, {"compression": "jpeg"}),
        "deep.tif": (Image.fromarray(smooth((24, 30), 65535)), {}),
        "e.avif": (picture, {"exif": exif}),
        "f.gif": (picture.quantize(16), {}),
        "g.bmp": (picture, {}),
        "palette.bmp": (picture.quantize(16), {}),
    }
    if find_spec("pillow_heif"):
        register_heif()
        kinds["h.heic"] = picture.resize((64, 64)), {"exif": exif}
    made = {"deep.png": deep_png(smooth((24, 30, 3), 65535))}
    for name, (image, options) in kinds.items():
        buffer = io.BytesIO()
        kind = images.format_of_suffix(Path(name))
        assert kind
        image.save(buffer, kind.pillow, **options)
        made[name] = buffer.getvalue()
    return made
