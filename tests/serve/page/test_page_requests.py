"""What the page makes of an upload, by plain HTTP."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers import models
from helpers.page import choices, fetched, file_of, join, messages, outcome, upload
from helpers.serving import PNG, Server, by_command, face, png, serving
from helpers.waiting import PATIENCE
from srez.serve.inference.options import Options
from srez.serve.limits import Settings
from srez.serve.page import comparison, examples
from srez.serve.page.alias import ALIAS
from srez.serve.page.files import PageFiles
from srez.serve.service import Service
from srez.train.combine import combine


def sources(html: str) -> list[str]:
    """Where the pictures of before and after are, relative to the page."""
    return re.findall(r'<img src="([^"]+)"', html)


def test_an_upload_becomes_larger_and_all_of_it_is_shown(server: Server, tmp_path: Path) -> None:
    results = server.log.parent / "state" / "results"
    others = set(results.iterdir())
    body = png(np.random.default_rng(5).integers(0, 256, (20, 300, 3), np.uint8))
    done = outcome(server, choices(file_of(upload(server, body))), "whole")
    assert done["success"], done
    view, said, button, _ = done["output"]["data"]
    whole = fetched(server, button["value"])
    assert whole == by_command(tmp_path, body)
    assert "1200 × 80" in said
    before, after = (server.http.get(f"/page/{source}").content for source in sources(view))
    assert (before, after) == (body, whole)
    assert set(results.iterdir()) <= others


@pytest.mark.parametrize(
    ("name", "kind", "wanted", "result"),
    [
        ("holiday.jpg", "JPEG", {}, "holiday_x4.jpg"),
        ("holiday.JPEG", "JPEG", {"size": 2}, "holiday_x2.JPEG"),
        ("holiday.jpg", "JPEG", {"format": "webp"}, "holiday_x4.webp"),
        ("scan.tif", "TIFF", {}, "scan_x4.tif"),
        ("move.gif", "GIF", {}, "move_x4.png"),
        ("../../etc/passwd", "PNG", {}, "passwd_x4.png"),
        ("wrong.jpg", "PNG", {}, "wrong_x4.png"),
        ("x" * 300 + ".png", "PNG", {}, "x" * 50 + "_x4.png"),
    ],
)
def test_the_download_keeps_the_name(
    server: Server, name: str, kind: str, wanted: dict[str, Any], result: str
) -> None:
    file = file_of(upload(server, png(face(4), kind))) | {"orig_name": name}
    done = outcome(server, choices(file, **{"format": "auto", **wanted}), "name")
    assert done["success"], done
    view, _, button, _ = done["output"]["data"]
    assert button["value"]["orig_name"] == result
    assert Image.open(BytesIO(fetched(server, button["value"]))).width == 16 * wanted.get("size", 4)
    for source in sources(view):  # what a browser cannot show is a copy
        assert Image.open(BytesIO(server.http.get(f"/page/{source}").content)).format != "TIFF"


def test_a_result_that_is_too_large_for_a_browser_is_reduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "MAX_SHOWN", 64 * 64 // 4)
    service = Service(Settings(state=tmp_path / "state"))
    files = PageFiles(tmp_path / "page")
    body = png(face(4))
    source = files.keep("upload.png", body)

    async def run() -> tuple[str, str]:
        plan = await service.plan(body, Options())
        with service.memory.holding() as hold:
            upscaled = await service.upscale(body, plan.options, hold)
            result = files.keep("face_x4.png", upscaled.data)
            return await comparison.comparison(service, files, source, result, plan, hold)

    service.start()
    html, note = asyncio.run(run())
    service.stop()
    assert "1/2" in note
    after = files.folder / sources(html)[1].partition(ALIAS + "/")[2]
    assert Image.open(BytesIO(after.read_bytes())).size == (32, 32)


def test_repair_and_size_are_those_of_the_api(server: Server) -> None:
    body = png(face(4, 40), "JPEG", quality=30)
    made = {}
    for repair in ("auto", 0, 1):
        file = file_of(upload(server, body, "a.jpg"))
        done = outcome(server, choices(file, repair=repair, size=3), f"repair-{repair}")
        made[repair] = fetched(server, done["output"]["data"][2]["value"])
        answer = server.http.post(
            f"/v1/upscale?repair={repair}&scale=3", content=body, headers={"Content-Type": "image/jpeg"}
        )
        assert made[repair] == answer.content
    assert made[0] != made[1]


def test_the_knob_is_that_of_the_model_and_auto_takes_the_models_own(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    photo, other = models.write(folder / "photo.onnx", seed=1), models.write(tmp_path / "other.onnx", seed=2)
    combine(photo, {"vivid": other}, fidelity=0.75)
    with serving(tmp_path, "--models", str(folder)) as server:
        parts = server.http.get("/page/config").json()["components"]
        knob = next(part["props"] for part in parts if part["type"] == "slider")
        assert not knob["visible"]
        body = png(face(3, 80))
        for model, query in (("auto", ""), ("photo", "?fidelity=0.5")):
            done = outcome(
                server, choices(file_of(upload(server, body)), model, fidelity=0.5), f"looks-{model}"
            )
            whole = server.http.post("/v1/upscale" + query, content=body, headers=PNG)
            assert fetched(server, done["output"]["data"][2]["value"]) == whole.content


def test_only_what_was_asked_for_last_is_shown(server: Server) -> None:
    first, second = (file_of(upload(server, png(face(seed, 100)))) for seed in (1, 2))
    asked = [choices(first), choices(second), choices(second), [second]]  # the last tells that it is there
    numbers = [join(server, data, "turns") for data in asked]
    done = {each["event_id"]: each["output"]["data"] for each in messages(server, "turns") if _is_done(each)}
    shown, rest = done[numbers[1]], [done[number] for number in numbers if number != numbers[1]]
    assert "100 × 100 pixels became 400 × 400" in shown[1]
    assert rest == [[{"__type__": "update"}] * 4] * 3  # which changes nothing


def _is_done(message: dict[str, Any]) -> bool:
    return message["msg"] == "process_completed"


def test_an_event_gets_its_number_when_the_stream_before_is_closed(server: Server) -> None:
    join(server, [None], "streams")
    stream = messages(server, "streams")
    next(each for each in stream if each["msg"] == "close_stream")
    with ThreadPoolExecutor() as pool:
        second = pool.submit(join, server, [None], "streams")
        with pytest.raises(TimeoutError):
            second.result(0.2)  # a page that got it now would open no stream for it
        stream.close()
        number = second.result(PATIENCE)
    assert number in [each["event_id"] for each in messages(server, "streams") if _is_done(each)]


@pytest.mark.parametrize("name", examples.LABELS)
def test_examples_are_pictures(name: str) -> None:
    file, body = examples.read(name)
    assert file == name
    assert Image.open(BytesIO(body)).size[0] <= 300
