"""What this process may use of the machine: cores and memory, in a container too."""

import os
from pathlib import Path

_UNKNOWN_MEMORY = 4 * 1024**3  # where the system does not say
_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """The cores that this process may keep busy, at least 1; OMP_NUM_THREADS lowers them, as Ray sets it."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        allowed = min(allowed, round(int(quota) / int(period)))
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit():
        allowed = min(allowed, int(wanted))
    return max(allowed, 1)


def available_memory() -> int:
    """Bytes that can be taken without pushing anything out, as far as the system says."""
    free = _UNKNOWN_MEMORY
    for line in _read(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    limit, used = _read(_CGROUP / "memory.max").strip(), _read(_CGROUP / "memory.current").strip()
    if limit.isdigit() and used.isdigit():
        free = min(free, max(int(limit) - int(used), 0))
    return free


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
