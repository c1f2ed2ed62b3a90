"""What the page needs of Gradio, and no more: it has many routes, and reads and fetches what it is told."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srez.serve.errors import HttpError
from srez.serve.guard.access import PAGE
from srez.serve.guard.middleware import error_response
from srez.serve.page.files import PageFiles

_MAX_EVENT = 64 * 1024  # bytes of an event: what was chosen, and where the upload is
_EVENTS = PAGE + "/gradio_api/queue/join"
_NEEDED = re.compile(
    PAGE + r"/((?!gradio_api/|monitoring|login).*|gradio_api/file=(?!https?:).*|"
    r"gradio_api/(upload|upload_progress|queue/(join|data)|cancel|reset|heartbeat/\w+|startup-events|app_id)/?)",
    re.DOTALL,
)


class PageGuard:
    """ASGI middleware between the guard and Gradio."""

    def __init__(self, app: ASGIApp, files: PageFiles) -> None:
        """Let through what the page needs.

        Args:
            app: Gradio's.
            files: of the page; a request may name no others.
        """
        self._app, self._files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or turn it down."""
        try:
            if scope["type"] == "http":
                receive = await self._checked(scope, receive)
        except HttpError as refusal:
            await error_response(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """What gives the body again that was plan into."""
        if not _NEEDED.fullmatch(scope["path"]):
            raise HttpError(404, "there is no such route")
        if scope["path"].rstrip("/") != _EVENTS or scope["method"] != "POST":
            return receive
        body = b""
        async for piece in Request(scope, receive).stream():
            body += piece
            if len(body) > _MAX_EVENT:
                raise HttpError(413, f"an event of the page has at most {_MAX_EVENT:,} bytes")
        self._refuse_other_files(body)
        whole: list[Message] = [{"type": "http.request", "body": body}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        return again

    def _refuse_other_files(self, event: bytes) -> None:
        """Turn down an event that names a file which is no upload: one of the server's own, or an address."""

        def look(pairs: list[tuple[str, Any]]) -> None:
            for name, value in pairs:
                is_other = name == "path" and isinstance(value, str) and not self._files.holds(value)
                if is_other or (name == "url" and isinstance(value, str) and value.startswith("data:")):
                    raise HttpError(403, "the page takes uploads only")

        try:
            json.loads(event, object_pairs_hook=look)
        except (ValueError, RecursionError):
            raise HttpError(400, "the event cannot be read") from None
