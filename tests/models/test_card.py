"""What a model card may say, and the sentences about what it may not."""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from helpers import models
from srez.errors import ModelError
from srez.models import card as cards
from srez.models.card import Card, Form, SamplesFile, UncertaintyFile, WeightFile

TEXTS = {"name", "description", "licence", "limits"}
COUNTS = {
    "scale",
    "minimum_size",
    "receptive_radius",
    "parameters",
    "multiply_adds",
    "edge",
    "trained_at",
    "memory",
}
HASH = "0" * 64
DATE = datetime.date(2026, 1, 1)
WRONG_EVERYWHERE = [True, DATE, ["a"], float("nan")]
WEIGHT_FILES = {
    **dict.fromkeys(("vivid", "repair", "vivid_repair"), WeightFile),
    "samples": SamplesFile,
    "uncertainty": UncertaintyFile,
}
WRONG_FILES = ["sub/x.onnx", "../x.onnx", "sub\\x.onnx", "/x.onnx", "", "..", "x.bin", "x\n.onnx", 1]
WRONG: dict[str, list[Any]] = {
    **{key: [4, {"a": 1}, *WRONG_EVERYWHERE] for key in TEXTS},
    **{key: ["4", 4.0, -1, {"a": 1}, *WRONG_EVERYWHERE] for key in COUNTS},
    "sha256": ["", HASH[:-1], HASH[:-1] + "g", 64, *WRONG_EVERYWHERE],
    "training": ["faces", 1, *WRONG_EVERYWHERE],
    "figures": ["none", {"method": "a"}, [{"psnr": 1.0}], [{"method": 1}], [{"method": "a", "psnr": [1]}]],
    "fidelity": ["1", 10**400, 1.5, -0.1, float("inf"), {"a": 1}, *WRONG_EVERYWHERE],
    **{key: ["a.onnx", 1, *WRONG_EVERYWHERE] for key in WEIGHT_FILES},
    **{f"{key}.file": WRONG_FILES for key in WEIGHT_FILES},
    **{f"{key}.sha256": ["", HASH[:-1], 64] for key in WEIGHT_FILES},
    "samples.planes": ["8", 0, 65, 1.5, True],
    "uncertainty.factor": ["2", 0, -1.0, float("inf"), True],
    "uncertainty.power": ["1", 0, -0.5, 1.5, True],
    "keeps_flat": ["true", 1, {"a": 1}],
    "reduction": ["Area", "lanczos", "", 1, {"a": 1}, *WRONG_EVERYWHERE],
    "enlargement": ["lanczos", "bicubic", "", 1, {"a": 1}, *WRONG_EVERYWHERE],
    "form": ["NHWC", 1, *WRONG_EVERYWHERE],
    "form.layout": ["HWC", 1, True],
    "form.channels": [2, "3", 5],
    "form.type": ["float", "int8", 32],
    "form.takes": [1, [0], [1, 0], [0, 0.5], ["0", "1"], [False, True]],
    "form.gives": [1, [0], [1, 0], [0, 0.5], ["0", "1"]],
    "form.multiple": [0, "8", 10**6, 1.5],
    "form.side": [64, [64], [0, 64], [64, 64, 64], ["64", "64"]],
    "form.one_by_one": ["true", 1],
}
TOO_SMALL_OR_LARGE = {"scale": [0, 17], "minimum_size": [0, 10**6], "memory": [0], "edge": [10**6]}


def card_with(path: Path, key: str, value: Any) -> None:
    table, _, inner = key.partition(".")
    rest = {"file": "small-vivid.onnx", "sha256": HASH} if table in WEIGHT_FILES else {}
    rest |= {"samples": {"planes": 8}, "uncertainty": {"factor": 2.0}}.get(table, {})
    models.write_card(path, **{table: rest | {inner: value} if inner else value})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.write(tmp_path_factory.mktemp("model") / "small.onnx")


def test_every_key_is_tried() -> None:
    inner = {
        f"{key}.{field.name}" for key, kind in WEIGHT_FILES.items() for field in dataclasses.fields(kind)
    }
    inner |= {f"form.{field.name}" for field in dataclasses.fields(Form)}
    assert WRONG.keys() == {field.name for field in dataclasses.fields(Card)} | inner


@pytest.mark.parametrize("key", sorted(WRONG))
def test_a_value_that_does_not_fit_is_refused_by_name(small: Path, key: str) -> None:
    for value in [*WRONG[key], *TOO_SMALL_OR_LARGE.get(key, [])]:
        card_with(small, key, value)
        with pytest.raises(ModelError) as caught:
            cards.read(small)
        assert f"small.toml is not a valid model card: {key} must be " in str(caught.value), value


def test_missing_and_unknown_keys_are_refused_by_name(small: Path) -> None:
    card_with(small, "colour", "blue")
    with pytest.raises(ModelError, match=r"small\.toml is not a valid model card: unknown key colour"):
        cards.read(small)
    card_with(small, "vivid.colour", "blue")
    with pytest.raises(ModelError, match=r"unknown key vivid\.colour"):
        cards.read(small)
    models.write_card(small)
    whole = cards.as_dict(cards.read(small))
    for field in dataclasses.fields(Card):
        values = {key: value for key, value in whole.items() if key != field.name}
        small.with_suffix(".toml").write_text(tomli_w.dumps(values))
        if field.default is dataclasses.MISSING:
            with pytest.raises(ModelError, match=f"the key {field.name} is missing"):
                cards.read(small)
        else:
            assert getattr(cards.read(small), field.name) == field.default


def test_a_whole_number_is_a_fidelity_too(small: Path) -> None:
    models.write_card(small, fidelity=1, figures=[{"method": "small", "set": "none", "psnr": 20}])
    assert cards.read(small).fidelity == 1


@pytest.mark.parametrize("text", ["= 1", "[" * 5000, "\x00", f"scale = {'9' * 5000}"])
def test_other_text_is_no_card(small: Path, text: str) -> None:
    small.with_suffix(".toml").write_text(text)
    with pytest.raises(ModelError, match=r"small\.toml is not a valid model card"):
        cards.read(small)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a\.onnx does not exist"):
        cards.read(tmp_path / "a.onnx")
    (tmp_path / "b.onnx").touch()
    with pytest.raises(ModelError, match=r"b\.onnx has no model card: expected b\.toml"):
        cards.read(tmp_path / "b.onnx")
    with pytest.raises(ModelError, match="cannot be read: File name too long"):
        cards.read(tmp_path / f"{'c' * 300}.onnx")
