"""The page's routes by plain HTTP, as its script asks them."""

import json
from collections.abc import Generator
from typing import Any

from helpers.serving import Server

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
