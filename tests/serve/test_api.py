"""The HTTP API, by a real server."""

import asyncio
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import models
from serve.running import Server, by_command, face, png, serving
from srez import looks, zoo
from srez.card import read
from srez.serve.app import create
from srez.serve.limits import Settings
from srez.serve.service import Service

PNG = {"Content-Type": "image/png"}
FACE = png(face())
RANDOM = np.random.default_rng(7)


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
    ],
)
def test_answers_are_the_command_lines(
    server: Server, tmp_path: Path, body: bytes, query: str, options: list[str], ending: str
) -> None:
    answer = server.http.post("/v1/upscale" + query, content=body, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.content == by_command(tmp_path, body, *options, ending=ending)


def test_faces_sent_together_are_run_together_and_come_out_the_same(server: Server) -> None:
    bodies = [png(face(seed)) for seed in range(24)]

    def ask(body: bytes) -> tuple[bytes, int]:
        answer = server.http.post("/v1/upscale", content=body, headers=PNG)
        return answer.content, int(answer.headers["X-Srez-Batch"])

    alone = [ask(body)[0] for body in bodies]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(ask, bodies))
    assert [content for content, _ in together] == alone
    assert max(batch for _, batch in together) > 1


def test_a_form_is_as_good_as_a_raw_body(server: Server) -> None:
    raw = server.http.post("/v1/upscale", content=FACE, headers=PNG)
    form = server.http.post("/v1/upscale", files={"file": ("../../etc/passwd", FACE, "image/png")})
    assert form.status_code == 200
    assert form.content == raw.content


def test_facts_are_in_the_headers(server: Server) -> None:
    answer = server.http.post("/v1/upscale", content=FACE, headers={**PNG, "X-Request-ID": "mine-1"})
    headers = answer.headers
    card = read(zoo.find("faces"))
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
        ("", b"not a picture", PNG, 415, "damaged"),
        ("", FACE[:200], PNG, 415, "cut short"),
        ("", b"", PNG, 400, "empty"),
        ("", FACE, {"Content-Type": "text/plain"}, 415, "image/avif"),
        ("", FACE, {"Content-Type": "multipart/form-data"}, 400, "form"),
        ("", FACE, {"Content-Type": "multipart/form-data; boundary=x"}, 400, "form"),
        ("?format=bmp", FACE, PNG, 422, "take one of png"),
        ("?quality=0", FACE, PNG, 422, "quality"),
        ("?colour=red", FACE, PNG, 422, "'colour'"),
        ("?scale=5", FACE, PNG, 400, "5 times"),
        ("?scale=2&width=9", FACE, PNG, 400, "either"),
        ("?model=photo&fidelity=0.5", FACE, PNG, 400, "one look"),
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
        head = (
            "POST /v1/upscale HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\n"
        )
        connection.sendall(head.encode() + FACE[:10])
        connection.settimeout(15)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert server.http.post("/v1/upscale", content=FACE, headers=PNG).status_code == 200


def test_pages_of_other_sites_are_turned_away(server: Server) -> None:
    for origin in ("https://elsewhere.example", "null", "http://["):
        answer = server.http.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert answer.status_code == 403
    own = {**PNG, "Origin": f"http://127.0.0.1:{server.port}"}
    assert server.http.post("/v1/upscale", content=FACE, headers=own).status_code == 200


def test_a_job_from_beginning_to_end(server: Server, tmp_path: Path) -> None:
    body = png(face(5, 300))
    added = server.http.post("/v1/jobs?format=webp", content=body, headers=PNG)
    assert added.status_code == 202
    where = added.headers["Location"]
    seen = []
    while (job := server.http.get(where).json())["state"] not in ("done", "failed"):
        seen.append(job["progress"])
        if job["state"] == "running":
            assert server.http.get(where + "/result").status_code == 409
        time.sleep(0.05)
    assert job["state"] == "done"
    assert seen == sorted(seen)
    result = server.http.get(job["result"])
    assert result.headers["Content-Type"] == "image/webp"
    assert result.content == by_command(tmp_path, body, ending="webp")
    assert server.http.delete(where).status_code == 204
    assert server.http.get(where).status_code == 404
    assert server.http.delete(where).status_code == 404


def test_a_result_is_sent_whole_or_not_at_all(server: Server) -> None:
    where = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    while (job := server.http.get(where).json())["state"] != "done":
        time.sleep(0.02)
    assert (job["model"], job["fidelity"]) == ("faces", 0.5)  # what "auto" has become
    for asked in ("bytes=0-9", "bytes=9999999-", "bytes=x"):
        result = server.http.get(job["result"], headers={"Range": asked})
        assert (result.status_code, result.content[:4]) == (200, b"\x89PNG")
        assert "Accept-Ranges" not in result.headers
    next((server.log.parent / "state" / "results").glob(job["id"] + "*")).unlink()
    assert server.http.get(job["result"]).status_code == 404
    server.http.delete(where)


def test_a_client_that_hangs_up_in_its_body_is_no_defect(server: Server) -> None:
    head = "POST /v1/upscale HTTP/1.1\r\nHost: a\r\nX-Request-ID: gone-1\r\nContent-Type: image/png\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + FACE[:10])
        time.sleep(0.2)
    end = time.monotonic() + 5
    while not (lines := [line for line in server.logged() if line.get("request_id") == "gone-1"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert [(line["level"], line["status"]) for line in lines] == [("info", 499)]


def test_a_defect_is_told_as_any_error(tmp_path: Path) -> None:
    service = Service(Settings(state=tmp_path, page=False))

    async def fail(*_: Any) -> None:
        raise ValueError(f"something in {tmp_path}")

    service.upscale = fail  # type: ignore[method-assign]

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create(service.settings, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.post("/v1/upscale", content=FACE, headers=PNG)

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "the server made a mistake; its log says more"},
    )


def test_of_two_looks_both_files_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    both, other = models.write(folder / "both.onnx", seed=1), models.write(tmp_path / "other.onnx", seed=2)
    looks.write_pair(both, other, fidelity=0.75)
    vivid = read(both).vivid
    assert vivid
    with serving(tmp_path, "--no-page", "--models", str(folder)) as server:

        def facts(query: str) -> tuple[str, str | None]:
            headers = server.http.post(f"/v1/upscale?model=both{query}", content=FACE, headers=PNG).headers
            return headers["X-Srez-Fidelity"], headers.get("X-Srez-Vivid-Sha256")

        assert facts("") == ("0.75", vivid.sha256)
        assert facts("&fidelity=0") == ("0", vivid.sha256)
        assert facts("&fidelity=1") == ("1", None)
        job = server.http.post("/v1/jobs?model=both", content=FACE, headers=PNG).json()
        assert (job["model"], job["fidelity"]) == ("both", 0.75)


def test_a_running_job_can_be_cancelled(server: Server) -> None:
    body = png(RANDOM.integers(0, 256, (1200, 1200, 3), np.uint8), "JPEG")
    where = server.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"]
    while server.http.get(where).json()["state"] == "queued":
        time.sleep(0.02)
    assert server.http.delete(where).status_code == 204
    quick = server.http.post("/v1/jobs", content=FACE, headers=PNG).headers["Location"]
    start = time.monotonic()
    while server.http.get(quick).json()["state"] != "done":
        assert time.monotonic() - start < 20
        time.sleep(0.05)


def test_models_metrics_and_health(server: Server) -> None:
    models = server.http.get("/v1/models").json()["models"]
    assert [model["name"] for model in models] == zoo.names()
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
    lines = [line for line in server.logged() if line.get("request_id") == "look-1"]
    assert [line["route"] for line in lines] == ["/v1/upscale"]
    assert "secret-name" not in server.log.read_text()
    assert not [line for line in server.logged() if line["level"] == "error"]


def test_a_full_queue_says_when_to_come_again(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-page", "--max-queue", "1") as small:
        body = png(RANDOM.integers(0, 256, (200, 200, 3), np.uint8))
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda _: small.http.post("/v1/upscale", content=body, headers=PNG), range(8))
            )
        assert {answer.status_code for answer in answers} == {200, 429}
        assert all(int(a.headers["Retry-After"]) > 0 for a in answers if a.status_code == 429)


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
    with serving(tmp_path, "--no-page", "--allow-origin", origin) as open_:
        answer = open_.http.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert open_.http.options("/v1/upscale", headers=asked).status_code == 200
