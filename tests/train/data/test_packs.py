"""Faces packed in shards, read back, damaged."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from srez.cli import app
from srez.datasets import packs
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OptionError, OutputError
from srez.train import data, recipes
from srez.train.data.faces import picker

FACES = recipes.load("faces").data


@pytest.fixture
def pack(faces_zip: Path, partition: Path, tmp_path: Path) -> Path:
    data.pack([str(faces_zip)], tmp_path / "pack", partition)
    return tmp_path / "pack"


def test_training_on_a_pack_is_training_on_its_pictures(pack: Path, faces_zip: Path, partition: Path) -> None:
    ours = data.load(FACES, [str(pack)])
    theirs = data.load(FACES, [str(faces_zip)], partition)
    assert ours.provenance == theirs.provenance
    assert ours.training.pictures == theirs.training.pictures
    np.testing.assert_array_equal(ours.validation.truth, theirs.validation.truth)
    np.testing.assert_array_equal(ours.validation.low, theirs.validation.low)
    drawn = (data.batches(each.training, 4, seed=7, start=3, stop=43) for each in (ours, theirs))
    for one, other in zip(*drawn, strict=True):
        for name, mine in one.items():
            np.testing.assert_array_equal(mine, other[name])


def test_faces_of_several_shards_are_counted_through(tmp_path: Path, random: np.random.Generator) -> None:
    faces = list(random.integers(0, 256, (11, 72, 72, 3), dtype=np.uint8))
    nowhere = Provenance([], [], ("", "", ""), "")
    index = packs.write(tmp_path, {"train": faces, "validation": faces[:2]}, nowhere, shard_faces=4)
    assert [shard.faces for shard in index.shards] == [4, 4, 3, 2]
    assert packs.read(tmp_path) == index
    face = picker(packs.faces(tmp_path, index, "train"))
    np.testing.assert_array_equal(np.stack([face(number) for number in range(11)]), np.stack(faces))


def test_damage_is_found(pack: Path) -> None:
    index = packs.read(pack)
    assert packs.check(pack, index) == []
    train, validation = pack / "train-00000.npy", pack / "validation-00000.npy"
    content = bytearray(train.read_bytes())
    content[-1] ^= 1
    train.write_bytes(content)
    validation.write_bytes(validation.read_bytes()[:-1])
    found = packs.check(pack, index)
    assert len(found) == 2
    assert "sha256" in found[0]
    assert "cut short" in found[1]
    with pytest.raises(DataError, match="cut short"):
        data.load(FACES, [str(pack)])
    validation.unlink()
    assert "missing" in packs.check(pack, index)[1]
    (pack / "pack.json").write_text("{}")
    with pytest.raises(DataError, match="is damaged"):
        packs.read(pack)


def test_a_full_disk_leaves_no_half_a_pack(small_disk: Path, random: np.random.Generator) -> None:
    faces = list(random.integers(0, 256, (100, packs.SIDE, packs.SIDE, 3), dtype=np.uint8))
    nowhere = Provenance([], [], ("", "", ""), "")
    with pytest.raises(OutputError, match=r"train-00001\.npy cannot be written: No space left on device"):
        packs.write(small_disk, {"train": faces}, nowhere, shard_faces=40)
    assert not list(small_disk.iterdir())


def test_a_pack_stands_alone(pack: Path, faces_zip: Path, partition: Path) -> None:
    with pytest.raises(OptionError, match="a pack has its own split"):
        data.load(FACES, [str(pack), str(faces_zip)])
    with pytest.raises(OptionError, match="a pack has its own split"):
        data.load(FACES, [str(pack)], partition)
    with pytest.raises(OptionError, match="a pack holds faces"):
        data.load(recipes.load("photo").data, [str(pack)])
    with pytest.raises(OptionError, match="omit the weights"):
        data.pack([f"{faces_zip}@2"], pack.parent / "other")
    with pytest.raises(OutputError, match="already holds a pack"):
        data.pack([str(faces_zip)], pack)


def test_the_commands(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    words = ["data", "pack", str(faces_zip), str(folder), "--partition", str(partition), "--json"]
    packed = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert [shard["faces"] for shard in packed["shards"]] == [18, 4]
    found = CliRunner().invoke(app, ["data", "check", str(folder), "--json"])
    assert json.loads(found.stdout) == {
        "pack": str(folder), "shards": 2, "train": 18, "validation": 4, "faults": [],
    }  # fmt: skip
    assert found.exit_code == 0
    (folder / "train-00000.npy").unlink()
    missing = CliRunner().invoke(app, ["data", "check", str(folder)])
    assert missing.exit_code == 1
    assert "train-00000.npy is missing" in missing.stderr
    absent = CliRunner().invoke(app, ["data", "check", str(tmp_path / "nothing")])
    assert absent.exit_code == 2
    assert "srez data pack" in absent.stderr
