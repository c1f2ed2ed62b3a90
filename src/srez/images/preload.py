"""Importing and setting up all decoders at once, for processes that can open nothing later."""

from PIL import AvifImagePlugin, Image

from srez.images.formats import HEIC, register_heif


def preload(threads: int) -> None:
    """Import all that reading pictures may import.

    Args:
        threads: that decode one AVIF or HEIC.
    """
    Image.init()
    AvifImagePlugin.DEFAULT_MAX_THREADS = threads
    if HEIC.is_available:
        import pillow_heif

        register_heif()
        pillow_heif.options.DECODE_THREADS = threads
