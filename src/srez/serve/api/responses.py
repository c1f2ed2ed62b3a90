"""What the routes answer: the models of JSON answers, and how each status is documented."""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from srez import images
from srez.models.card import Card
from srez.serve.errors import INTERNAL_ERROR
from srez.serve.inference.found import FoundFace
from srez.serve.inference.options import FORMATS, ZIP
from srez.serve.jobs.job import Job

FACT_HEADERS = (
    "X-Srez-Model",
    "X-Srez-Model-Sha256",
    "X-Srez-Vivid-Sha256",
    "X-Srez-Fidelity",
    "X-Srez-Repair",
    "X-Srez-Size",
    "X-Srez-Resized",
    "X-Srez-Batch",
    "X-Srez-Faces",
)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorAnswer(_Answer):
    """Any error."""

    error: str = Field(description="One sentence.")


class StatusAnswer(_Answer):
    """Health or readiness."""

    status: str


class ModelsAnswer(_Answer):
    """The models that the server offers, with their cards."""

    models: list[Card]


class JobAnswer(_Answer):
    """A job. What it does not have (yet) is left out."""

    id: str = Field(examples=["3f1c0a5e9b7d4c2e8a6f0b1d2c3e4f50"])
    state: Literal["queued", "running", "done", "failed"]
    progress: float = Field(ge=0, le=1, examples=[0.25])
    model: str = Field(examples=["photo"])
    fidelity: float | None = Field(default=None, ge=0, le=1)
    repair: float | None = Field(
        default=None, ge=0, le=1, description="Left out if it is as the picture needs."
    )
    samples: int | None = Field(default=None, description="How many, if there are to be several.")
    seed: int | None = Field(default=None, description="Of the samples.")
    uncertainty: bool | None = Field(default=None, description="True if it was asked for.")
    faces: list[FoundFace] | None = Field(
        default=None, description="The faces that were found, once the job is done, if they were looked for."
    )
    format: str = Field(examples=["png"])
    created: datetime
    finished: datetime | None = None
    expires: datetime | None = Field(default=None, description="When the job and its result are removed.")
    result: str | None = Field(default=None, description="Path of the result, once the job is done.")
    error: str | None = Field(default=None, description="Why the job failed.")


def job_answer(job: Job, progress: float, keep_hours: float) -> JobAnswer:
    """A job as clients see it.

    Args:
        job: the job.
        progress: from 0 to 1.
        keep_hours: how long a finished job is kept.
    """
    return JobAnswer(
        id=job.id,
        state=job.state,
        progress=round(progress, 4),
        model=job.options.model,
        fidelity=job.options.fidelity,
        repair=job.options.repair,
        samples=job.options.samples,
        seed=job.options.seed if job.options.samples else None,
        uncertainty=job.options.uncertainty or None,
        faces=None if job.faces is None else list(job.faces),
        format=job.options.format,
        created=_moment(job.created),
        finished=_moment(job.finished) if job.finished else None,
        expires=_moment(job.finished + keep_hours * 3600) if job.finished else None,
        result=f"/v1/jobs/{job.id}/result" if job.state == "done" else None,
        error=job.error,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


_ERRORS = {
    400: ("The request does not make sense.", "the form has no file in its field `file`"),
    401: ("The API key is missing or wrong.", "this server requires its API key"),
    403: ("Sent by a page of another site.", "pages of other sites may not use this server (--allow-origin)"),
    404: ("There is no such model, job or route.", "there is no such job, or it has expired"),
    405: ("The route has other methods; see `Allow`.", "this route does not support this method"),
    408: ("The body did not arrive in time.", "the body did not arrive in time"),
    409: ("The job is not done.", "the job is running, not done"),
    413: ("The body or the picture is too large.", "the body has more than 33,554,432 bytes (--max-body)"),
    415: ("Not a picture, damaged, or another content type.", "the picture is damaged or cut short"),
    421: ("For another host.", "this server does not answer under this name (--allow-host)"),
    422: ("An option is invalid.", "scale: Input should be less than or equal to 16"),
    429: (
        "Too many requests; `Retry-After` says when to try again.",
        "no more than 128 pictures may wait (--max-queue)",
    ),
    500: ("A defect of the server; its log has the details.", INTERNAL_ERROR),
    503: ("Too slow, out of memory, or stopping; try again later.", "the server is stopping"),
    507: ("The server's disk is full; try again later.", "the server's disk is full"),
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_FILE = {"schema": {"type": "string", "format": "binary"}}
Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The documentation of some error statuses."""
    documented: Responses = {}
    for status in statuses:
        description, example = _ERRORS[status]
        documented[status] = {
            "model": ErrorAnswer,
            "description": description,
            "content": {"application/json": {"example": {"error": example}}},
        }
        if status in (429, 503, 507):
            documented[status]["headers"] = _RETRY_AFTER
    return documented


ANY_ROUTE = errors(403, 405, 408, 413, 421, 500, 503, 507)
UPLOAD_ERRORS = errors(400, 404, 415, 422, 429)
PICTURE = {
    "description": "The larger picture; with `samples` or `uncertainty`, a zip of several.",
    "content": {
        **{images.format_named(name).media_type: _FILE for name in FORMATS},
        ZIP[1]: _FILE,
    },
}
UPSCALED = {
    **PICTURE,
    "headers": {name: {"schema": {"type": "string"}} for name in ("Server-Timing", *FACT_HEADERS)},
}
JOB_ADDED = {
    "description": "The job is queued.",
    "headers": {"Location": {"description": "Path of the job.", "schema": {"type": "string"}}},
    "links": {
        name: {"operationId": operation, "parameters": {"name": "$response.body#/id"}}
        for name, operation in {"job": "getJob", "result": "getResult", "delete": "deleteJob"}.items()
    },
}
