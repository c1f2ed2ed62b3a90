"""What a server allows: every limit has a name, and most are options of `srez serve`."""

from dataclasses import dataclass
from pathlib import Path

MAX_BODY = 32 * 1024**2  # bytes of a request
MAX_PIXELS = 16_000_000  # of a picture, for a job
MAX_DIRECT_PIXELS = 1_000_000  # of a picture that is answered at once
MAX_QUEUE = 128  # pictures waiting to be answered at once
MAX_WAIT = 10.0  # seconds that a picture waits for its turn at most, as far as can be foreseen
FIRST_PACE = 20e-6  # seconds for each pixel of an input, until it has been measured
MAX_JOBS = 200  # jobs kept, in any state
MAX_MEMORY = 512 * 1024**2  # bytes of bodies and results held at one time
MAX_SECONDS = 60.0  # for an answer at once, waiting included
KEEP_HOURS = 24.0  # that a finished job's result can be fetched
GRACE_SECONDS = 20.0  # for running work when the server is told to stop
TILE = 192  # input pixels; smaller than the command line's, because several pictures are run at once

SMALL_PIXELS = 64 * 64  # a picture up to this size is run together with others of its size
MAX_BATCH = 32  # pictures run together: while these are run, others are decoded and encoded
MAX_CONNECTIONS = 512
MAX_HEADER_BYTES = 32 * 1024  # of all headers of a request
HEADER_SECONDS = 10.0  # for a request's headers to arrive
PIECE_SECONDS = 5.0  # between two pieces of a body
BODY_SECONDS = 30.0  # for a whole body
SEND_SECONDS = 20.0  # for a client to take a piece of an answer
SEND_PIECE = 256 * 1024  # bytes of an answer that are given to a connection at once
MAX_UPSCALERS = 4  # models kept loaded, each in one fidelity
MAX_ATTEMPTS = 3  # times that a job is begun; one that kills the server is not tried for ever
MAX_SIDE = 1_000_000  # of the width and height that can be asked for
RETRY_SECONDS = 2  # that a client is told to wait when the server is full
CUT_SECONDS = 5.0  # for a job to let go of its picture when the grace is over
PAGE_SECONDS = 3600.0  # that files of the page are kept


@dataclass(frozen=True)
class Settings:
    """How a server is run.

    Attributes:
        host: the address to listen at.
        port: the port; 0 takes a free one.
        state: the folder of jobs: a database, uploads and results.
        models: a folder of further models, each an .onnx file with its card.
        key: what clients must present; None lets everybody in.
        origins: web origins, beside the server's own, whose pages may call the API.
        page: whether the page is served.
        max_body: bytes of a request.
        max_pixels: of a picture, for a job.
        max_direct_pixels: of a picture that is answered at once.
        max_queue: pictures waiting to be answered at once.
        max_wait: seconds that a picture waits for its turn at most, as far as can be foreseen.
        max_jobs: jobs kept, in any state.
        max_memory: bytes of bodies and results held at one time.
        max_seconds: for an answer at once, waiting included.
        keep_hours: that a finished job's result can be fetched.
        grace_seconds: for running work when the server is told to stop.
        tile: the largest side of a tile in input pixels, without its margin.
        max_batch: pictures run together.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    state: Path = Path("srez-state")
    models: Path | None = None
    key: str | None = None
    origins: tuple[str, ...] = ()
    page: bool = True
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
