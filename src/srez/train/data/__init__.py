"""Pictures to batches of LR/HR pairs: `load` or `draw`, then `batches`, of which `to_pairs` makes tensors.

`pack` prepares faces for `load`.
"""

from srez.train.data import faces, inputs
from srez.train.data.load import draw, load
from srez.train.data.packed import pack, pack_photos
from srez.train.data.pairs import SCALE, ToPairs, TrainingData, TrainingSet, ValidationSet, batches
from srez.train.recipe import Data, FacesData

__all__ = [
    "SCALE",
    "TrainingData",
    "TrainingSet",
    "ValidationSet",
    "batches",
    "draw",
    "load",
    "pack",
    "pack_photos",
    "to_pairs",
]


def to_pairs(settings: Data) -> ToPairs:
    """A function that makes tensors of the batches that `batches` draws; see `ToPairs`."""
    return faces.to_pairs(settings) if isinstance(settings, FacesData) else inputs.to_pairs(settings)
