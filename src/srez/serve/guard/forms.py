"""Bodies, and forms with one file, in memory: the disk may be full, and keeps nothing of a stranger's."""

import io
from collections.abc import Callable
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message

from srez.serve.errors import HttpError
from srez.serve.limits import MAX_FIELD_BYTES, MAX_FIELDS

MEDIA_TYPE = "multipart/form-data"


class _InMemory(MultiPartParser):
    spool_max_size = 0  # none: `Memory` and the limit of a body bound what is kept


class Form(NamedTuple):
    """A form with one file, whose name is ignored.

    Attributes:
        file: its contents.
        media_type: that the client gives it.
        fields: the other fields, by name.
    """

    file: bytes
    media_type: str
    fields: list[tuple[str, str]]


def counted(request: Request, hold: Callable[[int], None]) -> Request:
    """A request that counts each piece of its body before it is kept.

    Args:
        request: its body has not been read yet.
        hold: called with the size of each piece.
    """

    async def receive() -> Message:
        message = await request.receive()
        hold(len(message.get("body", b"")))
        return message

    return Request(request.scope, receive)


async def whole(request: Request) -> bytes:
    """The body in one piece. A list of its pieces would take its memory twice, and leave holes behind."""
    file = io.BytesIO()
    async for piece in request.stream():
        file.write(piece)
    return file.getvalue()  # what has been written, not a copy


async def read(request: Request, name: str) -> Form:
    """Read a form with one file.

    Args:
        request: its body has not been read yet.
        name: of the file's field.

    Raises:
        HttpError: the form cannot be read, or has no such file (400).
    """
    parser = _InMemory(
        request.headers, request.stream(), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:  # ValueError: an impossible charset
        reason = error.message if isinstance(error, MultiPartException) else "it is damaged"
        raise HttpError(
            400,
            f"the form cannot be read ({reason}): send one file in the field `{name}`, "
            "options as other fields",
        ) from None
    try:
        file = form.get(name)
        if not isinstance(file, UploadFile):
            raise HttpError(400, f"the form has no file in its field `{name}`")
        fields = [(key, value) for key, value in form.multi_items() if isinstance(value, str)]
        return Form(await file.read(), file.content_type or "", fields)
    finally:
        await form.close()
