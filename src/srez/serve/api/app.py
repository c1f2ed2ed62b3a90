"""The routes of the HTTP API."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from srez import __version__, images
from srez.errors import SrezError
from srez.models import box
from srez.models import card as cards
from srez.serve.api import openapi as describe
from srez.serve.api import upload as bodies
from srez.serve.errors import INTERNAL_ERROR, HttpError, as_http_error, busy
from srez.serve.guard.access import PAGE
from srez.serve.guard.middleware import Guard, error_response
from srez.serve.inference import picture as work
from srez.serve.inference.picture import Options
from srez.serve.jobs.store import Job
from srez.serve.limits import MAX_SIDE, SEND_PIECE, Settings
from srez.serve.observe.metrics import CONTENT_TYPE
from srez.serve.service import Service, Upscaled
from srez.upscaling.files import Size

T = TypeVar("T")
_WISHES = ("model", "fidelity", "scale", "width", "height", "format", "quality")


async def _wish(
    request: Request,
    model: Annotated[
        str,
        Query(
            description="A name that /v1/models lists; auto takes faces for 16x16 pixels, photo for others.",
            examples=[box.AUTO],
        ),
    ] = box.AUTO,
    fidelity: Annotated[
        float | None,
        Query(ge=0, le=1, description="Of a model with two looks: 0 vivid, 1 faithful.", examples=[0.5]),
    ] = None,
    scale: Annotated[
        int | None,
        Query(ge=1, le=16, description="Times larger, up to the model's own; that by default.", examples=[2]),
    ] = None,
    width: Annotated[
        int | None,
        Query(
            ge=1,
            le=MAX_SIDE,
            description="Of the result, in pixels; the height follows. Not with a scale.",
            examples=[800],
        ),
    ] = None,
    height: Annotated[
        int | None,
        Query(
            ge=1,
            le=MAX_SIDE,
            description="Of the result; with a width, what fits into both. Not with a scale.",
            examples=[600],
        ),
    ] = None,
    format: Annotated[
        str,
        Query(description="Of the result.", json_schema_extra={"enum": list(work.FORMATS)}, examples=["png"]),
    ] = "png",
    quality: Annotated[
        int, Query(ge=1, le=100, description="Of lossy formats.", examples=[90])
    ] = images.QUALITY,
) -> Options:
    """The query of a request, as what is to be made of its picture."""
    unknown = set(request.query_params) - set(_WISHES)
    if unknown:
        raise HttpError(422, f"there is no option {sorted(unknown)[0]!r}: take {', '.join(_WISHES)}")
    work.refuse_format(format)
    return Options(model, fidelity, Size(scale, width, height), format, quality)


def create(settings: Settings, service: Service | None = None) -> ASGIApp:
    """The application: API, page and guard.

    Args:
        settings: how it is run.
        service: behind it; one made from the settings by default.

    Raises:
        SrezError: a folder or a model cannot be used.
    """
    service = service or Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await asyncio.to_thread(service.stop)

    app = FastAPI(
        title="srez",
        version=__version__,
        description=describe.API,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        responses=describe.ALWAYS,
    )
    app.add_exception_handler(SrezError, _tell)
    app.add_exception_handler(MemoryError, _tell)
    app.add_exception_handler(Exception, _tell_defect)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_http)
    _add_routes(app, service)
    document = describe.finished(app.openapi(), settings.key is not None)
    app.openapi = lambda: document  # type: ignore[method-assign]
    if settings.page:
        from srez.serve.page import page

        @app.get("/", include_in_schema=False)
        async def root() -> RedirectResponse:
            return RedirectResponse(PAGE + "/")

        @app.get("/favicon.ico", include_in_schema=False)
        async def icon() -> Response:
            return Response(status_code=204)

        page.mount(app, service)
    guarded: ASGIApp = Guard(app, settings, service.metrics)
    if settings.origins:
        guarded = CORSMiddleware(
            guarded,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
            expose_headers=["Location", "Retry-After", "Server-Timing", "X-Request-ID", *describe.FACTS],
        )
    return guarded


def _add_routes(app: FastAPI, service: Service) -> None:
    @app.post("/v1/upscale", **describe.UPSCALE)
    async def upscale(request: Request, options: Annotated[Options, Depends(_wish)]) -> Response:
        """Make a picture larger and answer with it."""
        with ExitStack() as stack:
            hold = stack.enter_context(service.holding())
            body = await bodies.read(request, hold)
            answer = await _unless_gone(request, service.upscale(body, options, hold))
            return _PictureResponse(answer, service, stack.pop_all())

    @app.post("/v1/jobs", **describe.ADD_JOB)
    async def add_job(request: Request, options: Annotated[Options, Depends(_wish)]) -> JSONResponse:
        """Queue a large picture as a job."""
        with service.holding() as hold:
            job = await service.add_job(await bodies.read(request, hold), options)
        where = f"/v1/jobs/{job.id}"
        return JSONResponse(_shown(job, service), 202, {"Location": where})

    @app.get("/v1/jobs/{name}", **describe.GET_JOB)
    async def get_job(name: str) -> JSONResponse:
        """Where a job stands."""
        return JSONResponse(_shown(await _found(name, service), service))

    @app.get("/v1/jobs/{name}/result", **describe.GET_RESULT)
    async def get_result(name: str) -> StreamingResponse:
        """The picture that a job has made."""
        job = await _found(name, service)
        if job.state != "done":
            raise HttpError(409, f"the job is {job.state}, not done")
        file, size = await service.in_thread(_opened, service.store.result(job))
        media_type = job.options.kind.media_type
        return StreamingResponse(_pieces(file), headers={"Content-Length": str(size)}, media_type=media_type)

    @app.delete("/v1/jobs/{name}", **describe.DELETE_JOB)
    async def delete_job(name: str) -> Response:
        """Cancel a job, or forget it and its result."""
        if not await service.in_thread(service.store.remove, name):
            raise _unknown_job()
        return Response(status_code=204)

    @app.get("/v1/models", **describe.MODELS)
    async def models() -> JSONResponse:
        """The models that this server offers, with their cards."""
        return JSONResponse({"models": [cards.as_dict(card) for card in service.models.cards.values()]})

    @app.get("/healthz", **describe.HEALTH)
    async def healthz() -> JSONResponse:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", **describe.READY)
    async def readyz() -> JSONResponse:
        """Whether pictures are worked on."""
        if not service.ready:
            raise busy("the server is starting or stopping", 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", **describe.METRICS)
    async def metrics() -> Response:
        """Counters, as Prometheus reads them."""
        return Response(await service.in_thread(service.metrics.text), media_type=CONTENT_TYPE)


async def _unless_gone(request: Request, wanted: Coroutine[Any, Any, T]) -> T:
    """The result of some work, which is cancelled when the client hangs up."""
    task, gone = asyncio.ensure_future(wanted), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])  # what it holds is let go only then
            raise HttpError(499, "the client has hung up")
        return task.result()
    finally:
        gone.cancel()


class _PictureResponse(Response):
    """A larger picture and the facts about it; what it holds is let go when it is sent."""

    def __init__(self, answer: Upscaled, service: Service, holding: ExitStack) -> None:
        options, plan = answer.options, answer.plan
        card = service.models.cards[plan.model]
        timing = ", ".join(f"{name};dur={value:.1f}" for name, value in answer.milliseconds.items())
        facts = {
            "X-Srez-Model": plan.model,
            "X-Srez-Model-Sha256": card.sha256,
            "X-Srez-Fidelity": f"{plan.fidelity:g}",
            "X-Srez-Size": f"{plan.target[0]}x{plan.target[1]}",
            "X-Srez-Batch": str(answer.batch),
        }
        if card.vivid and plan.fidelity < 1:
            facts["X-Srez-Vivid-Sha256"] = card.vivid.sha256
        super().__init__(
            answer.data,
            media_type=options.kind.media_type,
            headers={**facts, "Server-Timing": timing},
        )
        self._holding = holding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._holding:
            await super().__call__(scope, receive, send)


async def _found(name: str, service: Service) -> Job:
    job = await service.in_thread(service.store.get, name)
    if job is None:
        raise _unknown_job()
    return job


def _unknown_job() -> HttpError:
    return HttpError(404, "there is no such job, or it has expired")


def _opened(result: Path) -> tuple[IO[bytes], int]:
    """A result and its size; once open, it can be read to its end even if the job expires meanwhile."""
    try:
        file = result.open("rb")
    except FileNotFoundError:
        raise _unknown_job() from None
    return file, os.fstat(file.fileno()).st_size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(SEND_PIECE):
            yield piece


def _shown(job: Job, service: Service) -> dict[str, Any]:
    """A job as clients see it."""
    keep = service.settings.keep_hours * 3600
    shown = {
        "id": job.id,
        "state": job.state,
        "progress": round(service.worker.progress(job), 4),
        "model": job.options.model,
        "fidelity": job.options.fidelity,
        "format": job.options.format,
        "created": _moment(job.created),
        "finished": job.finished and _moment(job.finished),
        "expires": job.finished and _moment(job.finished + keep),
        "result": f"/v1/jobs/{job.id}/result" if job.state == "done" else None,
        "error": job.error,
    }
    return {key: value for key, value in shown.items() if value is not None}


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


async def _tell(_: Request, error: Exception) -> JSONResponse:
    return error_response(as_http_error(error))


async def _tell_defect(_: Request, __: Exception) -> JSONResponse:
    return error_response(HttpError(500, INTERNAL_ERROR))  # the guard writes it into the log


async def _tell_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return error_response(HttpError(422, f"{first['loc'][-1]}: {first['msg']}"))


async def _tell_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    said = {404: "there is no such route", 405: "this route does not take this method"}
    return error_response(HttpError(error.status_code, said.get(error.status_code, error.detail), headers))


def _methods(request: Request) -> set[str]:
    """All methods of the path, which may have several routes."""
    fitting = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
    return set().union(*(getattr(route, "methods", None) or () for route in fitting))
