"""Keeping the libraries below us from standard error, where only our own sentences belong."""

import ctypes
import logging
import warnings

from PIL import Image


def quiet() -> None:
    """Turn off what Pillow and libtiff print, once and for all and for every thread.

    What they cannot mend, they raise too; what they can, nobody asked for. Programs that set up logging still
    get what Pillow logs.
    """
    # For good: `warnings.catch_warnings` in one thread undoes that of another.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    _quiet_libtiff()


def _quiet_libtiff() -> None:
    """Take libtiff its handlers, which print; Pillow has no setting for that.

    Found through Pillow's own extension, it is the libtiff that Pillow uses. Where it is built into that
    extension, as on Windows, it cannot be found, and goes on printing.
    """
    try:
        pillow = ctypes.CDLL(Image.core.__file__)
        for setter in (pillow.TIFFSetErrorHandler, pillow.TIFFSetWarningHandler):
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            setter(None)
    except (AttributeError, OSError):
        pass
