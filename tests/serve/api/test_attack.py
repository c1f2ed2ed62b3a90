"""Hostile files from many clients beside one honest client: `make attack` prints the figures."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers import beside
from helpers.hostile import files
from helpers.serving import PNG, Server, by_command, face, png, serving
from srez.serve.jobs.store import Store

SECONDS = float(os.environ.get("SREZ_ATTACK_SECONDS", "300"))
FILES, CLIENTS = round(2000 * SECONDS / 300), 16
MOST_MEMORY = 1e9  # bytes, of the server and its children
MOST_SLOWER = 3  # times, p99 of the honest client


class Honest:
    """A client with two pictures, which knows the right answers.

    Attributes:
        statuses: how often each came.
        wrong: answers that are not the command line's.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        bodies = [png(face(1)), png(face(2, 60))]
        self._pictures = [(body, by_command(folder, body)) for body in bodies]
        self._http = server.http
        self.statuses: Counter[int] = Counter()
        self.wrong = 0

    def ask(self, until: Callable[[], bool]) -> float:
        """Ask one picture after the other; the 99th percentile of the seconds that answers took."""
        seconds: list[float] = []
        while not until():
            for body, right in self._pictures:
                began = time.perf_counter()
                answer = self._http.post("/v1/upscale", content=body, headers=PNG)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    seconds.append(time.perf_counter() - began)
                    self.wrong += answer.content != right
                time.sleep(0.02)
        return float(np.percentile(seconds, 99))


class MemoryWatch(threading.Thread):
    """Looks at the resident memory of a process and its children.

    Attributes:
        most: bytes, at any look.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._over, self.most = psutil.Process(pid), threading.Event(), 0

    def run(self) -> None:
        while not self._over.wait(0.2):
            total = 0
            for process in (self._process, *self._process.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.Error:  # it has just ended
                    continue
            self.most = max(self.most, total)

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.most


def for_seconds(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


@pytest.mark.attack
def test_hostile_clients_harm_no_honest_one(tmp_path: Path) -> None:
    temporary, bodies = tmp_path / "tmp", tmp_path / "hostile"
    for folder in (temporary, bodies):
        folder.mkdir()
    folders = [*(tmp_path / "state" / name for name in ("uploads", "results", "page")), temporary]
    for name, body in files(FILES, seed=1):
        (bodies / name).write_bytes(body)
    with serving(tmp_path, "--max-wait", "10", "--max-seconds", "60", TMPDIR=str(temporary)) as server:
        before = inside(folders)  # Gradio makes a folder when it is imported
        honest = Honest(server, tmp_path)
        honest.ask(for_seconds(2))
        quiet = honest.ask(for_seconds(SECONDS / 10))
        watch = MemoryWatch(server.process.pid)
        watch.start()
        with beside.started("attacking", server.port, SECONDS, CLIENTS, bodies) as clients:
            attacked = honest.ask(lambda: clients.poll() is not None)
            assert clients.stdout
            statuses = json.load(clients.stdout)
        quiet = max(quiet, honest.ask(for_seconds(SECONDS / 10)))
        memory = watch.stop()
        assert server.http.get("/readyz").status_code == 200
        errors = [line for line in server.logged() if line["level"] == "error"]
        left = inside(folders) - before
    # The file of a job that is kept is not left over: its client hung up before it knew the job's name.
    kept = {path for path in left if path.is_relative_to(tmp_path / "state")}
    Store(tmp_path / "state", 1).close()  # removes files of no job
    left -= inside(folders) & kept
    sent = statuses.pop("sent")
    print(f"\n{CLIENTS} clients sent {FILES} hostile files, {sent} requests in {SECONDS:g} s: {statuses}")
    print(f"the honest client: {dict(honest.statuses)}, {honest.wrong} wrong answers")
    times = f"{quiet * 1e3:.0f} ms alone, {attacked * 1e3:.0f} ms under attack: {attacked / quiet:.1f} times"
    print(f"its p99: {times}")
    print(f"resident memory of the server and its children: {memory / 1e6:.0f} MB")
    print(f"left in folders: {sorted(left)}; errors in the log: {len(errors)}")
    assert not honest.wrong
    assert set(honest.statuses) == {200}
    assert not [status for status in statuses if status[0] == "5" and status != "503"], statuses
    assert not errors, errors[:3]
    assert not left
    assert memory < MOST_MEMORY
    assert attacked <= MOST_SLOWER * quiet


def inside(folders: list[Path]) -> set[Path]:
    """All that is in some folders."""
    return {path for folder in folders if folder.exists() for path in folder.iterdir()}
