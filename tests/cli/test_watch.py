"""`srez watch`: what is there, what arrives, and what must not be taken."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import animations
from helpers.commands import SREZ
from helpers.waiting import PATIENCE, until
from srez import images
from srez.cli import app


@contextmanager
def watching(*words: object, stdout: int | TextIO = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    command = [*SREZ, "watch", "--model", "pixels", *map(str, words)]
    with subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], how: int = signal.SIGINT) -> tuple[str, str]:
    process.send_signal(how)
    return process.communicate(timeout=PATIENCE)


def names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_what_is_there_and_what_arrives(picture: Callable[..., Path], tmp_path: Path) -> None:
    there = picture("in/a.png")
    (tmp_path / "in/bad.png").write_bytes(there.read_bytes()[:60])
    whole = picture("whole.png", (40, 30, 3)).read_bytes()
    out = tmp_path / "in/out"  # below the watched folder: results are no pictures to take
    told = tmp_path / "told"
    with (
        told.open("w") as file,
        watching(tmp_path / "in", out, "--recursive", "--json", stdout=file) as process,
    ):
        until(lambda: names(out) == ["a.png"])
        picture("in/new/b.webp")  # a folder that appears
        slow = tmp_path / "in/slow.png"
        with slow.open("wb") as written:
            for place in range(0, len(whole), len(whole) // 8):
                written.write(whole[place : place + len(whole) // 8])
                written.flush()
                time.sleep(0.2)  # less than after what it would be taken
        (tmp_path / "c.tmp").write_bytes(whole)
        (tmp_path / "c.tmp").rename(tmp_path / "in/c.png")
        (tmp_path / "in/out/ours.png").write_bytes((out / "a.png").read_bytes())
        (tmp_path / "in/again.png").write_bytes((out / "a.png").read_bytes())  # a result, moved here
        until(lambda: names(out) == ["a.png", "c.png", "new/b.webp", "ours.png", "slow.png"])
        picture("in/a.png", (5, 6, 3))  # changed
        until(lambda: told.read_text().count("\n") == 6)  # a result is there before it is told
        _, stderr = ended(process)
    assert process.returncode == 1  # one failed
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    sources = [Path(line["source"]).name for line in lines if "target" in line]
    assert sorted(sources) == ["a.png", "a.png", "b.webp", "c.png", "slow.png"]
    assert [Path(line["source"]).name for line in lines if "error" in line] == ["bad.png"]
    assert "bad.png is damaged" in stderr
    assert "slow.png" not in stderr
    assert "Traceback" not in stderr
    assert "5 upscaled, 1 failed" in stderr
    with Image.open(out / "a.png") as image:
        assert image.size == (24, 20)


def test_begun_again_it_leaves_what_is_done(picture: Callable[..., Path], tmp_path: Path) -> None:
    picture("in/a.png")
    animations.write(tmp_path / "in/m.gif")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/m.gif").write_bytes(b"theirs")
    os.utime(tmp_path / "out/m.gif", (1e9, 1e9))
    for expected in (["a.png", "m.gif"], ["a.png", "b.png", "m.gif"]):
        with watching(tmp_path / "in", tmp_path / "out", "--frames", "all") as process:
            until(lambda expected=expected: names(tmp_path / "out") == expected)
            time.sleep(0.3)
            stdout, stderr = ended(process, signal.SIGTERM)
        assert "Stopped." in stderr, stderr
        assert "m.gif exists and was not made by srez" in stderr
        assert stdout.count(".png:") == 1
        (tmp_path / "in/b.png").write_bytes((tmp_path / "in/a.png").read_bytes())
    assert (tmp_path / "out/m.gif").read_bytes() == b"theirs"


def test_a_picture_that_an_older_one_replaces(picture: Callable[..., Path], tmp_path: Path) -> None:
    source, out = picture("in/a.png"), tmp_path / "out"
    with watching(tmp_path / "in", out) as process:
        until(lambda: names(out) == ["a.png"])
        for height in (5, 6):
            older = picture("older.png", (height, 6, 3))
            os.utime(older, (1e9, 1e9))  # as `cp -p` and unpacking leave it
            older.rename(source)
            until(lambda height=height: images.size(out / "a.png") == (24, 4 * height))
        ended(process)
    with watching(tmp_path / "in", out) as process:
        picture("in/b.png")
        until(lambda: names(out) == ["a.png", "b.png"])  # by dates, what is there is done
        replaced = picture("older.png", (7, 6, 3))
        os.utime(replaced, (1e9, 1e9))
        replaced.rename(source)
        until(lambda: images.size(out / "a.png") == (24, 28))
        picture("in/c.png")
        until(lambda: "c.png" in names(out))  # what is said of a.png comes before
        stdout, _ = ended(process)
    assert stdout.count("a.png:") == 1


def test_a_new_subfolder_is_left_alone_unless_asked_for(picture: Callable[..., Path], tmp_path: Path) -> None:
    picture("in/a.png")
    picture("sub/z.png")
    out = tmp_path / "out"
    with watching(tmp_path / "in", out) as process:
        until(lambda: names(out) == ["a.png"])
        (tmp_path / "sub").rename(tmp_path / "in/sub")
        time.sleep(0.5)
        picture("in/b.png")  # which comes after what is in the subfolder, if that comes at all
        until(lambda: "b.png" in names(out))
        ended(process)
    assert names(out) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "words", [("in", "in"), ("nowhere", "out"), ("in", "nowhere/out"), ("in/a.png", "out")]
)
def test_folders_that_cannot_be(
    picture: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    picture("in/a.png")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["watch", "--model", "pixels", *words])
    assert result.exit_code == 2
    assert words[0] in result.stderr or words[1] in result.stderr
    assert names(tmp_path) == ["in/a.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_that_goes_away_ends_it(picture: Callable[..., Path], tmp_path: Path) -> None:
    source = picture("in/a.png")
    with watching(tmp_path / "in", tmp_path / "out") as process:
        until(lambda: names(tmp_path / "out") == ["a.png"])
        source.unlink()
        source.parent.rmdir()
        _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "in is gone" in stderr


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("srez.cli.extras.find_spec", lambda _name: None)
    result = CliRunner().invoke(app, ["watch", str(tmp_path), str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "srez[watch]" in result.stderr
