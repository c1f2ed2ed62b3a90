"""Faces to batches of LR/HR pairs."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from srez import drawn, faces
from srez.errors import DataError
from srez.faces import FACE, RIM, SCALE, TEST, TRAIN, VALIDATION
from srez.train.recipe import Augmentation

VALIDATION_LIMIT = 500  # faces; more would only slow training down
HELD_OUT = 20  # one face in so many, where no partition says which


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
        return faces.reduced(self.validation)


def load(sources: list[Path], partition: Path | None, progress: faces.Progress = faces.silent) -> Faces:
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
    members = faces.find(sources)
    if partition:
        split = faces.parts(members, partition)
    else:
        split = {member.name: _held_out(member.name) for member in members}
    wanted = [member for member in members if split.get(member.name, TRAIN) != TEST]
    train, validation, skipped = [], [], []
    fingerprint = hashlib.sha256()
    for face in faces.read(wanted, progress):
        fingerprint.update(f"{face.member.path} {face.crc}\n".encode())
        if face.pixels is None:
            skipped.append(face.error)
        elif split.get(face.member.name, TRAIN) == VALIDATION:
            validation.append(faces.without_rim(face.pixels))
        else:
            train.append(face.pixels)
    for part, what in ((train, "to train on"), (validation, "to validate on")):
        if not part:
            reason = f"; the first of {len(skipped)} skipped: {skipped[0]}" if skipped else ""
            raise DataError(f"{', '.join(map(str, sources))}: no usable face {what}{reason}")
    chosen = np.linspace(0, len(validation) - 1, min(len(validation), VALIDATION_LIMIT)).astype(int)
    return Faces(np.stack(train), np.stack([validation[i] for i in chosen]), skipped, fingerprint.hexdigest())


def draw(count: int) -> Faces:
    """So many drawn faces, one in twenty for validation; see `srez.drawn`."""
    side = FACE + 2 * RIM
    pictures = np.stack([drawn.face(seed, side, side) for seed in range(count)])
    held_out = np.arange(count) % HELD_OUT == 0
    validation = pictures[held_out, RIM:-RIM, RIM:-RIM]
    return Faces(pictures[~held_out], validation, [], hashlib.sha256(pictures.tobytes()).hexdigest())


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
    kept = tf.constant(train)
    count = len(train)

    def example(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        epoch = tf.stack([tf.constant(seed, tf.int64), position // count])
        index = tf.random.experimental.index_shuffle(position % count, epoch, count - 1)
        return augment(kept[index], settings, tf.stack([tf.constant(seed, tf.int64), position]))

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


def _held_out(name: str) -> int:
    return VALIDATION if zlib.crc32(name.encode()) % HELD_OUT == 0 else TRAIN
