"""The page that upscales in the browser, as far as it is Python; `make test-web` tries the page itself."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from srez import browser
from srez.cli import app
from srez.models import blending, box, winograd


def test_the_page_gets_every_set_of_weights_and_where_they_differ(tmp_path: Path) -> None:
    """Blended as the page does, the weights are those that the command runs."""
    browser.pack(tmp_path / "packed")
    photo = box.find("photo")
    card = box.card(photo)
    facts = json.loads((tmp_path / "packed/model.json").read_text())
    corners = {
        name: gzip.decompress((tmp_path / f"packed/{name}.onnx.gz").read_bytes()) for name in browser.CORNERS
    }
    assert facts["scale"] == card.scale
    assert facts["receptive_radius"] == card.receptive_radius
    shares = {"faithful": 0.375, "vivid": 0.125, "repair": 0.375, "vivid_repair": 0.125}
    mixed = bytearray(corners["faithful"])
    for start, stop in facts["places"]:
        values = sum(shares[name] * np.frombuffer(file[start:stop], "<f4") for name, file in corners.items())
        mixed[start:stop] = np.asarray(values, "<f4").tobytes()
    expected = winograd.quicker(blending.weights(photo, card, fidelity=0.75, repair=0.5))
    (first, _), *_ = facts["places"]
    assert mixed[:first] == expected[:first]
    for start, stop in facts["places"]:
        ours, theirs = (np.frombuffer(file[start:stop], "<f4") for file in (mixed, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_a_build_needs_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, ["web", "build", str(tmp_path / "site")])
    assert result.exit_code == 2
    assert "npm" in result.stderr
    assert not (tmp_path / "site").exists()


def test_a_build_replaces_nothing_but_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").touch()
    result = CliRunner().invoke(app, ["web", "build", str(tmp_path / "mine")])
    assert result.exit_code == 2
    assert "mine" in result.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_build_that_fails_leaves_an_earlier_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho no such package\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / browser.SERVICE_WORKER).write_text("earlier")
    result = CliRunner().invoke(app, ["web", "build", str(tmp_path / "site")])
    assert result.exit_code == 2
    assert "no such package" in result.stderr
    assert (tmp_path / "site" / browser.SERVICE_WORKER).read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
