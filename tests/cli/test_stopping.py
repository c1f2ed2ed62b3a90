"""`srez upscale`: what is left when it is stopped, or when something fails on the way."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.commands import SREZ, refusal, run, upscale
from helpers.waiting import PATIENCE, until
from srez import images
from srez.upscaling.upscaler import Upscaler

LONG = (2000, 2000, 3)  # of a picture that takes seconds on any machine


def test_ctrl_c_keeps_what_is_finished_and_skip_goes_on(picture, tmp_path: Path) -> None:
    for number in range(6):
        picture(f"in/{number}.png", LONG if number == 2 else (150, 150, 3), compress_level=1)
    out = tmp_path / "out"
    words = [*SREZ, "upscale", str(tmp_path / "in"), "-o", str(out), "--tile", "64"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: (out / "1.png").exists() or running.poll() is not None)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert "--skip" in errors
    finished = sorted(path.name for path in out.iterdir())
    assert finished == ["0.png", "1.png"]
    assert all(images.size(out / name) == (600, 600) for name in finished)
    picture("in/2.png", (150, 150, 3))
    report = json.loads(upscale(tmp_path / "in", "-o", out, "--skip", "--json").stdout)
    assert len(report["skipped"]) == len(finished)
    assert len(list(out.iterdir())) == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_leaves_no_unfinished_file(picture, tmp_path: Path, number: int) -> None:
    source, out = picture("in/a.png", LONG, compress_level=1), tmp_path / "out"
    out.mkdir()
    words = [*SREZ, "upscale", str(source), "-o", str(out / "a.png"), "--tile", "64"]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until(lambda: list(out.iterdir()) or running.poll() is not None)
    running.send_signal(number)
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Stopped. Finished results are kept" in errors
    assert not list(out.iterdir())


def on_a_disk_of(most: int, *words: object) -> subprocess.CompletedProcess[str]:
    """`srez upscale` where files may have so many bytes: as on a full disk, only a part is taken."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({most}, {most}))"
    code = f"{limit}\nfrom srez.cli import main\nmain()"
    command = [sys.executable, "-c", code, "upscale", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_disk_that_fills_leaves_no_half_file(picture, tmp_path: Path) -> None:
    small, large = picture("in/a.png", (8, 8, 3)), picture("in/b.png", (120, 120, 3))
    done = on_a_disk_of(20_000, large, small, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "b.png cannot be written: File too large" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif"])
def test_a_disk_that_is_full_for_the_last_bytes_leaves_no_half_file(
    picture, tmp_path: Path, name: str
) -> None:
    source, target = picture("in/a.png", (60, 60, 3)), tmp_path / name
    done = on_a_disk_of(8_000, source, target)
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [source.parent])
    assert f"{target} cannot be written" in done.stderr


def test_a_failure_is_told_at_once(picture, tmp_path: Path) -> None:
    for name, shape in (("in/a.png", (8, 8, 3)), ("in/c.png", LONG)):
        picture(name, shape, compress_level=1)
    (tmp_path / "in/b.png").write_text("words")
    words = [*SREZ, "upscale", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    running = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert running.stderr
    assert "b.png is not a" in next(line for line in running.stderr if "srez: " in line)
    assert not (tmp_path / "out/c.png").exists()
    running.kill()
    running.communicate()


def test_a_defect_of_ours_costs_one_picture(picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture("in/a.png", (7, 9, 3))
    picture("in/b.png")
    bands = Upscaler.bands

    def defective(upscaler: Upscaler, image: np.ndarray, *rest: Any, **named: Any) -> Iterator[np.ndarray]:
        if len(image) == 7:
            raise KeyError("unforeseen")
        return bands(upscaler, image, *rest, **named)

    monkeypatch.setattr(Upscaler, "bands", defective)
    said = refusal(upscale(tmp_path / "in", "-o", tmp_path / "out"), exit_code=1)
    assert "a.png: this is a bug in srez (KeyError: 'unforeseen')" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]
    debugged = run("--debug", "upscale", tmp_path / "in", "-o", tmp_path / "out", "--overwrite")
    assert debugged.exit_code == 1
    assert "Traceback" in debugged.stderr
    assert "in defective" in debugged.stderr
    assert "1 upscaled, 1 failed" in debugged.stdout
