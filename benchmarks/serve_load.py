"""Load on `srez serve` from another process: throughput, p99, and whether every answer is the command line's.

Faces of 16x16 and photographs of 256x256 are sent mixed over 64 connections. Then faces alone are sent to a
server that runs them in batches, and to one that runs them one at a time; beside that stands what the network
alone gains from batches, which is the most that a server can.

At last, what reading pictures apart costs: faces are sent in turn to a server that does so and to one that
reads them in its own process, over 64 connections and then one by one. Other work on the machine slows both.
`--only-reading` measures that alone.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from skimage import data

import srez
from srez import images
from srez.datasets import cartoons
from srez.images import Picture

CONNECTIONS, SECONDS = 64, 30
TURNS = 10  # in which two servers are compared
IN_PROCESS = Path(__file__).parent / "serve_in_process.py"
FACES, SIDE = 64, 16
PHOTO_SIDE = 256
FACES_A_PHOTO = 31  # of 32 requests, one is a photograph
HEAD = "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n"


def pictures() -> tuple[list[np.ndarray], list[np.ndarray]]:
    faces = [np.asarray(cartoons.face(seed, SIDE, SIDE)) for seed in range(FACES)]
    scenes = (data.astronaut(), data.coffee(), data.cat(), data.rocket())
    photos = [scene[20 : 20 + PHOTO_SIDE, 100 : 100 + PHOTO_SIDE] for scene in scenes]
    return faces, photos


def by_command(folder: Path, arrays: list[np.ndarray], name: str) -> list[tuple[bytes, str]]:
    """Each picture as a file, with the SHA-256 of what `srez upscale` makes of it."""
    here, there = folder / name, folder / f"{name}-larger"
    here.mkdir()
    for number, array in enumerate(arrays):
        images.write(here / f"{number:03d}.png", Picture(array))
    command = [sys.executable, "-m", "srez", "upscale", str(here), "-o", str(there)]
    subprocess.run(command, check=True, capture_output=True)
    return [
        (path.read_bytes(), hashlib.sha256((there / path.name).read_bytes()).hexdigest())
        for path in sorted(here.iterdir())
    ]


class Server(NamedTuple):
    """A running server: where it listens, and its process."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """That it and its processes have computed for."""
        processes = (self.process, *self.process.children(recursive=True))
        return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def server(folder: Path, *options: str, program: Sequence[str] = ("-m", "srez")) -> Iterator[Server]:
    """A running server."""
    command = [sys.executable, *program, "serve", "--port", "0", "--page", "none", *options]
    state = ["--state", str(folder / f"state-{time.monotonic_ns()}")]
    process = subprocess.Popen([*command, *state], stderr=subprocess.PIPE, text=True)
    assert process.stderr
    port = 0
    while not port:
        line = json.loads(process.stderr.readline())
        port = line["port"] if line["event"] == "listening" else 0
    # Its log is read, so that it does not stop; `cat` costs less than a thread of ours.
    reader = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
    try:
        yield Server(port, psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        reader.wait()


async def load(
    server: Server, requests: list[tuple[str, bytes, str]], seconds: float, connections: int = CONNECTIONS
) -> dict:
    """Send requests over all connections for some time.

    Args:
        server: to send them to.
        requests: kind, body and the SHA-256 of the right answer.
        seconds: how long.
        connections: at the same time.
    """
    times: dict[str, list[float]] = {kind: [] for kind, _, _ in requests}
    statuses: Counter[int] = Counter()
    wrong = 0
    end = time.perf_counter() + seconds
    order = iter(range(10**9))

    async def connection() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        while time.perf_counter() < end:
            kind, body, right = requests[next(order) % len(requests)]
            start = time.perf_counter()
            writer.write(HEAD.format(len(body)).encode() + body)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            answer = await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
            status = int(head.split()[1])
            statuses[status] += 1
            if status == 200:
                times[kind].append(time.perf_counter() - start)
                wrong += hashlib.sha256(answer).hexdigest() != right
            elif status == 429:
                await asyncio.sleep(0.1)
        writer.close()

    began, computed = time.perf_counter(), server.cpu_seconds()
    await asyncio.gather(*(connection() for _ in range(connections)))
    took = time.perf_counter() - began
    computed = server.cpu_seconds() - computed
    rows = {
        kind: {
            "answers": len(values),
            "per_second": len(values) / took,
            "p50_ms": float(np.percentile(values, 50)) * 1e3 if values else None,
            "p99_ms": float(np.percentile(values, 99)) * 1e3 if values else None,
        }
        for kind, values in times.items()
    }
    return {
        "seconds": took,
        "cpu_ms": 1e3 * computed / max(statuses[200], 1),  # for an answer
        "statuses": dict(statuses),
        "other_than_the_command_line": wrong,
        "kinds": rows,
    }


def cost_of_reading_apart(folder: Path, requests: list[tuple[str, bytes, str]], seconds: float) -> dict:
    """What a server takes beside one that reads in its own process, in turn."""
    found: dict[str, dict[str, list[float]]] = {}
    with server(folder) as apart, server(folder, program=(str(IN_PROCESS),)) as in_process:
        servers = {"apart": apart, "in_process": in_process}
        for name, each in servers.items():
            found[name] = {"per_second": [], "cpu_ms": [], "alone_ms": []}
            asyncio.run(load(each, requests, 1))  # what is loaded at the first picture
        for turn in range(TURNS):
            for name in sorted(servers, reverse=bool(turn % 2)):
                many = asyncio.run(load(servers[name], requests, seconds / TURNS / 3))
                one = asyncio.run(load(servers[name], requests, seconds / TURNS / 6, connections=1))
                assert not many["other_than_the_command_line"] + one["other_than_the_command_line"]
                found[name]["per_second"].append(many["kinds"]["face"]["per_second"])
                found[name]["cpu_ms"].append(many["cpu_ms"])
                found[name]["alone_ms"].append(one["kinds"]["face"]["p50_ms"])

    def both(figure: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(found["apart"][figure]), np.array(found["in_process"][figure])

    ratio = {figure: float(np.median(np.divide(*both(figure)))) for figure in ("per_second", "cpu_ms")}
    return {**found, "ratio": ratio, "more_ms": float(np.median(np.subtract(*both("alone_ms"))))}


def ceiling(faces: list[np.ndarray]) -> dict[str, float]:
    """Faces a second of the network alone: one after another, and in batches of 64."""
    upscaler, stack = srez.load("faces"), np.stack(faces)

    def rate(work, seconds: float = 4.0) -> float:
        work()
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            work()
            done += len(faces)
        return done / (time.perf_counter() - start)

    return {
        "one_at_a_time": rate(lambda: [upscaler(face) for face in faces]),
        "batched": rate(lambda: upscaler.batch(stack)),
    }


def show(name: str, found: dict) -> None:
    print(f"{name}: {found['seconds']:.0f} s, {CONNECTIONS} connections, statuses {found['statuses']},")
    print(f"  answers that differ from the command line's: {found['other_than_the_command_line']}")
    for kind, row in found["kinds"].items():
        if row["answers"]:
            timing = f"p50 {row['p50_ms']:.0f} ms, p99 {row['p99_ms']:.0f} ms"
            print(f"  {kind:6} {row['answers']:6} answers, {row['per_second']:7.1f} a second, {timing}")


def gains(
    folder: Path,
    faces: list[np.ndarray],
    photos: list[np.ndarray],
    face_files: list[tuple[str, bytes, str]],
    seconds: float,
) -> dict:
    """What batches bring, and how a mixed load fares."""
    photo_files = [("photo", *pair) for pair in by_command(folder, photos, "photos")]
    mixed = []
    for number in range(len(photo_files) * FACES_A_PHOTO):
        if number % FACES_A_PHOTO == 0:
            mixed.append(photo_files[number // FACES_A_PHOTO])
        mixed.append(face_files[number % len(face_files)])
    found = {}
    with server(folder) as running:
        found["mixed"] = asyncio.run(load(running, mixed, seconds))
        show("mixed", found["mixed"])
        found["batched"] = asyncio.run(load(running, face_files, seconds / 3))
        show("faces, batched", found["batched"])
    with server(folder, "--max-batch", "1") as running:
        found["one_at_a_time"] = asyncio.run(load(running, face_files, seconds / 3))
        show("faces, one at a time", found["one_at_a_time"])
    found["network"] = ceiling(faces)
    rates = [found[name]["kinds"]["face"]["per_second"] for name in ("batched", "one_at_a_time")]
    gain = rates[0] / rates[1]
    network = found["network"]["batched"] / found["network"]["one_at_a_time"]
    found["gain"] = {"server": gain, "network": network}
    print(f"batches make the server {gain:.2f} times as fast; the network alone {network:.2f} times:")
    print("  " + ", ".join(f"{name} {rate:.0f} faces a second" for name, rate in found["network"].items()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the mixed load; faces get a third")
    parser.add_argument("--only-reading", action="store_true", help="measure what reading apart costs alone")
    parser.add_argument("--json", type=Path, help="write the figures")
    words = parser.parse_args()
    faces, photos = pictures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        face_files = [("face", *pair) for pair in by_command(folder, faces, "faces")]
        found = {} if words.only_reading else gains(folder, faces, photos, face_files, words.seconds)
        found["reading_apart"] = cost_of_reading_apart(folder, face_files, words.seconds)
    cost = found["reading_apart"]
    ratio = cost["ratio"]
    print(f"reading apart: {ratio['per_second']:.3f} times the faces a second of reading in the server,")
    print(
        f"  {ratio['cpu_ms']:.3f} times its computing for each, {cost['more_ms']:.1f} ms more for one alone;"
    )
    print(f"  medians of {TURNS} turns")
    print(f"  on {len(os.sched_getaffinity(0))} cores")
    if words.json:
        words.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
