"""Raw frames from pipe to pipe, and video by Debian's ffmpeg."""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers.commands import SREZ
from helpers.pictures import smooth
from helpers.waiting import PATIENCE
from srez.cli import app
from srez.upscaling.loading import load
from srez.upscaling.raw import PIXEL_FORMATS

GUIDE = Path(__file__).parents[2] / "docs/video.md"
COLOURS = ["0xC04020", "0x2040C0", "0x20A060"]  # of ten frames each
EXACT = "bicubic+accurate_rnd+full_chroma_int"  # conversion of colours, as in the guide


def srez(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*SREZ, "upscale", *words], input=data, capture_output=True, timeout=PATIENCE)


def frames(pixel_format: str, count: int) -> np.ndarray:
    """`(count, 12, 10, C)` of other waves each."""
    channels, dtype = PIXEL_FORMATS[pixel_format]
    waves = smooth((12, 10 + count, channels), np.iinfo(dtype).max)
    return np.stack([waves[:, start : start + 10] for start in range(count)]).astype(dtype)


@pytest.mark.parametrize("pixel_format", ["rgb24", "rgba64le", "gray", "ya8"])
def test_frames_are_upscaled_as_pictures_are(pixel_format: str) -> None:
    sent = frames(pixel_format, 2)
    words = ["--raw", "10x12", "--pixel-format", pixel_format, "--model", "photo", "--repair", "0"]
    done = srez("-", *words, "-o", "-", data=sent.tobytes())
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    got = np.frombuffer(done.stdout, sent.dtype).reshape(2, 48, 40, -1)
    upscaler = load("photo", repair=0)
    for before, after in zip(sent, got, strict=True):
        whole = upscaler(before.astype(sent.dtype.newbyteorder("=")).squeeze())
        assert np.array_equal(after.squeeze(), whole)


def test_frames_of_another_size() -> None:
    done = srez("-", "--raw", "10x12", "--width", "25", data=frames("rgb24", 3).tobytes())
    assert (done.returncode, len(done.stdout)) == (0, 3 * 25 * 30 * 3), done.stderr


def test_a_stream_that_ends_within_a_frame() -> None:
    sent = frames("rgb24", 3).tobytes()
    done = srez("-", "--raw", "10x12", "-o", "-", data=sent[:-1])
    assert (done.returncode, len(done.stdout)) == (1, 2 * 16 * 360)
    assert b"ends within frame 3" in done.stderr
    assert b"Traceback" not in done.stderr
    done = srez("-", "--raw", "10x12", "-o", "-")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no frames" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["-", "--pixel-format", "rgb24"], "--raw"),
        (["-", "--raw", "10x12", "--pixel-format", "yuv420p"], "yuv420p"),
        (["-", "--raw", "10"], "'10' is no size"),
        (["-", "--raw", "10x12", "-o", "a.png"], "-o -"),
        (["a.png", "--raw", "10x12"], "only input"),
        (["-", "--raw", "10x12", "--format", "png"], "--format"),
        (["-", "--raw", "10x12", "--json"], "--json"),
        (["-", "--raw", "10x12", "--max-pixels", "119"], "--max-pixels"),
    ],
)
def test_what_frames_cannot_be_told(words: list[str], named: str) -> None:
    done = CliRunner().invoke(app, ["upscale", *words], input=frames("rgb24", 1).tobytes())
    assert done.exit_code in (1, 2)
    assert named in done.stderr
    assert done.stdout == ""


def test_srez_ends_when_its_reader_does() -> None:
    command = [*SREZ, "upscale", "-", "--raw", "10x12", "-o", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Path("/dev/zero").open("rb") as endless:
        process = subprocess.Popen(command, **{**pipes, "stdin": endless})
    assert process.stdout
    assert process.stderr
    assert len(process.stdout.read(100)) == 100
    process.stdout.close()
    assert process.wait(PATIENCE) == 1
    assert re.fullmatch(
        rb"srez: standard output cannot be written: [^\n]+\n(frames .+\n)?", process.stderr.read()
    )
    process.stderr.close()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"])
def test_pictures_in_a_row_are_refused(format_: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(smooth((12, 10, 3))).save(file, format_)
    words = ["upscale", "-", "-o", str(tmp_path / "a.png")]
    done = CliRunner().invoke(app, words, input=2 * file.getvalue())
    assert done.exit_code == 1
    assert "several pictures" in done.stderr
    assert not list(tmp_path.iterdir())
    done = CliRunner().invoke(app, [*words, "--model", "photo"], input=file.getvalue() + b"\n")
    assert done.exit_code == 0, done.stderr


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Thirty frames of three colours, 64x36, with sound."""
    if not shutil.which("ffmpeg"):
        pytest.skip("there is no ffmpeg: apt-get install ffmpeg")
    path = tmp_path / "clip.mp4"
    sources = [f"-f lavfi -i color=c={each}:size=64x36:rate=25:duration=0.4" for each in COLOURS]
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    tags += ["-pix_fmt", "yuv420p", "-qp", "0"]
    filters = f"[0][1][2]concat=n=3,scale=out_color_matrix=bt709:flags={EXACT}"
    sound = ["-f", "lavfi", "-i", "sine=duration=1.2"]
    words = [
        *" ".join(sources).split(),
        *sound,
        "-filter_complex",
        filters,
        *tags,
        "-pix_fmt",
        "yuv420p",
        "-qp",
        "0",
    ]
    subprocess.run(["ffmpeg", "-v", "error", *words, str(path)], check=True)
    return path


def test_the_guide_upscales_a_clip(clip: Path) -> None:
    """Right count, size, rate and colours, and the sound is still there, by the commands of the guide."""
    enlarge, tell = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.S)
    script = enlarge.replace("640x360", "64x36").replace("2560x1440", "256x144")
    assert script.count("64x36") == script.count("256x144") == 1
    shim = f'srez() {{ "{sys.executable}" -m srez "$@"; }}; set -o pipefail; '
    run = {"cwd": clip.parent, "check": True, "timeout": PATIENCE, "capture_output": True}
    subprocess.run(["bash", "-c", shim + script], **run)
    for name, said in (("clip.mp4", "64,36,25/1"), ("large.mp4", "256,144,25/1")):
        told = subprocess.run(["bash", "-c", tell.replace("clip.mp4", name)], **run).stdout.decode()
        assert told.strip() == said
    streams = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", "large.mp4"]
    assert subprocess.run(streams, **run).stdout.split() == [b"video", b"audio"]
    decode = f"ffmpeg -v error -i large.mp4 -vf scale=flags={EXACT} -f rawvideo -pix_fmt rgb24 -"
    pixels = np.frombuffer(subprocess.run(decode.split(), **run).stdout, np.uint8).reshape(-1, 144, 256, 3)
    assert len(pixels) == 30
    for number, colour in enumerate(COLOURS):
        wanted = np.array([int(colour[place : place + 2], 16) for place in (2, 4, 6)])
        shown = pixels[10 * number : 10 * number + 10].astype(float)
        assert np.abs(shown.mean(axis=(0, 1, 2)) - wanted).max() < 3
