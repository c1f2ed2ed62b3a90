"""Image super-resolution: `srez.load("faces")` gives an `Upscaler`, and that upscales pictures."""

from srez.upscaling.upscaler import Upscaler, load

__all__ = ["Upscaler", "__version__", "load"]
__version__ = "0.1.0"
