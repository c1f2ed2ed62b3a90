"""Ends the streams of Gradio's answers so that none is lost.

A page gets the answers to all its events on one stream, which Gradio ends when nothing is left to answer. An
event that is asked for just then is lost if its number reaches the page before the end of the stream does:
Gradio's part in the browser believes that it has a stream, and opens no other.
"""

import asyncio
import contextlib
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_END = b'"msg":"close_stream"'
# For a browser to close a stream that has ended. It never does if a picture has been uploaded meanwhile:
# Gradio's part in the browser closes the stream that it opened last, that of the upload's progress.
_END_SECONDS = 1.0


class Streams:
    """The streams that have ended, and that their browsers have not closed yet."""

    def __init__(self) -> None:
        """There is none."""
        self._ending: dict[str, asyncio.Event] = {}

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Gradio answer on a stream, and wait at its end until the browser has closed it."""
        session = parse_qs(scope["query_string"].decode()).get("session_hash", [""])[0]
        closed = asyncio.Event()
        last: list[Message] = []

        async def passed_on(message: Message) -> None:
            if _END in message.get("body", b""):
                self._ending[session] = closed
            if session_ends() and not message.get("more_body"):
                last.append(message)
            else:
                await send(message)

        def session_ends() -> bool:
            return self._ending.get(session) is closed

        try:
            await app(scope, receive, passed_on)
            if session_ends():
                await _disconnected(receive)
            for message in last:
                await send(message)
        finally:
            if session_ends():
                del self._ending[session]
            closed.set()

    def after_end(self, session: str, send: Send) -> Send:
        """Hold the answer to an event, its number, until a stream that has ended is closed."""

        async def held(message: Message) -> None:
            if ending := self._ending.get(session):
                await ending.wait()
            await send(message)

        return held


async def _disconnected(receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
