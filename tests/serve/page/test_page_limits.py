"""What the page refuses, bounds and keeps to itself, by plain HTTP."""

import contextlib
import json
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from helpers.page import ROUTES, choices, event, file_of, outcome, upload
from helpers.serving import Server, face, let_files_grow_to, png, serving
from helpers.waiting import PATIENCE
from srez.serve.errors import HttpError
from srez.serve.limits import MAX_PAGE_STREAMS
from srez.serve.page import files as page_files
from srez.serve.page.alias import ALIAS
from srez.serve.page.files import PageFiles


@pytest.mark.parametrize("chosen", [[{"a": 1}], ["x"], {"a": 1}, 7, ["9"]])
def test_a_choice_of_faces_that_is_none_is_refused(server: Server, chosen: Any) -> None:
    file = file_of(upload(server, png(face(1, 20))))
    done = outcome(server, [*choices(file, faces=True), chosen], "chosen")
    assert not done["success"]
    assert "only_faces" in done["output"]["error"] or "no face 9" in done["output"]["error"]


def test_visitors_are_told_the_limits_without_options(server: Server) -> None:
    config = server.http.get("/page/config").text
    assert "up to 4 MB and 2 megapixels" in config
    assert "Or try an example:" in config
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
    for sent in (
        {"data": [], "fn_index": 99, "session_hash": "a"},
        {"data": [], "fn_index": 0, "session_hash": "a"},
        {"data": [None] * 6, "fn_index": 10**30, "session_hash": "a"},
        {"data": {}, "fn_index": 0, "session_hash": "a"},
        {"data": []},
        [],
    ):
        answer = server.http.request(method, path, json=sent)
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
