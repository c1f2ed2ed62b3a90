"""`srez`, but its server reads pictures in its own process: only to measure what reading them apart costs.

`python benchmarks/serve_in_process.py serve --port 0`; started by `serve_load.py`.
"""

from pathlib import Path
from typing import Any

from srez import images
from srez.cli import app
from srez.images import Picture
from srez.serve.inference import reading


class InProcess:
    """Stands in for `srez.apart.Box`."""

    def __init__(self, *_: Any) -> None:
        pass

    def look(
        self, source: Path | bytes, name: str, max_pixels: int, small: int, _: Any
    ) -> tuple[int, int] | Picture:
        size = images.size(source, name, max_pixels)
        return size if size[0] * size[1] > small else images.read(source, name, max_pixels)

    def read(self, source: Path | bytes, name: str, max_pixels: int, _: Any) -> Picture:
        return images.read(source, name, max_pixels)

    def close(self) -> None:
        pass


if __name__ == "__main__":
    reading.Box = InProcess  # type: ignore[misc]
    app()
