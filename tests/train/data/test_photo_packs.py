"""Photographs packed, mapped, trained on, damaged."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from srez import images
from srez.cli import app
from srez.datasets import cartoons, photo_packs
from srez.errors import DataError, OptionError, OutputError
from srez.train import data
from srez.train.recipe import FacesData, PhotosData

SETTINGS = PhotosData(pictures="photos", crop=32)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for seed in range(8):
        images.write(folder / f"{seed}.png", images.Picture(cartoons.face(seed, 62 + seed, 90 - seed)))
    (folder / "words.png").write_text("words")
    return folder


@pytest.fixture
def pack(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(photo_packs, "FILE_BYTES", 40_000)  # two pictures a file
    done = CliRunner().invoke(app, ["data", "pack", "--photos", str(photographs), str(tmp_path / "pack")])
    assert done.exit_code == 0, done.output
    return tmp_path / "pack"


def test_training_on_a_pack_is_training_on_its_pictures(pack: Path, photographs: Path) -> None:
    ours, theirs = (data.load(SETTINGS, [str(place)]) for place in (pack, photographs))
    assert ours.provenance == theirs.provenance
    np.testing.assert_array_equal(ours.validation.low, theirs.validation.low)
    np.testing.assert_array_equal(ours.validation.truth, theirs.validation.truth)
    drawn = (data.batches(each.training, 4, seed=7, start=0, stop=40) for each in (ours, theirs))
    for one, other in zip(*drawn, strict=True):
        for name, mine in one.items():
            np.testing.assert_array_equal(mine, other[name])
    assert len(list(pack.glob("photos-*.bin"))) > 2


def test_a_pack_of_one_shard(photographs: Path, tmp_path: Path) -> None:
    words = ["data", "pack", "--photos", str(photographs), str(tmp_path / "pack")]
    assert "Done: 1 shard in" in CliRunner().invoke(app, words).stdout
    assert "in 1 shard: intact" in CliRunner().invoke(app, ["data", "check", str(tmp_path / "pack")]).stdout


def test_a_full_disk_leaves_no_half_a_pack(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_packs, "FILE_BYTES", 600_000)  # a picture a file
    (tmp_path / "large").mkdir()
    for seed in range(4):
        images.write(tmp_path / f"large/{seed}.png", images.Picture(cartoons.face(seed, 400, 400)))
    words = ["data", "pack", "--photos", str(tmp_path / "large"), str(small_disk / "pack")]
    full = CliRunner().invoke(app, words)
    assert full.exit_code == 2, full.output
    assert "pack cannot be written: No space left on device" in " ".join(full.stderr.split())
    assert not list((small_disk / "pack").iterdir())
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert CliRunner().invoke(app, words).exit_code == 0


def test_damage_is_found(pack: Path) -> None:
    def check() -> tuple[int, str]:
        done = CliRunner().invoke(app, ["data", "check", str(pack)])
        return done.exit_code, done.output

    assert check()[0] == 0
    first = pack / "photos-00000.bin"
    content = bytearray(first.read_bytes())
    content[7] ^= 1
    first.write_bytes(content)
    assert check()[0] == 1
    first.write_bytes(content[:99])
    with pytest.raises(DataError, match=r"photos-00000\.bin is damaged or cut short"):
        data.load(SETTINGS, [str(pack)])
    first.unlink()
    with pytest.raises(DataError, match=r"photos-00000\.bin is missing"):
        data.load(SETTINGS, [str(pack)])
    (pack / "pack.json").write_text('{"kind": "photos"}')
    with pytest.raises(DataError, match="is damaged"):
        data.load(SETTINGS, [str(pack)])


def test_refusals(pack: Path, photographs: Path) -> None:
    with pytest.raises(OptionError, match="holds photos, but the recipe needs faces"):
        data.load(FacesData(pictures="faces"), [str(pack)])
    with pytest.raises(OptionError, match="cannot be mixed"):
        data.load(SETTINGS, [str(pack), str(photographs)])
    with pytest.raises(DataError, match=r"as large as data\.crop"):
        data.load(PhotosData(pictures="photos", crop=96), [str(pack)])
    with pytest.raises(OutputError, match="already holds a pack"):
        data.pack_photos([str(photographs)], pack)
    with pytest.raises(OptionError, match="omit the weights"):
        data.pack_photos([f"{photographs}@2"], pack.parent / "other")
