"""The HTTP API, by a real server."""

import asyncio
import socket
import struct
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest

from helpers import models, pictures
from helpers.serving import Server, by_command, face, png, serving
from helpers.waiting import PATIENCE
from srez.models import box
from srez.models.card import read
from srez.serve.api.app import create
from srez.serve.errors import INTERNAL_ERROR
from srez.serve.limits import Page, Settings
from srez.serve.service import Service
from srez.train.combine import combine

T = TypeVar("T")
PNG = {"Content-Type": "image/png"}
JPEG = {"Content-Type": "image/jpeg"}
FACE = png(pictures.portrait())
RANDOM = np.random.default_rng(7)


def in_process(service: Service, talk: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """What comes of a talk with an application in this process, which works on no jobs."""

    async def run() -> T:
        transport = httpx.ASGITransport(create(service.settings, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await talk(client)

    return asyncio.run(run())


async def wait_for_queue(service: Service, count: int) -> None:
    """Wait until so many pictures wait for their turn."""
    async with asyncio.timeout(PATIENCE):
        while len(service.queue) != count:
            await asyncio.sleep(0.001)


def bomb(side: int) -> bytes:
    """The header of a PNG of side x side pixels, with next to nothing behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("body", "query", "options", "ending"),
    [
        (FACE, "", [], "png"),
        (png(face(2, 40)), "?scale=2", ["--scale", "2"], "png"),
        (png(RANDOM.integers(0, 256, (30, 21), np.uint8)), "?format=tiff", [], "tif"),
        (
            png(RANDOM.integers(0, 256, (16, 16, 4), np.uint8)),
            "?format=webp&quality=80",
            ["--quality", "80"],
            "webp",
        ),
        (png(RANDOM.integers(0, 65536, (20, 20), np.uint16)), "?width=50", ["--width", "50"], "png"),
        (png(face(3, 100), "JPEG", dpi=(300, 300)), "?format=jpeg", [], "jpg"),
        (png(face(4, 20)), "?scale=7", ["--scale", "7"], "png"),
    ],
)
def test_answers_are_the_command_lines(
    server: Server, tmp_path: Path, body: bytes, query: str, options: list[str], ending: str
) -> None:
    answer = server.http.post("/v1/upscale" + query, content=body, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.content == by_command(tmp_path, body, *options, ending=ending)


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


def test_a_form_is_as_good_as_a_raw_body(server: Server) -> None:
    raw = server.http.post("/v1/upscale", content=FACE, headers=PNG)
    form = server.http.post("/v1/upscale", files={"file": ("../../etc/passwd", FACE, "image/png")})
    assert form.status_code == 200
    assert form.content == raw.content


def test_facts_are_in_the_headers(server: Server) -> None:
    answer = server.http.post("/v1/upscale", content=FACE, headers={**PNG, "X-Request-ID": "mine-1"})
    headers = answer.headers
    card = read(box.find("faces"))
    assert card.vivid
    assert headers["X-Srez-Model-Sha256"] == card.sha256
    assert headers["X-Srez-Vivid-Sha256"] == card.vivid.sha256
    assert (headers["X-Srez-Model"], headers["X-Srez-Size"]) == ("faces", "64x64")
    assert headers["X-Request-ID"] == "mine-1"
    assert all(f"{name};dur=" in headers["Server-Timing"] for name in ("decode", "queue", "run", "encode"))
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "body", "headers", "status", "word"),
    [
        ("", b"not a picture", PNG, 415, "is not a PNG"),
        ("", FACE[:200], PNG, 415, "cut short"),
        ("", b"", PNG, 400, "empty"),
        ("", FACE, {"Content-Type": "text/plain"}, 415, "image/avif"),
        ("", FACE, {"Content-Type": "multipart/form-data"}, 400, "form"),
        ("", FACE, {"Content-Type": "multipart/form-data; boundary=x"}, 400, "form"),
        ("?format=bmp", FACE, PNG, 422, "use one of png"),
        ("?quality=0", FACE, PNG, 422, "quality"),
        ("?colour=red", FACE, PNG, 422, "'colour'"),
        ("?width=1000000", FACE, PNG, 400, "cannot become 1000000x1000000"),
        ("?scale=2&width=9", FACE, PNG, 400, "either scale"),
        ("?model=../../etc/passwd", FACE, PNG, 404, "no model"),
        ("?model=/tmp/a.onnx", FACE, PNG, 404, "no model"),
        ("?format=jpeg", png(RANDOM.integers(0, 256, (9, 9, 4), np.uint8)), PNG, 422, "transparency"),
        ("?format=webp", png(np.zeros((1, 5000), np.uint8)), PNG, 422, "16,383"),
        ("", bomb(1200), PNG, 413, "/v1/jobs"),
        ("", bomb(30_000), PNG, 413, "--max-pixels"),
        ("", b"0" * 4_000_001, PNG, 413, "--max-body"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    server: Server, query: str, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    answer = server.http.post("/v1/upscale" + query, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    said = answer.json()["error"]
    assert word in said
    assert "Traceback" not in said
    assert "/state" not in said


def test_a_body_without_a_length_is_counted(server: Server) -> None:
    answer = server.http.post("/v1/upscale", content=(b"0" * 100_000 for _ in range(50)), headers=PNG)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/v1/upscale", "POST"), ("PUT", "/v1/jobs/a", "DELETE, GET"), ("POST", "/healthz", "GET")],
)
def test_other_methods_are_told_which_there_are(server: Server, method: str, path: str, allow: str) -> None:
    answer = server.http.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allow)


def test_a_slow_sender_is_told_so(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        head += "Content-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + FACE[:10])
        connection.settimeout(PATIENCE)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert server.http.post("/v1/upscale", content=FACE, headers=PNG).status_code == 200


def test_pages_of_other_sites_are_turned_away(server: Server) -> None:
    for origin in ("https://elsewhere.example", "null", "http://["):
        answer = server.http.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert answer.status_code == 403
    own = {**PNG, "Origin": f"http://127.0.0.1:{server.port}"}
    assert server.http.post("/v1/upscale", content=FACE, headers=own).status_code == 200


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


def test_a_client_that_hangs_up_in_its_body_is_no_defect(server: Server) -> None:
    head = (
        "POST /v1/upscale HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: gone-1\r\nContent-Type: image/png\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + FACE[:10])
        time.sleep(0.2)
    assert [(line["level"], line["status"]) for line in server.logged_of("gone-1")] == [("info", 499)]


def test_a_defect_is_told_as_any_error(tmp_path: Path) -> None:
    service = Service(Settings(state=tmp_path, page=Page.NONE))

    async def fail(*_: Any) -> None:
        raise ValueError(f"something in {tmp_path}")

    service.upscale = fail  # type: ignore[method-assign]

    answer = in_process(service, lambda client: client.post("/v1/upscale", content=FACE, headers=PNG))
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": INTERNAL_ERROR},
    )


def test_of_vivid_weights_the_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    both, other = models.write(folder / "both.onnx", seed=1), models.write(tmp_path / "other.onnx", seed=2)
    models.write(folder / "plain.onnx")
    combine(both, {"vivid": other}, fidelity=0.75)
    vivid = read(both).vivid
    assert vivid

    async def talk(client: httpx.AsyncClient) -> None:
        async def facts(query: str) -> tuple[str, str | None]:
            answer = await client.post(f"/v1/upscale?model=both{query}", content=FACE, headers=PNG)
            return answer.headers["X-Srez-Fidelity"], answer.headers.get("X-Srez-Vivid-Sha256")

        assert await facts("") == ("0.75", vivid.sha256)
        assert await facts("&fidelity=0") == ("0", vivid.sha256)
        assert await facts("&fidelity=1") == ("1", None)
        answer = await client.post("/v1/upscale?model=plain&fidelity=1", content=FACE, headers=PNG)
        assert answer.status_code == 400
        assert answer.json()["error"] == "model plain has no vivid weights: omit the fidelity"
        job = (await client.post("/v1/jobs?model=both", content=FACE, headers=PNG)).json()
        assert (job["model"], job["fidelity"]) == ("both", 0.75)

    in_process(Service(Settings(state=tmp_path, page=Page.NONE, models=folder)), talk)


def test_a_picture_is_repaired_as_the_command_repairs_it(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    model, other = models.write(folder / "mends.onnx", seed=1), models.write(tmp_path / "other.onnx", seed=2)
    combine(model, {"repair": other})
    body = png(face(side=64), "JPEG", quality=85)  # half a repair

    async def talk(client: httpx.AsyncClient) -> None:
        for query, repair in (("", "0.5"), ("&repair=auto", "0.5"), ("&repair=1", "1"), ("&repair=0", "0")):
            answer = await client.post(f"/v1/upscale?model=mends{query}", content=body, headers=JPEG)
            assert answer.headers["X-Srez-Repair"] == repair
            options = ("--model", str(model), "--repair", repair)
            assert answer.content == by_command(tmp_path, body, *options)
        bodies = [png(face(side=64), "JPEG", quality=quality) for quality in (30, 85)]
        sent = (client.post("/v1/upscale?model=mends", content=body, headers=JPEG) for body in bodies)
        answers = await asyncio.gather(*sent)
        assert [answer.headers["X-Srez-Repair"] for answer in answers] == ["1", "0.5"]
        answer = await client.post("/v1/upscale?model=faces&repair=1", content=FACE, headers=PNG)
        assert answer.status_code == 400
        assert answer.json()["error"] == "model faces does not repair: omit the repair"
        job = (await client.post("/v1/jobs?model=mends&repair=0.25", content=body, headers=JPEG)).json()
        assert job["repair"] == 0.25

    in_process(Service(Settings(state=tmp_path, page=Page.NONE, models=folder)), talk)


def test_a_running_job_can_be_cancelled(server: Server) -> None:
    body = png(RANDOM.integers(0, 256, (1200, 1200, 3), np.uint8), "JPEG")
    where = server.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"]
    server.job(where, "running", "done")
    assert server.http.delete(where).status_code == 204
    quick = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    server.job(quick, "done")


def test_models_metrics_and_health(server: Server) -> None:
    for query, status in (("", 200), ("?model=/tmp/a.onnx", 404)):
        answer = server.http.post("/v1/upscale" + query, content=FACE, headers=PNG)
        assert answer.status_code == status
    models = server.http.get("/v1/models").json()["models"]
    assert [model["name"] for model in models] == box.names()
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/readyz").json() == {"status": "ready"}
    text = server.http.get("/metrics").text
    assert 'srez_requests_total{method="POST",route="/v1/upscale",status="200"}' in text
    assert "srez_batch_pictures_bucket" in text
    assert "/tmp/a.onnx" not in text


def test_the_log_has_request_ids_and_no_secrets(server: Server) -> None:
    server.http.post(
        "/v1/upscale", files={"file": ("secret-name.png", FACE)}, headers={"X-Request-ID": "look-1"}
    )
    assert [line["route"] for line in server.logged_of("look-1")] == ["/v1/upscale"]
    assert "secret-name" not in server.log.read_text()
    assert not [line for line in server.logged() if line["level"] == "error"]


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


def test_the_key_opens_every_route_and_nothing_else_does(tmp_path: Path) -> None:
    with serving(tmp_path, SREZ_API_KEY="a key") as locked:
        schema = locked.http.get("/openapi.json", headers={"X-API-Key": "a key"}).json()
        assert {way["type"] for way in schema["components"]["securitySchemes"].values()} == {"apiKey", "http"}
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                is_open = path in ("/healthz", "/readyz")
                assert ("401" in operation["responses"], "security" in operation) == (not is_open,) * 2
        paths = [*schema["paths"], "/openapi.json", "/", "/page/", "/page/config", "/favicon.ico", "/nowhere"]
        paths.append("/page/gradio_api/upload")
        for path in paths:
            for method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"):
                answer = locked.http.request(method, path)
                is_open = path in ("/healthz", "/readyz")
                assert (answer.status_code == 401) != is_open, (method, path)
                if not is_open:
                    assert "Basic" in answer.headers["WWW-Authenticate"]
        for headers in ({"X-API-Key": "a key"}, {"Authorization": "Bearer a key"}):
            assert locked.http.get("/v1/models", headers=headers).status_code == 200
        assert locked.http.get("/page/", auth=("anybody", "a key")).status_code == 200
        for wrong in ({"X-API-Key": "a ke"}, {"Authorization": "Bearer"}, {"Authorization": "Basic %%%"}):
            assert locked.http.get("/v1/models", headers=wrong).status_code == 401
        assert "a key" not in locked.log.read_text()


def test_origins_that_are_allowed_may_call(tmp_path: Path) -> None:
    origin = "https://app.example"

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert (await client.options("/v1/upscale", headers=asked)).status_code == 200

    in_process(Service(Settings(state=tmp_path, page=Page.NONE, origins=(origin,))), talk)


def test_alpha_that_hides_nothing_is_no_obstacle_to_a_jpeg(server: Server) -> None:
    pixels = RANDOM.integers(0, 256, (9, 9, 4), np.uint8)
    pixels[..., 3] = 255
    answer = server.http.post("/v1/upscale?format=jpeg", content=png(pixels), headers=PNG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


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
