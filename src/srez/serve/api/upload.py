"""Reads the picture and the options of a request."""

from collections.abc import Callable
from typing import NamedTuple

from fastapi import Request

from srez import images
from srez.serve.errors import HttpError
from srez.serve.guard import forms
from srez.serve.inference import options
from srez.serve.inference.options import Options

ACCEPTED = (*(kind for each in images.FORMATS for kind in each.media_types), "application/octet-stream")


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
    counted = forms.counted(request, hold)
    pairs = request.query_params.multi_items()
    media_type = (
        request.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
    )
    if media_type == forms.MEDIA_TYPE:
        body, _, fields = await forms.read(counted, "file")
        pairs += fields
    elif media_type in ACCEPTED:
        body = await forms.whole(counted)
    else:
        accepted = ", ".join(ACCEPTED)
        raise HttpError(
            415, f"send the picture as {forms.MEDIA_TYPE} or as one of {accepted}", {"Accept": accepted}
        )
    if not body:
        raise HttpError(400, "the body is empty: send a picture")
    return Upload(body, options.parse_pairs(pairs))
