"""Commands whose packages are not installed."""

import sys

import pytest

from helpers.commands import refusal, run


def test_training_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)  # a training in this process sets it
    for package in ("tensorflow", "torch"):
        monkeypatch.setitem(sys.modules, package, None)
    refused = refusal(run("train", "smoke"))
    assert "training needs TensorFlow or PyTorch: pip install 'srez[train]'" in refused
    assert run("recipes").exit_code == 0  # they are text


@pytest.mark.parametrize(
    ("words", "package", "task"),
    [(("runs",), "filelock", "listing runs"), (("report", "runs/a"), "matplotlib", "writing a report")],
)
def test_looking_at_runs_without_the_extra(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], package: str, task: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"{task} needs the package {package}: pip install 'srez[train]'" in refusal(run(*words))
