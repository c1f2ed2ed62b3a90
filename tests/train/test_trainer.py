"""Whole runs of tiny networks."""

import itertools
import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

import srez
from helpers.training import PACE, TINY, Listener, board, gan, log, newest, tiny, train
from srez import images
from srez.cli import app
from srez.datasets import cartoons
from srez.errors import DataError, OptionError, TrainingError
from srez.evaluation import perceptual
from srez.runs import reading
from srez.runs.layout import RunLayout
from srez.train import checkpoint, data, health, losses, recipe, recipes, run, trainer


def test_a_run_leaves_what_it_promises(whole, faces: data.TrainingData) -> None:
    assert whole.result.step == 12
    assert whole.heard.steps == list(range(1, 13))
    game = {"adversarial", "discriminator", "real", "fake", "discriminator_gradient"}
    game |= {"discriminator_learning_rate"}
    terms = {"faces": {"l1"}, "srez": {"consistency"} | game}[whole.name]
    terms |= {"generator_gradient", "learning_rate"}
    lines = log(whole.out)
    assert [line["step"] for line in lines if "learning_rate" in line] == [2, 4, 6, 8, 10, 12]
    assert all(terms | {"step"} == set(line) for line in lines if "learning_rate" in line)
    validations = [line for line in lines if "validation_psnr" in line]
    assert [line["step"] for line in validations] == list(whole.heard.figures) == [0, 6, 12]
    start, bicubic = whole.heard.figures[0], whole.heard.beside[0]["bicubic"]
    assert [set(beside) for beside in whole.heard.beside.values()] == [
        {"bicubic"},
        *[{"start", "bicubic"}] * 2,
    ]
    assert whole.heard.beside[12] == {"start": start, "bicubic": bicubic}
    assert 15 < bicubic["psnr"] < 40
    assert validations[-1]["validation_psnr"] == whole.result.figures["psnr"]
    assert whole.heard.figures[12] == whole.result.figures
    layout = RunLayout(whole.out)
    assert images.read(layout.sheet(12)).pixels.ndim == 3
    figures = {"validation_psnr", "validation_ssim", "validation_consistency"}
    scalars = dict.fromkeys(terms | figures | {"seconds"}, "scalars")
    assert board(whole.out) == {**scalars, "sheet": "images", "outputs": "histograms"}
    assert recipes.load(str(layout.recipe)) == tiny(whole.name, "steps=12")
    about = json.loads(layout.run.read_text())
    assert about["data"] == faces.provenance.fingerprint
    assert about["versions"]["srez"] == srez.__version__


def test_all_networks_and_optimisers_are_saved(whole) -> None:
    parts = {key.partition("/")[0] for key in newest(whole.out)[0]}
    both = {"generator", "generator_optimizer", "discriminator", "discriminator_optimizer"}
    assert parts == {"faces": {"generator", "average", "generator_optimizer"}, "srez": both}[whole.name]


def test_the_best_by_validation_is_kept(whole) -> None:
    scores = {step: figures["psnr"] for step, figures in whole.heard.figures.items()}
    best = checkpoint.read(RunLayout(whole.out).best_checkpoint)
    assert best is not None
    assert best[1]["step"] == max(scores, key=scores.__getitem__)


def test_a_recipe_names_what_is_best(
    faces: data.TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where that is not installed, PSNR decides, and the run says so."""
    chosen, heard = tiny("faces", "steps=4", "every.validate=2", "best_by=st_lpips"), Listener()
    monkeypatch.setattr(perceptual, "st_lpips", lambda: None)
    train(chosen, faces, tmp_path / "without", heard)
    assert any("chosen by PSNR" in sentence for sentence in heard.sentences)
    distances = iter([0.5] * 4 + [0.4] * 4 + [0.1] * 4 + [0.2] * 4)  # bicubic, then steps 0, 2 and 4
    monkeypatch.setattr(perceptual, "st_lpips", lambda: lambda *_: [next(distances, 0.3)])
    train(chosen, faces, tmp_path / "with", heard)
    best = checkpoint.read(RunLayout(tmp_path / "with").best_checkpoint)
    assert best is not None
    assert (best[1]["step"], best[1]["figures"]["st_lpips"]) == (2, pytest.approx(0.1))
    assert heard.last.startswith("Worse than its best: ST-LPIPS 0.200 at the end, ST-LPIPS 0.100 at step 2: ")
    found = reading.read(tmp_path / "with").best
    assert found is not None
    assert found["step"] == 2


def test_validation_on_a_benchmark(
    faces: data.TrainingData, faces_zip: Path, photographs: Path, tmp_path: Path
) -> None:
    """Whole pictures of any size; what equals one of them is not trained on."""
    (tmp_path / "HR").mkdir()
    for number, size in enumerate([(64, 80), (80, 64), (64, 64)]):
        images.write(tmp_path / f"HR/{number}.png", images.Picture(cartoons.face(90 + number, *size)))
    images.write(tmp_path / "HR/same.png", images.read(photographs / "1.png"))
    chosen = recipes.load("photo", [*SMALL["photo"], *PACE, "steps=1"])
    found = data.load(chosen.data, [str(photographs)], validate_on=tmp_path)
    assert (found.training.pictures, len(found.validation.truth)) == (3, 4)
    assert "1.png equals picture 4 of" in found.provenance.skipped[0]
    assert found.provenance.fingerprint != data.load(chosen.data, [str(photographs)]).provenance.fingerprint
    model = run.train_and_export(trainer.prepare(chosen), "photo", found, tmp_path / "run")
    assert model is not None
    assert srez.load(model).card.figures[0]["set"] == f"{tmp_path.name}, 4 pictures"
    with pytest.raises(OptionError, match="either --partition or --validation"):
        data.load(chosen.data, [str(photographs)], tmp_path / "p.txt", validate_on=tmp_path)
    with zipfile.ZipFile(faces_zip) as every, zipfile.ZipFile(tmp_path / "face.zip", "w") as one:
        one.writestr("face.jpg", every.read("img_align_celeba/000003.jpg"))
    of_faces = recipes.load("faces").data
    found = data.load(of_faces, [str(faces_zip)], validate_on=tmp_path / "face.zip")
    assert (found.training.pictures, len(found.validation.truth)) == (23, 1)


def test_an_exact_validation_picture_does_not_hide_the_others(photographs: Path, tmp_path: Path) -> None:
    """A flat picture, which the network and bicubic reproduce exactly, beside a face."""
    (tmp_path / "HR").mkdir()
    images.write(tmp_path / "HR/face.png", images.Picture(cartoons.face(90, 64, 64)))
    images.write(tmp_path / "HR/flat.png", images.Picture(np.full((64, 64, 3), 200, np.uint8)))
    chosen = recipes.load("photo", [*SMALL["photo"], *PACE, "steps=2", "every.validate=1"])
    found, heard = data.load(chosen.data, [str(photographs)], validate_on=tmp_path), Listener()
    model = run.train_and_export(trainer.prepare(chosen), "photo", found, tmp_path / "run", heard)
    assert model is not None
    assert [card["psnr"] for card in srez.load(model).card.figures] == [pytest.approx(60, abs=8)] * 3
    assert any("1 of 2 validation pictures is exact by bicubic" in line for line in heard.sentences)
    layout = RunLayout(tmp_path / "run")
    assert not re.search("Infinity|NaN", layout.metrics.read_text() + layout.run.read_text())
    assert newest(layout.folder)[1]["best"] == max(figures["psnr"] for figures in heard.figures.values())


def test_what_cannot_be_trained_is_refused_before_the_data_is_read(tmp_path: Path) -> None:
    words = ["train", "faces", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "run")]
    absent = ["--set", "loss.perceptual=1", "--set", "perceptual.network=squeezenet.keras"]
    small = ["--set", "generator.channels=8", "--set", "generator.blocks=1"]
    refused = CliRunner().invoke(app, [*words, *small, *absent])
    assert refused.exit_code == 2
    assert "squeezenet.keras does not exist: see docs/training.md, Features" in " ".join(
        refused.stderr.split()
    )


def test_a_diverging_run_stops_and_leaves_no_garbage(faces: data.TrainingData, tmp_path: Path) -> None:
    """The loss of a step is taken before its update, so an update can spoil weights that still look fine."""
    wild = ("optimizer.learning_rate=1e39", "optimizer.warmup=0", "every.checkpoint=1")
    with pytest.raises(
        TrainingError, match=r"not finite; (there is no checkpoint yet|the last .* is intact): lower"
    ):
        train(tiny("faces", "steps=40", *wild), faces, tmp_path / "wild")
    for path in tmp_path.rglob("*.npz"):
        with np.load(path) as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name != "facts"), path


@pytest.mark.parametrize(
    ("variant", "penalty"),
    [*((variant, "r1=0.5") for variant in losses.ADVERSARIAL), ("wasserstein", "gradient_penalty=10")],
)
def test_every_variant_and_penalty_trains(
    variant: str, penalty: str, faces: data.TrainingData, tmp_path: Path
) -> None:
    changes = (f"loss.variant={variant}", f"loss.{penalty}", "loss.r1_every=1", "loss.feature_matching=0.1")
    train(gan("steps=2", *changes), faces, tmp_path)
    last = [line for line in log(tmp_path) if "penalty" in line][-1]
    assert {"l1", "adversarial", "feature_matching", "discriminator", "real", "fake", "penalty"} < set(last)
    assert all(np.isfinite(value) for value in last.values())


def test_several_updates_of_the_critic_to_one_of_the_generator(
    faces: data.TrainingData, tmp_path: Path
) -> None:
    train(gan("steps=3", "discriminator.updates=3", "loss.variant=wasserstein"), faces, tmp_path)
    arrays, _ = newest(tmp_path)
    counts = {part: int(arrays[f"{part}_optimizer/0000"]) for part in ("generator", "discriminator")}
    assert counts == {"generator": 3, "discriminator": 9}


def test_accumulated_parts_make_the_same_update(faces: data.TrainingData, tmp_path: Path) -> None:
    for parts in (1, 4):
        train(tiny("faces", "steps=2", f"optimizer.accumulate={parts}"), faces, tmp_path / str(parts))
    (one, _), (four, _) = (newest(tmp_path / parts) for parts in ("1", "4"))
    for name, array in one.items():
        np.testing.assert_allclose(array, four[name], rtol=1e-3, atol=2e-5, err_msg=name)


@pytest.fixture(scope="module")
def full_precision(faces: data.TrainingData, tmp_path_factory: pytest.TempPathFactory) -> trainer.Result:
    return train(steady(), faces, tmp_path_factory.mktemp("full"))


def steady(*changes: str) -> recipe.Recipe:
    """A recipe whose loss falls within 60 steps, validated once."""
    slow = ("every.log=20", "every.validate=200", "every.checkpoint=200")
    return tiny("faces", "steps=60", "optimizer.warmup=10", "data.shift=0", *slow, *changes)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_as_much(
    precision: str, full_precision: trainer.Result, faces: data.TrainingData, tmp_path: Path
) -> None:
    result = train(steady(f"precision={precision}"), faces, tmp_path)
    curve = [line["l1"] for line in log(tmp_path) if "l1" in line]
    assert curve[-1] < curve[0]
    assert result.figures["psnr"] > full_precision.figures["psnr"] - 0.3
    assert all(variable.dtype == "float32" for variable in result.average.trainable_variables)


def test_xla_computes_the_same(faces: data.TrainingData, tmp_path: Path) -> None:
    for xla in ("true", "false"):
        train(gan("steps=2", "every.log=1", f"xla={xla}"), faces, tmp_path / xla)
    compiled, plain = (
        [line["l1"] for line in log(tmp_path / xla) if "l1" in line] for xla in ("true", "false")
    )
    assert compiled == pytest.approx(plain, rel=1e-3)


def test_clipping_bounds_the_update(faces: data.TrainingData, tmp_path: Path) -> None:
    """Adam divides by the gradient's size, so a clip is seen in its first moment."""
    train(tiny("faces", "steps=1", "optimizer.clip_norm=1e-4"), faces, tmp_path)
    moments = [array for name, array in newest(tmp_path)[0].items() if name.startswith("generator_optimizer")]
    assert 0 < np.sqrt(sum((array**2).sum() for array in moments[2::2])) < 1e-4


def test_a_discriminator_that_has_won_stops_the_run(
    faces: data.TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PARALYSED", 100.0)  # any discriminator has won by this measure
    with pytest.raises(TrainingError, match=r"for 5 steps, up to step 5.*the last checkpoint, of step 4"):
        train(gan("steps=6", "every.log=1"), faces, tmp_path)
    assert not health.paralysed(gan("loss.variant=wasserstein"), {"discriminator": -5.0})  # has no floor


def test_checkpoints_by_the_clock(faces: data.TrainingData, tmp_path: Path) -> None:
    slow = ("steps=3", "every.checkpoint=1000", "every.validate=1000", "every.minutes=1e-9", "every.keep=5")
    train(tiny("faces", *slow), faces, tmp_path)
    assert len(RunLayout(tmp_path).all_checkpoints()) == 3


def test_a_run_of_minutes_ends_on_time_and_resumes(
    faces: data.TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate falls to 0 by the clock, whatever the recipe's steps; the second session has the rest."""
    clock = itertools.count(step=0.25)  # seconds, of which each look takes so many
    monkeypatch.setattr(trainer, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    chosen = tiny(
        "faces", "steps=1", "minutes=0.15", "optimizer.cooldown=1", "optimizer.warmup=0", "every.log=1"
    )
    half = chosen.model_copy(update={"minutes": 0.05})
    model = run.train_and_export(trainer.prepare(half), "half", faces, tmp_path)
    assert model is not None
    first = newest(tmp_path)[1]
    result = train(chosen, faces, tmp_path)
    assert result.finished
    assert result.step > first["step"] > 0
    assert 8 <= result.seconds <= 9  # and some are left for measuring the result
    rates = [line["learning_rate"] for line in log(tmp_path) if "learning_rate" in line]
    assert rates[-1] < 0.2 * chosen.optimizer.learning_rate
    assert reading.read(tmp_path).state == "finished"


def test_perceptual_loss_through_a_file(faces: data.TrainingData, tmp_path: Path) -> None:
    settings = f"perceptual={{network='{eye(tmp_path, 'seen')}', layers=['seen']}}"
    train(tiny("faces", "steps=2", settings, "loss.perceptual=1"), faces, tmp_path / "run")
    assert [np.isfinite(line["perceptual"]) for line in log(tmp_path / "run") if "perceptual" in line] == [
        True
    ]
    with pytest.raises(OptionError, match="has no layer 'unseen'"):
        trainer.prepare(tiny("faces", settings.replace("seen'", "unseen'"), "loss.perceptual=1"))


def test_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    file = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    if (Path.home() / ".keras/models" / file).exists():
        pytest.skip("the weights are on this machine")
    with pytest.raises(DataError, match=rf"cannot be loaded .*: put {file} into .*models"):
        trainer.prepare(tiny("faces", "loss.perceptual=1"))


def eye(folder: Path, *layers: str) -> Path:
    """A file of a tiny network, for a perceptual loss, with layers of these names."""
    inputs = keras.Input((None, None, 3))
    seen = [keras.layers.Conv2D(4, 3, activation="relu", name=name)(inputs) for name in layers]
    keras.Model(inputs, seen).save(folder / "eye.keras")
    return folder / "eye.keras"


SMALL = {
    "srez": TINY["srez"],
    "faces": TINY["faces"],
    "smoke": TINY["faces"],
    "wgan_gp": ["generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]"],
    "srresnet": ["generator.channels=6", "generator.blocks=1"],
    "srgan": ["generator.channels=6", "generator.blocks=1", "discriminator.units=[4, 8]", "loss.perceptual=0",
              "loss.mse=4"],
    "photo": ["generator.channels=4", "generator.blocks=1"],
    "photo_repair": ["generator.channels=4", "generator.blocks=1"],
    "photo_vivid": ["generator.channels=4", "generator.blocks=1", "discriminator.units=[4, 8]"],
    "faces_vivid": [*TINY["faces"], "discriminator.units=[4, 8]"],
    "faces_samples": [*TINY["faces"], "discriminator.units=[4, 8]"],
}  # fmt: skip


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(4):
        images.write(folder / f"{seed}.png", images.Picture(cartoons.face(seed, 200, 200)))
    return folder


def test_every_recipe_is_tried() -> None:
    assert set(SMALL) == set(recipes.names())


@pytest.mark.parametrize("name", SMALL)
def test_every_recipe_takes_a_step(
    name: str, faces_zip: Path, partition: Path, photographs: Path, tmp_path: Path
) -> None:
    """The recipes themselves, made small; the photographs are drawn faces."""
    changes = [*SMALL[name], *PACE, "steps=1", "batch=2"]
    if name.endswith(("vivid", "samples")):
        changes.append(
            f"perceptual.network={eye(tmp_path, *(f'features{number}' for number in range(1, 6)))}"
        )
    chosen = recipes.load(name, changes)
    of_faces = chosen.data.pictures == "faces"
    source, split = (faces_zip, partition) if of_faces else (photographs, None)
    pictures = data.load(chosen.data, [str(source)], split)
    if name not in ("faces", "photo"):
        assert train(chosen, pictures, tmp_path / name).step == 1
        return
    model = run.train_and_export(trainer.prepare(chosen), name, pictures, tmp_path / name)
    assert model is not None
    card = srez.load(model).card
    assert card.training["steps"] == 1
    expected = {"faces": (8, 16, "area"), "photo": (0, 0, "bicubic")}[name]
    assert (card.edge, card.trained_at, card.reduction) == expected
