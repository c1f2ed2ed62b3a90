"""Checks what the page sends when somebody uses it."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from srez.serve.errors import HttpError
from srez.serve.page.alias import ALIAS
from srez.serve.page.files import PageFiles


class _Event(BaseModel):
    """An event, as far as Gradio relies on it."""

    data: list[Any]
    fn_index: int
    session_hash: str = Field(pattern=r"^[\w-]{1,64}$")


def checked(body: bytes, files: PageFiles, functions: Mapping[int, int]) -> tuple[bytes, str]:
    """An event with real paths in place of hidden ones, and its session.

    Args:
        body: of the request.
        files: the page's; an event may name no others.
        functions: the number of inputs of each function that an event may call.

    Raises:
        HttpError: it calls no function of the page (400), or names what is not an upload (403).
    """

    def refuse_other_files(pairs: list[tuple[str, Any]]) -> None:
        for name, value in pairs:
            is_other = name == "path" and isinstance(value, str) and not files.contains(value)
            if is_other or (name == "url" and isinstance(value, str) and value.startswith("data:")):
                raise HttpError(403, "the page only accepts uploads")

    try:
        folder = json.dumps(str(files.folder))[1:-1]
        body = body.decode().replace(ALIAS + "/", folder + "/").encode()
        json.loads(body, object_pairs_hook=refuse_other_files)
        event = _Event.model_validate_json(body)
    except (ValueError, RecursionError):
        raise HttpError(400, "this is not an event of the page") from None
    if len(event.data) != functions.get(event.fn_index):
        raise HttpError(400, "this is not an event of the page")
    return body, event.session_hash
