"""What a process gives up before it looks at pictures of strangers, for good. For Linux."""

import ctypes
import os
import resource
import signal
import time

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38  # linux/prctl.h
# linux/landlock.h; numbers of system calls are the same on all processors.
_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_FILES = (1 << 13) - 1  # all that one may do with files, in its first version
_FILES_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # linking elsewhere, truncating, controlling devices
_NETWORK_SINCE, _NETWORK = 4, 0b11  # TCP
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets of others, signals to others


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def confine() -> None:
    """Give up what decoding does not need: opening anything, writing to files, further processes, signals.

    No descriptor can be opened any more, so neither a file nor a connection; the open ones stay. Where the
    kernel has Landlock, files cannot be removed or renamed, and other processes cannot be sent signals. Only
    root could take the limits back.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_DUMPABLE, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _landlock(libc)
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
        resource.setrlimit(limit, (0, 0))


def allow(memory: int, seconds: float) -> None:
    """Limit what is taken from now on.

    Args:
        memory: bytes of address space, all in all.
        seconds: of computing from now on; the process is killed after them.
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.RLIM_INFINITY))
    used = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used, resource.RLIM_INFINITY))


def address_space() -> int:
    """Bytes of this process's address space."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read before nothing can be opened
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _landlock(libc: ctypes.CDLL) -> None:
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return  # the kernel has none
    files = _FILES | sum(right for since, right in _FILES_SINCE.items() if version >= since)
    rules = _Ruleset(
        files, _NETWORK if version >= _NETWORK_SINCE else 0, _SCOPES if version >= _SCOPES_SINCE else 0
    )
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8
    handle = libc.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    if handle >= 0:
        libc.syscall(_RESTRICT_SELF, handle, 0)
        os.close(handle)
