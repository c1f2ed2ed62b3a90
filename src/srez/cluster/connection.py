"""The connection to Ray: a cluster at an address, or a Ray started on this machine."""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import ray

from srez import machine
from srez.errors import OptionError, first_line

LOCAL = "local"
OBJECT_STORE_BYTES = 256 * 1024**2  # shared memory per machine: only manifest rows and messages pass through

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray reports usage to its makers by default
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's next default; without it, it warns
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its other messages are for Ray's developers
}


@contextmanager
def connected(address: str, workers: int) -> Iterator[None]:
    """Connect to Ray for the duration of the block. What the user has set in the environment wins.

    Args:
        address: of a cluster, as `ray.init` takes it; "local" starts Ray on this machine.
        workers: how many processes this machine must be able to hold if Ray is started on it.

    Raises:
        OptionError: there is no cluster at the address, or Ray does not start in time.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    on_this_machine = {
        "num_cpus": max(workers, machine.cores()),
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
    }
    try:
        _require_listener(address)
        ray.init(
            address=address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            **(on_this_machine if address == LOCAL else {}),
        )
    except Exception as error:  # a Ray that does not start in time raises just that
        ray.shutdown()  # what it had started
        failed = "Ray cannot be started on this machine" if address == LOCAL else "cannot connect to Ray"
        raise OptionError(f"--ray-address {address}: {failed}: {first_line(error)}") from None
    with redirect_stdout(sys.stderr):  # Ray prints about processes that died, sometimes during shutdown
        try:
            yield
        finally:
            ray.shutdown()


def _require_listener(address: str) -> None:
    """Fail fast where nothing listens (OSError): Ray itself would retry for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()
