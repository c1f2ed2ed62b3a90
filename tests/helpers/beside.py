"""Helpers that run in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path


def started(helper: str, *words: object) -> "subprocess.Popen[bytes]":
    """Start a module of this folder as a program, with its standard output in a pipe.

    Args:
        helper: its name.
        words: of the command.
    """
    path = os.pathsep.join((str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")))
    command = [sys.executable, "-m", f"helpers.{helper}", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})
