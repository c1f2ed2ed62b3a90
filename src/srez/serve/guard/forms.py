"""Reads forms with one file, in memory: the disk may be full, and keeps nothing of a stranger's."""

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from srez.serve.errors import HttpError
from srez.serve.limits import MAX_FIELD_BYTES, MAX_FIELDS

MEDIA_TYPE = "multipart/form-data"


class _InMemory(MultiPartParser):
    spool_max_size = 0  # none: `Memory` and the limit of a body bound what is kept


async def read(request: Request, name: str) -> tuple[bytes, list[tuple[str, str]]]:
    """The file in a field of a form, and the form's other fields; the file's own name is ignored.

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
        return await file.read(), fields
    finally:
        await form.close()
