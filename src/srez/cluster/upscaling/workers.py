"""The workers of a batch: Ray actors that load the model once and upscale one piece of work after another."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import pyarrow as pa
import ray.data

from srez import images
from srez.cluster.upscaling.batch import Batch
from srez.cluster.upscaling.manifest import DONE, FAILED, REFUSED, RESULT, Row, from_table, to_table
from srez.cluster.upscaling.store import Store
from srez.errors import ImageError, MissingPackageError, SrezError, TooLargeError
from srez.upscaling.convert import Target, convert
from srez.upscaling.loading import Choose

LARGEST_PIECE = 64  # pictures that a worker takes at a time
PIECES_PER_WORKER = 20  # at least: at the end, all workers wait for the last piece


def run(to_do: list[Row], batch: Batch, workers: int) -> Iterator[pa.Table]:
    """Upscale pictures with a pool of workers.

    A worker that dies is restarted and repeats its piece; results are written whole, so that is harmless.

    Args:
        to_do: OPEN rows.
        batch: what they belong to.
        workers: how many, with one core each.

    Yields:
        Tables of finished rows, in any order.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    size = max(1, min(LARGEST_PIECE, len(to_do) // (workers * PIECES_PER_WORKER)))
    table = to_table(to_do)
    pieces = [table.slice(start, size) for start in range(0, len(to_do), size)]
    finished = ray.data.from_arrow(pieces).map_batches(
        Worker,
        batch_size=None,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(pieces))),
        num_cpus=1,
        fn_constructor_args=(batch,),
    )
    yield from finished.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


class Worker:
    """Upscales pieces of work; a picture that fails becomes a row that says why."""

    def __init__(self, batch: Batch) -> None:
        """Prepare; the model is loaded for the first picture, so that its faults become rows too."""
        self._batch = batch
        self._source, self._target = Store.at(batch.source), Store.at(batch.target)

    def __call__(self, piece: pa.Table) -> pa.Table:
        """Upscale the pictures of OPEN rows, and return the rows finished."""
        return to_table(self._upscaled(row) for row in from_table(piece))

    @cached_property
    def _choose(self) -> Choose:
        return self._batch.model.load()

    def _upscaled(self, row: Row) -> Row:
        name = self._source.url_of(row.source)
        try:
            data = self._source.read(row.source)
            row = replace(row, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            if not self._batch.rules.again and images.is_our_result(data):
                return replace(row, status=RESULT)
            target = Target(
                partial(self._target.writing, row.target),
                self._target.url_of(row.target),
                images.format_to_write(Path(row.target)),
            )
            width, height = convert(
                self._choose, self._batch.options.source(data, name), target, self._batch.options
            ).size
            return replace(row, status=DONE, width=width, height=height)
        except Exception as error:
            status = REFUSED if _is_fault_of_file(error) else FAILED
            return replace(row, status=status, error=_message(name, error))


def _is_fault_of_file(error: Exception) -> bool:
    """Whether only a changed file would help, not more memory, another model, disk, package or option."""
    return isinstance(error, ImageError) and not isinstance(error, (TooLargeError, MissingPackageError))


def _message(name: str, error: Exception) -> str:
    """What went wrong, with the name of the input."""
    text = str(error) if isinstance(error, SrezError) else f"{type(error).__name__}: {error}".rstrip(": ")
    return text if name in text else f"{name}: {text}"
