"""`srez upscale --frames`."""

import json
import struct
import subprocess
from pathlib import Path

import pytest
from typer.testing import Result

from helpers import animations
from helpers.commands import SREZ, run
from helpers.pictures import png_chunk
from srez import images
from srez.upscaling import batch
from srez.upscaling.convert import Options
from srez.upscaling.loading import chooser
from srez.upscaling.plan import Rules, make_plan
from srez.upscaling.size import Size


def upscale(*words: object) -> Result:
    return run("upscale", "--model", "pixels", *words)


def test_a_folder_of_animations_and_pictures(picture, tmp_path: Path) -> None:
    folder = picture("in/still.png").parent
    for suffix in (".gif", ".webp"):
        animations.write(folder / f"moves{suffix}").rename(folder / f"{suffix[1:]}{suffix}")
    foreseen = upscale(folder, "-o", tmp_path / "out", "--frames", "all", "--dry-run", "--json")
    done = upscale(folder, "-o", tmp_path / "out", "--frames", "all", "--json")
    assert (foreseen.exit_code, done.exit_code) == (0, 0), done.stderr
    for report in (json.loads(foreseen.stdout)["planned"], json.loads(done.stdout)["done"]):
        made = {Path(entry["target"]).name: (entry["frames"], entry["width"]) for entry in report}
        assert made == {"gif.gif": (4, 80), "webp.webp": (4, 80), "still.png": (1, 36)}
    assert len(animations.shown(tmp_path / "out/gif.gif")) == 4
    again = upscale(tmp_path / "out", "--frames", "all", "--dry-run", "--json")
    assert len(json.loads(again.stdout)["earlier_results"]) == 3  # a GIF says so too


def test_without_the_option_animations_are_refused_and_named(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif")
    for words in ([], ["--dry-run"]):
        result = upscale(source, *words)
        assert result.exit_code == 1
        assert f"{source} is animated (4 frames)" in result.stderr
        assert "--frames" in result.stderr
    result = upscale(source, "--frames", "first")
    assert result.exit_code == 0, result.output
    assert images.read(tmp_path / "a_x4.png").size == (80, 48)
    assert upscale(source, tmp_path / "b.gif").exit_code == 2  # nothing but animations becomes a GIF
    assert upscale(source, "--frames", "all", "--format", "jpeg").exit_code == 1
    assert "holds one picture, not 4" in upscale(source, "--frames", "all", "-o", tmp_path / "b.jpg").stderr


def test_from_pipe_to_pipe(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif")
    command = [*SREZ, "upscale", "-", "--frames", "all", "--model", "pixels"]
    done = subprocess.run(command, input=source.read_bytes(), capture_output=True, check=True)
    assert images.sequence(done.stdout, "it", 10**6).sizes == ((80, 48),) * 4


@pytest.mark.parametrize(
    "words",
    [["--samples", "2"], ["--uncertainty"], ["--salvage"], ["--raw", "8x8"], ["--engine", "ray"]],
)
def test_what_is_for_single_pictures(tmp_path: Path, words: list[str]) -> None:
    source = animations.write(tmp_path / "a.gif")
    result = upscale(source, tmp_path / "b.gif", "--frames", "all", *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr


def test_stopped_between_frames_nothing_is_left(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "in.gif")
    seen: list[float] = []

    def progress(done: float, total: int) -> None:
        seen.append(done / total)
        if done > total / 2:
            raise KeyboardInterrupt

    rules = Rules(tmp_path / "out.gif", animated=True)
    plan = make_plan([source], rules, Size(), 4)
    outcome = batch.run(chooser("pixels"), plan, Options(frames=images.Frames.all), progress, lambda _: None)
    assert outcome.stopped
    assert seen == sorted(seen)
    assert seen[0] < 0.3
    assert [path.name for path in tmp_path.iterdir()] == ["in.gif"]


def test_the_size_that_is_asked_for(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.gif", transparent=True)
    assert upscale(source, tmp_path / "b.gif", "--frames", "all", "--width", 50).exit_code == 0
    assert images.sequence(tmp_path / "b.gif", "b", 10**6).sizes == ((50, 30),) * 4


def test_frames_that_are_only_said_to_be_there_take_no_memory(tmp_path: Path) -> None:
    source = animations.write(tmp_path / "a.png")
    data = source.read_bytes()
    place = data.index(b"acTL")
    source.write_bytes(
        data[: place - 4] + png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + data[place + 16 :]
    )
    command = [*SREZ, "upscale", str(source), "--frames", "all", "--model", "pixels"]
    limited = ["sh", "-c", 'ulimit -v 4000000 && exec "$@"', "sh", *command]
    done = subprocess.run(limited, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{source} has more than 10,000 frames" in done.stderr
