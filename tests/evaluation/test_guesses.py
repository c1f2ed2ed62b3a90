"""How samples and uncertainties are measured."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers import models
from srez import images
from srez.cli import app
from srez.evaluation import certainty, metrics, sampling
from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4
from srez.images import resample


def test_diversity_is_the_challenges_score() -> None:
    same = np.ones((10, 4, 4))
    assert sampling.diversity(same) == 0
    # Two samples, each perfect in another half: as wholes both are half wrong, place by place neither is.
    halves = np.zeros((2, 4, 4))
    halves[0, :2], halves[1, 2:] = 1, 1
    assert sampling.diversity(halves) == 100
    third = np.stack([np.full((4, 4), 0.9), np.full((4, 4), 0.6), halves[0]])  # whole .5, local .3
    assert sampling.diversity(third) == pytest.approx(40)


def test_samples_are_measured_each_and_together() -> None:
    truth = np.full((16, 16, 3), 100, np.uint8)
    drawn = np.stack([truth + 10, truth - 10])
    each = [metrics.figures(one, truth, resample.area(truth, 4) / 255, FACES_RGB) for one in drawn]
    found = sampling.figures(drawn, truth, each, FACES_RGB, None)
    assert found["psnr"] == found["psnr_best"] == pytest.approx(10 * np.log10(255**2 / 100))
    assert found["psnr_of_mean"] == np.inf
    assert "diversity" not in found  # without ST-LPIPS


def test_lr_psnr_sees_what_the_reduction_sees(random: np.random.Generator) -> None:
    low = random.integers(20, 230, (8, 8, 3), dtype=np.uint8)
    output = resample.nearest(low[None], 4)[0]
    assert metrics.lr_psnr(output, low / np.float32(255), FACES_RGB) > 100
    assert metrics.lr_psnr(output + 1, low / np.float32(255), FACES_RGB) == pytest.approx(
        20 * np.log10(255), abs=0.01
    )
    truth = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert metrics.lr_psnr(truth, resample.bicubic_reduce(truth, 4) / np.float32(255), Y_MATLAB_X4) > 100


def test_coverage_and_width(random: np.random.Generator) -> None:
    found = certainty.Certainty()
    truth = np.full((40, 40, 3), 100, np.uint8)
    off = random.integers(0, 20, (40, 40), dtype=np.uint8)
    output = truth + off[..., None]
    output[..., 0] = 100  # the largest channel counts
    found.add(output, truth, np.full((40, 40), 9.5 / 255, np.float32))
    figures = found.figures()
    assert figures["coverage"] == pytest.approx(100 * (off <= 9).mean())
    assert figures["width"] == pytest.approx(9.5)


def test_a_width_for_each_steepness_holds_as_many(random: np.random.Generator) -> None:
    gradients = np.repeat([0.0, 1.0], 20_000)
    errors = random.random(40_000) * np.where(gradients, 200, 10)
    width = certainty.width_by_gradient(errors, gradients, 0.9)
    assert width == pytest.approx((9 + 180) / 2, rel=0.05)
    assert width < np.quantile(errors, 0.9)  # of one width for all


def test_evaluate_prints_what_is_guessed(tmp_path: Path, random: np.random.Generator) -> None:
    for name in ("a.png", "b.png"):
        pixels = random.integers(0, 256, (109, 89, 3), dtype=np.uint8)
        (tmp_path / "faces").mkdir(exist_ok=True)
        images.write(tmp_path / "faces" / name, images.Picture(pixels))
    model = models.write_guessing(tmp_path / "guessing.onnx")
    out = tmp_path / "found.json"
    arguments = ["evaluate", "--faces", tmp_path / "faces", "--model", model, "--samples", 3]
    arguments += ["--uncertainty", "--json", out]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    rows = {method["name"]: method["mean"] for method in json.loads(out.read_text())["methods"]}
    plain, sampled = rows[str(model)], rows[f"{model}, samples"]
    assert plain["width"] == pytest.approx(0.05 * 255)
    assert 0 < plain["coverage"] < 50  # random pixels are nowhere near
    assert sampled["psnr"] <= sampled["psnr_best"]
    assert sampled["psnr_of_mean"] > sampled["psnr"]
    assert "coverage" not in sampled
    assert rows["nearest"]["lr_psnr"] > 50
