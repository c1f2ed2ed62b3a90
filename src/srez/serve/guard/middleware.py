"""The outermost layer: host, key, origin, body limits, security headers, request ids, logs and metrics."""

import asyncio
import re
import secrets
import time
from collections.abc import Iterator

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srez.serve.errors import INTERNAL_ERROR, HttpError, busy
from srez.serve.guard import access
from srez.serve.guard.headers import PAGE, security_headers
from srez.serve.guard.hosts import Hosts
from srez.serve.limits import BODY_SECONDS, PIECE_SECONDS, SEND_PIECE, Settings
from srez.serve.observe import logs
from srez.serve.observe.metrics import Metrics

_DRAIN_SECONDS = 2.0  # a client that is still sending sees a refusal only once it has sent everything
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH")


def error_response(error: HttpError) -> JSONResponse:
    """The answer for an error: `{"error": "one sentence"}`."""
    return JSONResponse({"error": str(error)}, error.status, error.headers)


class Guard:
    """ASGI middleware around all routes and the page."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        """Guard an application.

        Args:
            app: behind the guard.
            settings: key, origins and limits.
            metrics: count the requests.
        """
        self._app, self._settings, self._metrics = app, settings, metrics
        self._hosts = Hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope["type"] == "websocket":  # nothing here uses them
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = {**scope, "headers": [pair for pair in scope["headers"] if not _is_forwarded(pair[0])]}
        request = _Request(self._app, self._settings, self._metrics, scope, receive, send)
        await request.run(self._hosts)


class _Request:
    """One request on its way through the guard."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.app, self.settings, self.metrics, self.scope = app, settings, metrics, scope
        self._receive, self._send = receive, send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        given = self.headers.get(b"x-request-id", b"")
        self.id = given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.started = time.perf_counter()
        self.status: int | None = None  # of the answer, once it has begun
        self.refusal: HttpError | None = None
        self.received = self.sent = 0
        self.has_body = (
            b"transfer-encoding" in self.headers or self.headers.get(b"content-length", b"0") != b"0"
        )
        self.complete = False  # whether the whole body has arrived

    async def run(self, hosts: Hosts) -> None:
        path = self.scope["path"]
        try:
            hosts.check(self.scope["headers"])
            access.check_key(path, self.headers, self.settings.key)
            access.check_origin(self.scope["method"], self.headers, self.settings.origins)
            self._refuse_large(int(self.headers.get(b"content-length", b"0")))
            await self.app(self.scope, self.receive, self.send)
            if self.refusal:
                await self._refuse(self.refusal)
        except HttpError as refusal:
            await self._refuse(refusal)
        except asyncio.CancelledError:  # by uvicorn, when the grace for running work is over
            await self._refuse(busy("the server is stopping", 503))
        except Exception:
            if self.refusal:
                await self._refuse(self.refusal)
            else:
                logs.log.exception("defect", extra={"fields": {"request_id": self.id}})
                await self._refuse(HttpError(500, INTERNAL_ERROR))
        finally:
            self._log()

    async def receive(self) -> Message:
        """A piece of the body, within the limits of size and time."""
        if self.complete:
            return await self._receive()  # only a disconnection is left to come
        left = BODY_SECONDS - (time.perf_counter() - self.started)
        try:
            async with asyncio.timeout(min(PIECE_SECONDS, left)):
                message = await self._receive()
        except TimeoutError:
            self.refusal = HttpError(408, "the body did not arrive in time")
            raise self.refusal from None
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
            self._refuse_large(self.received)
            return message
        if self.has_body:
            self.refusal = HttpError(499, "the client disconnected before its body had arrived")
            raise self.refusal
        self.complete = True
        return message

    async def send(self, message: Message) -> None:
        """A piece of the answer; once refused, a request stays so, whatever the application answers."""
        if message["type"] == "http.response.start":
            if self.refusal and self.status is None:
                return
            self.status = message["status"]
            own = security_headers(self.scope["path"], self.settings.page) | {"X-Request-ID": self.id}
            if self.has_body and not self.complete and not await self._drained():
                own["Connection"] = "close"
            names = {name.lower().encode() for name in own}
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
            added = [(name.lower().encode(), value.encode()) for name, value in own.items()]
            message = {**message, "headers": [*kept, *added]}
        elif self.status is None:
            return
        self.sent += len(message.get("body", b""))
        for piece in _pieces(message):
            await self._send(piece)  # waits until the client has taken the one before

    async def send_response(self, refusal: HttpError) -> None:
        self.refusal = None
        await error_response(refusal)(self.scope, self.receive, self.send)

    def _refuse_large(self, size: int) -> None:
        if size > self.settings.max_body:
            self.refusal = HttpError(
                413, f"the body has more than {self.settings.max_body:,} bytes (--max-body)"
            )
            raise self.refusal

    async def _refuse(self, refusal: HttpError) -> None:
        if self.status is None:
            await self.send_response(refusal)

    async def _drained(self) -> bool:
        """Discard the rest of the body; whether it came in time."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while (await self._receive()).get("more_body"):
                    pass
        except TimeoutError:
            return False
        self.complete = True
        return True

    def _log(self) -> None:
        route = _route(self.scope)
        seconds = time.perf_counter() - self.started
        method = self.scope["method"] if self.scope["method"] in _METHODS else "OTHER"
        self.metrics.requests.labels(method, route, str(self.status or 0)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        logs.event(
            "request",
            request_id=self.id,
            method=method,
            route=route,
            status=self.status,
            milliseconds=round(seconds * 1e3, 1),
            received=self.received,
            sent=self.sent,
        )


def _is_forwarded(name: bytes) -> bool:
    """Whether a header says what a proxy was asked for: anybody may send it, and Gradio would believe it."""
    return name == b"forwarded" or name.startswith(b"x-forwarded-")


def _pieces(message: Message) -> Iterator[Message]:
    """A message, split into several if its body is large."""
    body: bytes = message.get("body", b"")
    last = max(len(body) - 1, 0) // SEND_PIECE * SEND_PIECE
    for start in range(0, last, SEND_PIECE):
        yield {**message, "body": body[start : start + SEND_PIECE], "more_body": True}
    yield {**message, "body": body[last:]} if last else message


def _route(scope: Scope) -> str:
    """The pattern of the route, so that nothing a client made up becomes a label."""
    if scope["path"].startswith(PAGE):
        return PAGE
    return getattr(scope.get("route"), "path", "none")
