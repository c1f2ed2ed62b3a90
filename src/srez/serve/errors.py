"""Answers that are not a picture: the errors that only a server has, and how any error is told."""

from srez.errors import OutputError, SrezError
from srez.serve.limits import RETRY_SECONDS

INTERNAL_ERROR = "the server made a mistake; its log says more"


class HttpError(SrezError):
    """A request that is turned down.

    Attributes:
        status: of the answer.
        headers: of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        """Say why, in one sentence, with what status, and with what further headers."""
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


class StoppedError(Exception):
    """Work that nobody wants any more; raised inside it, never shown."""


def busy(sentence: str, status: int = 429, seconds: int = RETRY_SECONDS) -> HttpError:
    """A refusal that says when to try again.

    Args:
        sentence: why.
        status: 429, or 503 where it is not the client's doing.
        seconds: until then.
    """
    return HttpError(status, sentence, {"Retry-After": str(seconds)})


def as_http_error(error: BaseException) -> HttpError:
    """Any error of the work as a refusal; what is not a user's mistake is passed on as it is.

    A format that cannot hold the result is the client's mistake here (422), and memory that does not suffice
    is the server's (503).

    Raises:
        BaseException: the error, if it is a defect.
    """
    if isinstance(error, HttpError):
        return error
    if isinstance(error, MemoryError):
        return busy("memory does not suffice for this picture just now", 503)
    if isinstance(error, OutputError):
        return HttpError(422, str(error))
    if isinstance(error, SrezError):
        return HttpError(error.http_status, str(error))
    raise error
