"""`srez runs`, on folders as the trainer leaves them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from helpers.drawn_runs import write_run
from srez.cli import app

HOLD = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print()
    sys.stdout.flush()
    sys.stdin.read()
"""


def listing(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["runs", str(folder), *words])


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    result = listing(folder, "--json")
    assert result.exit_code == 0, result.output
    return {Path(row["run"]).name: row for row in json.loads(result.stdout)}


@contextmanager
def training(run: Path) -> Iterator[None]:
    """Another process that holds the run's lock, as a training does, until it is killed."""
    words = [sys.executable, "-c", HOLD, str(run / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def test_a_finished_and_a_stopped_run(tmp_path: Path) -> None:
    write_run(tmp_path / "whole")
    write_run(tmp_path / "deeper" / "part", done=120)
    (tmp_path / "no-run").mkdir()
    found = rows(tmp_path)
    assert list(found) == ["part", "whole"]
    assert [found[name]["state"] for name in found] == ["stopped", "finished"]
    assert (found["part"]["step"], found["part"]["steps"]) == (120, 400)
    whole = found["whole"]
    assert whole["best"] == pytest.approx(
        {"step": 280, "psnr": 26.24, "ssim": 0.83975, "consistency": 0.075}, rel=1e-9
    )
    assert whole["seconds"] == 3600
    assert whole["bytes"] == sum(path.stat().st_size for path in (tmp_path / "whole").rglob("*.*"))
    assert whole["description"] == "A GAN on cartoons"


def test_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs" / "whole", description="")
    result = CliRunner().invoke(app, ["runs"])
    assert result.exit_code == 0, result.output
    for words in ("runs/whole", "finished", "400 of 400", "26.24", "at 280", "0.8397", "1.00", " MB"):
        assert words in result.stdout, words


def test_a_run_is_running_while_its_lock_is_held(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=120)
    with training(run):
        assert rows(tmp_path)["run"]["state"] == "running"
    assert (run / "lock").exists()
    assert rows(tmp_path)["run"]["state"] == "stopped"


def test_looking_changes_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=120)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert listing(tmp_path).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_all_steps_without_a_model_are_not_finished(tmp_path: Path) -> None:
    (write_run(tmp_path / "run") / "model.onnx").unlink()
    assert rows(tmp_path)["run"]["state"] == "stopped"


def test_a_run_that_is_to_go_on_is_not_finished(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    facts = json.loads((run / "run.json").read_text())
    facts["recipe"]["steps"] = 800
    (run / "run.json").write_text(json.dumps(facts))
    row = rows(tmp_path)["run"]
    assert (row["state"], row["step"], row["steps"]) == ("stopped", 400, 800)


def test_steps_after_the_last_line_are_counted(tmp_path: Path) -> None:
    """A run that is stopped saves a checkpoint, but logs no line."""
    run = write_run(tmp_path / "run", done=120)
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step-00000100.npz").touch()
    assert rows(tmp_path)["run"]["step"] == 120
    (run / "checkpoints" / "step-00000137.npz").touch()
    assert rows(tmp_path)["run"]["step"] == 137


def test_a_run_before_its_first_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=0)
    (run / "metrics.jsonl").unlink()
    row = rows(tmp_path)["run"]
    assert (row["state"], row["step"], row["best"], row["seconds"]) == ("stopped", 0, None, None)
    assert row["problems"] == []
    assert "0 of 400" in listing(tmp_path).stdout


def test_a_last_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=120)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 130, "l1": 0.0')
    row = rows(tmp_path)["run"]
    assert (row["step"], row["problems"]) == (120, [])


@pytest.mark.parametrize("line", [b"\xff\x00\n", b"[1]\n", b'{"l1": 0.1}\n', b"\n"])
def test_damaged_metrics_are_told(tmp_path: Path, line: bytes) -> None:
    run = write_run(tmp_path / "run", done=120)
    lines = (run / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (run / "metrics.jsonl").write_bytes(b"".join([*lines[:3], line, *lines[3:]]))
    row = rows(tmp_path)["run"]
    assert row["problems"] == ["metrics.jsonl is damaged in line 4"]
    assert (row["state"], row["step"]) == ("stopped", 120)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recipe": 1}', '{"recipe": {"steps": "many"}}'])
def test_a_damaged_run_gets_its_row(tmp_path: Path, text: str) -> None:
    write_run(tmp_path / "good")
    (write_run(tmp_path / "bad", done=40) / "run.json").write_text(text)
    found = rows(tmp_path)
    assert (found["bad"]["state"], found["good"]["state"]) == ("damaged", "finished")
    assert found["bad"]["problems"] == ["run.json is damaged"]
    assert found["bad"]["best"]["step"] == 40
    assert "damaged" in listing(tmp_path).stdout


def test_figures_that_are_not_finite_are_never_the_best(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=120)
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 130, "validation_psnr": NaN}\n{"step": 140, "validation_psnr": Infinity}\n')
    assert rows(tmp_path)["run"]["best"]["step"] == 120


def test_a_folder_without_runs(tmp_path: Path) -> None:
    result = listing(tmp_path)
    assert (result.exit_code, result.stdout) == (
        0,
        f"No training runs in {tmp_path}: create one with `srez train`.\n",
    )
    assert json.loads(listing(tmp_path, "--json").stdout) == []


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    result = listing(tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "nowhere is not a folder" in result.stderr
