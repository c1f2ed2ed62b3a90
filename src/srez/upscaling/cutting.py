"""How pictures are cut into tiles: as large as memory and the network allow."""

import numpy as np

from srez import machine
from srez.errors import OptionError
from srez.images import hidden
from srez.models.card import Card
from srez.models.placing import Placed
from srez.upscaling import clipping
from srez.upscaling.tiling import SMALLEST, Cut, side_that_fits

LARGEST_TILE = 512  # input pixels; in larger tiles, margins are a small share already
TILE_RANGE = 32, 4096  # input pixels, for a tile that is given
MEMORY_PER_THREAD = 320 * 1024**2  # bytes for a tile, at most
METHOD_MEMORY = 640 * 1024**2  # bytes for a tile of a method, at most


def check_tile(tile: int | None) -> None:
    """Refuse a side of tiles.

    Raises:
        OptionError: it is out of range.
    """
    smallest, largest = TILE_RANGE
    if tile is not None and not smallest <= tile <= largest:
        raise OptionError(f"tile {tile}: choose a side from {smallest} to {largest} pixels")


def for_network(image: np.ndarray, card: Card, placed: Placed, given: int | None) -> Cut:
    """How to cut a picture for a network; its tile holds all of a picture that is run whole.

    Args:
        image: `(H, W, C)`.
        card: of the network.
        placed: the network.
        given: a side of tiles in input pixels, if one was asked for.
    """
    radius = card.receptive_radius + (clipping.REACH if card.keeps_flat else 0)
    # Colours that are spread under transparent pixels come from beyond the network's reach.
    overlap = radius + hidden.HIDDEN_REACH if image.shape[2] in (2, 4) else radius
    multiple, side = card.form.multiple, min(card.form.side, default=placed.fixed)
    overlap = -(-overlap // multiple) * multiple
    if side:  # some of it is left for the tile itself
        overlap = min(overlap, max(0, (side - max(multiple, SMALLEST)) // (2 * multiple) * multiple))
    at_once, memory = placed.parallel, _memory(card, placed)
    fitting = side_that_fits(memory, card.memory, overlap, at_once)
    tile = min(given or min(fitting, LARGEST_TILE), side - 2 * overlap if side else TILE_RANGE[1])
    tile = max(tile // multiple, 1) * multiple
    height, width = image.shape[:2]
    single = min(LARGEST_TILE**2, memory // card.memory)  # pixels of a tile that has all memory
    fixed, longest, edge_ = given is not None, max(height, width), edge(card, height, width)
    if longest <= tile or (not fixed and not side and height * width <= single):
        return Cut(longest, overlap, edge_, fixed=fixed, multiple=multiple)
    return Cut(tile, overlap, edge_, at_once, fixed, multiple)


def for_method(card: Card, given: int | None) -> Cut:
    """The same for a method, which takes long for a tile: those run one after another."""
    overlap = card.receptive_radius + clipping.REACH
    memory = min(machine.available_memory() // 2, METHOD_MEMORY)
    fitting = min(side_that_fits(memory, card.memory, overlap, 1), LARGEST_TILE)
    return Cut(given or fitting, overlap, fixed=given is not None, here=True)


def edge(card: Card, height: int, width: int) -> int:
    """How far a picture is extended on all sides, in input pixels."""
    return card.edge if max(height, width) > card.trained_at else 0


def _memory(card: Card, placed: Placed) -> int:
    """Bytes for tiles. What a card has is not known: there, memory runs out and halves the tiles."""
    if not placed.device.is_processor:
        return LARGEST_TILE**2 * card.memory
    return min(machine.available_memory() // 2, MEMORY_PER_THREAD * machine.cores())
