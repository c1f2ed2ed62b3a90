"""The folders in which benchmarks and results come."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from helpers import models
from srez import images
from srez.cli import app
from srez.evaluation import metrics
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import Picture, resample, to_float, to_uint8

LOW_SHAPE = (12, 15, 3)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words), "--model", "faces"])


def measured(folder: Path, *words: object) -> dict:
    """What `srez evaluate` writes as JSON for a benchmark."""
    out = folder.parent / "out.json"
    result = run("--benchmark", folder, "--json", out, *words)
    assert result.exit_code == 0, result.output
    return json.loads(out.read_text())


def refusal(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 2, result.output
    (sentence,) = (line for line in result.stderr.splitlines() if line.startswith("srez: "))
    return sentence


@pytest.fixture(scope="module")
def pictures() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Two inputs and their truths, by name."""
    random = np.random.default_rng(1)
    lows = [random.integers(60, 200, LOW_SHAPE, dtype=np.uint8) for _ in range(2)]
    highs = [to_uint8(resample.bicubic(to_float(low)[None], 4)[0] + 0.02) for low in lows]
    return {"0801": (lows[0], highs[0]), "img_001": (lows[1], highs[1])}


def write(folder: Path, pictures: dict, high: str, low: str | None) -> Path:
    """A benchmark whose files are named by two patterns."""
    for name, (small, large) in pictures.items():
        for pattern, pixels in ((high, large), (low, small)):
            if pattern:
                path = folder / pattern.format(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                images.write(path, Picture(pixels))
    return folder


@pytest.fixture(scope="module")
def expected(pictures: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("plain") / "Set2"
    return measured(write(folder, pictures, "HR/{}.png", "LR_x4/{}.png"))["methods"][1]["each"]


@pytest.mark.parametrize(
    ("high", "low"),
    [
        ("HR/{}.png", "LR_bicubic/X4/{}x4.png"),
        ("DIV2K_valid_HR/{}.png", "DIV2K_valid_LR_bicubic/X4/{}x4.png"),
        ("GTmod12/{}.png", "LRbicx4/{}.png"),
        ("{}_SRF_4_HR.png", "{}_SRF_4_LR.png"),
        ("image_SRF_4/{}_SRF_4_HR.png", "image_SRF_4/{}_SRF_4_LR.png"),
        ("hr/{}_HR.png", "lr/{}_LR.png"),
    ],
)
def test_the_layouts_that_everybody_has(
    pictures: dict, expected: dict, tmp_path: Path, high: str, low: str
) -> None:
    folder = write(tmp_path / "Set2", pictures, high, low)
    result = measured(folder)
    assert result["methods"][1]["each"] == expected
    assert result["notes"] == []


def test_what_lies_beside_is_left_out(pictures: dict, expected: dict, tmp_path: Path) -> None:
    folder = write(tmp_path / "Set2", pictures, "GTmod12/{}.png", "LRbicx4/{}.png")
    write(folder, pictures, "original/{}.png", "LRbicx2/{}.png")
    assert measured(folder)["methods"][1]["each"] == expected
    folder = write(tmp_path / "Set2-2", pictures, "{}_SRF_4_HR.png", "{}_SRF_4_LR.png")
    write(folder, pictures, "{}_SRF_4_SRCNN.png", None)
    assert measured(folder)["methods"][1]["each"] == expected


@pytest.mark.parametrize("high", ["HR/{}.png", "{}.png", "original/{}.png"])
def test_missing_inputs_are_made_and_that_is_said(pictures: dict, tmp_path: Path, high: str) -> None:
    folder = write(tmp_path / "Set2", pictures, high, None)
    write(tmp_path / "Set2", pictures, "LR_x2/{}.png", None)
    result = run("--benchmark", folder)
    assert result.exit_code == 0, result.output
    note = "2 of 2 images: the input was made from the truth by MATLAB's bicubic reduction."
    assert note in " ".join(result.stdout.split())
    psnr = measured(folder)["methods"][1]["mean"]["psnr"]
    truths = [large for _, large in pictures.values()]

    outputs = [
        to_uint8(resample.bicubic(to_float(resample.bicubic_reduce(t, 4))[None], 4)[0]) for t in truths
    ]
    each = [metrics.psnr(output, truth, Y_MATLAB_X4) for output, truth in zip(outputs, truths, strict=True)]
    assert psnr == pytest.approx(np.mean(each))


def test_truths_are_cropped_and_that_is_said(pictures: dict, expected: dict, tmp_path: Path) -> None:
    more = {
        name: (low, np.pad(high, ((0, 3), (0, 1), (0, 0)), mode="reflect"))
        for name, (low, high) in pictures.items()
    }
    result = measured(write(tmp_path / "Set2", more, "HR/{}.png", "LR_x4/{}.png"))
    assert result["methods"][1]["each"] == expected
    assert result["notes"] == ["2 of 2 images: the truth was cropped to a multiple of 4."]
    made = measured(write(tmp_path / "Set2-2", more, "HR/{}.png", None))
    assert len(made["notes"]) == 2


@pytest.mark.parametrize("name", ["{}_x4.png", "{}x4.png", "{}_SR.png", "{}x4_SR.png", "{}_SRF_4_SRCNN.png"])
def test_results_are_found_by_the_names_that_programs_give(pictures: dict, tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "Set2", pictures, "HR/{}.png", "LR_x4/{}.png")
    results = write(tmp_path / "perfect", pictures, name, None)
    assert measured(folder, "--images", results)["methods"][-1]["mean"]["psnr"] == metrics.EXACT


def test_the_longest_name_decides(pictures: dict, tmp_path: Path) -> None:
    (low, high), other = pictures["0801"], pictures["img_001"]
    names = {"a": (low, high), "a_b": other}
    folder = write(tmp_path / "Set2", names, "HR/{}.png", "LR_x4/{}x4.png")
    results = write(tmp_path / "perfect", names, "{}_SR.png", None)
    assert measured(folder, "--images", results)["methods"][-1]["mean"]["psnr"] == metrics.EXACT
    assert measured(folder, "--images", results, "--limit", 1)["methods"][-1]["mean"]["psnr"] == metrics.EXACT


def test_what_is_ambiguous_is_refused_with_both_names(pictures: dict, tmp_path: Path) -> None:
    folder = write(tmp_path / "a", pictures, "HR/{}.png", "LR_x4/{}.png")
    results = write(tmp_path / "results", pictures, "{}_x4.png", "{}_SR.png")
    sentence = refusal("--benchmark", folder, "--images", results)
    assert "0801_SR.png" in sentence
    assert "0801_x4.png" in sentence
    write(tmp_path / "b", pictures, "HR/{}_HR.png", "LR_x4/{}.png")
    write(tmp_path / "b", pictures, "HR/{}.png", None)
    sentence = refusal("--benchmark", tmp_path / "b")
    assert "0801.png" in sentence
    assert "0801_HR.png" in sentence
    write(tmp_path / "c", pictures, "HR/{}.png", "LR_x4/{}.png")
    write(tmp_path / "c", pictures, "GTmod12/{}.png", "LRbicx4/{}.png")
    sentence = refusal("--benchmark", tmp_path / "c")
    assert "GTmod12" in sentence
    assert "HR" in sentence
    write(tmp_path / "d", pictures, "HR/{}.png", "LR_x4/{}.png")
    write(tmp_path / "d", pictures, "HR/{}.png", "LR_x4/{}x4.png")
    sentence = refusal("--benchmark", tmp_path / "d")
    assert "0801.png" in sentence
    assert "0801x4.png" in sentence


def test_two_methods_of_one_name_are_refused(pictures: dict, tmp_path: Path) -> None:
    folder = write(tmp_path / "Set2", pictures, "HR/{}.png", "LR_x4/{}.png")
    for name in ("one/results", "two/results", "bicubic"):
        write(tmp_path / name, pictures, "{}.png", None)
    words = ("--images", tmp_path / "one/results", "--images", tmp_path / "two/results")
    assert "are named results" in refusal("--benchmark", folder, *words)
    assert "are named bicubic" in refusal("--benchmark", folder, "--images", tmp_path / "bicubic")
    assert "are named faces" in refusal("--benchmark", folder, "--model", "faces")


def test_folders_that_are_no_benchmark(pictures: dict, tmp_path: Path) -> None:
    assert "nowhere is not a folder" in refusal("--benchmark", tmp_path / "nowhere")
    assert "holds no pictures" in refusal("--benchmark", tmp_path)
    write(tmp_path / "a", pictures, "LR_x4/{}.png", None)
    assert "no truths: expected HR/" in refusal("--benchmark", tmp_path / "a")


def test_pictures_too_small_for_the_protocol_are_refused(tmp_path: Path) -> None:
    small = {"tiny": (np.zeros((4, 9, 3), np.uint8), np.zeros((19, 39, 3), np.uint8))}
    sentence = refusal("--benchmark", write(tmp_path / "Set1", small, "HR/{}.png", "LR_x4/{}.png"))
    assert "tiny.png is 39x19: the protocol needs 20x20" in sentence


def test_a_folder_of_a_models_name_does_not_hide_the_model(
    pictures: dict, expected: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "Set2", pictures, "HR/{}.png", "LR_x4/{}.png")
    monkeypatch.chdir(tmp_path)
    for name in ("faces", "faces.onnx", "model.onnx"):
        (tmp_path / name).mkdir()
    assert measured(folder)["methods"][1]["each"] == expected
    assert "model.onnx" in refusal("--benchmark", folder, "--model", "model.onnx")


def test_markup_in_names_and_cards_is_printed_as_it_is(pictures: dict, tmp_path: Path) -> None:
    folder = write(tmp_path / "Set[1] :smile:", {"[red]a": pictures["0801"]}, "HR/{}.png", "LR_x4/{}.png")
    results = write(tmp_path / "[b]ours", {"[red]a": pictures["0801"]}, "{}.png", None)
    model = models.write(tmp_path / "[i]net.onnx", limits="It is [bold] and [/x].")
    words = ("--images", results, "--model", model, "--sheet", tmp_path / "[u]sheet.png")
    result = run("--benchmark", folder, *words)
    assert result.exit_code == 0, result.output
    printed = result.stdout.replace("\n", "").replace(" ", "")
    for text in ("Set[1]:smile:", "[b]ours", "[i]net.onnx:Itis[bold]and[/x]."):
        assert text in printed
    demo = CliRunner().invoke(app, ["demo", "--model", str(model), "-o", str(tmp_path / "[u]demo.png")])
    assert demo.exit_code == 0, demo.output
    printed = demo.stdout.replace("\n", "").replace(" ", "")
    assert "[u]demo.png" in printed
    assert "Itis[bold]and[/x]." in printed
