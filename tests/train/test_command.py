"""`srez train` as users run it: refused, interrupted, killed, out of disk."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import srez
from helpers.drawn_faces import drawn_face
from helpers.training import PACE, TINY, assert_same_checkpoint, log, newest
from helpers.waiting import PATIENCE
from srez.cli import app
from srez.runs.layout import RunLayout

QUIET = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def command(out: Path, faces_zip: Path, partition: Path, *more: str) -> list[str]:
    words = ["train", "faces", "--data", str(faces_zip), "--partition", str(partition), "--out", str(out)]
    # Without a cooldown, the rates do not depend on the length of the run.
    changes = [
        word for change in [*TINY["faces"], *PACE, "optimizer.cooldown=0"] for word in ("--set", change)
    ]
    return [sys.executable, "-m", "srez", *words, *changes, *more]


def last_step(out: Path) -> int:
    """The last step that a run has logged; 0 before that."""
    path = RunLayout(out).metrics
    steps = re.findall(r'"step": (\d+),', path.read_text()) if path.exists() else []
    return int(steps[-1]) if steps else 0


def wait_for_step(out: Path, step: int, process: subprocess.Popen) -> None:
    while last_step(out) < step:
        assert process.poll() is None, f"the run ended before step {step}"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def interrupted(
    faces_zip: Path, partition: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A run after kill -9 and, started again, Ctrl-C; and what the second process said."""
    parts = tmp_path_factory.mktemp("interrupted") / "parts"
    words = command(parts, faces_zip, partition, "--steps", "1000000")  # it is stopped long before
    with subprocess.Popen(words, **QUIET) as process:
        wait_for_step(parts, 10, process)  # a validation and two checkpoints lie behind it
        process.kill()
    done = last_step(parts)
    assert not RunLayout(parts).model.exists()
    with subprocess.Popen(words, **QUIET) as process:
        wait_for_step(parts, done + 8, process)  # which only this process can have logged
        os.kill(process.pid, signal.SIGINT)
        message = process.communicate()[1]
    assert process.returncode == 130, message
    return parts, message


def test_what_tensorflow_says_at_its_start_goes_to_a_file(interrupted: tuple[Path, str]) -> None:
    parts, message = interrupted
    assert "18 pictures to train on" in message
    assert not re.search("absl|oneDNN|cuda", message)
    assert "absl" in RunLayout(parts).native_log.read_text()


def test_kill_and_interrupt(
    interrupted: tuple[Path, str], faces_zip: Path, partition: Path, tmp_path: Path
) -> None:
    """Finished, the curve and weights are those of an undisturbed run."""
    (parts, message), whole = interrupted, tmp_path / "whole"
    assert "Stopped and saved. Run the same command to resume: srez train faces --data" in message
    last = newest(parts)[1]["step"] + 5
    for out in (parts, whole):
        finish = command(out, faces_zip, partition, "--steps", str(last))
        done = CliRunner().invoke(app, finish[3:])  # in this process, which has TensorFlow loaded
        assert done.exit_code == 0, done.output
    assert log(parts) == log(whole)
    assert_same_checkpoint(parts, whole)
    assert srez.load(RunLayout(parts).model).card.training["steps"] == last


SLOW_STEP = """
import signal, sys, time
from srez.cli import app
from srez.train import step
def slow(self, steps_done, rate_factor, rows):
    if steps_done == 3:
        until_first = signal.getsignal(signal.SIGINT)
        print("in a long step", flush=True)
        while signal.getsignal(signal.SIGINT) is until_first:
            time.sleep(0.01)
        print("interrupted", flush=True)
        while True:
            time.sleep(0.05)
    return usual(self, steps_done, rate_factor, rows)
usual, step.TrainingStep.__call__ = step.TrainingStep.__call__, slow
app()
"""


def test_a_second_interrupt_ends_at_once(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    words = command(tmp_path, faces_zip, partition, "--steps", "9", "--set", "every.checkpoint=2")
    with subprocess.Popen([sys.executable, "-c", SLOW_STEP, *words[3:]], **QUIET) as process:
        assert process.stdout
        for said in ("in a long step\n", "interrupted\n"):  # two at once would be taken for one
            assert process.stdout.readline() == said
            os.kill(process.pid, signal.SIGINT)
        message = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 130, message
    assert "Traceback" not in message
    assert "the last checkpoint is kept" in " ".join(message.split())
    assert newest(tmp_path)[1]["step"] == 2


def test_a_full_disk_ends_the_run_and_loses_nothing(
    small_disk: Path, faces_zip: Path, partition: Path
) -> None:
    out = small_disk / "run"
    # The third checkpoint does not fit beside two others.
    words = command(out, faces_zip, partition, "--steps", "16", "--set", "generator.channels=16")
    full = CliRunner().invoke(app, words[3:])  # in this process, which has TensorFlow loaded
    assert full.exit_code == 2, full.output
    assert "Traceback" not in full.stderr
    assert "cannot be written: No space left on device" in full.stderr
    assert newest(out)[1]["step"] > 0
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    freed = CliRunner().invoke(app, words[3:])
    assert freed.exit_code == 0, freed.output
    assert RunLayout(out).model.exists()


def test_smoke_learns_without_data(tmp_path: Path) -> None:
    words = ["train", "smoke", "--out", str(tmp_path), "--steps", "60"]
    done = CliRunner().invoke(app, [*words, "--backend", "tensorflow"])
    assert done.exit_code == 0, done.output
    assert "1000 drawn faces" in done.stderr
    curve = [line["l1"] for line in log(tmp_path) if "l1" in line]
    assert curve[-1] < curve[0]
    card = srez.load(RunLayout(tmp_path).model).card
    assert {row["method"] for row in card.figures} == {"nearest", "bicubic", "smoke"}
    assert card.training["data"] == ["1000 drawn faces"]


@pytest.mark.docs
def test_smoke_beats_bicubic_as_its_recipe_says(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "smoke", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    card = srez.load(RunLayout(tmp_path).model).card
    figures = {row["method"]: row["psnr"] for row in card.figures}
    assert figures["smoke"] > figures["bicubic"] + 1


def test_a_fine_tune_that_gets_worse_says_so_in_its_last_line(tmp_path: Path) -> None:
    """Ten pictures, and a rate at which a good network forgets what it has learnt."""
    folder = tmp_path / "ten"
    folder.mkdir()
    for seed in range(10):
        drawn_face(seed, (64, 64)).save(folder / f"{seed}.png")
    slow = ("--set", "every.validate=4", "--set", "batch=2")
    words = [
        "train",
        "faces",
        "--init",
        "faces",
        "--data",
        str(folder),
        "--out",
        str(tmp_path / "run"),
        *slow,
    ]
    worse = CliRunner().invoke(app, [*words, "--steps", "4", "--set", "optimizer.learning_rate=0.03"])
    assert worse.exit_code == 0, worse.output
    last = worse.stdout.splitlines()[-1]
    assert last.startswith("Worse than at the start: PSNR ")
    assert re.search(r"step 4: PSNR .* start: PSNR .* bicubic: PSNR ", " ".join(worse.stderr.split()))


def refusal(*words: object) -> str:
    done = CliRunner().invoke(app, ["train", *map(str, words)])
    assert done.exit_code == 2, done.output
    (sentence,) = (line for line in done.stderr.splitlines() if line.startswith("srez: "))
    return sentence


def test_refusals(faces_zip: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out, small = tmp_path / "run", ("--set", "generator.channels=8", "--set", "generator.blocks=1")
    assert "colour is not a recipe key" in refusal(
        "faces", "--data", faces_zip, "--set", "colour=1", "--out", out
    )
    assert not out.exists()
    assert "cannot be created" in refusal("faces", "--data", faces_zip, "--out", tmp_path / "file/run")
    assert "recipe faces needs --data" in refusal("faces", "--out", out)
    assert "recipe smoke draws its own faces" in refusal("smoke", "--data", faces_zip, "--out", out)
    assert "--devices 9999: this machine has" in refusal("smoke", "--devices", 9999, "--out", out)
    assert "either --steps or --minutes" in refusal("smoke", "--steps", 1, "--minutes", 1, "--out", out)
    assert "--partition" in refusal("smoke", "--partition", tmp_path / "file", "--out", out)
    assert "nowhere does not exist" in refusal("faces", "--data", tmp_path / "nowhere", "--out", out, *small)
    (tmp_path / "one").mkdir()
    drawn_face(1, (64, 64)).save(tmp_path / "one/a.png")
    assert "at least two usable pictures" in refusal(
        "faces", "--data", tmp_path / "one", "--out", out, *small
    )


@pytest.mark.kills
def test_twenty_kills_at_random_moments(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    """During steps, validations and checkpoints; the weights are those of an undisturbed run."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    length = ("--steps", "300", "--set", "every.checkpoint=1", "--set", "every.validate=3")
    moments, metrics = np.random.default_rng(7), RunLayout(parts).metrics
    kills = 0
    while True:
        process = subprocess.Popen(
            command(parts, faces_zip, partition, *length), env=environment, stderr=subprocess.PIPE, text=True
        )
        before = metrics.stat().st_mtime if metrics.exists() else 0.0
        while process.poll() is None and kills < 20:
            if metrics.exists() and metrics.stat().st_mtime > before:
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


def test_a_backend_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "smoke", "--out", str(tmp_path / "run")]
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert "choose --backend tensorflow or torch" in " ".join(refused.stderr.split())
    both = CliRunner().invoke(app, [*words, "--backend", "torch", "--workers", "2"])
    assert both.exit_code == 2
    assert "--workers needs TensorFlow" in both.stderr
