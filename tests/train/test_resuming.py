"""Runs that are stopped, damaged, refused and resumed."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from helpers.training import Listener, assert_same_checkpoint, gan, log, newest, tiny, train
from srez.errors import DataError, OptionError, OutputError
from srez.runs.layout import RunLayout
from srez.train import data, recipe
from srez.train.reporter import Reporter

Copy = Callable[[], Path]


class PowerCut(Exception):
    pass


class Cut(Reporter):
    """Ends the process, so to say, after a step."""

    def __init__(self, at: int, error: type[BaseException] = PowerCut) -> None:
        self._at, self._error = at, error

    def step(self, step: int, values: dict[str, float]) -> None:
        del values
        if step == self._at:
            raise self._error


def same(*changes: str) -> recipe.Recipe:
    """The recipe of `finished`. To train it again reads and mends the folder, and takes no step."""
    return tiny("faces", "steps=4", "every.checkpoint=2", "optimizer.cooldown=0", *changes)


def longer(*changes: str) -> recipe.Recipe:
    """The recipe of `finished`, with a fifth step."""
    return same("steps=5", *changes)


def test_resumed_equals_undisturbed(whole, faces: data.TrainingData, tmp_path: Path) -> None:
    with pytest.raises(PowerCut):
        train(tiny(whole.name, "steps=12"), faces, tmp_path, Cut(7))
    assert log(tmp_path)[-1]["step"] == 6  # beyond the checkpoint at 4: must be forgotten and done again
    train(tiny(whole.name, "steps=12"), faces, tmp_path)
    assert log(tmp_path) == log(whole.out)
    assert_same_checkpoint(tmp_path, whole.out)


def test_a_gan_resumes_with_penalties_and_updates(faces: data.TrainingData, tmp_path: Path) -> None:
    changes = ("optimizer.cooldown=0", "discriminator.updates=2", "loss.variant=hinge", "loss.r1=1")
    chosen = gan("steps=5", *changes, "loss.r1_every=3")
    undisturbed, parts = tmp_path / "undisturbed", tmp_path / "parts"
    train(chosen, faces, undisturbed)
    train(chosen.model_copy(update={"steps": 3}), faces, parts)
    train(chosen, faces, parts)
    assert_same_checkpoint(parts, undisturbed)


@pytest.mark.parametrize("network", ["patches", "unet"])
def test_shifted_crops_resume(network: str, faces: data.TrainingData, tmp_path: Path) -> None:
    """The shift follows from seed and step, and spectral normalisation remembers nothing."""
    critic = f"discriminator={{network='{network}', units=[4, 8]}}"
    chosen = gan("optimizer.cooldown=0", critic, "loss.shift=true", "loss.variant=hinge", "steps=4")
    undisturbed, parts = tmp_path / "undisturbed", tmp_path / "parts"
    train(chosen, faces, undisturbed)
    train(chosen.model_copy(update={"steps": 2}), faces, parts)
    train(chosen, faces, parts)
    assert_same_checkpoint(parts, undisturbed)
    train(
        chosen.model_copy(update={"loss": chosen.loss.model_copy(update={"shift": False})}), faces, tmp_path
    )
    assert log(tmp_path)[1]["discriminator"] != log(parts)[1]["discriminator"]


def test_a_finished_run_can_be_made_longer(copy: Copy, faces: data.TrainingData) -> None:
    heard = Listener()
    assert train(longer(), faces, copy(), heard).step == 5
    assert heard.steps == [5]


def test_a_run_that_is_made_longer_says_how_the_rate_jumps(copy: Copy, faces: data.TrainingData) -> None:
    heard, out = Listener(), copy()
    train(longer(), faces, out, heard)
    assert not any("jumps" in sentence for sentence in heard.sentences)  # without a cooldown
    falling = {"optimizer": longer().optimizer.model_copy(update={"cooldown": 1.0, "warmup": 0})}
    for steps in (4, 8):
        train(same(f"steps={steps}").model_copy(update=falling), faces, out.parent / "falling", heard)
    assert "the learning rate jumps from" in heard.sentences[-1]


def test_a_run_is_not_made_shorter_than_it_is(copy: Copy, faces: data.TrainingData) -> None:
    out = copy()
    with pytest.raises(OptionError, match="has already trained 4 steps: give --steps 4 or more"):
        train(same("steps=3"), faces, out)
    assert json.loads(RunLayout(out).run.read_text())["recipe"]["steps"] == 4


def test_another_recipe_or_other_data_needs_another_folder(copy: Copy, faces: data.TrainingData) -> None:
    out = copy()
    with pytest.raises(OptionError, match=r"was trained with another recipe \(batch, loss differ\)"):
        train(longer("batch=2", "loss.consistency=1"), faces, out)
    provenance = dataclasses.replace(faces.provenance, fingerprint="another fingerprint")
    with pytest.raises(DataError, match="was trained on other data"):
        train(longer(), dataclasses.replace(faces, provenance=provenance), out)


def test_a_run_that_left_nothing_does_not_hold_its_folder(faces: data.TrainingData, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(longer(), faces, tmp_path, Cut(1, KeyboardInterrupt))
    assert train(tiny("faces", "steps=1", "batch=2"), faces, tmp_path).step == 1


def test_a_damaged_checkpoint_is_passed_over_and_reported(copy: Copy, faces: data.TrainingData) -> None:
    out, heard = copy(), Listener()
    RunLayout(out).checkpoint(4).write_bytes(b"a power cut")
    train(longer(), faces, out, heard)
    assert "step-00000004.npz is damaged" in heard.sentences[0]
    assert "resuming from step 2" in heard.sentences[1]
    assert heard.steps == [3, 4, 5]


def test_the_best_is_resumed_where_no_other_is_whole(copy: Copy, faces: data.TrainingData) -> None:
    out, heard = copy(), Listener()
    layout = RunLayout(out)
    layout.best_checkpoint.write_bytes(layout.checkpoint(2).read_bytes())
    for step in (2, 4):
        layout.checkpoint(step).write_bytes(b"a power cut")
    train(longer(), faces, out, heard)
    assert "resuming from step 2, the best" in heard.sentences[-1]
    assert heard.steps == [3, 4, 5]


@pytest.mark.parametrize(
    "damage", [b"\xff\x00\n", b"[1]\n", b'{"l1": 1}\n', b"\n", b'{"step": 3, "l1\n', b"[" * 99_999 + b"\n"]
)
def test_damaged_metrics_are_dropped_and_reported(
    copy: Copy, faces: data.TrainingData, damage: bytes
) -> None:
    out, heard = copy(), Listener()
    metrics = RunLayout(out).metrics
    first, *others = metrics.read_bytes().splitlines(keepends=True)
    metrics.write_bytes(b"".join([first, damage, *others, b'{"step": 9, "l']))
    train(same(), faces, out, heard)
    assert "metrics.jsonl is damaged: line 2 left out" in heard.sentences[1]
    assert [line["step"] for line in log(out) if "l1" in line] == [2, 4]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[" * 99_999,
        "[]",
        '{"data": 1, "init": null}',
        '{"recipe": 1}',
        '{"recipe": {"steps": "many"}}',
        None,
    ],
)
def test_a_damaged_run_json_does_not_keep_a_run_from_resuming(
    copy: Copy, faces: data.TrainingData, damage: str | None
) -> None:
    out, heard = copy(), Listener()
    known = RunLayout(out).run
    if damage is None:
        known.unlink()
    else:
        known.write_text(damage)
    assert train(same(), faces, out, heard).step == 4
    assert "run.json is damaged or missing" in heard.sentences[0]
    assert len(heard.sentences) == 2
    assert json.loads(known.read_text())["data"] == faces.provenance.fingerprint


def test_without_run_json_the_recipe_is_compared_still(copy: Copy, faces: data.TrainingData) -> None:
    out = copy()
    RunLayout(out).run.write_text("{")
    with pytest.raises(OptionError, match=r"was trained with another recipe \(batch differ\)"):
        train(same("batch=2"), faces, out)
    RunLayout(out).recipe.write_text("batch = = 2")
    with pytest.raises(OptionError, match="holds checkpoints of other networks"):
        train(longer("generator.channels=6"), faces, out)


def test_two_trainings_do_not_share_a_folder(faces: data.TrainingData, tmp_path: Path) -> None:
    with filelock.FileLock(RunLayout(tmp_path).lock), pytest.raises(OptionError, match="another process"):
        train(longer(), faces, tmp_path)


def test_a_folder_that_cannot_be_written(faces: data.TrainingData, tmp_path: Path) -> None:
    RunLayout(tmp_path).lock.mkdir()
    with pytest.raises(OutputError, match=rf"{tmp_path.name} cannot be written: "):
        train(longer(), faces, tmp_path)


def test_what_is_resumed_is_the_newest(finished: Path) -> None:
    assert newest(finished)[1]["step"] == 4
