"""Who gets the cores first."""

import json
import sys
from pathlib import Path

import pytest

from helpers import beside

FEW = 0.2  # of the time: planning and answering


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities on Linux only")
def test_only_small_pictures_compute_with_the_usual_priority(tmp_path: Path) -> None:
    with beside.started("sharing_cores", tmp_path) as process:
        shares, _ = process.communicate()
    assert process.returncode == 0
    small, *others = json.loads(shares)
    assert small > FEW > max(others)
