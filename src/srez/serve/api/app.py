"""Puts the application together: routes, errors, page and guard."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from srez import __version__
from srez.errors import SrezError
from srez.serve import static
from srez.serve.api import openapi, reference, responses, routes
from srez.serve.errors import INTERNAL_ERROR, HttpError, as_http_error
from srez.serve.guard.headers import DOCS
from srez.serve.guard.middleware import Guard, error_response
from srez.serve.inference.options import invalid_option
from srez.serve.limits import Page, Settings
from srez.serve.service import Service


def create(settings: Settings, service: Service | None = None) -> ASGIApp:
    """The application: API, page and guard.

    Args:
        settings: how it is run.
        service: behind it; made from the settings by default.

    Raises:
        SrezError: a folder or a model cannot be used.
    """
    service = service or Service(settings)
    app = api(service)
    document = openapi.document(app, settings.key is not None)
    app.openapi = lambda: document  # type: ignore[method-assign]
    described = reference.html(document)
    app.add_api_route(DOCS, lambda: HTMLResponse(described), include_in_schema=False)
    if settings.page is Page.SERVER:
        from srez.serve.page import page

        page.mount(app, service)
    elif settings.page is Page.BROWSER:
        static.mount(app, settings.state)
    return _with_cors(Guard(app, settings, service.metrics), settings.origins)


def api(service: Service) -> FastAPI:
    """The API alone, without page and guard."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await asyncio.to_thread(service.stop)

    app = FastAPI(
        title="srez",
        version=__version__,
        description=openapi.DESCRIPTION,
        docs_url=None,  # FastAPI's load scripts from other sites
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        responses=responses.ANY_ROUTE,
    )
    app.state.service = service
    app.include_router(routes.router)
    for kind in (SrezError, MemoryError, OSError, sqlite3.Error):
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(Exception, _answer_defect)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    return app


def _with_cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """The application, callable by pages of some other origins."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
        expose_headers=["Location", "Retry-After", "Server-Timing", "X-Request-ID", *responses.FACT_HEADERS],
    )


async def _answer_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(as_http_error(error))


async def _answer_defect(_: Request, __: Exception) -> JSONResponse:
    return error_response(HttpError(500, INTERNAL_ERROR))  # the guard logs it


async def _answer_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(invalid_option(error.errors()[0]))


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses, as an error of ours."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_response(HttpError(404, "there is no such route"))
    if error.status_code == 405:
        path = getattr(request.scope.get("route"), "path", "")
        operations = request.app.openapi()["paths"].get(path, {"get": {}})
        allowed = {"Allow": ", ".join(sorted(method.upper() for method in operations))}
        return error_response(HttpError(405, "this route does not support this method", allowed))
    return error_response(HttpError(error.status_code, error.detail, dict(error.headers or {})))
