"""Across machines, with Ray: `training` of one network, `upscaling` of many files."""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import ray

from srez import machine
from srez.errors import OptionError

LOCAL = "local"
STORE = 256 * 1024**2  # bytes of shared memory on one machine: only rows and messages pass through it


@contextmanager
def connected(address: str, workers: int) -> Iterator[None]:
    """Ray, for the time of the block.

    Args:
        address: of a cluster, as `ray.init` takes it; "local" starts Ray on this machine.
        workers: how many processes this machine must be able to hold, where Ray is started on it.

    Raises:
        OptionError: there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its makers
    os.environ.setdefault(
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
    )  # as its next version does; else it warns
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its own news are for its developers
    on_this_machine = {
        "num_cpus": max(workers, machine.cores()),
        "object_store_memory": STORE,
        "include_dashboard": False,
    }
    try:
        _knock(address)
        ray.init(
            address=address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            **(on_this_machine if address == LOCAL else {}),
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise OptionError(f"--ray-address {address}: Ray cannot be reached there: {reason}") from None
    with redirect_stdout(sys.stderr):  # Ray tells of processes that died on standard output, some at its end
        try:
            yield
        finally:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError if nobody listens there: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()
