"""TensorFlow and PyTorch train alike, and go on with each other's runs: `make test-backends`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import both_backends
from helpers.training import TINY, log, newest

pytestmark = pytest.mark.backends

PARTS = {"begin": "tensorflow", "middle": "torch", "end": "tensorflow"}
COMPARED = 20  # steps
RECORDED = ("gradient", "rate")  # what is logged beside losses: parts of names


@pytest.fixture(scope="module")
def torch_python() -> str:
    """The Python of an environment with PyTorch and without TensorFlow."""
    found = os.environ.get("SREZ_TORCH")
    if not found:
        pytest.skip("SREZ_TORCH does not name the Python of an environment with PyTorch")
    return found


@pytest.fixture(scope="module")
def folder(torch_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both backends have trained, one after the other."""
    made = tmp_path_factory.mktemp("backends")
    for part, backend in PARTS.items():
        python = torch_python if backend == "torch" else sys.executable
        done = subprocess.run(
            [python, both_backends.__file__, str(made), part],
            # More threads gain nothing on tensors this small, and wait for each other on a busy machine.
            env={**os.environ, "KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return made


def losses(out: Path) -> list[dict[str, float]]:
    """The losses of every step."""
    steps = [line for line in log(out) if "learning_rate" in line]
    return [
        {name: value for name, value in line.items() if not any(part in name for part in RECORDED)}
        for line in steps
    ]


@pytest.mark.parametrize("name", both_backends.RECIPES)
def test_both_backends_train_alike(name: str, folder: Path) -> None:
    ours, theirs = (losses(folder / backend / name) for backend in ("tensorflow", "torch"))
    assert len(ours) == len(theirs) == both_backends.STEPS
    for name in set().union(*ours[:COMPARED]) - {"step"}:
        mine, yours = ([line.get(name, 0.0) for line in lines[:COMPARED]] for lines in (ours, theirs))
        # Relative to the curve: where a critic's score crosses 0, it is a difference of larger numbers.
        assert mine == pytest.approx(yours, rel=0, abs=1e-3 * max(map(abs, mine))), name
    assert ours[-1] != ours[0]


def test_a_run_goes_on_with_the_other_backend_and_back(folder: Path) -> None:
    """Its curve is that of a run that stayed with one."""
    assert newest(folder / "mixed")[1]["step"] == 60
    alone, mixed = losses(folder / "tensorflow" / both_backends.MIXED_RECIPE), losses(folder / "mixed")
    assert [line["step"] for line in mixed] == list(range(1, 61))
    assert {"l1", "perceptual", "adversarial", "grid"} < set(mixed[0])
    for step in (19, 20, 21, 39, 40, 41):  # before and after each change
        assert mixed[step] == pytest.approx(alone[step], rel=2e-3, abs=1e-5), step


def test_exported_models_are_the_networks(folder: Path) -> None:
    for part, backend in PARTS.items():
        facts = json.loads((folder / f"{part}.json").read_text())
        assert facts["backend"] == backend
        assert max(facts["parities"].values()) < 1e-4
        if backend == "torch":
            assert not facts["others"]


def test_pytorch_alone_is_enough_for_the_command(torch_python: str, tmp_path: Path) -> None:
    small = [word for change in [*TINY["faces"], "steps=2", "data.drawn=20"] for word in ("--set", change)]
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}

    def srez(*words: str) -> subprocess.CompletedProcess:
        command = [torch_python, "-m", "srez", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    out = str(tmp_path / "run")
    done = srez("train", "smoke", "--out", out, *small)
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in (done.stdout + done.stderr).lower()
    again = srez("export", out, "--step", "2")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "run/step-2.onnx").exists()
    for option, sentence in (
        (["--devices", "2"], "with PyTorch one device trains"),
        (["--backend", "tensorflow"], "tensorflow is not installed: pip install 'srez[train]'"),
    ):
        refused = srez("train", "smoke", "--out", out, *small, *option)
        assert refused.returncode == 2
        assert sentence in " ".join(refused.stderr.split())
