"""`srez export` as users run it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

import srez
from helpers.training import log
from srez.cli import app
from srez.runs.layout import RunLayout
from srez.train import checkpoint

Copy = Callable[[], Path]


def export(*words: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, words)])


def test_any_checkpoint_becomes_a_model(whole, tmp_path: Path) -> None:
    """With the averaged weights, and the figures that were logged at its step."""
    layout = RunLayout(whole.out)
    saved = checkpoint.read(layout.best_checkpoint)
    assert saved
    done = export(whole.out, "--best", "-o", tmp_path / "out.onnx")
    assert done.exit_code == 0, done.output
    card = srez.load(tmp_path / "out.onnx").card
    step = saved[1]["step"]
    assert card.training["steps"] == step
    assert card.training["data"] == ["img_align_celeba.zip"]
    psnr = {row["method"]: row["psnr"] for row in card.figures}
    assert psnr[whole.name] == round(whole.heard.figures[step]["psnr"], 4)
    assert psnr["bicubic"] == round(whole.heard.beside[step]["bicubic"]["psnr"], 4)
    newest = export(whole.out, "-o", tmp_path / "newest.onnx")
    assert newest.exit_code == 0, newest.output
    low = np.random.default_rng(1).random((1, 16, 16, 3), np.float32)
    from srez.models.runtime import Network

    exported = Network(tmp_path / "newest.onnx", "newest").run(low)
    np.testing.assert_allclose(exported, np.asarray(whole.result.average(low)), atol=1e-4)


def test_a_step_of_a_run_whose_run_json_is_damaged(copy: Copy) -> None:
    out = copy()
    RunLayout(out).run.write_text("{")
    done = export(out, "--step", 2)
    assert done.exit_code == 0, done.output
    assert srez.load(out / "step-2.onnx").card.training["steps"] == 2
    assert log(out)


def test_what_cannot_be_exported_is_named(copy: Copy, tmp_path: Path) -> None:
    out = copy()
    RunLayout(out).checkpoint(2).write_bytes(b"")
    RunLayout(out).best_checkpoint.unlink()
    for words, sentence in (
        ((tmp_path,), "is not a training run"),
        ((out, "--step", 3), "has no step-00000003.npz: choose --step from 2, 4"),
        ((out, "--step", 2), "step-00000002.npz is damaged"),
        ((out, "--best"), "has no best.npz"),
        ((out, "--best", "--step", 2), "either --best or --step"),
        ((out, "-o", "model.png"), "ends with .onnx"),
    ):
        refused = export(*words)
        assert refused.exit_code == 2, refused.output
        assert sentence in " ".join(refused.stderr.split())
