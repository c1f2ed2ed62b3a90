"""Pictures to batches of LR/HR pairs: `load` or `draw`, then `batches`; `pack` prepares faces for `load`."""

from srez.train.data.load import draw, load, pack
from srez.train.data.pairs import SCALE, TrainingData, TrainingSet, ValidationSet, batches

__all__ = ["SCALE", "TrainingData", "TrainingSet", "ValidationSet", "batches", "draw", "load", "pack"]
