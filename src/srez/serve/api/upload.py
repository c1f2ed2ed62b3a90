"""Reads the picture and the options of a request."""

from collections.abc import Callable
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from srez import images
from srez.serve.errors import HttpError
from srez.serve.inference import options
from srez.serve.inference.options import Options
from srez.serve.limits import MAX_FIELD_BYTES, MAX_FIELDS

ACCEPTED = (*(kind for each in images.FORMATS for kind in each.media_types), "application/octet-stream")
_FORM = "multipart/form-data"


class Upload(NamedTuple):
    """A picture's bytes, and the options for its result."""

    body: bytes
    options: Options


async def read(request: Request, hold: Callable[[int], None]) -> Upload:
    """The picture, as the raw body or as the file `file` of a form; options from the query and the form.

    The file name that a form gives is ignored.

    Args:
        request: its body has not been read yet.
        hold: called with the size of each piece of the body before it is kept.

    Raises:
        HttpError: another content type (415), an empty body or a form without one file (400), an option that
            does not exist, is invalid, or is given twice with different values (422).
    """
    counted = Request(request.scope, _counted(request.receive, hold))
    pairs = request.query_params.multi_items()
    media_type = (
        request.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
    )
    if media_type == _FORM:
        body, fields = await _read_form(counted)
        pairs += fields
    elif media_type in ACCEPTED:
        body = await counted.body()
    else:
        accepted = ", ".join(ACCEPTED)
        raise HttpError(415, f"send the picture as {_FORM} or as one of {accepted}", {"Accept": accepted})
    if not body:
        raise HttpError(400, "the body is empty: send a picture")
    return Upload(body, options.parse_pairs(pairs))


def _counted(receive: Receive, hold: Callable[[int], None]) -> Receive:
    async def receive_counted() -> Message:
        message = await receive()
        hold(len(message.get("body", b"")))
        return message

    return receive_counted


async def _read_form(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    """The file `file` of a form, and its other fields."""
    try:
        form = await request.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    except (HTTPException, ValueError) as error:  # ValueError: an impossible charset
        reason = error.detail if isinstance(error, HTTPException) else "it is damaged"
        raise HttpError(
            400,
            f"the form cannot be read ({reason}): send one file in the field `file`, options as other fields",
        ) from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HttpError(400, "the form has no file in its field `file`")
        fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        return await file.read(), fields
    finally:
        await form.close()
