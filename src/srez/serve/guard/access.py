"""Who may use the server: the API key and the origin of a request."""

import base64
import binascii
import contextlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from srez.serve.errors import HttpError
from srez.serve.limits import ANY

OPEN_ROUTES = ("/healthz", "/readyz")  # need no key


def check_key(path: str, headers: Mapping[bytes, bytes], key: str | None) -> None:
    """Refuse a request without the API key, unless none is set or the route is open.

    The key is taken as `X-API-Key: KEY`, as `Authorization: Bearer KEY`, or as the password of HTTP Basic
    with any user name, which is what a browser asks for.

    Args:
        path: of the request.
        headers: of the request, with names in lower case.
        key: the API key of the server.

    Raises:
        HttpError: 401.
    """
    if key is None or path in OPEN_ROUTES:
        return
    expected = key.encode()
    # No short cut: the time must not tell which of the ways was nearly right.
    if not any([hmac.compare_digest(given, expected) for given in _keys(headers)]):  # noqa: C419
        raise HttpError(
            401,
            "this server requires its API key: send it as X-API-Key, as a bearer token, or as "
            "the password of HTTP Basic",
            {"WWW-Authenticate": 'Basic realm="srez", charset="UTF-8"'},
        )


def check_origin(method: str, headers: Mapping[bytes, bytes], origins: tuple[str, ...]) -> None:
    """Refuse what a page of another site sends: the browser may have added our key to it.

    Args:
        method: of the request.
        headers: of the request, with names in lower case.
        origins: allowed beside the server's own, or "*".

    Raises:
        HttpError: 403.
    """
    origin = headers.get(b"origin")
    if origin is None or ANY in origins or method in ("GET", "HEAD", "OPTIONS"):
        return
    text = origin.decode("latin-1")
    if text not in origins and _host(text) != headers.get(b"host", b"").decode("latin-1").lower():
        raise HttpError(403, "pages of other sites may not use this server (--allow-origin)")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _keys(headers: Mapping[bytes, bytes]) -> list[bytes]:
    """Every key that a request presents."""
    keys = [headers[b"x-api-key"]] if b"x-api-key" in headers else []
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        keys.append(value.strip())
    elif scheme.lower() == b"basic":
        with contextlib.suppress(binascii.Error):
            keys.append(base64.b64decode(value, validate=True).partition(b":")[2])
    return keys
