"""The OpenAPI description of the routes: every status that each may answer, with examples."""

from typing import Any

from srez import images
from srez.serve.errors import INTERNAL_ERROR
from srez.serve.guard.access import OPEN_ROUTES
from srez.serve.inference.picture import ACCEPTED, FORMATS

API = (
    'Makes pictures larger. Every error is `{"error": "one sentence"}`. A result is a plausible guess, never '
    "evidence of who or what was in the picture."
)
FACTS = (
    "X-Srez-Model",
    "X-Srez-Model-Sha256",
    "X-Srez-Vivid-Sha256",
    "X-Srez-Fidelity",
    "X-Srez-Size",
    "X-Srez-Batch",
)

_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_SAYINGS = {
    400: ("The request does not fit together.", "the form has no file in a field `file`"),
    401: ("The server has a key, and it was not given.", "this server wants its key"),
    403: ("Sent by a page of another site.", "pages of other sites may not use this server (--allow-origin)"),
    404: ("There is no such model, job or route.", "there is no such job, or it has expired"),
    405: ("Another method; `Allow` names those that there are.", "this route does not take this method"),
    408: ("The body did not arrive in time.", "the body did not arrive in time"),
    409: ("The job is not done.", "the job is running, not done"),
    413: ("The body or the picture is too large.", "the body has more than 33,554,432 bytes (--max-body)"),
    415: ("Not a picture, damaged, or of another content type.", "the picture is damaged or cut short"),
    422: ("An option has a value that it cannot have.", "there is no format 'bmp': take one of png, jpeg"),
    429: ("Too much is waiting; `Retry-After` says when to try again.", "128 pictures are waiting already"),
    500: ("A defect of the server; its log says more.", INTERNAL_ERROR),
    503: ("Too slow, out of memory, or stopping; try later.", "the server is stopping"),
    507: ("The disk of the server is full; try later.", "the disk of the server is full"),
}
_RETRY = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        description, example = _SAYINGS[status]
        content = {"application/json": {"schema": _ERROR, "example": {"error": example}}}
        found[status] = {"description": description, "content": content}
        if status in (429, 503, 507):
            found[status]["headers"] = _RETRY
    return found


ALWAYS = _errors(403, 405, 408, 413, 500, 503)
"""What any route may answer, if the server has no key."""
_WAYS_IN = {
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "The key as password, with any user name."},
}


def finished(schema: dict[str, Any], with_key: bool) -> dict[str, Any]:
    """The document that FastAPI has made, with what it cannot know, and without what does not hold here.

    Args:
        schema: the document, which is changed.
        with_key: whether the server has a key.
    """
    unauthorized = {str(status): answer for status, answer in _errors(401).items()}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]  # of a path, where any text is right
            if with_key and path not in OPEN_ROUTES:
                operation["responses"] |= unauthorized
                operation["security"] = [{name: []} for name in _WAYS_IN]
    schema["components"] = {"securitySchemes": _WAYS_IN} if with_key else {}
    return schema


def _json(description: str, example: Any, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if properties:
        schema |= {"properties": properties}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


# The smallest picture there is, a GIF of one pixel: text holds it because it has no byte above 127.
_PIXEL = "GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
_BODY = {
    "required": True,
    "description": "The picture itself, or a form with one file in the field `file`.",
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
                "additionalProperties": False,
            },
            "example": {"file": _PIXEL},
        },
        **dict.fromkeys(ACCEPTED, _BINARY),
        "image/gif": _BINARY | {"example": _PIXEL},
    },
}
_PICTURES = {images.format_named(name).media_type: _BINARY for name in FORMATS}
_JOB = {
    "id": "3f1c0a5e9b7d4c2e8a6f0b1d2c3e4f50",
    "state": "running",
    "progress": 0.25,
    "model": "photo",
    "format": "png",
    "created": "2026-01-31T12:00:00Z",
}
_JOB_PROPERTIES = {
    "id": {"type": "string"},
    "state": {"enum": ["queued", "running", "done", "failed"]},
    "progress": {"type": "number", "minimum": 0, "maximum": 1},
    "fidelity": {"type": "number", "minimum": 0, "maximum": 1},
    **{
        key: {"type": "string"}
        for key in ("model", "format", "created", "finished", "expires", "result", "error")
    },
}
_SENDING = (400, 404, 415, 422, 429)
_FACT_HEADERS = {name: {"schema": {"type": "string"}} for name in ("Server-Timing", *FACTS)}
_STATUS = {"status": {"type": "string"}}


def _words(operation: str, ok: dict[int | str, Any], *errors: int, body: bool = False) -> dict[str, Any]:
    """The arguments of a route's decorator; what any route may answer comes from the application."""
    words: dict[str, Any] = {
        "operation_id": operation,
        "response_model": None,
        "responses": {**ok, **_errors(*errors)},
        "status_code": next(int(status) for status in ok),
    }
    return words | ({"openapi_extra": {"requestBody": _BODY}} if body else {})


UPSCALE = _words(
    "upscale",
    {200: {"description": "The larger picture.", "content": _PICTURES, "headers": _FACT_HEADERS}},
    *_SENDING,
    body=True,
)
ADD_JOB = _words(
    "addJob",
    {
        202: _json("The job.", _JOB | {"state": "queued", "progress": 0.0}, _JOB_PROPERTIES)
        | {
            "headers": {"Location": {"description": "Of the job.", "schema": {"type": "string"}}},
            "links": {
                name: {"operationId": operation, "parameters": {"name": "$response.body#/id"}}
                for name, operation in {"job": "getJob", "result": "getResult", "delete": "deleteJob"}.items()
            },
        }
    },
    *_SENDING,
    507,
    body=True,
)
GET_JOB = _words("getJob", {200: _json("The job.", _JOB, _JOB_PROPERTIES)}, 404)
GET_RESULT = _words(
    "getResult", {200: {"description": "The larger picture.", "content": _PICTURES}}, 404, 409
)
DELETE_JOB = _words("deleteJob", {204: {"description": "It is gone."}}, 404)
MODELS = _words(
    "listModels",
    {
        200: _json(
            "The models and their cards.",
            {"models": [{"name": "faces", "scale": 4, "licence": "non-commercial research only"}]},
            {"models": {"type": "array", "items": {"type": "object"}}},
        )
    },
)
HEALTH = _words("health", {200: _json("It answers.", {"status": "ok"}, _STATUS)})
READY = _words("ready", {200: _json("It works.", {"status": "ready"}, _STATUS)})
METRICS = _words(
    "metrics",
    {200: {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
