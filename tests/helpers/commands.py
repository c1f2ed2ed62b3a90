"""`srez`, in this process or in one of its own."""

import subprocess
import sys
from typing import Any

from typer.testing import CliRunner, Result

from srez.cli import app

SREZ = sys.executable, "-m", "srez"


def run(*words: object) -> Result:
    """What comes of a command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def upscale(*words: object) -> Result:
    """What comes of `srez upscale` in this process."""
    return run("upscale", *words)


def run_apart(*words: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """What comes of a command in a process of its own; the options are those of `subprocess.run`."""
    return subprocess.run([*SREZ, *map(str, words)], capture_output=True, check=False, **options)


def refusal(result: Result, exit_code: int = 2) -> str:
    """The one sentence of a refusal; fails if there is more than that."""
    assert result.exit_code == exit_code, result.output
    lines = result.stderr.strip().splitlines()
    sentences = [line for line in lines if line.startswith("srez: ")]
    assert len(sentences) == 1, result.output
    assert "Traceback" not in result.output
    return sentences[0]
