"""Whole runs of tiny networks, killed and resumed."""

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

import srez
from srez import images
from srez.cli import app
from srez.datasets import drawn
from srez.errors import DataError, ModelError, OptionError, OutputError, TrainingError
from srez.train import checkpoint, data, losses, networks, recipe, run, trainer, weights

TINY = {
    "faces": ["generator.channels=8", "generator.blocks=1"],
    "srez": ["generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]"],
}
PACE = ["batch=4", "every.log=2", "every.validate=6", "every.checkpoint=4"]


def tiny(name: str, *changes: str) -> recipe.Recipe:
    return recipe.load(name, [*TINY[name], *PACE, *changes])


@pytest.fixture(scope="module")
def faces(faces_zip: Path, partition: Path) -> data.Data:
    return data.load(recipe.load("faces").data, [str(faces_zip)], partition)


def log(out: Path) -> list[dict]:
    """What a run logged, without the time it took."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def board(out: Path) -> dict[str, str]:
    """What a run wrote for TensorBoard: the kind of each of its tags."""
    events = EventAccumulator(str(out / "tensorboard")).Reload()
    tags = events.Tags()["tensors"]
    return {tag: events.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags}


def assert_same_checkpoint(*runs: Path) -> None:
    """The newest checkpoints of both runs agree bit for bit: networks, optimisers, averages."""
    ours, theirs = (checkpoint.load(run / "checkpoints")[0] for run in runs)
    assert ours is not None
    assert theirs is not None
    assert ours[1]["step"] == theirs[1]["step"]
    assert ours[0].keys() == theirs[0].keys()
    for name, array in ours[0].items():
        np.testing.assert_array_equal(array, theirs[0][name], err_msg=name)


@pytest.mark.parametrize("name", TINY)
def test_a_run_leaves_what_it_promises(name: str, faces: data.Data, tmp_path: Path) -> None:
    seen: list[int] = []
    result = trainer.train(tiny(name, "steps=12"), faces, tmp_path, lambda step, _: seen.append(step))
    assert result.step == 12
    assert sorted(set(seen)) == list(range(1, 13))
    game = {"adversarial", "discriminator", "real", "fake", "discriminator_gradient"}
    game |= {"discriminator_learning_rate"}
    terms = {"faces": {"l1"}, "srez": {"consistency"} | game}[name]
    terms |= {"generator_gradient", "learning_rate"}
    lines = log(tmp_path)
    assert [line["step"] for line in lines if "learning_rate" in line] == [2, 4, 6, 8, 10, 12]
    assert all(terms | {"step"} == set(line) for line in lines if "learning_rate" in line)
    validations = [line for line in lines if "validation_psnr" in line]
    assert [line["step"] for line in validations] == [6, 12]
    assert validations[-1]["validation_psnr"] == result.figures["psnr"]
    assert images.read(tmp_path / "sheets/step-00000012.png").pixels.ndim == 3
    figures = {"validation_psnr", "validation_ssim", "validation_consistency"}
    scalars = dict.fromkeys(terms | figures | {"seconds"}, "scalars")
    assert board(tmp_path) == {**scalars, "sheet": "images", "outputs": "histograms"}
    assert recipe.load(str(tmp_path / "recipe.toml")) == tiny(name, "steps=12")
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["data"] == faces.fingerprint
    assert about["versions"]["srez"] == srez.__version__


@pytest.mark.parametrize("name", TINY)
def test_resumed_equals_undisturbed(name: str, faces: data.Data, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trainer.train(tiny(name, "steps=12"), faces, whole)

    class Power(Exception):
        pass

    def cut(step: int, _: dict[str, float]) -> None:
        if step == 7:
            raise Power

    with pytest.raises(Power):
        trainer.train(tiny(name, "steps=12"), faces, parts, cut)
    assert log(parts)[-1]["step"] == 6  # beyond the checkpoint at 4: must be forgotten and done again
    trainer.train(tiny(name, "steps=12"), faces, parts)
    assert log(parts) == log(whole)
    assert_same_checkpoint(parts, whole)


def test_the_discriminator_and_its_optimiser_are_saved_too(faces: data.Data, tmp_path: Path) -> None:
    trainer.train(tiny("srez", "steps=1"), faces, tmp_path)
    saved, _ = checkpoint.load(tmp_path / "checkpoints")
    assert saved is not None
    parts = {key.partition("/")[0] for key in saved[0]}
    assert parts == {"generator", "discriminator", "generator_optimizer", "discriminator_optimizer"}


def test_a_finished_run_can_be_made_longer(faces: data.Data, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=4"), faces, tmp_path)
    assert trainer.train(tiny("faces", "steps=8"), faces, tmp_path).step == 8


def test_another_recipe_or_other_data_needs_another_folder(faces: data.Data, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=2"), faces, tmp_path)
    with pytest.raises(OptionError, match=r"holds a run of another recipe \(batch, loss differ\)"):
        trainer.train(tiny("faces", "steps=2", "batch=2", "loss.consistency=1"), faces, tmp_path)
    other = dataclasses.replace(faces, fingerprint="another fingerprint")
    with pytest.raises(DataError, match="holds a run on other data"):
        trainer.train(tiny("faces", "steps=2"), other, tmp_path)


def test_a_refused_start_leaves_the_folder_free(faces: data.Data, tmp_path: Path) -> None:
    absent = "perceptual={network='nowhere.keras', layers=['x']}"
    with pytest.raises(DataError, match=r"nowhere\.keras does not exist: see docs/training\.md, Features"):
        trainer.train(tiny("faces", "steps=2", absent, "loss.perceptual=1"), faces, tmp_path)
    assert trainer.train(tiny("faces", "steps=2"), faces, tmp_path).step == 2


def test_a_run_that_left_nothing_does_not_hold_its_folder(faces: data.Data, tmp_path: Path) -> None:
    def cut(step: int, _: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.train(tiny("faces", "steps=2"), faces, tmp_path, cut)
    assert trainer.train(tiny("faces", "steps=2", "batch=2"), faces, tmp_path).step == 2


def test_what_cannot_be_trained_is_refused_before_the_data_is_read(tmp_path: Path) -> None:
    words = ["train", "faces", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "run")]
    absent = ["--set", "loss.perceptual=1", "--set", "perceptual.network=squeezenet.keras"]
    refused = CliRunner().invoke(app, [*words, *absent])
    assert refused.exit_code == 2
    assert "squeezenet.keras does not exist" in refused.stderr.replace("\n", " ")
    assert "XLA does not go with several devices" in refusal(*words[1:], "--devices", 2, "--set", "xla=true")


def test_a_diverging_run_stops_and_leaves_no_garbage(faces: data.Data, tmp_path: Path) -> None:
    """The loss of a step is taken before its update, so an update can spoil weights that still look fine."""
    wild = ("optimizer.learning_rate=1e39", "optimizer.warmup=0", "every.checkpoint=1")
    with pytest.raises(
        TrainingError, match=r"not finite; (there is no checkpoint yet|the last .* is intact): lower"
    ):
        trainer.train(tiny("faces", "steps=40", *wild), faces, tmp_path / "wild")
    for path in tmp_path.rglob("*.npz"):
        with np.load(path) as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name != "facts"), path


def gan(*changes: str) -> recipe.Recipe:
    """A tiny GAN without batch norm."""
    critic = "discriminator={network='critic', units=[4, 8], conditional=true}"
    return tiny("faces", critic, "loss.adversarial=0.01", "steps=8", *changes)


@pytest.mark.parametrize("variant", losses.ADVERSARIAL)
@pytest.mark.parametrize("penalty", ["r1=0.5", "gradient_penalty=10"])
def test_every_variant_and_penalty_trains(
    variant: str, penalty: str, faces: data.Data, tmp_path: Path
) -> None:
    chosen = gan(f"loss.variant={variant}", f"loss.{penalty}", "loss.r1_every=2", "loss.feature_matching=0.1")
    trainer.train(chosen, faces, tmp_path)
    last = [line for line in log(tmp_path) if "penalty" in line][-1]
    assert {"l1", "adversarial", "feature_matching", "discriminator", "real", "fake", "penalty"} < set(last)
    assert all(np.isfinite(value) for value in last.values())


def test_several_updates_of_the_critic_to_one_of_the_generator(faces: data.Data, tmp_path: Path) -> None:
    changes = ("discriminator.updates=3", "loss.variant=wasserstein", "loss.gradient_penalty=10")
    trainer.train(gan(*changes), faces, tmp_path)
    saved, _ = checkpoint.load(tmp_path / "checkpoints")
    assert saved is not None
    counts = {part: int(saved[0][f"{part}_optimizer/0000"]) for part in ("generator", "discriminator")}
    assert counts == {"generator": 8, "discriminator": 24}


def test_a_gan_resumes_with_penalties_and_updates(faces: data.Data, tmp_path: Path) -> None:
    chosen = gan(
        "optimizer.cooldown=0",
        "discriminator.updates=2",
        "loss.variant=hinge",
        "loss.r1=1",
        "loss.r1_every=3",
    )
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trainer.train(chosen, faces, whole)
    trainer.train(chosen.model_copy(update={"steps": 3}), faces, parts)
    trainer.train(chosen, faces, parts)
    assert_same_checkpoint(parts, whole)


def test_accumulated_parts_make_the_same_update(faces: data.Data, tmp_path: Path) -> None:
    for parts in (1, 4):
        trainer.train(tiny("faces", "steps=3", f"optimizer.accumulate={parts}"), faces, tmp_path / str(parts))
    one, four = (checkpoint.load(tmp_path / parts / "checkpoints")[0] for parts in ("1", "4"))
    assert one is not None
    assert four is not None
    for name, array in one[0].items():
        np.testing.assert_allclose(array, four[0][name], rtol=1e-3, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_does_not_diverge(precision: str, faces: data.Data, tmp_path: Path) -> None:
    calm = ["optimizer.warmup=10", "every.log=20", "every.validate=200", "every.checkpoint=200"]
    chosen = tiny("faces", *calm, "steps=200", f"precision={precision}")
    result = trainer.train(chosen, faces, tmp_path / "half")
    curve = [line["l1"] for line in log(tmp_path / "half") if "l1" in line]
    assert curve[-1] < curve[0]
    full = trainer.train(tiny("faces", *calm, "steps=200"), faces, tmp_path / "full")
    assert result.figures["psnr"] > full.figures["psnr"] - 0.3
    assert all(variable.dtype == "float32" for variable in result.average.trainable_variables)


def test_xla_computes_the_same(faces: data.Data, tmp_path: Path) -> None:
    for xla in ("true", "false"):
        trainer.train(gan("steps=3", f"xla={xla}"), faces, tmp_path / xla)
    compiled, plain = (
        [line["l1"] for line in log(tmp_path / xla) if "l1" in line] for xla in ("true", "false")
    )
    assert compiled == pytest.approx(plain, rel=1e-3)


def test_clipping_bounds_the_update(faces: data.Data, tmp_path: Path) -> None:
    """Adam divides by the gradient's size, so a clip is seen in its first moment."""
    trainer.train(tiny("faces", "steps=1", "optimizer.clip_norm=1e-4"), faces, tmp_path)
    saved, _ = checkpoint.load(tmp_path / "checkpoints")
    assert saved is not None
    moments = [array for name, array in saved[0].items() if name.startswith("generator_optimizer")][2::2]
    assert 0 < np.sqrt(sum((array**2).sum() for array in moments)) < 1e-4


def test_a_discriminator_that_has_won_stops_the_run(
    faces: data.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "PARALYSED", 100.0)  # any discriminator has won by this measure
    with pytest.raises(TrainingError, match=r"for 10 steps, up to step 10.*the last checkpoint, of step 8"):
        trainer.train(gan("steps=12"), faces, tmp_path)
    free = gan("steps=12", "loss.variant=wasserstein", "loss.gradient_penalty=10")  # its loss has no floor
    assert trainer.train(free, faces, tmp_path / "free").step == 12


def test_a_damaged_checkpoint_is_passed_over_and_said_so(faces: data.Data, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=8"), faces, tmp_path)
    (tmp_path / "checkpoints/step-00000008.npz").write_bytes(b"a power cut")
    told: list[str] = []
    trainer.train(tiny("faces", "steps=10"), faces, tmp_path, tell=told.append)
    assert "step-00000008.npz is damaged and passed over" in told[0]
    assert "going on from step 6" in told[1] or "going on from step 4" in told[1]


def test_the_best_by_validation_is_kept(faces: data.Data, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=24"), faces, tmp_path)
    validations = {
        line["step"]: line["validation_psnr"] for line in log(tmp_path) if "validation_psnr" in line
    }
    best = checkpoint.read(tmp_path / "checkpoints/best.npz")
    assert best is not None
    assert best[1]["step"] == max(validations, key=validations.__getitem__)


def test_checkpoints_by_the_clock(faces: data.Data, tmp_path: Path) -> None:
    slow = ("steps=3", "every.checkpoint=1000", "every.validate=1000", "every.minutes=1e-9", "every.keep=5")
    trainer.train(tiny("faces", *slow), faces, tmp_path)
    assert len(list((tmp_path / "checkpoints").glob("step-*.npz"))) == 3


def test_two_trainings_do_not_share_a_folder(faces: data.Data, tmp_path: Path) -> None:
    with filelock.FileLock(tmp_path / "lock"), pytest.raises(OptionError, match="another process trains"):
        trainer.train(tiny("faces", "steps=2"), faces, tmp_path)


def test_a_folder_that_cannot_be_written(faces: data.Data, tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(OutputError, match=rf"{tmp_path.name} cannot be written: "):
        trainer.train(tiny("faces", "steps=2"), faces, tmp_path)


def test_perceptual_loss_through_a_file(faces: data.Data, tmp_path: Path) -> None:
    settings = f"perceptual={{network='{eye(tmp_path, 'seen')}', layers=['seen']}}"
    trainer.train(tiny("faces", "steps=4", settings, "loss.perceptual=1"), faces, tmp_path / "run")
    assert all(np.isfinite(line["perceptual"]) for line in log(tmp_path / "run") if "perceptual" in line)
    chosen = tiny("faces", settings.replace("seen'", "unseen'"), "loss.perceptual=1")
    with pytest.raises(OptionError, match="has no layer 'unseen'"):
        trainer.train(chosen, faces, tmp_path / "other")


def test_weights_that_cannot_be_downloaded(
    faces: data.Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("no_proxy", "")
    file = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    if (Path.home() / ".keras/models" / file).exists():
        pytest.skip("the weights are on this machine")
    with pytest.raises(DataError, match=rf"cannot be had .*: put {file} into .*models"):
        trainer.train(tiny("faces", "steps=2", "loss.perceptual=1"), faces, tmp_path / "run")


def eye(folder: Path, *layers: str) -> Path:
    """A file of a tiny network, for a perceptual loss, with layers of these names."""
    inputs = keras.Input((None, None, 3))
    seen = [keras.layers.Conv2D(4, 3, activation="relu", name=name)(inputs) for name in layers]
    keras.Model(inputs, seen).save(folder / "eye.keras")
    return folder / "eye.keras"


def test_every_recipe_in_the_box_takes_a_step(faces: data.Data, tmp_path: Path) -> None:
    """The recipes themselves, made small; the photographs are drawn faces."""
    features = f"perceptual.network={eye(tmp_path, *(f'features{number}' for number in range(1, 6)))}"
    photo = ["generator.channels=4", "generator.blocks=1"]
    small = {
        "srez": TINY["srez"],
        "faces": TINY["faces"],
        "smoke": TINY["faces"],
        "wgan_gp": ["generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]"],
        "srresnet": ["generator.channels=6", "generator.blocks=1"],
        "srgan": ["generator.channels=6", "generator.blocks=1", "discriminator.units=[4, 8]"],
        "photo": photo,
        "photo_jpeg": photo,
        "photo_vivid": [*photo, "discriminator.units=[4, 8]", features],
        "faces_vivid": [*TINY["faces"], "discriminator.units=[4, 8]", features],
    }
    assert set(small) == set(recipe.names())
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(4):
        images.write(folder / f"{seed}.png", images.Picture(drawn.face(seed, 200, 200)))
    for name, changes in small.items():
        without_vgg = ["loss.perceptual=0", "loss.mse=1"] if name == "srgan" else []
        chosen = recipe.load(name, [*changes, *without_vgg, *PACE, "steps=2"])
        pictures = faces if chosen.data.pictures == "faces" else data.load(chosen.data, [str(folder)])
        model = run.train_and_export(chosen, name, pictures, tmp_path / name)
        assert model is not None
        assert srez.load(model).card.training["steps"] == 2


@pytest.mark.parametrize("name", TINY)
def test_fine_tuning_starts_from_a_run_its_model_or_a_checkpoint(
    name: str, faces: data.Data, tmp_path: Path
) -> None:
    chosen = tiny(name, "steps=6")
    model = run.train_and_export(chosen, name, faces, tmp_path)
    assert model is not None
    expected = weights.load(str(tmp_path), chosen.generator)
    starts = [tmp_path / "checkpoints/step-00000006.npz"]
    if name == "srez":  # the converter merges batch norm into other arithmetic
        with pytest.raises(ModelError, match="give the run folder it came from"):
            weights.load(str(model), chosen.generator)
    else:
        starts.append(model)
    for start in starts:
        for ours, theirs in zip(expected, weights.load(str(start), chosen.generator), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    tuned = tmp_path / "tuned"
    trainer.train(tiny(name, "steps=1", "optimizer.learning_rate=1e-12"), faces, tuned, init=expected)
    with pytest.raises(OptionError, match="started from other weights: give it the same --init"):
        trainer.train(tiny(name, "steps=2", "optimizer.learning_rate=1e-12"), faces, tuned)
    saved, _ = checkpoint.load(tuned / "checkpoints")
    assert saved is not None
    kernels = [array for key, array in saved[0].items() if key.startswith("generator/") and array.ndim == 4]
    for ours, theirs in zip([array for array in expected if array.ndim == 4], kernels, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    with pytest.raises(OptionError, match=r"do not fit the recipe's \[generator\]"):
        weights.load(str(tmp_path), recipe.load(name).generator)


def test_starts_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no checkpoint that can be read"):
        weights.load(str(tmp_path), recipe.load("faces").generator)


def test_training_lowers_the_loss(faces: data.Data, tmp_path: Path) -> None:
    steady = tiny("faces", "steps=60", "optimizer.warmup=0", "every.log=20", "data.shift=0")
    trainer.train(steady, faces, tmp_path)
    curve = [line["l1"] for line in log(tmp_path) if "l1" in line]
    assert curve[-1] < curve[0]


def command(out: Path, faces_zip: Path, partition: Path, *more: str) -> list[str]:
    words = ["train", "faces", "--data", str(faces_zip), "--partition", str(partition), "--out", str(out)]
    # Without a cooldown, the rates do not depend on the length of the run.
    changes = [
        word for change in [*TINY["faces"], *PACE, "optimizer.cooldown=0"] for word in ("--set", change)
    ]
    return [sys.executable, "-m", "srez", *words, *changes, *more]


def last_step(out: Path) -> int:
    """The last step that a run has logged; 0 before that."""
    path = out / "metrics.jsonl"
    steps = re.findall(r'"step": (\d+),', path.read_text()) if path.exists() else []
    return int(steps[-1]) if steps else 0


def wait_for_step(out: Path, step: int, process: subprocess.Popen) -> None:
    while last_step(out) < step:
        assert process.poll() is None, f"the run ended before step {step}"
        time.sleep(0.01)


def test_kill_and_interrupt_by_the_command(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    """kill -9 and Ctrl-C in one run; its curve and weights are those of an undisturbed one."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run = command(parts, faces_zip, partition, "--steps", "1000000")  # it is stopped long before
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(run, **quiet) as process:
        wait_for_step(parts, 102, process)
        process.kill()
    done = last_step(parts)
    assert not (parts / "model.onnx").exists()
    with subprocess.Popen(run, **quiet) as process:
        wait_for_step(parts, done + 100, process)  # which only this process can have logged
        os.kill(process.pid, signal.SIGINT)
        message = process.communicate()[1]
    assert process.returncode == 130
    assert "Stopped and saved. Go on with: srez train faces --data" in message
    stopped_at, _ = checkpoint.load(parts / "checkpoints")
    assert stopped_at is not None
    last = stopped_at[1]["step"] + 5
    for out in (parts, whole):
        finish = command(out, faces_zip, partition, "--steps", str(last))
        done = subprocess.run(finish, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert log(parts) == log(whole)
    assert_same_checkpoint(parts, whole)
    assert srez.load(parts / "model.onnx").card.training["steps"] == last


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; where the machine allows none, the test is skipped."""
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_full_disk_ends_the_run_and_loses_nothing(
    small_disk: Path, faces_zip: Path, partition: Path
) -> None:
    out = small_disk / "run"
    # The third checkpoint does not fit beside two others.
    words = command(out, faces_zip, partition, "--steps", "16", "--set", "generator.channels=16")
    full = subprocess.run(words, capture_output=True, text=True, check=False)
    assert full.returncode == 2, full.stderr
    assert "Traceback" not in full.stderr
    assert "cannot be written: No space left on device" in full.stderr
    kept, _ = checkpoint.load(out / "checkpoints")
    assert kept is not None
    assert kept[1]["step"] > 0
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    freed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert freed.returncode == 0, freed.stderr
    assert (out / "model.onnx").exists()


def test_smoke_trains_without_data(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "srez", "train", "smoke", "--out", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    card = srez.load(tmp_path / "model.onnx").card
    figures = {row["method"]: row["psnr"] for row in card.figures}
    assert figures["smoke"] > figures["bicubic"] + 1
    assert card.training["data"] == ["1000 drawn faces"]


def refusal(*words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "srez", "train", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("srez: "))
    return sentence


def test_refusals_by_the_command(faces_zip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "run"
    assert "colour is not a key" in refusal("faces", "--data", faces_zip, "--set", "colour=1", "--out", out)
    assert not out.exists()
    assert "cannot be made a folder" in refusal("faces", "--data", faces_zip, "--out", tmp_path / "file/run")
    assert "recipe faces needs --data" in refusal("faces", "--out", out)
    assert "recipe smoke draws its faces" in refusal("smoke", "--data", faces_zip, "--out", out)
    assert "leave --partition out" in refusal("smoke", "--partition", tmp_path / "file", "--out", out)
    assert "nowhere does not exist" in refusal("faces", "--data", tmp_path / "nowhere", "--out", out)


def test_fine_tuning_starts_from_the_box() -> None:
    settings = recipe.load("faces").generator
    generator = networks.build_generator(settings)
    generator.set_weights(weights.load("faces", settings))
    low = np.random.default_rng(1).random((2, 16, 16, 3), np.float32)
    expected = np.asarray(generator(low)).clip(0, 1)
    np.testing.assert_allclose(srez.load("faces", fidelity=1).batch(low), expected, atol=1e-4)


@pytest.mark.kills
def test_twenty_kills_at_random_moments(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    """During steps, validations and checkpoints; the weights are those of an undisturbed run."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    length = ("--steps", "300", "--set", "every.checkpoint=1", "--set", "every.validate=3")
    moments = np.random.default_rng(7)
    kills = 0
    while True:
        process = subprocess.Popen(
            command(parts, faces_zip, partition, *length), env=environment, stderr=subprocess.PIPE, text=True
        )
        before = (parts / "metrics.jsonl").stat().st_mtime if (parts / "metrics.jsonl").exists() else 0.0
        while process.poll() is None and kills < 20:
            if (parts / "metrics.jsonl").exists() and (parts / "metrics.jsonl").stat().st_mtime > before:
                time.sleep(moments.uniform(0, 0.3))
                process.kill()
                break
            time.sleep(0.005)
        message = process.communicate()[1]
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, message
        kills += 1
    assert kills == 20
    undisturbed = command(whole, faces_zip, partition, *length)
    subprocess.run(undisturbed, env=environment, capture_output=True, check=True)
    assert log(parts) == log(whole)
    assert_same_checkpoint(parts, whole)
