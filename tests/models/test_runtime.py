"""Memory of networks in one process."""

import subprocess
import sys

# In a process of its own: what memory another test has taken before would hide it.
_SCRIPT = """
import numpy as np
import psutil
from srez.models import box
from srez.models.runtime import Network

def resident():
    return psutil.Process().memory_info().rss

networks = [Network(box.find("photo"), "photo", 1) for _ in range(3)]
picture = np.zeros((1, 128, 128, 3), np.float32)
before = resident()
networks[0].run(picture)
first = resident()
for network in networks[1:]:
    network.run(picture)
print(first - before, resident() - first)
"""


def test_networks_share_their_memory() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    first, more = map(int, done.stdout.split())
    assert first > 1e7  # bytes
    assert more < first / 3
