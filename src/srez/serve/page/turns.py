"""Whose turn it is to show something: of all that one visitor has asked for, the last."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import gradio

from srez.serve.limits import MAX_PAGE_STREAMS

Steps = Callable[..., AsyncGenerator[Any, None]]
"""What an event shows, one after the other, from its inputs."""


@dataclass(eq=False)
class _Turn:
    steps: Steps
    inputs: tuple[Any, ...]
    is_over: bool = False
    step: asyncio.Future[Any] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def covers(self, other: "_Turn") -> bool:
        """Whether another turn would change nothing."""
        if len(other.inputs) == 1:  # it tells of a picture: the click that asks for that may come first
            return other.inputs[0] is not None and other.inputs[0] == self.inputs[0]
        return not self.ended.is_set() and (self.steps, self.inputs) == (other.steps, other.inputs)

    def end(self) -> None:
        self.is_over = True
        if self.step:
            self.step.cancel()


class Turns:
    """The last event of each visitor.

    Gradio can cancel events too, but too early and too late: not before the event has got its number, and, of
    what an upload cancels, only when the upload's own event is answered, even if it was asked for since.
    """

    def __init__(self) -> None:
        """Nobody has asked for anything."""
        self._last: dict[str, _Turn] = {}

    def handler(self, steps: Steps) -> Steps:
        """What Gradio calls for an event.

        The event begins when all that its visitor asked for before has ended, and ends when the visitor asks
        for something else. One that repeats what is running does nothing.

        Args:
            steps: of the event. Its first input is the picture; if that is the only one, the event tells that
                there is another picture.
        """

        async def run(request: gradio.Request, *inputs: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(self._take(request.session_hash or "", _Turn(steps, inputs))) as shown:
                async for step in shown:
                    yield step

        return run

    async def _take(self, session: str, turn: _Turn) -> AsyncGenerator[Any, None]:
        before = self._last.get(session)
        if before and before.covers(turn):
            yield gradio.skip()
            return
        self._remember(session, turn)
        try:
            if before:
                before.end()
                await before.ended.wait()  # when Gradio asks for a step, it has sent all before
            async with aclosing(turn.steps(*turn.inputs)) as steps:
                while (step := await _step(turn, steps)) is not None:
                    yield step
            if turn.is_over:
                yield gradio.skip()  # else Gradio would send the last step once more
        finally:
            turn.ended.set()

    def _remember(self, session: str, turn: _Turn) -> None:
        """Remember a turn, and forget those of visitors who have been quiet for the longest time."""
        self._last.pop(session, None)
        self._last[session] = turn
        ended = [each for each, last in self._last.items() if last.ended.is_set()]
        for each in ended[: max(0, len(self._last) - MAX_PAGE_STREAMS)]:
            del self._last[each]


async def _step(turn: _Turn, steps: AsyncGenerator[Any, None]) -> Any:
    """The next step; None if there is none, or if the turn is over."""
    if turn.is_over:
        return None
    turn.step = asyncio.ensure_future(anext(steps, None))
    try:
        return await turn.step
    except asyncio.CancelledError:
        if not turn.is_over:
            raise
        return None
