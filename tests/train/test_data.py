import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conftest import drawn_face, write_faces, write_partition
from srez import images, resample
from srez.errors import DataError
from srez.train import data
from srez.train.recipe import Augmentation

NONE = Augmentation(shift=0, flip=False)
SREZ = Augmentation(shift=4, flip=True, saturation=0.05, brightness=0.05, contrast=0.05, noise=0.03)


def load(*sources: Path, partition: Path | None = None) -> data.Faces:
    return data.load(list(sources), partition, lambda pictures, _: pictures)


def test_a_zip_is_split_by_its_partition(faces_zip: Path, partition: Path) -> None:
    faces = load(faces_zip, partition=partition)
    assert faces.train.shape == (18, 72, 72, 3)
    assert faces.validation.shape == (4, 64, 64, 3)
    assert not faces.skipped
    with zipfile.ZipFile(faces_zip) as archive:
        picture = images.read(archive.read("img_align_celeba/000019.jpg")).pixels
    np.testing.assert_array_equal(faces.validation[0], picture[30:94, 12:76])  # the shared framing
    np.testing.assert_allclose(faces.validation_low, resample.area(faces.validation, 4) / 255, atol=1e-7)


def test_a_folder_gives_what_its_zip_gives(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(faces_zip) as archive:
        archive.extractall(tmp_path)
    unpacked, packed = load(tmp_path, partition=partition), load(faces_zip, partition=partition)
    np.testing.assert_array_equal(unpacked.train, packed.train)
    assert unpacked.fingerprint == packed.fingerprint


def test_pictures_without_a_part_train(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    drawn_face(100, (144, 144)).save(tmp_path / "Someone_0001.png")
    faces = load(faces_zip, tmp_path, partition=partition)
    assert len(faces.train) == 19
    assert faces.fingerprint != load(faces_zip, partition=partition).fingerprint


def test_without_a_partition_one_in_twenty_is_held_out(tmp_path: Path) -> None:
    faces = load(write_faces(tmp_path / "many.zip", 120))
    assert len(faces.train) + len(faces.validation) == 120
    assert 1 <= len(faces.validation) <= 15


@pytest.mark.parametrize("size", [(178, 218), (89, 109), (144, 144), (72, 72), (64, 64)])
def test_each_framing_shows_the_same_face(tmp_path: Path, faces_zip: Path, size: tuple[int, int]) -> None:
    """A bright square at the face's centre stays there, whatever the size of the file."""
    width, height = size
    scale = {178: 2, 144: 2}.get(width, 1)
    left, top = {178: (25, 60), 89: (12, 30), 144: (8, 8), 72: (4, 4), 64: (0, 0)}[width]
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top + 24 * scale : top + 40 * scale, left + 24 * scale : left + 40 * scale] = 255
    (tmp_path / "faces").mkdir()
    images.write(tmp_path / "faces/one.png", images.Picture(pixels))
    part = tmp_path / "part.txt"
    part.write_text("one.png 1\n")
    face = load(tmp_path / "faces", faces_zip, partition=part).validation[0]
    assert (face[24:40, 24:40] == 255).all()
    assert face.sum() == 255 * 16 * 16 * 3


def test_unusable_pictures_are_skipped_and_named(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    (tmp_path / "words.jpg").write_text("these are words")
    drawn_face(1, (300, 200)).save(tmp_path / "wide.png")
    drawn_face(2, (64, 64)).convert("L").save(tmp_path / "gray.png")
    faces = load(faces_zip, tmp_path, partition=partition)
    assert len(faces.train) == 19
    assert len(faces.skipped) == 2
    assert any("words.jpg is not a PNG" in reason for reason in faces.skipped)
    assert any("wide.png is 300x200" in reason for reason in faces.skipped)


def test_a_damaged_member_of_a_zip_is_skipped(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    content = bytearray(faces_zip.read_bytes())
    with zipfile.ZipFile(faces_zip) as archive:
        start = archive.getinfo("img_align_celeba/000003.jpg").header_offset
    content[start + 200 : start + 300] = bytes(100)
    (tmp_path / "damaged.zip").write_bytes(content)
    faces = load(tmp_path / "damaged.zip", partition=partition)
    assert len(faces.train) == 17
    assert "000003.jpg" in faces.skipped[0]


def test_refusals(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    empty, words, hollow = tmp_path / "empty", tmp_path / "words.zip", tmp_path / "hollow.zip"
    empty.mkdir()
    words.write_text("these are words")
    with zipfile.ZipFile(hollow, "w") as archive:
        archive.writestr("readme.txt", "no pictures")
    with pytest.raises(DataError, match="nowhere does not exist"):
        load(tmp_path / "nowhere")
    for source in (empty, hollow):
        with pytest.raises(DataError, match=f"{source.name} holds no pictures"):
            load(source)
    with pytest.raises(DataError, match=r"words\.zip is neither a folder nor a zip"):
        load(words)
    with pytest.raises(
        DataError, match=r"names 2 pictures that the data does not hold, the first 000025\.jpg"
    ):
        load(faces_zip, partition=write_partition(tmp_path / "p.txt", {1: 1, 25: 0, 26: 0}))
    (tmp_path / "p.txt").write_text("000001.jpg train\n")
    with pytest.raises(DataError, match=r"p\.txt, line 1: expected a file name and 0, 1 or 2"):
        load(faces_zip, partition=tmp_path / "p.txt")
    with pytest.raises(DataError, match=r"nowhere\.txt cannot be read"):
        load(faces_zip, partition=tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="no usable face to validate on"):
        load(faces_zip, partition=write_partition(tmp_path / "p.txt", dict.fromkeys(range(1, 25), 0)))


def batches(train: np.ndarray, settings: Augmentation, start: int, steps: int, seed: int = 1) -> list:
    return list(data.batches(train, settings, 4, seed, start, steps).as_numpy_iterator())


@pytest.fixture(scope="module")
def train(faces_zip: Path, partition: Path) -> np.ndarray:
    return load(faces_zip, partition=partition).train


def test_batches_have_the_stated_shapes_and_ranges(train: np.ndarray) -> None:
    (noisy, clean, high), *_ = batches(train, SREZ, 0, 1)
    assert noisy.shape == clean.shape == (4, 16, 16, 3)
    assert high.shape == (4, 64, 64, 3)
    assert high.min() >= 0
    assert high.max() <= 1
    np.testing.assert_allclose(resample.area(high, 4), clean, atol=1e-6)
    assert 0.02 < (noisy - clean).std() < 0.04


def test_without_augmentation_pairs_are_the_faces(train: np.ndarray) -> None:
    (noisy, clean, high), *_ = batches(train, NONE, 0, 1)
    np.testing.assert_array_equal(noisy, clean)
    centres = train[:, 4:-4, 4:-4] / np.float32(255)
    assert all(np.abs(centres - face).max((1, 2, 3)).min() < 1e-6 for face in high)


def test_an_epoch_holds_every_face_once_in_another_order(train: np.ndarray) -> None:
    seen = np.concatenate([high for _, _, high in batches(train, NONE, 0, 9)])  # two epochs of 18
    keys = [face.tobytes() for face in seen]
    assert set(Counter(keys[:18]).values()) == set(Counter(keys[18:]).values()) == {1}
    assert keys[:18] != keys[18:]


def test_batches_can_be_taken_up_at_any_step(train: np.ndarray) -> None:
    whole, late = batches(train, SREZ, 0, 9), batches(train, SREZ, 6, 9)
    for expected, resumed in zip(whole[6:], late, strict=True):
        for a, b in zip(expected, resumed, strict=True):
            np.testing.assert_array_equal(a, b)
    assert any((a[2] != b[2]).any() for a, b in zip(whole, batches(train, SREZ, 0, 9, seed=2), strict=True))


def test_shift_and_flip_stay_within_the_rim(train: np.ndarray) -> None:
    shifts, flips = set(), set()
    views = np.lib.stride_tricks.sliding_window_view(train / np.float32(255), (64, 64), (1, 2))
    for _, _, high in batches(train[:1], Augmentation(), 0, 40):
        for face in high:
            for flipped in (False, True):
                target = (face[:, ::-1] if flipped else face).transpose(2, 0, 1)
                found = np.argwhere(np.abs(views[0] - target).max((2, 3, 4)) < 1e-6)
                if len(found):
                    shifts.add(tuple(found[0]))
                    flips.add(flipped)
    assert flips == {False, True}
    assert {y for y, _ in shifts} == {x for _, x in shifts} == set(range(9))
