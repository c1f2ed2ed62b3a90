"""The routes of the HTTP API."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from srez.serve.api import responses, upload
from srez.serve.api.openapi import REQUEST_BODY
from srez.serve.api.responses import JobAnswer, ModelsAnswer, StatusAnswer
from srez.serve.errors import HttpError, busy
from srez.serve.inference.found import header
from srez.serve.inference.options import Options
from srez.serve.jobs.job import Job
from srez.serve.limits import SEND_PIECE
from srez.serve.observe.metrics import CONTENT_TYPE
from srez.serve.service import Service, Upscaled
from srez.upscaling.resizing import resizing

T = TypeVar("T")
router = APIRouter()


def _service(request: Request) -> Service:
    return request.app.state.service


def _check_query(_: Annotated[Options, Query()]) -> None:
    """Refuse an invalid query before the body is read; `upload.read` merges it with the form later."""


InjectedService = Annotated[Service, Depends(_service)]


@router.post(
    "/v1/upscale",
    operation_id="upscale",
    dependencies=[Depends(_check_query)],
    response_class=Response,
    responses={200: responses.UPSCALED, **responses.UPLOAD_ERRORS},
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def upscale(request: Request, service: InjectedService) -> Response:
    """Upscale a picture and answer with the result, or with a zip of several."""
    with ExitStack() as stack:
        hold = stack.enter_context(service.memory.holding())
        body, options = await upload.read(request, hold)
        upscaled = await _cancelled_on_disconnect(request, service.upscale(body, options, hold))
        return _PictureResponse(upscaled, stack.pop_all())


@router.post(
    "/v1/jobs",
    operation_id="addJob",
    status_code=202,
    dependencies=[Depends(_check_query)],
    response_model_exclude_none=True,
    responses={202: responses.JOB_ADDED, **responses.UPLOAD_ERRORS},
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def add_job(request: Request, response: Response, service: InjectedService) -> JobAnswer:
    """Queue a picture as a job."""
    with service.memory.holding() as hold:
        body, options = await upload.read(request, hold)
        job = await _cancelled_on_disconnect(request, service.add_job(body, options))
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return _job_answer(job, service)


@router.get(
    "/v1/jobs/{name}",
    operation_id="getJob",
    response_model_exclude_none=True,
    responses=responses.errors(404),
)
async def get_job(name: str, service: InjectedService) -> JobAnswer:
    """The state and progress of a job."""
    return _job_answer(await _find_job(name, service), service)


@router.get(
    "/v1/jobs/{name}/result",
    operation_id="getResult",
    response_class=Response,
    responses={200: responses.PICTURE, **responses.errors(404, 409)},
)
async def get_result(name: str, service: InjectedService) -> StreamingResponse:
    """The result of a finished job."""
    job = await _find_job(name, service)
    if job.state != "done":
        raise HttpError(409, f"the job is {job.state}, not done")
    file, size = await service.look_up(_open_result, service.store.result(job))
    _, media_type = job.options.answer
    return StreamingResponse(_pieces(file), headers={"Content-Length": str(size)}, media_type=media_type)


@router.delete(
    "/v1/jobs/{name}",
    operation_id="deleteJob",
    status_code=204,
    responses=responses.errors(404),
)
async def delete_job(name: str, service: InjectedService) -> None:
    """Cancel a job, or remove it and its result."""
    if not await service.look_up(service.store.remove, name):
        raise _no_such_job()
    service.worker.wake()  # there is more room


@router.get("/v1/models", operation_id="listModels", response_model_exclude_none=True)
async def list_models(service: InjectedService) -> ModelsAnswer:
    """The models that this server offers, with their cards."""
    return ModelsAnswer(models=list(service.models.cards.values()))


@router.get("/healthz", operation_id="health")
async def health() -> StatusAnswer:
    """Whether the process answers."""
    return StatusAnswer(status="ok")


@router.get("/readyz", operation_id="ready")
async def ready(service: InjectedService) -> StatusAnswer:
    """Whether the server accepts work."""
    if not service.ready:
        raise busy("the server is starting or stopping", 503)
    return StatusAnswer(status="ready")


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(service: InjectedService) -> Response:
    """Counters for Prometheus."""
    return Response(await service.look_up(service.metrics.text), media_type=CONTENT_TYPE)


async def _cancelled_on_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, which is cancelled if the client disconnects."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(
        request.receive()
    )  # the body has been read: what comes next is the disconnect
    try:
        await asyncio.wait([task, gone], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])  # it holds memory until then
            raise HttpError(499, "the client disconnected")
        return task.result()
    finally:
        task.cancel()  # does nothing to one that is done
        gone.cancel()


class _PictureResponse(Response):
    """An upscaled picture and the facts about it; releases its share of the memory once it is sent."""

    def __init__(self, upscaled: Upscaled, held: ExitStack) -> None:
        super().__init__(
            upscaled.data,
            media_type=upscaled.plan.options.answer[1],
            headers=_fact_headers(upscaled),
        )
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


def _fact_headers(upscaled: Upscaled) -> dict[str, str]:
    """Headers that say how a picture was made."""
    plan = upscaled.plan
    card = plan.card
    network = card.samples if plan.options.samples and card.samples else card
    facts = {
        "X-Srez-Model": plan.model,
        "X-Srez-Model-Sha256": network.sha256,
        "X-Srez-Size": f"{plan.target[0]}x{plan.target[1]}",
        "X-Srez-Batch": str(upscaled.batch),
        "Server-Timing": ", ".join(
            f"{name};dur={value:.1f}" for name, value in upscaled.milliseconds.items()
        ),
    }
    if resized := resizing(plan.size, plan.card, plan.target):
        facts["X-Srez-Resized"] = resized
    if upscaled.faces is not None:
        facts["X-Srez-Faces"] = header(upscaled.faces)
    if plan.options.samples:  # which have neither of what follows
        return facts
    facts["X-Srez-Fidelity"] = f"{plan.fidelity:g}"
    facts["X-Srez-Repair"] = f"{upscaled.settings.repair:g}"
    if card.vivid and plan.fidelity < 1:
        facts["X-Srez-Vivid-Sha256"] = card.vivid.sha256
    return facts


def _job_answer(job: Job, service: Service) -> JobAnswer:
    return responses.job_answer(job, service.worker.progress(job), service.settings.keep_hours)


async def _find_job(name: str, service: Service) -> Job:
    job = await service.look_up(service.store.get, name)
    if job is None:
        raise _no_such_job()
    return job


def _no_such_job() -> HttpError:
    return HttpError(404, "there is no such job, or it has expired")


def _open_result(path: Path) -> tuple[IO[bytes], int]:
    """A result and its size in bytes; once open, it can be read even if the job expires meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise _no_such_job() from None
    return file, os.fstat(file.fileno()).st_size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(SEND_PIECE):
            yield piece
