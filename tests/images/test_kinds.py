"""Every kind of picture, from a real file through the command to a real file."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import srez
from helpers.commands import upscale
from helpers.pictures import deep_png, empty_png, near, profile, smooth
from srez import images


def upscaled(source: Path, target: Path, *words: object) -> Image.Image:
    """The opened result of a run that must go well."""
    result = upscale(source, "-o", target, *words)
    assert result.exit_code == 0, result.output
    with Image.open(target) as image:
        image.load()
        return image


def refused(source: Path, target: Path, *words: object) -> str:
    """The sentence of a run that must fail with one, and leave nothing."""
    result = upscale(source, "-o", target, *words)
    assert result.exit_code == 1, result.output
    sentences = [line for line in result.stderr.splitlines() if line.startswith("srez: ")]
    assert len(sentences) == 1, result.output
    assert not target.exists()
    return sentences[0]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha(tmp_path: Path, suffix: str, mode: str) -> None:
    pixels = smooth((30, 40, len(mode)))
    pixels[..., -1] = np.where(np.arange(40) < 20, 0, 255)
    source = tmp_path / f"a{'.png' if mode == 'LA' else suffix}"
    Image.fromarray(pixels, mode).save(source, lossless=True)
    result = upscaled(source, tmp_path / f"b{suffix}")
    assert result.size == (160, 120)
    assert result.mode == (mode if suffix in (".png", ".tif") else "RGBA")
    alpha = np.asarray(result)[..., -1]
    assert (alpha[:, :76] < 3).all()
    assert (alpha[:, 84:] > 252).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_gray(tmp_path: Path, suffix: str) -> None:
    pixels = smooth((30, 40))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    result = upscaled(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert result.mode == ("RGB" if suffix == ".webp" else "L")  # WebP knows no gray
    assert near(np.asarray(result.convert("L")), pixels, 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_png(tmp_path: Path, channels: int, suffix: str) -> None:
    pixels = smooth((20, 30, channels), 65535)
    pixels = pixels[..., 0] if channels == 1 else pixels
    (tmp_path / "a.png").write_bytes(deep_png(pixels))
    np.testing.assert_array_equal(images.read(tmp_path / "a.png").pixels, pixels)
    assert upscale(tmp_path / "a.png", "-o", tmp_path / f"b{suffix}").exit_code == 0
    expected = srez.load("photo")(pixels)
    if suffix == ".tif":
        written = tifffile.imread(tmp_path / "b.tif")
        if channels == 2:  # gray with alpha is written as RGB, which others can read
            written = written[..., [0, 3]]
        np.testing.assert_array_equal(written, expected)
    else:
        np.testing.assert_array_equal(images.read(tmp_path / "b.png").pixels, expected)
    colours = slice(None) if channels in (1, 3) else slice(-1)
    assert near(expected.reshape(80, 120, -1)[..., colours], pixels.reshape(20, 30, -1)[..., colours], 257)
    assert len(np.unique(expected)) > 256 * 4


def test_16_bit_png_with_a_transparent_colour(tmp_path: Path) -> None:
    pixels = smooth((5, 6, 3), 65535)
    (tmp_path / "a.png").write_bytes(deep_png(pixels, pixels[2, 3].astype(">u2").tobytes()))
    read = images.read(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(read[..., :3], pixels)
    assert list(zip(*np.nonzero(read[..., 3] == 0), strict=True)) == [(2, 3)]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}])
def test_16_bit_tiff(tmp_path: Path, channels: int, order: Any, packing: dict[str, Any]) -> None:
    pixels = smooth((20, 30, channels), 65535)
    pixels = pixels[..., 0] if channels == 1 else pixels
    options = {"photometric": "rgb" if channels > 1 else "minisblack", "byteorder": order, **packing}
    if channels == 4:
        options["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, pixels)
    assert upscale(tmp_path / "a.tif", "-o", tmp_path / "b.tif").exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), srez.load("photo")(pixels))


def test_16_bit_tiff_with_white_at_zero(tmp_path: Path) -> None:
    pixels = smooth((20, 30), 65535)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, 65535 - pixels)


def test_16_bits_become_8_where_the_format_has_no_more(tmp_path: Path) -> None:
    pixels = smooth((20, 30, 3), 65535)
    (tmp_path / "a.png").write_bytes(deep_png(pixels))
    result = upscaled(tmp_path / "a.png", tmp_path / "b.jpg")
    assert near(np.asarray(result), pixels / 257, 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_colour_profile(tmp_path: Path, suffix: str) -> None:
    own = profile("RGB ")  # made once: it holds the time
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / f"a{suffix}", icc_profile=own)
    assert upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}").info["icc_profile"] == own
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / f"c{suffix}", icc_profile=profile("CMYK"))
    assert "icc_profile" not in upscaled(tmp_path / f"c{suffix}", tmp_path / f"d{suffix}").info


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_and_its_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 30, 0xA003: 20})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5)})
    pixels = smooth((20, 30, 3))
    source = tmp_path / f"a{suffix}"
    if suffix == ".tif":  # Pillow writes a TIFF's EXIF data only this way
        tags = {**exif, 0x8769: exif.get_ifd(0x8769), 0x8825: exif.get_ifd(0x8825)}
        Image.fromarray(pixels).save(source, tiffinfo=tags)
    else:
        Image.fromarray(pixels).save(source, exif=exif, quality=95)
    result = upscaled(source, tmp_path / f"b{suffix}")
    # Pillow's own turning is the reference; the pixels must have been turned once, the tag must be gone.
    turned = Image.fromarray(pixels)
    flips = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    if orientation > 1:
        turned = turned.transpose(Image.Transpose(flips[orientation]))
    assert near(np.asarray(result), np.asarray(turned), 6)
    found = result.getexif()
    assert found.get(0x0112, 1) == 1
    assert found[0x010F] == "a camera"
    inner = found.get_ifd(0x8769)
    assert inner[0x9003] == "2026:01:02 03:04:05"
    assert (inner[0xA002], inner[0xA003]) == result.size
    assert [float(part) for part in found.get_ifd(0x8825)[2]] == [52.0, 31.0, 12.5]
    assert [side * 4 for side in images.size(source)] == list(result.size)


def test_resolution(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif"):
        Image.fromarray(smooth((10, 12, 3))).save(tmp_path / f"a{suffix}", dpi=(300, 150))
        for other in (".png", ".jpg", ".tif"):
            dpi = upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}{other}").info["dpi"]
            assert [round(float(value)) for value in dpi] == [300, 150]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    cmyk = Image.fromarray(smooth((20, 30, 3))).convert("CMYK")
    cmyk.save(tmp_path / "a.tif")
    cmyk.save(tmp_path / "a.jpg", quality=95, icc_profile=b"damaged" * 30)
    for source in ("a.tif", "a.jpg"):
        result = upscaled(tmp_path / source, tmp_path / f"{source}.png")
        assert result.mode == "RGB"
        assert near(np.asarray(result), np.asarray(cmyk.convert("RGB")), 4)


def test_palette_becomes_rgb(tmp_path: Path) -> None:
    palette = Image.fromarray(smooth((20, 30, 3))).quantize(16)
    for suffix in (".png", ".gif", ".bmp", ".tif"):
        palette.save(tmp_path / f"a{suffix}")
        result = upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}.png")
        assert result.mode == "RGB"
        assert near(np.asarray(result), np.asarray(palette.convert("RGB")), 2)


def test_a_palette_with_a_hole_and_one_bit(tmp_path: Path) -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (8, 0, 16, 16))
    image.save(tmp_path / "a.gif", transparency=0)
    result = np.asarray(upscaled(tmp_path / "a.gif", tmp_path / "a.png"))
    assert (result[:, :28, 3] == 0).all()
    assert (result[:, 36:] == (0, 255, 0, 255)).all()
    Image.new("1", (16, 16), 1).save(tmp_path / "b.png")
    assert upscaled(tmp_path / "b.png", tmp_path / "c.png").getextrema() == (255, 255)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif", ".avif"])
def test_animations_and_pages_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    source = tmp_path / f"a{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:])
    what = "has 2 pages" if suffix == ".tif" else r"is animated (2 frames)"
    assert f"{source} {what}: only single pictures can be upscaled" in refused(source, tmp_path / "b.png")


def test_a_camera_picture_with_a_preview_behind_it(tmp_path: Path) -> None:
    views = [Image.fromarray(smooth(shape)) for shape in ((20, 30, 3), (10, 15, 3))]
    views[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=views[1:], quality=95)
    assert near(np.asarray(upscaled(tmp_path / "a.jpg", tmp_path / "b.png")), np.asarray(views[0]), 3)


def test_heic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.fromarray(smooth((64, 80, 3)))).save(tmp_path / "a.heic", quality=90)
    assert upscale(tmp_path / "a.heic", "-o", tmp_path / "b.heic").exit_code == 0
    assert images.size(tmp_path / "b.heic") == (320, 256)
    assert near(images.read(tmp_path / "b.heic").pixels, smooth((64, 80, 3)), 6)
    monkeypatch.setattr("srez.images.formats.find_spec", lambda _: None)
    assert "pip install 'srez[heic]'" in refused(tmp_path / "a.heic", tmp_path / "c.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "d.png")
    assert "pip install 'srez[heic]'" in refused(tmp_path / "d.png", tmp_path / "d.heic")


def test_the_contents_count_not_the_name(tmp_path: Path) -> None:
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", format="PNG")
    assert upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").format == "JPEG"


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (2, 3)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.effect_noise(size, 60).convert("RGB").save(tmp_path / "a.png")
    assert upscaled(tmp_path / "a.png", tmp_path / "b.png").size == (4 * size[0], 4 * size[1])


def floating_point() -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.zeros((9, 9), np.float32)).save(buffer, "TIFF")
    return buffer.getvalue()


def planar() -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(
        buffer, np.moveaxis(smooth((20, 30, 3), 65535), 2, 0), photometric="rgb", planarconfig="separate"
    )
    return buffer.getvalue()


def lab() -> bytes:
    buffer = BytesIO()
    Image.new("LAB", (9, 9)).save(buffer, "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"these are words", "is not a PNG, JPEG,"),
        (empty_png(0, 0), "is not a PNG, JPEG,|damaged"),
        (empty_png(40_000, 40_000), "has more than 178,956,970 pixels: if you trust it, allow more"),
        (empty_png(100, 100), "damaged or cut short"),
        (floating_point(), "has floating-point or 32-bit values"),
        (planar(), "stores its 16-bit channels in a way that cannot be read"),
        (lab(), r"has a colour mode that cannot be upscaled \(LAB\)"),
    ],
    ids=["empty", "words", "no size", "bomb", "cut", "float", "planar", "lab"],
)
def test_bad_input_gets_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(data)
    said = refused(source, tmp_path / "b.png")
    assert str(source) in said
    assert re.search(sentence, said), said


def test_a_bomb_can_be_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (50, 50)).save(source)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow's own limit must not be in the way
        assert "more than 2,000 pixels" in refused(source, target, "--max-pixels", 2000)
        assert upscale(source, "-o", target, "--max-pixels", 2500).exit_code == 0
    assert images.size(target) == (200, 200)


def test_unreadable_exif_is_left_out(tmp_path: Path) -> None:
    for number, damaged in enumerate(
        (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0words", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    ):
        source = tmp_path / f"{number}.jpg"
        Image.fromarray(smooth((20, 30, 3))).save(source, exif=damaged, quality=95)
        assert near(np.asarray(upscaled(source, tmp_path / f"{number}.png")), smooth((20, 30, 3)), 4)


def test_sides_that_a_format_cannot_hold_are_refused_before_the_work(tmp_path: Path) -> None:
    Image.new("L", (17_000, 1)).save(tmp_path / "a.png")
    assert "JPEG cannot hold a side of more than 65,535" in refused(tmp_path / "a.png", tmp_path / "b.jpg")
    assert "WebP cannot hold a side of more than 16,383" in refused(tmp_path / "a.png", tmp_path / "b.webp")


def test_a_folder_that_nobody_can_write_to(tmp_path: Path) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert "/proc" in refused(tmp_path / "a.png", Path("/proc/b.png"))


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_that_hides_nothing_is_no_obstacle_to_a_jpeg(tmp_path: Path, channels: int) -> None:
    """Screenshots have an alpha channel, and all of it is opaque."""
    pixels = smooth((20, 30, channels))
    pixels[..., -1] = 255
    Image.fromarray(pixels, "LA" if channels == 2 else "RGBA").save(tmp_path / "a.png")
    result = upscaled(tmp_path / "a.png", tmp_path / "b.jpg")
    assert result.mode == ("L" if channels == 2 else "RGB")
    assert near(np.asarray(result), pixels[..., :-1], 3)
    pixels[3, 4, -1] = 254
    Image.fromarray(pixels, "LA" if channels == 2 else "RGBA").save(tmp_path / "a.png")
    assert "JPEG cannot hold transparency" in refused(tmp_path / "a.png", tmp_path / "c.jpg")


def test_exif_data_that_a_jpeg_cannot_hold_is_left_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif.get_ifd(0x8769)[0x927C] = "a camera", bytes(90_000)  # a note of its maker
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.png", exif=exif)
    assert 0x010F not in upscaled(tmp_path / "a.png", tmp_path / "b.jpg").getexif()
    assert upscaled(tmp_path / "a.png", tmp_path / "b.webp").getexif()[0x010F] == "a camera"


def test_an_avif_that_begins_as_a_heic(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(smooth((20, 30, 3))).save(buffer, "AVIF", quality=95)
    data = bytearray(buffer.getvalue())
    assert data[8:12] == b"avif"
    data[8:12] = b"mif1"
    (tmp_path / "a.avif").write_bytes(data)
    assert near(np.asarray(upscaled(tmp_path / "a.avif", tmp_path / "b.png")), smooth((20, 30, 3)), 6)


def test_jpegs_as_windows_calls_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "in/a.jfif", format="JPEG")
    assert upscale(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out/a.jfif") as image:
        assert image.format == "JPEG"


def test_signed_values_are_refused(tmp_path: Path) -> None:
    """Pillow reads them as if they had no sign."""
    for name, kind in (("a.tif", np.int8), ("b.tif", np.int16)):
        tifffile.imwrite(tmp_path / name, np.full((9, 9), -100, kind))
    assert "has negative values" in refused(tmp_path / "a.tif", tmp_path / "c.tif")
    assert "8 or 16 bits" in refused(tmp_path / "b.tif", tmp_path / "c.tif")


@pytest.mark.parametrize("form", ['<a tiff:Orientation="6"/>', "<tiff:Orientation>6</tiff:Orientation>"])
def test_an_orientation_that_xmp_repeats_is_reset_too(tmp_path: Path, form: str) -> None:
    """Lightroom writes both; a reader that finds only that of the XMP data would turn the result again."""
    xmp = f"<x:xmpmeta>{form}<title>harbour</title></x:xmpmeta>".encode()
    tags = [(274, 3, 1, 6, True), (700, 1, len(xmp), xmp, True)]
    tifffile.imwrite(tmp_path / "a.tif", smooth((20, 30, 3)), photometric="rgb", extratags=tags)
    result = upscaled(tmp_path / "a.tif", tmp_path / "b.tif")
    assert result.size == (80, 120)
    assert b"harbour" in result.getexif()[700]


def test_what_tells_of_the_old_pixels_is_left_out(tmp_path: Path) -> None:
    layers, place = (37724, 7, 9, b"of before", True), (33550, 12, 3, (1.0, 1.0, 0.0), True)
    tifffile.imwrite(tmp_path / "a.tif", smooth((20, 30, 3)), photometric="rgb", extratags=[layers, place])
    for suffix in (".tif", ".png"):
        found = upscaled(tmp_path / "a.tif", tmp_path / f"b{suffix}").getexif()
        assert not {37724, 33550} & found.keys()


def test_the_orientation_counts_when_other_exif_data_is_damaged(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    damaged = exif.tobytes().replace(b"\x01\x0f\x00\x02", b"\x01\x4c\x00\x02")  # words for a number
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", exif=damaged, quality=95)
    assert upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").size == (80, 120)


def test_both_sizes_in_the_exif_data_are_put_right(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0100], exif[0x0101] = 30, 20
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", exif=exif)
    found = upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").getexif()
    assert (found[0x0100], found[0x0101]) == (120, 80)


def test_deep_gray_with_alpha_is_rgb_in_a_tiff(tmp_path: Path) -> None:
    """Neither Pillow nor we would read it as gray."""
    pixels = smooth((9, 12, 2), 65535)
    images.write(tmp_path / "a.tif", images.Picture(pixels))
    expected = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, expected)
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "RGBA"


@pytest.mark.parametrize("top", [255, 65535])
def test_smaller_copies_in_a_tiff_are_no_pages(tmp_path: Path, top: int) -> None:
    pixels = smooth((40, 48, 3), top)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels, photometric="rgb")
        for step in (2, 4):
            file.write(pixels[::step, ::step], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, pixels)
    assert upscaled(tmp_path / "a.tif", tmp_path / "b.tif").size == (192, 160)
    with tifffile.TiffWriter(tmp_path / "c.tif") as file:
        file.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(pixels, photometric="rgb")
    assert "has 2 pages" in refused(tmp_path / "c.tif", tmp_path / "d.tif")


def test_a_tiff_without_a_resolution_gets_none(tmp_path: Path) -> None:
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.tif")
    assert "dpi" not in upscaled(tmp_path / "a.tif", tmp_path / "b.png").info


def test_a_tiff_that_may_become_too_large_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srez.images.tiff.MOST", 40 * 30 * 16 * 3)
    monkeypatch.setattr("srez.upscaling.upscaler.Upscaler.bands", lambda *_: pytest.fail("it has begun"))
    Image.fromarray(smooth((40, 30, 4))).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", smooth((40, 30, 3), 65535), photometric="rgb")
    for name in ("a.png", "b.tif"):
        said = refused(tmp_path / name, tmp_path / "c.tif")
        assert f"{tmp_path / 'c.tif'}: TIFF cannot hold more than 4 GB; write a .png instead" in said
    monkeypatch.undo()
    assert upscaled(tmp_path / "a.png", tmp_path / "c.tif").size == (120, 160)
