"""SelfExSR through the same interfaces as any model."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

import srez
from srez import images
from srez.cli import app
from srez.errors import ModelError
from srez.images import resample
from srez.models import box
from srez.models.card import as_dict


@pytest.fixture(scope="module")
def upscaler() -> srez.Upscaler:
    return srez.load("selfexsr")


def photograph(side: int = 64) -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[40 : 40 + side, 180 : 180 + side])


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean(np.square(one.astype(float) - other))))


@pytest.mark.parametrize("repair", [0.5, 7.0, float("nan")])
def test_it_does_not_repair(upscaler: srez.Upscaler, repair: float) -> None:
    with pytest.raises(ModelError, match="does not repair"):
        upscaler(np.zeros((8, 8, 3), np.uint8), repair=repair)


def test_it_beats_bicubic_and_reduces_to_its_input(upscaler: srez.Upscaler) -> None:
    truth = photograph(128)
    low = resample.bicubic_reduce(truth, 4)
    larger = upscaler(low)
    bicubic = images.to_uint8(resample.bicubic(images.to_float(low[None]), 4)[0])
    assert psnr(larger, truth) > psnr(bicubic, truth) + 0.5
    reduced = resample.bicubic_reduce(larger, 4)
    assert np.abs(reduced.astype(int) - low).mean() < 1


def test_any_number_of_threads_gives_the_same(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    images.write(source, images.Picture(photograph(32)))
    results = []
    for threads in ("1", "2"):
        code = (
            f"import srez; srez.load('selfexsr')({str(source)!r}).save({str(tmp_path / threads)!r} + '.png')"
        )
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        results.append(images.read(tmp_path / f"{threads}.png").pixels)
    assert (results[0] == results[1]).all()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 1, 3), np.uint8),
        ((3, 100, 3), np.uint8),
        ((9, 1, 1), np.uint8),
        ((16, 12, 1), np.uint8),
        ((16, 12, 2), np.uint8),
        ((16, 12, 4), np.uint8),
        ((16, 12, 3), np.uint16),
        ((16, 12, 1), np.uint16),
    ],
)
def test_every_kind_of_picture_through_the_command(
    shape: tuple[int, ...], dtype: type, tmp_path: Path, random: np.random.Generator
) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    pixels = random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    images.write(source, images.Picture(pixels))
    result = CliRunner().invoke(app, ["upscale", str(source), "-o", str(target), "--model", "selfexsr"])
    assert result.exit_code == 0, result.output
    larger = images.read(target).pixels
    assert larger.dtype == dtype
    assert larger.reshape(*larger.shape[:2], -1).shape == (4 * shape[0], 4 * shape[1], shape[2])


def test_flat_stays_flat(upscaler: srez.Upscaler) -> None:
    for value in (0, 77, 255):
        flat = np.full((20, 20, 3), value, np.uint8)
        assert (upscaler(flat) == value).all()


def test_gray_has_no_colours(upscaler: srez.Upscaler) -> None:
    gray = photograph(24)[..., 1]
    larger = upscaler(np.dstack([gray] * 3))
    assert (larger == larger[..., :1]).all()
    assert np.abs(upscaler(gray).astype(int) - larger[..., 0]).max() <= 1


def test_progress_grows_to_the_end_and_stops_the_work(upscaler: srez.Upscaler) -> None:
    alpha = np.dstack([photograph(36), np.tile(np.arange(36, dtype=np.uint8), (36, 1))])[:12]
    fractions: list[float] = []
    tiled = srez.load("selfexsr", tile=32)
    tiled(alpha, fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert len(fractions) == 2 * 2 * 48  # tiles, colours and alpha, passes

    def stop(fraction: float) -> None:
        fractions.append(fraction)
        raise KeyboardInterrupt

    fractions.clear()
    with pytest.raises(KeyboardInterrupt):
        upscaler(alpha, stop)
    assert len(fractions) == 1


def test_it_is_listed_and_shown_and_not_exported(tmp_path: Path) -> None:
    listed = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["models"])
    assert "selfexsr" in listed.output
    shown = CliRunner().invoke(app, ["models", "show", "selfexsr"])
    assert shown.exit_code == 0
    assert "MIT" in shown.output
    for arguments in (["export", "selfexsr", "-o", str(tmp_path / "a.onnx")], ["remove", "selfexsr"]):
        assert CliRunner().invoke(app, ["models", *arguments]).exit_code == 2


def test_its_card_is_complete_and_names_its_code() -> None:
    card = box.card(box.find("selfexsr"))
    assert card.parameters == 0
    assert len(card.sha256) == 64
    assert as_dict(card)["licence"].startswith("MIT")


def test_without_numba_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, picture: Callable[..., Path]
) -> None:
    monkeypatch.setattr("srez.models.selfexsr.find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"srez\[selfexsr\]"):
        srez.load("selfexsr")
    result = CliRunner().invoke(app, ["upscale", str(picture("a.png")), "--model", "selfexsr"])
    assert result.exit_code == 2
    assert "srez[selfexsr]" in " ".join(result.output.split())


def test_it_is_measured_like_a_model(tmp_path: Path) -> None:
    truth = photograph(48)
    for folder, pixels in {"HR": truth, "LR_x4": resample.bicubic_reduce(truth, 4)}.items():
        (tmp_path / folder).mkdir()
        images.write(tmp_path / folder / "a.png", images.Picture(pixels))
    result = CliRunner().invoke(app, ["evaluate", "--benchmark", str(tmp_path), "--model", "selfexsr"])
    assert result.exit_code == 0, result.output
    assert "selfexsr" in result.output
