"""What may be asked of the page's routes, by plain HTTP."""

import asyncio
import contextlib
import json
import os
import re
import resource
import socket
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from helpers import models
from helpers.serving import Server, by_command, face, let_files_grow_to, png, serving
from helpers.waiting import PATIENCE
from srez.serve.errors import HttpError
from srez.serve.inference.options import Options
from srez.serve.limits import MAX_PAGE_STREAMS, Settings
from srez.serve.page import comparison, examples
from srez.serve.page import files as page_files
from srez.serve.page.alias import ALIAS
from srez.serve.page.files import PageFiles
from srez.serve.service import Service
from srez.train.combine import combine

ROUTES = "/page/gradio_api"


def upload(server: Server, body: bytes, name: str = "a.png") -> str:
    answer = server.http.post(f"{ROUTES}/upload", files={"files": (name, body)})
    assert answer.status_code == 200
    return answer.json()[0]


def file_of(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def event(server: Server, data: list[Any], session: str = "one") -> dict[str, Any]:
    """An event as the start button sends it; with one input, as the picture or the choice of a model does."""
    calls = server.http.get("/page/config").json()["dependencies"]
    numbers = [call["id"] for call in calls if len(call["inputs"]) == len(data)]
    number = numbers[-1 if isinstance(data[0], str) else 0]
    return {"data": data, "fn_index": number, "session_hash": session, "trigger_id": None}


def outcome(server: Server, data: list[Any], session: str) -> dict[str, Any]:
    """What comes of an event."""
    join(server, data, session)
    return next(each for each in messages(server, session) if each["msg"] == "process_completed")


def join(server: Server, data: list[Any], session: str) -> str:
    """The number of an event."""
    joined = server.http.post(f"{ROUTES}/queue/join", json=event(server, data, session))
    assert joined.status_code == 200, joined.text
    return joined.json()["event_id"]


def messages(server: Server, session: str) -> Generator[dict[str, Any], None, None]:
    """What comes on a stream until it ends."""
    with server.http.stream("GET", f"{ROUTES}/queue/data", params={"session_hash": session}) as answer:
        for line in answer.iter_lines():
            if line:
                message = json.loads(line.removeprefix("data:"))
                yield message
                if message["msg"] == "close_stream":
                    return


def fetched(server: Server, file: dict[str, Any]) -> bytes:
    answer = server.http.get(f"{ROUTES}/file={file['path']}")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    return answer.content


def choices(file: Any, model: Any = "auto", format: Any = "png", **others: Any) -> list[Any]:
    """The inputs of the start button."""
    return [
        file,
        others.get("size", "auto"),
        format,
        model,
        others.get("fidelity", 1),
        others.get("repair", "auto"),
        others.get("faces", False),
    ]


@pytest.mark.parametrize("chosen", [[{"a": 1}], ["x"], {"a": 1}, 7, ["9"]])
def test_a_choice_of_faces_that_is_none_is_refused(server: Server, chosen: Any) -> None:
    file = file_of(upload(server, png(face(1, 20))))
    done = outcome(server, [*choices(file, faces=True), chosen], "chosen")
    assert not done["success"]
    assert "only_faces" in done["output"]["error"] or "no face 9" in done["output"]["error"]


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


def test_visitors_are_told_the_limits_without_options(server: Server) -> None:
    config = server.http.get("/page/config").text
    assert "up to 4 MB and 2 megapixels" in config
    large = png(np.zeros((1000, 2001, 3), np.uint8))
    done = outcome(server, choices(file_of(upload(server, large))), "large")
    assert "2,000,000 pixels: make it smaller" in done["output"]["error"]
    assert "--" not in done["output"]["error"]


@pytest.mark.parametrize("path", ["/proc/self/environ", "pyproject.toml", "STATE/../jobs.sqlite3"])
def test_the_page_reads_no_file_of_the_server(server: Server, path: str) -> None:
    path = path.replace("STATE", str(server.log.parent / "state" / "page"))
    for data in (choices(file_of(path)), choices(None, file_of(path))):
        answer = server.http.post(f"{ROUTES}/queue/join", json=event(server, data))
        assert (answer.status_code, answer.json()) == (403, {"error": "the page only accepts uploads"})
    assert server.http.get(f"{ROUTES}/file={path}").status_code == 403


def test_a_gone_upload_is_told_and_leaves_no_traceback(server: Server) -> None:
    path = upload(server, png(face()), "a-secret-name.png")
    (server.log.parent / "state" / "page" / Path(path).relative_to(ALIAS)).unlink()
    done = outcome(server, choices(file_of(path)), "gone")
    assert "choose it again" in done["output"]["error"]
    assert server.http.get(f"{ROUTES}/file={path}").status_code == 403
    assert "a-secret-name" not in server.log.read_text()
    assert not [line for line in server.logged() if "traceback" in line]


@pytest.fixture(scope="module")
def burdened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that others are spared: its disk becomes full, and all of its pages are open."""
    with serving(tmp_path_factory.mktemp("burdened")) as running:
        yield running


def test_a_full_disk_is_told(burdened: Server) -> None:
    body = png(np.random.default_rng(1).integers(0, 256, (60, 100, 3), np.uint8))
    path = upload(burdened, body)
    let_files_grow_to(burdened, len(body))
    done = outcome(burdened, choices(file_of(path), format="tiff"), "result")
    assert done["output"]["error"] == "the server's disk is full"
    let_files_grow_to(burdened, len(body) - 1)
    answer = burdened.http.post(f"{ROUTES}/upload", files={"files": ("a.png", body)})
    let_files_grow_to(burdened, resource.RLIM_INFINITY)
    assert answer.status_code == 507
    assert int(answer.headers["Retry-After"]) > 0
    assert not [line for line in burdened.logged() if "traceback" in line]


def test_uploads_have_a_quota_and_push_out_old_ones_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_files, "MAX_PAGE_BYTES", 1000)
    files = PageFiles(tmp_path / "page")
    first = files.keep("a.png", b"a" * 600)
    with pytest.raises(HttpError) as refused:
        files.keep("b.png", b"b" * 600)
    assert refused.value.status == 429
    os.utime(first, (0, 0))
    second = files.keep("b.png", b"b" * 600)
    assert not first.exists()
    assert second.read_bytes() == b"b" * 600
    monkeypatch.setattr(page_files, "MAX_PAGE_FILES", 1)
    with pytest.raises(HttpError):
        files.keep("c.png", b"")


@pytest.mark.parametrize("path", ["queue/data?session_hash=", "upload_progress?upload_id=", "heartbeat/"])
def test_names_of_sessions_are_short(server: Server, path: str) -> None:
    assert server.http.get(f"{ROUTES}/{path}{'a' * 20_000}").status_code in (400, 404)


def test_bodies_of_all_events_are_bounded(server: Server) -> None:
    for route in ("cancel", "reset", "queue/join"):
        body = json.dumps({"session_hash": "a" * 100_000, "fn_index": 0, "event_id": "a"})
        answer = server.http.post(f"{ROUTES}/{route}", content=body)
        assert answer.status_code == 413


@pytest.mark.parametrize("path", ["pwa_icon/60000", "pwa_icon", "monitoring", "login", "token", "dev/reload"])
def test_what_the_page_does_not_need_is_not_there(server: Server, path: str) -> None:
    assert server.http.get(f"/page/{path}").status_code == 404
    assert server.http.get(f"{ROUTES}/{path}").status_code == 404


def test_open_pages_leave_connections_to_others(burdened: Server) -> None:
    with contextlib.ExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        http = stack.enter_context(httpx.Client(base_url=burdened.http.base_url, limits=limits))
        statuses = []
        for number in range(MAX_PAGE_STREAMS + 5):
            stream = stack.enter_context(http.stream("GET", f"{ROUTES}/heartbeat/s{number}"))
            statuses.append(stream.status_code)
        assert statuses == [200] * MAX_PAGE_STREAMS + [429] * 5
        assert burdened.http.get("/healthz").status_code == 200


def test_no_answer_tells_where_the_state_is(server: Server) -> None:
    state = str(server.log.parent)
    path = upload(server, png(face()))
    assert state not in path
    for route in ("/page/", "/page/config", "/openapi.json", "/v1/models", "/metrics"):
        assert state not in server.http.get(route, headers={"Accept-Encoding": "br, gzip"}).text, route
    done = outcome(server, choices(file_of(path)), "where")
    assert state not in json.dumps(done)


def test_the_page_fetches_no_address(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.3)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/a.png"
        for data in (choices(file_of(address)), choices(None, format=file_of(address))):
            assert server.http.post(f"{ROUTES}/queue/join", json=event(server, data)).status_code == 403
        for route in ("run/predict", "api/predict", "call/enlarge", "component_server", "process_recording"):
            sent = event(server, choices(file_of(address)))
            assert server.http.post(f"{ROUTES}/{route}", json=sent).status_code == 404
        for asked in (f"file={address}", f"proxy={address}"):
            assert server.http.get(f"{ROUTES}/{asked}").status_code == 404
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_events_are_small_and_in_json(server: Server) -> None:
    large = event(server, choices("a" * 100_000))
    assert server.http.post(f"{ROUTES}/queue/join", json=large).status_code == 413
    assert server.http.post(f"{ROUTES}/queue/join", content=b"{").status_code == 400
    assert server.http.post(f"{ROUTES}/queue/join", content=b"[" * 50_000).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/page/gradio_api/queue/join", 400),
        ("GET", "/page/gradio_api/queue/data?session_hash=nobody", 200),
        ("GET", "/page/static/" + "a" * 300, 404),
        ("GET", "/page/assets/" + "a" * 300, 404),
    ],
)
def test_nonsense_is_no_defect(server: Server, method: str, path: str, status: int) -> None:
    """What Gradio itself answers with 500, or breaks off."""
    for event in (
        {"data": [], "fn_index": 99, "session_hash": "a"},
        {"data": [], "fn_index": 0, "session_hash": "a"},
        {"data": [None] * 6, "fn_index": 10**30, "session_hash": "a"},
        {"data": {}, "fn_index": 0, "session_hash": "a"},
        {"data": []},
        [],
    ):
        answer = server.http.request(method, path, json=event)
        assert answer.status_code == status, answer.text
    assert not [line for line in server.logged() if line["level"] == "error"]


def test_a_mistake_is_told_without_a_path_and_the_log_stays_json(server: Server) -> None:
    good = file_of(upload(server, png(face())))
    mistakes = {
        "cut short": choices(file_of(upload(server, png(face())[:100]))),
        "the picture": choices(file_of(upload(server, b"no picture"))),
        "no model 'none'": choices(good, "none"),
        "no format 'bmp'": choices(good, format="bmp"),
        "not in the list of choices": ["none"],  # what Gradio says of a model; it prints a traceback too
        "model: ": choices(good, ["auto"]),
        "Choose a picture first": choices(None),
        "choose it again": choices(file_of(str(Path(good["path"]).parent))),
    }
    for number, (word, data) in enumerate(mistakes.items()):
        done = outcome(server, data, f"mistake{number}")
        assert not done["success"]
        assert word in done["output"]["error"]
        assert str(server.log.parent) not in done["output"]["error"]
    assert "printed" in {line["event"] for line in server.logged()}  # and each line is JSON
    assert not [line for line in server.logged() if line["level"] == "error"]


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
            whole = server.http.post(
                "/v1/upscale" + query, content=body, headers={"Content-Type": "image/png"}
            )
            assert fetched(server, done["output"]["data"][2]["value"]) == whole.content


def test_an_open_page_does_not_delay_the_stop(tmp_path: Path) -> None:
    grace = ("--grace-seconds", str(10 * PATIENCE))
    with serving(tmp_path, *grace) as one, one.http.stream("GET", f"{ROUTES}/heartbeat/abc") as answer:
        next(answer.iter_lines())
        kept = tmp_path / "state" / "page" / Path(upload(one, png(face()))).relative_to(ALIAS)
        assert kept.exists()
        one.process.terminate()
        assert one.process.wait(PATIENCE) == 0  # long before the end of the grace
        assert not kept.exists()


def test_old_files_of_the_page_go_and_its_own_stay(tmp_path: Path) -> None:
    (tmp_path / "page" / "of-a-killed-server").mkdir(parents=True)
    files = PageFiles(tmp_path / "page")
    own = files.new("own.png")
    own.write_bytes(b"")
    files.keep_all()
    old = files.new("old.png")
    old.write_bytes(b"")
    assert files.contains(str(old))
    assert not files.contains(str(tmp_path / "page" / ".." / "old.png"))
    files.sweep(60)
    assert old.exists()
    files.sweep(-1)
    files.sweep(-1)  # once more for its folder
    assert [path for path in files.folder.rglob("*") if path.is_file()] == [own]
    assert not old.parent.exists()
