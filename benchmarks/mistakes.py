"""How the scripts tell of a folder that is no benchmark, or of data that is not there: as `srez` does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from srez.errors import SrezError


@contextmanager
def told() -> Iterator[None]:
    """End the script with one sentence, and not with a traceback."""
    try:
        yield
    except SrezError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
