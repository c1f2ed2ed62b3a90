"""The commands as a whole: help, version, errors."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import srez
from helpers.commands import SREZ, refusal, run, run_apart
from helpers.waiting import PATIENCE, until


@pytest.mark.parametrize(
    "command", ["upscale", "demo", "evaluate", "models", "train", "runs", "report", "recipes", "serve"]
)
def test_help_shows_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"srez {command}" in result.output.split("Example")[1]


def test_version() -> None:
    assert run("--version").output.strip() == srez.__version__


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = ("upscale", tmp_path / "a.png", "--model", "facez", "-o", tmp_path / "b.png")
    done = run_apart("--debug", *words)
    assert b"Traceback" in done.stderr
    assert b"ModelError" in done.stderr


def test_a_terminal_without_columns(tmp_path: Path) -> None:
    done = run_apart("upscale", tmp_path / "nowhere.png", env={**os.environ, "COLUMNS": "0"})
    assert done.returncode == 1
    assert b"nowhere.png does not exist" in done.stderr


def test_ctrl_c_while_srez_is_imported_leaves_no_traceback() -> None:
    command = [*SREZ, "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        until(lambda: "numpy" in maps.read_text() or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert b"Traceback" not in stderr
    assert process.returncode != 0
    assert not stdout


def test_recipes_are_listed_and_printed(tmp_path: Path) -> None:
    listed = run("recipes").stdout
    assert all(name in listed for name in ("faces", "smoke", "srez"))
    own = tmp_path / "own.toml"
    own.write_text(run("recipes", "show", "faces").stdout)
    assert own.read_text() == run("recipes", "show", own).stdout
    assert "no recipe 'facez'" in refusal(run("recipes", "show", "facez"))
