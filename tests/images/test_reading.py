from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from srez import images
from srez.errors import ImageError, OutputError
from srez.images import Picture


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("rgb.png", (5, 7, 3)),
        ("gray.png", (5, 7)),
        ("alpha.png", (5, 7, 4)),
        ("rgb.webp", (5, 7, 3)),
        ("rgb.bmp", (5, 7, 3)),
    ],
)
def test_pixels_are_read_as_they_are(picture, name: str, shape: tuple[int, ...]) -> None:
    options = {"lossless": True} if name.endswith("webp") else {}
    path = picture(name, shape, **options)
    with Image.open(path) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(images.read(path).pixels, expected)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "LA"])
def test_other_modes_become_gray_rgb_or_rgba(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (6, 4), (200, 30, 30)).convert(mode).save(path)
    expected = {"1": (4, 6), "P": (4, 6, 3), "CMYK": (4, 6, 3), "LA": (4, 6, 2)}[mode]
    assert images.read(path).pixels.shape == expected


def test_transparent_palette_becomes_rgba(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png", transparency=0)
    assert images.read(tmp_path / "a.png").pixels[0, 0].tolist() == [255, 0, 0, 0]


def test_orientation_is_applied_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees to see it upright
    exif[0x010E] = "a description"
    Image.new("RGB", (8, 4), "red").save(tmp_path / "a.jpg", exif=exif)
    read = images.read(tmp_path / "a.jpg")
    assert read.pixels.shape == (8, 4, 3)
    images.write(tmp_path / "b.jpg", read)
    with Image.open(tmp_path / "b.jpg") as again:
        assert again.getexif().get(0x0112, 1) == 1
        assert again.getexif()[0x010E] == "a description"
        assert again.size == (4, 8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_colour_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", icc_profile=profile)
    images.write(tmp_path / f"b{suffix}", images.read(tmp_path / "a.png"))
    assert images.read(tmp_path / f"b{suffix}").metadata.icc == profile


def test_a_profile_of_other_channels_is_dropped(tmp_path: Path) -> None:
    header = bytearray(128)
    header[16:20] = b"CMYK"
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg", icc_profile=bytes(header))
    read = images.read(tmp_path / "a.jpg")
    assert read.pixels.shape == (4, 4, 3)
    assert read.metadata.icc is None


def jpeg() -> bytes:
    buffer = BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def animation() -> bytes:
    buffer = BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"these are words", "is not a PNG, JPEG, .* picture"),
        (b"", "is empty"),
        (jpeg()[:-1000], "is damaged or cut short"),
        (animation(), "is animated"),
    ],
)
def test_bad_files_are_named_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=reason) as caught:
        images.read(path)
    assert str(path) in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.png does not exist"):
        images.read(tmp_path / "nowhere.png")


@pytest.mark.parametrize("name", ["a.bmp", "a", "missing/a.png"])
def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=name):
        images.write(tmp_path / name, Picture(np.zeros((4, 4, 3), np.uint8)))
    assert not list(tmp_path.iterdir())


def test_alpha_is_not_lost_in_a_jpeg(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="JPEG cannot hold transparency"):
        images.write(tmp_path / "a.jpg", Picture(np.zeros((4, 4, 4), np.uint8)))


def test_uint8_is_rounded_not_truncated() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(images.to_uint8(images.to_float(every) - 0.4 / 255), every)
    np.testing.assert_array_equal(images.to_uint8(np.array([-1.0, 2.0])), [0, 255])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif", ".heic"])
def test_our_results_are_known_by_a_mark(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0131] = "a camera's own software"
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jpg", exif=exif)
    picture = images.read(tmp_path / "a.jpg")
    images.write(tmp_path / f"b{suffix}", picture)
    images.write(tmp_path / f"c{suffix}", picture, marked=True)
    assert not images.is_our_result(tmp_path / f"b{suffix}")
    assert images.is_our_result(tmp_path / f"c{suffix}")
    with Image.open(tmp_path / f"c{suffix}") as image:
        assert image.getexif()[0x0131] == "a camera's own software"


def test_no_mark_is_found_where_there_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "words.png").write_bytes(b"these are words")
    for name in ("words.png", "missing.png", "."):
        assert not images.is_our_result(tmp_path / name)
