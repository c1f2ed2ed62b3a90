"""Finding pictures: one rule for folders and zips, by contents where the name says nothing."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srez import images
from srez.datasets import pictures
from srez.errors import ImageError

HIDDEN = [".thumbnails/a.png", "._a.png", ".a.png", "__MACOSX/a.png", "sub/__MACOSX/._b.png", "sub/.c/d.png"]
PICTURES = {"a.png": "PNG", "b.jpe": "JPEG", "c.jpg_large": "JPEG", "d": "WEBP", "sub/e.dib": "BMP"}
OTHERS = {
    "notes.txt": b"BMW and other words",
    "raw.nef": b"II*\0\x08\0\0\0",
    "empty": b"",
    "photo.xmp": b"<x:xmpmeta/>",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*HIDDEN, *PICTURES):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path, PICTURES.get(name, "PNG"))
    for name, data in OTHERS.items():
        (tmp_path / "photos" / name).write_bytes(data)
    return tmp_path / "photos"


def test_contents_decide_and_hidden_files_are_passed_over(folder: Path) -> None:
    found = images.find(folder, recursive=True)
    assert [str(path.relative_to(folder)) for path in found.pictures] == sorted(PICTURES)
    assert [path.name for path in found.others] == sorted(OTHERS)
    assert not found.closed


def test_a_folder_alone(folder: Path) -> None:
    assert folder / "sub/e.dib" not in images.find(folder).pictures
    assert len(images.find(folder).pictures) == 4


def test_a_zip_holds_the_same(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        found = images.find_in_zip(archive)
    assert found.pictures == sorted(PICTURES)
    assert found.others == sorted(OTHERS)


def test_training_finds_what_upscaling_finds(folder: Path) -> None:
    assert [file.path for file in pictures.find(folder)] == sorted(PICTURES)


def test_links(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links/a.png").symlink_to(folder / "a.png")
    (tmp_path / "links/again").symlink_to(tmp_path / "links", target_is_directory=True)
    (tmp_path / "links/nowhere.png").symlink_to(tmp_path / "nowhere.png")
    found = images.find(tmp_path / "links", recursive=True)
    assert [path.name for path in found.pictures] == ["a.png"]
    assert [path.name for path in found.others] == ["nowhere.png"]


def test_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(ImageError, match="holds no pictures, only 1 file"):
        images.find(tmp_path)
