import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.drawn_faces import drawn_face, write_faces, write_partition
from srez import images
from srez.datasets import pictures
from srez.datasets.faces import frame
from srez.datasets.partition import Part
from srez.errors import DataError, OptionError
from srez.images import resample
from srez.train import data
from srez.train.data import sources
from srez.train.recipe import FacesData, PhotosData

FACES = FacesData(pictures="faces", shift=0, flip=False)


def load(*places: Path | str, partition: Path | None = None) -> data.TrainingData:
    return data.load(FACES, [str(place) for place in places], partition)


def test_a_zip_is_split_by_its_partition(faces_zip: Path, partition: Path) -> None:
    faces = load(faces_zip, partition=partition)
    assert faces.training.pictures == 18
    assert faces.validation.truth.shape == (4, 64, 64, 3)
    assert not faces.provenance.skipped
    with zipfile.ZipFile(faces_zip) as archive:
        picture = images.read(archive.read("img_align_celeba/000019.jpg")).pixels
    np.testing.assert_array_equal(faces.validation.truth[0], picture[30:94, 12:76])  # the shared framing
    np.testing.assert_allclose(
        faces.validation.low, resample.area(faces.validation.truth, 4) / 255, atol=1e-7
    )


def test_a_folder_gives_what_its_zip_gives(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(faces_zip) as archive:
        archive.extractall(tmp_path)
    unpacked, packed = load(tmp_path, partition=partition), load(faces_zip, partition=partition)
    np.testing.assert_array_equal(unpacked.validation.truth, packed.validation.truth)
    assert unpacked.provenance.fingerprint == packed.provenance.fingerprint


def test_pictures_without_a_part_train(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    drawn_face(100, (144, 144)).save(tmp_path / "Someone_0001.png")
    faces = load(faces_zip, tmp_path, partition=partition)
    assert faces.training.pictures == 19
    assert faces.provenance.fingerprint != load(faces_zip, partition=partition).provenance.fingerprint


def test_a_partition_splits_the_first_source_that_holds_all_it_names(
    faces_zip: Path, partition: Path, tmp_path: Path
) -> None:
    """Another source may have files of the same names: all of them, or some."""
    other, few = tmp_path / "other.zip", tmp_path / "few"
    few.mkdir()
    with zipfile.ZipFile(other, "w") as archive:
        for number in range(1, 25):
            drawn_face(500 + number, (64, 64)).save(few / "face.png")
            archive.write(few / "face.png", f"somewhere/{number:06d}.jpg")
    (few / "face.png").unlink()
    for number in (19, 20, 23):  # two that validate, and one that is left out
        drawn_face(600 + number, (64, 64)).save(few / f"{number:06d}.jpg")
    alone = load(faces_zip, partition=partition)
    for places, more in (((faces_zip, other), 24), ((few, faces_zip), 3)):
        both = load(*places, partition=partition)
        assert both.training.pictures == 18 + more
        np.testing.assert_array_equal(both.validation.truth, alone.validation.truth)


def test_a_partition_may_split_several_sources_together(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for number, folder in ((1, one), (2, one), (3, two), (4, two)):
        folder.mkdir(exist_ok=True)
        drawn_face(number, (64, 64)).save(folder / f"{number:06d}.jpg")
    partition = write_partition(tmp_path / "p.txt", {1: 0, 2: 1, 3: 1, 4: 2})
    found = load(one, two, partition=partition)
    assert (found.training.pictures, len(found.validation.truth)) == (1, 2)
    drawn_face(9, (64, 64)).save(two / "000002.jpg")
    with pytest.raises(DataError, match=r"2 sources hold 000002\.jpg"):
        load(one, two, partition=partition)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pictures_are_too_few(count: int, tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("these are words")
    for number in range(count):
        drawn_face(number, (64, 64)).save(tmp_path / f"{number}.png")
    with pytest.raises(DataError, match=r"at least two usable pictures.*left out: words\.jpg"):
        load(tmp_path)


def test_without_a_partition_one_in_twenty_is_held_out(tmp_path: Path) -> None:
    faces = load(write_faces(tmp_path / "many.zip", 120))
    assert faces.training.pictures + len(faces.validation.truth) == 120
    assert 1 <= len(faces.validation.truth) <= 15


def test_every_source_is_validated_on(tmp_path: Path) -> None:
    """Even where no hash of a name of one says so; but not the only picture of a source."""
    many, few, one = write_faces(tmp_path / "many.zip", 120), tmp_path / "few", tmp_path / "one"
    names = [f"{n}.png" for n in range(40) if zlib.crc32(f"{n}.png".encode()) % 20][:4]
    for folder, own in ((few, names[:3]), (one, names[3:])):
        folder.mkdir()
        for number, name in enumerate(own):
            drawn_face(300 + number + len(own), (64, 64)).save(folder / name)
    alone, found = load(many), load(many, few, one)
    assert len(found.validation.truth) == len(alone.validation.truth) + 1


def test_of_few_pictures_a_usable_one_is_held_out(tmp_path: Path) -> None:
    names = sorted((f"{number}.png" for number in range(4)), key=lambda name: zlib.crc32(name.encode()))
    for number, name in enumerate(names):
        drawn_face(number, (64, 64)).save(tmp_path / name)
    (tmp_path / names[0]).write_text("the one that would be held out")
    faces = load(tmp_path)
    assert (faces.training.pictures, len(faces.validation.truth)) == (2, 1)


def test_another_split_is_other_data(faces_zip: Path, partition: Path, tmp_path: Path) -> None:
    swapped = {number: 1 if number <= 4 else 0 if number <= 22 else 2 for number in range(1, 25)}
    ours = load(faces_zip, partition=partition)
    theirs = load(faces_zip, partition=write_partition(tmp_path / "p.txt", swapped))
    assert (ours.training.pictures, len(ours.validation.truth)) == (
        theirs.training.pictures,
        len(theirs.validation.truth),
    )
    assert ours.provenance.fingerprint != theirs.provenance.fingerprint


def test_runs_without_a_partition_keep_their_fingerprint(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((64, 64, 3), number, np.uint8)).save(tmp_path / f"{number}.bmp")
    lines = [f"{path.name} {zlib.crc32(path.read_bytes())}\n" for path in sorted(tmp_path.iterdir())]
    assert (
        load(tmp_path).provenance.fingerprint
        == hashlib.sha256(("[None]" + "".join(lines)).encode()).hexdigest()
    )


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
    face = load(tmp_path / "faces", faces_zip, partition=part).validation.truth[0]
    assert (face[24:40, 24:40] == 255).all()
    assert face.sum() == 255 * 16 * 16 * 3


def test_unusable_pictures_are_skipped_and_named(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    (tmp_path / "words.jpg").write_text("these are words")
    drawn_face(1, (300, 200)).save(tmp_path / "wide.png")
    drawn_face(2, (64, 64)).convert("L").save(tmp_path / "gray.png")
    faces = load(faces_zip, tmp_path, partition=partition)
    assert faces.training.pictures == 19
    assert len(faces.provenance.skipped) == 2
    assert any("words.jpg is not a PNG" in reason for reason in faces.provenance.skipped)
    assert any("wide.png is 300x200" in reason for reason in faces.provenance.skipped)


def test_hidden_files_are_not_trained_on(faces_zip: Path, tmp_path: Path) -> None:
    folder, archive = tmp_path / "faces", tmp_path / "faces.zip"
    with zipfile.ZipFile(faces_zip) as shown:
        shown.extractall(folder)
    (folder / ".thumbnails").mkdir()
    for name in (".thumbnails/a.jpg", "._000001.jpg", "img_align_celeba/.b.jpg"):
        drawn_face(1, (64, 64)).save(folder / name)
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.rglob("*.jpg"):
            packed.write(path, path.relative_to(folder))
    expected = load(faces_zip).provenance
    for place in (folder, archive):
        assert load(place).provenance.fingerprint == expected.fingerprint


def test_a_file_that_cannot_be_read_is_skipped(tmp_path: Path) -> None:
    for number in range(2):
        drawn_face(number, (64, 64)).save(tmp_path / f"{number}.png")
    found = pictures.find(tmp_path)
    (tmp_path / "1.png").unlink()
    whole, gone = pictures.decode(found, frame)
    assert whole.pixels is not None
    assert (gone.pixels, gone.error) == (None, "1.png cannot be read: No such file or directory")


def test_a_damaged_member_of_a_zip_is_skipped(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    content = bytearray(faces_zip.read_bytes())
    with zipfile.ZipFile(faces_zip) as archive:
        start = archive.getinfo("img_align_celeba/000003.jpg").header_offset
    content[start + 200 : start + 300] = bytes(100)
    (tmp_path / "damaged.zip").write_bytes(content)
    faces = load(tmp_path / "damaged.zip", partition=partition)
    assert faces.training.pictures == 17
    assert "000003.jpg" in faces.provenance.skipped[0]


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
    with pytest.raises(DataError, match=r"names 2 pictures not in the data, such as 000025\.jpg"):
        load(faces_zip, partition=write_partition(tmp_path / "p.txt", {1: 1, 25: 0, 26: 0}))
    (tmp_path / "p.txt").write_text("000001.jpg train\n")
    with pytest.raises(DataError, match=r"p\.txt, line 1: expected a file name and 0, 1 or 2"):
        load(faces_zip, partition=tmp_path / "p.txt")
    with pytest.raises(DataError, match=r"nowhere\.txt cannot be read: No such file"):
        load(faces_zip, partition=tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="no usable picture to validate on"):
        load(faces_zip, partition=write_partition(tmp_path / "p.txt", dict.fromkeys(range(1, 25), 0)))


def test_what_was_found_is_said_in_three_lines(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    (tmp_path / "words.jpg").write_text("these are words")
    drawn_face(1, (64, 64)).save(tmp_path / "small.png")
    assert load(faces_zip, tmp_path, partition=partition).provenance.summary == (
        f"19 pictures to train on, 4 to validate on, from img_align_celeba.zip, {tmp_path.name}",
        "sizes: 89x109 (22), 64x64 (1); 0.2 megapixels",
        "left out: 1 unusable, 0 equal to a validation picture",
    )


def test_few_of_many_pictures_left_out_are_named(tmp_path: Path, faces_zip: Path, partition: Path) -> None:
    for number in range(5):
        (tmp_path / f"words{number}.jpg").write_text("these are words")
    found = load(faces_zip, tmp_path, partition=partition)
    assert len(found.provenance.skipped) == 5
    first, second, third, more, *summary = found.provenance.lines("run.json")
    for number, line in enumerate((first, second, third)):
        assert line.startswith(f"left out: words{number}.jpg is not a")
    assert more == "and 2 more: run.json lists them all"
    assert tuple(summary) == found.provenance.summary


def test_a_training_picture_that_also_validates_is_left_out(faces_zip: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(faces_zip) as archive:
        (tmp_path / "twin.jpg").write_bytes(archive.read("img_align_celeba/000020.jpg"))
    partition = write_partition(tmp_path / "p.txt", {20: 1})
    found = load(faces_zip, tmp_path, partition=partition)
    assert found.training.pictures == 23
    assert found.provenance.skipped == ["twin.jpg equals img_align_celeba/000020.jpg, which validates"]
    assert "1 equal to a validation picture" in found.provenance.summary[2]


def test_pictures_that_are_there_twice_are_mentioned(faces_zip: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(faces_zip) as archive:
        (tmp_path / "twin.jpg").write_bytes(archive.read("img_align_celeba/000002.jpg"))
    found = load(faces_zip, tmp_path, partition=write_partition(tmp_path / "p.txt", {20: 1}))
    assert found.training.pictures == 24
    assert "1 equal to another training picture" in found.provenance.summary[2]


def test_sources_are_mixed_by_weight(tmp_path: Path) -> None:
    many, few = write_faces(tmp_path / "many.zip", 60), tmp_path / "few"
    few.mkdir()
    for number in range(3):
        drawn_face(200 + number).save(few / f"{number}.png")
    partition = write_partition(tmp_path / "p.txt", {1: 1})
    even = load(many, few, partition=partition)
    assert len(even.training.order) == even.training.pictures == 62
    mixed = load(f"{many}@1", f"{few}@3", partition=partition)
    from_few = mixed.training.order >= 59
    assert from_few.mean() == pytest.approx(0.75, abs=0.01)
    assert set(mixed.training.order) == set(range(62))
    assert mixed.provenance.fingerprint != even.provenance.fingerprint


def test_weights_too_uneven_for_memory(tmp_path: Path, faces_zip: Path) -> None:
    few = write_faces(tmp_path / "few.zip", 3)
    with pytest.raises(OptionError, match="choose weights that are closer"):
        load(f"{faces_zip}@1", f"{few}@1e-9")


@pytest.mark.parametrize("weight", ["0", "-1", "heavy", "inf"])
def test_weights_that_cannot_be(faces_zip: Path, weight: str) -> None:
    with pytest.raises(OptionError, match="must be a number above 0"):
        load(f"{faces_zip}@{weight}")


def test_weights_for_some_only(faces_zip: Path) -> None:
    with pytest.raises(OptionError, match="give every source a weight"):
        load(f"{faces_zip}@1", faces_zip)


@pytest.fixture
def photographs(tmp_path: Path, random: np.random.Generator) -> Path:
    """30 pictures of smooth noise, of several sizes; one is too small for a crop."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(30):
        height, width = 202 + number, 250 - number
        coarse = random.random((1, 1 + height // 8, 1 + width // 8, 3), np.float32)
        pixels = images.to_uint8(resample.bicubic(coarse, 8)[0, :height, :width])
        images.write(folder / f"{number:02d}.png", images.Picture(pixels))
    images.write(folder / "small.png", images.Picture(np.zeros((41, 303, 3), np.uint8)))
    images.write(folder / "gray.png", images.Picture(np.zeros((64, 64), np.uint8)))
    return folder


def test_photographs_of_any_size(photographs: Path) -> None:
    found = data.load(PhotosData(pictures="photos", crop=64), [str(photographs)])
    assert found.training.pictures + len(found.validation.truth) == 31
    assert found.validation.truth.shape[1:] == (192, 192, 3)
    assert found.validation.low.shape[1:] == (48, 48, 3)
    assert found.validation.protocol.name == "y-matlab-x4"
    (skipped,) = found.provenance.skipped
    assert "small.png is 303x41, smaller than data.crop" in skipped
    assert "sizes: 64x64 to " in found.provenance.summary[1]


def test_photographs_are_drawn_by_their_area(tmp_path: Path, random: np.random.Generator) -> None:
    for name, size in (("a", (64, 64)), ("b", (64, 64)), ("large", (256, 128)), ("other", (70, 70))):
        pixels = random.integers(0, 256, (*size, 3), np.uint8)
        images.write(tmp_path / f"{name}.png", images.Picture(pixels))
    found = data.load(PhotosData(pictures="photos", crop=64), [str(tmp_path)])
    assert sorted(np.bincount(found.training.order)) in ([1, 1, 8], [1, 1, 1])


def test_colours_under_full_transparency_are_not_trained_on(tmp_path: Path) -> None:
    hidden = np.zeros((64, 64, 4), np.uint8)
    hidden[..., 0], hidden[32:, :, 3] = 255, 255
    images.write(tmp_path / "hidden.png", images.Picture(hidden))
    drawn_face(1, (64, 64)).save(tmp_path / "face.png")
    (tmp_path / "p.txt").write_text("hidden.png 1\n")
    truth = load(tmp_path, partition=tmp_path / "p.txt").validation.truth[0]
    assert (truth[:32] == 255).all()
    assert (truth[32:] == [255, 0, 0]).all()


def test_validation_inputs_are_those_of_the_whole_picture(photographs: Path) -> None:
    found = data.load(PhotosData(pictures="photos", crop=64), [str(photographs)])
    inner = (slice(8, -8), slice(8, -8))
    for low, high in zip(found.validation.low, found.validation.truth, strict=True):
        expected = resample.bicubic_reduce(high, 4)[inner] / np.float32(255)
        np.testing.assert_allclose(low[inner], expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore")  # tensorflow-datasets' own, of its dependencies
def test_a_tensorflow_dataset() -> None:
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.testing.mock_data(num_examples=6):
        (source,) = sources.find_all(["tfds:celeb_a"])
    assert source.name == "tfds:celeb_a"
    parts = [source.split[file.path] for file in source.files]
    assert (parts.count(Part.TRAIN), parts.count(Part.VALIDATION), len(parts)) == (6, 6, 12)
    faces = list(pictures.decode(source.files, frame))
    assert all(face.size == (178, 218) and face.pixels.shape == (72, 72, 3) for face in faces)


@pytest.mark.filterwarnings("ignore")
def test_a_tensorflow_dataset_that_does_not_exist() -> None:
    pytest.importorskip("tensorflow_datasets")
    with pytest.raises(DataError, match="tfds:no_such_faces cannot be loaded"):
        load("tfds:no_such_faces")
