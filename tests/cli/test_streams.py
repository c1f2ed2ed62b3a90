"""`srez upscale`: pipes, terminals, and streams that are closed, full or endless."""

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import srez
from helpers.commands import SREZ, run_apart, upscale
from helpers.waiting import PATIENCE
from srez import images


def test_pictures_go_through_pipes(picture, tmp_path: Path) -> None:
    source = picture("a.png")
    expected = srez.load("photo")(images.read(source).pixels)
    for words in (["-"], ["-", "-o", "-"], [source, "-o", "-"], ["-", "--format", "tiff"]):
        done = run_apart("upscale", *words, input=source.read_bytes())
        assert done.returncode == 0, done.stderr
        np.testing.assert_array_equal(images.read(done.stdout).pixels, expected)
    done = run_apart("upscale", "-", input=b"words")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"standard input is not a" in done.stderr


def test_pictures_do_not_go_to_a_terminal(picture) -> None:
    controller, terminal = pty.openpty()
    words = [*SREZ, "upscale", str(picture("a.png")), "-o", "-"]
    done = subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False)
    os.close(terminal)
    os.close(controller)
    assert done.returncode == 2
    assert "cannot go to a terminal" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("- -o b.png <&-", "standard input is closed"),
        ("- -o b.png 0>c", "standard input cannot be read"),
        ("a.png -o - >&-", "standard output is closed"),
        ("a.png -o - >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png --json >/dev/full", "standard output cannot be written: No space left on device"),
        ("a.png -o b.png --json >&-", ""),
    ],
)
def test_standard_streams_that_are_closed_or_full(picture, tmp_path: Path, words: str, sentence: str) -> None:
    picture("a.png")
    command = f"{shlex.quote(sys.executable)} -m srez upscale {words}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    said = [line[: len(sentence) + 6] for line in done.stderr.splitlines()]
    assert said == ([f"srez: {sentence}"] if sentence else [])
    assert done.returncode == (1 if sentence else 0)
    assert (tmp_path / "b.png").exists() == words.startswith("a.png -o b.png")


def test_standard_input_that_never_ends() -> None:
    with Path("/dev/zero").open("rb") as endless:
        done = run_apart("upscale", "-", "-o", "-", stdin=endless, timeout=PATIENCE)
    assert done.returncode == 1
    assert b"nothing but zeros" in done.stderr
    start = b"\x89PNG\r\n\x1a\n"
    done = run_apart("upscale", "-", "-o", "-", "--max-pixels", "10", input=start + bytes(70 * 1024**2))
    assert done.returncode == 1
    assert b"--max-pixels" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_console_that_cannot_encode_a_name(picture, tmp_path: Path, encoding: str) -> None:
    names = [b"\xe6\x97\xa5.png", b"\xff.png"]  # the second one is no text in any encoding that we print
    source = picture("in/a.png")
    for name in names:
        (source.parent / os.fsdecode(name)).write_bytes(source.read_bytes())
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"}
    done = run_apart("upscale", source.parent, "-o", tmp_path / "out", env=environment)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert b"3 upscaled" in done.stdout
    assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == {*names, b"a.png"}
    done = run_apart("runs", tmp_path / "日", env=environment)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("where", ["name", "pattern"])
def test_names_give_no_orders_to_the_terminal(picture, tmp_path: Path, where: str) -> None:
    name = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.png"
    source = picture(name)
    done = upscale(source if where == "name" else tmp_path / "*.png", "-o", tmp_path / "out")
    failed = upscale(source.rename(tmp_path / f"{name}.txt"), "-o", tmp_path / "out2")
    for output in (done.stdout, done.stderr, failed.stderr):
        assert not set(output) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert r"a\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.png" in done.stdout + done.stderr
