"""What a server allows: every limit has a name here, and most are options of `srez serve`."""

import enum
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from srez.errors import OptionError
from srez.models.devices import Place

ANY = "*"  # of hosts and origins

MAX_BODY = 32 * 1024**2  # bytes of a request
MAX_PIXELS = 16_000_000  # of a job's picture
MAX_DIRECT_PIXELS = 1_000_000  # of a picture that is answered directly
MAX_QUEUE = 128  # pictures waiting for a direct answer
MAX_WAIT = 10.0  # expected seconds in the queue
MAX_JOBS = 200  # jobs kept, in any state
MAX_MEMORY = 512 * 1024**2  # bytes of bodies and results held at the same time
MAX_SECONDS = 60.0  # for a direct answer, waiting included
KEEP_HOURS = 24.0  # for which a finished job is kept
GRACE_SECONDS = 20.0  # for running work when the server is told to stop
TILE = 192  # input pixels; smaller than the command line's, because several pictures run at the same time

FIRST_RUN = 0.01  # seconds of a run beside those of its pixels, until it has been measured
FIRST_PACE = 20e-6  # seconds per input pixel, likewise
FACES_WORK = 1.3  # times that of a picture, if its faces are found and a few enlarged
SMALL_PIXELS = 64 * 64  # a picture up to this size runs in a batch with others of its size
MAX_BATCH = 32  # pictures in a batch: while one runs, others are decoded and encoded
MAX_CONNECTIONS = 512
MAX_HEADER_BYTES = 32 * 1024  # of all headers of a request
HEADER_SECONDS = 10.0  # for a request's headers to arrive
PIECE_SECONDS = 5.0  # between two pieces of a body
BODY_SECONDS = 30.0  # for a whole body
SEND_SECONDS = 20.0  # for a client to take a piece of an answer
SEND_PIECE = 256 * 1024  # bytes of an answer that are passed to a connection at once
MAX_FIELDS = 32  # of a form, beside its file; there are fewer options
MAX_FIELD_BYTES = 1024  # of such a field
MAX_UPSCALERS = 4  # models kept loaded, each in one fidelity
FOREIGN_SECONDS = 60.0  # for a model that is not in the box to run a tile of the default size, or a batch
MAX_ATTEMPTS = 3  # to run a job: one that kills the server is not tried for ever
MAX_SIDE = 1_000_000  # of the width and height that can be asked for
REFUSAL_SECONDS = 1.0  # for which the refusal of a file is held back while others are read
RETRY_SECONDS = 2  # `Retry-After` of a full server
MAX_RETRY_SECONDS = 60  # `Retry-After` of one where the wait would be long, at most
LOOKUP_THREADS = 2  # for jobs, results and metrics, however many pictures are read
CUT_SECONDS = 5.0  # for a job to release its picture when the grace is over
MAX_PAGE_BYTES = 512 * 1024**2  # of the page's uploads and results
MAX_PAGE_FILES = 2000  # of them
LEAST_PAGE_SECONDS = 60.0  # for which the page's files are kept even if there is no room for others
MAX_PAGE_STREAMS = 128  # connections that open pages keep
PAGE_SECONDS = 3600.0  # for which the page's files are kept

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")


class Page(enum.StrEnum):
    """Which page a server has beside its API."""

    SERVER = "server"  # upscales on the server
    BROWSER = "browser"  # upscales in the visitor's browser
    NONE = "none"


@dataclass(frozen=True)
class Settings:
    """How a server is run.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 for a free one.
        state: folder of jobs: a database, uploads and results.
        models: folder of further models, each an .onnx file with its card.
        key: API key that clients must present; None lets everybody in.
        hosts: names of the server, beside addresses, localhost and the machine's; "*" for any.
        origins: web origins, beside the server's own, whose pages may call the API; "*" for any.
        page: which page to serve.
        max_body: bytes of a request.
        max_pixels: of a job's picture.
        max_direct_pixels: of a picture that is answered directly.
        max_queue: pictures waiting for a direct answer.
        max_wait: expected seconds in the queue.
        max_jobs: jobs kept, in any state.
        max_memory: bytes of bodies and results held at the same time.
        max_seconds: for a direct answer, waiting included.
        keep_hours: for which a finished job is kept.
        grace_seconds: for running work when the server is told to stop.
        tile: largest side of a tile in input pixels, without its overlap.
        max_batch: small pictures of one size that run as one batch.
        place: where models run.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    state: Path = Path("srez-state")
    models: Path | None = None
    key: str | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    page: Page = Page.SERVER
    max_body: int = MAX_BODY
    max_pixels: int = MAX_PIXELS
    max_direct_pixels: int = MAX_DIRECT_PIXELS
    max_queue: int = MAX_QUEUE
    max_wait: float = MAX_WAIT
    max_jobs: int = MAX_JOBS
    max_memory: int = MAX_MEMORY
    max_seconds: float = MAX_SECONDS
    keep_hours: float = KEEP_HOURS
    grace_seconds: float = GRACE_SECONDS
    tile: int = TILE
    max_batch: int = MAX_BATCH
    place: Place = field(default_factory=Place)

    def __post_init__(self) -> None:
        """Refuse what no option may be.

        Raises:
            OptionError: a number is infinite or none, or an origin is none.
        """
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise OptionError(f"--{name.replace('_', '-')} {value}: give a finite number")
        for origin in self.origins:
            if origin != ANY and not _ORIGIN.fullmatch(origin):
                raise OptionError(
                    f"--allow-origin {origin}: give an origin such as https://example.org, or *"
                )
