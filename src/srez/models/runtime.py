"""Running ONNX files: the only module that imports ONNX Runtime."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import ModelError, SlowModelError


class Network:
    """An ONNX graph with one input and one output, ready to run. Thread safe.

    Attributes:
        name: what errors call the model.
        inputs: the graph's inputs, each with a `name`, a `shape` and a `type`.
    """

    def __init__(
        self, model: bytes | Path, name: str, threads: int | None = None, seconds: float | None = None
    ) -> None:
        """Load a graph.

        Args:
            model: an .onnx file, or its contents.
            name: what errors call the model.
            threads: how many share one operation; all cores by default.
            seconds: that a run may take; no limit by default.

        Raises:
            ModelError: it is not an ONNX model, or one that ONNX Runtime does not support.
        """
        # ONNX Runtime reports to its makers unless told not to before it is imported. Importing it here, not
        # above, because it takes longer than the rest of `import srez` together.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.enable_mem_pattern = False  # patterns take a third more memory and save no time
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes are private
            raise ModelError(f"{name} cannot be loaded as an ONNX model: {error}") from None
        self.name = name
        self._seconds = seconds
        self.inputs = self._session.get_inputs()

    def run(self, images: np.ndarray) -> np.ndarray:
        """Run the graph.

        Args:
            images: float32, of the shape of the graph's input.

        Returns:
            The graph's first output.

        Raises:
            MemoryError: memory did not suffice.
            ModelError: the graph cannot be run on this shape, or gives values that are not numbers.
            SlowModelError: the run took too long.
        """
        with _time_limit(self._seconds) as options:
            try:
                output = np.asarray(self._session.run(None, {self.inputs[0].name: images}, options)[0])
            except Exception as error:
                if options and options.terminate:
                    limit = f"{self._seconds:g} seconds"
                    raise SlowModelError(f"{self.name} takes more than {limit} for a tile") from None
                # Its exception classes are private, and it has none for memory.
                shape = images.shape
                if "alloc" in str(error):
                    raise MemoryError(f"{self.name} on an input of shape {shape}") from None
                raise ModelError(f"{self.name} cannot run on an input of shape {shape}: {error}") from None
        if output.size and np.isnan(output.max()):  # it would become black
            raise ModelError(f"{self.name} produces NaN: its weights are corrupt")
        return output


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[Any]:
    """Options with which a run fails after some time, a graph that loops for ever too; None for no limit."""
    import onnxruntime

    if seconds is None:
        yield None
        return
    options = onnxruntime.RunOptions()
    timer = threading.Timer(seconds, setattr, [options, "terminate", True])
    timer.daemon = True
    timer.start()
    try:
        yield options
    finally:
        timer.cancel()
