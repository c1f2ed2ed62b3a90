"""What this process may use of the machine, in a container too: cores and memory."""

import os
import sys
import threading
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows
    resource = None

CGROUP = Path("/sys/fs/cgroup")  # version 2
_LAST = 10  # niceness of threads that step back: a tenth of a core where others want all of it


def cores() -> int:
    """The cores that this process may keep busy, at least 1; OMP_NUM_THREADS, which Ray sets, limits them."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        allowed = min(allowed, round(int(quota) / int(period)))
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdigit():
        allowed = min(allowed, int(limit))
    return max(allowed, 1)


def available_memory() -> int:
    """Bytes of memory that can be taken without swapping, as far as the system says."""
    free = psutil.virtual_memory().available
    limit, used = _read(CGROUP / "memory.max").strip(), _read(CGROUP / "memory.current").strip()
    if limit.isdigit() and used.isdigit():
        # Pages of files that were read count as used, but the kernel takes them back before memory runs out.
        reclaimable = _table(CGROUP / "memory.stat").get("inactive_file", 0)
        free = min(free, max(int(limit) - int(used) + reclaimable, 0))
    return min(free, _address_space_left())


def step_back() -> None:
    """Let other threads of this process have the cores first, from now on; so do those that this one starts.

    Linux only has priorities of threads; elsewhere all stay equal.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LAST)


def niceness() -> int:
    """How far this thread has stepped back; 0 where threads have no priorities of their own."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 0


def _address_space_left() -> int:
    """Bytes that this process may still map, as `ulimit -v` limits them."""
    if resource is None:
        return sys.maxsize
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    pages = _read(Path("/proc/self/statm")).split()
    if limit == resource.RLIM_INFINITY or not pages:
        return sys.maxsize
    return max(limit - int(pages[0]) * resource.getpagesize(), 0)


def _table(path: Path) -> dict[str, int]:
    """A file whose lines each hold a name and a number."""
    lines = [line.split() for line in _read(path).splitlines()]
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
