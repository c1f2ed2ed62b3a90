"""Animations and pages: every frame is upscaled and stays what it was."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srez
from helpers import animations
from helpers.animations import DURATIONS, SIZE, shown
from helpers.pictures import deep_png, smooth
from srez import images
from srez.errors import ImageError, OptionError, OutputError, SeveralError, TooLargeError


def upscaled(source: Path, target: Path) -> list[animations.Shown]:
    srez.upscale(source, target, model="pixels", frames="all")
    return shown(target)


@pytest.mark.parametrize("target", [".gif", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("source", [".gif", ".png", ".webp"])
@pytest.mark.parametrize("transparent", [False, True])
def test_frames_times_and_repeats_are_kept(
    tmp_path: Path, source: str, target: str, transparent: bool
) -> None:
    made = animations.write(tmp_path / f"a{source}", transparent, plays=3)
    frames = upscaled(made, tmp_path / f"b{target}")
    assert len(frames) == len(DURATIONS)
    for step, frame in enumerate(frames):
        expected = np.asarray(animations.ball(step, transparent).convert("RGBA")).repeat(4, 0).repeat(4, 1)
        seen = expected[..., 3] > 0
        assert np.array_equal(frame.pixels[..., 3] > 127, seen), step
        difference = np.abs(frame.pixels[..., :3].astype(int) - expected[..., :3])[seen]
        assert np.quantile(difference, 0.9) <= 4, step  # the lossy WebP differs at edges
    if target != ".tif":
        assert [frame.duration for frame in frames] == list(DURATIONS)
        assert animations.plays(tmp_path / f"b{target}") == 3


@pytest.mark.parametrize("plays", [0, 1])
def test_without_end_or_once(tmp_path: Path, plays: int) -> None:
    for suffix in (".gif", ".webp", ".png"):
        made = animations.write(tmp_path / f"a{suffix}", plays=plays)
        upscaled(made, tmp_path / f"b{suffix}")
        assert animations.plays(tmp_path / f"b{suffix}") == plays


def test_what_appears_and_what_vanishes(tmp_path: Path) -> None:
    """A GIF cannot take pixels away without clearing; frames that are alike, and opaque ones between."""
    clear, full = Image.new("RGBA", SIZE), Image.new("RGBA", SIZE, (0, 90, 200, 255))
    half = animations.ball(2, transparent=True)
    order = [clear, full, full, half, clear, half, full]
    order[0].save(tmp_path / "a.png", save_all=True, append_images=order[1:], duration=50, loop=0)
    for suffix in (".gif", ".png", ".webp"):
        # Pillow joins frames that are alike.
        frames = upscaled(tmp_path / "a.png", tmp_path / f"b{suffix}")
        wanted = [each.pixels[..., 3].repeat(4, 0).repeat(4, 1) for each in shown(tmp_path / "a.png")]
        assert len(frames) == len(wanted) == 6
        assert all(np.array_equal(a.pixels[..., 3], b) for a, b in zip(frames, wanted, strict=True))


def test_times_do_not_drift(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), (7 * step, 0, 0)) for step in range(30)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], duration=33, lossless=True)
    result = upscaled(tmp_path / "a.webp", tmp_path / "b.gif")
    assert sum(frame.duration or 0 for frame in result) == pytest.approx(30 * 33, abs=10)
    assert {frame.duration for frame in result} == {30, 40}


def test_a_photograph_keeps_its_colours_in_a_gif(tmp_path: Path) -> None:
    waves = [Image.fromarray(np.roll(smooth((24, 30, 3)), 3 * step, axis=1)) for step in range(3)]
    waves[0].save(tmp_path / "a.png", save_all=True, append_images=waves[1:], duration=100)
    for frame, wave in zip(upscaled(tmp_path / "a.png", tmp_path / "b.gif"), waves, strict=True):
        mean = frame.pixels[..., :3].reshape(24, 4, 30, 4, 3).astype(float).mean(axis=(1, 3))
        assert np.abs(mean - np.asarray(wave)).mean() < 4


def test_pages_keep_their_kinds(tmp_path: Path) -> None:
    thumbnail = Image.new("RGB", (5, 5))
    pages = [Image.fromarray(smooth((9, 12, 3))), thumbnail, Image.new("L", (20, 10), 90)]
    pages.append(Image.new("RGBA", (6, 8), (10, 20, 30, 99)))
    infos = [{}, {254: 1}, {}, {}]
    for page, info in zip(pages, infos, strict=True):
        page.encoderinfo = {"tiffinfo": info}
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:], dpi=(300, 300))
    srez.upscale(tmp_path / "a.tif", tmp_path / "b.tif", frames="all")
    with Image.open(tmp_path / "b.tif") as image:
        found = []
        for number in range(3):
            image.seek(number)
            found.append((image.size, image.mode))
    assert found == [((48, 36), "RGB"), ((80, 40), "L"), ((24, 32), "RGBA")]
    assert images.is_our_result(tmp_path / "b.tif")


def test_a_page_of_16_bits(tmp_path: Path) -> None:
    deep = smooth((9, 12, 3), top=65535)
    (tmp_path / "a.png").write_bytes(deep_png(deep))
    one = srez.upscale(tmp_path / "a.png", tmp_path / "one.tif")
    alone = images.read(one)
    with (tmp_path / "two.tif").open("wb") as file:  # two pages of 16 bits, which Pillow cannot write
        pages = (images.Made([alone.pixels], alone.size, alone) for _ in range(2))
        order = images.Sequence((alone.size,) * 2, animated=False)
        images.save_sequence(file, "two", images.Encoding(images.TIFF), pages, order)
    read = list(images.read_frames(tmp_path / "two.tif", "two", 10**6))
    assert [page.picture.pixels.dtype for page in read] == [np.uint16] * 2
    assert all(np.array_equal(page.picture.pixels, alone.pixels) for page in read)


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_several_pictures_in_other_formats(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    source = tmp_path / f"a{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=100)
    red, blue = (frame.pixels[20, 20, :3] for frame in upscaled(source, tmp_path / "b.tif"))
    assert np.abs(red.astype(int) - (255, 0, 0)).max() < 9
    assert np.abs(blue.astype(int) - (0, 0, 255)).max() < 9
    with pytest.raises(OutputError, match="holds one picture, not 2"):
        upscaled(source, tmp_path / f"b{suffix}")


def test_which_pictures_must_be_said(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif")
    with pytest.raises(SeveralError, match=r"a\.gif is animated \(4 frames\)"):
        srez.upscale(source)
    first = np.asarray(srez.upscale(source, model="pixels", frames="first").convert("RGB"))
    assert np.array_equal(first, np.asarray(animations.ball(0, False)).repeat(4, 0).repeat(4, 1))
    for wrong in ("all", "second"):  # the first needs to=
        with pytest.raises(OptionError):
            srez.upscale(source, frames=wrong)


def test_what_cannot_be_written_or_read_leaves_nothing(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif")
    pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "cut.gif").write_bytes(source.read_bytes()[:-60])
    for name, target in (("a.gif", "b.jpg"), ("a.tif", "b.gif"), ("cut.gif", "b.gif")):
        with pytest.raises((OutputError, ImageError), match=r"b\.jpg|b\.gif|cut\.gif"):
            upscaled(tmp_path / name, tmp_path / target)
    with pytest.raises(OutputError, match="GIF is written for animations"):
        srez.upscale(source, tmp_path / "b.gif", frames="first")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.tif", "cut.gif"]


def test_all_frames_together_are_bounded(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif")
    assert images.sequence(source, "a", 4 * 240).sizes == (SIZE,) * 4
    with pytest.raises(TooLargeError, match=r"4 frames.*--max-pixels"):
        images.sequence(source, "a", 4 * 240 - 1)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_memory_does_not_grow_with_the_frames(
    tmp_path: Path, random: np.random.Generator, suffix: str
) -> None:
    peaks = []
    for count in (4, 24):
        noise = random.integers(0, 256, (count, 48, 64, 3), dtype=np.uint8)
        frames = [Image.fromarray(frame) for frame in noise]
        frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=40)
        tracemalloc.start()
        srez.upscale(tmp_path / "a.png", tmp_path / f"b{suffix}", model="pixels", frames="all")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
