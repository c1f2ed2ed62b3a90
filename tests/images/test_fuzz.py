"""Damaged pictures through the command: one sentence or a good result, never anything else."""

import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.hostile import damaged, originals
from srez import images
from srez.cli import app

SECONDS = 60  # for one picture, at most: a moment, or for ever


def pictures(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    random, files = np.random.default_rng(seed), list(originals().items())
    for number in range(count):
        name, data = files[number % len(files)]
        yield f"{number:04}-{name}", damaged(data, random)


def check(folder: Path, count: int, seed: int) -> None:
    """Run the command on damaged pictures, one by one, and look at what it leaves."""
    target = folder / "out"
    for name, data in pictures(count, seed):
        source = folder / name
        source.write_bytes(data)
        words = ["upscale", str(source), "-o", str(target), "--format", "png", "--json"]
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = CliRunner().invoke(app, [*words, "--max-pixels", "100000"])
        assert time.monotonic() - began < SECONDS, name
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exception)
        assert result.exit_code in (0, 1), (name, result.output)
        report = json.loads(result.stdout)
        left = list(target.iterdir()) if target.exists() else []
        if result.exit_code:
            assert len(report["failed"]) == 1, name
            assert str(source) in report["failed"][0]["error"], report
            assert not left, name
        else:
            (done,) = report["done"]
            assert [str(path) for path in left] == [done["target"]]
            height, width = images.read(left[0]).pixels.shape[:2]
            assert (width, height) == (done["width"], done["height"])
            left[0].unlink()
        source.unlink()


def test_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 64, seed=0)


@pytest.mark.fuzz
def test_a_thousand_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 1000, seed=1)


def test_the_undamaged_ones_go_through(tmp_path: Path) -> None:
    for name, data in originals().items():
        (tmp_path / name).write_bytes(data)
        result = CliRunner().invoke(app, ["upscale", str(tmp_path / name), "-o", str(tmp_path / "out.png")])
        assert result.exit_code == 0, result.output
        (tmp_path / "out.png").unlink()
