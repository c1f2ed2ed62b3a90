"""`srez`, in this process or in one of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image
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


def upscaled(source: Path, target: Path, *words: object) -> Image.Image:
    """The opened result of a run that must go well."""
    result = upscale(source, "-o", target, *words)
    assert result.exit_code == 0, result.output
    with Image.open(target) as image:
        image.load()
        return image


def refused(source: Path, target: Path, *words: object) -> str:
    """The sentence of a run that must fail with one, and leave nothing."""
    sentence = refusal(upscale(source, "-o", target, *words), exit_code=1)
    assert not target.exists()
    return sentence
