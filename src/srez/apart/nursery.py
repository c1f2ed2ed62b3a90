"""The process that those of the box are forked from: it has imported all that they need.

A fork takes milliseconds, a new interpreter a good part of a second. It has one thread, so a fork is safe.
"""

import os
import signal
import socket
import struct
import sys

from srez.apart import child
from srez.images.preload import preload

PID = struct.Struct("<i")  # an order: 0, and a channel for a new process; or the process to end


def main() -> None:
    """Fork and end processes as the box orders, until it hangs up."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    preload(threads=1)
    born: set[int] = set()
    while True:
        order, handles, *_ = socket.recv_fds(orders, PID.size, 1)
        if len(order) < PID.size:
            break
        if handles:
            pid = _fork(orders, handles[0])
            os.close(handles[0])
            born.add(pid)
            orders.sendall(PID.pack(pid))
        elif (pid := PID.unpack(order)[0]) in born:
            born.remove(pid)
            _end(pid)
    for pid in born:
        _end(pid)


def _fork(orders: socket.socket, handle: int) -> int:
    if pid := os.fork():
        return pid
    try:
        orders.close()
        child.serve(socket.socket(fileno=handle))
    finally:
        os._exit(0)


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)  # ours until we have waited for it, so the number is not another's
    os.waitpid(pid, 0)
