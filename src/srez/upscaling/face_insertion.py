"""The faces of one photograph on their way into its result."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from srez.images import hidden
from srez.models.card import Card
from srez.models.face_finder import Face
from srez.upscaling import clipping, face_patches, faces
from srez.upscaling.face_patches import Patch, Spot, Upscale, UpscalePart
from srez.upscaling.tiling import Progress


class Insertion:
    """Puts a photograph's faces into its result, and tells how much of both is done."""

    def __init__(
        self,
        image: np.ndarray,
        card: Card,
        found: Sequence[Face],
        photo: UpscalePart,
        enlarge: Upscale,
        progress: Progress,
    ) -> None:
        """Choose the faces to put in: those that the model of faces fits, and that lie in the photograph.

        Args:
            image: the photograph, `(H, W, C)`.
            card: of the model that makes it larger.
            found: its faces.
            photo: makes a part of it larger, with that model.
            enlarge: makes a face larger, RGB or gray.
            progress: called with the fraction done of all: tiles of the photograph, and parts around faces.
        """
        self._image, self._scale = image, card.scale
        self._photo, self._enlarge, self._progress = photo, enlarge, progress
        self._margin = card.receptive_radius + clipping.REACH + hidden.HIDDEN_REACH
        height, width = image.shape[:2]
        spots = (face_patches.spot(face, (width, height)) for face in found if faces.fits(face))
        self._spots = [spot for spot in spots if spot]
        self._pixels = height * width
        self._all = self._pixels + sum(map(self._cost, self._spots))
        self._tiles_done = self._faces_done = 0.0

    def tiles(self, fraction: float) -> None:
        """Note which fraction of the photograph's tiles is done."""
        self._tiles_done = fraction * self._pixels
        self._tell()

    def put_into(self, bands: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The bands of the photograph's result, from top to bottom, with the faces in them."""
        return face_patches.put_in(bands, self._spots, self._patch, self._scale)

    def _patch(self, spot: Spot) -> Patch:
        made = face_patches.patch(spot, self._image, self._spots, self._margin, self._photo, self._enlarge)
        self._faces_done += self._cost(spot)
        self._tell()
        return made

    def _cost(self, spot: Spot) -> int:
        """Of a face, in pixels of tiles: around it, photo's network is run and the one for faces."""
        return 2 * spot.pixels(self._margin)

    def _tell(self) -> None:
        self._progress((self._tiles_done + self._faces_done) / self._all)
