"""The commands, as a user meets them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import srez
from srez import images, zoo
from srez.cli import app


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result) -> str:
    """The one sentence of a refusal; fails if there is more than that."""
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    sentences = [line for line in lines if line.startswith("srez: ")]
    assert len(sentences) == 1, result.output
    assert "Traceback" not in result.output
    return sentences[0]


@pytest.mark.parametrize(
    "command", ["upscale", "demo", "evaluate", "models", "train", "runs", "report", "recipes"]
)
def test_help_shows_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"srez {command}" in result.output.split("Example")[1]


def test_version() -> None:
    assert run("--version").output.strip() == srez.__version__


def test_upscale_one_file(picture, tmp_path: Path) -> None:
    source = picture("a.png", (12, 9, 3))
    result = run("upscale", source, "-o", tmp_path / "b.png")
    assert result.exit_code == 0, result.output
    expected = srez.load("faces")(images.read(source).pixels)
    np.testing.assert_array_equal(images.read(tmp_path / "b.png").pixels, expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_upscale_reads_and_writes(picture, tmp_path: Path, suffix: str) -> None:
    source = picture(f"in/a{suffix}", (12, 9, 3))
    assert run("upscale", source, "-o", tmp_path / f"out{suffix}").exit_code == 0
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.size == (36, 48)
        assert f".{image.format}".lower() in (suffix, ".jpeg")


def test_upscale_many_counts_and_goes_on(picture, tmp_path: Path) -> None:
    good = [picture("in/a.png"), picture("in/b.jpg"), picture("in/c.bmp")]
    text = tmp_path / "in/words.jpg"
    text.write_text("these are words")
    missing, empty = tmp_path / "missing.png", tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out"
    result = run("upscale", *good, text, missing, empty, "-o", out)
    assert result.exit_code == 2
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.png"]
    for bad in (text, missing, empty):
        assert f"srez: {bad}" in result.stderr.replace("\n", "")
    assert "3 upscaled, 3 failed" in result.stdout


def test_upscale_a_folder_as_json(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    picture("in/b.png")
    result = run("upscale", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0
    assert [Path(entry["target"]).name for entry in json.loads(result.stdout)["done"]] == ["a.png", "b.png"]


def test_upscale_with_a_model_of_ones_own(picture, tmp_path: Path) -> None:
    for suffix in (".onnx", ".toml"):
        (tmp_path / f"mine{suffix}").write_bytes(zoo.find("faces").with_suffix(suffix).read_bytes())
    result = run("upscale", picture("a.png"), "-o", tmp_path / "b.png", "--model", tmp_path / "mine.onnx")
    assert result.exit_code == 0, result.output


def test_upscale_refusals(picture, tmp_path: Path) -> None:
    source, alpha = picture("a.png"), picture("alpha.png", (8, 8, 4))
    truncated = tmp_path / "cut.jpg"
    truncated.write_bytes(picture("whole.jpg", (64, 64, 3)).read_bytes()[:-500])
    before = sorted(tmp_path.iterdir())
    assert "nowhere.png does not exist" in refusal(
        run("upscale", tmp_path / "nowhere.png", "-o", tmp_path / "b.png")
    )
    assert "cut.jpg is damaged" in refusal(run("upscale", truncated, "-o", tmp_path / "b.png"))
    assert "cannot write .tiff" in refusal(run("upscale", source, "-o", tmp_path / "b.tiff"))
    assert "would replace an input" in refusal(run("upscale", source, "-o", tmp_path))
    assert "would replace an input" in refusal(run("upscale", source, "-o", source))
    assert "cannot be made a folder" in refusal(run("upscale", source, alpha, "-o", source))
    assert "cannot be written" in refusal(run("upscale", source, "-o", source / "b.png"))
    assert "transparency" in refusal(run("upscale", alpha, "-o", tmp_path / "b.jpg"))
    assert "no model 'facez'" in refusal(run("upscale", source, "-o", tmp_path / "b.png", "--model", "facez"))
    assert "is not one of ours" in refusal(
        run(
            "upscale",
            source,
            "-o",
            tmp_path / "b.png",
            "--model",
            (tmp_path / "a.png").rename(tmp_path / "x.onnx"),
        )
    )
    (tmp_path / "x.onnx").rename(source)
    assert sorted(tmp_path.iterdir()) == before


def test_two_results_of_one_name_are_refused(picture, tmp_path: Path) -> None:
    first, second = picture("one/a.png"), picture("two/a.png")
    assert "would both become" in refusal(run("upscale", first, second, "-o", tmp_path / "out"))


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = ["--debug", "upscale", str(tmp_path / "a.png"), "--model", "facez", "-o", str(tmp_path / "b.png")]
    done = subprocess.run([sys.executable, "-m", "srez", *words], capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "ModelError" in done.stderr


def test_demo_writes_the_sheet_and_the_table(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = run("demo", "-o", sheet)
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in ("nearest", "bicubic", "srez", "faces-rgb"))
    assert images.read(sheet).pixels.shape[1] > 4 * 256
    figures = json.loads(run("demo", "-o", sheet, "--json").stdout)["figures"]
    assert figures["srez"]["psnr"] > figures["bicubic"]["psnr"] + 1.5
    assert figures["srez"]["ssim"] > figures["bicubic"]["ssim"] + 0.05
    assert figures["srez"]["consistency"] < 0.3


def test_demo_into_a_missing_folder(tmp_path: Path) -> None:
    assert "cannot be written" in refusal(run("demo", "-o", tmp_path / "missing/sheet.png"))


def test_recipes_are_listed_and_printed(tmp_path: Path) -> None:
    listed = run("recipes").stdout
    assert all(name in listed for name in ("faces", "smoke", "srez"))
    own = tmp_path / "own.toml"
    own.write_text(run("recipes", "show", "faces").stdout)
    assert own.read_text() == run("recipes", "show", own).stdout
    assert "no recipe 'facez'" in refusal(run("recipes", "show", "facez"))


@pytest.mark.parametrize("words", [("train", "smoke"), ("recipes",)])
def test_training_without_its_extra(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    assert "training needs the packages tensorflow: pip install 'srez[train]'" in refusal(run(*words))


@pytest.mark.parametrize(
    ("words", "package", "task"),
    [(("runs",), "filelock", "listing runs"), (("report", "runs/a"), "matplotlib", "writing a report")],
)
def test_looking_at_runs_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], package: str, task: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"{task} needs the packages {package}: pip install 'srez[train]'" in refusal(run(*words))


def test_models_lists_the_box() -> None:
    result = run("models")
    assert result.exit_code == 0
    assert "faces" in result.stdout
    (card,) = [each for each in json.loads(run("models", "--json").stdout) if each["name"] == "faces"]
    assert card["scale"] == 4
    assert card["parameters"] < 1_000_000
    assert card["multiply_adds"] * 256 < 0.4e9
