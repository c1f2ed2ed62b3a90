"""Clients that mean harm, in a process of their own: `-m helpers.attacking PORT SECONDS CLIENTS FOLDER`.

They send hostile files as pictures, forms and jobs, hang up in the middle, delete jobs of their own or leave
them. Printed at the end, as JSON: how often each status came.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

_HANG_UP_SECONDS = 0.2
_PNG = {"Content-Type": "image/png"}
_QUERIES = (
    "",
    "?scale=2",
    "?format=webp",
    "?format=jpeg&quality=1",
    "?format=tiff",
    "?model=faces&samples=64&format=tiff",
    "?model=faces&samples=8&scale=16&seed=9223372036854775807",
    "?model=photo&uncertainty=true",
)


async def attack(port: int, seconds: float, clients: int, folder: Path) -> Counter[str]:
    """Send the files of a folder again and again for some time."""
    end, statuses = time.monotonic() + seconds, Counter[str]()
    bodies = enumerate(itertools.cycle(sorted(folder.iterdir())))
    limits = httpx.Limits(max_connections=clients)
    address = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits) as http:
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(_client(http, bodies, end, statuses))
        for where in _jobs:
            await http.delete(where)
    return statuses


_jobs: list[str] = []  # that were left


async def _client(
    http: httpx.AsyncClient, bodies: Iterator[tuple[int, Path]], end: float, statuses: Counter[str]
) -> None:
    while time.monotonic() < end:
        number, path = next(bodies)
        statuses["sent"] += 1
        try:
            answer = await _send(http, number, path.read_bytes())
        except httpx.TimeoutException:
            statuses["hung up"] += 1
            continue
        except httpx.HTTPError as error:
            statuses[type(error).__name__] += 1
            continue
        statuses[str(answer.status_code)] += 1
        if answer.status_code == 202:
            where = answer.headers["Location"]
            if number % 2:
                await http.delete(where)
            else:
                _jobs.append(where)
        if answer.status_code in (429, 503):
            await asyncio.sleep(0.1)


async def _send(http: httpx.AsyncClient, number: int, body: bytes) -> httpx.Response:
    query = _QUERIES[number % len(_QUERIES)]
    path = "/v1/jobs" if number % 7 == 0 else "/v1/upscale"
    if number % 11 == 0:
        return await http.post(path + query, content=body, headers=_PNG, timeout=_HANG_UP_SECONDS)
    if number % 3 == 0:
        return await http.post(path + query, files={"file": ("../../a.png", body)})
    return await http.post(path + query, content=body, headers=_PNG)


if __name__ == "__main__":
    port, seconds, clients, folder = sys.argv[1:]
    print(json.dumps(asyncio.run(attack(int(port), float(seconds), int(clients), Path(folder)))))
