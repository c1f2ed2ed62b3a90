"""Jobs by HTTP."""

import asyncio
import threading
import time
from pathlib import Path

import httpx
import numpy as np

from helpers import pictures
from helpers.serving import PNG, Server, by_command, face, in_process, png
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(pictures.portrait())
RANDOM = np.random.default_rng(7)


def test_a_job_from_beginning_to_end(server: Server, tmp_path: Path) -> None:
    body = png(face(5, 100))
    added = server.http.post("/v1/jobs?format=webp", content=body, headers=PNG)
    assert added.status_code == 202
    where = added.headers["Location"]
    seen = []
    while (job := server.http.get(where).json())["state"] not in ("done", "failed"):
        seen.append(job["progress"])
        early = server.http.get(where + "/result").status_code
        if early != 409:  # the job has ended between the two questions
            assert (early, server.http.get(where).json()["state"]) == (200, "done")
        time.sleep(0.05)
    assert job["state"] == "done"
    assert seen == sorted(seen)
    result = server.http.get(job["result"])
    assert result.headers["Content-Type"] == "image/webp"
    assert result.content == by_command(tmp_path, body, ending="webp")
    assert server.http.delete(where).status_code == 204
    assert server.http.get(where).status_code == 404
    assert server.http.delete(where).status_code == 404


def test_a_job_that_is_not_done_has_no_result(tmp_path: Path) -> None:
    service = Service(Settings(state=tmp_path, page=Page.NONE))

    async def talk(client: httpx.AsyncClient) -> list[tuple[str, int, str]]:
        where = (await client.post("/v1/jobs", content=FACE, headers=PNG)).headers["Location"]
        seen = []
        # Nobody works on it but these: what a job goes through, at this test's pace.
        for change in (None, service.store.begin, lambda: service.store.finish(where[-32:], "a reason")):
            if change:
                change()
            state = (await client.get(where)).json()["state"]
            result = await client.get(where + "/result")
            seen.append((state, result.status_code, result.json()["error"]))
        return seen

    states = ("queued", "running", "failed")
    assert in_process(service, talk) == [(state, 409, f"the job is {state}, not done") for state in states]


def test_a_result_is_sent_whole_or_not_at_all(server: Server) -> None:
    where = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    job = server.job(where, "done")
    assert (job["model"], job["fidelity"]) == ("faces", 0.5)  # what "auto" has become
    for asked in ("bytes=0-9", "bytes=9999999-", "bytes=x"):
        result = server.http.get(job["result"], headers={"Range": asked})
        assert (result.status_code, result.content[:4]) == (200, b"\x89PNG")
        assert "Accept-Ranges" not in result.headers
    next((server.log.parent / "state" / "results").glob(job["id"] + "*")).unlink()
    assert server.http.get(job["result"]).status_code == 404
    server.http.delete(where)


def test_a_running_job_can_be_cancelled(server: Server) -> None:
    body = png(RANDOM.integers(0, 256, (1200, 1200, 3), np.uint8), "JPEG")
    where = server.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"]
    server.job(where, "running", "done")
    assert server.http.delete(where).status_code == 204
    quick = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    server.job(quick, "done")


def test_jobs_and_metrics_are_told_while_every_picture_thread_is_busy(tmp_path: Path) -> None:
    service, gate = Service(Settings(state=tmp_path, page=Page.NONE)), threading.Event()

    async def talk(client: httpx.AsyncClient) -> list[int]:
        where = (await client.post("/v1/jobs", content=FACE, headers=PNG)).headers["Location"]
        busy = [asyncio.ensure_future(service.in_thread(gate.wait)) for _ in range(50)]
        answers = [await client.get(path) for path in (where, where + "/result", "/metrics")]
        answers.append(await client.delete(where))
        gate.set()
        await asyncio.gather(*busy)
        return [answer.status_code for answer in answers]

    assert in_process(service, talk) == [200, 409, 200, 204]
