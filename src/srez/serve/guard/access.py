"""Who may ask, and the headers that keep a browser careful."""

import base64
import binascii
import contextlib
import hmac
from urllib.parse import urlsplit

from srez.serve.errors import HttpError

OPEN_ROUTES = ("/healthz", "/readyz")  # that answer without the key
PAGE = "/page"  # where the page is mounted

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_API = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
# Gradio starts from inline scripts and styles; what matters is that nothing comes from, or goes, elsewhere.
_PAGE = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; worker-src 'self' blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}


# Uploads come back from below it: no script in one may run as the page's.
_FILES = PAGE + "/gradio_api/file"


def headers(path: str) -> dict[str, str]:
    """The headers of an answer, by the path that was asked for."""
    is_page = path.startswith(PAGE) and not path.startswith(_FILES)
    return _COMMON | (_PAGE if is_page else _API)


def check_key(path: str, given: dict[bytes, bytes], key: str | None) -> None:
    """Turn down a request without the key, unless none is set or the route is open.

    The key is taken as `X-API-Key: KEY`, `Authorization: Bearer KEY`, or as the password of HTTP Basic, which
    is what a browser asks for; any user name goes with it.

    Args:
        path: that is asked for.
        given: headers of the request, names in lower case.
        key: that is set.

    Raises:
        HttpError: 401.
    """
    if key is None or path in OPEN_ROUTES:
        return
    wanted = key.encode()
    # No short cut: the time must not tell which of the ways was nearly right.
    if not any([hmac.compare_digest(one, wanted) for one in _keys(given)]):  # noqa: C419
        raise HttpError(
            401,
            "this server wants its key: as X-API-Key, as a bearer token, or as the password of HTTP Basic",
            {"WWW-Authenticate": 'Basic realm="srez", charset="UTF-8"'},
        )


def check_origin(method: str, given: dict[bytes, bytes], origins: tuple[str, ...]) -> None:
    """Turn down what a page of another site sends, which a browser may have given our key along with.

    Args:
        method: of the request.
        given: its headers, names in lower case.
        origins: that are allowed beside the server's own.

    Raises:
        HttpError: 403.
    """
    origin = given.get(b"origin")
    if origin is None or method in ("GET", "HEAD", "OPTIONS"):
        return
    text = origin.decode("latin-1")
    if text not in origins and _host(text) != given.get(b"host", b"").decode("latin-1").lower():
        raise HttpError(403, "pages of other sites may not use this server (--allow-origin)")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _keys(given: dict[bytes, bytes]) -> list[bytes]:
    """Every key that a request presents."""
    found = [given[b"x-api-key"]] if b"x-api-key" in given else []
    scheme, _, value = given.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        found.append(value.strip())
    elif scheme.lower() == b"basic":
        with contextlib.suppress(binascii.Error):
            found.append(base64.b64decode(value, validate=True).partition(b":")[2])
    return found
