"""TensorBoard's log of a run, written without TensorFlow."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.image import metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto


class Board:
    """A file of events in a run's folder for TensorBoard. Every method raises OSError if it cannot write."""

    def __init__(self, folder: Path) -> None:
        """Begin a new file.

        Args:
            folder: made if absent; TensorBoard reads all files in it, the later ones last.
        """
        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() / 1e9:020.9f}"
        # Unbuffered: what is written has reached the file system, or has raised.
        self._events = RecordWriter((folder / name).open("xb", buffering=0))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def scalar(self, step: int, name: str, value: float) -> None:
        """Add a value to a curve."""
        self._add(step, scalar_pb(name, np.float32(value)))

    def histogram(self, step: int, name: str, values: np.ndarray) -> None:
        """Add a histogram of values."""
        self._add(step, histogram_pb(name, values))

    def image(self, step: int, name: str, png: bytes, width: int, height: int) -> None:
        """Add a picture, given as a PNG."""
        content: Any = [str(width).encode(), str(height).encode(), png]
        summary = Summary()
        summary.value.add(
            tag=name,
            metadata=metadata.create_summary_metadata(display_name=None, description=None),
            tensor=make_tensor_proto(content),
        )
        self._add(step, summary)

    def close(self) -> None:
        """Close the file."""
        self._events.close()

    def _add(self, step: int, summary: Summary) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Event) -> None:
        self._events.write(event.SerializeToString())
