"""Samples and uncertainties, in Python and from the command line, with small models made on the spot."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

import srez
from helpers import models, pictures
from helpers.commands import refusal, upscale
from srez import images
from srez.datasets import faces
from srez.errors import ImageError, ModelError, OptionError
from srez.evaluation import demo, metrics
from srez.evaluation.protocol import FACES_RGB
from srez.images import resample
from srez.upscaling import samples


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.write_guessing(tmp_path / "guessing.onnx")


@pytest.fixture
def picture(tmp_path: Path, random: np.random.Generator) -> Path:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    images.write(path, images.Picture(random.integers(60, 200, (9, 12, 3), dtype=np.uint8)))
    return path


def test_samples_follow_from_seed_and_number(model: Path, random: np.random.Generator) -> None:
    upscaler = srez.load(model)
    image = random.integers(60, 200, (9, 12, 3), dtype=np.uint8)
    three = upscaler.samples(image, 3, seed=1)
    assert [each.shape for each in three] == [(36, 48, 3)] * 3
    assert not np.array_equal(three[0], three[1])
    assert all(map(np.array_equal, three, upscaler.samples(image, 5, seed=1)))
    assert not np.array_equal(three[0], upscaler.samples(image, 1, seed=2)[0])


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_samples_have_the_kind_of_their_picture(
    model: Path, channels: int, random: np.random.Generator
) -> None:
    image = random.integers(60, 200, (6, 7, channels)).astype(np.uint16)
    image = image[..., 0] if channels == 1 else image
    (sample,) = srez.load(model).samples(image, 1)
    assert sample.dtype == np.uint16
    assert sample.shape == (24, 28, *image.shape[2:])
    opened = Image.fromarray(image.astype(np.uint8)) if channels == 4 else None
    if opened:
        assert srez.load(model).samples(opened, 1)[0].mode == "RGBA"


def test_a_sheet_and_numbered_files(model: Path, picture: Path) -> None:
    assert upscale(picture, "--model", model, "--samples", 3, "--seed", 5).exit_code == 0
    names = sorted(path.name for path in picture.parent.iterdir())
    assert names == ["a.png", "a_x4.1.png", "a_x4.2.png", "a_x4.3.png", "a_x4.sheet.png"]
    expected = srez.load(model).samples(images.read(picture).pixels, 3, seed=5)
    for number, sample in enumerate(expected, 1):
        written = images.read(picture.with_name(f"a_x4.{number}.png")).pixels
        assert np.array_equal(written, sample)
    sheet = images.read(picture.with_name("a_x4.sheet.png")).pixels
    assert sheet.shape == (2 * (36 + 6) + 6, 2 * (48 + 6) + 6, 3)
    assert np.array_equal(sheet[6 : 6 + 36, 60 : 60 + 48], expected[0])
    before = {path: path.read_bytes() for path in picture.parent.iterdir()}
    assert upscale(picture, "--model", model, "--samples", 3).exit_code == 1
    assert {path: path.read_bytes() for path in picture.parent.iterdir()} == before
    (entry,) = json.loads(upscale(picture, "--model", model, "--samples", 3, "--overwrite", "--json").stdout)[
        "done"
    ]
    assert (entry["model"], entry["fidelity"], entry["repair"]) == ("guessing", None, 0)
    assert entry["beside"] == [str(picture.with_name(f"a_x4.{number}.png")) for number in (1, 2, 3)]
    again = json.loads(upscale(picture.parent, "--model", model, "--samples", 2, "--skip", "--json").stdout)
    assert len(again["earlier_results"]) == 4  # none of them is taken for a picture to upscale
    assert [entry["source"] for entry in again["skipped"]] == [str(picture)]


@pytest.mark.parametrize(
    "words", [("--samples", 3), ("--samples", 4, "--scale", 2), ("--samples", 1), ("--uncertainty",)]
)
def test_a_dry_run_tells_what_comes(model: Path, picture: Path, words: tuple[object, ...]) -> None:
    words = (picture, "--model", model, *words)
    rehearsed = upscale(*words, "--dry-run", "--json")
    assert [path.name for path in picture.parent.iterdir()] == ["a.png"]
    (planned,) = json.loads(rehearsed.stdout)["planned"]
    (done,) = json.loads(upscale(*words, "--json").stdout)["done"]
    assert planned == {key: done[key] for key in planned}
    assert images.size(Path(done["target"])) == (planned["width"], planned["height"])
    assert all(Path(path).is_file() for path in planned["beside"])
    again = upscale(*words, "--dry-run")
    assert again.exit_code == 1
    assert "exists: use --overwrite" in again.stderr


def test_a_dry_run_tells_of_samples_that_are_refused(model: Path, picture: Path) -> None:
    large = picture.with_name("b.png")
    Image.new("L", (513, 512)).save(large)
    picture.with_name("a_x4.2.png").touch()
    for planned in (["--dry-run"], []):
        refused = upscale(picture, large, "--model", model, "--samples", 2, *planned, "--json")
        first, second = json.loads(refused.stdout)["failed"]
        assert "a_x4.2.png exists" in first["error"]
        assert "b.png: samples are made of pictures of at most" in second["error"]


@pytest.mark.parametrize(
    "words",
    [
        ("--model", "plain", "--samples", 2),
        ("--model", "plain", "--uncertainty"),
        ("--model", "photo", "--uncertainty", "--fidelity", 0.25),
        ("--model", "photo", "--uncertainty", "--repair", 1),
        ("--samples", 2),
    ],
)
def test_a_dry_run_refuses_what_a_model_cannot_guess(
    picture: Path, tmp_path: Path, words: tuple[object, ...]
) -> None:
    plain = models.write(tmp_path / "plain.onnx")
    words = tuple(plain if word == "plain" else word for word in words)
    runs = [upscale(picture, *words, *planned) for planned in (["--dry-run"], [])]
    rehearsed, done = (refusal(run, exit_code=1) for run in runs)
    assert rehearsed == done


def test_a_dry_run_takes_a_picture_of_that_size_for_a_face(tmp_path: Path) -> None:
    images.write(tmp_path / "face.png", images.Picture(pictures.portrait()))
    for planned in (["--dry-run"], []):
        assert upscale(tmp_path / "face.png", "--samples", 2, *planned).exit_code == 0


def test_the_uncertainty_says_its_unit(model: Path, picture: Path) -> None:
    done = upscale(picture, "--model", model, "--uncertainty")
    assert done.exit_code == 0
    assert ", beside it a_x4.uncertainty.png" in done.stdout
    with Image.open(picture.with_name("a_x4.uncertainty.png")) as file:
        assert file.mode.startswith("I;16")
        assert "9 of 10 pixels" in file.info["Description"]
        assert "65535" in file.info["Description"]
        values = np.asarray(file)
    assert values.shape == (36, 48)
    assert np.unique(values).tolist() == [round(0.02 * 2.5 * 65535)]
    assert picture.with_name("a_x4.png").is_file()
    distance = srez.load(model).uncertainty(images.read(picture).pixels)
    assert distance.dtype == np.float32
    assert distance == pytest.approx(0.05)


def test_the_uncertainties_of_pictures_of_one_name_are_two_files(model: Path, picture: Path) -> None:
    Image.open(picture).convert("RGB").save(picture.with_suffix(".jpg"))
    done = upscale(picture, picture.with_suffix(".jpg"), "--model", model, "--uncertainty")
    assert done.exit_code == 0
    written = sorted(path.name for path in picture.parent.glob("*.uncertainty.png"))
    assert written == ["a_x4.jpg.uncertainty.png", "a_x4.uncertainty.png"]


@pytest.mark.parametrize("words", [("--samples", 2), ("--uncertainty",)])
def test_memory_that_does_not_suffice_is_told(
    model: Path, picture: Path, words: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("srez.models.runtime.Network.run", run)
    refused = upscale(picture, "--model", model, *words)
    assert "a.png: out of memory: try a smaller picture" in refusal(refused, exit_code=1)


def test_tiles_make_no_difference(model: Path, random: np.random.Generator) -> None:
    image = random.integers(0, 256, (80, 70, 4), dtype=np.uint8)
    whole, tiled = srez.load(model).uncertainty(image), srez.load(model, tile=32).uncertainty(image)
    assert whole.shape == (320, 280)
    assert np.array_equal(whole, tiled)


def test_the_box_knows_how_sure_it_is() -> None:
    truth = skimage.data.astronaut()  # neither trained on nor calibrated on
    low = resample.bicubic_reduce(truth, 4)
    upscaler = srez.load("photo")
    error = np.abs(upscaler(low, repair=0.0).astype(int) - truth).max(axis=2)
    distance = upscaler.uncertainty(low) * 255
    assert (error <= distance).mean() == pytest.approx(0.9, abs=0.05)
    steep = error > np.quantile(error, 0.9)
    assert distance[steep].mean() > 2 * distance[~steep].mean()
    with pytest.raises(OptionError, match="default fidelity"):
        srez.load("photo", fidelity=0.5).uncertainty(low)


def test_samples_of_the_box_agree_with_the_input_and_not_with_each_other() -> None:
    low = faces.reduced(demo.portrait()[None])[0]
    drawn = np.stack(srez.load("faces").samples(low, 4, seed=1))
    rounded = images.to_uint8(drawn)
    assert min(metrics.lr_psnr(sample, low, FACES_RGB) for sample in rounded) > 60
    assert (rounded.astype(float).std(axis=0).mean()) > 2  # grey levels


def test_what_cannot_be_is_refused(model: Path, picture: Path, tmp_path: Path) -> None:
    plain = srez.load(models.write(tmp_path / "plain.onnx"))
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ModelError, match="plain makes no samples"):
        plain.samples(image)
    with pytest.raises(ModelError, match="plain does not know how sure it is"):
        plain.uncertainty(image)
    upscaler = srez.load(model)
    for count, seed in ((0, 0), (samples.MOST + 1, 0), (1, -1), (1, 2**63)):
        with pytest.raises(OptionError):
            upscaler.samples(image, count, seed)
    with pytest.raises(ImageError, match="at most"):
        upscaler.samples(np.zeros((513, 512), np.uint8), 1)
    for options in (
        ("--samples", 2, "--uncertainty"),
        ("--samples", 2, "--fidelity", 0),
        ("--seed", 3),
        ("--uncertainty", "--scale", 2),
        ("--samples", 2, "--engine", "ray"),
    ):
        failed = upscale(picture, "--model", model, *options)
        assert failed.exit_code == 2, options
        assert str(options[0]) in failed.stderr, options
    failed = upscale(picture, "--model", tmp_path / "plain.onnx", "--samples", 2)
    assert failed.exit_code == 1
    assert f"{picture}: model plain makes no samples" in " ".join(failed.stderr.split())
    assert [path.name for path in picture.parent.iterdir()] == ["a.png"]
    failed = upscale(picture, "--model", model, "--samples", 2, "-o", "-")
    assert failed.exit_code == 1
