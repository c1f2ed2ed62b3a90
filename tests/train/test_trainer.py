"""Whole runs of tiny networks, killed and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import srez
from srez import images
from srez.errors import DataError, OptionError, TrainingError
from srez.train import checkpoint, data, recipe, trainer

TINY = {
    "faces": ["generator.channels=8", "generator.blocks=1"],
    "srez": ["generator.units=[8, 4]", "generator.tail=6", "discriminator.units=[4, 8]"],
}
PACE = ["batch=4", "every.log=2", "every.validate=6", "every.checkpoint=4"]


def tiny(name: str, *changes: str) -> recipe.Recipe:
    return recipe.load(name, [*TINY[name], *PACE, *changes])


@pytest.fixture(scope="module")
def faces(faces_zip: Path, partition: Path) -> data.Faces:
    return data.load([faces_zip], partition, lambda pictures, _: pictures)


def log(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def assert_same_checkpoint(*runs: Path) -> None:
    """The newest checkpoints of both runs agree bit for bit: networks, optimisers, averages."""
    ours, theirs = (checkpoint.load(run / "checkpoints") for run in runs)
    assert ours is not None
    assert theirs is not None
    assert ours[1]["step"] == theirs[1]["step"]
    assert ours[0].keys() == theirs[0].keys()
    for name, array in ours[0].items():
        np.testing.assert_array_equal(array, theirs[0][name], err_msg=name)


@pytest.mark.parametrize("name", TINY)
def test_a_run_leaves_what_it_promises(name: str, faces: data.Faces, tmp_path: Path) -> None:
    seen: list[int] = []
    result = trainer.train(tiny(name, "steps=12"), faces, tmp_path, lambda step, _: seen.append(step))
    assert result.step == 12
    assert sorted(set(seen)) == list(range(1, 13))
    terms = {"faces": {"l1"}, "srez": {"consistency", "adversarial", "discriminator"}}[name]
    lines = log(tmp_path)
    assert [line["step"] for line in lines if "learning_rate" in line] == [2, 4, 6, 8, 10, 12]
    assert all(terms | {"step", "learning_rate"} == set(line) for line in lines if "learning_rate" in line)
    validations = [line for line in lines if "validation_psnr" in line]
    assert [line["step"] for line in validations] == [6, 12]
    assert validations[-1]["validation_psnr"] == result.figures["psnr"]
    assert images.read(tmp_path / "sheets/step-00000012.png").pixels.ndim == 3
    assert list((tmp_path / "tensorboard").iterdir())
    assert recipe.load(str(tmp_path / "recipe.toml")) == tiny(name, "steps=12")
    about = json.loads((tmp_path / "run.json").read_text())
    assert about["data"] == faces.fingerprint
    assert about["versions"]["srez"] == srez.__version__


@pytest.mark.parametrize("name", TINY)
def test_resumed_equals_undisturbed(name: str, faces: data.Faces, tmp_path: Path) -> None:
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


def test_the_discriminator_and_its_optimiser_are_saved_too(faces: data.Faces, tmp_path: Path) -> None:
    trainer.train(tiny("srez", "steps=1"), faces, tmp_path)
    saved = checkpoint.load(tmp_path / "checkpoints")
    assert saved is not None
    parts = {key.partition("/")[0] for key in saved[0]}
    assert parts == {"generator", "discriminator", "generator_optimizer", "discriminator_optimizer"}


def test_a_finished_run_can_be_made_longer(faces: data.Faces, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=4"), faces, tmp_path)
    assert trainer.train(tiny("faces", "steps=8"), faces, tmp_path).step == 8


def test_another_recipe_or_other_data_needs_another_folder(faces: data.Faces, tmp_path: Path) -> None:
    trainer.train(tiny("faces", "steps=2"), faces, tmp_path)
    with pytest.raises(OptionError, match=r"holds a run of another recipe \(batch, loss differ\)"):
        trainer.train(tiny("faces", "steps=2", "batch=2", "loss.consistency=1"), faces, tmp_path)
    other = data.Faces(faces.train, faces.validation, [], "another fingerprint")
    with pytest.raises(DataError, match="holds a run on other data"):
        trainer.train(tiny("faces", "steps=2"), other, tmp_path)


def test_a_diverging_run_stops_and_leaves_no_garbage(faces: data.Faces, tmp_path: Path) -> None:
    """The loss of a step is taken before its update, so an update can spoil weights that still look fine."""
    wild = ("optimizer.learning_rate=1e39", "optimizer.warmup=0", "every.checkpoint=1")
    with pytest.raises(TrainingError, match=r"not finite.*the last checkpoint is intact"):
        trainer.train(tiny("faces", "steps=40", *wild), faces, tmp_path / "wild")
    for path in tmp_path.rglob("*.npz"):
        with np.load(path) as saved:
            assert all(np.isfinite(saved[name]).all() for name in saved.files if name != "facts"), path


def test_training_lowers_the_loss(faces: data.Faces, tmp_path: Path) -> None:
    steady = tiny("faces", "steps=60", "optimizer.warmup=0", "every.log=20", "augmentation.shift=0")
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


def wait_for_step(out: Path, step: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        if (out / "metrics.jsonl").exists() and f'"step": {step}' in (out / "metrics.jsonl").read_text():
            return
        time.sleep(0.01)
    raise AssertionError(f"the run ended before step {step}")


def test_kill_and_interrupt_by_the_command(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    """kill -9 and Ctrl-C in one run; its curve and weights are those of an undisturbed one."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run = command(parts, faces_zip, partition, "--steps", "3000")
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(run, **quiet) as process:
        wait_for_step(parts, 102, process)
        process.kill()
    assert not (parts / "model.onnx").exists()
    with subprocess.Popen(run, **quiet) as process:
        wait_for_step(parts, 202, process)
        os.kill(process.pid, signal.SIGINT)
        message = process.communicate()[1]
    assert process.returncode == 130
    assert "Stopped and saved. Go on with: srez train faces --data" in message
    stopped_at = checkpoint.load(parts / "checkpoints")
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
    kept = checkpoint.load(out / "checkpoints")
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
    assert "colour: is not a key" in refusal("faces", "--data", faces_zip, "--set", "colour=1", "--out", out)
    assert not out.exists()
    assert "cannot be made a folder" in refusal("faces", "--data", faces_zip, "--out", tmp_path / "file/run")
    assert "recipe faces needs --data" in refusal("faces", "--out", out)
    assert "recipe smoke draws its faces" in refusal("smoke", "--data", faces_zip, "--out", out)
    assert "leave --partition out" in refusal("smoke", "--partition", tmp_path / "file", "--out", out)
    assert "nowhere does not exist" in refusal("faces", "--data", tmp_path / "nowhere", "--out", out)
