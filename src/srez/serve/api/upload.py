"""The picture in a request: the raw body, or the one file of a form."""

from collections.abc import AsyncIterator, Callable

from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from srez.serve.errors import HttpError
from srez.serve.inference.picture import ACCEPTED

_FORM = "multipart/form-data"


async def read(request: Request, hold: Callable[[int], None]) -> bytes:
    """The picture's bytes; a file name that comes with them is not plan at.

    Args:
        request: whose body has not been read.
        hold: called with the size of each piece before it is kept.

    Raises:
        HttpError: another content type (415), an empty body or a form without one file (400).
    """
    kind, _ = parse_options_header(request.headers.get("content-type", "application/octet-stream"))
    name = kind.decode("latin-1").lower()

    async def pieces() -> AsyncIterator[bytes]:
        async for piece in request.stream():
            hold(len(piece))
            yield piece

    if name == _FORM:
        body = await _from_form(request, pieces())
    elif name in ACCEPTED:
        body = b"".join([piece async for piece in pieces()])
    else:
        raise HttpError(
            415, f"the body is to be {_FORM} or one of {', '.join(ACCEPTED)}", {"Accept": ", ".join(ACCEPTED)}
        )
    if not body:
        raise HttpError(400, "the body is empty: send a picture")
    return body


async def _from_form(request: Request, pieces: AsyncIterator[bytes]) -> bytes:
    parser = MultiPartParser(request.headers, pieces, max_files=1, max_fields=0)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        said = getattr(error, "message", "it is damaged")
        raise HttpError(
            400, f"the form cannot be read ({said}): send one field `file`; options go into the query"
        ) from None
    try:
        file = form.get("file")
        if file is None or isinstance(file, str):
            raise HttpError(400, "the form has no file in a field `file`")
        return await file.read()
    finally:
        await form.close()
