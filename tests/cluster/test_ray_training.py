"""One training by two processes of a real Ray on this machine, and one of them killed."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from helpers.commands import SREZ
from helpers.killing import kill_one
from helpers.waiting import PATIENCE

STEPS = 120
COMPARED = 50  # later, differences of rounding have grown
TOLERANCE = 1e-3
WORDS = (
    "train", "smoke", "--steps", str(STEPS), "--set", "every.log=1", "--set", "every.validate=60",
    "--set", "every.checkpoint=10", "--set", "generator.channels=16", "--set", "data.drawn=200",
)  # fmt: skip


def losses(out: Path) -> dict[int, float]:
    """The loss of every step, none twice: a step that was done again is logged once."""
    whole = (out / "metrics.jsonl").read_text().split("\n")[:-1]  # the last line may be half written
    lines = [json.loads(line) for line in whole]
    steps = [line["step"] for line in lines if "l1" in line]
    assert steps == sorted(set(steps))
    return {line["step"]: line["l1"] for line in lines if "l1" in line}


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([*SREZ, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training by two workers that nobody disturbs."""
    out = tmp_path_factory.mktemp("together") / "run"
    done = run(*WORDS, "--out", str(out), "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return out


@pytest.mark.cluster
def test_two_workers_have_the_losses_of_one(together: Path, tmp_path: Path) -> None:
    assert run(*WORDS, "--out", str(tmp_path / "alone")).returncode == 0
    ours, theirs = losses(together), losses(tmp_path / "alone")
    assert list(ours) == list(theirs) == list(range(1, STEPS + 1))
    for step in range(1, COMPARED + 1):
        assert ours[step] == pytest.approx(theirs[step], rel=TOLERANCE), step
    assert (together / "model.onnx").exists()


@pytest.mark.cluster
def test_a_killed_worker_costs_the_steps_since_the_checkpoint(together: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = [*WORDS, "--out", str(out)]
    before = 0

    def in_the_middle() -> bool:
        nonlocal before
        before = len(losses(out)) if (out / "metrics.jsonl").exists() else 0
        return before > 25

    with subprocess.Popen([*SREZ, *words, "--workers", "2"], stderr=subprocess.PIPE, text=True) as driver:
        kill_one(driver.pid, "RayTrainWorker", of=2, when=in_the_middle)
        after = max(losses(out))
        _, stderr = driver.communicate(timeout=5 * PATIENCE)
    assert driver.returncode == 0, stderr
    flat = " ".join(stderr.split())
    assert re.search(r"worker [01] died \(", flat)
    assert "all workers restart from the last checkpoint" in flat
    resumed = int(flat.partition("resuming from step ")[2].split()[0])
    assert before - 10 <= resumed <= after + 10  # the kill takes a moment
    assert losses(out) == losses(together)  # bit for bit
    assert (out / "model.onnx").exists()

    # One process takes up what two did, and two what one did.
    for steps, more in ((STEPS + 10, ()), (STEPS + 20, ("--workers", "2"))):
        longer = run(*words, "--steps", str(steps), *more)
        assert longer.returncode == 0, longer.stderr
        assert f"resuming from step {steps - 10}" in " ".join(longer.stderr.split())
        assert list(losses(out)) == list(range(1, steps + 1))


@pytest.mark.cluster
def test_a_users_mistake_is_told_once(tmp_path: Path) -> None:
    absent = str(tmp_path / "nowhere")  # the mistake is told before any data is read
    wrong = run(
        "train", "faces", "--data", absent, "--out", str(tmp_path), "--workers", "2", "--set", "batch=15"
    )
    assert wrong.returncode == 2
    assert "2 devices cannot share batches of 15" in " ".join(wrong.stderr.split())
    assert "Traceback" not in wrong.stderr
    assert "restart" not in wrong.stderr
