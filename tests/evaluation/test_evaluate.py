"""`srez evaluate`: figures that match the published ones, on anything that upscales."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from typer.testing import CliRunner, Result

from helpers import models
from srez import images
from srez.cli import app
from srez.errors import ModelError
from srez.evaluation import evaluate, methods, metrics, pairs
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import Picture, resample, to_float, to_uint8
from srez.progress import untracked
from srez.train.combine import combine

# SelfExSR's published bicubic means at x4: PSNR, SSIM.
PUBLISHED = {"Set5": (28.418, 0.8101), "Set14": (25.993, 0.7023), "BSD100": (25.957, 0.6672)}


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def refusal(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 2, result.output
    (sentence,) = (line for line in result.stderr.splitlines() if line.startswith("srez: "))
    return sentence


def means(path: Path) -> dict[str, dict[str, float]]:
    return {method["name"]: method["mean"] for method in json.loads(path.read_text())["methods"]}


@pytest.fixture
def benchmark(tmp_path: Path, random: np.random.Generator) -> Path:
    """Three pairs, the second gray, in the layout of the benchmarks."""
    folder = tmp_path / "Set3"
    for part in ("HR", "LR_x4"):
        (folder / part).mkdir(parents=True)
    for number, shape in enumerate([(16, 12, 3), (15, 14), (16, 12, 3)]):
        low = random.integers(0, 256, shape, dtype=np.uint8)
        channels = to_float(low).reshape(1, *shape[:2], -1)
        high = to_uint8(resample.bicubic(channels, 4)[0] + random.normal(0, 0.02)).reshape(
            shape[0] * 4, shape[1] * 4, *shape[2:]
        )
        images.write(folder / f"LR_x4/img_{number}.png", Picture(low))
        images.write(folder / f"HR/img_{number}.png", Picture(high))
    return folder


def enlarging_model(path: Path, layout: str, top: float, scale: int = 4) -> Path:
    """An ONNX file that repeats pixels; 0.11 of its range lighter, so that a wrong range shows."""
    axes = ["N", "H", "W", 3] if layout == "NHWC" else ["N", 3, "H", "W"]
    factors = [1.0, scale, scale, 1.0] if layout == "NHWC" else [1.0, 1.0, scale, scale]
    nodes = [
        helper.make_node("Resize", ["x", "", "factors"], ["large"], mode="nearest"),
        helper.make_node("Add", ["large", "offset"], ["lighter"]),
        helper.make_node("Clip", ["lighter", "", "top"], ["y"]),
    ]
    constants = [
        helper.make_tensor("factors", TensorProto.FLOAT, [4], factors),
        helper.make_tensor("offset", TensorProto.FLOAT, [], [top * 0.11]),
        helper.make_tensor("top", TensorProto.FLOAT, [], [top]),
    ]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)
    graph = helper.make_graph(
        nodes, "g", [entry], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)], constants
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.mark.shared
@pytest.mark.parametrize("name", PUBLISHED)
def test_bicubic_reproduces_the_published_means(shared: Path, name: str) -> None:
    measured_on = pairs.from_benchmark(shared / "benchmarks" / name)
    (bicubic,) = evaluate.evaluate(methods.baselines(4)[1:], measured_on, untracked).results
    psnr, ssim = PUBLISHED[name]
    assert bicubic.mean["psnr"] == pytest.approx(psnr, abs=0.01)
    assert bicubic.mean["ssim"] == pytest.approx(ssim, abs=0.0005)


@pytest.mark.shared
def test_the_gray_picture_of_set14_stays_gray(shared: Path) -> None:
    measured_on = pairs.from_benchmark(shared / "benchmarks/Set14").pairs
    (gray,) = [pair for pair in measured_on if pair.high.ndim == 2]
    assert gray.name == "img_003"

    def psnr(low: np.ndarray, high: np.ndarray) -> float:
        output = methods.baselines(4)[1].upscale(low[None], [gray])[0]
        return metrics.psnr(output, high, Y_MATLAB_X4)

    as_it_is = psnr(gray.low, gray.high)
    converted = psnr(*(np.repeat(image[..., None], 3, axis=2) for image in (gray.low, gray.high)))
    assert converted - as_it_is == pytest.approx(1.318, abs=0.05)


@pytest.mark.shared
def test_the_box_beats_bicubic_on_validation_faces(shared: Path, tmp_path: Path) -> None:
    folder = shared / "celeba-half"
    out = tmp_path / "faces.json"
    sources = ("--faces", folder / "img_align_celeba.zip", "--partition", folder / "list_eval_partition.txt")
    assert run(*sources, "--json", out).exit_code == 0
    found = means(out)
    for figure, expected in {"psnr": 23.334, "ssim": 0.6986, "consistency": 3.412}.items():
        assert found["bicubic"][figure] == pytest.approx(expected, abs=0.001)
    assert found["nearest"]["psnr"] == pytest.approx(21.713, abs=0.001)
    assert found["faces"]["psnr"] > found["bicubic"]["psnr"] + 2.5
    assert found["faces"]["ssim"] > found["bicubic"]["ssim"] + 0.12
    assert found["faces"]["consistency"] < 0.3


def test_luma_is_matlabs() -> None:
    # rgb2ycbcr of MATLAB: black 16, white 235, and the pure colours.
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert metrics.luma(colours).tolist() == [[16, 235, 81, 145, 41]]
    gray = np.array([[3, 200]], np.uint8)
    np.testing.assert_array_equal(metrics.luma(gray), gray)


def test_the_same_evaluation_gives_the_same_json(benchmark: Path, tmp_path: Path) -> None:
    texts = []
    for number in (1, 2):
        out = tmp_path / f"{number}.json"
        assert run("--benchmark", benchmark, "--model", "faces", "--json", out).exit_code == 0
        result = json.loads(out.read_text())
        assert all(method.pop("images_per_second") > 0 for method in result["methods"])
        texts.append(json.dumps(result))
    assert texts[0] == texts[1]
    result = json.loads(texts[0])
    assert result["protocol"]["name"] == "y-matlab-x4"
    assert [method["name"] for method in result["methods"]] == ["nearest", "bicubic", "faces"]
    assert list(result["methods"][0]["each"]) == ["img_0", "img_1", "img_2"]
    assert len(result["methods"][2]["sha256"]) == 64
    assert result["versions"]["srez"]


def test_table_and_protocol_are_printed(benchmark: Path) -> None:
    output = " ".join(run("--benchmark", benchmark).stdout.split())
    assert "nearest" in output
    assert "3 images of Set3. y-matlab-x4: x4" in output


@pytest.mark.parametrize("option", ["--json", "--sheet"])
def test_an_unusable_place_is_told_before_measuring(benchmark: Path, tmp_path: Path, option: str) -> None:
    result = run("--benchmark", benchmark, option, tmp_path / "nowhere/a.png")
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path / "nowhere") in result.stderr.replace("\n", "")
    assert "cannot be written: it is no file" in refusal("--benchmark", benchmark, option, tmp_path)


def test_what_a_model_is_not_is_printed_once(faces_zip: Path) -> None:
    words = ("--faces", faces_zip, "--limit", 1, "--fidelity", 0, "--fidelity", 1)
    assert " ".join(run(*words).stdout.split()).count("never evidence of who") == 1


def test_sheet_shows_worst_median_best(
    benchmark: Path, faces_zip: Path, partition: Path, tmp_path: Path
) -> None:
    assert run("--benchmark", benchmark, "--sheet", tmp_path / "a.png").exit_code == 0
    assert images.read(tmp_path / "a.png").pixels.shape[1] > 3 * 48
    words = ("--faces", faces_zip, "--partition", partition)
    assert run(*words, "--sheet", tmp_path / "b.png", "--limit", 3).exit_code == 0
    assert images.read(tmp_path / "b.png").pixels.shape[1] > 4 * 128


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("top", [1, 255])
def test_any_onnx_model_can_be_measured(benchmark: Path, tmp_path: Path, layout: str, top: int) -> None:
    path = enlarging_model(tmp_path / "other.onnx", layout, top)
    low = images.read(benchmark / "LR_x4/img_0.png").pixels
    expected = to_uint8(resample.nearest(to_float(low), 4) + 0.11)
    found = methods.model(str(path), 4)
    np.testing.assert_array_equal(found.upscale(low[None], [])[0], expected)
    assert found.form
    assert (found.form.takes, found.form.layout) == ((0, top), layout)
    gray = images.read(benchmark / "LR_x4/img_1.png").pixels
    assert found.upscale(gray[None], []).shape == (1, 60, 56)
    assert run("--benchmark", benchmark, "--model", path, "--range", top, "--layout", layout).exit_code == 0


def test_looks_are_measured_of_those_that_have_two(benchmark: Path, tmp_path: Path) -> None:
    other, out = enlarging_model(tmp_path / "other.onnx", "NHWC", 1), tmp_path / "a.json"
    words = ("--benchmark", benchmark, "--model", other, "--fidelity", 0, "--fidelity", 1)
    assert "omit the fidelity" in refusal(*words)
    assert run(*words, "--model", "faces", "--json", out).exit_code == 0
    assert list(means(out)) == ["nearest", "bicubic", str(other), "faces, fidelity 0", "faces, fidelity 1"]


def test_results_of_another_program(benchmark: Path, tmp_path: Path) -> None:
    results = tmp_path / "bicubic-elsewhere"
    results.mkdir()
    for low in (benchmark / "LR_x4").iterdir():
        with Image.open(low) as image:
            large = image.resize((image.width * 4, image.height * 4), Image.Resampling.BICUBIC)
            large.save(results / low.name)
    out = tmp_path / "a.json"
    result = run("--benchmark", benchmark, "--images", results, "--json", out)
    assert result.exit_code == 0
    *measured, elsewhere = json.loads(out.read_text())["methods"]
    assert all(method["images_per_second"] > 0 for method in measured)
    assert elsewhere["images_per_second"] is None  # that of reading files would tell nothing
    (row,) = (line for line in result.stdout.splitlines() if "elsewhere" in line)
    assert row.split()[-1] == "-"
    found = means(out)
    assert found["bicubic-elsewhere"]["psnr"] == pytest.approx(found["bicubic"]["psnr"], abs=0.5)


def test_truth_is_consistent_with_itself(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    truths = tmp_path / "truths"
    truths.mkdir()
    for pair in pairs.from_faces(faces_zip, partition, 1).pairs:
        images.write(truths / f"{Path(pair.name).stem}.png", Picture(pair.high))
    out = tmp_path / "a.json"
    words = ("--faces", faces_zip, "--partition", partition, "--images", truths)
    result = run(*words, "--json", out)
    assert "an exact image counts as 100 dB; exact: truths 4." in " ".join(result.stdout.split())
    assert means(out)["truths"]["psnr"] == metrics.EXACT
    assert means(out)["truths"]["consistency"] < 1e-4
    assert means(out)["truths"]["ssim"] == pytest.approx(1)


def test_splits_and_limits(faces_zip: Path, partition: Path) -> None:
    words = ("--faces", faces_zip, "--partition", partition)
    for split, count in (("train", 18), ("val", 4), ("test", 2)):
        assert f"{count} images of" in run(*words, "--split", split, "--model", "faces").stdout
    assert "2 images of" in run(*words, "--limit", 2).stdout
    assert "24 images of" in run("--faces", faces_zip).stdout
    assert "holds 4 pictures, fewer than --limit 9" in refusal(*words, "--limit", 9)


def test_refusals(benchmark: Path, tmp_path: Path, faces_zip: Path) -> None:
    assert "give either --benchmark or --faces" in refusal()
    assert "give either --benchmark or --faces" in refusal("--benchmark", benchmark, "--faces", faces_zip)
    assert "--partition requires --faces" in refusal("--benchmark", benchmark, "--partition", faces_zip)
    assert "expected folders HR and LR_x4" in refusal("--benchmark", tmp_path)
    assert "--range 2" in refusal("--benchmark", benchmark, "--range", 2)
    sheet = refusal("--benchmark", benchmark, "--images", tmp_path / "nowhere", "--sheet", "sheet.bmpx")
    assert sheet.startswith("srez: sheet.bmpx")  # before anything else is looked at
    assert "no model 'facez'" in refusal("--benchmark", benchmark, "--model", "facez")
    wrong = enlarging_model(tmp_path / "twice.onnx", "NHWC", 1, scale=2)
    assert "upscales x2, but the protocol needs x4" in refusal(
        "--benchmark", benchmark, "--model", wrong, "--range", 1
    )
    (tmp_path / "bad.onnx").write_text("these are words")
    assert "cannot be loaded as an ONNX model" in refusal(
        "--benchmark", benchmark, "--model", tmp_path / "bad.onnx"
    )
    assert "nowhere is not a folder" in refusal("--benchmark", benchmark, "--images", tmp_path / "nowhere")
    results = tmp_path / "results"
    shutil.copytree(benchmark / "HR", results)
    (results / "img_2.png").unlink()
    assert "holds no result for img_2" in refusal("--benchmark", benchmark, "--images", results)
    shutil.copy(benchmark / "HR/img_1.png", results / "img_2.png")
    assert "img_2.png is gray 56x60, but its truth is RGB 48x64" in refusal(
        "--benchmark", benchmark, "--images", results
    )


def test_lack_of_memory_is_an_error_of_the_method(benchmark: Path) -> None:
    def upscale(lows: np.ndarray, _: Sequence[pairs.Pair]) -> np.ndarray:
        raise MemoryError(lows.shape)

    with pytest.raises(ModelError, match=r"huge ran out of memory on img_0 \(12x16\)"):
        evaluate.evaluate([methods.Method("huge", upscale)], pairs.from_benchmark(benchmark), untracked)


def test_pairs_that_do_not_fit(benchmark: Path) -> None:
    low, high = benchmark / "LR_x4/img_0.png", benchmark / "HR/img_0.png"
    whole = high.read_bytes()
    images.write(high, Picture(np.zeros((64, 44, 3), np.uint8)))
    assert "img_0.png is 44x64, not 4 times the 12x16" in refusal("--benchmark", benchmark)
    images.write(high, Picture(np.zeros((64, 48), np.uint8)))
    assert "img_0.png is RGB, but" in refusal("--benchmark", benchmark)
    high.write_bytes(whole[:100])
    assert "HR/img_0.png is damaged" in refusal("--benchmark", benchmark)
    high.unlink()
    assert "LR_x4/img_0.png has no partner in" in refusal("--benchmark", benchmark)
    low.unlink()
    (benchmark / "LR_x4/img_1.png").unlink()
    assert "HR/img_1.png has no partner in" in refusal("--benchmark", benchmark)


def test_damaged_faces_are_not_measured_around(faces_zip: Path, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces/a.jpg").write_text("these are words")
    assert "a.jpg is not a PNG" in refusal("--faces", tmp_path / "faces")


def test_damage_is_the_same_each_time_and_grows(benchmark: Path) -> None:
    psnr = {}
    for degree in ("light", "medium", "heavy"):
        pair_set = pairs.from_benchmark(benchmark, degree=degree)
        assert pair_set.protocol.name == f"y-matlab-x4-{degree}"
        for one, again in zip(
            pair_set.pairs, pairs.from_benchmark(benchmark, degree=degree).pairs, strict=True
        ):
            np.testing.assert_array_equal(one.low, again.low)
            assert one.low.shape == (one.high.shape[0] // 4, one.high.shape[1] // 4, 3)
            assert one.jpeg
        evaluation = evaluate.evaluate(methods.baselines(4), pair_set, untracked)
        psnr[degree] = evaluation.rows["bicubic"]["psnr"]
    assert psnr["light"] > psnr["medium"] > psnr["heavy"]


def test_a_model_repairs_what_the_damage_asks_for(benchmark: Path, tmp_path: Path) -> None:
    model, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    whole = models.write(tmp_path / "whole.onnx", seed=1)
    combine(whole, {"repair": other})
    table = run(
        "--benchmark", benchmark, "--damage", "heavy", "--model", whole, "--json", tmp_path / "auto.json"
    )
    assert table.exit_code == 0, table.output
    assert "JPEG, the last of quality 30 to 60" in " ".join(table.stdout.split())
    run("--benchmark", benchmark, "--damage", "heavy", "--model", model, "--json", tmp_path / "none.json")
    for name, repair in (("full", 1), ("off", 0)):
        command = ("--benchmark", benchmark, "--damage", "heavy", "--model", whole, "--repair", repair)
        run(*command, "--json", tmp_path / f"{name}.json")
    figures = {
        name: list(means(tmp_path / f"{name}.json").values())[-1] for name in ("auto", "full", "none", "off")
    }
    assert figures["auto"] == figures["full"] != figures["off"]
    assert figures["off"] == figures["none"]


def test_a_repair_is_named_and_refused_where_no_model_repairs(benchmark: Path, tmp_path: Path) -> None:
    plain, other = models.write(tmp_path / "plain.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    assert "model plain does not repair" in refusal("--benchmark", benchmark, "--model", plain, "--repair", 1)
    mends = models.write(tmp_path / "mends.onnx", seed=1)
    combine(mends, {"repair": other})
    words = ("--benchmark", benchmark, "--model", plain, "--model", mends, "--repair", 1)
    assert run(*words, "--json", tmp_path / "all.json").exit_code == 0
    assert list(means(tmp_path / "all.json"))[2:] == [str(plain), f"{mends}, repair 1"]


def test_damage_is_of_benchmarks_only(faces_zip: Path) -> None:
    assert "--damage requires --benchmark" in refusal("--faces", faces_zip, "--damage", "light")
