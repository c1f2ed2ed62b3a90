"""`srez models`."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from helpers import foreign, models
from helpers.foreign import KINDS
from srez.cli import app
from srez.models import box


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, words)], env={"COLUMNS": "200"})


def test_the_table_has_a_row_for_each_model() -> None:
    result = run()
    assert result.exit_code == 0, result.output
    for name in box.names():
        (line,) = (line for line in result.stdout.splitlines() if line.split()[:2] == [name, "x4"])
        assert "MB" in line
        assert "research" in line or "commercial" in line


def test_a_model_is_shown_with_all_its_card() -> None:
    result = run("show", "faces")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    for word in (
        "non-commercial research only",
        "never evidence of who",
        "0 (vivid) to 1 (faithful), by default 0.5",
        "500 validation faces",
        "faces-rgb",
        "bicubic",
        "training.generator.blocks 10",
        "img_align_celeba.zip, lfw_aligned.zip",
        "faces-samples.onnx",
        "faces-uncertainty.onnx",
        "of mean",
        "age, %",
    ):
        assert word in text
    card = box.card(box.find("faces"))
    assert card.sha256 in "".join(result.stdout.split())  # on two lines of 80 columns, but whole


def test_both_print_json() -> None:
    cards = json.loads(run("--json").stdout)
    assert [card["name"] for card in cards] == [*box.names(), *box.methods()]
    faces = json.loads(run("show", "faces", "--json").stdout)
    assert faces == cards[box.names().index("faces")]
    assert faces["parameters"] < 1_000_000
    assert faces["multiply_adds"] * 256 < 0.4e9


def test_ones_own_model_is_shown_with_its_brackets(tmp_path: Path) -> None:
    figures = [
        {"method": "bicubic", "psnr": 20.0},
        {"method": "[b]mine", "psnr": 21.0, "ssim": 0.5, "set": "[1]"},
    ]
    model = models.write(tmp_path / "[i]mine.onnx", limits="See [bold] and [/x] :smile:.", figures=figures)
    result = run("show", model)
    assert result.exit_code == 0, result.output
    text = "".join(result.stdout.split())
    for word in ("[i]mine.onnx", "See[bold]and[/x]:smile:.", "[b]mine", "[1]", "20.00"):
        assert word in text


@pytest.mark.parametrize("name", ["facez", "nowhere.onnx"])
def test_a_model_that_does_not_exist(name: str) -> None:
    result = run("show", name)
    assert result.exit_code == 2
    assert name in result.stderr


def test_dates_in_a_card_are_text_in_json(tmp_path: Path) -> None:
    path = models.write(tmp_path / "a.onnx", training={"when": date(2026, 11, 28)})
    shown = run("show", path, "--json")
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["training"]["when"] == "2026-11-28"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SREZ_MODELS", str(tmp_path / "my models"))
    return tmp_path / "my models"


def test_a_model_is_added_listed_used_and_removed(folder: Path, tmp_path: Path, picture) -> None:
    file = foreign.write(tmp_path / "4x-Fur.onnx", KINDS["blocks"], seed=1)
    done = run("add", file, "--name", "fur", "--licence", 'CC0 \u2713 "quoted"')
    assert done.exit_code == 0, done.output
    assert (folder / "fur.toml").is_file()
    cards = {card["name"]: card for card in json.loads(run("--json").stdout)}
    assert cards.keys() == {*box.names(), *box.methods(), "fur"}
    assert cards["fur"]["licence"] == 'CC0 \u2713 "quoted"'
    assert cards["fur"]["form"]["multiple"] == 8
    assert "in multiples of 8 pixels" in run("show", "fur").stdout
    done = CliRunner().invoke(app, ["upscale", str(picture("a.png", (20, 30, 3))), "--model", "fur"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a_x2.png").is_file()
    assert run("remove", "fur").exit_code == 0
    assert not list(folder.iterdir())
    assert run("remove", "fur").exit_code == 2


def test_a_model_without_a_card_is_named(folder: Path) -> None:
    folder.mkdir()
    models.write_guessing(folder / "guessing.onnx")  # the files of its samples have no cards of their own
    bare = foreign.write(folder / "bare.onnx", KINDS["nhwc"], seed=1)
    for words in ((), ("--json",)):
        result = run(*words)
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [
            f"srez: warning: {bare} has no card and is left out: write one with srez models add {bare}"
        ]
    assert run("add", bare).exit_code == 0
    assert not run().stderr


def test_names_that_cannot_be_added(folder: Path, tmp_path: Path) -> None:
    file = foreign.write(tmp_path / "x.onnx", KINDS["nchw"], seed=1)
    for name in ("photo", "auto", "../x", "/", "a b"):
        assert run("add", file, "--name", name).exit_code == 2
    assert run("add", file).exit_code == 0
    assert run("add", file).exit_code == 2
    assert run("add", tmp_path / "absent.onnx").exit_code == 2
    assert run("remove", "photo").exit_code == 2
    assert [path.name for path in sorted(folder.iterdir())] == ["x.onnx", "x.toml"]


def test_what_is_known_need_not_be_found_out(folder: Path, tmp_path: Path) -> None:
    file = foreign.write(tmp_path / "x.onnx", KINDS["nchw"], seed=1)
    assert run("add", file, "--range", "255", "--layout", "NCHW").exit_code == 0
    assert json.loads(run("show", "x", "--json").stdout)["form"]["takes"] == [0, 255]
    assert run("add", file, "--name", "y", "--range", "7").exit_code == 2


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_pytorch_need_one_more_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr("srez.cli.extras.find_spec", lambda _name: None)
    (tmp_path / f"x{suffix}").write_bytes(b"weights")
    result = run("add", tmp_path / f"x{suffix}")
    assert result.exit_code == 2
    assert "srez[convert]" in result.stderr
    (tmp_path / "a.png").write_bytes(b"")
    words = ["upscale", str(tmp_path / "a.png"), "--model", str(tmp_path / f"x{suffix}")]
    result = CliRunner().invoke(app, words, env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert "srez models add" in result.stderr
