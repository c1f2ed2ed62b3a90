"""The upscaler: a model that makes any picture larger."""

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

import numpy as np

from srez import machine
from srez.errors import OptionError
from srez.images import from_float, jpeg, read, resample, to_float
from srez.images.pillow import PillowImage, as_pillow, from_pillow, to_pillow
from srez.models import blending, box, selfexsr
from srez.models.devices import Place
from srez.models.face_finder import Face
from srez.models.fitting import Run, fitted
from srez.models.foreign import Hints
from srez.models.placing import Placed
from srez.upscaling import beside, clipping, damage, exact, face_patches, samples, tiling, uncertainty
from srez.upscaling import faces as find_faces
from srez.upscaling.arrays import as_channels, check_batch
from srez.upscaling.settings import ModelSettings, check_repair, chosen_fidelity
from srez.upscaling.tiling import BATCH_PIXELS, SMALLEST, Cut, Progress, ignore_progress

LARGEST_TILE = 512  # input pixels; in larger tiles, margins are a small share already
TILE_RANGE = 32, 4096  # input pixels, for a tile that is given
MEMORY_PER_THREAD = 320 * 1024**2  # bytes for a tile, at most
METHOD_MEMORY = 640 * 1024**2  # bytes for a tile of a method, at most
LOADED_REPAIRS = 2  # each keeps its weights, twice

_UNPICKLED = ("_process", "_loading", "_looking", "_networks")
_ABANDONED: list[Any] = []  # networks of a parent process: to release them would wait for threads of its


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
        check_tile(tile)
        self.card = box.card(model, hints)
        self.fidelity = chosen_fidelity(self.card, fidelity)
        check_repair(self.card, repair)
        self._file, self._repair, self._seconds = model, repair, seconds
        self._tile = tile
        self._place = place
        if faces:
            find_faces.check(self.card)
        self._faces = Upscaler(find_faces.model(), fidelity, place=place) if faces else None
        self._begin()
        if box.is_method(model):
            selfexsr.require_packages()
        else:
            self._at(repair or 0.0)

    @overload
    def __call__(
        self,
        image: np.ndarray,
        progress: Progress = ...,
        repair: float | None = ...,
        faces: Sequence[Face] | None = ...,
    ) -> np.ndarray: ...

    @overload
    def __call__(
        self,
        image: PillowImage | str | Path,
        progress: Progress = ...,
        repair: float | None = ...,
        faces: Sequence[Face] | None = ...,
    ) -> PillowImage: ...

    def __call__(
        self,
        image: np.ndarray | PillowImage | str | Path,
        progress: Progress = ignore_progress,
        repair: float | None = None,
        faces: Sequence[Face] | None = None,
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

        Returns:
            The same kind, with H and W multiplied by the model's scale. PIL images with a palette, in CMYK or
            YCbCr become RGB. Of a file, a PIL image.

        Raises:
            ImageError: anything else than such a picture.
            ModelError: the model's weights are corrupt.
            MemoryError: it did not suffice, even for small tiles.
        """
        if isinstance(image, str | Path):
            picture = read(Path(image))
            pixels = picture.pixels
            repair = self.repair_for(pixels, picture.jpeg_quality) if repair is None else repair
            return as_pillow(replace(picture, pixels=self(pixels, progress, repair, faces)), str(image))
        if isinstance(image, PillowImage):
            repair = self.repair_for(image) if repair is None else repair
            return to_pillow(self(from_pillow(image), progress, repair, faces), like=image)
        pixels = as_channels(image)
        repair = self.repair_for(image) if repair is None else repair
        places, course = self._places(pixels, faces, progress)
        run, cut, progress = self._plan(pixels, repair, course.tiles if course else progress)
        larger = tiling.tiled(run, pixels, self.card.scale, cut, progress)
        if course:
            larger = next(self._with_faces(iter([larger]), pixels, repair, places, course))
        return larger if image.ndim == 3 else larger[..., 0]

    def bands(
        self,
        image: np.ndarray | PillowImage,
        progress: Progress = ignore_progress,
        repair: float | None = None,
        faces: Sequence[Face] | None = None,
    ) -> Iterator[np.ndarray]:
        """Upscale one picture and yield it by rows of tiles, for results larger than memory.

        Args:
            image: as for a call.
            progress: called after each tile with the fraction done.
            repair: as for a call.
            faces: as for a call.

        Yields:
            From top to bottom, `(h, scale W, C)` of the image's dtype; gray has C = 1.

        Raises:
            ImageError: anything else than such a picture.
            ModelError: the model's weights are corrupt.
            MemoryError: it did not suffice, even for small tiles.
        """
        pixels = as_channels(from_pillow(image) if isinstance(image, PillowImage) else image)
        repair = self.repair_for(image) if repair is None else repair
        places, course = self._places(pixels, faces, progress)
        run, cut, progress = self._plan(pixels, repair, course.tiles if course else progress)
        bands = tiling.bands(run, pixels, self.card.scale, cut, progress)
        return self._with_faces(bands, pixels, repair, places, course) if course else bands

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
        drawn = samples.draw(
            self._file, self.card, self._place, self._run, pixels, seed, count, self._seconds
        )
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
        pixels = as_channels(from_pillow(image) if isinstance(image, PillowImage) else image)
        _, cut, progress = self._plan(pixels, 0.0, progress)
        cut = replace(cut, here=cut.here or uncertainty.is_small(pixels))
        run = uncertainty.runner(self._file, self.card, self._place, self._seconds)
        return tiling.tiled(run, beside.colours(pixels), self.card.scale, cut, progress)[..., 0]

    def repair_for(self, image: np.ndarray | PillowImage, jpeg_quality: float | None = None) -> float:
        """How far a picture is repaired: as the upscaler was told, or else as its damage asks for.

        Args:
            image: as for a call.
            jpeg_quality: of the JPEG file that it comes from, from 1 to 100, where that is known; a PIL image
                knows it itself.

        Returns:
            From 0 (none) to 1 (full); 0 for a model that does not repair.
        """
        if not self.card.repair or self._repair is not None:
            return self._repair or 0.0
        if isinstance(image, PillowImage):
            return damage.estimate(from_pillow(image), jpeg_quality or jpeg.quality(image))
        return damage.estimate(image, jpeg_quality)

    def faces_in(self, image: np.ndarray | PillowImage) -> list[Face]:
        """The faces of a picture, the surest first; none unless the upscaler was told to look for them.

        Args:
            image: as for a call.
        """
        pixels = from_pillow(image) if isinstance(image, PillowImage) else image
        return find_faces.find(as_channels(pixels)) if self._faces else []

    def settings_for(self, image: np.ndarray, jpeg_quality: float | None = None) -> ModelSettings:
        """What a picture is upscaled with; the arguments are those of `repair_for`."""
        return ModelSettings(self.card.name, self.fidelity, self.repair_for(image, jpeg_quality))

    def batch(self, images: np.ndarray, repairs: Sequence[float] | None = None) -> np.ndarray:
        """Upscale many small pictures of one size together.

        Args:
            images: `(N, H, W, 3)` RGB, uint8 or float32 in [0, 1].
            repairs: of each, as `repair_for` gives them, which is called by default.

        Returns:
            `(N, scale H, scale W, 3)` of the same dtype; float32 is clipped to [0, 1] and not rounded.

        Raises:
            ImageError: another type, shape or dtype, or values that are NaN or infinite.
            ModelError: the model's weights are corrupt.
        """
        check_batch(images)
        count, height, width, _ = images.shape
        scale = self.card.scale
        output = np.empty((count, height * scale, width * scale, 3), images.dtype)
        if not images.size:
            return output
        if repairs is None:
            repairs = [self.repair_for(image) for image in images]
        one_by_one = box.is_method(self._file) or self._faces or height * width > BATCH_PIXELS
        if self._edge(height, width) or one_by_one:
            for image, repair, place in zip(images, repairs, output, strict=True):
                place[...] = self(image, repair=repair)
            return output
        together = max(1, BATCH_PIXELS // (height * width))
        for repair in set(repairs):
            placed, chosen = self._at(repair), np.flatnonzero(np.equal(repairs, repair))
            network = fitted(placed.whole, self.card, placed.fixed)
            for start in range(0, len(chosen), together):
                part = chosen[start : start + together]
                output[part] = from_float(self._run(network, to_float(images[part])), images.dtype)
        return output

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: not the networks, which are loaded again from the model's file."""
        return {key: value for key, value in self.__dict__.items() if key not in _UNPICKLED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _begin(self) -> None:
        """Without a network yet, in this process."""
        self._process = os.getpid()
        self._loading, self._looking = threading.Lock(), threading.Lock()
        self._networks: OrderedDict[float, Placed] = OrderedDict()

    def _at(self, repair: float) -> Placed:
        """The network for a repair; the last few stay loaded."""
        if self._process != os.getpid():  # after a fork, which leaves the threads of ONNX Runtime behind
            _ABANDONED.append(self._networks)
            self._begin()
        if found := self._found(repair):
            return found
        with self._loading:  # holds up nobody whose network is loaded
            if found := self._found(repair):
                return found
            weights = blending.weights(self._file, self.card, self.fidelity, repair)
            network = Placed(weights, f"model {self._file.name}", self._place, self._seconds)
            self._place = network.place  # tried once is enough
            with self._looking:
                self._networks[repair] = network
                while len(self._networks) > LOADED_REPAIRS:
                    self._networks.popitem(last=False)
            return network

    def _found(self, repair: float) -> Placed | None:
        """A loaded network, which becomes the last used one."""
        with self._looking:
            if repair in self._networks:
                self._networks.move_to_end(repair)
            return self._networks.get(repair)

    def _plan(
        self, image: np.ndarray, repair: float, progress: Progress = ignore_progress
    ) -> tuple[tiling.Run, Cut, Progress]:
        """How to run a tile of a picture, how to cut the picture, and what to call after each tile."""
        if box.is_method(self._file):
            return self._plan_method(image, progress)
        placed = self._at(repair)
        radius = self.card.receptive_radius + (clipping.REACH if self.card.keeps_flat else 0)
        # Colours that are spread under transparent pixels come from beyond the network's reach.
        overlap = radius + resample.HIDDEN_REACH if image.shape[2] in (2, 4) else radius
        multiple, side = self.card.form.multiple, min(self.card.form.side, default=placed.fixed)
        overlap = -(-overlap // multiple) * multiple
        if side:  # some of it is left for the tile itself
            overlap = min(overlap, (side - max(multiple, SMALLEST)) // (2 * multiple) * multiple)
        at_once, memory = placed.parallel, self._memory(placed)
        fitting = tiling.side_that_fits(memory, self.card.memory, overlap, at_once)
        tile = min(self._tile or min(fitting, LARGEST_TILE), side - 2 * overlap if side else TILE_RANGE[1])
        tile = max(tile // multiple, 1) * multiple
        height, width = image.shape[:2]
        edge, fixed = self._edge(height, width), self._tile is not None
        single = min(LARGEST_TILE**2, memory // self.card.memory)  # pixels of a tile that has all memory
        if max(height, width) <= tile or (not fixed and not side and height * width <= single):
            whole = Cut(max(height, width), overlap, edge, fixed=fixed, multiple=multiple)
            return partial(self._run_tile, fitted(placed.whole, self.card, placed.fixed)), whole, progress
        cut = Cut(tile, overlap, edge, at_once, fixed, multiple)
        return partial(self._run_tile, fitted(placed.tile, self.card, placed.fixed)), cut, progress

    def _plan_method(self, image: np.ndarray, progress: Progress) -> tuple[tiling.Run, Cut, Progress]:
        """The same for a method, which takes long for a tile and tells its progress itself."""
        overlap = self.card.receptive_radius + clipping.REACH
        memory = min(machine.available_memory() // 2, METHOD_MEMORY)
        fitting = min(tiling.side_that_fits(memory, self.card.memory, overlap, 1), LARGEST_TILE)
        cut = Cut(self._tile or fitting, overlap, fixed=self._tile is not None, here=True)
        tiles = math.prod(-(-side // cut.tile) for side in image.shape[:2])
        runs = 2 * tiles if image.shape[2] in (2, 4) else tiles  # alpha has one of its own
        run = partial(selfexsr.run, watch=tiling.shared(progress, runs))
        return partial(self._run_tile, run), cut, ignore_progress

    def _places(
        self, image: np.ndarray, found: Sequence[Face] | None, progress: Progress
    ) -> tuple[list[face_patches.Spot], face_patches.Course | None]:
        """Where faces are put in, by default those that are found; None if there are none."""
        if not self._faces:
            return [], None
        found = self.faces_in(image) if found is None else found
        size = image.shape[1], image.shape[0]
        spots = (face_patches.spot(each, size) for each in found if find_faces.fits(each))
        places = [each for each in spots if each]
        course = face_patches.Course(progress, size[0] * size[1], places, self._margin) if places else None
        return places, course

    def _with_faces(
        self,
        bands: Iterator[np.ndarray],
        image: np.ndarray,
        repair: float,
        places: Sequence[face_patches.Spot],
        course: face_patches.Course,
    ) -> Iterator[np.ndarray]:
        """Bands of a result, with faces put in."""
        assert self._faces
        photo, faces = partial(Upscaler.__call__, self, repair=repair, faces=()), self._faces

        def make(place: face_patches.Spot) -> face_patches.Patch:
            made = face_patches.patch(place, image, places, self._margin, photo, faces)
            course.face(place)
            return made

        return face_patches.put_in(bands, places, make, self.card.scale)

    @property
    def _margin(self) -> int:
        """How far the model looks, in pixels of the picture."""
        return self.card.receptive_radius + clipping.REACH + resample.HIDDEN_REACH

    def _memory(self, placed: Placed) -> int:
        """Bytes for tiles. What a card has is not known: there, memory runs out and halves the tiles."""
        if not placed.device.is_processor:
            return LARGEST_TILE**2 * self.card.memory
        return min(machine.available_memory() // 2, MEMORY_PER_THREAD * machine.cores())

    def _edge(self, height: int, width: int) -> int:
        return self.card.edge if max(height, width) > self.card.trained_at else 0

    def _run_tile(self, network: Run, tile: np.ndarray) -> np.ndarray:
        """A tile of any kind, `(h, w, C)`, with its alpha if it has one."""
        values = to_float(tile).astype(np.float32, copy=False)
        if tile.shape[2] in (1, 3):
            return from_float(self._run_colours(network, values), tile.dtype)
        colours, alpha = values[..., :-1], values[..., -1:]
        if self.card.keeps_flat:
            larger_alpha = self._run_colours(network, alpha)  # as gray: edges are as sharp as the inside
        else:  # what is opaque must stay so
            larger_alpha = resample.bicubic(alpha[None], self.card.scale)[0]
        larger = self._run_colours(network, resample.fill_hidden(colours, alpha))
        return from_float(np.concatenate([larger, larger_alpha], axis=2), tile.dtype)

    def _run_colours(self, network: Run, values: np.ndarray) -> np.ndarray:
        """`(h, w, 3)` RGB or `(h, w, 1)` gray, float32."""
        if values.shape[2] == 3 or self.card.form.channels == 1:
            return self._run(network, values[None])[0]
        larger = self._run(network, np.repeat(values[None], 3, axis=3))[0]
        return larger[..., :1] if self.card.keeps_flat else larger.mean(axis=2, keepdims=True)

    def _run(self, network: Run, images: np.ndarray) -> np.ndarray:
        """The network on `(N, H, W, C)` float32 in [0, 1].

        What needs no guess is made exact, if the model is one that keeps flat areas.
        """
        if not self.card.keeps_flat:
            return network(images)
        flat = resample.flat(images, self.card.receptive_radius)
        if flat.all():
            return resample.nearest(images, self.card.scale)
        output = clipping.clip(network(images), self.card.scale)
        exact.make(output, images, flat, self.card)
        return output


def check_tile(tile: int | None) -> None:
    """Refuse a side of tiles.

    Raises:
        OptionError: it is out of range.
    """
    smallest, largest = TILE_RANGE
    if tile is not None and not smallest <= tile <= largest:
        raise OptionError(f"tile {tile}: choose a side from {smallest} to {largest} pixels")
