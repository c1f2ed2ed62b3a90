"""Response headers that make browsers careful."""

from srez.serve.limits import Page

PAGE = "/page"  # where the page is mounted
DOCS = "/docs"  # the reference of the API
_FILES = PAGE + "/gradio_api/file"  # where the page's uploads and results come from

_COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Permitted-Cross-Domain-Policies": "none",
}
_API = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
# Gradio needs inline scripts and styles; what matters is that nothing comes from, or goes to, other sites.
_PAGE = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; worker-src 'self' blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )
}
# As that page asks for it itself; with these headers, it may use threads at its first visit.
_BROWSER_PAGE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
        "img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",
}

_DOCS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


def security_headers(path: str, page: Page) -> dict[str, str]:
    """The security headers of an answer.

    Args:
        path: of the request. Uploads below the page's path get the API's strict policy: no script in one may
            run as the page's.
        page: which one the server has.
    """
    if path == DOCS:
        return _COMMON | _DOCS
    if page is Page.BROWSER and path.startswith(PAGE):
        return _COMMON | _BROWSER_PAGE
    is_page = path.startswith(PAGE) and not path.startswith(_FILES)
    return _COMMON | (_PAGE if is_page else _API)
