"""The box: a few warm processes that read pictures of strangers. See docs/adr/0023."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from srez.apart import answers
from srez.apart.exchange import LOOK, Check, SlowError, exchange
from srez.apart.nursery import PID
from srez.apart.wire import BrokenMessageError, Message, pack, take_from
from srez.errors import ImageError, OutOfMemoryError
from srez.images import MAX_PIXELS, Picture

PROCESSES = 2  # that read at the same time
SECONDS = 20.0  # for a picture
LARGE = 256 * 1024  # bytes of a file; one process is kept for smaller ones, which are read in a moment
_PICTURES = 256  # that a process reads before a new one takes its place
_BYTES_A_PIXEL = 8  # of an answer, at most: 16 bits, with transparency
_MOST_BESIDE = 256 * 1024**2  # bytes of an answer beside the pixels
Answer = TypeVar("Answer")

_ENVIRONMENT = ("PATH", "LANG", "LC_", "PYTHON", "LD_LIBRARY_PATH", "TMPDIR")  # no secrets of the server


def _unchecked() -> None:
    """A `Check` that lets all go on."""


@dataclass(eq=False)
class _Process:
    pid: int
    channel: socket.socket
    pictures: int = 0


class Box:
    """Processes that read pictures with little memory, no network, nothing to write to, and a deadline.

    Thread safe: as many threads as it has processes read at the same time, others wait. Large files leave one
    process to small ones.
    """

    def __init__(self, processes: int = PROCESSES, seconds: float = SECONDS) -> None:
        """Start the processes, so that the first picture does not wait for them.

        Args:
            processes: that read at the same time.
            seconds: for a picture; then its process is killed.
        """
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(processes)
        self._for_large = threading.BoundedSemaphore(max(processes - 1, 1))
        self._lock = threading.Lock()
        self._nursery: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._idle: list[_Process] = []
        self._closed = False
        with self._lock:
            self._idle = [self._born() for _ in range(processes)]

    def read(
        self,
        source: Path | bytes,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
        check: Check = _unchecked,
    ) -> Picture:
        """Read a picture, as `images.read` does.

        Args:
            source: the file, or its bytes.
            name: what to call it in an error; the path by default.
            max_pixels: what is larger is refused before it is decoded.
            check: called now and then; what it raises ends the reading.

        Raises:
            ImageError: as for `images.read`; or the picture takes more time or memory than one of its size
                may, or breaks its decoder.
            OutOfMemoryError: there is no memory for a process.
        """
        return self._ask(source, name, max_pixels, max_pixels, check, answers.picture_in)

    def size(
        self,
        source: Path | bytes,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
        check: Check = _unchecked,
    ) -> tuple[int, int]:
        """Width and height of a picture as `read` would give it, from its header, as `images.size` does.

        Raises:
            ImageError: as for `read`.
            OutOfMemoryError: as for `read`.
        """
        return self._ask(source, name, max_pixels, 0, check, answers.size_in)

    def look(
        self, source: Path | bytes, name: str, max_pixels: int, small: int, check: Check = _unchecked
    ) -> tuple[int, int] | Picture:
        """The picture if it has at most `small` pixels, else its width and height: one question, not two.

        Raises:
            ImageError: as for `read`.
            OutOfMemoryError: as for `read`.
        """
        return self._ask(source, name, max_pixels, small, check, answers.found_in)

    def close(self) -> None:
        """End all processes at once, those that are at work too."""
        with self._lock:
            self._closed = True
            for process in self._idle:
                process.channel.close()
            self._idle.clear()
            self._end_nursery()

    def _ask(
        self,
        source: Path | bytes,
        name: str | None,
        max_pixels: int,
        read: int,
        check: Check,
        answer: Callable[[Message], Answer],
    ) -> Answer:
        """Ask a process for a picture, or for the size of one with more than `read` pixels."""
        name = name or (str(source) if isinstance(source, Path) else "picture")
        data = source if isinstance(source, bytes) else _contents(source, name)
        head = {"read": read, "name": name, "max_pixels": max_pixels, "seconds": self._seconds}
        most = _BYTES_A_PIXEL * read + _MOST_BESIDE
        with ExitStack() as held:
            if len(data) > LARGE:
                held.enter_context(_place(self._for_large, check))
            held.enter_context(_place(self._places, check))
            process = held.enter_context(self._process())
            try:
                message = exchange(process.channel, pack(head, data), most, self._seconds, check)
                error = _understood(answers.error_in, message)
                if error is None:
                    return _understood(answer, message)
            except SlowError:
                raise ImageError(
                    f"{name} takes more than {self._seconds:g} seconds to decode: save it again"
                ) from None
            except BrokenMessageError:
                raise ImageError(f"{name} is damaged: its decoder broke down") from None
        raise error

    @contextmanager
    def _process(self) -> Iterator[_Process]:
        """A process; it goes on with another picture if the block ends well, and is killed if not."""
        with self._lock:
            process = self._idle.pop() if self._idle else self._born()
        process.pictures += 1
        is_well = False
        try:
            yield process
            is_well = process.pictures < _PICTURES
        finally:
            with self._lock:
                if is_well and not self._closed:
                    self._idle.append(process)
                else:
                    process.channel.close()
                    self._end(process.pid)

    def _born(self) -> _Process:
        """A new process; where the nursery has ended, from a new one."""
        if self._closed:
            raise OutOfMemoryError("no pictures are read any more")
        with suppress(OSError, BrokenMessageError):
            return self._fork()
        self._end_nursery()
        try:
            return self._fork()
        except (OSError, BrokenMessageError):
            raise OutOfMemoryError("there is no memory for a process that reads pictures") from None

    def _fork(self) -> _Process:
        orders = self._orders()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(orders, [PID.pack(0)], [theirs.fileno()])
            (pid,) = PID.unpack(take_from(orders.recv_into, PID.size))
        except BaseException:
            ours.close()
            raise
        ours.settimeout(LOOK)
        return _Process(pid, ours)

    def _orders(self) -> socket.socket:
        """Where the nursery takes orders."""
        if self._nursery is None:
            ours, theirs = socket.socketpair()
            with theirs:
                command = "from srez.apart.nursery import main; main()"
                nursery = subprocess.Popen(
                    [sys.executable, "-P", "-c", command, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # decoders in C print what they like
                    env={**_environment(), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                    start_new_session=True,  # Ctrl-C is for the server
                )
            self._nursery = nursery, ours
        return self._nursery[1]

    def _end(self, pid: int) -> None:
        if self._nursery:
            with suppress(OSError):  # the nursery has ended, and all of its processes with it
                self._nursery[1].sendall(PID.pack(pid))

    def _end_nursery(self) -> None:
        if self._nursery:
            nursery, orders = self._nursery
            orders.close()
            nursery.kill()
            nursery.wait()
            self._nursery = None


@contextmanager
def _place(places: threading.Semaphore, check: Check) -> Iterator[None]:
    """One of the places for pictures that are read at the same time."""
    while not places.acquire(timeout=LOOK):
        check()
    try:
        yield
    finally:
        places.release()


def _understood(meaning: Callable[[Message], Answer], message: Message) -> Answer:
    """What a message means.

    Raises:
        BrokenMessageError: it means nothing, so a stranger wrote it.
    """
    try:
        return meaning(message)
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError, OverflowError):
        raise BrokenMessageError from None


def _contents(source: Path, name: str) -> bytes:
    try:
        return source.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist") from None
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror}") from None


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_ENVIRONMENT)}
