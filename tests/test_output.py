import errno
from pathlib import Path

import pytest

from srez import output
from srez.errors import OutputError


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with output.atomic(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:  # as on FAT

        def refuse(*_: Path) -> None:
            raise PermissionError(errno.EPERM, "no links here")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    with output.atomic(tmp_path / "free", overwrite=False) as file:
        file.write(b"ours")
    assert (tmp_path / "free").read_bytes() == b"ours"

    def overtaken() -> None:
        with output.atomic(tmp_path / "taken", overwrite=False) as file:
            file.write(b"ours")
            (tmp_path / "taken").write_bytes(b"theirs")

    with pytest.raises(OutputError, match="taken appeared"):
        overtaken()
    assert (tmp_path / "taken").read_bytes() == b"theirs"
    assert {path.name for path in tmp_path.iterdir()} == {"free", "taken"}


def test_what_is_no_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "folder").mkdir()
    for name in ("null", "folder"):
        path = tmp_path / name
        with pytest.raises(OutputError, match=f"{name} cannot be written"), output.atomic(path):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "null"]
    assert (tmp_path / "null").is_symlink()
