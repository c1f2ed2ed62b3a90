"""The loaded models by themselves."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import foreign
from helpers.models import write, write_endless, write_guessing
from helpers.serving import face
from helpers.waiting import PATIENCE
from srez.errors import SlowModelError
from srez.models import added, box
from srez.models.foreign import Hints
from srez.serve.inference import models


def test_a_model_that_is_being_loaded_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, loaded = threading.Event(), []

    def slow(file: Path, *_: Any, **__: Any) -> str:
        if file.stem == "photo":
            assert gate.wait(PATIENCE)
        loaded.append(file.stem)
        return file.stem

    monkeypatch.setattr(models, "Upscaler", slow)
    ours = models.Models(None, 192)
    threads = [threading.Thread(target=ours.get, args=["photo", 1.0, None]) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert ours.get("faces", 1.0, None) == "faces"
    gate.set()
    for thread in threads:
        thread.join()
    assert loaded == ["faces", "photo"]


def test_a_model_that_loops_for_ever_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "FOREIGN_SECONDS", 0.3)
    write_endless(tmp_path / "endless.onnx")
    upscaler = models.Models(tmp_path, 192).get("endless", 1.0, None)
    for _ in range(2):
        with pytest.raises(SlowModelError, match=r"endless\.onnx"):
            upscaler(face())


def test_models_of_a_folder_are_listed_by_the_names_that_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "portraits.onnx", name="photo")  # as the recipe is called that it was trained with
    offered = models.Models(tmp_path, 192)
    assert [card.name for card in offered.cards.values()] == sorted([*box.names(), "portraits"])


def test_models_without_a_card_are_known(tmp_path: Path) -> None:
    write_guessing(tmp_path / "guessing.onnx")
    bare = foreign.write(tmp_path / "bare.onnx", foreign.KINDS["nhwc"], seed=1)
    assert models.Models(tmp_path, 192).left_out == [bare]


def test_added_models_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SREZ_MODELS", str(tmp_path / "added"))
    file = foreign.write(tmp_path / "x.onnx", foreign.KINDS["nhwc"], seed=1)
    added.add(file, "fur", "CC0", "", Hints())
    offered = models.Models(None, 192)
    assert offered.cards.keys() == {*box.names(), "fur"}
    assert offered.get("fur", 1.0, None)(np.zeros((9, 8, 3), np.uint8)).shape == (18, 16, 3)
