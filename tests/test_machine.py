"""What a process may use of the machine, with a control group made up for the test."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from srez import machine

MIB = 1024**2


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def test_the_page_cache_of_a_container_is_free_memory(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text(f"{100 * MIB}\n")
    (cgroup / "memory.current").write_text(f"{95 * MIB}\n")
    assert machine.available_memory() == 5 * MIB
    (cgroup / "memory.stat").write_text(f"anon {20 * MIB}\nfile {75 * MIB}\ninactive_file {70 * MIB}\n")
    assert machine.available_memory() == 75 * MIB


@pytest.mark.parametrize(("limit", "used"), [("max", "1000"), ("", ""), ("1000", "")])
def test_a_container_without_a_limit_has_the_memory_of_the_machine(
    cgroup: Path, limit: str, used: str
) -> None:
    (cgroup / "memory.max").write_text(limit)
    (cgroup / "memory.current").write_text(used)
    assert machine.available_memory() > MIB


def test_a_container_beyond_its_limit_has_no_free_memory(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text("1000")
    (cgroup / "memory.current").write_text("1001")
    assert machine.available_memory() == 0


def test_cores_are_limited_by_the_container_and_the_environment(
    cgroup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    everything = machine.cores()
    (cgroup / "cpu.max").write_text("100000 100000\n")
    assert machine.cores() == 1
    (cgroup / "cpu.max").write_text("max 100000\n")
    assert machine.cores() == everything
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert machine.cores() == 1


def test_a_limit_of_address_space_is_a_limit_of_memory() -> None:
    code = (
        "import resource; from srez import machine; "
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, -1)); print(machine.available_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2**30


def test_the_memory_is_known_without_proc_and_limits(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: no `resource`, no `/proc`; and as on macOS: no statement of the pages mapped."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=3 * MIB))
    assert machine.available_memory() == 3 * MIB
    monkeypatch.setattr(machine, "resource", None)
    assert machine.available_memory() == 3 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_who_steps_back_takes_the_threads_along_that_he_starts() -> None:
    found = []

    def look() -> None:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def step_back() -> None:
        machine.step_back()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(look).result()

    for function in (step_back, look):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()
    stepped_back, other = found
    assert stepped_back > other
