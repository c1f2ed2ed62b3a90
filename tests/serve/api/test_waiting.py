"""Pictures that wait for their turn: run together, or turned away."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from helpers.serving import PNG, Server, face, in_process, png
from helpers.waiting import PATIENCE
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

RANDOM = np.random.default_rng(7)


async def wait_for_queue(service: Service, count: int) -> None:
    """Wait until so many pictures wait for their turn."""
    async with asyncio.timeout(PATIENCE):
        while len(service.queue) != count:
            await asyncio.sleep(0.001)


def test_faces_sent_together_come_out_the_same(server: Server) -> None:
    bodies = [png(face(seed)) for seed in range(24)]

    def ask(body: bytes) -> bytes:
        answer = server.http.post("/v1/upscale", content=body, headers=PNG)
        assert answer.status_code == 200, answer.text
        return answer.content

    alone = [ask(body) for body in bodies]
    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(ask, bodies)) == alone


def test_faces_that_wait_together_are_run_together_and_come_out_the_same(tmp_path: Path) -> None:
    service, gate = Service(Settings(state=tmp_path, page=Page.NONE)), threading.Event()
    bodies = [png(face(seed)) for seed in range(24)]

    async def talk(client: httpx.AsyncClient) -> None:
        async def ask(body: bytes) -> tuple[bytes, str]:
            answer = await client.post("/v1/upscale", content=body, headers=PNG)
            return answer.content, answer.headers["X-Srez-Batch"]

        alone = [await ask(body) for body in bodies]
        assert {batch for _, batch in alone} == {"1"}
        service.queue.put(None, lambda values: [gate.wait() for _ in values], 1, "in front of them")
        await wait_for_queue(service, 0)
        asked = [asyncio.ensure_future(ask(body)) for body in bodies]
        await wait_for_queue(service, len(bodies))
        gate.set()
        assert await asyncio.gather(*asked) == [(content, "24") for content, _ in alone]

    in_process(service, talk)


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    service, gate = Service(Settings(state=tmp_path, page=Page.NONE, max_queue=1)), threading.Event()
    body = png(RANDOM.integers(0, 256, (80, 80, 3), np.uint8))

    async def talk(client: httpx.AsyncClient) -> None:
        def ask() -> asyncio.Future[httpx.Response]:
            return asyncio.ensure_future(client.post("/v1/upscale", content=body, headers=PNG))

        service.queue.put(None, lambda values: [gate.wait() for _ in values], 1)
        await wait_for_queue(service, 0)
        first = ask()
        await wait_for_queue(service, 1)
        for answer in await asyncio.gather(*(ask() for _ in range(7))):
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) > 0
        gate.set()
        assert (await first).status_code == 200

    in_process(service, talk)
