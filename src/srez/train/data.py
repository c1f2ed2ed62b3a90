"""Face pictures from zips and folders to batches of LR/HR pairs."""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from srez import images, resample
from srez.errors import DataError, ImageError
from srez.train.recipe import Augmentation

FACE = 64  # side of the truth, in pixels
RIM = 4  # pixels kept around it, for random shifts
SCALE = 4
VALIDATION_LIMIT = 500  # faces; more would only slow training down
HELD_OUT = 20  # one face in so many, where no partition says which

# The part of an aligned picture that holds the face and its rim: (left, top, right, bottom), by picture size.
# The face itself is srez's: 128x128 at (25, 60) of a full-size CelebA file.
FRAMINGS = {
    (178, 218): (17, 52, 161, 196),  # CelebA, aligned and cropped
    (89, 109): (8, 26, 80, 98),  # the same at half size
    (144, 144): (0, 0, 144, 144),  # a face already cut out, with its rim
    (72, 72): (0, 0, 72, 72),
}


@dataclass(frozen=True)
class Faces:
    """Decoded and cropped faces, and what was left out.

    `train` is `(N, 72, 72, 3)` uint8, the face with its rim; `validation` `(M, 64, 64, 3)` uint8. `skipped`
    names each unreadable picture with the reason. `fingerprint` is a hash of the training and validation
    files' names and contents.
    """

    train: np.ndarray
    validation: np.ndarray
    skipped: list[str]
    fingerprint: str

    @property
    def validation_low(self) -> np.ndarray:
        """The inputs of the validation faces, `(M, 16, 16, 3)` float32 in [0, 1], not rounded."""
        return resample.area(self.validation, SCALE) / np.float32(255)


def load(sources: list[Path], partition: Path | None, progress: Callable[[Iterable, int], Iterable]) -> Faces:
    """Read, crop and split all faces of some zips and folders.

    Pictures that a partition names go to training (0), validation (1) or nowhere (2); all others train.
    With no partition, one in twenty by the hash of its name is held out.

    Args:
        sources: zips (read in place) or folders, of JPEG, PNG, WebP or BMP files.
        partition: a file in CelebA's `list_eval_partition.txt` format.
        progress: wraps the iteration over pictures, given their number, to show how far it is.

    Raises:
        DataError: a source that is missing or holds no pictures, a partition that cannot be read or names
            absent pictures, no usable face for training or for validation.
    """
    members = [member for source in sources for member in _members(source)]
    names = {Path(name).name for name, _ in members}
    split = _read_partition(partition, names) if partition else {n: _held_out(n) for n in names}

    wanted = [(name, read) for name, read in members if split.get(Path(name).name, 0) != 2]
    train, validation, skipped = [], [], []
    fingerprint = hashlib.sha256()

    def decode(member: tuple[str, Callable[[], bytes]]) -> tuple[str, int, np.ndarray | str]:
        name, read = member
        data = read()
        try:
            return name, zlib.crc32(data), _frame(images.read(data, name), name)
        except ImageError as error:
            return name, zlib.crc32(data), str(error)

    with ThreadPoolExecutor() as pool:
        for name, crc, face in progress(pool.map(decode, wanted), len(wanted)):
            fingerprint.update(f"{name} {crc}\n".encode())
            if isinstance(face, str):
                skipped.append(face)
            elif split.get(Path(name).name, 0) == 1:
                validation.append(face[RIM:-RIM, RIM:-RIM])
            else:
                train.append(face)
    for part, what in ((train, "to train on"), (validation, "to validate on")):
        if not part:
            reason = f"; the first of {len(skipped)} skipped: {skipped[0]}" if skipped else ""
            raise DataError(f"{', '.join(map(str, sources))}: no usable face {what}{reason}")
    chosen = np.linspace(0, len(validation) - 1, min(len(validation), VALIDATION_LIMIT)).astype(int)
    return Faces(np.stack(train), np.stack([validation[i] for i in chosen]), skipped, fingerprint.hexdigest())


def batches(
    train: np.ndarray, settings: Augmentation, batch: int, seed: int, start: int, steps: int
) -> tf.data.Dataset:
    """Training batches for the steps from `start` to `steps`, each a function of the seed and its step alone.

    Every epoch is a permutation of all faces; order and augmentation are drawn by position, without state,
    so a run can be taken up at any step.

    Args:
        train: `(N, 72, 72, 3)` uint8.
        settings: the augmentation.
        batch: faces in a batch.
        seed: of order and augmentation.
        start: the first step.
        steps: the step to stop before.

    Returns:
        A dataset of (network input, clean LR, HR) with shapes `(batch, 16, 16, 3)` twice and
        `(batch, 64, 64, 3)`, float32 in [0, 1]; only the network input has noise, which is not clipped.
    """
    faces = tf.constant(train)
    count = len(train)

    def example(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        epoch = tf.stack([tf.constant(seed, tf.int64), position // count])
        index = tf.random.experimental.index_shuffle(position % count, epoch, count - 1)
        return augment(faces[index], settings, tf.stack([tf.constant(seed, tf.int64), position]))

    positions = tf.data.Dataset.range(start * batch, steps * batch)
    pairs = positions.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def augment(
    face: tf.Tensor, settings: Augmentation, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One training pair from a face with its rim, as srez does it; the seed decides everything.

    Args:
        face: `(72, 72, 3)` uint8.
        settings: the augmentation.
        seed: `(2,)` int64.

    Returns:
        Network input, clean LR and HR, as in `batches`, without the batch axis.
    """
    seeds = tf.unstack(tf.random.split(seed, 6))
    shift = settings.shift
    corner = tf.random.stateless_uniform([2], seeds[0], RIM - shift, RIM + shift + 1, tf.int32)
    high = tf.slice(face, tf.concat([corner, [0]], 0), [FACE, FACE, 3])
    if settings.flip:
        high = tf.image.stateless_random_flip_left_right(high, seeds[1])
    high = tf.cast(high, tf.float32) / 255.0
    if settings.saturation:
        low, top = 1 - settings.saturation, 1 + settings.saturation
        high = tf.image.stateless_random_saturation(high, low, top, seeds[2])
    if settings.brightness:
        high = tf.image.stateless_random_brightness(high, settings.brightness, seeds[3])
    if settings.contrast:
        low, top = 1 - settings.contrast, 1 + settings.contrast
        high = tf.image.stateless_random_contrast(high, low, top, seeds[4])
    high = tf.clip_by_value(high, 0.0, 1.0)
    clean = tf.nn.avg_pool2d(high[None], SCALE, SCALE, "VALID")[0]
    noise = settings.noise * tf.random.stateless_normal(clean.shape, seeds[5]) if settings.noise else 0.0
    return clean + noise, clean, high


def _members(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The pictures in a zip or a folder (with its subfolders), by name, each with a way to read its bytes."""
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.is_file() and images.is_readable(path.name))
        members = [(str(path.relative_to(source)), path.read_bytes) for path in found]
    elif source.is_file():
        members = _zip_members(source)
    else:
        raise DataError(f"--data {source} does not exist")
    if not members:
        raise DataError(f"--data {source} holds no pictures ({', '.join(images.READABLE)})")
    yield from members


def _zip_members(source: Path) -> list[tuple[str, Callable[[], bytes]]]:
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError):
        raise DataError(f"--data {source} is neither a folder nor a zip that can be read") from None

    def reader(name: str) -> Callable[[], bytes]:
        def read() -> bytes:
            try:
                return archive.read(name)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
                return b""  # damaged inside the zip: counted as an unreadable picture

        return read

    names = sorted(name for name in archive.namelist() if images.is_readable(name))
    return [(name, reader(name)) for name in names if not name.startswith("__MACOSX/")]


def _read_partition(path: Path, names: set[str]) -> dict[str, int]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"--partition {path} cannot be read as a text file") from None
    split = {}
    for number, line in enumerate(lines, 1):
        name, _, part = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name or part not in ("0", "1", "2"):
            raise DataError(
                f"--partition {path}, line {number}: expected a file name and 0, 1 or 2, not {line.strip()!r}"
            )
        split[name.strip()] = int(part)
    absent = sorted(split.keys() - names)
    if absent:
        raise DataError(
            f"--partition {path} names {len(absent)} pictures that the data does not hold, "
            f"the first {absent[0]}"
        )
    return split


def _held_out(name: str) -> int:
    return int(zlib.crc32(name.encode()) % HELD_OUT == 0)


def _frame(picture: images.Picture, name: str) -> np.ndarray:
    """The face with its rim, `(72, 72, 3)` uint8."""
    pixels = picture.pixels
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
    if (height, width) == (FACE, FACE):
        return np.pad(pixels[..., :3], ((RIM, RIM), (RIM, RIM), (0, 0)), mode="edge")
    if (width, height) not in FRAMINGS:
        sizes = ", ".join(f"{w}x{h}" for w, h in [*FRAMINGS, (FACE, FACE)])
        raise ImageError(f"{name} is {width}x{height}; aligned faces are {sizes}")
    left, top, right, bottom = FRAMINGS[width, height]
    face = pixels[top:bottom, left:right, :3]
    scale = face.shape[0] // (FACE + 2 * RIM)
    return np.rint(resample.area(face, scale)).astype(np.uint8) if scale > 1 else face
