"""The upscaler: a model, its card, and any picture in, the larger one out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from srez import card as cards
from srez import resample, tiling, zoo
from srez.errors import ImageError, ModelError
from srez.images import to_float, to_uint8
from srez.tiling import Progress, ignore

TILE = 192  # input pixels; a tile and its margin stay well below 1 GB of activations
BATCH_PIXELS = 32 * 1024  # input pixels run at once in a batch of small pictures


class Upscaler:
    """A loaded model. Make one with `srez.load`.

    Attributes:
        card: the model's card.
    """

    def __init__(self, model: Path) -> None:
        """Load a model and its card.

        Args:
            model: the .onnx file, with its card beside it.

        Raises:
            ModelError: a file is missing, damaged or not one of ours.
        """
        import onnxruntime  # takes longer than the rest of `import srez` together

        self.card = cards.read(model)
        try:
            self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        except Exception as error:
            # The classes it raises are private; the file's hash was right, so the card came with a bad file.
            raise ModelError(f"{model} cannot be loaded as an ONNX model: {error}") from None
        self._input = self._session.get_inputs()[0].name

    def __call__(self, image: np.ndarray, progress: Progress = ignore) -> np.ndarray:
        """Upscale one picture, tile by tile.

        Gray stays gray. Alpha is upscaled too, by bicubic.

        Args:
            image: uint8, `(H, W)` gray, `(H, W, 3)` RGB or `(H, W, 4)` RGBA; any size.
            progress: called now and then with the fraction done.

        Returns:
            The same kind, with H and W multiplied by the model's scale.

        Raises:
            ImageError: another shape or dtype.
        """
        if (
            image.dtype != np.uint8
            or not (image.ndim == 2 or image.shape[2:] in ((3,), (4,)))
            or not image.size
        ):
            raise ImageError(
                f"a picture is uint8 of shape (H, W), (H, W, 3) or (H, W, 4), not {image.dtype} {image.shape}"
            )
        if image.ndim == 2:
            return self._upscale_gray(image, progress)
        if image.shape[2] == 3:
            return self._upscale_rgb(image, progress)
        alpha = resample.bicubic(to_float(image[None, ..., 3:]), self.card.scale)[0]
        return np.concatenate([self._upscale_rgb(image[..., :3], progress), to_uint8(alpha)], axis=2)

    def batch(self, images: np.ndarray) -> np.ndarray:
        """Upscale many small pictures of one size together.

        Args:
            images: `(N, H, W, 3)` RGB, uint8, or float32 in [0, 1], which is not rounded.

        Returns:
            `(N, scale H, scale W, 3)` of the same dtype; float32 is clipped to [0, 1] and not rounded.

        Raises:
            ImageError: another shape or dtype.
        """
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype not in (np.uint8, np.float32):
            raise ImageError(
                f"a batch is uint8 or float32 of shape (N, H, W, 3), not {images.dtype} {images.shape}"
            )
        count, height, width, _ = images.shape
        scale, is_uint8 = self.card.scale, images.dtype == np.uint8
        output = np.empty((count, height * scale, width * scale, 3), images.dtype)
        together = max(1, BATCH_PIXELS // max(1, height * width))
        for start in range(0, count, together):
            part = slice(start, start + together)
            values = to_float(images[part]) if is_uint8 else images[part]
            if max(height, width) > TILE:
                result = np.stack([self._tiled(self._run_one, value) for value in values])
            else:
                result = self._run(values)
            output[part] = to_uint8(result) if is_uint8 else result.clip(0, 1)
        return output

    def _upscale_rgb(self, image: np.ndarray, progress: Progress) -> np.ndarray:
        return self._tiled(lambda piece: to_uint8(self._run_one(to_float(piece))), image, progress)

    def _upscale_gray(self, image: np.ndarray, progress: Progress) -> np.ndarray:
        def run(piece: np.ndarray) -> np.ndarray:
            colour = np.repeat(to_float(piece), 3, axis=2)
            return to_uint8(self._run_one(colour).mean(axis=2, keepdims=True))

        return self._tiled(run, image[..., None], progress)[..., 0]

    def _tiled(
        self, run: Callable[[np.ndarray], np.ndarray], image: np.ndarray, progress: Progress = ignore
    ) -> np.ndarray:
        return tiling.tiled(run, image, self.card.scale, TILE, self.card.receptive_radius, progress)

    def _run_one(self, image: np.ndarray) -> np.ndarray:
        return self._run(image[None])[0]

    def _run(self, images: np.ndarray) -> np.ndarray:
        """The network on `(N, H, W, 3)` float32 in [0, 1]; pictures below its least size are extended."""
        _, height, width, _ = images.shape
        down, right = (max(0, self.card.minimum_size - side) for side in (height, width))
        if down or right:
            images = np.pad(images, ((0, 0), (0, down), (0, right), (0, 0)), mode="edge")
        output = np.asarray(self._session.run(None, {self._input: images})[0])
        return output[:, : height * self.card.scale, : width * self.card.scale]


def load(model: str | Path = "faces") -> Upscaler:
    """Load a model from the box by its name, or one of your own by its path.

    Args:
        model: a name that `srez models` lists, or an .onnx file with its card beside it.

    Raises:
        ModelError: there is no such model, or it is damaged or not one of ours.
    """
    return Upscaler(zoo.find(model))
