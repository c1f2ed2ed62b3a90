"""Gray and RGB, 8 and 16 bits, with and without alpha, on either side: a right figure or one sentence."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from helpers.pictures import deep_png
from srez import images
from srez.cli import app
from srez.evaluation import metrics
from srez.images import Picture, resample, to_float, to_uint8

CHANNELS = {"gray": 1, "gray with alpha": 2, "RGB": 3, "RGBA": 4}
KINDS = list(itertools.product(CHANNELS, (8, 16)))


def write(path: Path, colours: np.ndarray, kind: str, bits: int, alpha: int = 255) -> None:
    """A PNG of a kind, of `(H, W, 1)` or `(H, W, 3)` uint8."""
    path.parent.mkdir(exist_ok=True)
    if "gray" in kind:
        colours = colours[..., :1]
    elif colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    pixels = colours
    if CHANNELS[kind] in (2, 4):
        pixels = np.concatenate([colours, np.full((*colours.shape[:2], 1), alpha, np.uint8)], axis=2)
    if bits == 16:
        path.write_bytes(deep_png(pixels.astype(np.uint16).squeeze() * 257))
    else:
        images.write(path, Picture(pixels.squeeze()))


def run(folder: Path, *words: object) -> Result:
    out = folder / "out.json"
    return CliRunner().invoke(
        app, ["evaluate", "--benchmark", str(folder), "--json", str(out), "--limit", "1", *map(str, words)]
    )


def psnr(folder: Path, method: int) -> float:
    return json.loads((folder / "out.json").read_text())["methods"][method]["mean"]["psnr"]


def one_sentence(result: Result) -> str:
    assert result.exit_code == 2, result.output
    (sentence,) = (line for line in result.stderr.splitlines() if line.startswith("srez: "))
    return sentence


@pytest.fixture(scope="module")
def colours() -> tuple[np.ndarray, np.ndarray]:
    low = np.random.default_rng(2).integers(60, 200, (10, 12, 3), dtype=np.uint8)
    return low, to_uint8(resample.bicubic(to_float(low)[None], 4)[0] + 0.02)


def is_gray(kind: str) -> bool:
    return "gray" in kind


@pytest.mark.parametrize(("high_kind", "high_bits"), KINDS)
def test_inputs_and_truths_of_any_kind(
    colours: tuple[np.ndarray, np.ndarray], tmp_path: Path, high_kind: str, high_bits: int
) -> None:
    low, high = colours
    write(tmp_path / "LR_x4/a.png", low, "RGB", 8)
    write(tmp_path / "HR/a.png", high, "RGB", 8)
    assert run(tmp_path, "--model", "faces").exit_code == 0
    in_colour = [psnr(tmp_path, method) for method in range(3)]
    write(tmp_path / "LR_x4/a.png", low, "gray", 8)
    write(tmp_path / "HR/a.png", high, "gray", 8)
    assert run(tmp_path, "--model", "faces").exit_code == 0
    in_gray = [psnr(tmp_path, method) for method in range(3)]

    write(tmp_path / "HR/a.png", high, high_kind, high_bits)
    for low_kind, low_bits in KINDS:
        write(tmp_path / "LR_x4/a.png", low, low_kind, low_bits)
        result = run(tmp_path, "--model", "faces")
        if is_gray(low_kind) != is_gray(high_kind):
            assert "gray" in one_sentence(result)
            assert "RGB" in one_sentence(result)
            continue
        assert result.exit_code == 0, result.output
        wanted = in_gray if is_gray(high_kind) else in_colour
        assert [psnr(tmp_path, method) for method in range(3)] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_results_of_any_kind(
    colours: tuple[np.ndarray, np.ndarray], tmp_path: Path, kind: str, bits: int
) -> None:
    low, high = colours
    results = tmp_path / "results"
    for truth_kind in ("gray", "RGB"):
        write(tmp_path / "LR_x4/a.png", low, truth_kind, 8)
        write(tmp_path / "HR/a.png", high, truth_kind, 8)
        write(results / "a.png", high[..., :1] if truth_kind == "gray" else high, kind, bits)
        result = run(tmp_path, "--images", results, "--model", "faces")
        if is_gray(kind) and truth_kind == "RGB":
            assert "a.png is gray 48x40, but its truth is RGB" in one_sentence(result)
        else:
            assert result.exit_code == 0, result.output
            assert psnr(tmp_path, 3) == metrics.EXACT


def test_gray_in_three_channels_goes_with_gray(
    colours: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    low, high = (side[..., :1] for side in colours)
    found = set()
    for low_kind, high_kind in itertools.product(("gray", "RGB"), repeat=2):
        write(tmp_path / "LR_x4/a.png", low, low_kind, 8)
        write(tmp_path / "HR/a.png", high, high_kind, 8)
        assert run(tmp_path, "--model", "faces").exit_code == 0
        if (low_kind, high_kind) != ("RGB", "RGB"):
            found.add(psnr(tmp_path, 1))
    assert len(found) == 1


def test_what_is_transparent_is_not_measured(colours: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    low, high = colours
    for place, kind, bits in (("LR_x4", "RGBA", 8), ("HR", "gray with alpha", 16), ("results", "RGBA", 16)):
        write(tmp_path / "LR_x4/a.png", low, "RGB", 8)
        for folder in ("HR", "results"):
            write(tmp_path / folder / "a.png", high, "RGB", 8)
        write(tmp_path / place / "a.png", low if place == "LR_x4" else high, kind, bits, alpha=254)
        sentence = one_sentence(run(tmp_path, "--images", tmp_path / "results", "--model", "faces"))
        assert f"{place}/a.png is partly transparent" in sentence


def test_a_truth_of_16_bits_is_rounded_and_that_is_said(
    colours: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    low, high = colours
    write(tmp_path / "LR_x4/a.png", low, "RGB", 16)
    write(tmp_path / "HR/a.png", high, "RGB", 16)
    result = run(tmp_path, "--model", "faces")
    assert "1 of 1 images: the truth was rounded to 8 bits." in " ".join(result.stdout.split())
