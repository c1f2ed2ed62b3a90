"""Weights of PyTorch become ONNX models that compute the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import srez
from srez.cli import app

pytestmark = pytest.mark.convert


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, words)])


@pytest.fixture
def network() -> Any:
    """A network that many models are of, with weights that change a picture a little."""
    import torch  # pyright: ignore[reportMissingImports]
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact  # pyright: ignore[reportMissingImports]

    torch.manual_seed(1)
    return SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=16, num_conv=4, upscale=2).eval()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_are_added_and_compute_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: Any, suffix: str
) -> None:
    import torch  # pyright: ignore[reportMissingImports]
    from safetensors.torch import save_file  # pyright: ignore[reportMissingImports]

    monkeypatch.setenv("SREZ_MODELS", str(tmp_path / "models"))
    source = tmp_path / f"2x-small{suffix}"
    if suffix == ".pth":
        torch.save({"params": network.state_dict()}, source)
    else:
        save_file(network.state_dict(), source)
    result = run("add", source, "--licence", "MIT")
    assert result.exit_code == 0, result.output
    picture = np.random.default_rng(3).integers(60, 200, (45, 33, 3), dtype=np.uint8)
    upscaler = srez.load("2x-small", tile=32)
    assert (upscaler.card.scale, upscaler.card.licence) == (2, "MIT")
    assert upscaler.card.form.layout == "NCHW"
    images = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    with torch.no_grad():
        expected = network(images)[0].numpy().transpose(1, 2, 0)
    assert np.abs(upscaler(picture) / 255 - expected.clip(0, 1)).max() < 1.1 / 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    done = CliRunner().invoke(app, ["upscale", str(tmp_path / "a.png"), "--model", "2x-small"])
    assert done.exit_code == 0, done.output


def test_what_is_no_network_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # pyright: ignore[reportMissingImports]

    monkeypatch.setenv("SREZ_MODELS", str(tmp_path / "models"))
    torch.save({"weight": torch.zeros(3, 3)}, tmp_path / "odd.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    for name in ("odd.pth", "cut.safetensors", "absent.pth"):
        result = run("add", tmp_path / name)
        assert result.exit_code == 2
        assert name in result.stderr
        assert "Traceback" not in result.output
    assert not (tmp_path / "models").exists()
