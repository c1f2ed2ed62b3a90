"""What this machine can do at most, and how results are printed and kept."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

MATRIX = 4096


def seconds(work: Callable[[], Any], at_least: float = 0.3) -> float:
    """Seconds of one call, the mean of as many as take `at_least` seconds together."""
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < at_least:
        work()
        calls += 1
    return (time.perf_counter() - began) / calls


def matrix_gflops() -> float:
    """GFLOP/s of a large float32 matrix product with all threads: the limit that others are held against."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    return 2 * MATRIX**3 / seconds(lambda: a @ a) / 1e9


def in_turn(works: dict[str, Callable[[], float]], rounds: int = 7) -> dict[str, float]:
    """The median of each measurement, taken in turn, so that a drift of the machine meets all alike.

    One uncounted round comes first.
    """
    results: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            value = work()
            if number:
                results[name].append(value)
    return {name: statistics.median(values) for name, values in results.items()}


def report(title: str, columns: list[str], rows: list[list[Any]], out: Path) -> None:
    """Print a table and write it as JSON."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(f"{value:,.3g}" if isinstance(value, float) else str(value) for value in row))
    Console().print(table)
    facts = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    out.parent.mkdir(parents=True, exist_ok=True)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    out.write_text(json.dumps({**facts, "rows": named}, indent=1), encoding="utf-8")
