"""`srez upscale`: what is taken as an input, and what cannot be."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.commands import refusal, upscale
from srez import images


def test_an_impossible_pattern_costs_one_input(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    for pattern in ("foo**.jpg", "**foo/a.png"):
        result = upscale(tmp_path / pattern, tmp_path / "in", "-o", tmp_path / "out", "--overwrite")
        assert result.exit_code == 1
        assert f"srez: {tmp_path / pattern} is not a valid pattern" in result.stderr
        assert (tmp_path / "out/a.png").exists()


@pytest.mark.parametrize("words", [[""], ["a.png", ""], ["a.png", "-o", ""], ["a.png", "--output="]])
def test_an_empty_name_is_not_the_current_folder(
    picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    source = picture("a.png")
    monkeypatch.chdir(tmp_path)
    result = upscale(*words)
    assert result.exit_code == 2
    assert "empty" in result.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_one_file_under_two_names_is_done_once(picture, tmp_path: Path, monkeypatch) -> None:
    picture("a.png")
    monkeypatch.chdir(tmp_path)
    assert upscale("a.png", "./a.png", tmp_path / "a.png", "-o", "out").stdout.count("36x48") == 1


def test_hidden_folders_are_left_out(picture, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/.thumbnails/a.png", "in/.b.png"):
        picture(name)
    assert upscale(tmp_path / "in", "-r", "-o", tmp_path / "out").exit_code == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.*")] == ["a.png"]


def test_contents_decide_what_a_picture_is_and_others_are_counted(picture, tmp_path: Path) -> None:
    folder = picture("in/a.jpg").parent
    for name in ("b.jpg_large", "c"):
        (folder / name).write_bytes((folder / "a.jpg").read_bytes())
    for name in ("notes.txt", "table.csv"):
        (folder / name).write_text("words")
    for words in (["--dry-run"], []):
        result = upscale(folder, "-o", tmp_path / "out", *words)
        assert result.exit_code == 0, result.output
        assert "2 files of another kind left out" in result.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpg", "b.jpg", "c.jpg"]
    report = json.loads(upscale(folder, "-o", tmp_path / "out", "--skip", "--json").stdout)
    assert sorted(report["other_files"]) == [str(folder / name) for name in ("notes.txt", "table.csv")]


def test_names_of_any_length(picture, tmp_path: Path) -> None:
    """255 bytes are the most; a result's name may be longer, that of its unfinished file must not be."""
    longest, too_long = f"{'日' * 83}.png", "a" * 300
    sources = [picture(f"in/{longest}"), picture("in/b.png")]
    assert upscale(*sources, "-o", tmp_path / "out").exit_code == 0
    assert images.size(tmp_path / "out" / longest) == (36, 48)
    result = upscale(tmp_path / "in", tmp_path / too_long)
    assert result.exit_code == 1
    assert result.stderr.count("File name too long") == 2
    assert "1 upscaled, 2 failed" in result.stdout
    for out in (f"{too_long}.png", f"{too_long}/b.png", f"{too_long}/"):
        assert "File name too long" in refusal(upscale(sources[1], "-o", tmp_path / out), exit_code=1)


def test_links_that_lead_to_themselves(picture, tmp_path: Path) -> None:
    loop, source = tmp_path / "loop.png", picture("a.png")
    loop.symlink_to(loop)
    assert "symbolic links" in refusal(upscale(loop, source, "-o", tmp_path / "out"), exit_code=1)
    assert (tmp_path / "out/a.png").exists()


def test_a_pipe_with_a_name_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert "a.png is a pipe" in refusal(upscale(tmp_path / "a.png"), exit_code=1)


def test_folders_that_may_not_be_looked_into(picture, tmp_path: Path, monkeypatch) -> None:
    """As root every folder may be, so the system's refusal is put in place."""
    source, stat = picture("a.png"), Path.stat

    def refusing(path: Path, **options) -> object:
        if "locked" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    result = upscale(tmp_path / "locked/b.png", source, "-o", tmp_path / "out")
    assert "locked/b.png" in refusal(result, exit_code=1)
    assert (tmp_path / "out/a.png").exists()


def test_subfolders_that_cannot_be_read_are_named(picture, tmp_path: Path, monkeypatch) -> None:
    """As root every folder can be, so the system's refusal is put in place."""
    for name in ("in/a.png", "in/closed/b.png", "in/deep/closed/c.png", "in/deep/d.png"):
        picture(name)
    scandir = os.scandir

    def refusing(path: Any = ".") -> Any:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = upscale(tmp_path / "in", "-r", "-o", tmp_path / "out")
    assert result.exit_code == 1
    for folder in ("in/closed", "in/deep/closed"):
        assert f"srez: {tmp_path / folder} cannot be read: Permission denied" in result.stderr
    assert "2 upscaled, 2 failed" in result.stdout
    result = upscale(tmp_path / "in/closed", tmp_path / "in/deep/d.png", "-o", tmp_path / "other")
    assert "in/closed cannot be read" in refusal(result, exit_code=1)
    assert upscale(tmp_path / "in", "-o", tmp_path / "top").exit_code == 0  # nobody asked for them


def test_pictures_in_folders_that_may_be_listed_only(picture, tmp_path: Path, monkeypatch) -> None:
    picture("in/locked/a.png")
    picture("in/b.png")
    stat = Path.stat

    def refusing(path: Path, **options: Any) -> object:
        if path.parent.name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refusing)
    result = upscale(tmp_path / "in", "-r", "-o", tmp_path / "out")
    assert "locked/a.png cannot be read: Permission denied" in refusal(result, exit_code=1)
    assert "1 upscaled, 1 failed" in result.stdout
