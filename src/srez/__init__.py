"""Image super-resolution: `srez.load("faces")` gives an `Upscaler`, and that upscales pictures."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from srez.upscaling.upscaler import Upscaler, load

__all__ = ["Upscaler", "__version__", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Only when asked for: the command must heed Ctrl-C before it imports NumPy and Pillow, which takes long.
    if name in ("Upscaler", "load"):
        from srez.upscaling import upscaler

        return getattr(upscaler, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
