"""Passes on what the page needs of Gradio and no more: it has many routes, and opens whatever it is told."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srez.serve.errors import HttpError, as_http_error, busy
from srez.serve.guard.headers import PAGE
from srez.serve.guard.middleware import error_response
from srez.serve.limits import MAX_PAGE_STREAMS
from srez.serve.page import event, uploads
from srez.serve.page.alias import Alias
from srez.serve.page.files import PageFiles
from srez.serve.page.streams import Streams
from srez.serve.service import Service

_MAX_NAME = 255  # bytes of a file name
_MAX_QUERY = 256  # bytes; Gradio remembers names of sessions, however long
_MAX_EVENT = 64 * 1024  # bytes of an event: the choices, and where the upload is
_GRADIO = PAGE + "/gradio_api/"
_EVENTS = _GRADIO + "queue/join"
_UPLOAD = _GRADIO + "upload"
_PROGRESS = _GRADIO + "upload_progress"
_HEARTBEAT = _GRADIO + "heartbeat/"
_ANSWERS = _GRADIO + "queue/data"
_NEEDED = re.compile(
    PAGE + r"/(|config/?|theme\.css|favicon\.ico|manifest\.json|robots\.txt|(assets|static|svelte)/.*|"
    r"gradio_api/file=(?!https?:).*|"
    r"gradio_api/(upload|upload_progress|queue/(join|data)|cancel|reset|heartbeat/\w{1,64}|startup-events|"
    r"theme\.css|app_id)/?)",
    re.DOTALL,
)


class PageGuard:
    """ASGI middleware between the guard and Gradio."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        files: PageFiles,
        functions: Mapping[int, int],
        stopping: asyncio.Event,
    ) -> None:
        """Guard Gradio.

        Args:
            app: Gradio's.
            service: whose memory uploads take.
            files: the page's; an event may name no others.
            functions: the number of inputs of each function that an event may call.
            stopping: set when the server is told to stop.
        """
        self._app = Alias(app, files.folder)
        self._service, self._files, self._functions = service, files, functions
        self._stopping = stopping
        self._answers = Streams()
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._pass_on(scope, receive, send)
        except (HttpError, OSError, MemoryError) as error:
            await error_response(as_http_error(error))(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            # Gradio refused the request, of a session that has ended say, when its answer had begun.
            await send({"type": "http.response.body"})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"].rstrip("/")
        _refuse_unneeded(scope)
        if path == _UPLOAD and scope["method"] == "POST":
            answer = await uploads.take(Request(scope, receive), self._service, self._files)
            await answer(scope, receive, send)
        elif path == _PROGRESS:
            await uploads.DONE(scope, receive, send)
        elif path.startswith(_HEARTBEAT):
            with self._stream():
                await self._until_stop(scope, receive, send)
        elif path == _ANSWERS:
            with self._stream():
                await self._answers.run(self._app, scope, receive, send)
        elif path == _EVENTS and scope["method"] == "POST":
            body = await _read(scope, receive)
            body, session = event.checked(body, self._files, self._functions)
            await self._app(scope, _replayed(body, receive), self._answers.after_end(session, send))
        elif scope["method"] == "POST":
            await self._app(scope, _replayed(await _read(scope, receive), receive), send)
        else:
            await self._app(scope, receive, send)

    @contextmanager
    def _stream(self) -> Iterator[None]:
        """One of the answers that last as long as a page is open."""
        if self._streams >= MAX_PAGE_STREAMS:
            raise busy(f"{MAX_PAGE_STREAMS} pages are open")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

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


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The body of a request: none is larger than an event."""
    body = b""
    async for piece in Request(scope, receive).stream():
        body += piece
        if len(body) > _MAX_EVENT:
            raise HttpError(413, f"an event of the page must not exceed {_MAX_EVENT:,} bytes")
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A body that has been read already."""
    whole: list[Message] = [{"type": "http.request", "body": body}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


def _refuse_unneeded(scope: Scope) -> None:
    """Refuse what the page does not need."""
    path: str = scope["path"]
    is_name = all(len(part.encode()) <= _MAX_NAME for part in path.split("/"))
    if not _NEEDED.fullmatch(path) or not is_name:
        raise HttpError(404, "there is no such route")
    if len(scope["query_string"]) > _MAX_QUERY:
        raise HttpError(400, f"a query of the page must not exceed {_MAX_QUERY} bytes")
