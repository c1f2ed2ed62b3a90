from pathlib import Path

import numpy as np
import pytest

from srez.errors import OutputError, TrainingError
from srez.runs.layout import RunLayout
from srez.train import checkpoint


def save(run: Path, *steps: int) -> None:
    for step in steps:
        checkpoint.save(
            RunLayout(run), step, {"a/0": np.full((2, 3), step, np.float32)}, {"note": "x"}, keep=2
        )


def test_the_newest_comes_back_whole(tmp_path: Path) -> None:
    assert checkpoint.load(RunLayout(tmp_path / "none")) == (None, [])
    save(tmp_path, 1, 2, 10)
    loaded, damaged = checkpoint.load(RunLayout(tmp_path))
    assert loaded is not None
    arrays, facts = loaded
    np.testing.assert_array_equal(arrays["a/0"], np.full((2, 3), 10))
    assert facts == {"step": 10, "note": "x"}
    assert not damaged
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        "step-00000002.npz",
        "step-00000010.npz",
    ]


def test_the_half_written_file_of_a_killed_run_goes(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/.step-00000001.npz.x1y2").write_bytes(b"half a check")
    assert checkpoint.load(RunLayout(tmp_path)) == (None, [])
    save(tmp_path, 2)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000002.npz"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_one_is_passed_over(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 1, 2)
    newest = tmp_path / "checkpoints/step-00000002.npz"
    data = bytearray(newest.read_bytes())
    data[data.index(np.full(2, 2, np.float32).tobytes())] ^= 255
    newest.write_bytes({"cut": data[:-20], "flipped": data, "empty": b""}[damage])
    loaded, damaged = checkpoint.load(RunLayout(tmp_path))
    assert loaded is not None
    assert loaded[1]["step"] == 1
    assert [path.name for path in damaged] == ["step-00000002.npz"]


def test_none_whole_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/step-00000001.npz").write_bytes(b"")
    with pytest.raises(TrainingError, match=r"no checkpoint in .* can be read"):
        checkpoint.load(RunLayout(tmp_path))


def test_no_damage_to_a_byte_escapes(tmp_path: Path) -> None:
    """Neither in the arrays nor in the zip's directory, which may then ask for a password."""
    save(tmp_path, 1)
    path = RunLayout(tmp_path).checkpoint(1)
    whole = path.read_bytes()
    found = set()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        found.add(checkpoint.read(path) is None)
    assert found == {True, False}  # some bytes of a zip mean nothing


def test_the_best_stands_in_for_all_others(tmp_path: Path) -> None:
    layout = RunLayout(tmp_path)
    for step in range(1, 4):
        checkpoint.save(layout, step, {"a": np.full(1, step)}, {}, keep=1, best=step == 1)
    layout.checkpoint(3).write_bytes(b"")
    saved, damaged = checkpoint.load(layout)
    assert saved is not None
    assert (saved[1]["step"], damaged) == (1, [layout.checkpoint(3)])
    checkpoint.save(layout, 2, {"a": np.zeros(1)}, {}, keep=1)
    assert layout.all_checkpoints() == [layout.checkpoint(2)]


def test_the_best_is_not_lost_by_a_run_that_dies_between(tmp_path: Path) -> None:
    """It is written first: the steps that led to it are then done again."""
    save(tmp_path, 1)
    (tmp_path / "checkpoints/best.npz").mkdir()
    with pytest.raises(OutputError):
        checkpoint.save(RunLayout(tmp_path), 2, {"a/0": np.zeros(1)}, {}, keep=2, best=True)
    saved, _ = checkpoint.load(RunLayout(tmp_path))
    assert saved is not None
    assert saved[1]["step"] == 1


def test_the_best_is_kept_beside_the_last(tmp_path: Path) -> None:
    for step in range(1, 6):
        checkpoint.save(RunLayout(tmp_path), step, {"a": np.zeros(1)}, {}, keep=3, best=step == 2)
    names = [path.name for path in sorted((tmp_path / "checkpoints").iterdir())]
    assert names == ["best.npz", "step-00000003.npz", "step-00000004.npz", "step-00000005.npz"]
    best = checkpoint.read(tmp_path / "checkpoints/best.npz")
    assert best is not None
    assert best[1]["step"] == 2
