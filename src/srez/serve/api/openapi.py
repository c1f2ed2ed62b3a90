"""The OpenAPI document: what FastAPI cannot know of the routes."""

from typing import Any

from fastapi import FastAPI

from srez.serve.api.responses import errors
from srez.serve.api.upload import ACCEPTED
from srez.serve.guard.access import OPEN_ROUTES
from srez.serve.inference.options import Options

DESCRIPTION = (
    'Upscales pictures. Every error is `{"error": "one sentence"}`. A result is a plausible guess, not '
    "evidence of who or what was in the picture."
)
# The smallest picture there is, a GIF of one pixel: text can hold it, as it has no byte above 127.
_PIXEL = "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
_FILE = {"type": "string", "format": "binary"}
_SECURITY_SCHEMES = {
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as password, with any user name."},
}


def _form_fields() -> dict[str, Any]:
    """The schemas of the options as form fields, which have no null."""
    fields = Options.model_json_schema()["properties"]
    for field in fields.values():
        for kind in field.pop("anyOf", []):
            if kind["type"] != "null":
                field |= kind
        field.pop("default", None)
    return fields


REQUEST_BODY = {
    "required": True,
    "description": "The picture itself, or a form with one file `file`; options are taken from the query "
    "or from fields beside the file. An option given twice with different values is refused (422).",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _FILE, **_form_fields()},
                "additionalProperties": False,
            },
            "example": {"file": _PIXEL},
        },
        **{media_type: {"schema": _FILE} for media_type in ACCEPTED},
        "image/gif": {"schema": _FILE, "example": _PIXEL},
    },
}


def document(app: FastAPI, with_key: bool) -> dict[str, Any]:
    """The document of an application: what FastAPI makes of its routes, completed.

    Args:
        app: with all its routes.
        with_key: whether the server has an API key.
    """
    document = app.openapi()
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # our 422 is an ErrorAnswer
        schemas.pop(name, None)
    unauthorized = {
        "description": errors(401)[401]["description"],
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ErrorAnswer"},
                **errors(401)[401]["content"]["application/json"],
            }
        },
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]  # of a path parameter, which takes any text
            if with_key and path not in OPEN_ROUTES:
                operation["responses"]["401"] = unauthorized
                operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    if with_key:
        document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    return document
