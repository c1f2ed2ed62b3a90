"""POST /v1/upscale: answers are what the command makes of the picture."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest

from helpers import models, pictures
from helpers.serving import PNG, Server, by_command, face, in_process, png
from srez.models import box
from srez.models.card import read
from srez.serve.limits import Page, Settings
from srez.serve.service import Service
from srez.train.combine import combine

JPEG = {"Content-Type": "image/jpeg"}
FACE = png(pictures.portrait())
RANDOM = np.random.default_rng(7)


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
        (png(face(3, 60), "JPEG"), "?format=jpg", [], "jpg"),
        (png(face(3, 20)), "?format=tif&format=tiff", [], "tif"),
        (png(face(4, 20)), "?scale=7", ["--scale", "7"], "png"),
    ],
)
def test_answers_are_the_command_lines(
    server: Server, tmp_path: Path, body: bytes, query: str, options: list[str], ending: str
) -> None:
    answer = server.http.post("/v1/upscale" + query, content=body, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.content == by_command(tmp_path, body, *options, ending=ending)


@pytest.mark.parametrize(
    ("query", "resized"),
    [
        ("?model=photo&scale=2", "bicubic"),
        ("?model=faces&scale=2", "area"),
        ("?scale=7", "Lanczos"),
        ("", None),
    ],
)
def test_a_header_says_how_a_result_came_to_its_size(server: Server, query: str, resized: str | None) -> None:
    answer = server.http.post("/v1/upscale" + query, content=FACE, headers=PNG)
    assert answer.headers.get("X-Srez-Resized") == resized


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
    body = png(face(side=64), "JPEG", quality=90)  # half a repair

    async def talk(client: httpx.AsyncClient) -> None:
        for query, repair in (("", "0.5"), ("&repair=auto", "0.5"), ("&repair=1", "1"), ("&repair=0", "0")):
            answer = await client.post(f"/v1/upscale?model=mends{query}", content=body, headers=JPEG)
            assert answer.headers["X-Srez-Repair"] == repair
            options = ("--model", str(model), "--repair", repair)
            assert answer.content == by_command(tmp_path, body, *options)
        bodies = [png(face(side=64), "JPEG", quality=quality) for quality in (30, 90)]
        sent = (client.post("/v1/upscale?model=mends", content=body, headers=JPEG) for body in bodies)
        answers = await asyncio.gather(*sent)
        assert [answer.headers["X-Srez-Repair"] for answer in answers] == ["1", "0.5"]
        answer = await client.post("/v1/upscale?model=faces&repair=1", content=FACE, headers=PNG)
        assert answer.status_code == 400
        assert answer.json()["error"] == "model faces does not repair: omit the repair"
        job = (await client.post("/v1/jobs?model=mends&repair=0.25", content=body, headers=JPEG)).json()
        assert job["repair"] == 0.25

    in_process(Service(Settings(state=tmp_path, page=Page.NONE, models=folder)), talk)


def test_alpha_that_hides_nothing_is_no_obstacle_to_a_jpeg(server: Server) -> None:
    pixels = RANDOM.integers(0, 256, (9, 9, 4), np.uint8)
    pixels[..., 3] = 255
    answer = server.http.post("/v1/upscale?format=jpeg", content=png(pixels), headers=PNG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
