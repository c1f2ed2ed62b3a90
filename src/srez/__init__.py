"""Image super-resolution: `srez.upscale("small.jpg").save("large.png")`.

`srez.load("faces")` gives an `Upscaler`, which keeps its model and has more to choose. All errors that a user
can put right are of the kind `SrezError`; `srez.errors` has the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from srez.errors import SrezError

if TYPE_CHECKING:
    from srez.upscaling.easy import upscale
    from srez.upscaling.loading import load
    from srez.upscaling.upscaler import Upscaler

__all__ = ["SrezError", "Upscaler", "__version__", "load", "upscale"]
__version__ = "0.1.0"

_LATER = {
    "Upscaler": "srez.upscaling.upscaler",
    "load": "srez.upscaling.loading",
    "upscale": "srez.upscaling.easy",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: the command must heed Ctrl-C before it imports NumPy and Pillow, which takes long.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
