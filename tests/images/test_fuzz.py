"""Hostile files through the command: one sentence or a good result, never anything else."""

import json
import resource
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers import hostile
from helpers.hostile import damaged, originals
from srez import images
from srez.cli import app

SECONDS = 20.0  # for one picture, at most
MEMORY = 2_000_000  # kilobytes, with the interpreter and the making of the files


def check(folder: Path, files: Iterator[tuple[str, bytes]]) -> float:
    """Run the command on hostile files, one by one, look at what it leaves, and return the longest time."""
    slowest = 0.0
    target = folder / "out"
    for name, data in files:
        source = folder / name
        source.write_bytes(data)
        words = ["upscale", str(source), "-o", str(target), "--format", "png", "--json"]
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = CliRunner().invoke(app, [*words, "--max-pixels", "100000"])
        slowest = max(slowest, time.monotonic() - began)
        assert slowest < SECONDS, name
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
    return slowest


def test_damaged_pictures(tmp_path: Path) -> None:
    random, valid = np.random.default_rng(0), list(originals().items()) * 4
    check(
        tmp_path, ((f"{number}-{name}", damaged(data, random)) for number, (name, data) in enumerate(valid))
    )


@pytest.mark.fuzz
def test_two_thousand_hostile_files(tmp_path: Path) -> None:
    slowest = check(tmp_path, hostile.files(2_000, seed=1))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert memory < MEMORY
    print(f"2,000 hostile files: {slowest:.1f} s at most for one, {memory / 1e6:.2f} GB at most")


def test_the_undamaged_ones_go_through(tmp_path: Path) -> None:
    for name, data in originals().items():
        (tmp_path / name).write_bytes(data)
        result = CliRunner().invoke(app, ["upscale", str(tmp_path / name), "-o", str(tmp_path / "out.png")])
        assert result.exit_code == 0, result.output
        (tmp_path / "out.png").unlink()
