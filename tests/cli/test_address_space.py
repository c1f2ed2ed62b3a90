"""`srez upscale` where `ulimit -v` leaves little memory."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.commands import SREZ


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a limit of address space")
@pytest.mark.parametrize("gigabytes", [1.0, 1.2])
def test_tiles_fit_into_a_limit_of_address_space(
    gigabytes: float, tmp_path: Path, random: np.random.Generator
) -> None:
    source, result = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(random.integers(0, 256, (260, 520, 3), np.uint8)).save(source)
    command = [*SREZ, "upscale", str(source), "-o", str(result)]
    limited = ["sh", "-c", f'ulimit -v {round(gigabytes * 1e6)} && exec "$@"', "sh", *command]
    # Each thread of a library maps memory that it hardly uses; two are what this needs everywhere.
    two = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    done = subprocess.run(limited, capture_output=True, text=True, env={**os.environ, **two})
    assert done.returncode == 0, done.stderr
    with Image.open(result) as larger:
        assert larger.size == (2080, 1040)
