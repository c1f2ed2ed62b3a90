"""Memory of networks in one process."""

import subprocess
import sys

# In a process of its own: what memory another test has taken before would hide it.
_SHARED = """
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

_SAMPLES = """
import numpy as np
import psutil
import srez

faces = srez.load("faces")
picture = np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8)
faces.samples(picture, 1)
before = psutil.Process().memory_info().rss
faces.samples(picture, 18)
print(psutil.Process().memory_info().rss - before)
"""

_IDLE = """
import time

import numpy as np
from srez.models import box
from srez.models.runtime import Network

network, picture = Network(box.find("photo"), "photo", 2), np.zeros((1, 48, 48, 3), np.float32)
spent = 0.0
for _ in range(5):
    network.run(picture)
    before = time.process_time()
    time.sleep(0.04)
    spent += time.process_time() - before
print(spent)
"""


def test_networks_share_their_memory() -> None:
    done = subprocess.run([sys.executable, "-c", _SHARED], capture_output=True, text=True, check=True)
    first, more = map(int, done.stdout.split())
    assert first > 1e7  # bytes
    assert more < first / 3


def test_many_samples_take_little_more_memory_than_one() -> None:
    done = subprocess.run([sys.executable, "-c", _SAMPLES], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 7e7  # bytes


def test_threads_that_wait_for_the_next_picture_leave_the_cores_alone() -> None:
    done = subprocess.run([sys.executable, "-c", _IDLE], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 0.05  # seconds of 0.2; 0.19 where they kept looking for work
