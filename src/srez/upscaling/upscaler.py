"""The upscaler: a model that makes any picture larger."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np

from srez.errors import OptionError
from srez.images import Jpeg, from_float, hidden, read, to_float
from srez.images import jpeg as jpeg_file
from srez.images.pillow import PillowImage, as_pillow, from_pillow, to_pillow
from srez.models import box, selfexsr
from srez.models.devices import Place
from srez.models.face_finder import Face
from srez.models.fitting import Run, fitted
from srez.models.foreign import Hints
from srez.upscaling import (
    beside,
    chroma,
    cutting,
    damage,
    even_areas,
    quantization,
    samples,
    tiling,
    uncertainty,
)
from srez.upscaling import faces as find_faces
from srez.upscaling.arrays import as_channels, check_batch
from srez.upscaling.face_insertion import Insertion
from srez.upscaling.networks import Networks
from srez.upscaling.running import run, run_tile
from srez.upscaling.settings import ModelSettings, check_repair, chosen_fidelity
from srez.upscaling.tiling import BATCH_PIXELS, Cut, Progress, ignore_progress
from srez.wording import counted


class Upscaler:
    """A loaded model. Make one with `srez.load`. It may be used from several threads.

    Attributes:
        card: the model's card.
        fidelity: from 0 (vivid) to 1 (faithful); 1 for a model without vivid weights.
    """

    def __init__(
        self,
        model: Path,
        fidelity: float | None = None,
        tile: int | None = None,
        repair: float | None = None,
        seconds: float | None = None,
        place: Place | None = None,
        hints: Hints | None = None,
        faces: bool = False,
    ) -> None:
        """Load a model and its card.

        Args:
            model: the .onnx file, with its card beside it; without one, what it takes and gives is found out.
                Or the card of a method without weights.
            fidelity: from 0 (vivid) to 1 (faithful), for a model with vivid weights; the card's by default.
            tile: the largest side of a tile in input pixels, without its margin; by default, what fits into
                free memory.
            repair: from 0 (none) to 1 (full), for a model that repairs; by default what suits each picture.
            seconds: that the model may take for a tile or a batch; no limit by default.
            place: where it is to run; by default what SREZ_DEVICE says, else the best device that works.
            hints: what is known of a model without a card.
            faces: whether faces in photographs are found and enlarged by the model of faces.

        Raises:
            ModelError: a file is missing, corrupt or does not make pictures larger, or the model has no
                fidelity or no repair to choose; or faces are to be found, and what finds them is missing, or
                they cannot be put into what the model makes.
            OptionError: the fidelity, the repair or the tile is out of range, or the device is not
                installed.
        """
        cutting.check_tile(tile)
        self.card = box.card(model, hints)
        self.fidelity = chosen_fidelity(self.card, fidelity)
        check_repair(self.card, repair)
        self._file, self._repair, self._seconds, self._tile = model, repair, seconds, tile
        if faces:
            find_faces.check(self.card)
        self._faces = Upscaler(find_faces.model(), fidelity, place=place) if faces else None
        self._networks = Networks(model, self.card, self.fidelity, place, seconds)
        if box.is_method(model):
            selfexsr.require_packages()
        else:
            self._networks.at(repair or 0.0)

    @overload
    def __call__(
        self,
        image: np.ndarray,
        progress: Progress = ...,
        repair: float | None = ...,
        faces: Sequence[Face] | None = ...,
        jpeg: Jpeg | None = ...,
    ) -> np.ndarray: ...

    @overload
    def __call__(
        self,
        image: PillowImage | str | Path,
        progress: Progress = ...,
        repair: float | None = ...,
        faces: Sequence[Face] | None = ...,
        jpeg: Jpeg | None = ...,
    ) -> PillowImage: ...

    def __call__(
        self,
        image: np.ndarray | PillowImage | str | Path,
        progress: Progress = ignore_progress,
        repair: float | None = None,
        faces: Sequence[Face] | None = None,
        jpeg: Jpeg | None = None,
    ) -> np.ndarray | PillowImage:
        """Upscale one picture, tile by tile.

        Gray stays gray, 16 bits stay 16 bits. Alpha is upscaled like gray.

        Args:
            image: an array of uint8, uint16, or float32 or float64 from 0 to 1: `(H, W)` gray, `(H, W, 2)`
                gray with alpha, `(H, W, 3)` RGB or `(H, W, 4)` RGBA, alpha straight; or a PIL image; or the
                path of a file. Any size.
            progress: called after each tile with the fraction done.
            repair: as `repair_for` gives it, which is called by default.
            faces: as `faces_in` gives them, which is called by default.
            jpeg: what the JPEG file tells that an array comes from: where it is repaired, the result keeps to
                it. Of a path it is known; a PIL image may have been changed since it was opened.

        Returns:
            The same kind, with H and W multiplied by the model's scale. PIL images with a palette, in CMYK or
            YCbCr become RGB. Of a file, a PIL image.

        Raises:
            ImageError: anything else than such a picture.
            ModelError: the model's weights are corrupt, or it does not repair.
            OptionError: the repair is out of range, or faces are given to an upscaler without `faces=True`.
            MemoryError: it did not suffice, even for small tiles.
        """
        if isinstance(image, str | Path):
            picture = read(Path(image))
            pixels = picture.pixels
            repair = self.repair_for(pixels, picture.jpeg) if repair is None else repair
            larger = self(pixels, progress, repair, faces, picture.jpeg)
            return as_pillow(replace(picture, pixels=larger), str(image))
        if isinstance(image, PillowImage):
            repair = self.repair_for(image) if repair is None else repair
            return to_pillow(self(from_pillow(image), progress, repair, faces), like=image)
        bands = self.bands(image, progress, repair, faces, jpeg)
        larger = tiling.put_together(bands, as_channels(image), self.card.scale)
        return larger if image.ndim == 3 else larger[..., 0]

    def bands(
        self,
        image: np.ndarray | PillowImage,
        progress: Progress = ignore_progress,
        repair: float | None = None,
        faces: Sequence[Face] | None = None,
        jpeg: Jpeg | None = None,
    ) -> Iterator[np.ndarray]:
        """Upscale one picture and yield it by rows of tiles, for results larger than memory.

        Args:
            image: an array or a PIL image, as for a call.
            progress: called after each tile with the fraction done.
            repair: as for a call.
            faces: as for a call.
            jpeg: as for a call.

        Yields:
            From top to bottom, `(h, scale W, C)` of the image's dtype; gray has C = 1.

        Raises:
            ImageError: anything else than such a picture.
            ModelError: the model's weights are corrupt, or it does not repair.
            OptionError: the repair is out of range, or faces are given to an upscaler without `faces=True`.
            MemoryError: it did not suffice, even for small tiles.
        """
        pixels = as_channels(image)
        repair = self.repair_for(image, jpeg) if repair is None else repair
        jpeg = jpeg if repair else None  # what is not repaired agrees with its file by itself
        smooth = chroma.smoothed(pixels, jpeg)
        insertion = self._insertion(smooth, repair, faces, jpeg, progress)
        upscale, cut, progress = self._plan(smooth, repair, insertion.tiles if insertion else progress)
        bands = tiling.bands(upscale, smooth, self.card.scale, cut, progress)
        bands = self._finished(bands, pixels, repair, jpeg)
        return insertion.put_into(bands) if insertion else bands

    def samples(
        self,
        image: np.ndarray | PillowImage | str | Path,
        count: int = 8,
        seed: int = 0,
        progress: Progress = ignore_progress,
    ) -> list[Any]:
        """Several results for one picture, each as plausible as the next and consistent with it.

        Args:
            image: as for a call, of at most `samples.MOST_PIXELS` pixels.
            count: how many, up to `samples.MOST`.
            seed: of their random numbers. A sample depends on its number and the seed alone, so more of them
                begin with the same ones.
            progress: called after each sample with the fraction done.

        Returns:
            As many of what a call returns.

        Raises:
            ImageError: anything else than such a picture, or it is too large.
            ModelError: the model makes no samples, or its weights are corrupt.
            OptionError: the count or the seed is out of range.
        """
        samples.check(self.card, count, seed)
        if isinstance(image, str | Path):
            picture = read(Path(image))
            found = self.samples(picture.pixels, count, seed, progress)
            return [as_pillow(replace(picture, pixels=each), str(image)) for each in found]
        if isinstance(image, PillowImage):
            found = self.samples(from_pillow(image), count, seed, progress)
            return [to_pillow(each, like=image) for each in found]
        pixels = as_channels(image)
        drawn = samples.draw(self._file, self.card, self._networks.place, pixels, seed, count, self._seconds)
        found: list[np.ndarray] = []
        for each in drawn:
            found.append(each if image.ndim == 3 else each[..., 0])
            progress(len(found) / count)
        return found

    def uncertainty(
        self, image: np.ndarray | PillowImage | str | Path, progress: Progress = ignore_progress
    ) -> np.ndarray:
        """How far the result may be from the truth: in nine of ten pixels, no channel is farther off.

        It holds for pictures that are not damaged, upscaled at the model's default fidelity, without repair.

        Args:
            image: as for a call.
            progress: called after each tile with the fraction done.

        Returns:
            `(scale H, scale W)` float32, where 1 is the distance from black to white.

        Raises:
            ImageError: anything else than such a picture.
            ModelError: the model does not know how sure it is, or its weights are corrupt.
            OptionError: another fidelity or a repair was asked for.
        """
        uncertainty.check(self.card, self.fidelity, self._repair)
        if isinstance(image, str | Path):
            image = read(Path(image)).pixels
        pixels = as_channels(image)
        _, cut, progress = self._plan(pixels, 0.0, progress)
        cut = replace(cut, here=cut.here or uncertainty.is_small(pixels))
        unsure = uncertainty.runner(self._file, self.card, self._networks.place, self._seconds)
        return tiling.tiled(unsure, beside.colours(pixels), self.card.scale, cut, progress)[..., 0]

    def repair_for(self, image: np.ndarray | PillowImage, jpeg: Jpeg | None = None) -> float:
        """How far a picture is repaired: as the upscaler was told, or else as its damage asks for.

        Args:
            image: an array or a PIL image, as for a call.
            jpeg: what the JPEG file tells that it comes from; a PIL image knows its quality itself.

        Returns:
            From 0 (none) to 1 (full); 0 for a model that does not repair.
        """
        if not self.card.repair or self._repair is not None:
            return self._repair or 0.0
        if isinstance(image, PillowImage):
            jpeg, image = jpeg or jpeg_file.told(image), from_pillow(image)
        return damage.estimate(image, jpeg and jpeg.quality)

    def faces_in(self, image: np.ndarray | PillowImage) -> list[Face]:
        """The faces of a picture, the surest first; none unless the upscaler was told to look for them.

        Args:
            image: an array or a PIL image, as for a call.
        """
        return find_faces.find(as_channels(image)) if self._faces else []

    def settings_for(self, image: np.ndarray, jpeg: Jpeg | None = None) -> ModelSettings:
        """What a picture is upscaled with; the arguments are those of `repair_for`."""
        return ModelSettings(self.card.name, self.fidelity, self.repair_for(image, jpeg))

    def batch(
        self,
        images: np.ndarray,
        repairs: Sequence[float] | None = None,
        jpegs: Sequence[Jpeg | None] | None = None,
    ) -> np.ndarray:
        """Upscale many small pictures of one size together.

        Args:
            images: `(N, H, W, 3)` RGB, uint8 or float32 in [0, 1].
            repairs: of each, as `repair_for` gives them, which is called by default.
            jpegs: what the JPEG files tell that they come from, as for a call.

        Returns:
            `(N, scale H, scale W, 3)` of the same dtype; float32 is clipped to [0, 1] and not rounded.

        Raises:
            ImageError: another type, shape or dtype, or values beyond 0 and 1.
            ModelError: the model's weights are corrupt, or it does not repair.
            OptionError: a repair is out of range, or there are not as many repairs or files as pictures.
        """
        check_batch(images)
        count, height, width, _ = images.shape
        scale = self.card.scale
        output = np.empty((count, height * scale, width * scale, 3), images.dtype)
        if not images.size:
            return output
        files = [None] * count if jpegs is None else jpegs
        for name, given in (("repair", repairs), ("JPEG file", files)):
            if given is not None and len(given) != count:
                pictures = counted(count, "picture")
                raise OptionError(f"{counted(len(given), name)} for {pictures}: give one for each")
        if repairs is None:
            repairs = [self.repair_for(*each) for each in zip(images, files, strict=True)]
        one_by_one = box.is_method(self._file) or self._faces or height * width > BATCH_PIXELS
        if cutting.edge(self.card, height, width) or one_by_one:
            for image, repair, jpeg, place in zip(images, repairs, files, output, strict=True):
                place[...] = self(image, repair=repair, jpeg=jpeg)
            return output
        used = [jpeg if repair else None for jpeg, repair in zip(files, repairs, strict=True)]
        smooth = np.stack([chroma.smoothed(*each) for each in zip(images, used, strict=True)])
        together = max(1, BATCH_PIXELS // (height * width))
        for repair in set(repairs):
            network, chosen = self._run(repair, True), np.flatnonzero(np.equal(repairs, repair))
            for start in range(0, len(chosen), together):
                part = chosen[start : start + together]
                output[part] = from_float(run(network, self.card, to_float(smooth[part])), images.dtype)
        for image, repair, jpeg, place in zip(images, repairs, used, output, strict=True):
            if repair:
                finished = self._finished([place.copy()], image, repair, jpeg)
                place[...] = tiling.put_together(finished, image, scale)
        return output

    def _plan(
        self, image: np.ndarray, repair: float, progress: Progress = ignore_progress
    ) -> tuple[tiling.Run, Cut, Progress]:
        """How to run a tile of a picture, how to cut the picture, and what to call after each tile."""
        if box.is_method(self._file):
            check_repair(self.card, repair or None)
            return self._plan_method(image, progress)
        placed = self._networks.at(repair)
        cut = cutting.for_network(image, self.card, placed, self._tile)
        is_whole = max(image.shape[:2]) <= cut.tile
        networks = [self._run(repair, is_whole)]
        # Edges that are steps become smooth only by weights that repair.
        if self.card.repair and image.shape[2] in (2, 4) and hidden.is_cut_out(image[..., -1:]):
            networks.append(self._run(1.0, is_whole))
        return partial(run_tile, networks[0], self.card, alpha_network=networks[-1]), cut, progress

    def _run(self, repair: float, is_whole: bool) -> Run:
        """What runs a picture as a whole, or each of its tiles."""
        placed = self._networks.at(repair)
        return fitted(placed.whole if is_whole else placed.tile, self.card, placed.fixed)

    def _plan_method(self, image: np.ndarray, progress: Progress) -> tuple[tiling.Run, Cut, Progress]:
        """The same for a method, which tells its progress itself."""
        cut = cutting.for_method(self.card, self._tile)
        tiles = math.prod(-(-side // cut.tile) for side in image.shape[:2])
        runs = 2 * tiles if image.shape[2] in (2, 4) else tiles  # alpha has one of its own
        method = partial(selfexsr.run, watch=tiling.shared(progress, runs))
        return partial(run_tile, method, self.card), cut, ignore_progress

    def _finished(
        self, bands: Iterable[np.ndarray], image: np.ndarray, repair: float, jpeg: Jpeg | None
    ) -> Iterator[np.ndarray]:
        """Bands of what the network makes of a picture, once they keep to its file and to its even areas."""
        kept = quantization.kept(bands, image, jpeg, self.card.scale)
        return even_areas.calmed(kept, len(image), self.card.scale, repair * (1 - self.fidelity))

    def _insertion(
        self,
        image: np.ndarray,
        repair: float,
        found: Sequence[Face] | None,
        jpeg: Jpeg | None,
        progress: Progress,
    ) -> Insertion | None:
        """What puts a picture's faces into its result, by default all; None if it looks for none."""
        if not self._faces:
            if found:
                raise OptionError("faces= requires an upscaler that enlarges faces: load it with faces=True")
            return None
        found = self.faces_in(image) if found is None else found

        def photo(part: np.ndarray, begin: tuple[int, int]) -> np.ndarray:
            file = jpeg and replace(jpeg.part(*begin), chroma_step=None)  # colours are smooth by now
            return self(part, repair=repair, faces=(), jpeg=file)

        return Insertion(image, self.card, found, photo, self._faces, progress)
