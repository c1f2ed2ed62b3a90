"""Hides where the page's files are: clients see them below a name that says nothing of this machine."""

import json
from pathlib import Path
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ALIAS = "/srez-page"  # in place of the folder
_TEXTS = (b"text/html", b"application/json", b"text/event-stream")


class Alias:
    """ASGI middleware before Gradio, which shows and expects absolute paths."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        """Hide a folder.

        Args:
            app: Gradio's.
            folder: absolute.
        """
        self._app, self._folder = app, str(folder)
        # As it stands in text, in JSON and in an address.
        forms = (self._folder, json.dumps(self._folder)[1:-1], quote(self._folder))
        self._forms = [form.encode() for form in sorted(set(forms), key=len, reverse=True)]

    def real(self, text: str) -> str:
        """A path as Gradio knows it, or a text that holds one."""
        return text.replace(ALIAS + "/", self._folder + "/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on with real paths, and its answer back with hidden ones."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A compressed answer would still tell.
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        path = self.real(scope["path"])
        scope = {**scope, "path": path, "raw_path": quote(path).encode(), "headers": headers}
        await self._app(scope, receive, _Hiding(send, self._forms))


class _Hiding:
    """Sends an answer on, with the folder hidden in all that is text."""

    def __init__(self, send: Send, forms: list[bytes]) -> None:
        self._send, self._forms = send, forms
        self._start: Message | None = None  # kept until the length of the body is known
        self._body = b""
        self._is_text = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            self._is_text = headers.get(b"content-type", b"").startswith(_TEXTS)
            if self._is_text and b"content-length" in headers:
                self._start = message
                return
        elif self._is_text and self._start:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            message = {**message, "body": self._hidden(self._body)}
            length = str(len(message["body"])).encode()
            headers = [pair for pair in self._start["headers"] if pair[0] != b"content-length"]
            await self._send({**self._start, "headers": [*headers, (b"content-length", length)]})
        elif self._is_text:  # an event, which comes in one piece
            message = {**message, "body": self._hidden(message.get("body", b""))}
        await self._send(message)

    def _hidden(self, body: bytes) -> bytes:
        for form in self._forms:
            body = body.replace(form, ALIAS.encode())
        return body
