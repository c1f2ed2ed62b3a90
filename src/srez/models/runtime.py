"""Running ONNX files: the only module that imports ONNX Runtime."""

import os
from pathlib import Path

import numpy as np

from srez.errors import ModelError


class Network:
    """An ONNX graph with one input and one output, ready to run. Thread safe.

    Attributes:
        name: what errors call the model.
        inputs: the graph's inputs, each with a `name`, a `shape` and a `type`.
    """

    def __init__(self, model: bytes | Path, name: str, threads: int | None = None) -> None:
        """Load a graph.

        Args:
            model: an .onnx file, or its contents.
            name: what errors call the model.
            threads: how many share one operation; all cores by default.

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
        """
        try:
            output = np.asarray(self._session.run(None, {self.inputs[0].name: images})[0])
        except Exception as error:
            # Its exception classes are private, and it has none for memory.
            if "alloc" in str(error):
                raise MemoryError(f"{self.name} on an input of shape {images.shape}") from None
            raise ModelError(f"{self.name} cannot run on an input of shape {images.shape}: {error}") from None
        if output.size and np.isnan(output.max()):  # it would become black
            raise ModelError(f"{self.name} produces NaN: its weights are corrupt")
        return output
