"""Passes on what the page needs of Gradio and no more: it has many routes, and opens whatever it is told."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srez.serve.errors import HttpError, as_http_error
from srez.serve.guard.headers import PAGE
from srez.serve.guard.middleware import error_response
from srez.serve.page.files import PageFiles

_MAX_NAME = 255  # bytes of a file name
_MAX_EVENT = 64 * 1024  # bytes of an event: the choices, and where the upload is
_EVENTS = PAGE + "/gradio_api/queue/join"
_HEARTBEAT = PAGE + "/gradio_api/heartbeat/"
_NEEDED = re.compile(
    PAGE + r"/((?!gradio_api/|monitoring|login).*|gradio_api/file=(?!https?:).*|"
    r"gradio_api/(upload|upload_progress|queue/(join|data)|cancel|reset|heartbeat/\w+|startup-events|app_id)/?)",
    re.DOTALL,
)


class _Event(BaseModel):
    """What the page sends when somebody uses it, as far as Gradio relies on it."""

    data: list[Any]
    fn_index: int
    session_hash: str = Field(pattern=r"^[\w-]{1,64}$")


class PageGuard:
    """ASGI middleware between the guard and Gradio."""

    def __init__(
        self, app: ASGIApp, files: PageFiles, functions: Mapping[int, int], stopping: asyncio.Event
    ) -> None:
        """Guard Gradio.

        Args:
            app: Gradio's.
            files: the page's; an event may name no others.
            functions: the number of inputs of each function that an event may call.
            stopping: set when the server is told to stop.
        """
        self._app, self._files, self._functions, self._stopping = app, files, functions, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            receive = await self._checked(scope, receive)
            if scope["path"].startswith(_HEARTBEAT):
                await self._until_stop(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except (HttpError, OSError, MemoryError) as error:
            await error_response(as_http_error(error))(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            # Gradio refused the request, of a session that has ended say, when its answer had begun.
            await send({"type": "http.response.body"})

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """Refuse what the page does not need; gives what replays the body that was looked into."""
        path: str = scope["path"]
        is_name = all(len(part.encode()) <= _MAX_NAME for part in path.split("/"))
        if not _NEEDED.fullmatch(path) or not is_name:
            raise HttpError(404, "there is no such route")
        if path.rstrip("/") != _EVENTS or scope["method"] != "POST":
            return receive
        body = b""
        async for piece in Request(scope, receive).stream():
            body += piece
            if len(body) > _MAX_EVENT:
                raise HttpError(413, f"an event of the page must not exceed {_MAX_EVENT:,} bytes")
        self._check_event(body)
        whole: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return replay

    def _check_event(self, body: bytes) -> None:
        """Refuse an event that calls no function of the page, or names what is not an upload."""

        def refuse_other_files(pairs: list[tuple[str, Any]]) -> None:
            for name, value in pairs:
                is_other = name == "path" and isinstance(value, str) and not self._files.contains(value)
                if is_other or (name == "url" and isinstance(value, str) and value.startswith("data:")):
                    raise HttpError(403, "the page only accepts uploads")

        try:
            json.loads(body, object_pairs_hook=refuse_other_files)
            event = _Event.model_validate_json(body)
        except (ValueError, RecursionError):
            raise HttpError(400, "this is not an event of the page") from None
        if len(event.data) != self._functions.get(event.fn_index):
            raise HttpError(400, "this is not an event of the page")

    async def _until_stop(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run Gradio's heartbeat, which never ends by itself, until the server is to stop."""
        beating = asyncio.ensure_future(self._app(scope, receive, send))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait([beating, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not beating.done():
                beating.cancel()
        if not beating.cancelled() and beating.done():
            beating.result()
