"""Optional dependencies: which a command needs, how to install them, and training's framework loaded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from srez.errors import OptionError


def require(task: str, *packages: str, extra: str = "train") -> None:
    """Refuse a task whose packages are not installed.

    Raises:
        OptionError: it names them and the extra that installs them.
    """
    missing = [name for name in packages if not find_spec(name)]
    if missing:
        other = " or 'srez[train-torch]'" if extra == "train" else ""
        what = f"package{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        raise OptionError(f"{task} needs the {what}: pip install 'srez[{extra}]'{other}")


def training_recipes() -> ModuleType:
    """`srez.train.recipes`, if one of the training extras is installed.

    Raises:
        OptionError: none is.
    """
    require("training", "filelock", "keras", "onnx", "pydantic", "tensorboard", "tomli_w")
    from srez.train import recipes

    return recipes


@contextmanager
def training_backend() -> Iterator[None]:
    """Load what computes a training, and drop what its C++ code prints; import what needs it in the block."""
    from srez.train import backend
    from srez.train.native_log import native_log

    with native_log(Path(os.devnull)):
        backend.choose()
        yield
